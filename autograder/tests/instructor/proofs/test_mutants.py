"""The mutants of a source are those that one change makes."""

from __future__ import annotations

import numpy as np
import pytest

from proofs.mutants import OTHER_NAMES, mutants


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x = a + b", {"x = a - b", "pass"}),
        ("x = a.T @ b", {"x = a @ b", "x = a.T * b", "pass"}),
        ("x += 1", {"x -= 1", "x += 0", "pass"}),
        ("x = a > 2", {"x = a >= 2", "x = a < 2", "x = a > 3", "x = a > 0", "pass"}),
        ("x = c < a < b", {"x = c <= a < b", "x = c > a < b", "x = c < a <= b", "x = c < a > b", "pass"}),
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
        ("x = np.array(a, order='C', copy=False)", {"pass"}),
        ("x = -a", {"x = a", "pass"}),
        ("x = a or b", {"x = a and b", "pass"}),
        ("x = a if b else c", {"x = a", "x = c", "pass"}),
        ("x = list(reversed(a))", {"x = reversed(a)", "x = list(a)", "pass"}),
        ("x = 0.5", {"x = 1.0", "x = 0.0", "pass"}),
        ("x = ['b', '', True]", {"x = ['c', '', True]", "x = ['b', '', False]", "pass"}),
        ("x: int = a", {"pass"}),
        ("'A docstring.'", set()),
        ("def f():\n    'A docstring.'\n    return a", {"pass"}),
        ("pass", set()),
    ],
)
def test_the_mutants_of_a_statement(source: str, expected: set[str]) -> None:
    assert {mutant.after for mutant in mutants("file.py", source)} == expected


SOURCE = """
class Layer:
    def forward(self, x):
        if x is None:
            message = "none"
            raise ValueError(message)
        return x


def helper(x):
    return -x
"""


def test_a_mutant_has_its_place_and_whether_it_is_in_a_guard() -> None:
    made = [*mutants("file.py", SOURCE)]
    assert {mutant.place for mutant in made} == {"Layer.forward", "helper"}
    assert {mutant.before for mutant in made if mutant.guard} == {
        "if x is None",
        "message = 'none'",
        "raise ValueError(message)",
    }
    (turned,) = (mutant for mutant in made if mutant.place == "helper" and mutant.after != "pass")
    assert turned.name == "file.py helper: return -x -> return x"
    assert turned.source.endswith("def helper(x):\n    return x")


def test_every_mutant_differs_from_the_source_in_one_statement() -> None:
    for mutant in mutants("file.py", SOURCE):
        compile(mutant.source, "file.py", "exec")
        assert mutant.source.strip() != SOURCE.strip()
        assert abs(mutant.source.count("\n") - SOURCE.strip().count("\n")) <= 3


def test_several_targets_are_written_the_same_by_every_python() -> None:
    (mutant,) = mutants("file.py", "x, y = a")
    assert mutant.before == "x, y = a"


def test_every_other_name_is_one_of_numpys() -> None:
    assert all(hasattr(np, name) for names in OTHER_NAMES.items() for name in names)


def test_every_nth_mutant_is_one_of_them() -> None:
    made = [*mutants("file.py", SOURCE)]
    assert [*mutants("file.py", SOURCE, every=3)] == made[::3]
