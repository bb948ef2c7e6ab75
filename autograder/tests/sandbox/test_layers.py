"""The table of layers holds for the solution's classes; every name of the stored arrays is read and written."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest

from grading.settings import REFERENCES, TRACES
from homework.problems import PROBLEMS
from sandbox.layers import BY_CLASS, FILES, LAYERS, Layer, Quantity, quantity


def constructed(layer: Layer) -> Any:
    kind = getattr(importlib.import_module(layer.module), layer.class_name)
    if layer.class_name == "Linear":
        return kind(3, 2, lambda i, o: np.ones((i, o)), lambda o: np.ones((1, o)))
    return kind(3) if layer.class_name == "BatchNorm" else kind()


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.class_name)
def test_a_layer_has_its_methods_and_sets_what_the_table_says(layer: Layer) -> None:
    made, x = constructed(layer), np.random.RandomState(0).randn(4, 3)
    labels = [np.eye(3)[[0, 1, 2, 0]]] if layer.class_name == "SoftmaxCrossEntropy" else []
    up, down = layer.methods
    out = getattr(made, up)(x, *labels)
    for name, handed in zip(layer.keeps, [x, *labels]):
        assert getattr(made, name) is handed
    assert not layer.output or np.array_equal(getattr(made, layer.output), out)
    getattr(made, down)(*([np.ones_like(out)] if down == "backward" else []))
    names = [*layer.keeps, *layer.parameters, *(name for names in layer.sets.values() for name in names)]
    assert all(isinstance(getattr(made, name), np.ndarray) for name in names)


def test_every_body_of_a_layer_that_is_asked_for_is_one_of_the_table() -> None:
    for problem in PROBLEMS:
        for body, function in zip(problem.bodies, problem.functions):
            owner, _, method = function.partition(".")
            if owner in BY_CLASS:
                assert body.startswith(FILES[BY_CLASS[owner].module])
                assert method in BY_CLASS[owner].methods


def test_every_stored_name_is_written_as_it_is_read() -> None:
    names = set()
    for path in (REFERENCES, TRACES):
        with np.load(path) as file:
            names |= {name.split("/", 2)[2] for name in file.files if name.count("/") == 2}
    assert len(names) > 100
    assert [name for name in names if str(quantity(name)) != name] == []


@pytest.mark.parametrize(
    ("text", "asked", "read", "owner", "method", "kept"),
    [
        ("linear_layers[0].W after step 2", "MLP", Quantity("linear_layers", 0, "W", 2), "Linear", "MLP.step", False),
        ("linear_layers[11].db", "MLP", Quantity("linear_layers", 11, "db"), "Linear", "MLP.backward", False),
        ("bn_layers[1].dgamma", "MLP", Quantity("bn_layers", 1, "dgamma"), "BatchNorm", "MLP.backward", False),
        ("bn_layers[1].gamma", "MLP", Quantity("bn_layers", 1, "gamma"), "BatchNorm", "MLP.step", True),
        ("bn_layers[0].norm", "MLP", Quantity("bn_layers", 0, "norm"), "BatchNorm", "MLP.forward", True),
        ("forward(x) again", "MLP", Quantity("MLP", None, "forward(x) again"), "MLP", "MLP.forward", False),
        ("criterion.derivative", "MLP", Quantity("criterion", None, "derivative"), "SoftmaxCrossEntropy", "", False),
        ("backward(delta)", "Linear", Quantity("Linear", None, "backward(delta)"), "Linear", "Linear.backward", False),
        ("dbeta", "BatchNorm", Quantity("BatchNorm", None, "dbeta"), "BatchNorm", "BatchNorm.backward", False),
        ("var", "BatchNorm", Quantity("BatchNorm", None, "var"), "BatchNorm", "BatchNorm.forward", True),
        ("state", "Tanh", Quantity("Tanh", None, "state"), "Tanh", "Tanh.forward", False),
        ("derivative()", "Tanh", Quantity("Tanh", None, "derivative()"), "Tanh", "Tanh.derivative", False),
    ],
)
def test_a_quantity_knows_whose_it_is_and_what_gives_it(
    text: str, asked: str, read: Quantity, owner: str, method: str, kept: bool
) -> None:
    assert quantity(text, asked) == read
    assert str(read) == text
    assert (read.owner, read.kept) == (owner, kept)
    assert not method or read.method == method
