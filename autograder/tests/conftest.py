"""The course's modules are imported in the course's own way here, by their folders on sys.path; so is the grader."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "hw1"), str(ROOT / "mytorch")]
sys.path[:0] = [str(ROOT / "autograder" / folder) for folder in ("hw1_autograder", "instructor", "tests/support")]

import warm  # noqa: E402
from sandbox import process  # noqa: E402


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


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "cold: starts submissions' processes as the grader does, not from a loaded one")


@pytest.fixture(autouse=True)
def starts(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.node.get_closest_marker("cold"):
        monkeypatch.setattr(process, "start", cold)


@pytest.fixture
def outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Asserts that a run leaves the project, this folder and the temporary folder as they were, and no process."""
    from handins import ROOT, processes, state

    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))  # which the child's environment has too: so it can be found
    monkeypatch.setattr("tempfile.tempdir", None)
    folders = [ROOT / "hw1", ROOT / "mytorch", ROOT / "data", Path("/dev/shm")]
    before = [state(folder) for folder in folders]
    yield tmp_path
    assert [state(folder) for folder in folders] == before
    assert list(temporary.iterdir()) == []
    assert processes(str(temporary)) == []
