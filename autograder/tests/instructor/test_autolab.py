"""The Autolab package, run as its server does: an empty folder, three files, `make`, the last line of the output."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

import autolab
import handout
from grading.settings import RUN_DEADLINE
from handins import files_of, tar_of
from homework.problems import BY_HAND, MAX_TOTAL, PROBLEMS, TO_WRITE

ROOT = Path(__file__).resolve().parents[3]

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="there is no make")

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


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("package") / "autolab"
    assert autolab.main(["--out", str(folder)]) == 0
    return folder


def made(package: Path, handin: bytes, place: Path) -> tuple[str, dict[str, int]]:
    """Run `make` beside the three files; return its output, and the scores of the output's last line."""
    output = output_of(package, handin, place)
    last = [line for line in output.splitlines() if line.strip()][-1]
    return output, json.loads(last)["scores"]


def output_of(package: Path, handin: bytes, place: Path, grader: bytes | None = None) -> str:
    folder = place / "server"
    folder.mkdir()
    (folder / "handin.tar").write_bytes(handin)
    (folder / "autograde.tar").write_bytes(grader or (package / "autograde.tar").read_bytes())
    shutil.copy(package / "autograde-Makefile", folder / "Makefile")
    python = place / "bin" / "python3"  # the server's python3 is the one that runs the tests
    python.parent.mkdir()
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    environment = {"PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}", "HOME": str(place)}
    done = subprocess.run(["make"], cwd=folder, env=environment, capture_output=True, timeout=170)
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout.decode()


def assessment(package: Path) -> dict[str, Any]:
    """The assessment's YAML, read line by line: sections of plain values, and one of entries."""
    found: dict[str, Any] = {}
    for line in (package / "hw1p1.yml").read_text().splitlines()[1:]:
        if line.startswith("#"):
            continue
        name, _, value = line[2:].partition(": ")
        if line.endswith(":"):
            found[line[:-1]] = [] if line == "problems:" else {}
        elif isinstance(last := found[[*found][-1]], list):
            if line.startswith("- "):
                last.append({})
            last[-1][name] = json.loads(value)
        else:
            last[name] = json.loads(value)
    return found


def listed(package: Path) -> dict[str, float]:
    """The names and maxima of the problems that the autograder gives points for."""
    return {problem["name"]: problem["max_score"] for problem in assessment(package)["problems"][:-1]}


def test_the_assessment_is_whole(package: Path) -> None:
    found = assessment(package)
    assert list(found) == ["general", "problems", "autograder", "dates"]
    general, autograder = found["general"], found["autograder"]
    assert (general["name"], general["handin_filename"], general["max_size"]) == ("hw1p1", "handin.tar", 2)
    assert autograder == {
        **{"autograde_timeout": autolab.TIMEOUT, "autograde_image": "autograding_image", "release_score": True}
    }
    assert autolab.TIMEOUT > RUN_DEADLINE + 30
    assert found["dates"]["start_at"] < found["dates"]["due_at"] < found["dates"]["end_at"]
    assert all(problem["optional"] is False for problem in found["problems"])


def test_another_reader_of_yaml_agrees(package: Path) -> None:
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    assert yaml.safe_load((package / "hw1p1.yml").read_text()) == assessment(package)


def test_the_problem_list_is_the_table_of_problems_and_the_one_by_hand(package: Path) -> None:
    assert listed(package) == {problem.name: problem.points for problem in PROBLEMS}
    assert sum(listed(package).values()) == MAX_TOTAL
    by_hand = assessment(package)["problems"][-1]
    assert (by_hand["name"], by_hand["max_score"]) == ("Training Statistics", BY_HAND)


