"""What a type checker tells whoever uses the library: right calls pass, arguments in another's place are named."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]

GIVEN = """
import hw1 as nn
import numpy as np


def weights(i: int, o: int) -> np.ndarray:
    return np.zeros((i, o))


def biases(o: int) -> np.ndarray:
    return np.zeros((1, o))


x, labels = np.zeros((5, 7)), np.eye(5, 4)
activations = [nn.Sigmoid(), nn.Identity()]
criterion = nn.SoftmaxCrossEntropy()
mlp = nn.MLP(7, 4, [6], activations, weights, biases, criterion, 0.1, momentum=0.9, num_bn_layers=1)
layer = nn.Linear(7, 4, weights, biases)
"""

# Right, and the same with arguments swapped, left out or unknown.
CALLS = [
    ("nn.Linear(7, 4, weights, biases)", "nn.Linear(7, 4, biases, weights)"),
    ("nn.BatchNorm(7, 0.5)", "nn.BatchNorm(0.5, 7)"),
    ("nn.BatchNorm(7)(x, True)", "nn.BatchNorm(7)(True, x)"),
    (
        "nn.MLP(7, 4, [6], activations, weights, biases, criterion, 0.1)",
        "nn.MLP(7, 4, activations, [6], weights, biases, criterion, 0.1)",
    ),
    (
        "nn.MLP(7, 4, range(6, 7), tuple(activations), weights, biases, criterion, 0.1)",
        "nn.MLP(7, 4, range(6, 7), tuple(activations), biases, weights, criterion, 0.1)",
    ),
    (
        "nn.MLP(7, 4, [6], activations, weights, biases, criterion, 0.1, 0.9)",
        "nn.MLP(7, 4, [6], activations, weights, biases, 0.1, criterion, 0.9)",
    ),
    (
        "nn.MLP(7, 4, [6], activations, weights, biases, criterion, 0.1, 0.9, 1)",
        "nn.MLP(7, 4, [6], activations, weights, biases, criterion, 0.1, 1, 0.9)",
    ),
    (
        "nn.get_training_stats(mlp, [(x, labels), (x, labels)], 1, 2)",
        "nn.get_training_stats([(x, labels), (x, labels)], mlp, 1, 2)",
    ),
    ("nn.Tanh().derivative(state=x)", "nn.Sigmoid().derivative(state=x)"),
    ("criterion(x, labels).mean()", "criterion(x)"),
    ("layer.backward(layer(x)).shape", "layer.backward()"),
    ("layer.gradients(layer(x))", "layer.gradients(layer)"),
    # None before the first pass, and nobody has to ask for that.
    ("mlp.output.argmax(axis=1)", "mlp.ouput"),
    ("criterion.loss.mean()", "criterion.losses"),
    ("layer.x.shape", "layer.X"),
    ("activations[0].state * (1 - activations[0].state)", "activations[0].states"),
    ("mlp.error(labels) + 1", "mlp.error(labels) + 'x'"),
]


def test_right_calls_pass_and_wrong_ones_are_named(tmp_path: Path) -> None:
    pytest.importorskip("mypy", reason="mypy, whose word this is, is not installed")
    lines = GIVEN.strip().splitlines()
    wrong = {}
    for right, other in CALLS:
        lines += [right, other]
        wrong[len(lines)] = other
    (tmp_path / "user.py").write_text("\n".join(lines) + "\n")
    env = {**os.environ, "MYPYPATH": os.pathsep.join([str(ROOT / "mytorch"), str(ROOT / "hw1")])}
    command = [sys.executable, "-m", "mypy", "--config-file", os.devnull, "--cache-dir", "cache", "user.py"]
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=300)
    found = {int(number) for number in re.findall(r"^user\.py:(\d+): error:", done.stdout, re.M)}
    assert {number: lines[number - 1] for number in found} == wrong, done.stdout


SOURCES = sorted([*ROOT.glob("mytorch/*.py"), *ROOT.glob("hw1/*.py")])


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_every_signature_is_annotated(path: Path) -> None:
    for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(function, ast.FunctionDef):
            parameters = [parameter for parameter in function.args.args if parameter.arg != "self"]
            assert function.returns, function.name
            assert all(parameter.annotation for parameter in parameters), function.name
