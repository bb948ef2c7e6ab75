"""What students are to write is found wherever it is, and what is given is not."""

from __future__ import annotations

import pytest

from kit import starter_files
from kit.leaks import COMMON, leaks, removed_statements

REMOVED = {*removed_statements()} - {*COMMON}
STATEMENT = max(REMOVED, key=len)


def test_nothing_of_the_removed_bodies_is_in_the_starter() -> None:
    assert len(REMOVED) > 80
    assert leaks(starter_files.starter()) == []


def test_the_statements_are_those_of_the_bodies_and_of_what_goes_with_them() -> None:
    assert {
        "self.state = 1 / (1 + np.exp(-_floating(x)))",
        "return 'b'",
        "self.db = mean_delta.sum(axis=0, keepdims=True)",
    } <= REMOVED
    assert not {"self.criterion = criterion", "self.train_mode = True"} & REMOVED


@pytest.mark.parametrize("name", COMMON)
def test_what_is_also_given_is_in_a_removed_body(name: str) -> None:
    assert name in {*removed_statements()}


PLANTED = {
    "a statement": ("autograder/hw1_autograder/report/table.py", f"def f(self):\n    {STATEMENT}\n", STATEMENT),
    "a short one": ("mytorch/linear.py", "def f(y):\n    y += self.b\n", "y += self.b"),
    "a comment": ("hw1/mc.py", f"# {STATEMENT}\n", STATEMENT),
    "a docstring": ("mytorch/batchnorm.py", f'def f():\n    """Do  {STATEMENT}\n    then."""\n', STATEMENT),
    "other spaces": ("hw1/hw1.py", f"# {STATEMENT.replace(' ', '  ').replace('(', ' ( ')}\n", STATEMENT),
    "a page": ("README.md", f"as in `{STATEMENT}`\n", STATEMENT),
    "a data page": ("data/README.md", STATEMENT, STATEMENT),
}


@pytest.mark.parametrize("where", PLANTED)
def test_one_that_is_there_is_named_with_its_file(where: str) -> None:
    file, text, statement = PLANTED[where]
    assert leaks({file: text.encode(), "hw1/other.py": b""}) == [f"{file}: {statement}"]


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("hw1/train_loss.png", STATEMENT),
        ("README.md", f"a{STATEMENT}"),
        ("README.md", "return delta @ self.W.Ts"),
        ("README.md", "y += self.b"),  # too short to be looked for in a page
        ("mytorch/linear.py", "self.x = y"),
    ],
)
def test_what_only_looks_like_one_is_none(file: str, text: str) -> None:
    assert leaks({file: text.encode()}) == []
