"""The pages of the checks without points: their lines fit, their sums count, and the exit status follows."""

from __future__ import annotations

import io
from math import nan
from pathlib import Path

import pytest

from grading import training_stats
from grading.gradient_check import Checked
from grading.settings import Settings
from grading.training_rules import DASH, Answer
from handins import with_mistakes
from report import checks
from sandbox.workplace import Workplace

LONG = "This is a sentence of many words. " * 5


@pytest.mark.parametrize(
    ("rows", "status", "last"),
    [
        ([Checked("tanh", "derivative()", 1e-9, "")], 0, "1 of 1 gradients that were checked are right"),
        (
            [Checked("tanh", "derivative()", 1e-9, ""), Checked("relu", "", nan, LONG)],
            1,
            "1 of 1 gradients that were checked are right; not checked: relu",
        ),
        (
            [Checked("tanh", "", nan, "not started")],
            1,
            "0 of 0 gradients that were checked are right; not started: tanh",
        ),
    ],
)
def test_the_gradients_are_counted(rows: list[Checked], status: int, last: str) -> None:
    out = io.StringIO()
    assert checks.gradients(rows, out) == status
    assert out.getvalue().splitlines()[-1] == last
    assert max(map(len, out.getvalue().splitlines())) <= 80


def test_the_same_fault_of_several_gradients_is_shown_once() -> None:
    out = io.StringIO()
    checks.gradients([Checked("linear", name, 0.5, LONG) for name in ("dW", "db")], out)
    assert out.getvalue().count("WRONG") == 2
    assert " ".join(out.getvalue().split()).count(LONG.strip()) == 1


@pytest.mark.parametrize(
    ("found", "status", "last"),
    [
        ([Answer("yes"), Answer("yes", LONG)], 0, "2 of 2"),
        ([Answer("yes"), Answer(DASH, LONG)], 0, "1 of 2"),
        ([Answer("yes"), Answer("no", LONG)], 1, "1 of 2"),
        ([Answer(DASH, LONG)], 1, "0 of 1"),
    ],
)
def test_the_rules_that_hold_are_counted(found: list[Answer], status: int, last: str) -> None:
    out = io.StringIO()
    answered = {f"{number}. {LONG}": answer for number, answer in enumerate(found)}
    assert checks.rules(answered, LONG, out) == status
    assert out.getvalue().splitlines()[-1] == f"{last} as they should be (section 3.6; no points)"
    assert max(map(len, out.getvalue().splitlines())) <= 80
    assert " ".join(out.getvalue().split()).count(LONG.strip()) == 1 + len(found) + sum(bool(a.why) for a in found)


def test_the_rules_of_a_submission_fit_as_well(tmp_path: Path) -> None:
    out = io.StringIO()
    with Workplace() as workplace:
        found = training_stats.watch(Settings(str(with_mistakes(tmp_path, "stats_no_shuffling"))), workplace)
    assert checks.rules(found, training_stats.RUN, out) == 1
    assert len(out.getvalue().splitlines()) > len(found) > 5
    assert max(map(len, out.getvalue().splitlines())) <= 80
