"""Exercises for what no problem looks at, and what hurts in later homeworks all the same."""

from __future__ import annotations

import numpy as np

from child.exercises import (
    Course,
    Values,
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
from sandbox.layers import BY_ATTRIBUTE, Quantity


@exercise
def probe_activation(course: Course, name: np.ndarray, x: np.ndarray) -> Values:
    """Large inputs, both calls, and what they leave of x and of `state`."""
    activation = getattr(course.activation, str(name))()
    values = {"forward(x)": np.copy(activation(x)), "derivative()": np.copy(activation.derivative())}
    again = np.copy(activation.derivative())
    return {**values, "derivative() again": again, "x after the calls": x, "state after the calls": activation.state}


@exercise
def probe_loss(course: Course, x: np.ndarray, y: np.ndarray) -> Values:
    criterion = course.loss.SoftmaxCrossEntropy()
    values = {"forward(x, y)": np.copy(criterion(x, y)), "derivative()": np.copy(criterion.derivative())}
    again = np.copy(criterion.derivative())
    return {**values, "derivative() again": again, "x after the calls": x, "y after the calls": y}


@exercise
def probe_linear_arguments(course: Course, W: np.ndarray, b: np.ndarray, x: np.ndarray, delta: np.ndarray) -> Values:
    layer = make_linear(course, W, b)
    layer(x)
    layer.backward(delta)
    values = {"W after the calls": layer.W, "b after the calls": layer.b}
    return {"x after the calls": x, "delta after the calls": delta, **values}


@exercise
def probe_linear_twice(course: Course, W: np.ndarray, b: np.ndarray, x: np.ndarray, delta: np.ndarray) -> Values:
    layer = make_linear(course, W, b)
    for _ in range(2):
        layer(x.copy())
        dx = layer.backward(delta.copy())
    return {"dW": layer.dW, "db": layer.db, "backward(delta)": dx}


@exercise
def probe_batchnorm(
    course: Course, x: np.ndarray, delta: np.ndarray, gamma: np.ndarray, beta: np.ndarray, calls: np.ndarray
) -> Values:
    """Forward and backward of one layer, `calls` times on the same arrays."""
    layer = make_batchnorm(course, gamma, beta)
    for _ in range(int(calls)):
        batch, upstream = x.copy(), delta.copy()
        out = np.copy(layer.forward(batch))
        dx = layer.backward(upstream)
    values = {"forward(x)": out, "backward(delta)": dx, "dgamma": layer.dgamma, "dbeta": layer.dbeta}
    values.update({**kept_by(layer, gamma.shape, "mean", "var"), **kept_by(layer, x.shape, "norm")})
    return {**values, "x after the calls": batch, "delta after the calls": upstream}


@exercise
def probe_batchnorm_eval(
    course: Course, x: np.ndarray, x_eval: np.ndarray, gamma: np.ndarray, beta: np.ndarray, calls: np.ndarray
) -> Values:
    """The same training batch, `calls` times, then inference twice."""
    layer = make_batchnorm(course, gamma, beta)
    for _ in range(int(calls)):
        layer(x.copy())
    first = np.copy(layer(x_eval.copy(), eval=True))
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

    before = np.random.get_state()[1].copy()  # type: ignore[index, union-attr]
    new_mlp(course, network, weight_init_fn, bias_init_fn)
    untouched = np.array_equal(before, np.random.get_state()[1])  # type: ignore[index]
    shapes = np.array(calls, dtype=np.int64).reshape(-1, 2)
    weights = shapes[:, 0] > 0
    values = {"weight_init_fn calls": shapes[weights], "bias_init_fn calls": shapes[~weights][:, 1]}
    return {**values, "numpy's generator is left alone": untouched}


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
    )
    return {"hiddens afterwards": np.array(hiddens)}


@exercise
def probe_mlp_figures(course: Course, x: np.ndarray, y: np.ndarray, **network: np.ndarray) -> Values:
    mlp = make_mlp(course, network)
    mlp(x)
    return {"error(labels)": mlp.error(y), "total_loss(labels)": mlp.total_loss(y)}


@exercise
def probe_mlp_zero_grads(course: Course, x: np.ndarray, y: np.ndarray, **network: np.ndarray) -> Values:
    """How large the gradients are that zero_grads leaves, in whatever form."""
    mlp = make_mlp(course, network)
    mlp(x)
    mlp.backward(y)
    mlp.zero_grads()
    left = downwards(gradients(mlp, network))
    return {
        f"the size of {name}": 0.0 if value is None else float(np.abs(value).max(initial=0.0))
        for name, value in left.items()
    }


@exercise
def probe_mlp_twice(course: Course, x: np.ndarray, y: np.ndarray, **network: np.ndarray) -> Values:
    mlp = make_mlp(course, network)
    for _ in range(2):
        batch, labels = x.copy(), y.copy()
        mlp(batch)
        mlp.backward(labels)
    return {**gradients(mlp, network), "x after the calls": batch, "labels after the calls": labels}


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
