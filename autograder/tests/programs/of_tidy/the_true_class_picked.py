"""The true class picked."""

# file: mytorch/loss.py, in full

import numpy as np
from activation import Activation


class Criterion(Activation):
    def __call__(self, x, y):
        return self.forward(x, y)


class SoftmaxCrossEntropy(Criterion):
    def forward(self, x, y):
        rows, true = np.arange(len(x)), y.argmax(axis=1)
        shifted = x - x.max(axis=1)[:, np.newaxis]
        sums = np.exp(shifted).sum(axis=1)
        self.grad = np.exp(shifted) / sums[:, np.newaxis]
        self.grad[rows, true] -= 1
        return np.log(sums) - shifted[rows, true]

    def derivative(self):
        return self.grad.copy()
