"""The affine layer y = xW + b and its gradients (writeup, section 3.4)."""

from collections.abc import Callable
from typing import Any

import numpy as np


class Linear:
    """y = xW + b, for N examples of I = in_feature inputs and O = out_feature outputs.

    Parameters
    ----------
    in_feature, out_feature : int
        I and O.
    weight_init_fn : function (I, O) -> array (I, O)
    bias_init_fn : function (O) -> array (O,) or (1, O)
        Called once each. The layer keeps copies, in floating point.

    Attributes
    ----------
    W, dW, momentum_W : array (I, O)
    b, db, momentum_b : array (1, O)
        Parameter, gradient **averaged over the batch**, and velocity; the last two start at zero.
    x : array (N, I)
        Input of the last `forward`, which `backward` reads; None before the first.

    Raises
    ------
    ValueError
        An init function returned another shape.
    """

    def __init__(
        self,
        in_feature: int,
        out_feature: int,
        weight_init_fn: Callable[[int, int], np.ndarray],
        bias_init_fn: Callable[[int], np.ndarray],
    ) -> None:
        self.W = _floating_copy(weight_init_fn(in_feature, out_feature))
        if self.W.shape != (in_feature, out_feature):
            raise ValueError(f"weight_init_fn must return shape {(in_feature, out_feature)}, got {self.W.shape}")
        self.b = _floating_copy(bias_init_fn(out_feature))
        if self.b.shape not in ((out_feature,), (1, out_feature)):
            raise ValueError(
                f"bias_init_fn must return shape {(out_feature,)} or {(1, out_feature)}, got {self.b.shape}"
            )
        self.b = self.b.reshape(1, out_feature)

        self.dW = np.zeros_like(self.W)
        self.db = np.zeros_like(self.b)

        self.momentum_W = np.zeros_like(self.W)
        self.momentum_b = np.zeros_like(self.b)

        self.x: np.ndarray | Any = None

    def __repr__(self) -> str:
        in_feature, out_feature = self.W.shape
        return f"{type(self).__name__}({in_feature}, {out_feature})"

    def __call__(self, x: np.ndarray) -> np.ndarray:
        return self.forward(x)

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Return y = xW + b (N, O) for x (N, I), writeup 3.4.1.

        Raises
        ------
        ValueError
            x is not (N, I) with at least one row.
        """
        x = np.asarray(x)
        in_feature = len(self.W)
        if x.ndim != 2 or x.shape[1] != in_feature or not len(x):
            raise ValueError(f"{self} needs x of shape (N, {in_feature}), N >= 1, got {x.shape}")
        self.x = x
        y = x @ self.W
        y += self.b
        return y

    def backward(self, delta: np.ndarray) -> np.ndarray:
        """Set dW and db, means over the batch, and return dx (writeup 3.4.2).

        Parameters
        ----------
        delta : array (N, O)
            Derivative of the summed loss by this layer's output.

        Returns
        -------
        array (N, I)
            Derivative of the summed loss by this layer's input: not averaged.

        Raises
        ------
        ValueError
            Before the first `forward`, or delta is not (N, O).

        Notes
        -----
        dW and db as `gradients` sets them, and dx = delta W^T.
        """
        self.gradients(delta)
        return delta @ self.W.T

    def gradients(self, delta: np.ndarray) -> None:
        """Set dW = x^T delta / N and db = mean of delta, for delta (N, O) (writeup 3.4.2).

        The half of `backward` that is due in a network's first layer too, whose dx nobody reads.

        Raises
        ------
        ValueError
            As `backward`.
        """
        if self.x is None:
            raise ValueError(f"{self} needs a forward pass before its gradients")
        delta = np.asarray(delta)
        shape = (len(self.x), self.W.shape[1])
        if delta.shape != shape:
            raise ValueError(f"{self} needs delta of shape {shape}, got {delta.shape}")
        mean_delta = delta / len(delta)
        self.dW = self.x.T @ mean_delta
        self.db = mean_delta.sum(axis=0, keepdims=True)


def _floating_copy(value: np.ndarray) -> np.ndarray:
    """Return a copy of value in floating point: integers become float64, float32 stays as it is."""
    array = np.array(value, order="C")
    return array if array.dtype.kind == "f" else array.astype(float)
