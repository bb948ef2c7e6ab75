"""The machine that the commands run on: whatever it lacks is said in a line, with exit status 2, or costs nothing.

No traceback is shown, and nothing is left behind, whenever a signal comes.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Callable, NamedTuple

import numpy as np
import pytest

from handins import GRADER, ROOT, processes, solution, write
from sandbox import submission

RUNNER, GRADCHECK = GRADER / "runner.py", GRADER / "gradcheck.py"
LIMIT = 60  # seconds: guards against a hang
POINTS = "All points."

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the table is for a POSIX shell")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """A folder to be in; the temporary files go to another one, and none is there at the end, nor a process."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    (tmp_path / "here").mkdir()
    yield tmp_path / "here"
    end = time.monotonic() + 5  # a child whose parent is gone needs a moment to see that
    while processes(str(temporary)) and time.monotonic() < end:
        time.sleep(0.02)
    assert processes(str(temporary)) == []
    assert list(temporary.iterdir()) == []


def environment(place: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AUTOLAB", "PYTEST", "PYTHON"))}
    return {**kept, "TMPDIR": str(place.parent / "temporary"), "PYTHONDONTWRITEBYTECODE": "1", **more}


def run(line: str, place: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a line of the shell, in which `$RUN` is the runner and `$CHECK` the gradient check."""
    commands = {name: f"{sys.executable} {path}" for name, path in (("RUN", RUNNER), ("CHECK", GRADCHECK))}
    return subprocess.run(
        ["sh", "-c", line],
        cwd=place,
        env=environment(place, **{"PYTHON": sys.executable, **commands, **more}),
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=LIMIT,
    )


class Row(NamedTuple):
    """A line of the shell, the exit status, words of what is shown, and what is on Python's path beside its own."""

    line: str
    status: int = 0
    words: str = POINTS
    path: str = ""


def patched(code: str) -> str:
    """The runner, in a Python in which this was done before."""
    return f"$PYTHON -c \"import runpy, sys; {code}; runpy.run_path('{RUNNER}', run_name='__main__')\""


def raising(target: str, error: str) -> str:
    return patched(f"import subprocess, threading; {target} = lambda *_: (_ for _ in ()).throw({error})")


ROWS = {
    # the output
    "a closed output": Row("$RUN >&-", 2, "standard output can't be written to: Bad file descriptor"),
    "no stream at all": Row("$RUN <&- >&- 2>&-", 2, ""),
    "a closed output, gradients": Row("$CHECK >&-", 2, "standard output can't be written to"),
    "a full disk below the output": Row("$RUN >/dev/full", 2, "No space left on device"),
    "a full disk below the JSON": Row("$RUN --format json >/dev/full", 2, "No space left on device"),
    "a full disk below Autolab's lines": Row("AUTOLAB=1 $RUN >/dev/full", 2, "No space left on device"),
    "a reader that leaves": Row("{ $RUN --format json; echo all $? >&2; } | head -n 1", 0, "all 0"),
    "a reader that does not read": Row("{ $RUN -v; echo all $? >&2; } | true", 0, "all 0"),
    "help for nobody": Row("$RUN --help >&-", 2, "standard output can't be written to"),
    "--out in no folder": Row("$RUN --format json --out none/x", 2, "the results can't be written: No such file"),
    # the disk, and what else runs out
    "no folder for temporary files": Row("ulimit -f 0; $RUN", 2, "No usable temporary directory"),
    "no room for a copy": Row("ulimit -f 4; $RUN", 2, "mytorch-"),
    "few descriptors": Row("ulimit -n 8; $RUN", 2, "did not start: Too many open files"),
    "no process": Row(
        raising("subprocess.Popen._execute_child", "BlockingIOError(11, 'none')"), 2, "did not start: none"
    ),
    "no thread": Row(raising("threading.Thread.start", "RuntimeError('none')"), 2, "did not start: none"),
    "a current folder that is gone": Row("mkdir gone; cd gone; rmdir ../gone; $RUN", 2, "current folder is gone"),
    # the environment
    "plugins for other tests": Row("PYTEST_PLUGINS=none_of_that_name $RUN"),
    "options for other tests": Row("PYTEST_ADDOPTS=--no-such-option $RUN"),
    "a trace of other tests": Row("PYTEST_DEBUG=1 $RUN"),
    "optimised": Row("PYTHONOPTIMIZE=2 $RUN"),
    "warnings are errors": Row("PYTHONWARNINGS=error $RUN"),
    "a safe path": Row("PYTHONSAFEPATH=1 $RUN"),
    "development mode": Row("PYTHONDEVMODE=1 $RUN"),
    "a path of the student's": Row("$RUN", path=f"{ROOT / 'hw1'}{os.pathsep}{ROOT / 'mytorch'}"),
    "ASCII": Row("LC_ALL=C PYTHONUTF8=0 PYTHONCOERCECLOCALE=0 PYTHONIOENCODING=ascii $RUN"),
    "a file in the place of NumPy": Row("touch numpy.py; PYTHONPATH=. $RUN", 2, "numpy.py hides numpy"),
    "a NumPy that is broken": Row(
        "mkdir numpy; echo 'raise ImportError(\"libopenblas.so: gone\")' >numpy/__init__.py; PYTHONPATH=. $RUN",
        2,
        "nothing could be graded: libopenblas.so: gone\n",
    ),
}


@pytest.mark.parametrize("name", ROWS)
def test_what_the_machine_lacks_is_a_line_or_costs_nothing(name: str, place: Path) -> None:
    row = ROWS[name]
    if "/dev/full" in row.line and not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full")
    done = run(row.line, place, PYTHONPATH=row.path)
    said = done.stdout + done.stderr
    assert done.returncode == row.status, said
    assert row.words in said
    assert "Traceback" not in said
    assert "Exception ignored" not in said
    assert row.status == 0 or len(done.stderr.splitlines()) == bool(row.words), done.stderr


def copied(folder: Path) -> Path:
    """The project without its tests."""
    away = shutil.ignore_patterns("__pycache__", ".*", "*.png", "build")
    for part in ("hw1", "mytorch", "data", "autograder/hw1_autograder", "autograder/instructor"):
        shutil.copytree(ROOT / part, folder / part, ignore=away)
    return folder


@pytest.mark.parametrize("name", ["a [project]", "a::b", "größe  'x' $HOME", "[::"])
def test_the_project_may_lie_anywhere(name: str, place: Path) -> None:
    grader = copied(place / name) / "autograder" / "hw1_autograder"
    done = run('$PYTHON "$GRADER/runner.py"', place, GRADER=str(grader))
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    handin = write(solution(), place / "handins" / name)
    done = run('$RUN --submission "$HANDIN"', place, HANDIN=str(handin))
    assert (done.returncode, done.stderr) == (0, ""), done.stdout


# Of other tests, where pytest looks for them: in every folder above the grader's tests, beside them, and here.
ADDOPTS = "addopts = --no-such-option\nrequired_plugins = none\n"
OF_OTHER_TESTS = {
    "a conftest.py that can't be imported": ("conftest.py", "import none_of_that_name\n"),
    "a conftest.py that ends the run": ("conftest.py", "import pytest\n\npytest.exit('not today', 0)\n"),
    "a conftest.py that skips": ("conftest.py", "def pytest_collection_modifyitems(items):\n    items.clear()\n"),
    "a conftest.py with plugins": ("conftest.py", "pytest_plugins = 'none_of_that_name'\n"),
    "pytest.ini": ("pytest.ini", f"[pytest]\n{ADDOPTS}"),
    "pyproject.toml": ("pyproject.toml", "[tool.pytest.ini_options]\naddopts = '--no-such-option'\n"),
    "tox.ini": ("tox.ini", f"[pytest]\n{ADDOPTS}"),
    "setup.cfg": ("setup.cfg", f"[tool:pytest]\n{ADDOPTS}"),
}


@pytest.mark.parametrize("name", OF_OTHER_TESTS)
def test_what_belongs_to_other_tests_decides_nothing(name: str, place: Path) -> None:
    file, content = OF_OTHER_TESTS[name]
    tests = copied(place.parent / "project") / "autograder" / "hw1_autograder" / "tests"
    for folder in (place, *(folder for folder in (tests, *tests.parents) if folder.is_relative_to(place.parent))):
        (folder / file).write_text(content)
    done = run('$PYTHON "$TESTS/../runner.py"', place, TESTS=str(tests))
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert POINTS in done.stdout


def test_pytest_alone_grades_the_project_too(place: Path) -> None:
    project = copied(place / "project")
    (project / "hw1" / "mc.py").unlink()
    done = run("$PYTHON -m pytest -q -p no:cacheprovider project/autograder/hw1_autograder/tests", place)
    assert re.search(r"^1 failed, 24 passed", done.stdout, re.M), done.stdout + done.stderr
    assert "hw1/mc.py is missing" in done.stdout


def test_the_python_of_a_linux_distribution_grades_with_more_built_into_it(place: Path) -> None:
    python = f"/usr/bin/python3.{sys.version_info[1]}"
    if not Path(python).exists():
        pytest.skip("the system has no Python of this version")
    done = run(f"{python} {RUNNER}", place, PYTHONPATH=str(Path(np.__file__).parents[1]))
    assert POINTS in done.stdout, done.stdout + done.stderr


def test_a_folder_that_may_not_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scan = os.scandir

    def refused(path: str) -> object:
        if path == str(tmp_path / "hw1"):
            raise PermissionError(13, "Permission denied", path)
        return scan(path)

    write(solution(), tmp_path)
    monkeypatch.setattr(os, "scandir", refused)
    assert submission.read(str(tmp_path)).remarks == ["can't be read: hw1/ (Permission denied)"]


# ---------------------------------------------------------------- what is not installed, and what is damaged

INSTRUCTOR = ROOT / "autograder" / "instructor"
NEED_NUMPY = {
    **{GRADER / name: () for name in ("runner.py", "gradcheck.py", "test.py")},
    INSTRUCTOR / "benchmark.py": (),
    INSTRUCTOR / "check_grader.py": ("mutants",),
    INSTRUCTOR / "make_references.py": (),
    INSTRUCTOR / "grade_class.py": (".", "--out", "out"),
}


@pytest.mark.parametrize("path", NEED_NUMPY, ids=lambda path: path.name)
def test_without_numpy_a_command_names_this_python_s_pip(path: Path, place: Path) -> None:
    done = run(f"$PYTHON -S {path} {' '.join(NEED_NUMPY[path])}", place)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert "numpy" in line
    assert f"{sys.executable} -m pip install numpy" in line


READERS = {
    "test.py": "autograder/hw1_autograder/test.py",
    "--training-stats": "autograder/hw1_autograder/runner.py --training-stats",
    "benchmark.py": "autograder/instructor/benchmark.py",
}


@pytest.mark.parametrize("reader", READERS)
def test_of_a_damaged_mnist_every_command_says_the_same(reader: str, place: Path) -> None:
    project = copied(place / "project")
    if reader == "test.py":
        pytest.importorskip("matplotlib")
    data = project / "data" / "mnist.npz"
    data.write_bytes(data.read_bytes()[:-1000])
    for words in ("is damaged (", "is missing: copy it from the handout"):
        done = run(f"$PYTHON project/{READERS[reader]}", place)
        assert (done.returncode, done.stdout) == (2, "")
        (line,) = done.stderr.splitlines()
        assert f"data/mnist.npz {words}" in line
        data.unlink(missing_ok=True)


# ---------------------------------------------------------------- signals

ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def as_in_the_foreground() -> None:
    """A shell has what runs in the background ignore SIGINT, and that is inherited."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def as_in_the_background() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


def started(
    command: list[str], place: Path, before: Callable[[], None] = as_in_the_foreground
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, *command],
        cwd=place,
        env=environment(place),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=before,
        start_new_session=True,
    )


SIGNALLED = {
    "runner": ([str(RUNNER)], 8),
    "--against": ([str(RUNNER), "--against", str(ROOT)], 4),
    "gradcheck": ([str(GRADCHECK)], 4),
    "grade_class": ([str(INSTRUCTOR / "grade_class.py"), "handins", "--out", "out"], 3),
}


@pytest.mark.parametrize("name", SIGNALLED)
def test_at_whatever_moment_a_signal_comes_nothing_is_left(name: str, place: Path) -> None:
    command, times = SIGNALLED[name]
    for handin in ("a", "b", "c"):
        write(solution(), place / "handins" / handin)
    start = time.monotonic()
    started(command, place).communicate(timeout=LIMIT)
    seconds = time.monotonic() - start
    draw = random.Random(name)
    for _ in range(times):
        number, moment = draw.choice(ENDS), draw.uniform(0.1, 1) * seconds
        shutil.rmtree(place / "out", ignore_errors=True)
        with started(command, place) as run:
            time.sleep(moment)
            run.send_signal(number)
            err = run.communicate(timeout=LIMIT)[1]
        where = f"{number.name} after {moment:.3f} of {seconds:.3f} s: {run.returncode}, {err.decode()}"
        assert run.returncode in (0, 1, -number, 128 + number), where  # 1: while Python itself starts
        if run.returncode == 128 + number:
            assert err.splitlines()[-1].startswith(b"interrupted"), where
            assert b"Traceback" not in err, where
        assert list((place.parent / "temporary").iterdir()) == [], where
        assert list(place.rglob(".part-*")) == [], where


def test_what_runs_in_the_background_ends_by_sigterm_alone(place: Path) -> None:
    watch = started([str(RUNNER), "--watch"], place, as_in_the_background)
    assert watch.stdout is not None
    while b"Watching" not in watch.stdout.readline():
        assert watch.poll() is None
    for number in (signal.SIGINT, signal.SIGHUP):
        watch.send_signal(number)
    time.sleep(0.5)
    assert watch.poll() is None
    watch.terminate()
    assert watch.communicate(timeout=LIMIT)[1] == b"\ninterrupted\n"
    assert watch.returncode == 128 + signal.SIGTERM
