"""A multi-layer perceptron composed from mytorch's layers, and its training (writeup, sections 3.5 and 3.6)."""

import copy
import os
import sys
from itertools import zip_longest

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
        input_size,
        output_size,
        hiddens,
        activations,
        weight_init_fn,
        bias_init_fn,
        criterion,
        lr,
        momentum=0.0,
        num_bn_layers=0,
    ):
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
        self.activations = []
        for activation in activations:
            shared = any(activation is other for other in self.activations)
            self.activations.append(copy.copy(activation) if shared else activation)
        self.criterion = criterion
        self.lr = lr
        self.momentum = momentum
        self.output = None

        self.linear_layers = [Linear(i, o, weight_init_fn, bias_init_fn) for i, o in zip(sizes, sizes[1:])]
        self.bn_layers = [BatchNorm(layer.W.shape[1], dtype=layer.W.dtype) for layer in self.linear_layers]
        del self.bn_layers[num_bn_layers:]

    def __call__(self, x):
        return self.forward(x)

    def train(self):
        """Set training mode: batch norm takes the batch's statistics and moves its running averages."""
        self.train_mode = True

    def eval(self):
        """Set inference mode: batch norm takes its running averages and moves nothing."""
        self.train_mode = False

    def forward(self, x):
        """Return the network's output (N, C) for x (N, I), and keep it in `output`.

        Raises
        ------
        ValueError
            x is not (N, I) with at least one row.
        """
        for linear, bn, activation in self._layers():
            x = linear(x)
            if bn:
                x = bn(x, eval=not self.train_mode)
            x = activation(x)
        self.output = x
        return x

    def backward(self, labels):
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
        for linear, bn, activation in reversed(self._layers()):
            delta = delta * activation.derivative()
            if bn:
                delta = bn.backward(delta)
            if linear is self.linear_layers[0]:
                linear._set_gradients(delta)
            else:
                delta = linear.backward(delta)

    def zero_grads(self):
        """Set all gradients to zero."""
        for _, _, gradient, _ in self.parameters():
            gradient.fill(0)

    def step(self):
        """Apply the gradients: v <- momentum v - lr gradient, parameter <- parameter + v (writeup 3.5.3).

        Only W and b of the linear layers have a velocity v; gamma and beta take the plain step - lr gradient.
        Velocities are updated in place, parameters become new arrays.
        """
        for layer, name, gradient, velocity in self.parameters():
            if velocity is None:
                change = -self.lr * gradient
            else:
                velocity *= self.momentum
                velocity -= self.lr * gradient
                change = velocity
            # Not +=: whoever gave or holds the old array keeps it, and memory that the other cores have just read for
            # their part of a product is slow to write.
            setattr(layer, name, getattr(layer, name) + change)

    def parameters(self):
        """Yield (layer, name of the parameter, gradient, velocity or None) for every parameter."""
        for layer in [*self.linear_layers, *self.bn_layers]:
            for parameter in layer.parameters():
                yield (layer, *parameter)

    def error(self, labels):
        """Return how many rows of the last output have their largest entry elsewhere than labels (N, C)."""
        self._check(labels)
        return np.count_nonzero(self.output.argmax(axis=1) != np.argmax(labels, axis=1))

    def total_loss(self, labels):
        """Return the loss of the last output under labels (N, C), summed over the batch."""
        self._check(labels)
        return self.criterion(self.output, labels).sum()

    def _layers(self):
        """Return (linear, batch norm or None, activation) of every layer, first to last."""
        return list(zip_longest(self.linear_layers, self.bn_layers, self.activations))

    def _check(self, labels):
        """Raise ValueError unless labels fit the last output (N, C)."""
        if self.output is None:
            raise ValueError("MLP needs a forward pass first")
        if np.shape(labels) != self.output.shape:
            raise ValueError(f"MLP needs labels of its output's shape {self.output.shape}, got {np.shape(labels)}")


def get_training_stats(mlp, dset, nepochs, batch_size):
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
