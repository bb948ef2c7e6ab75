"""Compact."""

# file: mytorch/linear.py, in full

from __future__ import annotations
from typing import Callable
import numpy as np


class Linear:
    x: np.ndarray | None = None

    def __init__(self, in_feature: int, out_feature: int, weight_init_fn: Callable, bias_init_fn: Callable) -> None:
        self.W: np.ndarray = weight_init_fn(in_feature, out_feature)
        self.b: np.ndarray = np.atleast_2d(bias_init_fn(out_feature))
        self.dW, self.momentum_W = (np.zeros_like(self.W) for _ in range(2))
        self.db, self.momentum_b = (np.zeros_like(self.b) for _ in range(2))

    def forward(self, x: np.ndarray) -> np.ndarray:
        self.x = x
        return np.einsum("ni,io->no", x, self.W) + self.b

    __call__ = forward

    def backward(self, delta: np.ndarray) -> np.ndarray:
        self.dW = np.einsum("ni,no->io", self.x, delta) / (n := delta.shape[0])
        self.db = np.einsum("no->o", delta)[None] / n
        return np.einsum("no,io->ni", delta, self.W)

# file: hw1/hw1.py, in full

from __future__ import annotations
import os, sys
from itertools import zip_longest
import numpy as np

sys.path.append(os.path.join(os.path.dirname(__file__), "..", "mytorch"))
from activation import *
from batchnorm import BatchNorm
from linear import Linear
from loss import *


class MLP:
    def __init__(self, input_size: int, output_size: int, hiddens: list[int], activations: list[Activation], weight_init_fn, bias_init_fn, criterion: Criterion, lr: float, momentum: float = 0.0, num_bn_layers: int = 0) -> None:
        self.__dict__.update({k: v for k, v in locals().items() if k in ("input_size", "output_size", "activations", "criterion", "lr", "momentum", "num_bn_layers")})
        self.train_mode, self.bn, self.nlayers = True, num_bn_layers > 0, 1 + len(hiddens)
        widths = (input_size, *hiddens, output_size)
        self.linear_layers = [Linear(*io, weight_init_fn, bias_init_fn) for io in zip(widths[:-1], widths[1:])]
        self.bn_layers = [*map(BatchNorm, widths[1:1 + num_bn_layers])]

    @property
    def layers(self):
        return [*zip_longest(self.linear_layers, self.bn_layers, self.activations)]

    def forward(self, x: np.ndarray) -> np.ndarray:
        self.output = x
        for linear, bn, f in self.layers:
            z = linear(self.output)
            self.output = f(bn(z, not self.train_mode) if bn else z)
        return self.output

    __call__ = forward

    def zero_grads(self) -> None:
        for linear, bn, _ in self.layers:
            linear.dW[:], linear.db[:] = 0, 0
            if bn:
                bn.dgamma[:], bn.dbeta[:] = 0, 0

    def step(self) -> None:
        for linear, bn, _ in self.layers:
            for p in ("W", "b"):
                v = self.momentum * getattr(linear, f"momentum_{p}") - self.lr * getattr(linear, f"d{p}")
                setattr(linear, f"momentum_{p}", v)
                setattr(linear, p, getattr(linear, p) + v)
            if bn:
                bn.gamma, bn.beta = bn.gamma - self.lr * bn.dgamma, bn.beta - self.lr * bn.dbeta

    def backward(self, labels: np.ndarray) -> None:
        self.total_loss(labels)
        delta = self.criterion.derivative()
        for linear, bn, f in self.layers[::-1]:
            delta = f.derivative() * delta
            delta = linear.backward(bn.backward(delta) if bn else delta)

    def error(self, labels: np.ndarray) -> int:
        return int(np.count_nonzero(self.output.argmax(1) - labels.argmax(1)))

    def total_loss(self, labels: np.ndarray) -> float:
        return self.criterion(self.output, labels).sum()

    def train(self) -> None:
        self.train_mode = True

    def eval(self) -> None:
        self.train_mode = False


def get_training_stats(mlp: MLP, dset, nepochs: int, batch_size: int):
    (x, y), (vx, vy), _ = dset
    rows = []

    def run(x, y, learn):
        loss = error = 0
        for k in range(0, len(x), batch_size):
            bx, by = x[k:k + batch_size], y[k:k + batch_size]
            if learn:
                mlp.zero_grads()
            mlp.forward(bx)
            if learn:
                mlp.backward(by)
                mlp.step()
            loss, error = loss + mlp.total_loss(by), error + mlp.error(by)
        return loss / len(x), error / len(x)

    for _ in range(nepochs):
        order = np.random.permutation(len(x))
        mlp.train()
        trained = run(x[order], y[order], True)
        mlp.eval()
        rows.append((*trained, *run(vx, vy, False)))
        mlp.train()
    return tuple(np.array(rows).T)
