"""The two judges agree: fresh inputs compared with a solution, and the prestored references."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from catalogue import MISTAKES, Mistake, apply
from grading.judges import Arrays, Judge, Solution
from grading.verdicts import Grading
from handins import JUDGE, MAX_TOTAL, ROOT, Edit, Result, body, grade, solution, top, write
from homework import cases
from samples import sample
from sandbox.process import GraderError
from sandbox.submission import Submission
from sandbox.workplace import Workplace

AGAINST = {"against": str(ROOT)}


@pytest.mark.parametrize("seed", [0, 1, 11785, 4294967295, "handin"])
def test_the_solution_passes_against_itself_whatever_the_seed(seed: Any) -> None:
    result = grade(ROOT, **AGAINST, seed=seed)
    assert (result.score, result.findings) == (MAX_TOTAL, [])


def test_a_seed_draws_the_same_inputs_again_and_another_draws_others() -> None:
    for key in cases.CASES:
        first, again, other = cases.draw(key, 1), cases.draw(key, 1), cases.draw(key, 2)
        assert all(np.array_equal(first[name], again[name]) for name in first)
        numbers = [name for name, value in first.items() if value.dtype.kind == "f" and value.size > 1]
        assert not numbers or any(not np.array_equal(first[name], other[name]) for name in numbers)


class Drawn:
    """What `Solution` gives for one seed, kept: the inputs, and the solution's own values."""

    def __init__(self, sandbox: Any, seed: int) -> None:
        self.seed: int | None = seed
        judge = Solution(sandbox, seed, 10)
        self.cases = {key: judge.case(key) for key in cases.CASES}

    def case(self, key: str) -> tuple[Arrays, Arrays]:
        return self.cases[key]


@pytest.fixture(scope="module")
def judges() -> list[Judge]:
    with Workplace() as workplace:
        sandbox = workplace.lay_out(Submission(solution()))
        return [JUDGE, Drawn(sandbox, 7), Drawn(sandbox, 8)]


@pytest.mark.parametrize("mistake", sample(MISTAKES, 19), ids=lambda mistake: mistake.key)
def test_every_judge_gives_a_wrong_variant_the_same_verdict(mistake: Mistake, judges: list[Judge]) -> None:
    submission = Submission(apply(mistake, solution()))
    with Workplace() as workplace:
        sandbox = workplace.lay_out(submission)
        stored, *fresh = [Result(Grading(sandbox, judge, submission, 10, 1e6)) for judge in judges]
    assert stored.unpassed or stored.findings
    for result in fresh:
        assert result.statuses == stored.statuses
        assert [finding.title for finding in result.findings] == [finding.title for finding in stored.findings]


@pytest.mark.parametrize("target", ["ReLU.derivative", "Linear.backward", "MLP.step", "question_3"])
def test_both_judges_agree_in_processes_of_their_own(target: str, tmp_path: Path) -> None:
    files = solution()
    body(target, "raise ValueError('no')")(files)
    root = write(files, tmp_path)
    stored, fresh = grade(root), grade(root, **AGAINST, seed=7)
    assert stored.unpassed
    assert (fresh.statuses, fresh.score) == (stored.statuses, stored.score)


FAILING: dict[str, tuple[Edit, str]] = {
    "raises": (body("Linear.backward", "raise ValueError('no')"), "the solution gave no values for linear_backward"),
    "hangs": (body("Linear.backward", "while True: pass"), "the solution gave no values for linear_backward"),
    "exits": (body("Linear.backward", "import os; os._exit(0)"), "the solution gave no values for linear_backward"),
    "returns no array": (body("Linear.backward", "pass"), "the solution gave no values for linear_backward"),
    "is not written": (
        body("question_3", "raise NotImplementedError"),
        "the solution gave no values for multiple_choice",
    ),
    "does not parse": (top("hw1/hw1.py", "def:\n"), "the solution gave no values for classifier_forward"),
}


@pytest.mark.parametrize("failure", FAILING)
def test_a_solution_that_fails_is_a_fault_of_the_grader(failure: str, tmp_path: Path) -> None:
    edit, words = FAILING[failure]
    files = solution()
    edit(files)
    with pytest.raises(GraderError, match=words):
        grade(ROOT, against=str(write(files, tmp_path)), seed=1, deadline=1)


def test_a_solution_that_is_not_there_is_a_fault_of_the_grader(tmp_path: Path) -> None:
    with pytest.raises(GraderError, match=r"the solution can't be read: .*no such folder or file"):
        grade(ROOT, against=str(tmp_path / "nowhere"))


def test_what_the_submission_prints_or_breaks_does_not_reach_the_solution(tmp_path: Path) -> None:
    files = solution()
    top("hw1/mc.py", "import numpy; numpy.exp = numpy.maximum = None; import os; print('mine'); os._exit(0)\n")(files)
    result = grade(write(files, tmp_path), **AGAINST, seed=1)
    assert result.unpassed == {"multiple_choice": "error"}