def test_the_tar_to_import_holds_the_same_files_in_the_assessments_folder(package: Path) -> None:
    with tarfile.open(package / "hw1p1.tar") as tar:
        members = {member.name: member for member in tar}
        assert members["hw1p1"].isdir()
        for name in ("hw1p1.yml", "autograde.tar", "autograde-Makefile"):
            content = tar.extractfile(members[f"hw1p1/{name}"])
            assert content is not None
            assert content.read() == (package / name).read_bytes()
        ruby = tar.extractfile(members["hw1p1/hw1p1.rb"])
        assert ruby is not None
        assert b"module Hw1p1" in ruby.read()
    assert len(members) == 5


def test_a_full_handin_gets_every_maximum_against_the_solution(package: Path, tmp_path: Path) -> None:
    _, scores = made(package, tar_of(files_of()), tmp_path)
    assert scores == listed(package)


def test_a_half_done_handin_gets_what_it_has_written(package: Path, tmp_path: Path) -> None:
    unwritten = [body for body in TO_WRITE if body.startswith("hw1/hw1.py") or "BatchNorm" in body]
    files = {name: data for name, data in handout.starter(unwritten).items() if name.startswith(("hw1/", "mytorch/"))}
    output, scores = made(package, tar_of(files), tmp_path)
    assert scores.keys() == listed(package).keys()
    assert sum(scores.values()) == WITHOUT_NETWORK
    assert "not started" in output


@pytest.mark.parametrize("file", ["hw1/hw1.py", "mytorch/activation.py"])
def test_a_hostile_handin_gets_nothing_by_it_and_sees_nothing_of_the_solution(
    package: Path, tmp_path: Path, file: str
) -> None:
    files = files_of()
    files[file] = HOSTILE.format(names=[p.name for p in PROBLEMS]).encode()
    output, scores = made(package, tar_of({**files, "../solution/hw1/hw1.py": b"", "/tmp/x.py": b""}), tmp_path)
    assert scores.keys() == listed(package).keys()
    assert all(scores[name] <= maximum for name, maximum in listed(package).items())
    assert sum(scores.values()) <= WITHOUT_NETWORK
    assert "self.linear_layers = [Linear(" not in output


@pytest.mark.parametrize("left", [0, 700, 9000])
def test_a_cut_off_handin_gets_zeros_or_what_is_whole_of_it(package: Path, tmp_path: Path, left: int) -> None:
    output, scores = made(package, tar_of(files_of())[:left], tmp_path)
    assert scores.keys() == listed(package).keys()
    assert sum(scores.values()) < MAX_TOTAL
    assert "Traceback" not in output


def test_a_handin_of_garbage_says_its_reason_once_beside_autolabs_own_lines(package: Path, tmp_path: Path) -> None:
    output, scores = made(package, b"garbage" * 1000, tmp_path)
    assert scores == dict.fromkeys(listed(package), 0)
    *said, feedback, _ = output.splitlines()
    assert [line for line in said if "is a single file of text" in line] == said
    assert len(said) == 1
    assert feedback.count("is a single file of text") == 1


def test_where_the_solution_cannot_run_the_output_says_so_and_has_no_scores(package: Path, tmp_path: Path) -> None:
    with tarfile.open(package / "autograde.tar") as tar:
        grader = {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]
    grader["solution/mytorch/linear.py"] = b"raise SystemExit\n"
    (line,) = output_of(package, tar_of(files_of()), tmp_path, tar_of(grader)).splitlines()
    assert line == "nothing could be graded: the solution gave no values for linear_forward: SystemExit"


def test_the_same_handin_meets_the_same_inputs_and_another_one_others(tmp_path: Path) -> None:
    from sandbox import submission

    one, other, right = (submission.Submission({"hw1/hw1.py": text}) for text in (b"1", b"2", b"3"))
    assert submission.seed(one, right) == submission.seed(one, right)
    assert len({submission.seed(*pair) for pair in [(one, right), (other, right), (one, other)]}) == 3


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert autolab.main(["--out", str(tmp_path / "file")]) == 2
    assert capsys.readouterr().err.startswith("autolab.py: ")
