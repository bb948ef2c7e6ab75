"""Batch normalisation and its closed-form gradient (writeup, section 3.3 and appendix C)."""

from typing import Any

import numpy as np


class BatchNorm:
    """y = gamma (x - mean) / sqrt(var + eps) + beta, for N examples of D = in_feature units.

    Mean and variance are the batch's own while training, and running averages of them at inference.

    Parameters
    ----------
    in_feature : int
        D.
    alpha : float
        The share of the old running average that each batch leaves (eq. 38, 39).
    dtype : dtype
        Of the parameters and running averages. What the layer returns has its input's dtype.

    Attributes
    ----------
    gamma, dgamma, beta, dbeta : array (1, D)
        Scale and shift with their gradients, **summed over the batch** (eq. 34, 35).
    mean, var : array (1, D)
        Statistics of the last training batch; the variance is the biased one, divided by N (eq. 29, 30).
    running_mean, running_var : array (1, D)
        Their running averages, from 0 and 1 on.
    x, norm, out : array (N, D)
        Input, normalised input and output of the last training batch; None before the first.
    """

    def __init__(self, in_feature: int, alpha: float = 0.9, dtype: "np.typing.DTypeLike" = float) -> None:
        self.alpha = alpha
        self.eps = 1e-8

        self.x: np.ndarray | Any = None
        self.norm: np.ndarray | Any = None
        self.out: np.ndarray | Any = None

        shape = (1, in_feature)
        self.mean = np.zeros(shape, dtype)
        self.var = np.ones(shape, dtype)

        self.gamma = np.ones(shape, dtype)
        self.dgamma = np.zeros(shape, dtype)
        self.beta = np.zeros(shape, dtype)
        self.dbeta = np.zeros(shape, dtype)

        self.running_mean = np.zeros(shape, dtype)
        self.running_var = np.ones(shape, dtype)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.gamma.shape[1]}, alpha={self.alpha})"

    def __call__(self, x: np.ndarray, eval: bool = False) -> np.ndarray:
        return self.forward(x, eval)

    def forward(self, x: np.ndarray, eval: bool = False) -> np.ndarray:
        """Return y = gamma norm + beta (N, D), with norm = (x - mean) / sqrt(var + eps) (eq. 29 to 32).

        Training takes mean and var from x (N, D) and moves the running averages (eq. 38, 39); with `eval` the
        running averages take their place and nothing of the layer is written.

        Raises
        ------
        ValueError
            x is not (N, D) with at least one row.
        """
        x = np.asarray(x)
        in_feature = self.gamma.shape[1]
        if x.ndim != 2 or x.shape[1] != in_feature or not len(x):
            raise ValueError(f"BatchNorm({in_feature}) needs x of shape (N, {in_feature}), N >= 1, got {x.shape}")
        if x.dtype.kind != "f":
            x = x.astype(float)
        # Each result is cast, since the float64 parameters of a BatchNorm(D) would make float32 data float64.
        if eval:
            norm = (x - self.running_mean) / np.sqrt(self.running_var + self.eps)
            return (self.gamma * norm + self.beta).astype(x.dtype, copy=False)

        self.x = x
        self.mean = x.sum(axis=0, keepdims=True) / len(x)
        centred = x - self.mean
        self.var = (centred * centred).sum(axis=0, keepdims=True) / len(x)
        self.norm = centred / np.sqrt(self.var + self.eps)
        self.out = (self.gamma * self.norm + self.beta).astype(x.dtype, copy=False)
        self.running_mean = self.alpha * self.running_mean + (1 - self.alpha) * self.mean
        self.running_var = self.alpha * self.running_var + (1 - self.alpha) * self.var
        return self.out

    def backward(self, delta: np.ndarray) -> np.ndarray:
        """Set dgamma and dbeta, and return dx (N, D) for delta (N, D).

        dbeta = sum_i delta_i (eq. 34), dgamma = sum_i delta_i norm_i (eq. 35), and dx with its paths through mean and
        variance (eq. 27).

        Raises
        ------
        ValueError
            Before the first training `forward`, or delta has not that batch's shape.
        """
        if self.norm is None:
            raise ValueError("BatchNorm.backward needs a forward pass in training mode before it")
        delta = np.asarray(delta)
        if delta.shape != self.norm.shape:
            raise ValueError(f"BatchNorm.backward needs delta of shape {self.norm.shape}, got {delta.shape}")
        self.dbeta = delta.sum(axis=0, keepdims=True)
        self.dgamma = (delta * self.norm).sum(axis=0, keepdims=True)
        # Eq. 27 gathered: dx_i = gamma / (N sqrt(var + eps)) (N delta_i - dbeta - norm_i dgamma)
        scale = self.gamma / np.sqrt(self.var + self.eps)
        dx = scale * (delta - self.dbeta / len(delta) - self.norm * (self.dgamma / len(delta)))
        return dx.astype(self.norm.dtype, copy=False)
