"""Where inputs and expected values come from: prestored references, or a solution that is run on fresh inputs."""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
import zlib
from typing import Protocol

import numpy as np

from diagnosis.compare import array_of, blob_of
from grading import training_rules
from homework import cases, stored
from homework.problems import BY_KEY
from sandbox import wire
from sandbox.answers import Outcome
from sandbox.process import GraderError, Sandbox

Arrays = dict[str, np.ndarray]
ANSWERS = [f"question_{i}" for i in range(1, 6)]

_HEADER = re.compile(
    rb"\x93NUMPY\x01\0..\{'descr': '([<>|][biufU]\d+)', 'fortran_order': False, 'shape': \(([\d, ]*)\), \} *\n",
    re.DOTALL,
)


class Judge(Protocol):
    """Knows the inputs and the expected values of every case."""

    @property
    def seed(self) -> int | None:
        """The seed of fresh inputs, or None where they are the prestored ones."""

    def case(self, key: str) -> tuple[Arrays, Arrays]:
        """Return the inputs and the expected values of the case of that key."""


class Prestored:
    """Reads data/hw1_reference.npz, which PyTorch made."""

    seed = None

    def __init__(self, path: str) -> None:
        try:
            self._file = zipfile.ZipFile(io.BytesIO(stored.read(path)))
        except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
            raise GraderError(f"{path}: the references can't be read ({error})") from error
        self._names: dict[tuple[str, str], list[str]] = {}
        for name in self._file.namelist():
            key, side, quantity = name[: -len(".npy")].split("/", 2)
            self._names.setdefault((key, side), []).append(quantity)

    def case(self, key: str) -> tuple[Arrays, Arrays]:
        if (key, "out") not in self._names:  # nothing to compare with would pass whatever comes
            raise GraderError(f"the references hold nothing for {key}: they are older than this grader")
        try:
            return self._side(key, "in"), self._side(key, "out")
        except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise GraderError(f"the references for {key} can't be read ({error})") from error

    def _side(self, key: str, side: str) -> Arrays:
        return {name: _array(self._file.read(f"{key}/{side}/{name}.npy")) for name in self._names.get((key, side), [])}


def _array(data: bytes) -> np.ndarray:
    """The array of an .npy file; numpy's own reader parses the header as Python, which takes most of its time."""
    header = _HEADER.match(data)
    if header is None:
        raise ValueError("not an array of numbers or texts in C order")
    shape = tuple(int(n) for n in header[2].split(b",") if n.strip())
    return np.ndarray(shape, header[1].decode(), bytearray(data[header.end() :]))


class Solution:
    """Draws inputs from a seed, and has a solution give all expected values at once, in the sandbox handed over.

    After that the solution's process is of no more use. Raises GraderError if it gives none for a problem.
    """

    def __init__(self, sandbox: Sandbox, seed: int, deadline: float) -> None:
        self.seed = seed
        self._cases: dict[str, tuple[Arrays, Arrays]] = {}
        for key in cases.CASES:
            inputs = cases.draw(key, seed)
            outcome = perform(sandbox, key, inputs, deadline)
            if outcome.ended == "returned" and outcome.types and outcome.types.keys() == outcome.blobs.keys():
                expected = {name: array_of(blob) for name, blob in outcome.blobs.items()}
                digested = {"digest": np.array(digest(expected))} if key == "multiple_choice" else expected
                self._cases[key] = inputs, digested
            elif key in BY_KEY or outcome.ended != "raised":
                raise GraderError(_no_values(key, outcome.raised.type))

    def case(self, key: str) -> tuple[Arrays, Arrays]:
        if key not in self._cases:
            raise GraderError(_no_values(key, "it raised an exception"))
        return self._cases[key]


def _no_values(key: str, how: str) -> str:
    return f"the solution gave no values for {key}: {how}"


def perform(sandbox: Sandbox, key: str, inputs: Arrays, deadline: float) -> Outcome:
    """Run the exercise of a case; where it returns a log, what counts is how the rules read it."""
    exercise = cases.CASES[key][0]
    outcome = sandbox.run(exercise, blobs(inputs), deadline)
    return training_rules.read(outcome, inputs) if exercise == "training_log" else outcome


def blobs(arrays: Arrays) -> dict[str, wire.Blob]:
    return {name: blob_of(array) for name, array in arrays.items()}


def digest(answers: Arrays) -> str:
    """The five answers as the references keep them: so that reading those gives none away."""
    return hashlib.sha256("".join(str(answers[name]) for name in ANSWERS).encode()).hexdigest()
