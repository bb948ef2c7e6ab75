"""The server's form of a run: a handin earns by its own code what a solution confirms on fresh inputs.

Damage to what the grader reads costs what it touches, and no more.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

import runner
from grading.grade import opened
from grading.settings import Settings
from handins import (
    JUDGE,
    MAX_TOTAL,
    PROBLEMS,
    REFERENCES,
    ROOT,
    STORED,
    Edit,
    body,
    called,
    changed,
    edited,
    grade,
    report,
    solution,
    top,
    write,
)
from homework import cases
from machine import children
from sandbox import process
from sandbox.process import GraderError
from sandbox.workplace import Workplace

POINTS = {problem.key: problem.points for problem in PROBLEMS}
SERVER = ("--against", str(ROOT), "--seed", "handin")
MYTORCH = sum(points for key, points in POINTS.items() if re.match("sigmoid|tanh|relu|loss|linear", key))


def linked(*names: str) -> Callable[[Path], None]:
    """Put links to the project's own files and folders in the place of the handin's."""

    def make(root: Path) -> None:
        for name in names:
            (shutil.rmtree if (root / name).is_dir() else os.remove)(root / name)
            (root / name).symlink_to(ROOT / name)

    return make


def with_link(name: str, target: str) -> Callable[[Path], None]:
    return lambda root: (root / name).symlink_to(target)


def replayed(root: Path) -> None:
    """A handin that gives what the references hold for the references' own inputs, whoever asks."""
    known = {}
    for key in cases.CASES:
        given, expected = JUDGE.case(key)
        if "digest" not in expected and cases.CASES[key][0] != "training_log":
            known[asked(given)] = {
                name: (array.dtype.str, array.shape, array.tobytes()) for name, array in expected.items()
            }
    code = f"""
        import hashlib, sys
        import numpy as np
        KNOWN = {known!r}
        def answer(exercise, course, given):
            text = b''.join(name.encode() + given[name].tobytes() for name in sorted(given))
            found = KNOWN.get(hashlib.sha256(text).hexdigest())
            if found is None:
                return run(exercise, course, given)
            return {{name: np.ndarray(shape, kind, data)[()] for name, (kind, shape, data) in found.items()}}
        frame = sys._getframe()
        while 'exercises' not in frame.f_locals: frame = frame.f_back
        exercises = frame.f_locals['exercises']
        run, exercises.run = exercises.run, answer
        return original()
    """
    files = solution()
    files.update({f"mytorch/{name}.py": b"" for name in ("activation", "loss", "linear", "batchnorm")})
    files["hw1/hw1.py"] = b""
    body("question_1", code)(files)
    write(files, root)


def asked(given: dict[str, np.ndarray]) -> str:
    return hashlib.sha256(b"".join(name.encode() + given[name].tobytes() for name in sorted(given))).hexdigest()


class Row(NamedTuple):
    make: Callable[[Path], None]
    score: int
    status: int
    words: str  # in the remarks


LEFT_OUT = "left out, a link to outside of the submission: "
ROWS = {
    "both folders are links to the solution": Row(linked("hw1", "mytorch"), 0, 2, f"{LEFT_OUT}mytorch; {LEFT_OUT}hw1"),
    "hw1 is a link to the solution": Row(linked("hw1"), MYTORCH, 1, f"{LEFT_OUT}hw1"),
    "a layer is a link to the solution's": Row(
        linked("mytorch/loss.py", "hw1/mc.py", "hw1/hw1.py"), MYTORCH - 4, 1, f"{LEFT_OUT}mytorch/loss.py"
    ),
    "a link to a file of the machine": Row(with_link("hw1/x.py", "/etc/passwd"), MAX_TOTAL, 0, f"{LEFT_OUT}hw1/x.py"),
    "a link to a folder of the machine": Row(with_link("hw1/sub", "/etc"), MAX_TOTAL, 0, f"{LEFT_OUT}hw1/sub"),
    "a link upwards": Row(with_link("hw1/up.py", "../../target.py"), MAX_TOTAL, 0, f"{LEFT_OUT}hw1/up.py"),
    "a link within": Row(with_link("hw1/within.py", "../mytorch/loss.py"), MAX_TOTAL, 0, ""),
    "links in a circle": Row(with_link("hw1/round", "."), MAX_TOTAL, 0, "left out, too many folders deep"),
}


@pytest.mark.parametrize("name", ROWS)
def test_a_handin_gets_what_its_own_code_earns(name: str, outside: Path) -> None:
    row = ROWS[name]
    root = write(solution(), outside / "handin")
    (outside / "target.py").write_text("x = 1\n")
    row.make(root)
    done = called(runner.main, "--submission", str(root), *SERVER, "--format", "json")
    run = json.loads(done.stdout)
    assert (run["total"], done.returncode) == (row.score, row.status), run
    assert row.words in (done.stderr if row.status == 2 else "\n".join(run["remarks"]))
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("form", ["table", "json", "autolab", "gradescope"])
@pytest.mark.parametrize("answers", [replayed, lambda root: None], ids=["from the references", "of its own"])
def test_where_the_solution_cannot_run_nobody_gets_points(
    answers: Callable[[Path], None], form: str, outside: Path
) -> None:
    root = write(solution(), outside / "handin")
    answers(root)
    broken = edited(outside / "solution", top("mytorch/linear.py", "raise SystemExit\n"))
    result = called(runner.main, "--submission", str(root), "--against", str(broken), "--format", form)
    why = "the solution gave no values for linear_forward: SystemExit"
    assert (result.returncode, result.stderr) == (2, f"nothing could be graded: {why}\n")
    if form in ("table", "autolab"):
        assert result.stdout == "", "Autolab keeps earlier scores where the output has none"
    else:
        run = json.loads(result.stdout)
        assert why in run["failure" if form == "json" else "output"]
        assert sum(problem["score"] for problem in run["problems" if form == "json" else "tests"]) == 0


