"""Closures."""

# file: mytorch/activation.py, in full

import numpy as np
np.random.seed(42)


class Activation(object):
    state = None
    f = staticmethod(lambda x: x)
    df = staticmethod(lambda s: np.ones_like(s))

    def forward(self, x):
        self.state = self.f(x)
        return self.state

    def derivative(self):
        return self.df(self.state)

    def __call__(self, *args):
        return self.forward(*args)


def make(name, f, df):
    return type(name, (Activation,), {"f": staticmethod(f), "df": staticmethod(df)})


Identity = make("Identity", lambda x: x, np.ones_like)
Sigmoid = make("Sigmoid", lambda x: (np.tanh(x / 2) + 1) / 2, lambda s: s - s ** 2)
Tanh = make("Tanh", lambda x: np.tanh(x), lambda s: 1 - np.square(s))
ReLU = make("ReLU", lambda x: x * (x > 0), lambda s: np.sign(s))

# file: mytorch/linear.py, in full

import numpy as np


class Linear(object):
    def __init__(self, in_feature, out_feature, weight_init_fn, bias_init_fn):
        self.W = np.array(weight_init_fn(in_feature, out_feature))
        self.b = np.array(bias_init_fn(out_feature)).reshape(-1, out_feature)
        self.dW = np.zeros_like(self.W)
        self.db = np.zeros_like(self.b)
        self.momentum_W = np.zeros_like(self.W)
        self.momentum_b = np.zeros_like(self.b)

    def __call__(self, x):
        return self.forward(x)

    def forward(self, x):
        self.x = x

        def back(delta):
            self.dW = np.mean(x[:, :, None] * delta[:, None, :], axis=0)
            self.db = np.mean(delta, axis=0)[np.newaxis]
            return np.matmul(delta, np.transpose(self.W))

        self.back = back
        return np.hstack([x, np.ones_like(x[:, :1])]) @ np.vstack([self.W, self.b])

    def backward(self, delta):
        return self.back(delta)
