"""The gradient check finds each wrong gradient, and takes those of the solution to be correct."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

import pytest

import gradcheck
from grading.settings import Settings
from handins import Edit, body, called, edited, top, with_mistakes
from homework.cases import GRADIENTS


def test_the_solutions_gradients_are_those_of_its_forward_passes() -> None:
    done = called(gradcheck.main)
    assert done.returncode == 0
    assert "WRONG" not in done.stdout
    assert all(layer in done.stdout for layer in GRADIENTS)


@pytest.mark.parametrize(
    ("mistake", "layer", "words"),
    [
        ("sigmoid_derivative_twice", "sigmoid", "derivative() * delta"),
        ("tanh_derivative_sign", "tanh", "has the wrong sign"),
        ("loss_derivative_averaged", "loss", "1/6 of the expected"),
        ("dW_summed", "linear", "7 times the expected, and the batch has 7 rows"),
        ("db_row", "linear", "expected shape (1, 4)"),
        ("dx_averaged", "linear", "1/7 of the expected"),
        ("dgamma_averaged", "batchnorm", "1/7 of the expected"),
        ("dx_without_mean", "batchnorm", "backward(delta)"),
        ("dvar_power", "batchnorm", "backward(delta)"),
        ("derivative_skipped", "mlp", "linear_layers[0].dW"),
        ("batchnorm_back_skipped", "mlp-batchnorm", "bn_layers[0].dgamma"),
        ("backward_wrong_order", "mlp", "hw1/hw1.py, line"),
    ],
)
def test_a_wrong_gradient_is_found(mistake: str, layer: str, words: str, tmp_path: Path) -> None:
    done = called(gradcheck.main, "--submission", str(with_mistakes(tmp_path, mistake)), layer)
    assert done.returncode == 1
    assert words in done.stdout


SLEEP = "import time; time.sleep(1000)"
FAULTS: dict[str, tuple[Edit, str, str]] = {  # what is done to the solution, the layer's rows, and words of the page
    "hangs": (body("Linear.backward", SLEEP), "WRONG", "still running after 0.7 s, at mytorch/linear.py, line"),
    "hangs while it is imported": (
        top("mytorch/linear.py", f"{SLEEP}\n"),
        "WRONG",
        "still running after 0.7 s while it imported linear, at mytorch/linear.py, line 1",
    ),
    "ends the process": (body("Linear.backward", "import os; os._exit(3)"), "WRONG", "the process ended: exit status"),
    "sends nonsense": (body("Linear.backward", "import json; json.dumps = lambda value: ''"), "WRONG", "no answer"),
    "raises": (body("Linear.backward", "raise ValueError('no')"), "WRONG", "ValueError: no"),
    "is not written": (body("Linear.backward", "raise NotImplementedError"), "started", "not started: linear"),
    "returns a text": (
        body("Linear.backward", "original(*args); return 'dx'"),
        "ok ok WRONG",
        "backward(delta) is a str",
    ),
    "returns NaN": (body("Linear.backward", "return original(*args) * float('nan')"), "ok ok WRONG", "is not finite"),
    "has no differences": (
        body("Linear.forward", "return original(*args) * float('nan')"),
        "WRONG WRONG WRONG",
        "dW has no finite differences",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_layer_that_fails_costs_its_own_rows(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    edit, statuses, words = FAULTS[name]
    if "still running" in words:
        monkeypatch.setattr(gradcheck, "Settings", partial(Settings, deadline=0.7))
    done = called(gradcheck.main, "--submission", str(edited(tmp_path, edit)), "tanh", "linear", "loss")
    assert (done.returncode, done.stderr) == (1, "")
    rows = re.findall(r"^(tanh|linear|loss) .* (\w+)$", done.stdout, re.MULTILINE)
    assert rows == [("tanh", "ok"), *(("linear", status) for status in statuses.split()), ("loss", "ok")]
    assert words in " ".join(done.stdout.split())


@pytest.mark.parametrize("arguments", [["convolution"], ["--submission", "nowhere"]])
def test_a_bad_argument_is_reported(arguments: list[str]) -> None:
    done = called(gradcheck.main, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert arguments[-1] in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
