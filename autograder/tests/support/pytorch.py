"""What the library's numbers are judged by: closeness relative to an array's size, and PyTorch's float64 autograd.

`torch` is an argument everywhere, so that the tests which need no judge run without it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = Any


def close(actual: Array, expected: Array, size: float | None = None, rel: float = 1e-12) -> None:
    """Assert that no entry of `actual` is off by more than `rel` times the largest entry of `expected`.

    `size` replaces that largest entry where the right answer is a sum that cancels to nothing.
    """
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert actual.shape == expected.shape
    if size is None:
        size = np.abs(expected).max(initial=0)
    assert np.abs(actual - expected).max(initial=0) <= rel * size


def frozen(array: Array) -> Array:
    """Return a copy of `array` that raises when it is written to."""
    array = np.array(array)
    array.setflags(write=False)
    return array


def gradients(torch: Any, function: Any, delta: Array, *arrays: Array) -> tuple[Array, ...]:
    """Return function(*arrays), and the gradient of its sum weighted by `delta` for each of `arrays`."""
    leaves = [torch.tensor(np.array(array), dtype=torch.float64, requires_grad=True) for array in arrays]
    value = function(*leaves)
    grads = torch.autograd.grad((value * torch.tensor(np.array(delta), dtype=torch.float64)).sum(), leaves)
    return (value.detach().numpy(), *(grad.numpy() for grad in grads))


def batch_norm(x: Any, gamma: Any, beta: Any, mean: Any = None, var: Any = None) -> Any:
    """Equations 29 to 32 on tensors, for autograd to differentiate."""
    if mean is None:
        mean, var = x.mean(0, keepdim=True), x.var(0, unbiased=False, keepdim=True)
    return gamma * (x - mean) / (var + 1e-8).sqrt() + beta


class TorchMLP:
    """A copy of an MLP in PyTorch: the gradients are autograd's, the updates those of writeup 3.5.3."""

    def __init__(self, torch: Any, mlp: Any) -> None:
        def leaf(array: Array) -> Any:
            return torch.tensor(np.array(array), dtype=torch.float64, requires_grad=True)

        self.torch = torch
        self.lr, self.momentum = mlp.lr, mlp.momentum
        self.linear = [[leaf(layer.W), leaf(layer.b)] for layer in mlp.linear_layers]
        self.norm = [[leaf(layer.gamma), leaf(layer.beta)] for layer in mlp.bn_layers]
        self.running = [[torch.tensor(layer.running_mean), torch.tensor(layer.running_var)] for layer in mlp.bn_layers]
        self.velocity = [[torch.zeros_like(p) for p in pair] for pair in self.linear]
        names = {"Identity": lambda z: z, "Sigmoid": torch.sigmoid, "Tanh": torch.tanh, "ReLU": torch.relu}
        self.functions = [names[type(activation).__name__] for activation in mlp.activations]

    def forward(self, x: Array, training: bool) -> Any:
        """Return the output; training moves the running averages by the biased batch variance."""
        z = self.torch.tensor(np.array(x), dtype=self.torch.float64)
        for i, ((weight, bias), function) in enumerate(zip(self.linear, self.functions)):
            z = z @ weight + bias
            if i < len(self.norm):
                if training:
                    batch = [z.mean(0, keepdim=True).detach(), z.var(0, unbiased=False, keepdim=True).detach()]
                    self.running[i] = [0.9 * old + 0.1 * new for old, new in zip(self.running[i], batch)]
                    z = batch_norm(z, *self.norm[i])
                else:
                    z = batch_norm(z, *self.norm[i], *self.running[i])
            z = function(z)
        return z

    def losses(self, output: Any, labels: Array) -> Any:
        """Return the cross entropy of every row."""
        target = self.torch.tensor(np.array(labels), dtype=self.torch.float64)
        return self.torch.nn.functional.cross_entropy(output, target, reduction="none")

    def backward(self, x: Array, labels: Array) -> Any:
        """Return output and losses; set the gradients: means over the batch for linear layers, sums for norms."""
        output = self.forward(x, training=True)
        losses = self.losses(output, labels)
        leaves = [leaf for pair in self.linear + self.norm for leaf in pair]
        flat = self.torch.autograd.grad(losses.sum(), leaves)
        pairs = [list(pair) for pair in zip(flat[::2], flat[1::2])]
        self.dlinear = [[grad / len(x) for grad in pair] for pair in pairs[: len(self.linear)]]
        self.dnorm = pairs[len(self.linear) :]
        return output.detach().numpy(), losses.detach().numpy()

    def step(self) -> None:
        with self.torch.no_grad():
            for pair, grads, velocities in zip(self.linear, self.dlinear, self.velocity):
                for parameter, grad, velocity in zip(pair, grads, velocities):
                    velocity.mul_(self.momentum).sub_(self.lr * grad)
                    parameter += velocity
            for pair, grads in zip(self.norm, self.dnorm):
                for parameter, grad in zip(pair, grads):
                    parameter -= self.lr * grad
