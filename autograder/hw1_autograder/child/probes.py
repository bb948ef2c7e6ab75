"""Exercises for what no problem looks at, and what hurts in later homeworks all the same."""

from __future__ import annotations

import warnings
from typing import Any, Callable

import numpy as np

from child.exercises import (
    Course,
    Values,
    batches,
    exercise,
    gradients,
    linear_backward,
    make_batchnorm,
    make_linear,
    make_mlp,
    new_mlp,
    numbered,
    train_on,
)

TINY = 1e-8  # a variance at which epsilon decides


def warned(function: Callable[[], Values]) -> Values:
    """Run function with warnings recorded, and return them (one text) with its values."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        values = function()
    return {**values, "warnings": "; ".join(sorted({str(w.message)[:80] for w in caught}))}


@exercise
def probe_activation(course: Course, name: np.ndarray, x: np.ndarray) -> Values:
    """Large inputs, both calls, and what they leave of x and of `state`."""
    activation = getattr(course.activation, str(name))()

    def both() -> Values:
        values = {"forward(x)": np.copy(activation(x)), "derivative()": np.copy(activation.derivative())}
        again = activation.derivative()
        return {
            **values,
            "derivative() again": again,
            "x after the calls": x,
            "state after the calls": activation.state,
        }

    return warned(both)


@exercise
def probe_loss(course: Course, x: np.ndarray, y: np.ndarray) -> Values:
    criterion = course.loss.SoftmaxCrossEntropy()

    def both() -> Values:
        values = {"forward(x, y)": np.copy(criterion(x, y)), "derivative()": np.copy(criterion.derivative())}
        again = criterion.derivative()
        return {**values, "derivative() again": again, "x after the calls": x, "y after the calls": y}

    return warned(both)


@exercise
def probe_loss_attributes(course: Course, x: np.ndarray, y: np.ndarray) -> Values:
    criterion = course.loss.SoftmaxCrossEntropy()
    criterion(x, y)
    return {"logits": criterion.logits, "labels": criterion.labels, "loss": criterion.loss}


@exercise
def probe_linear_arguments(course: Course, W: np.ndarray, b: np.ndarray, x: np.ndarray, delta: np.ndarray) -> Values:
    layer = make_linear(course, W, b)
    layer(x)
    layer.backward(delta)
    return {"x after the calls": x, "delta after the calls": delta, "W": layer.W, "b": layer.b, "x": layer.x}


@exercise
def probe_linear_twice(course: Course, W: np.ndarray, b: np.ndarray, x: np.ndarray, delta: np.ndarray) -> Values:
    layer = make_linear(course, W, b)
    for _ in range(2):
        layer(x)
        dx = layer.backward(delta)
    return {"dW": layer.dW, "db": layer.db, "backward(delta)": dx}


@exercise
def probe_linear_start(course: Course, W: np.ndarray, b: np.ndarray) -> Values:
    layer = make_linear(course, W, b)
    names = ("dW", "db", "momentum_W", "momentum_b")
    return {name: getattr(layer, name) for name in names}


@exercise
def probe_linear_bias_row(course: Course, W: np.ndarray, b: np.ndarray, x: np.ndarray, delta: np.ndarray) -> Values:
    """An init function that returns the bias as (out,)."""
    return linear_backward(course, W, b[0], x, delta)


@exercise
def probe_batchnorm(
    course: Course, x: np.ndarray, delta: np.ndarray, gamma: np.ndarray, beta: np.ndarray, calls: np.ndarray
) -> Values:
    """Forward and backward of one layer, `calls` times on the same arrays."""
    layer = make_batchnorm(course, gamma, beta)

    def both() -> Values:
        for _ in range(int(calls)):
            out = layer(x)
            dx = layer.backward(delta)
        values = {"forward(x)": out, "norm": layer.norm, "backward(delta)": dx, "x": layer.x}
        values.update({"dgamma": layer.dgamma, "dbeta": layer.dbeta, "mean": layer.mean, "var": layer.var})
        values.update({"running_mean": layer.running_mean, "running_var": layer.running_var})
        return {**values, "x after the calls": x, "delta after the calls": delta}

    return warned(both)


@exercise
def probe_batchnorm_gamma(
    course: Course, x: np.ndarray, delta: np.ndarray, gamma: np.ndarray, beta: np.ndarray, calls: np.ndarray
) -> Values:
    """Whether dgamma is what it would be with the output in norm's place."""
    layer = make_batchnorm(course, gamma, beta)
    out = layer(x)
    layer.backward(delta)
    return {"dgamma is sum(delta * out)": bool(np.allclose(layer.dgamma, (delta * out).sum(axis=0)))}


@exercise
def probe_batchnorm_start(course: Course, size: np.ndarray) -> Values:
    layer = course.batchnorm.BatchNorm(int(size))
    names = ("gamma", "beta", "dgamma", "dbeta", "running_mean", "running_var")
    return {"alpha": layer.alpha, "eps": layer.eps, **{name: getattr(layer, name) for name in names}}


