"""Implementations that do the same work: each trains a network for an epoch as `get_training_stats` does.

Everybody shuffles indices, gathers each batch, takes a step of SGD with momentum on it, and returns mean loss and
error of the training batches and of the validation set.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, NamedTuple

import numpy as np

import hw1 as nn

Array = Any
Data = tuple[tuple[Array, Array], tuple[Array, Array]]
Epoch = Callable[[], tuple[float, ...]]

LR, MOMENTUM = 0.008, 0.9


class Network(NamedTuple):
    """What is trained: sigmoid layers of these widths between I inputs and C classes."""

    hiddens: tuple[int, ...]
    dtype: str = "float32"
    batch: int = 100
    batch_norm: bool = False

    def __str__(self) -> str:
        batches = "" if self.batch == 100 else f", batches of {self.batch}"
        return f"{list(self.hiddens)}{' + batch norm' if self.batch_norm else ''}{batches}"

    def parameters(self, data: Data) -> list[tuple[Array, Array]]:
        """Return the (W, b) that every library starts from."""
        (x, labels), _ = data
        sizes = [x.shape[1], *self.hiddens, labels.shape[1]]
        rng = np.random.RandomState(0)
        return [
            ((rng.standard_normal((i, o)) / np.sqrt(i)).astype(self.dtype), np.zeros((1, o), self.dtype))
            for i, o in zip(sizes, sizes[1:])
        ]


def batches(n: int, size: int, shuffled: bool) -> Iterator[Array]:
    """Yield the indices of each batch; the shuffled order is the one `get_training_stats` would take."""
    order = np.arange(n)
    if shuffled:
        np.random.shuffle(order)
    for start in range(0, n, size):
        yield order[start : start + size]


# Each of the following takes a network and the data, and returns a function that trains for one epoch and returns
# (training loss, training error, validation loss, validation error).


def mytorch(network: Network, data: Data) -> Epoch:
    """This library, as the course calls it."""
    (x, labels), _ = data
    weights, biases = zip(*network.parameters(data))
    take_weight, take_bias = iter(weights), iter(biases)
    mlp = nn.MLP(
        x.shape[1],
        labels.shape[1],
        network.hiddens,
        [*(nn.Sigmoid() for _ in network.hiddens), nn.Identity()],
        lambda i, o: next(take_weight),
        lambda o: next(take_bias),
        nn.SoftmaxCrossEntropy(),
        LR,
        momentum=MOMENTUM,
        num_bn_layers=len(network.hiddens) if network.batch_norm else 0,
    )
    return lambda: tuple(float(values[0]) for values in nn.get_training_stats(mlp, data, 1, network.batch))


def flattened(network: Network, data: Data) -> Epoch:
    """The same work as one function of plain NumPy: no classes, no checks, every result in a buffer made once."""
    (x, labels), (val_x, val_labels) = data
    weights, biases = zip(*network.parameters(data))
    parameters = [*weights, *biases]
    velocities, gradients = ([np.zeros_like(array) for array in parameters] for _ in range(2))
    layers = range(len(weights))

    @cache
    def buffers(n: int) -> tuple[Array, ...]:
        """Input and labels of n rows, and for every layer an output, a delta and a scratch array."""
        inputs = (np.empty((n, array.shape[1]), array.dtype) for array in (x, labels))
        *hidden, output = (np.empty((n, weight.shape[1]), x.dtype) for weight in weights)
        # The criterion's lie in Fortran order, as in loss.py.
        deltas, scratch = ([*map(np.empty_like, hidden), np.empty_like(output, order="F")] for _ in range(2))
        return (*inputs, [*hidden, output], deltas, scratch)

    def forward(x: Array, y: Array, outputs: Array, softmax: Array, shifted: Array) -> tuple[Array, Array]:
        """Return the summed loss and the number of wrong rows, and leave softmax(logits) in its buffer."""
        for i in layers:
            x = np.matmul(x, weights[i], out=outputs[i])
            x += biases[i]
            if i < len(weights) - 1:
                np.negative(x, out=x)
                np.exp(x, out=x)
                x += 1
                np.divide(1, x, out=x)
        wrong = np.count_nonzero(x.argmax(axis=1) != y.argmax(axis=1))
        shifted[:] = x
        shifted -= shifted.max(axis=1, keepdims=True)
        np.exp(shifted, out=softmax)
        sums = softmax.sum(axis=1, keepdims=True)
        softmax /= sums
        np.subtract(np.log(sums), shifted, out=shifted)
        shifted *= y
        return shifted.sum(), wrong

    def epoch() -> tuple[float, ...]:
        train_loss = train_error = val_loss = val_error = 0.0
        for rows in batches(len(x), network.batch, shuffled=True):
            inputs, y, outputs, deltas, scratch = buffers(len(rows))
            x.take(rows, axis=0, out=inputs, mode="clip")  # any other mode would fill a buffer of numpy's own first
            labels.take(rows, axis=0, out=y, mode="clip")
            delta = deltas[-1]
            loss, wrong = forward(inputs, y, outputs, delta, scratch[-1])
            train_loss += loss
            train_error += wrong
            delta -= y
            delta /= len(rows)
            for i in reversed(layers):
                below = outputs[i - 1] if i > 0 else inputs
                np.matmul(below.T, delta, out=gradients[i])
                delta.sum(axis=0, keepdims=True, out=gradients[len(weights) + i])
                if i > 0:
                    delta = np.matmul(delta, weights[i].T, out=deltas[i - 1])
                    slope = np.subtract(1, below, out=scratch[i - 1])
                    slope *= below
                    delta *= slope
            for parameter, velocity, gradient in zip(parameters, velocities, gradients):
                velocity *= MOMENTUM
                gradient *= LR
                velocity -= gradient
                parameter += velocity
        for start in range(0, len(val_x), network.batch):
            rows = slice(start, start + network.batch)
            _, _, outputs, deltas, scratch = buffers(len(val_x[rows]))
            loss, wrong = forward(val_x[rows], val_labels[rows], outputs, deltas[-1], scratch[-1])
            val_loss += loss
            val_error += wrong
        n, m = len(x), len(val_x)
        return float(train_loss / n), float(train_error / n), float(val_loss / m), float(val_error / m)

    return epoch


def pytorch(network: Network, data: Data) -> Epoch:
    """PyTorch, eager: nn.Sequential, cross entropy on class numbers, optim.SGD; statistics summed as tensors."""
    import torch

    layers: list[Any] = []
    for weight, bias in network.parameters(data):
        linear = torch.nn.Linear(*weight.shape)
        linear.weight.data = torch.tensor(weight.T.copy())
        linear.bias.data = torch.tensor(bias[0])
        width = weight.shape[1]
        norm = [torch.nn.BatchNorm1d(width, eps=1e-8, dtype=linear.weight.dtype)] if network.batch_norm else []
        layers += [linear, *norm, torch.nn.Sigmoid()]
    del layers[-2 if network.batch_norm else -1 :]
    model = torch.nn.Sequential(*layers)
    optimizer = torch.optim.SGD(model.parameters(), LR, MOMENTUM)
    cross_entropy = torch.nn.functional.cross_entropy
    (x, y), (val_x, val_y) = ((torch.from_numpy(x), torch.from_numpy(labels.argmax(1))) for x, labels in data)

    def epoch() -> tuple[float, ...]:
        train_loss = train_error = val_loss = val_error = torch.zeros(())
        model.train()
        for rows in batches(len(x), network.batch, shuffled=True):
            index = torch.from_numpy(rows)
            target = y.index_select(0, index)
            optimizer.zero_grad()
            output = model(x.index_select(0, index))
            loss = cross_entropy(output, target)
            loss.backward()
            optimizer.step()
            train_loss = train_loss + loss.detach() * len(rows)
            train_error = train_error + (output.detach().argmax(1) != target).sum()
        model.eval()
        with torch.inference_mode():
            for start in range(0, len(val_x), network.batch):
                target = val_y[start : start + network.batch]
                output = model(val_x[start : start + network.batch])
                val_loss = val_loss + cross_entropy(output, target, reduction="sum")
                val_error = val_error + (output.argmax(1) != target).sum()
        n, m = len(x), len(val_x)
        return float(train_loss) / n, float(train_error) / n, float(val_loss) / m, float(val_error) / m

    return epoch


def scikit_learn(network: Network, data: Data) -> Epoch:
    """scikit-learn's MLPClassifier.partial_fit, which does one epoch; it does not offer the training error."""
    from sklearn.neural_network import MLPClassifier

    (x, y), (val_x, val_y) = ((x, labels.argmax(1)) for x, labels in data)
    classes = np.arange(data[0][1].shape[1])
    model = MLPClassifier(
        network.hiddens,
        activation="logistic",
        solver="sgd",
        alpha=0,
        batch_size=network.batch,
        learning_rate_init=LR,
        momentum=MOMENTUM,
        nesterovs_momentum=False,
        random_state=0,
    )

    def epoch() -> tuple[float, ...]:
        model.partial_fit(x, y, classes=classes)
        probabilities = model.predict_proba(val_x)
        right = probabilities[np.arange(len(val_y)), val_y]
        error = np.mean(probabilities.argmax(axis=1) != val_y)
        return float(model.loss_), float("nan"), float(-np.log(right).mean()), float(error)

    return epoch


