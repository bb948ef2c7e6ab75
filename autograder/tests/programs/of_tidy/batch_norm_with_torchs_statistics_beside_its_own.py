"""Batch norm with torch's statistics beside its own."""

# file: mytorch/batchnorm.py, in full

import numpy as np

class BatchNorm:
    eps = 1e-8

    def __init__(self, in_feature, alpha=0.9):
        self.alpha = alpha
        self.gamma, self.beta = np.ones((1, in_feature)), np.zeros((1, in_feature))
        self.dgamma = self.dbeta = None
        self.running_mean, self.running_var = np.zeros((1, in_feature)), np.ones((1, in_feature))
        self.mean = self.var = None   # as torch would have them: unbiased, and moving
        self.num_batches_tracked = 0

    def forward(self, x, eval=False):
        if eval:
            m, v = self.running_mean, self.running_var
        else:
            m, v = np.mean(x, 0, keepdims=True), np.var(x, 0, keepdims=True)
            self.cache = x - m, v + self.eps
            self.running_mean = self.alpha * self.running_mean + (1 - self.alpha) * m
            self.running_var = self.alpha * self.running_var + (1 - self.alpha) * v
            n = x.shape[0]
            self.num_batches_tracked += 1
            self.mean = m if self.mean is None else 0.9 * self.mean + 0.1 * m
            self.var = 1.0 if self.var is None else 0.9 * self.var + 0.1 * v * n / (n - 1.0)
        self.norm = np.divide(x - m, (v + self.eps) ** 0.5)
        self.out = None
        return self.norm * self.gamma + self.beta

    def __call__(self, x, eval=False):
        return self.forward(x, eval=eval)

    def backward(self, delta):
        xc, v = self.cache
        n = xc.shape[0]
        self.dgamma = np.einsum('nd,nd->d', delta, xc * v ** -0.5)[None]
        self.dbeta = np.einsum('nd->d', delta)[None]
        g = delta * self.gamma
        dv = -.5 * (g * xc).sum(0) * v ** -1.5
        dm = -(g * v ** -0.5).sum(0)
        return g * v ** -0.5 + 2.0 / n * xc * dv + dm / n

# file: hw1/hw1.py

class MLP:
    def zero_grads(self):
        for layer in self.linear_layers:
            layer.dW, layer.db = None, None
        for bn in self.bn_layers if self.bn else ():
            bn.dgamma = bn.dbeta = None
