"""Exercises that use mytorch as the later homeworks do, each with a line on what went wrong, or none."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from child.exercises import Course, Values, exercise, make_batchnorm, make_linear

NAMES = {
    "activation": ("Activation", "Identity", "Sigmoid", "Tanh", "ReLU"),
    "loss": ("Criterion", "SoftmaxCrossEntropy"),
    "linear": ("Linear",),
    "batchnorm": ("BatchNorm",),
}
ACTIVATIONS = ("Identity", "Sigmoid", "Tanh", "ReLU")


def said(faults: Iterator[str]) -> Values:
    return {"fault": "; ".join(faults)}


@exercise
def importer_modules(course: Course) -> Values:
    """import activation, with the folder on the path."""
    return said(
        f"{module} has no {name}"
        for module, names in NAMES.items()
        for name in names
        if not hasattr(getattr(course, module), name)
    )


@exercise
def importer_package(course: Course) -> Values:
    """from mytorch import Linear; from mytorch.linear import Linear, with the folder above on the path."""

    def faults() -> Iterator[str]:
        package = importlib.import_module("mytorch")
        for module, names in NAMES.items():
            inner = importlib.import_module(f"mytorch.{module}")
            for name in names:
                if getattr(package, name, None) is not getattr(inner, name, inner):
                    yield f"`from mytorch import {name}` is not what `from mytorch.{module} import {name}` is"

    return said(faults())


@exercise
def importer_star(course: Course) -> Values:
    """from activation import *: the convolution homework's files take numpy and os from there as well."""

    def faults() -> Iterator[str]:
        for module, names in NAMES.items():
            getattr(course, module)
            names_there: dict[str, Any] = {}
            exec(f"from {module} import *", names_there)
            also = ("np", "os") if module in ("activation", "loss") else ("np",)
            for name in (*names, *also):
                if name not in names_there:
                    yield f"`from {module} import *` brings no {name}"

    return said(faults())


@exercise
def importer_positional(
    course: Course, W: np.ndarray, b: np.ndarray, x: np.ndarray, logits: np.ndarray, y: np.ndarray
) -> Values:
    def faults() -> Iterator[str]:
        layer = make_linear(course, W, b)
        if np.shape(layer.W) != W.shape or np.shape(layer.b) != b.shape:
            yield f"Linear{W.shape} has W of shape {np.shape(layer.W)} and b of shape {np.shape(layer.b)}"
        if not np.array_equal(layer(x), layer.forward(x)):
            yield "Linear: layer(x) and layer.forward(x) differ"
        norm = course.batchnorm.BatchNorm(x.shape[1], 0.7)
        if norm.alpha != 0.7:
            yield "BatchNorm(in_feature, alpha) keeps another alpha"
        norm(x)
        if not np.array_equal(norm(x, True), norm.forward(x, eval=True)):
            yield "BatchNorm: layer(x, True) and layer.forward(x, eval=True) differ"
        criterion = course.loss.SoftmaxCrossEntropy()
        if not np.array_equal(criterion(logits, y), criterion.forward(logits, y)):
            yield "SoftmaxCrossEntropy: criterion(x, y) and criterion.forward(x, y) differ"

    return said(faults())


