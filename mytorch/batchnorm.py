"""Batch normalisation and its closed-form gradient (writeup, section 3.3 and appendix C)."""

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
        Of the parameters and of the running averages' first values.

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

    def __init__(self, in_feature, alpha=0.9, dtype=float):
        self.alpha = alpha
        self.eps = 1e-8

        self.x = None
        self.norm = None
        self.out = None

        shape = (1, in_feature)
        self.mean = np.zeros(shape, dtype)
        self.var = np.ones(shape, dtype)

        self.gamma = np.ones(shape, dtype)
        self.dgamma = np.zeros(shape, dtype)
        self.beta = np.zeros(shape, dtype)
        self.dbeta = np.zeros(shape, dtype)

        self.running_mean = np.zeros(shape, dtype)
        self.running_var = np.ones(shape, dtype)

    def __call__(self, x, eval=False):
        return self.forward(x, eval)

    def parameters(self):
        """Yield (name of the parameter, gradient, None): gamma and beta take plain steps, without velocity."""
        yield "gamma", self.dgamma, None
        yield "beta", self.dbeta, None

    def forward(self, x, eval=False):
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
        # The (1, D) arrays are brought to x's type before they meet it, so that float32 data stay float32.
        gamma, beta = self.gamma.astype(x.dtype, copy=False), self.beta.astype(x.dtype, copy=False)
        if eval:
            mean, var = self.running_mean.astype(x.dtype, copy=False), self.running_var.astype(x.dtype, copy=False)
            return gamma * (x - mean) / np.sqrt(var + self.eps) + beta

        self.x = x
        self.mean = x.sum(axis=0, keepdims=True) / len(x)
        centred = x - self.mean
        self.var = (centred * centred).sum(axis=0, keepdims=True) / len(x)
        self.norm = centred / np.sqrt(self.var + self.eps)
        self.out = gamma * self.norm + beta
        self.running_mean = self._moved(self.running_mean, self.mean)
        self.running_var = self._moved(self.running_var, self.var)
        return self.out

    def backward(self, delta):
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
        scale = self.gamma.astype(delta.dtype, copy=False) / np.sqrt(self.var + self.eps)
        return scale * (delta - self.dbeta / len(delta) - self.norm * (self.dgamma / len(delta)))

    def _moved(self, running, batch):
        """Return alpha running + (1 - alpha) batch (eq. 38, 39), in the type of the batch's statistic (1, D)."""
        return (self.alpha * running + (1 - self.alpha) * batch).astype(batch.dtype, copy=False)
