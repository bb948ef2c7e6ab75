"""The Autolab package: what the assessment says, and what its server prints in an empty folder with three files."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import tarfile
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from grading.settings import RUN_DEADLINE
from handins import MAX_TOTAL, PROBLEMS, files_of, tar_of, write
from homework.problems import BY_HAND
from kit import autolab_package, bundle

WITHOUT_NETWORK = sum(problem.points for problem in PROBLEMS if problem.section < "3.3" or problem.section[:3] == "3.4")

HOSTILE = """
import atexit, json, os, sys
names = {names}
line = json.dumps(dict(scores=dict.fromkeys(names, 100)))
atexit.register(lambda: os.write(1, line.encode()))
print(line)
print(line, file=sys.stderr)
for descriptor in range(3, 20):
    try:
        os.write(descriptor, line.encode())
    except OSError:
        pass
for name in ("../../solution/hw1/hw1.py", "solution/hw1/hw1.py"):
    try:
        print(open(name).read())
    except OSError:
        pass
os._exit(0)
"""


@pytest.fixture(scope="session")
def package() -> dict[str, bytes]:
    return autolab_package.package()


@pytest.fixture(scope="session")
def assessment(package: dict[str, bytes]) -> dict[str, Any]:
    """The assessment's YAML, read line by line: sections of plain values, and one of entries."""
    sections: dict[str, Any] = {}
    for line in package["hw1p1.yml"].decode().splitlines()[1:]:
        if line.startswith("#"):
            continue
        name, _, value = line[2:].partition(": ")
        if line.endswith(":"):
            sections[line[:-1]] = [] if line == "problems:" else {}
        elif isinstance(last := sections[[*sections][-1]], list):
            if line.startswith("- "):
                last.append({})
            last[-1][name] = json.loads(value)
        else:
            last[name] = json.loads(value)
    return sections


def listed(assessment: dict[str, Any]) -> dict[str, float]:
    """The names and maxima of the problems that the autograder gives points for."""
    return {problem["name"]: problem["max_score"] for problem in assessment["problems"][:-1]}


def test_the_assessment_is_whole(assessment: dict[str, Any]) -> None:
    assert list(assessment) == ["general", "problems", "autograder", "dates"]
    general = assessment["general"]
    assert (general["name"], general["handin_filename"], general["max_size"]) == ("hw1p1", "handin.tar", 2)
    assert assessment["autograder"] == {
        **{"autograde_timeout": 180, "autograde_image": "autograding_image", "release_score": True}
    }
    assert autolab_package.TIMEOUT > RUN_DEADLINE + 30
    dates = assessment["dates"]
    assert dates["start_at"] < dates["due_at"] < dates["end_at"]
    assert all(problem["optional"] is False for problem in assessment["problems"])


def test_another_reader_of_yaml_agrees(package: dict[str, bytes], assessment: dict[str, Any]) -> None:
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    assert yaml.safe_load(package["hw1p1.yml"]) == assessment


def test_the_problem_list_is_the_table_of_problems_and_the_one_by_hand(assessment: dict[str, Any]) -> None:
    assert listed(assessment) == {problem.name: problem.points for problem in PROBLEMS}
    by_hand = assessment["problems"][-1]
    assert (by_hand["name"], by_hand["max_score"]) == ("Training Statistics", BY_HAND)


def test_the_tar_to_import_holds_the_same_files_in_the_assessments_folder(package: dict[str, bytes]) -> None:
    with tarfile.open(fileobj=BytesIO(package["hw1p1.tar"])) as tar:
        members = {member.name: member for member in tar}
        assert members["hw1p1"].isdir()
        contents = {name: tar.extractfile(member) for name, member in members.items() if member.isfile()}
        files = {name: file.read() for name, file in contents.items() if file is not None}
    assert b"module Hw1p1" in files.pop("hw1p1/hw1p1.rb")
    assert files == {f"hw1p1/{name}": data for name, data in package.items() if name != "hw1p1.tar"}


def test_the_same_project_gives_the_same_package(package: dict[str, bytes]) -> None:
    assert autolab_package.package() == package


def made(package: dict[str, bytes], handin: bytes, place: Path) -> tuple[str, dict[str, int]]:
    """What the server prints, and the scores of its last line."""
    output = printed(package["autograde-Makefile"], package["autograde.tar"], handin, place)
    last = [line for line in output.splitlines() if line.strip()][-1]
    return output, json.loads(last)["scores"]


def printed(makefile: bytes, grader: bytes, handin: bytes, place: Path) -> str:
    """What `make` prints beside the three files."""
    if not (shutil.which("make") and shutil.which("tar")):
        pytest.skip("Autolab's server runs make and tar, and they are not both here")
    folder = place / "server"
    write({"handin.tar": handin, "autograde.tar": grader, "Makefile": makefile}, folder)
    python = place / "bin" / "python3"  # the server's python3 is the one that runs the tests
    python.parent.mkdir()
    python.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n', encoding="utf-8")
    python.chmod(0o755)
    environment = {"PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}", "HOME": str(place)}
    done = subprocess.run(["make"], cwd=folder, env=environment, capture_output=True, timeout=170)
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout.decode()


def test_a_full_handin_gets_every_maximum_against_the_solution(
    package: dict[str, bytes], assessment: dict[str, Any], tmp_path: Path
) -> None:
    output, scores = made(package, tar_of(files_of()), tmp_path)
    assert scores == listed(assessment)
    assert f"{MAX_TOTAL} / {MAX_TOTAL}" in output


def test_a_hostile_handin_gets_nothing_by_it_and_sees_nothing_of_the_solution(
    package: dict[str, bytes], assessment: dict[str, Any], tmp_path: Path
) -> None:
    files = files_of()
    files["hw1/hw1.py"] = HOSTILE.format(names=[problem.name for problem in PROBLEMS]).encode()
    output, scores = made(package, tar_of({**files, "../solution/hw1/hw1.py": b"", "/tmp/x.py": b""}), tmp_path)
    assert scores.keys() == listed(assessment).keys()
    assert sum(scores.values()) == WITHOUT_NETWORK
    assert "self.linear_layers = [Linear(" not in output


def test_of_a_handin_of_garbage_the_reason_is_given_once_beside_autolabs_own_lines(
    package: dict[str, bytes], assessment: dict[str, Any], tmp_path: Path
) -> None:
    output, scores = made(package, b"garbage" * 1000, tmp_path)
    assert scores == dict.fromkeys(listed(assessment), 0)
    reason, feedback, _ = output.splitlines()
    assert [reason.count("is a single file of text"), feedback.count("is a single file of text")] == [1, 1]


def test_where_the_solution_cannot_run_the_output_says_so_and_has_no_scores(
    package: dict[str, bytes], tmp_path: Path
) -> None:
    grader = tar_of({**bundle.files(), "solution/mytorch/linear.py": b"raise SystemExit\n"})
    output = printed(package["autograde-Makefile"], grader, tar_of(files_of()), tmp_path)
    assert output == "nothing could be graded: the solution gave no values for linear_forward: SystemExit\n"
