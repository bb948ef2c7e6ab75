"""The machine that the commands run on: whatever it lacks is reported in a line, with exit status 2, or costs nothing.

No traceback is shown, and nothing is left behind, whenever a signal comes. Every run here is a process of its own.
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
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from handins import GRADER, ROOT, body, edited, solution, write
from machine import FOREGROUND, LIMIT, children, wait_until
from projects import copied
from samples import WHOLE, sample
from sandbox import system

POINTS = "All points."

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the table is for a POSIX shell")


@pytest.fixture
def here(outside: Path) -> Path:
    """A folder to be in, which is not the one for temporary files."""
    (outside / "here").mkdir()
    return outside / "here"


def environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AUTOLAB", "PYTEST", "PYTHON"))}
    return {**kept, "PYTHONDONTWRITEBYTECODE": "1", **more}


def run(line: str, here: Path, **words: object) -> subprocess.CompletedProcess[str]:
    """Run a line of the shell in which $RUN is the runner, $CHECK the gradient check, and each of the words itself."""
    for command, path in (("RUN", "runner.py"), ("CHECK", "gradcheck.py")):
        line = line.replace(f"${command}", f'"$PYTHON" "$GRADER/{path}"')
    words = {"PYTHON": sys.executable, "GRADER": GRADER, **words}
    return subprocess.run(
        ["sh", "-c", line],
        cwd=here,
        env=environment(**{name: str(word) for name, word in words.items()}),
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=LIMIT,
    )


class Row(NamedTuple):
    """A line of the shell, the exit status, and words of what is shown."""

    line: str
    status: int = 0
    words: str = POINTS


def raising(target: str, error: str) -> str:
    """The runner, in a Python in which this raises."""
    code = f"import runpy, subprocess, sys, threading; {target} = lambda *_: (_ for _ in ()).throw({error})"
    return f'"$PYTHON" -c "{code}; runpy.run_path(sys.argv.pop(), run_name=\'__main__\')" "$GRADER/runner.py"'


ROWS = {
    # the output
    "a closed output": Row("$RUN >&-", 2, "standard output can't be written to: Bad file descriptor"),
    "no stream at all": Row("$RUN <&- >&- 2>&-", 2, ""),
    "a closed output, gradients": Row("$CHECK >&-", 2, "standard output can't be written to"),
    "a full disk below the output": Row("$RUN >/dev/full", 2, "No space left on device"),
    "a full disk below Autolab's lines": Row("AUTOLAB=1 $RUN >/dev/full", 2, "No space left on device"),
    "a reader that leaves": Row("{ $RUN --format json; echo all $? >&2; } | head -n 1", 0, "all 0"),
    "a reader that does not read": Row("{ $RUN -v; echo all $? >&2; } | true", 0, "all 0"),
    "help for nobody": Row("$RUN --help >&-", 2, "standard output can't be written to"),
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
    "settings for other tests": Row("PYTEST_PLUGINS=none PYTEST_ADDOPTS=--no-such-option PYTEST_DEBUG=1 $RUN"),
    "optimised, on a safe path": Row("PYTHONOPTIMIZE=2 PYTHONSAFEPATH=1 $RUN"),
    "development mode, warnings are errors": Row("PYTHONDEVMODE=1 PYTHONWARNINGS=error $RUN"),
    "a path of the student's": Row('PYTHONPATH="$ROOT/hw1:$ROOT/mytorch" $RUN'),
    "ASCII": Row("LC_ALL=C PYTHONUTF8=0 PYTHONCOERCECLOCALE=0 PYTHONIOENCODING=ascii $RUN"),
    "a file in the place of NumPy": Row("touch numpy.py; PYTHONPATH=. $RUN", 2, "numpy.py hides numpy"),
    "a NumPy that is broken": Row(
        "mkdir numpy; echo 'raise ImportError(\"libopenblas.so: gone\")' >numpy/__init__.py; PYTHONPATH=. $RUN",
        2,
        "nothing could be graded: libopenblas.so: gone\n",
    ),
}


@pytest.mark.parametrize("name", sample(ROWS, 2))
def test_what_the_machine_lacks_is_a_line_or_costs_nothing(name: str, here: Path) -> None:
    row = ROWS[name]
    if "/dev/full" in row.line and not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full")
    done = run(row.line, here, ROOT=ROOT)
    shown = done.stdout + done.stderr
    assert done.returncode == row.status, shown
    assert row.words in shown
    assert "Traceback" not in shown
    assert "Exception ignored" not in shown
    assert row.status == 0 or len(done.stderr.splitlines()) == bool(row.words), done.stderr


def test_the_project_and_a_submission_may_be_anywhere(here: Path) -> None:
    place = here / "a [project]" / "a::b" / "größe  'x' $HOME" / "[::"
    done = run('"$PYTHON" "$PROJECT/autograder/hw1_autograder/runner.py"', here, PROJECT=copied(place))
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert POINTS in run('$RUN --submission "$PLACE"', here, PLACE=place).stdout


OF_OTHER_TESTS = {
    "conftest.py": "import none_of_that_name\n",
    "pytest.ini": "[pytest]\naddopts = --no-such-option\nrequired_plugins = none\n",
    "pyproject.toml": "[tool.pytest.ini_options]\naddopts = '--no-such-option'\n",
    "tox.ini": "[pytest]\naddopts = --no-such-option\n",
    "setup.cfg": "[tool:pytest]\naddopts = --no-such-option\n",
}


def test_what_belongs_to_other_tests_decides_nothing(here: Path) -> None:
    grader = copied(here / "project") / "autograder" / "hw1_autograder"
    for folder in (grader / "tests", grader, *grader.parents):
        if folder.is_relative_to(here):
            write({name: text.encode() for name, text in OF_OTHER_TESTS.items()}, folder)
    done = run('"$PYTHON" "$COPY/runner.py"', here, COPY=grader)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert POINTS in done.stdout


def test_pytest_alone_grades_the_project_too(here: Path) -> None:
    (copied(here / "project") / "hw1" / "mc.py").unlink()
    done = run('"$PYTHON" -m pytest -q -p no:cacheprovider project/autograder/hw1_autograder/tests', here)
    assert re.search(r"^1 failed, 24 passed", done.stdout, re.MULTILINE), done.stdout + done.stderr
    assert "hw1/mc.py is missing" in done.stdout


def test_the_python_of_a_linux_distribution_grades_with_more_built_into_it(here: Path) -> None:
    python = Path(f"/usr/bin/python3.{sys.version_info[1]}")
    if not python.exists():
        pytest.skip("the system has no Python of this version")
    numpy = Path(np.__file__).parents[1]
    done = run('PYTHONPATH="$NUMPY" "$SYSTEM" "$GRADER/runner.py"', here, NUMPY=numpy, SYSTEM=python)
    assert POINTS in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize("name", ["runner.py", "gradcheck.py", "test.py"])
def test_without_numpy_a_command_names_this_python_s_pip(name: str, here: Path) -> None:
    done = run('"$PYTHON" -S "$COMMAND"', here, COMMAND=GRADER / name)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert re.search(rf"numpy.* {re.escape(sys.executable)} -m pip install numpy", line)


STAFF = [path for path in sorted((ROOT / "autograder" / "instructor").glob("*.py")) if "__main__" in path.read_text()]


@pytest.mark.parametrize("path", STAFF, ids=lambda path: path.stem)
def test_without_numpy_the_staff_s_commands_help_or_name_it(path: Path, here: Path) -> None:
    done = run('"$PYTHON" -S "$COMMAND" --help', here, COMMAND=path)
    assert "Traceback" not in done.stderr
    assert done.returncode == 0 or f"{sys.executable} -m pip install numpy" in done.stderr


# Signals


def started(command: list[str], here: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, *command],
        cwd=here,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        **FOREGROUND,
    )


SIGNALLED = {  # the command, how many runs get a signal, and how many if the tables run in full
    "runner": ([str(GRADER / "runner.py")], 3, 12),
    "--against": ([str(GRADER / "runner.py"), "--against", str(ROOT)], 2, 8),
    "gradcheck": ([str(GRADER / "gradcheck.py")], 1, 8),
    "grade_class": ([str(ROOT / "autograder" / "instructor" / "grade_class.py"), "class", "--out", "out"], 1, 6),
}


@pytest.mark.parametrize("name", SIGNALLED)
def test_at_whatever_moment_a_signal_comes_nothing_is_left(name: str, here: Path) -> None:
    command, few, many = SIGNALLED[name]
    for handin in ("a", "b"):
        write(solution(), here / "class" / handin)
    start = time.monotonic()
    started(command, here).communicate(timeout=LIMIT)
    seconds = time.monotonic() - start
    draw = random.Random(name)
    for _ in range(many if WHOLE else few):
        shutil.rmtree(here / "out", ignore_errors=True)
        number, moment = draw.choice(system.ENDING), draw.uniform(0.1, 1) * seconds
        with started(command, here) as run:
            time.sleep(moment)
            run.send_signal(number)
            err = run.communicate(timeout=LIMIT)[1]
        where = f"{number.name} after {moment:.3f} of {seconds:.3f} s: {run.returncode}, {err.decode()}"
        assert run.returncode in (0, 1, -number, 128 + number), where  # 1: while Python itself starts
        if run.returncode == 128 + number:
            assert err.splitlines()[-1].startswith(b"interrupted"), where
            assert b"Traceback" not in err, where
        assert list((here.parent / "temporary").iterdir()) == [], where
        assert list(here.rglob(".part-*")) == [], where


@pytest.mark.parametrize("name", ["SIGKILL", "SIGTERM", "SIGINT"])
def test_a_runner_that_is_ended_takes_its_child_along(name: str, here: Path) -> None:
    number = getattr(signal, name)
    temporary, before = here.parent / "temporary", children()
    submission = edited(here, body("question_3", "open('it runs', 'w').close()\nwhile True: pass"))
    with started([str(GRADER / "runner.py"), "--submission", str(submission), "--deadline", "600"], here) as run:
        wait_until(lambda: [*temporary.rglob("it runs")])
        run.send_signal(number)
        run.communicate(timeout=LIMIT)
    if name == "SIGKILL":
        wait_until(lambda: children() <= before)
        for folder in temporary.iterdir():  # a process that is killed can't clean up
            shutil.rmtree(folder)
    else:
        assert run.returncode == 128 + number
        assert list(temporary.iterdir()) == []
