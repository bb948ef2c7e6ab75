"""One pytest test a problem: the verdict of the grading, and its reason where it is not "passed".

The runner hands its grading over through the pytest configuration; a plain `pytest` opens one of the project.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from grading.grade import opened
from grading.settings import Settings
from grading.verdicts import Grading
from homework.problems import PROBLEMS, Problem
from sandbox.workplace import Workplace


@pytest.fixture(scope="session")
def grading(pytestconfig: pytest.Config) -> Iterator[Grading]:
    handed_over = getattr(pytestconfig, "mytorch_grading", None)
    if handed_over is not None:
        yield handed_over
    else:
        with Workplace() as workplace:
            yield opened(Settings(), workplace)


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.name)
def test_problem(problem: Problem, grading: Grading) -> None:
    verdict = grading.grade(problem)
    if verdict.status != "passed":
        pytest.fail(f"{verdict.status}: {verdict.reason}", pytrace=False)
