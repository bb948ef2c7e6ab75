"""Exercises that set a submission's gradients beside central differences of its own forward pass.

Each quantity comes twice, `dW` and `dW by differences`; the course's conventions (a mean for dW and db, a sum for
dgamma and dbeta) are in the second.
"""

from __future__ import annotations

from typing import Any, Callable

import numpy as np

from child.exercises import (
    Course,
    Values,
    bn_layers,
    exercise,
    gradients,
    linear_layers,
    make_batchnorm,
    make_linear,
    make_mlp,
)
from sandbox.layers import quantity
from sandbox.wire import BY_DIFFERENCES

STEP = 1e-5
AGREEMENT = 1e-6  # of two steps, relative to the largest entry


def differences(function: Callable[[], Any], array: np.ndarray) -> np.ndarray:
    """The derivative of a scalar function by every entry of an array that it reads, (f(x + h) - f(x - h)) / 2h.

    NaN where twice the step gives another: float32 numbers are too coarse for it, or the function is not smooth.
    """
    by_step = []
    for step in (STEP, 2 * STEP):
        derivative = np.zeros_like(array)
        for where in np.ndindex(*array.shape):
            kept = array[where]
            array[where] = kept + step
            above = float(function())
            array[where] = kept - step
            below = float(function())
            array[where] = kept
            derivative[where] = (above - below) / (2 * step)
        by_step.append(derivative)
    once, twice = by_step
    return np.where(np.abs(once - twice) <= AGREEMENT * max(np.abs(once).max(), 1e-3), once, np.nan)


def by_parameter(function: Callable[[], Any], layer: Any, name: str) -> np.ndarray:
    """The derivative by every entry of a layer's parameter, set anew before each call: it may be a property."""
    array = np.asarray(getattr(layer, name))

    def with_it() -> Any:
        setattr(layer, name, array)
        return function()

    derivative = differences(with_it, array)
    setattr(layer, name, array)
    return derivative


def both(analytic: Values, numeric: dict[str, np.ndarray]) -> Values:
    return {**analytic, **{f"{name}{BY_DIFFERENCES}": value for name, value in numeric.items()}}


@exercise
def gradient_activation(course: Course, name: np.ndarray, x: np.ndarray, delta: np.ndarray) -> Values:
    activation = getattr(course.activation, str(name))()
    activation(x.copy())
    analytic = {"derivative() * delta": activation.derivative() * delta}
    return both(analytic, {"derivative() * delta": differences(lambda: (activation(x.copy()) * delta).sum(), x)})


@exercise
def gradient_loss(course: Course, x: np.ndarray, y: np.ndarray) -> Values:
    criterion = course.loss.SoftmaxCrossEntropy()
    criterion(x.copy(), y.copy())
    analytic = {"derivative()": criterion.derivative()}
    return both(analytic, {"derivative()": differences(lambda: np.sum(criterion(x.copy(), y.copy())), x)})


@exercise
def gradient_linear(course: Course, W: np.ndarray, b: np.ndarray, x: np.ndarray, delta: np.ndarray) -> Values:
    layer = make_linear(course, W, b)
    layer(x.copy())
    dx = layer.backward(delta.copy())
    analytic = {"dW": layer.dW, "db": layer.db, "backward(delta)": dx}
    n = len(x)

    def loss() -> Any:
        return (layer(x.copy()) * delta).sum()

    numeric = {
        name: by_parameter(loss, layer, name[1:]).reshape(shape) / n
        for name, shape in [("dW", W.shape), ("db", b.shape)]
    }
    return both(analytic, {**numeric, "backward(delta)": differences(loss, x)})


@exercise
def gradient_batchnorm(course: Course, x: np.ndarray, delta: np.ndarray, gamma: np.ndarray, beta: np.ndarray) -> Values:
    layer = make_batchnorm(course, gamma, beta)
    layer(x.copy())
    dx = layer.backward(delta.copy())
    analytic = {"dgamma": layer.dgamma, "dbeta": layer.dbeta, "backward(delta)": dx}

    def loss() -> Any:
        return (layer(x.copy()) * delta).sum()

    numeric = {name: by_parameter(loss, layer, name[1:]) for name in ("dgamma", "dbeta")}
    return both(analytic, {**numeric, "backward(delta)": differences(loss, x)})


@exercise
def gradient_network(course: Course, x: np.ndarray, y: np.ndarray, **network: np.ndarray) -> Values:
    mlp = make_mlp(course, network)
    mlp(x.copy())
    mlp.backward(y.copy())
    analytic = {name: np.copy(value) for name, value in gradients(mlp, network).items()}
    criterion = course.loss.SoftmaxCrossEntropy()

    def loss() -> Any:
        return np.sum(criterion(mlp(x.copy()), y.copy()))

    layers = {"linear_layers": linear_layers(mlp, network), "bn_layers": bn_layers(mlp, network)}
    numeric = {}
    for name in analytic:
        gradient = quantity(name)
        layer = layers[gradient.layer][gradient.index or 0]
        n = len(x) if gradient.layer == "linear_layers" else 1
        numeric[name] = by_parameter(loss, layer, gradient.name[1:]) / n
    return both(analytic, numeric)
