"""A multi-layer perceptron composed from mytorch's layers, and its training (writeup, sections 3.5 and 3.6)."""

import copy
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

# The layers are those of the folder `mytorch` beside this one, installed or not; their names are handed on,
# so that `import hw1 as nn` also gives nn.Sigmoid and nn.SoftmaxCrossEntropy.
sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "mytorch"))

from activation import Activation, Identity, ReLU, Sigmoid, Tanh  # noqa: F401
from batchnorm import BatchNorm
from linear import Linear
from loss import Criterion, SoftmaxCrossEntropy  # noqa: F401


class MLP:
    """A multi-layer perceptron: in each layer linear -> batch norm (the first `num_bn_layers`) -> activation.

    Parameters
    ----------
    input_size, output_size : int
        Width of an example (I), and number of outputs (C).
    hiddens : sequence of int
        Units of each hidden layer; empty for a linear classifier.
    activations : sequence of Activation
        One for every layer, the output layer included.
    weight_init_fn : function (in, out) -> array (in, out)
    bias_init_fn : function (out) -> array (out,) or (1, out)
        Called once for every layer, first to last.
    criterion : Criterion
        The loss.
    lr, momentum : float
        eta and beta of the update in `step`.
    num_bn_layers : int
        How many layers, from the first on, are batch-normalised: 0 up to all of them.

    Attributes
    ----------
    linear_layers, bn_layers, activations : list
        The layers, first to last; `bn_layers` holds `num_bn_layers` of them.
    nlayers : int
        Number of linear layers.
    bn : bool
        Whether there is any batch norm.
    train_mode : bool
        Whether batch norm takes the batch's own statistics.
    output : array (N, C)
        What the last `forward` returned; None before the first.

    Raises
    ------
    ValueError
        A size below one, a wrong number of activations, `num_bn_layers` out of range, or an init function that
        returns another shape.
    """

    def __init__(
        self,
        input_size: int,
        output_size: int,
        hiddens: Iterable[int],
        activations: Sequence[Activation],
        weight_init_fn: Callable[[int, int], np.ndarray],
        bias_init_fn: Callable[[int], np.ndarray],
        criterion: Criterion,
        lr: float,
        momentum: float = 0.0,
        num_bn_layers: int = 0,
    ) -> None:
        sizes = [input_size, *hiddens, output_size]
        if min(sizes) < 1:
            raise ValueError(f"MLP needs layers of at least one unit, got the sizes {sizes}")
        self.nlayers = len(sizes) - 1
        if len(activations) != self.nlayers:
            raise ValueError(f"MLP of {self.nlayers} layers needs as many activations, got {len(activations)}")
        if not 0 <= num_bn_layers <= self.nlayers:
            raise ValueError(f"MLP of {self.nlayers} layers needs num_bn_layers from 0 to that, got {num_bn_layers}")

        self.train_mode = True
        self.num_bn_layers = num_bn_layers
        self.bn = num_bn_layers > 0
        self.input_size = input_size
        self.output_size = output_size
        # Each layer's derivative reads its own activation's state: an object given twice is copied.
        self.activations: list[Activation] = []
        for activation in activations:
            shared = any(activation is other for other in self.activations)
            self.activations.append(copy.copy(activation) if shared else activation)
        self.criterion = criterion
        self.lr = lr
        self.momentum = momentum
        self.output: np.ndarray | Any = None

        self.linear_layers = [Linear(i, o, weight_init_fn, bias_init_fn) for i, o in zip(sizes, sizes[1:])]
        normed = self.linear_layers[:num_bn_layers]
        self.bn_layers = [BatchNorm(linear.W.shape[1], dtype=linear.W.dtype) for linear in normed]

    def __repr__(self) -> str:
        rows = ""
        for i in range(self.nlayers):
            bn = f"{self.bn_layers[i]}, " if i < self.num_bn_layers else ""
            rows += f"  ({i}): {self.linear_layers[i]}, {bn}{self.activations[i]}\n"
        return f"{type(self).__name__}(\n{rows}  (criterion): {self.criterion}\n)"

    def __call__(self, x: np.ndarray) -> np.ndarray:
        return self.forward(x)

    def train(self) -> None:
        """Set training mode: batch norm takes the batch's statistics and moves its running averages."""
        self.train_mode = True

    def eval(self) -> None:
        """Set inference mode: batch norm takes its running averages and moves nothing."""
        self.train_mode = False

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Return the network's output (N, C) for x (N, I), and keep it in `output`.

        Raises
        ------
        ValueError
            x is not (N, I) with at least one row.
        """
        for i in range(self.nlayers):
            x = self.linear_layers[i](x)
            if i < self.num_bn_layers:
                x = self.bn_layers[i](x, eval=not self.train_mode)
            x = self.activations[i](x)
        self.output = x
        return x

    def backward(self, labels: np.ndarray) -> None:
        """Set every layer's gradients, for labels (N, C) of the batch that `forward` saw last.

        Gradients of linear layers are means over the batch, those of batch norm sums (see `Linear`, `BatchNorm`).

        Raises
        ------
        ValueError
            Before the first `forward`, after one in inference mode with batch norm, or labels is not (N, C).
        """
        if self.bn and not self.train_mode:
            raise ValueError("MLP.backward needs a forward pass in training mode: call train() before it")
        self._check(labels)
        self.criterion(self.output, labels)
        delta = self.criterion.derivative()
        for i in reversed(range(self.nlayers)):
            delta = delta * self.activations[i].derivative()
            if i < self.num_bn_layers:
                delta = self.bn_layers[i].backward(delta)
            if i > 0:
                delta = self.linear_layers[i].backward(delta)
        self.linear_layers[0].gradients(delta)

    def zero_grads(self) -> None:
        """Set all gradients to zero."""
        for linear in self.linear_layers:
            linear.dW.fill(0)
            linear.db.fill(0)
        for bn in self.bn_layers:
            bn.dgamma.fill(0)
            bn.dbeta.fill(0)

    def step(self) -> None:
        """Apply the gradients: v <- momentum v - lr dW, W <- W + v, and likewise for b (writeup 3.5.3).

        gamma and beta of batch norm have no velocity and take the plain step - lr gradient. Velocities are updated in
        place, parameters become new arrays.
        """
        lr = float(self.lr)  # a float64 of NumPy's would make float32 parameters float64
        for linear in self.linear_layers:
            linear.momentum_W *= self.momentum
            linear.momentum_W -= lr * linear.dW
            linear.momentum_b *= self.momentum
            linear.momentum_b -= lr * linear.db
            # Not +=: whoever gave or holds the old array keeps it, and memory that the other cores have just read for
            # their part of a product is slow to write.
            linear.W = linear.W + linear.momentum_W
            linear.b = linear.b + linear.momentum_b
        for bn in self.bn_layers:
            bn.gamma = bn.gamma - lr * bn.dgamma
            bn.beta = bn.beta - lr * bn.dbeta

    def error(self, labels: np.ndarray) -> int:
        """Return how many rows of the last output have their largest entry elsewhere than labels (N, C)."""
        self._check(labels)
        return int(np.count_nonzero(self.output.argmax(axis=1) != np.argmax(labels, axis=1)))

    def total_loss(self, labels: np.ndarray) -> np.floating:
        """Return the loss of the last output under labels (N, C), summed over the batch."""
        self._check(labels)
        return self.criterion(self.output, labels).sum()

    def _check(self, labels: np.ndarray) -> None:
        """Raise ValueError unless labels fit the last output (N, C)."""
        if self.output is None:
            raise ValueError("MLP needs a forward pass first")
        if np.shape(labels) != self.output.shape:
            raise ValueError(f"MLP needs labels of its output's shape {self.output.shape}, got {np.shape(labels)}")


def get_training_stats(
    mlp: MLP, dset: Sequence[Sequence[np.ndarray]], nepochs: int, batch_size: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Train mlp on the first partition of dset and validate it on the second (writeup, section 3.6).

    Every epoch begins with a shuffle of the training set, whose batches then each take `zero_grads`, `forward`,
    `backward` and `step`, after `train`. The validation set takes `forward` alone, after `eval`.

    Parameters
    ----------
    mlp : MLP
    dset : ((x, labels), (x, labels), (x, labels))
        Training, validation and test partition, x (N, I) and labels (N, C) each; the last is not touched.
    nepochs, batch_size : int
        A short last batch is trained on as well.

    Returns
    -------
    training_losses, training_errors, validation_losses, validation_errors : array (nepochs,)
        Means per example. The training figures are taken from each batch as it is trained on.

    Raises
    ------
    ValueError
        nepochs below zero, batch_size below one, an empty partition, or x and labels of different lengths.
    """
    (train_x, train_labels), (val_x, val_labels) = dset[:2]
    if nepochs < 0 or batch_size < 1:
        raise ValueError(f"needs nepochs >= 0 and batch_size >= 1, got {nepochs} and {batch_size}")
    for name, x, labels in [("training", train_x, train_labels), ("validation", val_x, val_labels)]:
        if not len(x) or len(x) != len(labels):
            raise ValueError(f"the {name} partition needs as many labels as examples, got {len(labels)} and {len(x)}")

    training_losses = np.zeros(nepochs)
    training_errors = np.zeros(nepochs)
    validation_losses = np.zeros(nepochs)
    validation_errors = np.zeros(nepochs)

    order = np.arange(len(train_x))
    for epoch in range(nepochs):
        np.random.shuffle(order)
        mlp.train()
        for start in range(0, len(order), batch_size):
            batch = order[start : start + batch_size]
            labels = train_labels.take(batch, axis=0)
            mlp.zero_grads()
            mlp.forward(train_x.take(batch, axis=0))
            mlp.backward(labels)
            mlp.step()
            training_losses[epoch] += mlp.criterion.loss.sum()  # as backward has left it
            training_errors[epoch] += mlp.error(labels)

        mlp.eval()
        for start in range(0, len(val_x), batch_size):
            labels = val_labels[start : start + batch_size]
            mlp.forward(val_x[start : start + batch_size])
            validation_losses[epoch] += mlp.total_loss(labels)
            validation_errors[epoch] += mlp.error(labels)
        mlp.train()

    training_losses /= len(train_x)
    training_errors /= len(train_x)
    validation_losses /= len(val_x)
    validation_errors /= len(val_x)
    return training_losses, training_errors, validation_losses, validation_errors
