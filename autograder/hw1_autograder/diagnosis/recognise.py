"""Recognises known mistakes by their numbers: data/hw1_mistakes.npz holds a few of each wrong result.

A mistake is named only where all the wrong quantities of a problem are the very ones that it gives, and no passed
problem speaks against it; where several mistakes give the same numbers, all of them are named.
"""

from __future__ import annotations

import io
import os
from collections.abc import Collection
from functools import cached_property
from typing import NamedTuple

import numpy as np

from diagnosis.compare import Mismatch, output_wrong
from homework import stored
from sandbox.answers import Outcome
from sandbox.layers import quantity

SAMPLES = 6
RTOL = 1e-6
MOST_HINTS = 2  # beyond that, nothing is singled out


class Trace(NamedTuple):
    """What is kept of one wrong quantity: type and shape in words, and a few of its numbers."""

    what: str
    sample: tuple[float, ...]

    def same(self, other: Trace) -> bool:
        return self.what == other.what and bool(np.allclose(self.sample, other.sample, rtol=RTOL, equal_nan=True))


Signature = dict[str, Trace]  # of one exercise: the wrong quantities


def _judged(signature: Signature) -> set[str]:
    return {name for name in signature if not quantity(name).kept}


class Hint(NamedTuple):
    """What a mistake of the catalogue says: its text, where in the writeup to read again, and the mistake's key."""

    text: str
    section: str
    key: str


def signature(outcome: Outcome, mismatches: list[Mismatch]) -> Signature:
    """The signature of an exercise's outcome; empty if all is correct, or nothing is to be compared."""
    if outcome.ended == "raised":
        file = outcome.raised.frames[-1].file if outcome.raised.frames else ""
        what = f"{file}: {outcome.raised.type}: {outcome.raised.message}"[:120]
        return {"raised": Trace(what, (0.0,) * SAMPLES)}
    traces = {}
    for mismatch in mismatches:
        value, what, sample = mismatch.value, mismatch.type, np.zeros(SAMPLES)
        if value is not None and value.dtype.kind in "biuf" and value.size:
            what = f"{value.dtype} {value.shape}"
            sample = value.astype(np.float64).flat[np.linspace(0, value.size - 1, SAMPLES).astype(int)]
        elif value is not None and value.dtype.kind == "U":
            what = str(value)[:120]
        traces[str(mismatch.quantity)] = Trace(what, tuple(float(number) for number in sample))
    if output_wrong(mismatches):  # what a layer keeps tells more of a wrong output
        correct = [name for name in outcome.types if quantity(name).kept and name not in traces]
        traces.update(dict.fromkeys(correct, Trace("right", (0.0,) * SAMPLES)))
    return traces


class Catalogue:
    """The signatures of all known mistakes, by case; read when they are first asked for.

    It is empty where there is no file; `fault` says why where the file can't be read.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self.fault = ""

    @cached_property
    def hints(self) -> list[Hint]:
        """What each mistake says."""
        return [Hint(*map(str, row)) for row in self._columns["hints"]] if self._columns else []

    @cached_property
    def signatures(self) -> list[dict[str, Signature]]:
        """The signatures of each mistake, by case."""
        signatures: list[dict[str, Signature]] = [{} for _ in self.hints]
        if self._columns:
            names = [str(name) for name in self._columns["names"]]
            rows = zip(*(self._columns[name] for name in ("mistake", "case", "quantity", "what", "sample")))
            for mistake, case, name, what, sample in rows:
                traces = signatures[mistake].setdefault(names[case], {})
                traces[names[name]] = Trace(names[what], tuple(float(number) for number in sample))
        return signatures

    @cached_property
    def _columns(self) -> dict[str, np.ndarray]:
        if not os.path.exists(self._path):
            return {}
        try:
            with np.load(io.BytesIO(stored.read(self._path)), allow_pickle=False) as file:
                return {name: file[name] for name in file.files}
        except (OSError, ValueError) as error:
            self.fault = f"{os.path.basename(self._path)} can't be read ({error})"
            return {}

    def candidates(self, key: str, traces: Signature, passed: set[str], among: Collection[str] = ()) -> list[int]:
        """The mistakes that give this very signature in the case of that key, and nothing wrong in a passed one."""
        return [
            mistake
            for mistake, cases in enumerate(self.signatures)
            if traces and self.gives(mistake, key, traces, among) and not passed & cases.keys()
        ]

    def gives(self, mistake: int, key: str, traces: Signature, among: Collection[str] = ()) -> bool:
        """Whether a mistake gives this very signature in the case of that key, or among some of its quantities.

        What a layer may keep is compared where it is known on both sides.
        """
        known = self.signatures[mistake].get(key, {})
        known = {name: trace for name, trace in known.items() if not among or name in among}
        alike = bool(known) and _judged(known) == _judged(traces)
        return alike and all(known[name].same(traces[name]) for name in known.keys() & traces.keys())

    def named(self, mistakes: list[int]) -> list[Hint]:
        """The different hints of these mistakes, or none if too many are left to single one out.

        Mistakes with the same numbers share a hint: it carries the key of the first.
        """
        hints: dict[tuple[str, str], Hint] = {}
        for mistake in mistakes:
            hint = self.hints[mistake]
            hints.setdefault((hint.text, hint.section), hint)
        return [*hints.values()] if len(hints) <= MOST_HINTS else []


def columns(hints: list[Hint], signatures: list[dict[str, Signature]]) -> dict[str, np.ndarray]:
    """The arrays that `Catalogue` reads: columns of one row a wrong quantity, names by their number."""
    rows = [
        (mistake, case, name, trace.what, trace.sample)
        for mistake, cases in enumerate(signatures)
        for case, traces in cases.items()
        for name, trace in traces.items()
    ]
    names = sorted({name for row in rows for name in row[1:4]})
    number = {name: np.int16(place) for place, name in enumerate(names)}
    return {
        "hints": np.array([list(hint) for hint in hints]),
        "names": np.array(names),
        "mistake": np.array([row[0] for row in rows], np.int16),
        "case": np.array([number[row[1]] for row in rows]),
        "quantity": np.array([number[row[2]] for row in rows]),
        "what": np.array([number[row[3]] for row in rows]),
        "sample": np.array([row[4] for row in rows], np.float64),
    }
