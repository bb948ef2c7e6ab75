"""What a submission's process sends is cut to what wire.py declares, or dropped, and never taken on trust."""

from __future__ import annotations

import io
import json
import os
import random
import sys
from collections import Counter
from typing import Any

import numpy as np
import pytest

from grading.grade import grade
from grading.settings import Settings
from handins import CATALOGUE, JUDGE, PROBLEMS, solution
from homework import cases
from report import formats
from samples import WHOLE
from sandbox import process, wire, workplace
from sandbox.answers import Misfit, Outcome, fitted, understood
from sandbox.submission import Submission

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


# Random and mutated answers, by seed, and always a report

ANSWERS = 2000 if WHOLE else 400
DTYPES = ["<f8", ">f8", "<f4", "<f2", "=f8", "|b1", "?", "<i8", "<u4", "<c16", "<c8"]
DTYPES += ["<U1", ">U9", "<U0", "|S3", "|S0", "|O"]
TEXTS = ["", "x", "\x1b[31m", "\ud800", "\u202e", "\0", "a" * 5000, "line\nbreak"]
TEXTS += ["numpy.ndarray", "str", "int", "NoneType", "Broken"]


class Answerer:
    """Answers requests as the solution would, but for what the random numbers say."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.kinds: Counter[str] = Counter()

    def answer(self, request: wire.Message, right: dict[Any, Any]) -> tuple[bytes, bool]:
        """The bytes of an answer, and whether the channel is closed after it."""
        kind = self.random.choice(
            ("right", "noise", "cut", "flipped", "header", "blobs", "numbers", "raised", "stages", "end")
        )
        self.kinds[kind] += 1
        key = (request.header["exercise"], *sorted((name, blob.data) for name, blob in request.blobs.items()))
        header, blobs = right.get(key, ({"raised": self.raised()}, {}))
        header = {"id": request.header["id"], **header}
        if kind == "header":
            header = {**header, **self.junk_object()}
        elif kind == "blobs":
            blobs = {name: self.blob() if self.random.random() < 0.5 else blob for name, blob in blobs.items()}
        elif kind == "numbers":
            blobs = {name: self.changed(blob) for name, blob in blobs.items()}
        elif kind == "raised":
            header = {"id": header["id"], "raised": self.raised()}
        data = encoded(header, blobs)
        if kind == "noise":
            data = (
                self.random.randbytes(self.random.randrange(1, 300)) if hasattr(self.random, "randbytes") else b"?" * 9
            )
        elif kind == "cut":
            data = data[: self.random.randrange(len(data))]
        elif kind == "flipped":
            flipped = bytearray(data)
            for _ in range(self.random.randrange(1, 9)):
                flipped[self.random.randrange(min(len(flipped), 400))] ^= 1 << self.random.randrange(8)
            data = bytes(flipped)
        elif kind == "stages":
            stage = encoded({"stage": self.random.choice((*TEXTS, "import hw1", "import loss"))}, {})
            data = stage * self.random.randrange(1, 20) + data
        return (b"" if kind == "end" else data), kind in ("noise", "cut", "flipped", "end")

    def junk(self, depth: int = 0) -> Any:
        kinds = [
            lambda: None,
            lambda: True,
            lambda: 10 ** self.random.randrange(40),
            lambda: -1.5,
            lambda: float("nan"),
        ]
        kinds += [lambda: self.random.choice(TEXTS)] * 3
        if depth < 4:
            kinds += [lambda: [self.junk(depth + 1) for _ in range(self.random.randrange(4))]]
            kinds += [
                lambda: {self.random.choice(TEXTS): self.junk(depth + 1) for _ in range(self.random.randrange(4))}
            ]
        return self.random.choice(kinds)()

    def junk_object(self) -> dict[str, Any]:
        names = ("values", "raised", "stage", "id", "ready", *TEXTS)
        return {self.random.choice(names): self.junk() for _ in range(self.random.randrange(1, 4))}

    def raised(self) -> list[Any]:
        choice = self.random.choice
        frames = (
            wire.Frame("hw1/hw1.py", self.random.randrange(400), "forward"),
            wire.Frame(choice(TEXTS), 10**5, "f"),
        )
        honest = wire.Raised(
            type=choice(("TypeError", "IndexError", "NotImplementedError", "Broken", "NotBuilt", "NameError")),
            message=choice((*TEXTS, "hw1", "name 'x' is not defined", "f() takes 1 positional argument")),
            bases=("Exception", choice(TEXTS)),
            frames=choice((frames, ())),
            statement=choice((*TEXTS, "dx = layer.backward(delta)", f"f(x={'-' * 900}1)")),
            module=choice(TEXTS),
            expression="x @ W",
            values=(wire.Operand("x", "float64", (2, 3)), wire.Operand(choice(TEXTS), "NoneType", None)),
            missing=choice(
                (wire.Missing(), wire.Missing("x", kind="name"), wire.Missing("x", "Linear", "object", "student"))
            ),
            near=(choice(TEXTS),),
            call=wire.Callee("f", "numpy", choice(TEXTS)),
        )
        return [self.junk() if self.random.random() < 0.2 else value for value in honest]

    def blob(self) -> wire.Blob:
        shape = tuple(
            self.random.choice((0, 1, 2, 3, 7, 10**6)) for _ in range(self.random.choice((0, 1, 2, 3, 9, 33)))
        )
        dtype = self.random.choice(DTYPES)
        try:
            size = int(np.prod([float(n) for n in shape])) * np.dtype(dtype).itemsize
        except TypeError:
            size = 8
        return wire.Blob(dtype, shape, self.random.randbytes(size) if size < 1000 else bytes(min(size, 1 << 22)))

    def changed(self, blob: wire.Blob) -> wire.Blob:
        if blob.dtype != "<f8" or not blob.data:
            return blob
        array = np.frombuffer(blob.data).copy()
        array *= self.random.choice((1, -1, 2, 0, 1e300, np.nan))
        array[self.random.randrange(array.size)] = self.random.choice((0, 1, np.nan, -np.inf, 1e-320, 1e308))
        shape = self.random.choice((blob.shape, blob.shape[::-1], (1, *blob.shape), (array.size,), blob.shape))
        return wire.Blob("<f8", shape, array.tobytes())


def encoded(header: dict[str, Any], blobs: dict[str, wire.Blob]) -> bytes:
    stream = io.BytesIO()
    wire.send(stream, header, blobs)
    return stream.getvalue()


class Child:
    """What stands for the process: bytes go in, and what the answerer makes of them comes out."""

    pid = 0

    def __init__(self, answerer: Answerer, right: dict[Any, Any]) -> None:
        out, self._end = os.pipe()
        self.stdout, self.stderr = os.fdopen(out, "rb"), io.BytesIO()
        self.stdin, self._answerer, self._right, self._told = self, answerer, right, False

    def write(self, data: bytes) -> None:
        request = wire.receive(io.BytesIO(data))
        assert request is not None
        answer, closed = encoded({"ready": []}, {}), False
        if self._told:
            answer, closed = self._answerer.answer(request, self._right)
        self._told = True
        os.write(self._end, answer)
        if closed:
            self.close()

    def flush(self) -> None: ...

    def close(self) -> None:
        end, self._end = self._end, -1
        if end >= 0:
            os.close(end)

    kill = close

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def wait(self, timeout: float | None = None) -> int:
        return 0

    def send_signal(self, number: int) -> None: ...


@pytest.fixture(scope="module")
def right() -> dict[Any, Any]:
    """The solution's answers to every exercise, by exercise and inputs."""
    answers: dict[Any, Any] = {}
    with workplace.Workplace() as place:
        sandbox = place.lay_out(Submission(solution()))
        for key, (exercise, _) in cases.CASES.items():
            given = {name: wire.Blob(a.dtype.str, a.shape, a.tobytes()) for name, a in JUDGE.case(key)[0].items()}
            outcome = sandbox.run(exercise, given, 10)
            assert outcome.ended == "returned"
            asked = (exercise, *sorted((name, blob.data) for name, blob in given.items()))
            answers[asked] = {"values": outcome.types}, outcome.blobs
    return answers


def test_whatever_a_child_answers_there_is_a_report(right: dict[Any, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    assert CATALOGUE.hints
    seed, kinds = 0, Counter[str]()
    while sum(kinds.values()) < ANSWERS:
        seed += 1
        answerer = Answerer(seed)
        monkeypatch.setattr(process, "start", lambda _: Child(answerer, right))  # noqa: B023
        monkeypatch.setattr(process.system, "kill", lambda child: child.kill())
        with workplace.Workplace() as place:
            run = grade(Settings(deadline=0.1), place)
        monkeypatch.undo()
        assert run.failure == "", f"seed {seed}"
        assert len(run.verdicts) == len(PROBLEMS)
        for form in formats.FORMATS:
            out = io.StringIO()
            monkeypatch.setattr(sys, "stdout", out)
            assert formats.publish(run, form, None, None, whole=True), f"seed {seed}"
            monkeypatch.undo()
            assert all(c.isprintable() or c == "\n" for c in out.getvalue()), f"seed {seed}"
            if form == "autolab":
                assert len(json.loads(out.getvalue().splitlines()[-1])["scores"]) == len(PROBLEMS)
        kinds.update(answerer.kinds)
    assert min(kinds.values()) > ANSWERS / 20