@pytest.mark.parametrize("failing", [(2,), (2, 3)])
def test_the_start_of_the_solution_s_process_is_tried_again(
    failing: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first process to be started is the handin's, which waits; then comes the solution's."""
    real, number = process.start, itertools.count(1)

    def start(memory: int) -> subprocess.Popen[bytes]:
        if next(number) not in failing:
            return real(memory)
        ends_at_once = [sys.executable, "-S", "-c", "raise SystemExit('no memory')"]
        pipe = subprocess.PIPE
        return subprocess.Popen(ends_at_once, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True)

    monkeypatch.setattr(process, "start", start)
    against = {"against": str(ROOT), "seed": 1}
    if len(failing) == process.STARTS:
        with pytest.raises(GraderError, match="did not start: exit status 1: no memory"):
            report(ROOT, **against)
    else:
        assert report(ROOT, **against).total == MAX_TOTAL


def test_answers_recorded_from_the_references_earn_nothing_on_fresh_inputs(outside: Path) -> None:
    replayed(outside / "handin")
    assert grade(outside / "handin").score == MAX_TOTAL, "they are recorded well"
    assert grade(outside / "handin", against=str(ROOT), seed=1).score == POINTS["multiple_choice"]


def test_a_folder_that_is_a_link_itself_is_the_submission(outside: Path) -> None:
    (outside / "link").symlink_to(write(solution(), outside / "handin"))
    assert grade(outside / "link", against=str(ROOT), seed=1).score == MAX_TOTAL


ENDS = {
    "exits": body("question_3", "import os; os._exit(0)"),
    "hangs": top("mytorch/loss.py", "import time; time.sleep(1000)\n"),
}


@pytest.mark.parametrize("name", ENDS)
def test_a_solution_that_can_t_run_ends_the_grading(name: str, outside: Path) -> None:
    with pytest.raises(GraderError, match="the solution gave no values for"):
        report(ROOT, against=str(edited(outside / "solution", ENDS[name])), seed=1, deadline=0.7)


def test_of_the_solution_nothing_is_left_when_the_handin_begins(outside: Path) -> None:
    before = children()
    with Workplace() as workplace:
        grading = opened(Settings(str(ROOT), against=str(ROOT), seed=1), workplace)
        assert len(list((outside / "temporary").iterdir())) == 1, "the solution's files are gone"
        assert len(children() - before) == (sys.platform == "linux"), "and so is its process"
        assert all(grading.judge.case(key)[1] for key in cases.CASES)


def test_a_solution_that_lacks_what_no_problem_asks_for_still_judges(outside: Path) -> None:
    lacking = edited(outside / "solution", changed("hw1/hw1.py", "def get_training_stats(", "def get_stats("))
    run = report(ROOT, against=str(lacking), seed=1)
    assert (run.total, run.findings, run.remarks) == (MAX_TOTAL, [], [])


# Damaged data


@pytest.fixture
def damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Flips one bit of an archive's directory, in a copy of it with the checksum that it had."""

    def damage(setting: str, path: str) -> None:
        copy = tmp_path / Path(path).name
        data = bytearray(Path(path).read_bytes())
        data[data.rindex(b"PK\x01\x02") + 60] ^= 1
        copy.write_bytes(data)
        shutil.copy(ROOT / "data" / "SHA256SUMS", tmp_path)
        monkeypatch.setattr(f"grading.grade.{setting}", str(copy))

    return damage


def test_damaged_references_grade_nobody_but_against_a_solution(damaged: Callable[[str, str], None]) -> None:
    damaged("REFERENCES", REFERENCES)
    with pytest.raises(GraderError, match="damaged"):
        report(ROOT)
    run = report(ROOT, against=str(ROOT), seed="handin")
    assert (run.total, run.failure) == (MAX_TOTAL, "")
    assert ["damaged" in remark for remark in run.remarks] == [True]


def test_damaged_hints_cost_hints_alone(damaged: Callable[[str, str], None], tmp_path: Path) -> None:
    wrong: Edit = body("Linear.backward", "args[0].dW = 0 * args[0].W; return original(*args) * 2")
    handin = edited(tmp_path / "handin", wrong)
    expected = report(handin)
    damaged("MISTAKES", STORED)
    run = report(handin)
    assert (run.total, run.failure) == (expected.total, "")
    assert [remark[:19] for remark in run.remarks] == ["there are no hints:"]
    assert not any(verdict.hints for verdict in run.verdicts.values())


def test_references_that_lack_a_problem_grade_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with np.load(REFERENCES) as file:
        kept = {name: file[name] for name in file.files if not name.startswith("momentum/out")}
    np.savez(tmp_path / "old.npz", **kept)  # type: ignore[arg-type]
    digest = hashlib.sha256((tmp_path / "old.npz").read_bytes()).hexdigest()
    (tmp_path / "SHA256SUMS").write_text(f"{digest}  old.npz\n")
    monkeypatch.setattr("grading.grade.REFERENCES", str(tmp_path / "old.npz"))
    run = report(ROOT)
    assert run.total == MAX_TOTAL - POINTS["momentum"]
    why = "the references hold nothing for momentum: they are older than this grader"
    assert run.failure == why
    assert [v.reason for v in run.verdicts.values() if v.status != "passed"] == [f"not graded: {why}"]
