"""A submission's gradients beside central differences of its own forward passes.

Nothing here knows what the forward pass should be: a right backward of a wrong forward agrees.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from diagnosis import exceptions, values
from diagnosis.compare import Mismatch, array_of, close
from grading.judges import blobs
from grading.settings import Settings
from homework.cases import GRADIENTS, SEED, Random
from sandbox import submission
from sandbox.layers import quantity
from sandbox.process import Sandbox
from sandbox.submission import Submission
from sandbox.wire import BY_DIFFERENCES
from sandbox.workplace import Workplace

RTOL = 1e-6  # of the largest entry; the differences themselves are good to about 1e-9
LAYERS = tuple(GRADIENTS)


class Checked(NamedTuple):
    """One gradient: the largest error, relative to the largest entry, and what is wrong with it, if anything is."""

    layer: str
    quantity: str
    error: float
    fault: str


def check(layers: Iterable[str], settings: Settings, workplace: Workplace) -> list[Checked]:
    """Check every gradient of these layers; raise NoSubmission or GraderError if that can't be."""
    files = submission.read(settings.submission)
    sandbox = workplace.lay_out(files)
    return [row for layer in layers for row in _check(layer, sandbox, files, settings.deadline)]


def _check(layer: str, sandbox: Sandbox, files: Submission, deadline: float) -> list[Checked]:
    """Check every gradient of one layer; an exercise that gives no values is one fault."""
    exercise, draw = GRADIENTS[layer]
    inputs = {name: np.asarray(value) for name, value in draw(Random(SEED)).items()}
    outcome = sandbox.run(exercise, blobs(inputs), deadline)
    if exceptions.unstarted(outcome, files):
        return [Checked(layer, "", float("nan"), "not started")]
    if outcome.ended == "raised":
        return [Checked(layer, "", float("nan"), exceptions.exception(outcome, files))]
    if outcome.ended != "returned":
        return [Checked(layer, "", float("nan"), exceptions.ending(outcome, deadline))]
    arrays = {name: array_of(blob) for name, blob in outcome.blobs.items()}
    names = [name for name in outcome.types if not name.endswith(BY_DIFFERENCES)]
    differences = {name: arrays.get(name + BY_DIFFERENCES) for name in names}
    expected = {name: array for name, array in differences.items() if array is not None and np.isfinite(array).all()}
    checked = []
    for name in names:
        value, kind = arrays.get(name), outcome.types[name]
        if name not in expected:
            checked.append(Checked(layer, name, float("nan"), f"{name} has no finite differences to be compared with"))
        elif value is None or value.dtype.kind != "f" or value.shape != expected[name].shape:
            shape = f"of shape {value.shape}" if value is not None else ""
            wanted = expected[name].shape
            checked.append(Checked(layer, name, float("nan"), f"{name} is a {kind} {shape}, expected shape {wanted}"))
        else:
            size = max(float(np.abs(expected[name]).max()), 1e-3)
            error = float(np.abs(value - expected[name]).max()) / size
            fault = ""
            if not error <= RTOL:
                finite = bool(np.isfinite(value).all())
                wrong = int((~close(value, expected[name])).sum())
                sentence = f"{name} is wrong in {wrong} of {value.size} entries" if finite else f"{name} is not finite"
                what = "value" if finite else "finite"
                mismatch = Mismatch(quantity(name), what, sentence, kind, value, expected[name])
                fault = values.evidence([mismatch], [], inputs, {name: expected[name]})
            checked.append(Checked(layer, name, error, fault))
    return checked
