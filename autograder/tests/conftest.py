"""The course's modules are imported in the course's own way here, by their folders on sys.path; so is the grader."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "hw1"), str(ROOT / "mytorch")]
sys.path[:0] = [str(ROOT / "autograder" / folder) for folder in ("hw1_autograder", "instructor", "tests/support")]

import machine  # noqa: E402
import warm  # noqa: E402
from sandbox import cleaning, process, system  # noqa: E402


@pytest.fixture(scope="session")
def torch() -> Any:
    """PyTorch, the judge of the numbers; without it the test is skipped."""
    return pytest.importorskip("torch", reason="PyTorch's float64 autograd, the judge of this test, is not installed")


@pytest.fixture
def rng() -> np.random.RandomState:
    return np.random.RandomState(11785)


cold = process.start
if sys.platform == "linux":
    process.start = warm.start  # type: ignore[assignment]
system.not_enforced = lambda *_: []  # a report says the same on every system; machine.py keeps the function


@pytest.hookimpl(tryfirst=True)  # before pytest chooses its temporary folder, of which it would leave a part
def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "cold: starts submissions' processes as the grader does, not from a loaded one")
    if not config.option.basetemp:  # a process of pytest-xdist has been given one
        config.option.basetemp = tempfile.mkdtemp(prefix="mytorch-tests-")
        config.add_cleanup(partial(cleaning.remove, config.option.basetemp))
        for name in ("MPLCONFIGDIR", "XDG_CACHE_HOME"):  # what Matplotlib and its fonts write to the home folder
            os.environ[name] = os.path.join(config.option.basetemp, "cache")


@pytest.fixture(autouse=True)
def starts(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.node.get_closest_marker("cold"):
        monkeypatch.setattr(process, "start", cold)


@pytest.fixture
def outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of the test's own; its temporary folder has to be empty at the end, and no process left."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr("tempfile.tempdir", None)
    before = machine.children()
    yield tmp_path
    assert list(temporary.iterdir()) == []
    machine.wait_until(lambda: machine.children() <= before)
