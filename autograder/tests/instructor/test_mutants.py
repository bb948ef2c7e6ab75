"""Mutation testing of the grader: whatever is changed in the solution loses points or brings a finding.

A sample of the mutants by default, all of them where `WHOLE` is set: `python3 autograder/instructor/mutants.py`.
"""

from __future__ import annotations

import os

import pytest

import mutants

EVERY = 1 if os.environ.get("WHOLE") else 5


@pytest.fixture(scope="module")
def survey() -> mutants.Survey:
    return mutants.survey(EVERY)


def test_no_mutant_survives(survey: mutants.Survey) -> None:
    assert survey.mutants > 500 // EVERY
    assert [mutant.name for mutant in survey.surviving] == []


@pytest.mark.skipif(EVERY > 1, reason="needs all mutants")
def test_every_proof_of_equivalence_is_of_a_mutant_that_is_unseen(survey: mutants.Survey) -> None:
    used = {f"{m.place}: {m.before}" for m in survey.proved}
    used |= {f"{m.place}: {m.before} -> {m.after}" for m in survey.proved}
    assert set(mutants.EQUIVALENT) - used == set()
    assert all(mutants.EQUIVALENT.values())


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x = a + b", {"x = a - b", "pass"}),
        ("x = a.T @ b", {"x = a @ b", "x = a.T * b", "pass"}),
        ("x += 1", {"x -= 1", "x += 0", "pass"}),
        ("x = a > 2", {"x = a >= 2", "x = a < 2", "x = a > 3", "x = a > 0", "pass"}),
        (
            "x = a.sum(axis=0, keepdims=True)",
            {
                "x = a.mean(axis=0, keepdims=True)",
                "x = a.sum(axis=1, keepdims=True)",
                "x = a.sum(axis=0, keepdims=False)",
                "x = a.sum(keepdims=True)",
                "x = a.sum(axis=0)",
                "pass",
            },
        ),
        ("x = -a", {"x = a", "pass"}),
        ("'A docstring.'", set()),
    ],
)
def test_the_mutants_of_a_statement(source: str, expected: set[str]) -> None:
    assert {mutant.after for mutant in mutants.mutants("file.py", source)} == expected
