"""An exception in a submission is described, whatever it is, and costs the problem that raised it."""

from __future__ import annotations

from pathlib import Path

import pytest

import faults
from faults import question

ROWS = {
    "ValueError": question("raise ValueError('no')", "hw1/mc.py, line"),
    "SystemExit": question("import sys; sys.exit(0)", "SystemExit"),
    "KeyboardInterrupt": question("raise KeyboardInterrupt", "KeyboardInterrupt"),
    "GeneratorExit": question("raise GeneratorExit", "GeneratorExit"),
    "RecursionError": question("return original() + replacement()", "RecursionError"),
    "a BaseException of its own": question("raise type('Mine', (BaseException,), {})('no')", "Mine: no"),
    "a message that raises": question(
        "raise type('E', (Exception,), {'__str__': lambda e: 1 / 0})()", "can't be shown"
    ),
    "a message without end": question("raise ValueError('x' * 10**7)", "ValueError: xxx"),
    "control characters": question("raise ValueError('\\ud800\\x1b[2J\\n{\"scores\": {}}')", "??[2J"),
    "a lying class": question(
        "class M(type):\n    __name__ = property(lambda c: 1 / 0)\nclass E(Exception, metaclass=M): pass\nraise E", ""
    ),
    "NotImplementedError": question("raise NotImplementedError", "still to be written", "not started"),
    "NotImplemented": question("raise NotImplemented", "is no exception", "not started"),
}


@pytest.mark.parametrize("name", ROWS)
def test_an_exception_is_described_and_costs_its_problem(name: str, outside: Path) -> None:
    faults.check(ROWS[name], outside)
