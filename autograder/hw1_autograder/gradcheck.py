"""Checks a submission's gradients against central differences of its own forward passes.

    python3 autograder/hw1_autograder/gradcheck.py [--submission PATH] [layer ...]

Nothing here knows what the forward pass should be: a right backward of a wrong forward agrees.
"""

from __future__ import annotations

import argparse
import math
import sys
import textwrap
from typing import Any, Callable, NamedTuple, TextIO

import runner
import screen
from sandbox import GraderError
from submission import NoSubmission

RTOL = 1e-6  # of the largest entry; the differences themselves are good to about 1e-9


class Checked(NamedTuple):
    """One gradient: the largest error, relative to the largest entry, and what is wrong with it, if anything is."""

    layer: str
    quantity: str
    error: float
    fault: str


def _checks() -> dict[str, tuple[str, Callable[[Any], dict[str, Any]]]]:
    """Layer by name: the exercise of gradients.py, and the function that draws its inputs."""
    import cases

    def activation(name: str) -> Callable[[Any], dict[str, Any]]:
        # numbers() stays away from 0: ReLU has no derivative there.
        return lambda r: {"name": name, "x": cases.numbers(r, 5, 4), "delta": cases.numbers(r, 5, 4)}

    return {
        **{name.lower(): ("gradient_activation", activation(name)) for name in ("Sigmoid", "Tanh", "ReLU")},
        "loss": ("gradient_loss", cases.loss_inputs(6, 5)),
        "linear": ("gradient_linear", cases.linear_inputs(7, 5, 4)),
        "batchnorm": ("gradient_batchnorm", cases.batchnorm_inputs(7, 4)),
        "classifier": ("gradient_network", cases.mlp_inputs([5, 4], "Identity", [7])),
        "mlp": ("gradient_network", cases.mlp_inputs([5, 6, 5, 4], "Sigmoid Tanh Identity", [8])),
        "mlp-relu": ("gradient_network", cases.mlp_inputs([5, 6, 5, 4], "ReLU ReLU Identity", [8])),
        "mlp-batchnorm": ("gradient_network", cases.mlp_inputs([5, 6, 5, 4], "Sigmoid Sigmoid Identity", [8], bn=2)),
    }


LAYERS = (
    "sigmoid",
    "tanh",
    "relu",
    "loss",
    "linear",
    "batchnorm",
    "classifier",
    "mlp",
    "mlp-relu",
    "mlp-batchnorm",
)


def check(layer: str, sandbox: Any, files: Any, deadline: float) -> list[Checked]:
    """Check every gradient of one layer; an exercise that gives no values is one fault."""
    import cases
    import diagnose
    import numpy as np
    from compare import Mismatch, array_of, close
    from gradients import BY_DIFFERENCES
    from judges import blobs

    exercise, draw = _checks()[layer]
    inputs = {name: np.asarray(value) for name, value in draw(cases.Random(11785)).items()}
    outcome = sandbox.run(exercise, blobs(inputs), deadline)
    if diagnose.unstarted(outcome, files):
        return [Checked(layer, "", float("nan"), "not started")]
    if outcome.ended == "raised":
        return [Checked(layer, "", float("nan"), diagnose.exception(outcome, files))]
    if outcome.ended != "returned":
        return [Checked(layer, "", float("nan"), diagnose.ending(outcome, deadline))]
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
            size = max(float(np.abs(expected[name]).max()), 1e-3)
            error = float(np.abs(value - expected[name]).max()) / size
            fault = ""
            if not error <= RTOL:
                finite = bool(np.isfinite(value).all())
                wrong = int((~close(value, expected[name])).sum())
                sentence = f"{name} is wrong in {wrong} of {value.size} entries" if finite else f"{name} is not finite"
                mismatch = Mismatch(name, "value" if finite else "finite", sentence, kind, value, expected[name])
                fault = diagnose.evidence([mismatch], [], inputs, {name: expected[name]})
            checked.append(Checked(layer, name, error, fault))
    return checked


def show(checked: list[Checked], out: TextIO) -> None:
    """Print a row a gradient, below it what is wrong with it, and a summary."""
    width = screen.width_of(out)
    print(f"{'layer':<15}{'gradient':<28}{'largest error':<15}", file=out)
    said = ""
    for row in checked:
        error = "" if math.isnan(row.error) else f"{row.error:.1e}"
        verdict = "ok" if not row.fault else row.fault if row.fault == "not started" else "WRONG"
        print(f"{row.layer:<15}{row.quantity:<28}{error:<15}{verdict}", file=out)
        if row.fault not in ("", "not started", said):
            print(textwrap.fill(row.fault, width, initial_indent="    ", subsequent_indent="    "), file=out)
            said = row.fault
    right = sum(not row.fault for row in checked)
    print(f"\n{right} of {len(checked)} gradients are right", file=out)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Check gradients against central differences.")
    parser.add_argument("layers", nargs="*", metavar="layer", help=f"of {', '.join(LAYERS)} (default: all)")
    parser.add_argument("--submission", default=runner.ROOT, metavar="PATH", help="a folder or a handin.tar")
    own = parser.parse_args(argv)
    unknown = [layer for layer in own.layers if layer not in LAYERS]
    if unknown:
        parser.error(f"no layer {unknown[0]!r}: choose from {', '.join(LAYERS)}")
    try:
        with runner.laid_out(runner.arguments(["--submission", own.submission])) as (_, sandbox, files):
            deadline = runner.DEFAULT_DEADLINE
            checked = [row for layer in own.layers or LAYERS for row in check(layer, sandbox, files, deadline)]
    except (NoSubmission, GraderError) as error:
        print(f"nothing could be checked: {error}", file=sys.stderr)
        return 2
    show(checked, sys.stdout)
    return 1 if any(row.fault for row in checked) else 0


if __name__ == "__main__":
    sys.exit(main())
