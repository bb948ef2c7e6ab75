"""Exercises for what no problem looks at, and what hurts in later homeworks all the same.

What is about change compares the submission with its own earlier answers, and returns in words what changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Callable

import numpy as np

from child.exercises import (
    Course,
    Values,
    batches,
    bn_layers,
    copied,
    downwards,
    exercise,
    gradients,
    kept_by,
    linear_layers,
    make_activation,
    make_batchnorm,
    make_linear,
    make_mlp,
    new_mlp,
    numbered,
)
from sandbox.layers import BY_ATTRIBUTE, BY_CLASS, Quantity, quantity


class Changes:
    """The first array that a call changes although it should only read it."""

    def __init__(self) -> None:
        self.first = ""

    @contextmanager
    def by(self, call: str, look: Callable[[], Values]) -> Iterator[None]:
        """Compare what `look` finds after the call with copies of what it found before."""
        before = {name: np.copy(value) for name, value in look().items()}
        yield
        changed = [name for name, value in look().items() if not same(before[name], value)]
        self.first = self.first or next((f"{name}, by {call}" for name in changed), "")

    def derivative(self, layer: Any, look: Callable[[], Values]) -> np.ndarray:
        """What derivative() returns, which should change nothing and return the same when called again."""
        with self.by("derivative()", look):
            derivative = np.copy(layer.derivative())
        again = layer.derivative()
        if not self.first and not same(derivative, again):
            self.first = "what derivative() returns, in a second call"
        return derivative


def same(value: Any, other: Any) -> bool:
    """Whether two arrays hold the same numbers; NaN is equal to NaN."""
    return np.array_equal(value, other, equal_nan=True)


def grown(call: Callable[[], Values]) -> str:
    """The first gradient that is larger by one factor in all entries when the same call is made again, or nothing."""
    before = {name: np.copy(value) for name, value in call().items()}
    for name, value in call().items():
        size = np.vdot(before[name], before[name])
        factor = np.vdot(before[name], value) / size if size > 1e-12 else 1.0
        if factor > 1 + 1e-6 and np.allclose(value, factor * before[name]):
            return f"{name} is {factor:.4g} times as large"
    return ""


@exercise
def probe_activation(course: Course, name: np.ndarray, x: np.ndarray) -> Values:
    activation, changes = getattr(course.activation, str(name))(), Changes()
    with changes.by("forward(x)", lambda: {"x": x}):
        out = np.copy(activation(x))
    derivative = changes.derivative(activation, lambda: {"x": x, "state": activation.state})
    return {"forward(x)": out, "derivative()": derivative, "changed": changes.first}


@exercise
def probe_loss(course: Course, x: np.ndarray, y: np.ndarray) -> Values:
    criterion, changes = course.loss.SoftmaxCrossEntropy(), Changes()
    with changes.by("forward(x, y)", lambda: {"x": x, "y": y}):
        loss = np.copy(criterion(x, y))
    derivative = changes.derivative(criterion, lambda: {"x": x, "y": y})
    return {"forward(x, y)": loss, "derivative()": derivative, "changed": changes.first}


def changed_by_layer(layer: Any, x: np.ndarray, delta: np.ndarray, *parameters: str) -> Values:
    """What forward or backward changes of the arrays that it is given, and of the layer's parameters."""
    changes = Changes()
    for call, method, argument in (("forward(x)", layer, x), ("backward(delta)", layer.backward, delta)):
        with changes.by(call, lambda: {"x": x, "delta": delta, **{name: getattr(layer, name) for name in parameters}}):
            method(argument)
    return {"changed": changes.first}


@exercise
def probe_linear_arguments(course: Course, W: np.ndarray, b: np.ndarray, x: np.ndarray, delta: np.ndarray) -> Values:
    return changed_by_layer(make_linear(course, W, b), x, delta, *BY_CLASS["Linear"].parameters)


@exercise
def probe_batchnorm_arguments(
    course: Course, x: np.ndarray, delta: np.ndarray, gamma: np.ndarray, beta: np.ndarray
) -> Values:
    return changed_by_layer(make_batchnorm(course, gamma, beta), x, delta, *BY_CLASS["BatchNorm"].parameters)


def grown_in_layer(layer: Any, x: np.ndarray, delta: np.ndarray, *names: str) -> Values:
    """Which gradient grows when forward and backward are called again with equal arrays."""

    def call() -> Values:
        layer(x.copy())
        layer.backward(delta.copy())
        return {name: getattr(layer, name) for name in names}

    return {"after a second call": grown(call)}


@exercise
def probe_linear_twice(course: Course, W: np.ndarray, b: np.ndarray, x: np.ndarray, delta: np.ndarray) -> Values:
    return grown_in_layer(make_linear(course, W, b), x, delta, *BY_CLASS["Linear"].gradients)


@exercise
def probe_batchnorm_twice(
    course: Course, x: np.ndarray, delta: np.ndarray, gamma: np.ndarray, beta: np.ndarray
) -> Values:
    return grown_in_layer(make_batchnorm(course, gamma, beta), x, delta, *BY_CLASS["BatchNorm"].gradients)


@exercise
def probe_batchnorm(course: Course, x: np.ndarray, delta: np.ndarray, gamma: np.ndarray, beta: np.ndarray) -> Values:
    layer = make_batchnorm(course, gamma, beta)
    values = {"forward(x)": copied(layer.forward(x.copy())), "backward(delta)": layer.backward(delta.copy())}
    values.update({"dgamma": layer.dgamma, "dbeta": layer.dbeta})
    return {**values, **kept_by(layer, gamma.shape, "mean", "var"), **kept_by(layer, x.shape, "norm")}


