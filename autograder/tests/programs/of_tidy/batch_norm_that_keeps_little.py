"""Batch norm that keeps little."""

# file: mytorch/batchnorm.py, in full

import numpy as np

class BatchNorm(object):
    '''Keeps what backward needs, under names of its own.'''

    def __init__(self, in_feature, alpha=0.9):
        self.alpha = alpha
        self.gamma, self.beta = np.ones((1, in_feature)), np.zeros((1, in_feature))
        self.dgamma, self.dbeta = np.zeros((1, in_feature)), np.zeros((1, in_feature))
        self.moving = [np.zeros(in_feature), np.ones(in_feature)]

    def __call__(self, x, eval=False):
        return self.forward(x, eval)

    def forward(self, x, eval=False):
        if eval:
            mu, v = self.moving
            return self.gamma * ((x - mu) / np.sqrt(v + 1e-8)) + self.beta
        mu, v = x.mean(0), x.var(0)
        a = self.alpha
        self.moving = [a * self.moving[0] + (1 - a) * mu, a * self.moving[1] + (1 - a) * v]
        self.inv = 1.0 / np.sqrt(v + 1e-8)
        self.xhat = (x - mu) * self.inv
        return self.gamma * self.xhat + self.beta

    def backward(self, delta):
        N = float(delta.shape[0])
        self.dbeta = delta.sum(0).reshape(1, -1)
        self.dgamma = (delta * self.xhat).sum(0).reshape(1, -1)
        return self.gamma * self.inv / N * (N * delta - self.dbeta - self.xhat * self.dgamma)
