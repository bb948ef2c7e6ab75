"""Bodies are cut out of a source with what nothing else uses: no line more, and no line less."""

from __future__ import annotations

import ast
import difflib
import re

import pytest

from handins import ROOT
from homework.problems import TO_WRITE
from kit import bodies
from kit.starter_files import unwritten
from sandbox.submission import REQUIRED

WHOLE = '''\
"""Module."""

# For another homework.
import os  # noqa: F401

import copy
import sys
from functools import cache, partial

import numpy as np

GIVEN = 1
_KEPT = 2
_DROPPED = 3  # a helper's


class Layer:
    """A layer.

    Notes
    -----
    All of it.
    """

    size = _KEPT

    # Set with care.
    _scale = 1

    def __init__(self, sizes):
        """Build it."""
        self.sizes = sizes

        # One for each size,
        # in order.
        self.layers = [copy.copy(size) for size in sizes]
        self.count = len(self.layers)
        # That is all.

    # What is given.
    def __len__(self):
        return _shared(self.sizes)

    def forward(self, x):
        """Return y.

        Notes
        -----
        y = x W.

        Raises
        ------
        ValueError
            Never.
        """
        if x is None:
            raise ValueError
        # The product.
        return self._times(np.dot(x, self._scale))
        # No more.

    def backward(self, delta):
        """Return dx.

        Notes
        -----
        dx = delta W^T.

        It is not averaged.
        """
        self.gradients(delta)
        return _helper(delta)

    def gradients(self, delta):
        """Set dW."""

    def public(self):
        return _shared(2)

    # A helper's comment.

    @cache
    @partial
    def _times(self, x):
        return x * _DROPPED


def _helper(x):
    return _helpers_helper(x)


def _helpers_helper(x):
    return _shared(x)


def _shared(x):
    return sys.getsizeof(x)
'''

EMPTIED = '''\
"""Module."""

import sys

import numpy as np

GIVEN = 1
_KEPT = 2


class Layer:
    """A layer.
    """

    size = _KEPT

    def __init__(self, sizes):
        """Build it."""
        self.sizes = sizes

        raise NotImplementedError("Layer.__init__, layers and count: writeup ")

    # What is given.
    def __len__(self):
        return _shared(self.sizes)

    def forward(self, x):
        """Return y.

        Raises
        ------
        ValueError
            Never.
        """
        raise NotImplementedError("Layer.forward: writeup ")

    def backward(self, delta):
        """Return dx.
        """
        raise NotImplementedError("Layer.backward: writeup ")

    def public(self):
        return _shared(2)


def _shared(x):
    return sys.getsizeof(x)
'''


def test_a_body_goes_with_what_nothing_else_uses_and_nothing_else_goes() -> None:
    names = ["Layer.__init__:layers", "Layer.forward", "Layer.backward"]
    assert bodies.emptied("made_up.py", WHOLE, names).splitlines() == EMPTIED.splitlines()


def test_the_section_is_that_of_the_table() -> None:
    source = 'def question_1():\n    """Ask."""\n    return "a"\n'
    left = bodies.emptied("hw1/mc.py", source, ["question_1"])
    assert left == 'def question_1():\n    """Ask."""\n    raise NotImplementedError("question_1: writeup 2")\n'


@pytest.mark.parametrize("file", REQUIRED)
def test_a_source_differs_from_the_solution_by_removed_lines_and_one_raise_a_body(file: str) -> None:
    solution = (ROOT / file).read_text(encoding="utf-8").splitlines(keepends=True)
    given = unwritten()[file].decode().splitlines(keepends=True)
    put_back = []
    for kind, i, j, k, m in difflib.SequenceMatcher(None, given, solution, autojunk=False).get_opcodes():
        raises = [line for line in given[i:j] if line.strip()]
        assert kind == "equal" or all(line.lstrip().startswith("raise NotImplementedError(") for line in raises)
        put_back += solution[k:m]
    assert put_back == solution
    asked = [body for body in TO_WRITE if body.startswith(f"{file}:")]
    assert len(re.findall(r"raise NotImplementedError\(\".+: writeup \d[\d.]*\"\)", "".join(given))) == len(asked)


@pytest.mark.parametrize("file", REQUIRED)
def test_nothing_private_is_left_that_nothing_uses(file: str) -> None:
    text = unwritten()[file].decode()
    private = set(re.findall(r"^ *(?:def )?(_[a-z]\w*)(?:\(| =)", text, re.M))
    for name in private | imported(text):
        assert len(re.findall(rf"\b{name}\b", text)) > 1, name
    for name in bodies.SOLUTIONS_OWN:
        assert not re.search(rf"\b{name}\(", text), name


def imported(text: str) -> set[str]:
    """The names that a source imports, apart from what every student needs."""
    statements = [node for node in ast.parse(text).body if isinstance(node, (ast.Import, ast.ImportFrom))]
    return {
        alias.asname or alias.name
        for statement in statements
        if getattr(statement, "module", statement.names[0].name) not in bodies.KEPT_IMPORTS
        for alias in statement.names
    }


def test_what_the_solution_has_beside_the_homework_is_in_its_sources() -> None:
    text = "".join((ROOT / file).read_text(encoding="utf-8") for file in REQUIRED)
    assert all(f"def {name}(" in text for name in bodies.SOLUTIONS_OWN)


@pytest.mark.parametrize("file", REQUIRED)
def test_every_signature_keeps_its_types(file: str) -> None:
    functions = [node for node in ast.walk(ast.parse(unwritten()[file])) if isinstance(node, ast.FunctionDef)]
    assert functions
    for function in functions:
        parameters = [*function.args.args, *function.args.kwonlyargs]
        assert all(parameter.annotation for parameter in parameters if parameter.arg != "self"), function.name
        assert function.returns, function.name


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Layer.nothing", "problems.py names made_up.py:Layer.nothing, but there is no nothing"),
        ("Layer", "problems.py names made_up.py:Layer, which is no function"),
        ("Layer.public", "made_up.py: Layer.public has no docstring"),
        ("Layer.__init__:nothing", "problems.py names made_up.py:Layer.__init__:nothing, but nothing is assigned"),
    ],
)
def test_a_body_that_is_not_there_is_named(name: str, words: str) -> None:
    with pytest.raises(bodies.NoBody) as error:
        bodies.emptied("made_up.py", WHOLE, [name])
    assert str(error.value).startswith(words)
