"""The solution with one fault in it: what that costs, and that nothing else changes."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import NamedTuple

from grading.grade import opened
from grading.settings import Settings
from handins import PROBLEMS, Edit, body, edited
from homework.problems import BY_KEY
from machine import state
from sandbox.workplace import Workplace

POINTS = {problem.key: problem.points for problem in PROBLEMS}
NEEDS_HW1 = [key for key in POINTS if key.startswith(("classifier", "single", "hidden", "momentum", "batchnorm"))]
# No graded network has another activation of the student's than Sigmoid, so a fault of ReLU's derivative costs this.
RELU = "relu_derivative"
CHOICES = "multiple_choice"
NEIGHBOURS = [CHOICES, RELU, "loss_forward", "linear_backward", "momentum"]  # problems of every file

# The grader's own modules bear no names in a submission's process, but its frames are there to be found.
FORGE = """
    import sys, numpy
    frame = sys._getframe()
    while "answers" not in frame.f_locals:
        frame = frame.f_back
    answers, request, wire = (frame.f_locals[name] for name in ("answers", "request", "wire"))
"""


class Fault(NamedTuple):
    """An edit of the solution, the status of every problem that is not passed then, and words of the first reason."""

    edit: Edit
    unpassed: dict[str, str]
    reason: str = ""


def question(code: str, reason: str, status: str = "error") -> Fault:
    """A fault in one multiple-choice question."""
    return Fault(body("question_3", code), {CHOICES: status}, reason)


def forged(code: str, reason: str = "no answer", status: str = "error") -> Fault:
    """One in which a question writes to the channel itself, with `wire.send(answers, header, arrays)`."""
    return question(FORGE + textwrap.indent(textwrap.dedent(code), "    ") + "\n    return 'a'", reason, status)


def harmless(edit: Edit) -> Fault:
    return Fault(edit, {})


def check(fault: Fault, outside: Path) -> None:
    """Assert that a fault costs its own problems and says why, and that the handin is what it was."""
    handin = edited(outside / "handin", fault.edit)
    before = state(handin)
    timeout = "timeout" in fault.unpassed.values()
    keys = [*POINTS] if len(fault.unpassed) > 1 else NEIGHBOURS
    with Workplace() as workplace:
        settings = Settings(str(handin), deadline=0.7) if timeout else Settings(str(handin))
        grading = opened(settings, workplace)
        verdicts = {key: grading.grade(BY_KEY[key]) for key in keys}
    unpassed = {key: verdict for key, verdict in verdicts.items() if verdict.status != "passed"}
    assert {key: v.status for key, v in unpassed.items()} == fault.unpassed, [v.reason for v in unpassed.values()]
    reasons = [verdict.reason for verdict in unpassed.values()]
    assert not reasons or fault.reason in reasons[0]
    assert all(reason.isprintable() for reason in reasons)
    assert state(handin) == before
