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
from sandbox.layers import PARAMETERS, Quantity, quantity
from sandbox.process import Sandbox
from sandbox.submission import Submission
from sandbox.wire import BY_DIFFERENCES
from sandbox.workplace import Workplace

RTOL = 1e-6  # of the largest entry; the differences themselves are good to about 1e-9
SLIGHTLY = 1e-3  # off by less, a gradient is no multiple of the right one
LAYERS = tuple(GRADIENTS)
NOT_STARTED, NOT_COMPARABLE = "not started", "not comparable"


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
        return [Checked(layer, "", float("nan"), NOT_STARTED)]
    if outcome.ended == "raised":
        return [Checked(layer, "", float("nan"), exceptions.exception(outcome, files))]
    if outcome.ended != "returned":
        return [Checked(layer, "", float("nan"), exceptions.ending(outcome, deadline))]
    arrays = {name: array_of(blob) for name, blob in outcome.blobs.items()}
    names = [name for name in outcome.types if not name.endswith(BY_DIFFERENCES)]
    expected = {name: arrays[name + BY_DIFFERENCES] for name in names if name + BY_DIFFERENCES in arrays}
    checked = []
    for name in names:
        value, kind = arrays.get(name), outcome.types[name]
        if name not in expected:
            checked.append(Checked(layer, name, float("nan"), f"{name} has no differences to be compared with"))
        elif value is None or value.dtype.kind != "f" or value.shape != expected[name].shape:
            shape = f"of shape {value.shape}" if value is not None else ""
            wanted = expected[name].shape
            checked.append(Checked(layer, name, float("nan"), f"{name} is a {kind} {shape}, expected shape {wanted}"))
        else:
            checked.append(_compared(layer, quantity(name), value, expected[name], inputs))
    return checked


def _compared(
    layer: str, name: Quantity, value: np.ndarray, differences: np.ndarray, inputs: dict[str, np.ndarray]
) -> Checked:
    """One gradient beside the differences, and how it is wrong if it is."""
    if not np.isfinite(value).all():
        return Checked(layer, str(name), float("nan"), f"{name} is not finite")
    if not np.isfinite(differences).all():
        why = "forward is too coarse for differences here (float32), not smooth, or not finite"
        return Checked(layer, str(name), float("nan"), f"{NOT_COMPARABLE}: {why}")
    parameter = name.name[1:]
    if parameter in PARAMETERS and np.abs(value).max() > SLIGHTLY and not np.any(differences):
        return Checked(layer, str(name), float("nan"), f"{NOT_COMPARABLE}: forward gives the same for any {parameter}")
    size = max(float(np.abs(differences).max()), 1e-3)
    error = float(np.abs(value - differences).max()) / size
    if error <= RTOL:
        return Checked(layer, str(name), error, "")
    if error < SLIGHTLY:
        return Checked(layer, str(name), error, f"{name} is off by up to {error:.1e} of its largest entry")
    sentence = f"{name} is wrong in {int((~close(value, differences)).sum())} of {value.size} entries"
    mismatch = Mismatch(name, "value", sentence, "numpy.ndarray", value, differences)
    return Checked(layer, str(name), error, values.evidence([mismatch], [], inputs, {str(name): differences}))
