"""Batch norm's own names."""

# file: mytorch/batchnorm.py, in full

import numpy as np

class BatchNorm(object):

    def __init__(self, in_feature, alpha=0.9):

        # from the starter

        self.alpha = alpha
        self.eps = 1e-8
        self.z = None
        self.x_hat = None
        self.y = None

        # of the last batch
        self.sigma2 = np.ones((1, in_feature))
        self.mu = np.zeros((1, in_feature))

        self.gamma = np.ones((1, in_feature))
        self.dgamma = np.zeros((1, in_feature))

        self.beta = np.zeros((1, in_feature))
        self.dbeta = np.zeros((1, in_feature))

        # for eval mode
        self.moving_mu = np.zeros((1, in_feature))
        self.moving_sigma2 = np.ones((1, in_feature))

    def __call__(self, x, eval=False):
        return self.forward(x, eval)

    def forward(self, x, eval=False):
        if eval:
            self.x_hat = (x - self.moving_mu) / np.sqrt(self.moving_sigma2 + self.eps)
            self.y = self.gamma * self.x_hat + self.beta
            return self.y

        self.z = x
        self.mu = np.mean(x, axis=0, keepdims=True)
        self.sigma2 = np.var(x, axis=0, keepdims=True)
        self.x_hat = (x - self.mu) / np.sqrt(self.sigma2 + self.eps)
        self.y = self.gamma * self.x_hat + self.beta

        # moving averages
        self.moving_mu = self.alpha * self.moving_mu + (1 - self.alpha) * self.mu
        self.moving_sigma2 = self.alpha * self.moving_sigma2 + (1 - self.alpha) * self.sigma2
        return self.y

    def backward(self, delta):
        m = delta.shape[0]
        self.dbeta = np.sum(delta, axis=0, keepdims=True)
        self.dgamma = np.sum(delta * self.x_hat, axis=0, keepdims=True)
        dnorm = delta * self.gamma
        sqrt = np.sqrt(self.sigma2 + self.eps)
        dvar = -0.5 * np.sum(dnorm * (self.z - self.mu) / sqrt ** 3, axis=0, keepdims=True)
        dmean = -np.sum(dnorm / sqrt, axis=0, keepdims=True) - 2 / m * dvar * np.sum(self.z - self.mu, axis=0, keepdims=True)
        return dnorm / sqrt + dvar * (2 / m * (self.z - self.mu)) + dmean / m