@exercise
def probe_batchnorm_eval(
    course: Course, x: np.ndarray, x_eval: np.ndarray, gamma: np.ndarray, beta: np.ndarray, calls: np.ndarray
) -> Values:
    """The same training batch, `calls` times, then inference twice."""
    layer = make_batchnorm(course, gamma, beta)
    for _ in range(int(calls)):
        layer(x.copy())
    first = copied(layer(x_eval.copy(), eval=True))
    again = layer(x_eval.copy(), eval=True)
    values = {"forward(x, eval=True)": first, "forward(x, eval=True) again": again}
    return {**values, **kept_by(layer, gamma.shape, "running_mean", "running_var")}


@exercise
def probe_mlp_init(course: Course, **network: np.ndarray) -> Values:
    """The calls of the init functions, in order, and what the constructor makes of its other arguments."""
    calls: list[list[int]] = []

    def weight_init_fn(i: int, o: int) -> np.ndarray:
        calls.append([i, o])
        return np.full((i, o), 0.01 * len(calls))

    def bias_init_fn(o: int) -> np.ndarray:
        calls.append([0, o])
        return np.full((1, o), 0.01 * len(calls))

    following = []  # the number that the generator gives after the constructor, by the seed before it
    for seed in (1, 2):
        calls.clear()
        np.random.seed(seed)
        new_mlp(course, network, weight_init_fn, bias_init_fn)
        following.append(np.random.uniform())
    left_alone = following == [np.random.RandomState(seed).uniform() for seed in (1, 2)]
    use = "" if left_alone else "seeded" if following[0] == following[1] else "drawn from"
    shapes = np.array(calls, dtype=np.int64).reshape(-1, 2)
    weights = shapes[:, 0] > 0
    values = {"weight_init_fn calls": shapes[weights], "bias_init_fn calls": shapes[~weights][:, 1]}
    return {**values, "NumPy's generator": use}


@exercise
def probe_mlp_hiddens(course: Course, **network: np.ndarray) -> Values:
    """A list of hiddens that is looked at afterwards."""
    weights = numbered(network, "W")
    hiddens = [W.shape[1] for W in weights[:-1]]
    course.hw1.MLP(
        weights[0].shape[0],
        weights[-1].shape[1],
        hiddens,
        [make_activation(course, str(name)) for name in network["activations"]],
        lambda i, o: np.full((i, o), 0.01),
        lambda o: np.zeros((1, o)),
        course.loss.SoftmaxCrossEntropy(),
        0.1,
        momentum=0.0,
        num_bn_layers=0,
    )
    return {"hiddens afterwards": np.array(hiddens)}


@exercise
def probe_mlp_figures(course: Course, x: np.ndarray, y: np.ndarray, **network: np.ndarray) -> Values:
    mlp = make_mlp(course, network)
    mlp(x)
    return {"error(labels)": mlp.error(y), "total_loss(labels)": mlp.total_loss(y)}


@exercise
def probe_mlp_zero_grads(course: Course, x: np.ndarray, y: np.ndarray, **network: np.ndarray) -> Values:
    """The layers whose gradients zero_grads does not clear; None is clear as well."""
    mlp = make_mlp(course, network)
    mlp(x)
    mlp.backward(y)
    mlp.zero_grads()
    left = [name for name, value in gradients(mlp, network).items() if value is not None and np.any(value)]
    return {"left behind": ", ".join(dict.fromkeys(quantity(name).place for name in left))}


@exercise
def probe_mlp_twice(course: Course, x: np.ndarray, y: np.ndarray, **network: np.ndarray) -> Values:
    mlp, changes = make_mlp(course, network), Changes()

    def call() -> Values:
        batch, labels = x.copy(), y.copy()
        with changes.by("forward(x)", lambda: {"x": batch}):
            mlp(batch)
        with changes.by("backward(labels)", lambda: {"x": batch, "labels": labels}):
            mlp.backward(labels)
        return gradients(mlp, network)

    return {"after a second call": grown(call), "changed": changes.first}


@exercise
def probe_mlp_plain_steps(
    course: Course, rows: np.ndarray, x: np.ndarray, y: np.ndarray, **network: np.ndarray
) -> Values:
    """The first gamma or beta that a step moves by another amount than the learning rate times its own gradient."""
    mlp = make_mlp(course, network)
    for step, (batch_x, batch_y) in enumerate(batches(rows, x, y), 1):
        mlp.zero_grads()
        mlp(batch_x)
        mlp.backward(batch_y)
        due = {
            (i, name): getattr(layer, name) - network["lr"] * getattr(layer, f"d{name}")
            for i, layer in enumerate(bn_layers(mlp, network))
            for name in BY_ATTRIBUTE["bn_layers"].parameters
        }
        mlp.step()
        for (i, name), value in due.items():
            if not np.allclose(getattr(bn_layers(mlp, network)[i], name), value):
                return {"the first that does not": str(Quantity("bn_layers", i, name, step))}
    return {"the first that does not": ""}


@exercise
def probe_mlp_dtype(course: Course, x: np.ndarray, y: np.ndarray, **network: np.ndarray) -> Values:
    """What turns first, as a training step goes, where all is float32, the parameters of batch norm too."""
    mlp = make_mlp(course, network)
    mlp.zero_grads()
    values = {"forward(x)": mlp(x.copy())}
    mlp.backward(y.copy())
    values.update(downwards(gradients(mlp, network)))
    mlp.step()
    for i, layer in enumerate(linear_layers(mlp, network)):
        for name in BY_ATTRIBUTE["linear_layers"].parameters:
            values[f"{Quantity('linear_layers', i, name)} after the step"] = getattr(layer, name)
    types = {name: np.asarray(value).dtype for name, value in values.items()}
    turned = [f"{name} is {dtype}" for name, dtype in types.items() if dtype != np.float32]
    return {"the first that turns": (turned or [""])[0]}