@exercise
def probe_batchnorm_eval(
    course: Course, x: np.ndarray, x_eval: np.ndarray, gamma: np.ndarray, beta: np.ndarray
) -> Values:
    """One training batch, then inference twice, what it leaves of the running averages, and a tiny variance."""
    layer = make_batchnorm(course, gamma, beta)
    layer(x)
    first = layer(x_eval, eval=True)
    second = layer(x_eval, eval=True)
    values = {"running_mean": np.copy(layer.running_mean), "running_var": np.copy(layer.running_var)}
    layer.running_var = np.full_like(gamma, TINY)
    tiny = layer(x_eval, eval=True)
    values["forward(x, eval=True) where running_var is tiny"] = tiny
    return {"forward(x, eval=True)": first, "forward(x, eval=True) again": second, **values}


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

    before = np.random.get_state()[1].copy()  # type: ignore[index, union-attr]
    make_mlp(course, network, weight_init_fn, bias_init_fn)
    untouched = np.array_equal(before, np.random.get_state()[1])  # type: ignore[index]
    shapes = np.array(calls, dtype=np.int64).reshape(-1, 2)
    weights = shapes[:, 0] > 0
    values = {"weight_init_fn calls": shapes[weights], "bias_init_fn calls": shapes[~weights][:, 1]}
    return {**values, "numpy's generator is left alone": untouched}


@exercise
def probe_mlp_attributes(course: Course, **network: np.ndarray) -> Values:
    mlp = make_mlp(course, network)
    numbers = ("input_size", "output_size", "nlayers", "num_bn_layers", "lr", "momentum")
    values: Values = {name: getattr(mlp, name) for name in numbers}
    for count in range(int(mlp.num_bn_layers) + 1):
        some = {name: value for name, value in network.items() if not name.startswith("gamma") or int(name[5:]) < count}
        values[f"bn at num_bn_layers={count}"] = bool(make_mlp(course, some).bn)
    values["train_mode"] = bool(mlp.train_mode)
    mlp.eval()
    values["train_mode after eval()"] = bool(mlp.train_mode)
    mlp.train()
    values["train_mode after train()"] = bool(mlp.train_mode)
    return values


@exercise
def probe_mlp_hiddens(course: Course, as_tuple: np.ndarray, x: np.ndarray, **network: np.ndarray) -> Values:
    """`hiddens` as a tuple or a list that is looked at afterwards."""
    weights = numbered(network, "W")
    hiddens: Any = [W.shape[1] for W in weights[:-1]]
    mlp = course.hw1.MLP(
        weights[0].shape[0],
        weights[-1].shape[1],
        tuple(hiddens) if as_tuple else hiddens,
        [getattr(course.activation, str(name))() for name in network["activations"]],
        lambda i, o: np.full((i, o), 0.01),
        lambda o: np.zeros((1, o)),
        course.loss.SoftmaxCrossEntropy(),
        0.1,
    )
    return {"forward(x).shape": np.array(np.shape(mlp(x))), "hiddens afterwards": np.array(hiddens)}


@exercise
def probe_mlp_bias_row(course: Course, rows: np.ndarray, x: np.ndarray, y: np.ndarray, **network: np.ndarray) -> Values:
    """Two steps of a network whose init functions return biases of shape (out,)."""
    weights, biases = iter(numbered(network, "W")), iter(numbered(network, "b"))
    mlp = new_mlp(course, network, lambda i, o: next(weights).copy(), lambda o: next(biases)[0].copy())
    for batch_x, batch_y in batches(rows, x, y):
        train_on(mlp, batch_x, batch_y)
    return {f"linear_layers[{i}].b": np.ravel(layer.b) for i, layer in enumerate(mlp.linear_layers)}


@exercise
def probe_names(course: Course) -> Values:
    """Which of the layers can't be reached as `nn.Sigmoid` after `import hw1 as nn`."""
    names = ("Identity", "Sigmoid", "Tanh", "ReLU", "SoftmaxCrossEntropy", "Linear", "BatchNorm")
    return {"what hw1 does not hand on": ", ".join(name for name in names if not hasattr(course.hw1, name))}


@exercise
def probe_mlp_figures(course: Course, x: np.ndarray, y: np.ndarray, **network: np.ndarray) -> Values:
    mlp = make_mlp(course, network)
    output = mlp(x)
    values = {"output is kept": np.array_equal(output, mlp.output)}
    return {**values, "error(labels)": mlp.error(y), "total_loss(labels)": mlp.total_loss(y)}


@exercise
def probe_mlp_zero_grads(course: Course, x: np.ndarray, y: np.ndarray, **network: np.ndarray) -> Values:
    mlp = make_mlp(course, network)
    mlp(x)
    mlp.backward(y)
    mlp.zero_grads()
    return gradients(mlp)


@exercise
def probe_mlp_twice(course: Course, x: np.ndarray, y: np.ndarray, **network: np.ndarray) -> Values:
    mlp = make_mlp(course, network)
    for _ in range(2):
        mlp(x)
        mlp.backward(y)
    return {**gradients(mlp), "x after the calls": x, "labels after the calls": y}


@exercise
def probe_mlp_dtype(course: Course, x: np.ndarray, y: np.ndarray, **network: np.ndarray) -> Values:
    """Two training steps and an inference pass of a network whose init functions return float32."""
    random = np.random.RandomState(0)

    def init(*shape: int) -> np.ndarray:
        return random.randn(*shape).astype(np.float32)

    mlp = new_mlp(course, network, init, lambda o: init(1, o))
    for _ in range(2):
        train_on(mlp, x, y)
    values = {"forward(x)": mlp(x), **gradients(mlp)}
    for i, layer in enumerate(mlp.linear_layers):
        for name in ("W", "b", "momentum_W", "momentum_b"):
            values[f"linear_layers[{i}].{name}"] = getattr(layer, name)
    for i, bn in enumerate(mlp.bn_layers):
        for name in ("gamma", "beta", "running_mean", "running_var"):
            values[f"bn_layers[{i}].{name}"] = getattr(bn, name)
    mlp.eval()
    values["forward(x) in inference"] = mlp(x)
    return {name: np.asarray(value).dtype.name for name, value in values.items()}
