"""Mutation testing of the grader: whatever is changed in the solution loses points or brings a finding."""

from __future__ import annotations

from typing import Any

import pytest

from diagnosis.recognise import Hint
from grading.run import Finding, Run, Verdict
from handins import JUDGE, mistaken, solution
from homework.problems import BY_KEY
from proofs import survey
from proofs.mutants import Mutant
from samples import WHOLE

MUTANTS = survey.everything()


@pytest.fixture(scope="module")
def surveyed() -> survey.Survey:
    return survey.survey(1 if WHOLE else 25)


def test_no_mutant_survives(surveyed: survey.Survey) -> None:
    assert surveyed.mutants > 500 // (1 if WHOLE else 25)
    assert [mutant.name for mutant in surveyed.surviving] == []


@pytest.mark.skipif(not WHOLE, reason="needs all mutants: WHOLE=1")
def test_every_proof_of_equivalence_is_of_a_mutant_that_is_unseen(surveyed: survey.Survey) -> None:
    used = {f"{m.place}: {m.before}" for m in surveyed.proved}
    used |= {f"{m.place}: {m.before} -> {m.after}" for m in surveyed.proved}
    assert set(survey.EQUIVALENT) - used == set()
    assert all(survey.EQUIVALENT.values())


def test_every_proof_of_equivalence_is_of_a_mutant() -> None:
    named = {f"{m.place}: {m.before}" for m in MUTANTS}
    named |= {f"{m.place}: {m.before} -> {m.after}" for m in MUTANTS}
    assert set(survey.EQUIVALENT) - named == set()


@pytest.mark.parametrize(
    ("files", "shown"),
    [
        (solution(), ""),
        (mistaken("dW_summed"), "Linear Layer (backward)"),
        (mistaken("relu_in_place"), "ReLU changes its argument or its state"),
    ],
    ids=["nothing", "points", "finding"],
)
def test_a_submission_shows_by_its_first_problem_or_finding(files: dict[str, bytes], shown: str) -> None:
    assert survey.verdict(files, JUDGE) == shown


def test_a_mutant_that_nothing_shows_is_excused_or_survives(monkeypatch: pytest.MonkeyPatch) -> None:
    made = [
        Mutant("hw1/mc.py", "question_1", "a", "b", "", guard=True),
        Mutant("hw1/mc.py", ": import os", "", "", "", guard=False),
        Mutant("hw1/hw1.py", "MLP.__repr__", "a", "b", "", guard=False),
        Mutant("hw1/mc.py", "question_2", "a", "b", "", guard=False),
        Mutant("hw1/mc.py", "question_3", "a", "b", "seen", guard=False),
    ]
    monkeypatch.setattr(survey, "everything", lambda every: made[::every])
    monkeypatch.setattr(survey, "verdict", lambda files, judge: "a finding" if files["hw1/mc.py"] == b"seen" else "")
    result = survey.survey(1)
    assert (result.mutants, result.guards, result.proved) == (5, made[:1], [made[2]])
    assert result.surviving == [made[1], made[3]]


def test_a_solution_that_does_not_pass_is_no_measure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(survey, "verdict", lambda files, judge: "Momentum")
    with pytest.raises(RuntimeError, match="the solution itself does not pass: Momentum"):
        survey.survey(1)


# ---------------------------------------------------------------- false claims

DW = "dW is summed over the batch: it should be averaged"


def run_with(*, hint: str = "", reason: str = "", title: str = "", behind: str = "", status: str = "failed") -> Run:
    """A run with one fault, or one finding if there is a title."""
    hints = [Hint(hint, "3.4.2", "key")] if hint else []
    problem = BY_KEY["momentum"]
    fault = Verdict(problem, status, reason, hints=hints, behind=behind)
    return Run("", {"momentum": fault}) if not title else Run("", {}, [Finding(title, reason, "why", hints)])


def mutant_at(place: str) -> Mutant:
    """Any mutant of the solution in this class or function."""
    return next(mutant for mutant in MUTANTS if mutant.place == place)


@pytest.mark.parametrize(
    ("place", "said", "is_false"),
    [
        # A hint: that of a mistake in the changed function, or in its class where no mistake is known in it.
        ("Linear.backward", {"hint": DW}, False),
        ("Linear.gradients", {"hint": DW}, False),
        ("Linear.forward", {"hint": DW}, True),
        ("Tanh.forward", {"hint": DW}, True),
        ("Linear.backward", {"hint": DW, "title": "Linear accumulates"}, False),
        ("MLP.step", {"hint": DW, "title": "the network"}, True),
        # Code outside of classes serves any class of its file, and no other.
        ("_floating_copy", {"hint": DW}, False),
        ("_floating", {"hint": DW}, True),
        ("question_2", {"hint": DW}, True),
        ("get_training_stats", {"hint": DW}, True),
        ("get_training_stats", {"hint": "the training set is not shuffled"}, False),
        # A finding's title: that of a class of the changed file.
        ("Tanh.forward", {"title": "ReLU changes its argument"}, False),
        ("Tanh.forward", {"title": "Linear accumulates"}, True),
        ("_floating", {"title": "Sigmoid overflows"}, False),
        ("_floating", {"title": "BatchNorm overflows"}, True),
        ("question_1", {"title": "the network changes its batch"}, False),
        # What is said to return nothing, or to have no line that sets what is due.
        ("Linear.forward", {"reason": "Linear.forward returns nothing"}, False),
        ("Linear.forward", {"reason": "BatchNorm.forward returns nothing"}, True),
        ("Linear.forward", {"reason": "MLP.step has no return"}, True),
        ("Linear.forward", {"reason": "no line of Linear's sets dW"}, False),
        ("Linear.forward", {"reason": "no line of Tanh's sets state"}, True),
        ("_floating", {"reason": "Sigmoid.forward returns nothing"}, False),
        ("_floating", {"reason": "Linear.forward returns nothing"}, True),
        ("get_training_stats", {"reason": "no line of Linear's sets dW", "title": "the statistics"}, True),
        # What is behind another fault, or passes, says nothing of its own.
        ("Tanh.forward", {"hint": DW, "behind": "linear_backward"}, False),
        ("Tanh.forward", {"hint": DW, "status": "passed"}, False),
    ],
)
def test_a_claim_about_code_that_was_not_changed_is_false(place: str, said: dict[str, Any], is_false: bool) -> None:
    claims = survey.false_claims(mutant_at(place), run_with(**said))
    what = said.get("hint") or said.get("reason") or said["title"]
    assert claims == ([what] if is_false else [])
