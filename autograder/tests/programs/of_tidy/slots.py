"""Slots."""

# file: mytorch/linear.py, in full

import numpy as np

class Linear(object):
    __slots__ = ['W', 'b', 'dW', 'db', 'momentum_W', 'momentum_b', 'x']

    def __init__(self, in_feature, out_feature, weight_init_fn, bias_init_fn):
        self.W, self.b = weight_init_fn(in_feature, out_feature), bias_init_fn(out_feature)
        self.dW, self.momentum_W = np.zeros_like(self.W), np.zeros_like(self.W)
        self.db, self.momentum_b = np.zeros_like(self.b), np.zeros_like(self.b)

    def __call__(self, x):
        return self.forward(x)

    def forward(self, x):
        self.x = x
        return x.dot(self.W) + self.b

    def backward(self, delta):
        self.dW = self.x.T.dot(delta) / len(delta)
        self.db = delta.sum(0, keepdims=True) / len(delta)
        return delta.dot(self.W.T)

# file: hw1/hw1.py

class MLP:
    __slots__ = ('train_mode num_bn_layers bn nlayers input_size output_size activations criterion lr momentum linear_layers bn_layers output').split()
