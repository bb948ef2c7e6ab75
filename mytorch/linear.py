"""The affine layer y = xW + b and its gradients (writeup, section 3.4)."""

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

    def __init__(self, in_feature, out_feature, weight_init_fn, bias_init_fn):
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

        self.x = None

    def __call__(self, x):
        return self.forward(x)

    def parameters(self):
        """Yield (name of the parameter, gradient, velocity) for W and for b."""
        yield "W", self.dW, self.momentum_W
        yield "b", self.db, self.momentum_b

    def forward(self, x):
        """Return y = xW + b (N, O) for x (N, I), writeup 3.4.1.

        Raises
        ------
        ValueError
            x is not (N, I) with at least one row.
        """
        x = np.asarray(x)
        in_feature, out_feature = self.W.shape
        if x.ndim != 2 or x.shape[1] != in_feature or not len(x):
            raise ValueError(
                f"Linear({in_feature}, {out_feature}) needs x of shape (N, {in_feature}), N >= 1, got {x.shape}"
            )
        self.x = x
        y = x @ self.W
        y += self.b
        return y

    def backward(self, delta):
        """Set dW = x^T delta / N and db = mean of delta, and return dx = delta W^T (writeup 3.4.2).

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
        """
        self._set_gradients(delta)
        return delta @ self.W.T

    def _set_gradients(self, delta):
        """Set dW and db alone, for delta (N, O): nobody reads dx of a network's first layer. Raises as `backward`."""
        in_feature, out_feature = self.W.shape
        if self.x is None:
            raise ValueError(f"Linear({in_feature}, {out_feature}).backward needs a forward pass before it")
        delta = np.asarray(delta)
        if delta.shape != (len(self.x), out_feature):
            raise ValueError(
                f"Linear({in_feature}, {out_feature}).backward needs delta of shape "
                f"{(len(self.x), out_feature)}, got {delta.shape}"
            )
        mean_delta = delta / len(delta)
        self.dW = self.x.T @ mean_delta
        self.db = mean_delta.sum(axis=0, keepdims=True)


def _floating_copy(value):
    """Return a copy of value in floating point: integers become float64, float32 stays as it is."""
    array = np.array(value, order="C")
    return array if array.dtype.kind == "f" else array.astype(float)
