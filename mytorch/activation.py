"""Element-wise non-linearities (writeup, section 3.1).

`forward` stores its output in `state`, and `derivative` reads nothing else: the derivative of each function
here is a formula in the function's own value. Arrays of any shape and any number of axes pass through.
"""

# Spring 2020's convolution homework takes `os` from `from activation import *` (and from loss.py's star too):
# it is imported for that homework's grader alone.
import os  # noqa: F401
from typing import Any, Optional

import numpy as np


class Activation:
    """An element-wise function that remembers its last output.

    Attributes
    ----------
    state : array, any shape
        The output of the last `forward`; None before the first.
    """

    def __init__(self) -> None:
        self.state: np.ndarray | Any = None  # | Any: whoever reads it after a forward need not ask for None first

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    def __call__(self, x: np.ndarray) -> np.ndarray:
        return self.forward(x)

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Return the function's value at every element of x, and store it in `state`."""
        raise NotImplementedError

    def derivative(self) -> np.ndarray:
        """Return the function's derivative where `forward` was last called, in the shape of `state`."""
        raise NotImplementedError


class Identity(Activation):
    """I(z) = z, for an output layer whose criterion takes logits."""

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Return x itself (any shape)."""
        self.state = _floating(x)
        return self.state

    def derivative(self) -> np.ndarray:
        """I'(z) = 1 (shape of `state`)."""
        return np.ones_like(_last(self))


class Sigmoid(Activation):
    """S(z) = 1 / (1 + exp(-z)), writeup 3.1.1 and 3.1.2."""

    def forward(self, x: np.ndarray) -> np.ndarray:
        """S(z) = 1 / (1 + e^-z) (any shape), accurate in both tails."""
        # Where e^-z overflows, S(z) is below the smallest normal number, and 1 / inf = 0 takes its place.
        with np.errstate(over="ignore"):
            self.state = 1 / (1 + np.exp(-_floating(x)))
        return self.state

    def derivative(self) -> np.ndarray:
        """S'(z) = S(z) (1 - S(z)) (shape of `state`)."""
        state = _last(self)
        return state * (1 - state)


class Tanh(Activation):
    """tanh(z) = (e^z - e^-z) / (e^z + e^-z), writeup 3.1.3 and 3.1.4."""

    def forward(self, x: np.ndarray) -> np.ndarray:
        """tanh(z) (any shape); numpy's own, since the raw exponentials overflow."""
        self.state = np.tanh(_floating(x))
        return self.state

    def derivative(self, state: Optional[np.ndarray] = None) -> np.ndarray:
        """tanh'(z) = 1 - tanh(z)^2, where tanh(z) is `state`: the last output, or one that is given (shape of it)."""
        if state is None:
            state = _last(self)
        return 1 - state * state


class ReLU(Activation):
    """R(z) = max(z, 0), writeup 3.1.5 and 3.1.6."""

    def forward(self, x: np.ndarray) -> np.ndarray:
        """R(z) = z where z > 0, else 0 (any shape)."""
        self.state = np.maximum(_floating(x), 0)
        return self.state

    def derivative(self) -> np.ndarray:
        """R'(z) = 1 where z > 0, else 0, also at z = 0 (shape and dtype of `state`)."""
        state = _last(self)
        return (state > 0).astype(state.dtype)


def _floating(x: np.ndarray) -> np.ndarray:
    """Return x as an array of floating-point numbers: integers become float64, float32 stays as it is."""
    x = np.asarray(x)
    return x if x.dtype.kind == "f" else x.astype(float)


def _last(activation: Activation) -> np.ndarray:
    """Return the activation's state; raise ValueError where there is none yet."""
    if activation.state is None:
        raise ValueError(f"{activation} needs a forward pass before its derivative")
    return activation.state