def jax_jitted(network: Network, data: Data) -> Epoch:
    """JAX with the whole epoch, validation included, in one jitted function that scans over the batches."""
    import jax

    jax.config.update("jax_enable_x64", True)
    jnp = jax.numpy
    (x, y), (val_x, val_y) = ((jnp.asarray(x), jnp.asarray(labels.argmax(1))) for x, labels in data)

    def statistics(parameters: Any, x: Any, y: Any) -> Any:
        for weight, bias in parameters[:-1]:
            x = jax.nn.sigmoid(x @ weight + bias)
        logits = x @ parameters[-1][0] + parameters[-1][1]
        log_softmax = jax.nn.log_softmax(logits)
        losses = -jnp.take_along_axis(log_softmax, y[:, None], axis=1)
        return losses.sum() / len(x), (logits.argmax(1) != y).sum()

    def trained(state: Any, x: Any, y: Any) -> Any:
        (loss, wrong), gradients = jax.value_and_grad(statistics, has_aux=True)(state[0], x, y)
        velocity = jax.tree.map(lambda v, g: MOMENTUM * v - LR * g, state[1], gradients)
        return (jax.tree.map(jnp.add, state[0], velocity), velocity), (loss * len(x), wrong)

    @jax.jit
    def jitted(state: Any, order: Any, x: Any, y: Any, val_x: Any, val_y: Any) -> Any:
        full = len(order) - len(order) % network.batch
        rows = order[:full].reshape(-1, network.batch)
        state, (losses, wrong) = jax.lax.scan(lambda state, rows: trained(state, x[rows], y[rows]), state, rows)
        loss, error = losses.sum(), wrong.sum()
        if full < len(order):
            state, (last_loss, last_wrong) = trained(state, x[order[full:]], y[order[full:]])
            loss, error = loss + last_loss, error + last_wrong
        val_loss, val_error = statistics(state[0], val_x, val_y)
        return state, (loss / len(x), error / len(x), val_loss, val_error / len(val_x))

    parameters = [(jnp.asarray(weight), jnp.asarray(bias)) for weight, bias in network.parameters(data)]
    state = (parameters, jax.tree.map(jnp.zeros_like, parameters))

    def epoch() -> tuple[float, ...]:
        nonlocal state
        (order,) = batches(len(x), len(x), shuffled=True)
        state, stats = jitted(state, order, x, y, val_x, val_y)
        return tuple(float(value) for value in stats)

    return epoch


