"""What mytorch promises to the homeworks that import it, and whether another tree's mytorch keeps it.

Numbers are compared with the prestored references; how later homeworks use the names is tried by importers.py.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from diagnosis import exceptions
from diagnosis.compare import compare_all, text_of
from grading.judges import Prestored, blobs
from grading.settings import REFERENCES, Settings
from homework import cases
from sandbox.submission import NoSubmission, Submission
from sandbox.workplace import Workplace


class Promise(NamedTuple):
    """A sentence on mytorch, and the cases of cases.py, or exercises of importers.py, that show whether it holds."""

    sentence: str
    shown_by: tuple[str, ...]
    later: bool = False  # what one later homework asks for on top: HW1 does not promise it


class Kept(NamedTuple):
    """A promise's sentence, and how the tree differs from it: empty if it doesn't."""

    sentence: str
    difference: str
    later: bool = False


PROMISES = (
    Promise("import activation, loss, linear, batchnorm: the names are there", ("importer_modules",)),
    Promise("from mytorch import …: the same names", ("importer_package",)),
    Promise("star imports bring the names, np and os", ("importer_star",)),
    Promise("constructors and calls take their arguments by position", ("importer_positional",)),
    *(
        promise
        for name, key in (("Sigmoid", "sigmoid"), ("Tanh", "tanh"), ("ReLU", "relu"))
        for promise in (
            Promise(f"{name}: forward, derivative, state", (f"{key}_forward", f"{key}_derivative")),
            Promise(f"{name}: three axes, large inputs, nothing mutated", (f"{key}_axes",)),
        )
    ),
    Promise("SoftmaxCrossEntropy: loss (N,), derivative not divided by N", ("loss_forward", "loss_derivative")),
    Promise("SoftmaxCrossEntropy: large logits, nothing mutated", ("loss_large",)),
    Promise("SoftmaxCrossEntropy: labels that are not one-hot and sum to 1", ("loss_soft",)),
    Promise("SoftmaxCrossEntropy keeps logits, labels and loss", ("loss_attributes",)),
    Promise("Linear: dW and db are means over the batch, dx is not", ("linear_forward", "linear_backward")),
    Promise("Linear: gradients are overwritten, nothing mutated", ("linear_twice", "linear_arguments")),
    Promise("Linear: zero gradients and velocities at the start", ("linear_start",)),
    Promise("Linear takes a bias of shape (out,)", ("linear_bias_row",)),
    Promise("BatchNorm: biased variance, dgamma and dbeta are sums", ("batchnorm_layer", "batchnorm_small")),
    Promise("BatchNorm: gradients are overwritten, nothing mutated", ("batchnorm_twice",)),
    Promise("BatchNorm: inference moves nothing", ("batchnorm_eval", "batchnorm_eval_small")),
    Promise("BatchNorm: start values, and what it keeps of a batch", ("batchnorm_start", "batchnorm_attributes")),
    Promise("grad *= activation.derivative() spoils nothing", ("importer_in_place",)),
    Promise("parameters may be replaced: layer.W = …", ("importer_replaced",)),
    Promise("float32 stays float32", ("importer_dtype",)),
    Promise("HW3P1: Tanh().derivative(state=h), h an output of tanh", ("importer_state",), later=True),
)


def tree(path: str) -> Submission:
    """Read the mytorch at a path, which may be that folder or the one above it; raise NoSubmission if none is there."""
    folder = os.path.join(path, "mytorch")
    if not os.path.isdir(folder):
        folder = path
    found = Submission()
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__")))
        for name in sorted(files):
            full = os.path.join(place, name)
            inner = "mytorch/" + os.path.relpath(full, folder).replace(os.sep, "/")
            if name.endswith(".py") and os.path.isfile(full) and found.take(inner, os.path.getsize(full)):
                with open(full, "rb") as file:
                    found.files[inner] = file.read()
    if not {"mytorch/activation.py", "mytorch/loss.py", "mytorch/linear.py"} & found.files.keys():
        raise NoSubmission(f"{path}: no mytorch there, that is, no folder with activation.py, loss.py and linear.py")
    return found


def answer(path: str, settings: Settings, workplace: Workplace) -> list[Kept]:
    """Try every promise on the mytorch at a path; raise NoSubmission or GraderError if that can't be."""
    files, judge = tree(path), Prestored(REFERENCES)
    sandbox = workplace.lay_out(files)

    def differences(promise: Promise) -> Iterator[str]:
        for key in promise.shown_by:
            if key in cases.CASES:
                exercise, (given, expected) = cases.CASES[key][0], judge.case(key)
            else:
                exercise, given, expected = key, inputs(key), {"fault": np.array("")}
            outcome = sandbox.run(exercise, blobs(given), settings.deadline)
            if outcome.ended == "raised" and exceptions.unstarted(outcome, files):
                yield f"still to be written: {' '.join(outcome.raised['message'].split())[:200]}"
            elif outcome.ended == "raised":
                yield exceptions.exception(outcome, files)
            elif outcome.ended != "returned":
                yield exceptions.ending(outcome, settings.deadline)
            elif "fault" in expected:
                fault = outcome.blobs.get("fault")
                if fault is None or outcome.types.get("fault") != "str":
                    yield "what came back is no answer"
                elif text := text_of(fault):
                    yield "".join(c if c.isprintable() else "?" for c in text[:300])
            else:
                yield from (mismatch.sentence for mismatch in compare_all(outcome, expected))

    return [Kept(promise.sentence, next(differences(promise), ""), promise.later) for promise in PROMISES]


def inputs(exercise: str) -> dict[str, np.ndarray]:
    """The arrays for an exercise of importers.py: a small linear layer, its input, logits and labels, an image."""
    if exercise in ("importer_modules", "importer_package", "importer_star"):
        return {}
    random = cases.Random(cases.SEED)
    arrays = {**cases.linear_inputs(6, 4, 3)(random), "y": cases.one_hot(random, 6, 10), "logits": random.randn(6, 10)}
    if exercise == "importer_in_place":
        arrays["image"] = cases.numbers(random, 2, 3, 5)
    if exercise == "importer_dtype":
        arrays = {name: array.astype(np.float32) for name, array in arrays.items()}
    wanted = {
        "importer_positional": ("W", "b", "x", "logits", "y"),
        "importer_replaced": ("W", "b", "x"),
        "importer_state": ("x",),
    }
    return {name: array for name, array in arrays.items() if name in wanted.get(exercise, arrays)}
