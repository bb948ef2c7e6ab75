"""What a submission's process sends is cut to what wire.py declares, or dropped, and never taken on trust."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sandbox import wire
from sandbox.answers import Misfit, Outcome, fitted, understood

FRAME = ["hw1/hw1.py", 7, "forward"]
PARTS: dict[str, tuple[Any, Any, Any]] = {  # what was sent, what it is declared to be, and what is read (or Misfit)
    "a text": ("abc", wire.Word, "abc"),
    "a long text": ("a" * 300, wire.Word, "a" * 100),
    "a text that colours a terminal": ("\x1b[31m\n\ud800", wire.Word, "?[31m ?"),
    "no text": (7, wire.Word, Misfit),
    "a line": (7, wire.Line, 7),
    "a line before the first": (-1, wire.Line, Misfit),
    "a line after the last": (10**6, wire.Line, Misfit),
    "a line that is a truth value": (True, wire.Line, Misfit),
    "the shape of no array": (None, wire.Shape, None),
    "the shape of a number": ([], wire.Shape, ()),
    "too many axes": ([1] * 20, wire.Shape, (1,) * 8),
    "a frame": (FRAME, wire.Frame, wire.Frame("hw1/hw1.py", 7, "forward")),
    "a frame of more parts": ([*FRAME, 1], wire.Frame, Misfit),
    "a frame without a line": (["hw1/hw1.py", None, "forward"], wire.Frame, Misfit),
    "a name that is not there": (["dW", 1, None, "student"], wire.Missing, wire.Missing("dW", whose="student")),
    "an exception": (list(wire.Raised("E", "m")), wire.Raised, wire.Raised("E", "m")),
    "an exception as a text": ("TypeError", wire.Raised, Misfit),
}


@pytest.mark.parametrize("name", PARTS)
def test_a_part_of_a_header_becomes_what_it_is_declared_to_be(name: str) -> None:
    sent, kind, read = PARTS[name]
    if read is Misfit:
        with pytest.raises(Misfit):
            fitted(sent, kind)
    else:
        assert fitted(sent, kind) == read


def test_of_a_list_what_does_not_fit_is_left_out_and_a_field_takes_its_default() -> None:
    sent = wire.Raised(type=7, message=["no"], frames=[FRAME, [1, 2, 3], FRAME])  # type: ignore[arg-type]
    frame = wire.Frame("hw1/hw1.py", 7, "forward")
    assert fitted(list(sent), wire.Raised) == wire.Raised(frames=(frame, frame))


def test_every_exception_survives_the_wire() -> None:
    raised = wire.Raised(
        type="ValueError",
        message="shapes (2,3) and (4,) not aligned",
        bases=("ValueError", "Exception"),
        frames=(wire.Frame("hw1/hw1.py", 7, "forward"),),
        statement="mlp(x)",
        module="scipy",
        expression="x @ W",
        values=(wire.Operand("x", "float64", (2, 3)), wire.Operand("self.W", "NoneType", None)),
        missing=wire.Missing("w", "Linear", "object", "student"),
        near=("W",),
        call=wire.Callee("np.dot", "numpy", "np.dot(a, b)"),
    )
    assert fitted(json.loads(json.dumps(raised)), wire.Raised) == raised
    assert all(value != default for value, default in zip(raised, wire.Raised()))


BLOB = wire.Blob("<f8", (1,), bytes(8))
MESSAGES: dict[str, tuple[Any, Any]] = {
    "a stage": (wire.Message({"stage": "import hw1"}, {}), "import hw1"),
    "values": (wire.Message({"values": {"dW": "int"}}, {"dW": BLOB}), Outcome("returned", {"dW": "int"}, {"dW": BLOB})),
    "nothing": (wire.Message({}, {}), None),
    "nonsense": (wire.WireError("no message"), None),
    "an exception as a text": (wire.Message({"raised": "TypeError"}, {}), None),
    "a name that colours a terminal": (wire.Message({"values": {"\x1b[31m": "int"}}, {}), None),
    "a type that is a number": (wire.Message({"values": {"dW": 7}}, {}), None),
    "too many values": (wire.Message({"values": dict.fromkeys(map(str, range(2000)), "int")}, {}), None),
    "objects": (wire.Message({"values": {"dW": "int"}}, {"dW": wire.Blob("|O", (), bytes(8))}), None),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_a_message_says_what_is_known_or_nothing(name: str) -> None:
    message, meaning = MESSAGES[name]
    assert understood(message) == meaning
