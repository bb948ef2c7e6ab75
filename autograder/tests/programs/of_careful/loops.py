"""Loops."""

# file: mytorch/activation.py, in full

import numpy as np
from math import exp, tanh

class Activation:
    def __init__(self):
        self.state = None
    def __call__(self, x):
        return self.forward(x)
    def each(self, f, x):
        out = np.zeros_like(x)
        flat, flat_x = out.reshape(-1), x.reshape(-1)
        for i in range(len(flat_x)):
            flat[i] = f(flat_x[i])
        return out

class Identity(Activation):
    def forward(self, x):
        self.state = x
        return self.state
    def derivative(self):
        return self.each(lambda s: 1.0, self.state)

def sigmoid(z):
    if z > 0:
        return 1 / (1 + exp(-z))
    return exp(z) / (1 + exp(z))

class Sigmoid(Activation):
    def forward(self, x):
        self.state = self.each(sigmoid, x)
        return self.state
    def derivative(self):
        return self.each(lambda s: s * (1 - s), self.state)

class Tanh(Activation):
    def forward(self, x):
        self.state = self.each(tanh, x)
        return self.state
    def derivative(self):
        return self.each(lambda s: (1 - s) * (1 + s), self.state)

class ReLU(Activation):
    def forward(self, x):
        self.state = self.each(lambda z: z if z > 0 else 0.0, x)
        return self.state
    def derivative(self):
        return self.each(lambda s: 1.0 if s > 0 else 0.0, self.state)

# file: mytorch/loss.py, in full

import numpy as np

class Criterion:
    def __init__(self):
        self.logits = self.labels = self.loss = None
    def __call__(self, x, y):
        return self.forward(x, y)

class SoftmaxCrossEntropy(Criterion):
    def forward(self, x, y):
        self.logits, self.labels = x, y
        self.p = np.zeros_like(x)
        self.loss = np.zeros(len(x), dtype=x.dtype)
        for n in range(len(x)):
            largest = max(x[n])
            total = sum(np.exp(z - largest) for z in x[n])
            for c in range(x.shape[1]):
                log_p = x[n, c] - largest - np.log(total)
                self.p[n, c] = np.exp(log_p)
                self.loss[n] -= y[n, c] * log_p
        return self.loss
    def derivative(self):
        return np.array([p - y for p, y in zip(self.p, self.labels)])

# file: mytorch/linear.py, in full

import numpy as np

class Linear:
    def __init__(self, in_feature, out_feature, weight_init_fn, bias_init_fn):
        self.W = weight_init_fn(in_feature, out_feature)
        self.b = bias_init_fn(out_feature).reshape((1, -1))
        self.dW, self.db = 0 * self.W, 0 * self.b
        self.momentum_W, self.momentum_b = 0 * self.W, 0 * self.b
    def __call__(self, x):
        return self.forward(x)
    def forward(self, x):
        self.x = x
        out = []
        for row in x:
            out.append([sum(row[i] * self.W[i, o] for i in range(len(row))) + self.b[0, o] for o in range(self.b.size)])
        return np.array(out, dtype=x.dtype)
    def backward(self, delta):
        self.dW, self.db = 0 * self.W, 0 * self.b
        dx = np.zeros_like(self.x)
        for n in range(len(delta)):
            self.dW += np.outer(self.x[n], delta[n]) / len(delta)
            self.db += delta[n] / len(delta)
            dx[n] = self.W.dot(delta[n])
        return dx

# file: mytorch/batchnorm.py, in full

import numpy as np

class BatchNorm:
    def __init__(self, in_feature, alpha=0.9):
        self.alpha, self.eps = alpha, 1e-8
        self.mean, self.running_mean, self.beta, self.dbeta, self.dgamma = np.zeros((5, 1, in_feature))
        self.var, self.running_var, self.gamma = np.ones((3, 1, in_feature))
    def __call__(self, x, eval=False):
        return self.forward(x, eval)
    def forward(self, x, eval=False):
        self.gamma, self.beta = self.gamma.astype(x.dtype), self.beta.astype(x.dtype)
        self.running_mean, self.running_var = self.running_mean.astype(x.dtype), self.running_var.astype(x.dtype)
        if eval:
            out = np.zeros_like(x)
            for d in range(x.shape[1]):
                sd = np.sqrt(self.running_var[0, d] + self.eps)
                out[:, d] = self.gamma[0, d] * (x[:, d] - self.running_mean[0, d]) / sd + self.beta[0, d]
            return out
        self.x, self.norm, self.out = x, np.zeros_like(x), np.zeros_like(x)
        self.mean, self.var = np.zeros_like(self.gamma), np.zeros_like(self.gamma)
        for d in range(x.shape[1]):
            for n in range(len(x)):
                self.mean[0, d] += x[n, d] / len(x)
            for n in range(len(x)):
                self.var[0, d] += (x[n, d] - self.mean[0, d]) ** 2 / len(x)
            self.norm[:, d] = (x[:, d] - self.mean[0, d]) / np.sqrt(self.var[0, d] + self.eps)
            self.out[:, d] = self.gamma[0, d] * self.norm[:, d] + self.beta[0, d]
        self.running_mean = (self.alpha * self.running_mean + (1 - self.alpha) * self.mean).astype(x.dtype)
        self.running_var = (self.alpha * self.running_var + (1 - self.alpha) * self.var).astype(x.dtype)
        return self.out
    def backward(self, delta):
        N = len(delta)
        dx = np.zeros_like(delta)
        self.dgamma, self.dbeta = np.zeros_like(self.gamma), np.zeros_like(self.beta)
        for d in range(delta.shape[1]):
            self.dbeta[0, d] = sum(delta[:, d])
            self.dgamma[0, d] = sum(delta[:, d] * self.norm[:, d])
            for n in range(N):
                path = N * delta[n, d] - self.dbeta[0, d] - self.norm[n, d] * self.dgamma[0, d]
                dx[n, d] = self.gamma[0, d] * path / (N * np.sqrt(self.var[0, d] + self.eps))
        return dx
