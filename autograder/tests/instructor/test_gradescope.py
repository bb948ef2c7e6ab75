"""The Gradescope zip, run in a folder laid out like Gradescope's: submission in, results.json out."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

import gradescope
from handins import files_of, tar_of, write
from homework.problems import MAX_TOTAL, PROBLEMS
from report.formats import VISIBILITIES

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("package") / "hw1.zip"
    assert gradescope.main(["--out", str(path)]) == 0
    return path


def results(
    package: Path, place: Path, submission: dict[str, bytes], solution: dict[str, bytes] | None = None
) -> dict[str, Any]:
    """Lay out Gradescope's /autograder at `place` with these files submitted, run it, and return its results.

    Files of a `solution` take the place of the package's own.
    """
    base = place / "autograder"
    with zipfile.ZipFile(package) as packed:
        packed.extractall(base / "source")
        assert packed.getinfo("run_autograder").external_attr >> 16 & 0o111
    shutil.copy(base / "source" / "run_autograder", base / "run_autograder")
    (base / "submission").mkdir()
    write(submission, base / "submission")
    write(solution or {}, base / "source" / "solution")
    done = bash(base / "run_autograder", base, {"python3": f'exec "{sys.executable}" "$@"'})
    assert done.returncode == 0
    assert done.stderr == b"" or done.stderr.startswith(b"nothing could be graded: ")
    return json.loads((base / "results" / "results.json").read_text())


def bash(script: Path, base: Path, commands: dict[str, str]) -> subprocess.CompletedProcess[bytes]:
    """Run a script of the package's as Gradescope does, with these commands in the place of the system's."""
    folder = base.parent / "bin"
    folder.mkdir()
    for name, line in commands.items():
        (folder / name).write_text(f"#!/bin/sh\n{line}\n")
        (folder / name).chmod(0o755)
    environment = {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}", "AUTOGRADER_BASE": str(base)}
    return subprocess.run(["bash", script], cwd=base, env=environment, capture_output=True, timeout=170)


def check_fields(found: dict[str, Any]) -> None:
    """Every field is one that Gradescope knows, of its type; the tests are the problems in order."""
    assert {name: type(value) for name, value in found.items()} == {
        "tests": list,
        "execution_time": float,
        "output": str,
        "visibility": str,
    }
    assert found["visibility"] == "visible"
    assert [(test["name"], test["max_score"]) for test in found["tests"]] == [(p.name, p.points) for p in PROBLEMS]
    for test, problem in zip(found["tests"], PROBLEMS):
        assert set(test) == {"name", "number", "score", "max_score", "status", "output"}
        assert test["number"].rstrip("abcdefgh") == problem.section
        assert type(test["score"]) is int
        assert 0 <= test["score"] <= test["max_score"]
        assert test["status"] == ("passed" if test["score"] else "failed")
        assert type(test["output"]) is str
    assert len({test["number"] for test in found["tests"]}) == len(PROBLEMS)


@pytest.mark.parametrize("name", ["handin.tar", "handin.tar.gz", "handin.tgz", ""])
def test_a_full_submission_gets_full_points_as_a_tar_and_as_folders(package: Path, tmp_path: Path, name: str) -> None:
    tar = tar_of(files_of())
    packed = tar if name.endswith(".tar") else gzip.compress(tar)
    found = results(package, tmp_path, {name: packed} if name else files_of())
    check_fields(found)
    assert sum(test["score"] for test in found["tests"]) == MAX_TOTAL
    assert [test["output"] for test in found["tests"]] == [""] * len(PROBLEMS)
    assert found["output"] == ""


def test_a_wrong_body_costs_its_problems_and_says_why(package: Path, tmp_path: Path) -> None:
    files = files_of()
    files["mytorch/activation.py"] += b"\n\nReLU.derivative = lambda self: self.state\n"
    found = results(package, tmp_path, files)
    check_fields(found)
    failed = [test["name"] for test in found["tests"] if test["status"] == "failed"]
    assert "ReLU Non-Linearity (derivative)" in failed
    assert "ReLU Non-Linearity (forward)" not in failed
    assert 0 < sum(test["score"] for test in found["tests"]) < MAX_TOTAL
    assert all(bool(test["output"]) == (not test["score"]) for test in found["tests"])


@pytest.mark.parametrize("submission", [{}, {"handin.tar": b"no tar"}, {"README.txt": b"sorry"}])
def test_a_submission_that_is_none_gets_zeros_and_the_reason_once(
    package: Path, tmp_path: Path, submission: dict[str, bytes]
) -> None:
    found = results(package, tmp_path, submission)
    check_fields(found)
    assert sum(test["score"] for test in found["tests"]) == 0
    assert json.dumps(found).count("holds no .py file") == 1
    assert found["output"].startswith("nothing could be graded: ")


def test_where_the_solution_cannot_run_nobody_gets_points_and_the_output_says_why(
    package: Path, tmp_path: Path
) -> None:
    found = results(package, tmp_path, files_of(), {"mytorch/linear.py": b"raise SystemExit\n"})
    check_fields(found)
    assert sum(test["score"] for test in found["tests"]) == 0
    assert found["output"] == "nothing could be graded: the solution gave no values for linear_forward: SystemExit"


@pytest.mark.parametrize("visibility", VISIBILITIES)
def test_the_tests_are_as_visible_as_the_package_was_asked_for(visibility: str, tmp_path: Path) -> None:
    package = tmp_path / "hw1.zip"
    assert gradescope.main(["--out", str(package), "--visibility", visibility]) == 0
    assert results(package, tmp_path, {})["visibility"] == visibility


@pytest.mark.parametrize("old_pip", [True, False])
def test_setup_installs_what_the_grader_needs(package: Path, tmp_path: Path, old_pip: bool) -> None:
    base = tmp_path / "autograder"
    with zipfile.ZipFile(package) as packed:
        packed.extractall(base / "source")
    refuses = "" if old_pip else '\n[ "$2" = --break-system-packages ]'
    commands = {"apt-get": 'echo "apt-get $*" >>log', "pip3": f'echo "pip3 $*" >>log{refuses}'}
    done = bash(base / "source" / "setup.sh", base, commands)
    assert (done.returncode, done.stderr) == (0, b"")
    requirements = base / "source" / "requirements.txt"
    lines = ["apt-get update", "apt-get install -y python3 python3-pip", f"pip3 install -r {requirements}"]
    again = [] if old_pip else [f"pip3 install --break-system-packages -r {requirements}"]
    assert (base / "log").read_text().splitlines() == lines + again
    setup = (gradescope.bundle.ROOT / "setup.py").read_text()
    assert all(f'"{line}"' in setup for line in requirements.read_text().splitlines())


def test_it_holds_the_solution_the_grader_and_no_tool_of_the_staff(package: Path) -> None:
    with zipfile.ZipFile(package) as packed:
        names = packed.namelist()
    assert {"setup.sh", "run_autograder", "solution/hw1/hw1.py"} < set(names)
    assert not [name for name in names if "instructor" in name or "mnist.npz" in name]


def test_the_same_project_gives_the_same_zip(package: Path, tmp_path: Path) -> None:
    assert gradescope.main(["--out", str(tmp_path / "again.zip")]) == 0
    assert (tmp_path / "again.zip").read_bytes() == package.read_bytes()


@pytest.mark.parametrize("script", ["setup.sh", "run_autograder"])
def test_bash_can_read(package: Path, tmp_path: Path, script: str) -> None:
    with zipfile.ZipFile(package) as packed:
        packed.extract(script, tmp_path)
    subprocess.run(["bash", "-n", tmp_path / script], check=True, timeout=60)
