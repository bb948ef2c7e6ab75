"""Every command line of the two READMEs is run as it stands, and those for Windows as this system spells them.

In place of a virtual environment stands the Python of the tests, and in place of MNIST a slice of it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import handout
from handins import MAX_TOTAL, ROOT, solution, write

PAGES = {"README.md": ROOT / "README.md", "starter.md": ROOT / "autograder" / "instructor" / "starter.md"}
# What takes minutes, or does not end: the gate runs the one, test_benchmark and test_runner the others.
ELSEWHERE = ("-m pytest", "benchmark.py", "--watch")
SPAN = re.compile(r"`([^`]+)`")
BEGINS = ("python3 ", ".venv/bin/", "sh ", "pip ", ". ")

VENV = """#!/bin/sh
if [ "$1 $2" = "-m venv" ]; then
    mkdir -p "$3/bin" && cp "$0" "$3/bin/python" && cp "$0" "$3/bin/pip" && : >"$3/bin/activate"
    exit
fi
case $0 in *pip) exit ;; esac
[ "$1 $2" = "-m pip" ] && exit
exec "{}" "$@"
"""


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.+?)^```", PAGES[page].read_text(encoding="utf-8"), re.M | re.S)


def commands(page: str) -> list[str]:
    """The blocks of commands, and the commands within the text, in the page's order; what may be left out is."""
    text = PAGES[page].read_text(encoding="utf-8")
    found = [(text.index(block), block) for block in blocks(page, "sh")]
    spans = SPAN.finditer(re.sub(r"^```.+?^```", lambda block: " " * len(block[0]), text, flags=re.M | re.S))
    found += [(span.start(), span[1]) for span in spans if span[1].startswith(BEGINS)]
    lines = [re.sub(r" \[[^\]]*\]", "", " ".join(command.split("\n")).strip()) for _, command in sorted(found)]
    return [line for line in dict.fromkeys(lines) if not any(words in line for words in ELSEWHERE)]


@pytest.fixture(params=PAGES)
def page(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def project(page: str, tmp_path: Path) -> tuple[Path, dict[str, str]]:
    """The page's project, the starter with its bodies written, and an environment with a `python3`."""
    root = tmp_path / "a project"
    if page == "README.md":
        away = shutil.ignore_patterns(".*", "build", "*.egg-info", "__pycache__", "*.png.*", "tests")
        shutil.copytree(ROOT, root, ignore=away)
        shutil.copytree(ROOT / "autograder" / "hw1_autograder" / "tests", root / "autograder/hw1_autograder/tests")
    else:
        write(handout.starter(), root)
    write(solution(), root)
    write({name: data for name, data in solution().items() if name.startswith("mytorch")}, root / "PATH" / "TO")
    with np.load(ROOT / "data" / "mnist.npz") as mnist:
        np.savez(root / "data" / "mnist.npz", **{name: mnist[name][:400] for name in mnist.files})
    python = tmp_path / "bin" / "python3"
    python.parent.mkdir()
    python.write_text(VENV.format(sys.executable))
    python.chmod(0o755)
    for name in ("pip", "py"):
        shutil.copy(python, python.parent / name)
    return root, {**os.environ, "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}", "AUTOLAB": ""}


def run(command: str, project: tuple[Path, dict[str, str]]) -> str:
    root, environment = project
    done = subprocess.run(
        ["sh", "-eu", "-c", command], cwd=root, env=environment, capture_output=True, encoding="utf-8", timeout=120
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.mark.skipif(shutil.which("sh") is None, reason="there is no POSIX shell")
def test_every_command_of_the_page_runs_as_it_stands(page: str, project: tuple[Path, dict[str, str]]) -> None:
    pytest.importorskip("matplotlib")
    found = commands(page)
    assert len(found) >= 5
    said = "".join(run(command, project) for command in found)
    assert said.count(f"{MAX_TOTAL} / {MAX_TOTAL}") >= 2


@pytest.mark.skipif(shutil.which("sh") is None, reason="there is no POSIX shell")
def test_the_commands_for_windows_run_as_this_system_spells_them(
    page: str, project: tuple[Path, dict[str, str]]
) -> None:
    pytest.importorskip("matplotlib")
    said = ""
    for line in "".join(blocks(page, "bat")).splitlines():
        assert not re.search(r"&&|;|/|\$|'", line), f"not for PowerShell 5 and the command prompt alike: {line}"
        said += run(line.replace("\\", "/").replace(".venv/Scripts", ".venv/bin"), project)
    assert said.count(f"{MAX_TOTAL} / {MAX_TOTAL}") == 2


def test_the_pages_have_the_same_commands_for_windows() -> None:
    assert blocks("README.md", "bat") == blocks("starter.md", "bat") != []
