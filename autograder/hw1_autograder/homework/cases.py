"""Inputs of every exercise: named arrays, drawn from a seed.

The prestored references are one drawing of these; comparing with a solution draws others. Every parameter is
random and non-zero, gamma is not 1 and beta not 0, batch sizes are uneven, no delta is all ones, and zeros stand
among ReLU's inputs: an all-ones delta, for one, would make batch norm's gradient vanish and hide mistakes.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any, Callable

import numpy as np

Arrays = dict[str, np.ndarray]
Random = np.random.RandomState  # its stream never changes between numpy's versions

SEED = 11785


def draw(key: str, seed: int = SEED) -> Arrays:
    """Return the inputs of the case of that key: the same arrays for the same seed, everywhere."""
    random = Random([seed & 0xFFFFFFFF, zlib.crc32(key.encode())])
    return {name: np.asarray(value) for name, value in CASES[key][1](random).items()}


def numbers(random: Random, *shape: int) -> np.ndarray:
    """Numbers of size about 1, none of them near zero."""
    return random.uniform(0.1, 2.0, shape) * random.choice([-1.0, 1.0], shape)


def one_hot(random: Random, n: int, classes: int) -> np.ndarray:
    return np.eye(classes)[random.randint(classes, size=n)]


def activation_inputs(name: str, *shape: int) -> Callable[[Random], dict[str, Any]]:
    def inputs(random: Random) -> dict[str, Any]:
        x = 1.5 * numbers(random, *shape)
        x[random.uniform(size=shape) < 0.1] = 0
        x.flat[0] = 0
        return {"name": name, "x": x}

    return inputs


def loss_inputs(n: int, classes: int) -> Callable[[Random], dict[str, Any]]:
    return lambda random: {"x": 1.5 * random.randn(n, classes), "y": one_hot(random, n, classes)}


def linear_inputs(n: int, i: int, o: int) -> Callable[[Random], dict[str, Any]]:
    return lambda random: {
        "W": numbers(random, i, o),
        "b": numbers(random, 1, o),
        "x": numbers(random, n, i),
        "delta": numbers(random, n, o),
    }


def network(
    random: Random,
    sizes: list[int],
    activations: str,
    bn: int = 0,
    lr: float = 0.1,
    momentum: float | None = 0.0,
) -> Iterator[tuple[str, Any]]:
    """Yield the parameters of a network of these layer sizes, `bn` of them with batch norm.

    Without a momentum, the constructor is called without the arguments that have a default.
    """
    for k, (i, o) in enumerate(zip(sizes, sizes[1:])):
        yield f"W{k}", numbers(random, i, o) / np.sqrt(i)
        yield f"b{k}", 0.5 * numbers(random, 1, o)
        if k < bn:
            yield f"gamma{k}", random.uniform(0.5, 1.5, (1, o))
            yield f"beta{k}", 0.5 * numbers(random, 1, o)
    yield "activations", activations.split()
    yield "lr", lr
    if momentum is not None:
        yield "momentum", momentum


def mlp_inputs(
    sizes: list[int],
    activations: str,
    rows: list[int],
    bn: int = 0,
    lr: float = 0.1,
    momentum: float | None = 0.0,
    labelled: bool = True,
    **more: Any,
) -> Callable[[Random], dict[str, Any]]:
    """A network, and batches of inputs and labels; `rows` is handed on where there are several batches."""

    def inputs(random: Random) -> dict[str, Any]:
        values = dict(network(random, sizes, activations, bn, lr, momentum))
        values["x"] = random.randn(sum(rows), sizes[0])
        if labelled:
            values["y"] = one_hot(random, sum(rows), sizes[-1])
        if len(rows) > 1:
            values["rows"] = np.array(rows)
        for name, value in more.items():
            values[name] = value(random) if callable(value) else value
        return values

    return inputs


def network_alone(sizes: list[int], activations: str) -> Callable[[Random], dict[str, Any]]:
    return lambda random: dict(network(random, sizes, activations))


def large_inputs(name: str) -> Callable[[Random], dict[str, Any]]:
    """Exact zeros, the far tails, and sizes at which an exponential overflows."""

    def inputs(random: Random) -> dict[str, Any]:
        x = numbers(random, 4, 5)
        x.flat[:5] = [-1e4, 1e4, 0, -40, -700]
        return {"name": name, "x": x}

    return inputs


def large_logits(random: Random) -> dict[str, Any]:
    """Rows of very different sizes, and confident mistakes, where the loss is large."""
    x = random.randn(6, 10)
    x[0] += 1e4
    x[1, 2] = -1e4
    x[2, 5:] = [0, 40, 80, 120, 1e3]
    return {"x": x, "y": np.eye(10)[[0, 2, 0, 1, 3, 4]]}


def batchnorm_inputs(n: int, d: int, spread: float = 1.0) -> Callable[[Random], dict[str, Any]]:
    return lambda random: {
        "x": spread * numbers(random, n, d),
        "delta": numbers(random, n, d),
        "gamma": random.uniform(0.5, 1.5, (1, d)),
        "beta": numbers(random, 1, d),
    }


def batchnorm_eval_inputs(spread: float = 1.0, calls: int = 1) -> Callable[[Random], dict[str, Any]]:
    def inputs(random: Random) -> dict[str, Any]:
        values = batchnorm_inputs(9, 4, spread)(random)
        del values["delta"]
        return {**values, "calls": calls, "x_eval": spread * (3 + random.randn(3, 4))}

    return inputs


def as_float32(inputs: Callable[[Random], dict[str, Any]]) -> Callable[[Random], dict[str, Any]]:
    """The same arrays with every floating-point array of at least one axis in float32."""

    def converted(random: Random) -> dict[str, Any]:
        values = inputs(random)
        return {
            name: value.astype(np.float32) if isinstance(value, np.ndarray) and value.dtype.kind == "f" else value
            for name, value in values.items()
        }

    return converted


def training_inputs(train: int, val: int, batch_size: int) -> Callable[[Random], dict[str, Any]]:
    """Three small partitions, their rows around the centres of their classes, so that a small network soon learns."""

    def inputs(random: Random) -> dict[str, Any]:
        values: dict[str, Any] = {"hidden": 8, "lr": 0.5, "nepochs": 3, "batch_size": batch_size}
        centres = 3 * numbers(random, 10, 7)
        for part, rows in (("train", train), ("val", val), ("test", 6)):
            values[f"{part}_y"] = one_hot(random, rows, 10)
            values[f"{part}_x"] = values[f"{part}_y"] @ centres + random.uniform(-0.5, 0.5, (rows, 7))
        return values

    return inputs


# As in the course's tests: 10 outputs, sigmoids. In the third, what no student wrote stands in the sigmoids' place.
HIDDEN1 = ([9, 8, 6, 10], "Sigmoid Sigmoid Identity", [13])
HIDDEN2 = ([7, 9, 5, 8, 10], "Sigmoid Sigmoid Sigmoid Identity", [11])
HIDDEN3 = ([8, 10, 7, 9, 6, 10], "Softsign Identity Softsign Softsign Softsign", [17])

# key of the case: exercise, and the function that draws its inputs
CASES: dict[str, tuple[str, Callable[[Random], dict[str, Any]]]] = {
    "multiple_choice": ("multiple_choice", lambda random: {}),
    "sigmoid_forward": ("activation_forward", activation_inputs("Sigmoid", 11, 7)),
    "sigmoid_derivative": ("activation_derivative", activation_inputs("Sigmoid", 13, 6)),
    "tanh_forward": ("activation_forward", activation_inputs("Tanh", 11, 7)),
    "tanh_derivative": ("activation_derivative", activation_inputs("Tanh", 13, 6)),
    "relu_forward": ("activation_forward", activation_inputs("ReLU", 11, 7)),
    "relu_derivative": ("activation_derivative", activation_inputs("ReLU", 13, 6)),
    "loss_forward": ("loss_forward", loss_inputs(13, 10)),
    "loss_derivative": ("loss_derivative", loss_inputs(17, 10)),
    "linear_forward": (
        "linear_forward",
        lambda r: {k: v for k, v in linear_inputs(11, 9, 6)(r).items() if k != "delta"},
    ),
    "linear_backward": ("linear_backward", linear_inputs(13, 8, 5)),
    "classifier_forward": ("mlp_forward", mlp_inputs([12, 10], "Identity", [11], labelled=False)),
    "classifier_backward": ("mlp_backward", mlp_inputs([11, 10], "Identity", [13])),
    "classifier_step": ("mlp_steps", mlp_inputs([8, 10], "Identity", [9, 14], lr=0.2, momentum=None)),
    "single_forward": (
        "mlp_forward",
        mlp_inputs([12, 8, 10], "Sigmoid Identity", [11], momentum=None, labelled=False),
    ),
    "single_backward": ("mlp_backward", mlp_inputs([9, 8, 10], "Sigmoid Identity", [13])),
    "hidden1_forward": ("mlp_forward", mlp_inputs(*HIDDEN1, labelled=False)),
    "hidden2_forward": ("mlp_forward", mlp_inputs(*HIDDEN2, momentum=None, labelled=False)),
    "hidden3_forward": ("mlp_forward", mlp_inputs(*HIDDEN3, labelled=False)),
    "hidden1_backward": ("mlp_backward", mlp_inputs(*HIDDEN1)),
    "hidden2_backward": ("mlp_backward", mlp_inputs(*HIDDEN2)),
    "hidden3_backward": ("mlp_backward", mlp_inputs(*HIDDEN3, momentum=None)),
    "momentum": ("mlp_steps", mlp_inputs([9, 7, 10], "Sigmoid Identity", [11, 13, 8], lr=0.3, momentum=0.8)),
    "batchnorm_train": (
        "batchnorm_train",
        mlp_inputs([9, 8, 7, 10], "Sigmoid Sigmoid Identity", [19], bn=2, momentum=None),
    ),
    "batchnorm_inference": (
        "batchnorm_inference",
        mlp_inputs(
            [8, 7, 6, 10],
            "Sigmoid Sigmoid Identity",
            [12, 17],
            bn=2,
            lr=0.2,
            x_eval=lambda random: 0.5 + 1.5 * random.randn(7, 8),
        ),
    ),
    # what no problem looks at
    "sigmoid_large": ("probe_activation", large_inputs("Sigmoid")),
    "tanh_large": ("probe_activation", large_inputs("Tanh")),
    "relu_large": ("probe_activation", large_inputs("ReLU")),
    "loss_large": ("probe_loss", large_logits),
    "linear_arguments": ("probe_linear_arguments", linear_inputs(7, 5, 4)),
    "linear_twice": ("probe_linear_twice", linear_inputs(7, 5, 4)),
    "batchnorm_layer": ("probe_batchnorm", batchnorm_inputs(11, 4)),
    # Its variances are so large that epsilon, which the small ones are about, makes no difference.
    "batchnorm_alone": ("probe_batchnorm", batchnorm_inputs(11, 4, spread=30)),
    "batchnorm_arguments": ("probe_batchnorm_arguments", batchnorm_inputs(11, 4)),
    "batchnorm_small": ("probe_batchnorm", batchnorm_inputs(8, 3, spread=1e-4)),
    "batchnorm_twice": ("probe_batchnorm_twice", batchnorm_inputs(7, 4)),
    "batchnorm_eval": ("probe_batchnorm_eval", batchnorm_eval_inputs()),
    "batchnorm_eval_small": ("probe_batchnorm_eval", batchnorm_eval_inputs(spread=1e-4, calls=250)),
    "mlp_bn_momentum": (
        "probe_mlp_plain_steps",
        mlp_inputs([8, 7, 6, 10], "Sigmoid Sigmoid Identity", [12, 17], bn=2, lr=0.2, momentum=0.5),
    ),
    "mlp_activations": ("mlp_backward", mlp_inputs([7, 9, 5, 8, 10], "Tanh ReLU Sigmoid Tanh", [11])),
    "mlp_init": ("probe_mlp_init", network_alone([6, 5, 4, 10], "Sigmoid Sigmoid Identity")),
    "mlp_list": ("probe_mlp_hiddens", network_alone([6, 5, 4, 10], "Sigmoid Sigmoid Identity")),
    "mlp_all_bn": ("batchnorm_train", mlp_inputs([6, 5, 4, 10], "Sigmoid Sigmoid Identity", [9], bn=3)),
    "mlp_figures": ("probe_mlp_figures", mlp_inputs([6, 5, 10], "Sigmoid Identity", [15])),
    "mlp_zero_grads": ("probe_mlp_zero_grads", mlp_inputs([6, 5, 4, 10], "Sigmoid Sigmoid Identity", [9], bn=2)),
    "mlp_twice": ("probe_mlp_twice", mlp_inputs([6, 5, 4, 10], "Sigmoid Sigmoid Identity", [9], bn=1)),
    "mlp_dtype": (
        "probe_mlp_dtype",
        as_float32(mlp_inputs([6, 5, 4, 10], "Sigmoid ReLU Identity", [9], bn=2, momentum=0.5)),
    ),
    # As in the homework, batches divide the examples; then they do not.
    "training_stats": ("training_log", training_inputs(40, 20, 5)),
    "training_short": ("training_log", training_inputs(43, 22, 5)),
}


def gradient_inputs(name: str) -> Callable[[Random], dict[str, Any]]:
    # numbers() stays away from 0: ReLU has no derivative there.
    return lambda random: {"name": name, "x": numbers(random, 5, 4), "delta": numbers(random, 5, 4)}


# layer of the gradient check: exercise, and the function that draws its inputs
GRADIENTS: dict[str, tuple[str, Callable[[Random], dict[str, Any]]]] = {
    **{name.lower(): ("gradient_activation", gradient_inputs(name)) for name in ("Sigmoid", "Tanh", "ReLU")},
    "loss": ("gradient_loss", loss_inputs(6, 10)),
    "linear": ("gradient_linear", linear_inputs(7, 5, 4)),
    "batchnorm": ("gradient_batchnorm", batchnorm_inputs(7, 4)),
    "classifier": ("gradient_network", mlp_inputs([5, 10], "Identity", [7])),
    "mlp": ("gradient_network", mlp_inputs([5, 6, 4, 10], "Sigmoid Tanh Identity", [8])),
    "mlp-relu": ("gradient_network", mlp_inputs([5, 6, 4, 10], "ReLU ReLU Identity", [8])),
    "mlp-batchnorm": ("gradient_network", mlp_inputs([5, 6, 4, 10], "Sigmoid Sigmoid Identity", [8], bn=2)),
}
