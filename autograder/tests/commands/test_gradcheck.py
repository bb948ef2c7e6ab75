"""The gradient check finds each wrong gradient, and holds those of the solution for right."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

import gradcheck
from handins import with_mistakes
from homework.cases import GRADIENTS


def checked(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    status = gradcheck.main(list(arguments))
    return status, capsys.readouterr().out


def test_the_solutions_gradients_are_those_of_its_forward_passes(capsys: pytest.CaptureFixture[str]) -> None:
    status, text = checked(capsys)
    assert status == 0
    assert "WRONG" not in text
    assert all(layer in text for layer in GRADIENTS)


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
def test_a_wrong_gradient_is_found(
    mistake: str, layer: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with_mistakes(tmp_path, mistake)
    status, text = checked(capsys, "--submission", str(tmp_path), layer)
    assert status == 1
    assert words in text


@pytest.mark.parametrize("arguments", [["convolution"], ["--submission", "nowhere"]])
def test_a_bad_argument_is_said(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with contextlib.suppress(SystemExit):
        assert gradcheck.main(arguments) == 2
    assert "Traceback" not in capsys.readouterr().err