@exercise
def importer_in_place(
    course: Course,
    W: np.ndarray,
    b: np.ndarray,
    x: np.ndarray,
    logits: np.ndarray,
    y: np.ndarray,
    delta: np.ndarray,
    image: np.ndarray,
) -> Values:
    """grad *= activation.derivative(), on two and three axes, on what a layer or a criterion returned."""

    def faults() -> Iterator[str]:
        for name in ACTIVATIONS:
            for z in (x, image):
                activation = getattr(course.activation, name)()
                state = np.copy(activation(z))
                slope = np.ones_like(z) * activation.derivative()  # which may be 1.0, as Identity's in the starter
                grad = np.ones_like(z)
                grad *= activation.derivative()
                if state.shape != z.shape or not np.array_equal(grad, slope):
                    yield f"{name}: grad *= derivative() on {z.ndim} axes is not the derivative"
                slope_again = np.ones_like(z) * activation.derivative()
                if not (np.array_equal(activation.state, state) and np.array_equal(slope_again, slope)):
                    yield f"{name}: grad *= derivative() changes state"
        layer = make_linear(course, W, b)
        layer(x)
        given = delta.copy()
        grad = layer.backward(given)
        kept = [np.copy(array) for array in (layer.W, layer.dW, layer.db)]
        grad *= 2
        if not all(map(np.array_equal, kept, (layer.W, layer.dW, layer.db))) or (given != delta).any():
            yield "Linear: what backward returns shares memory with the layer, or with delta"
        criterion = course.loss.SoftmaxCrossEntropy()
        criterion(logits, y)
        grad = criterion.derivative()
        kept = [np.copy(grad)]
        grad *= 2
        if not np.array_equal(criterion.derivative(), kept[0]):
            yield "SoftmaxCrossEntropy: what derivative returns is the criterion's own array"

    return said(faults())


@exercise
def importer_replaced(course: Course, W: np.ndarray, b: np.ndarray, x: np.ndarray) -> Values:
    """layer.W = layer.W - lr * layer.dW: a later homework's step puts other arrays in the layer."""

    def faults() -> Iterator[str]:
        layer = make_linear(course, W, b)
        layer.W, layer.b = np.zeros_like(W), np.ones((1, W.shape[1]))
        if not np.array_equal(layer(x), np.ones((len(x), W.shape[1]))):
            yield "Linear.forward does not read W and b at the call"
        norm = course.batchnorm.BatchNorm(x.shape[1])
        norm.gamma, norm.beta = np.zeros((1, x.shape[1])), np.ones((1, x.shape[1]))
        if not np.array_equal(norm(x), np.ones_like(x)):
            yield "BatchNorm.forward does not read gamma and beta at the call"

    return said(faults())


@exercise
def importer_state(course: Course, x: np.ndarray) -> Values:
    """Tanh().derivative(state=h): the recurrent homework keeps the outputs of its cells itself."""

    def faults() -> Iterator[str]:
        h = np.tanh(x)
        tanh = course.activation.Tanh()
        slopes = [tanh.derivative(state=h)]
        tanh(x[:1])
        slopes.append(tanh.derivative(state=h))
        if not all(np.shape(slope) == h.shape and np.allclose(slope, 1 - h**2) for slope in slopes):
            yield "Tanh.derivative(state=h) is not the derivative where tanh is h"

    return said(faults())


@exercise
def importer_dtype(
    course: Course, W: np.ndarray, b: np.ndarray, x: np.ndarray, logits: np.ndarray, y: np.ndarray, delta: np.ndarray
) -> Values:
    """float32 in, float32 out."""

    def results() -> Iterator[tuple[str, Any]]:
        for name in ACTIVATIONS:
            activation = getattr(course.activation, name)()
            yield f"{name}.forward", activation(x)
            yield f"{name}.derivative", x * activation.derivative()
        layer = make_linear(course, W, b)
        yield "Linear.forward", layer(x)
        yield "Linear.backward", layer.backward(delta)
        yield from ((f"Linear.{name}", getattr(layer, name)) for name in ("dW", "db"))
        criterion = course.loss.SoftmaxCrossEntropy()
        yield "SoftmaxCrossEntropy.forward", criterion(logits, y)
        yield "SoftmaxCrossEntropy.derivative", criterion.derivative()
        norm = make_batchnorm(course, x[:1], x[1:2])  # BatchNorm(size) alone has float64 parameters
        yield "BatchNorm.forward", norm(x)
        yield "BatchNorm.backward", norm.backward(x)

    kinds = ((name, getattr(value, "dtype", type(value).__name__)) for name, value in results())
    return said(f"{name} of float32 is {kind}" for name, kind in kinds if kind != np.float32)