def floor(network: Network, data: Data) -> Epoch:
    """The gather and the matrix products that no implementation can do without, and nothing else: no statistics."""
    weights = [weight for weight, _ in network.parameters(data)]
    (x, labels), (val_x, _) = data

    def epoch() -> tuple[float, ...]:
        for rows in batches(len(x), network.batch, shuffled=True):
            inputs, delta = [x.take(rows, axis=0)], labels.take(rows, axis=0)
            for weight in weights:
                inputs.append(inputs[-1] @ weight)
            for i in reversed(range(len(weights))):
                inputs[i].T @ delta
                if i > 0:
                    delta = delta @ weights[i].T
        for start in range(0, len(val_x), network.batch):
            out = val_x[start : start + network.batch]
            for weight in weights:
                out = out @ weight
        return ()

    return epoch


class Peer(NamedTuple):
    start: Callable[[Network, Data], Epoch]
    package: str  # to be installed for it
    batch_norm: bool  # whether it is timed with batch norm as well


PEERS = {
    "MyTorch": Peer(mytorch, "numpy", True),
    "flattened NumPy": Peer(flattened, "numpy", False),
    "PyTorch eager": Peer(pytorch, "torch", True),
    "scikit-learn": Peer(scikit_learn, "scikit-learn", False),
    "JAX, jitted epoch": Peer(jax_jitted, "jax", False),
    "gather + products": Peer(floor, "numpy", True),
}
MODULES = {"scikit-learn": "sklearn"}  # where a package's module has another name


def installed(package: str) -> bool:
    return importlib.util.find_spec(MODULES.get(package, package)) is not None
