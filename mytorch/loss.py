"""Criteria: the loss of every example of a batch, and its derivative (writeup, section 3.2)."""

import os  # noqa: F401  (for the convolution homework's star import: see activation.py)
from typing import Any

import numpy as np


class Criterion:
    """A loss of N examples and C classes.

    Attributes
    ----------
    logits, labels : array (N, C)
        What the last `forward` was given, the labels in the logits' dtype; None before the first.
    loss : array (N,)
        What it returned: one loss an example, not averaged.
    """

    def __init__(self) -> None:
        self.logits: np.ndarray | Any = None
        self.labels: np.ndarray | Any = None
        self.loss: np.ndarray | Any = None

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    def __call__(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return self.forward(x, y)

    def forward(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Return the loss (N,) of logits x (N, C) under labels y (N, C)."""
        raise NotImplementedError

    def derivative(self) -> np.ndarray:
        """Return dloss/dx (N, C) of the last `forward`, not divided by N."""
        raise NotImplementedError


class SoftmaxCrossEntropy(Criterion):
    """L(x, y) = -sum_j y_j log softmax(x)_j (writeup, appendix A)."""

    def __init__(self) -> None:
        super().__init__()
        self.softmax: np.ndarray | Any = None

    def forward(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Return -sum_j y_j log softmax(x)_j for every row (writeup 3.2.1).

        log softmax(x)_j = (x_j - a) - log sum_k exp(x_k - a), with a the row's largest logit: the LogSumExp
        trick of appendix B, so that no finite row overflows.

        Parameters
        ----------
        x : array (N, C)
            Logits.
        y : array (N, C)
            Labels: a distribution over the classes in each row, usually one-hot.

        Returns
        -------
        array (N,)

        Raises
        ------
        ValueError
            x has not two axes, or y not the shape of x.

        Examples
        --------
        >>> SoftmaxCrossEntropy()(np.zeros((1, 4)), np.array([[0, 0, 1, 0]])).round(4)  # log 4
        array([1.3863])
        """
        x, y = np.asarray(x), np.asarray(y)
        if x.ndim != 2 or y.shape != x.shape:
            raise ValueError(f"SoftmaxCrossEntropy needs x and y of one shape (N, C), got x {x.shape} and y {y.shape}")
        if x.dtype.kind != "f":
            x = x.astype(float)
        self.logits = x
        self.labels = y.astype(x.dtype, copy=False)
        x = np.asfortranarray(x)  # numpy reduces many short rows faster where their columns are contiguous
        shifted = x - x.max(axis=1, keepdims=True)
        exp = np.exp(shifted)
        sums = exp.sum(axis=1, keepdims=True)
        self.softmax = exp / sums
        self.loss = (self.labels * (np.log(sums) - shifted)).sum(axis=1)
        return self.loss

    def derivative(self) -> np.ndarray:
        """Return dL/dx = softmax(x) - y (N, C), not divided by N (writeup 3.2.2).

        Raises
        ------
        ValueError
            Before the first `forward`.
        """
        if self.softmax is None:
            raise ValueError("SoftmaxCrossEntropy needs a forward pass before its derivative")
        return self.softmax - self.labels
