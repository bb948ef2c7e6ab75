"""Properties on one matrix."""

# file: mytorch/linear.py, in full

import numpy as np

class Linear:
    '''Weights and bias in one matrix; the parts are views of it.'''

    def __init__(self, in_feature, out_feature, weight_init_fn, bias_init_fn):
        self.all = np.vstack([weight_init_fn(in_feature, out_feature), bias_init_fn(out_feature).reshape(1, -1)])
        self.grad = np.zeros_like(self.all)
        self.velocity = np.zeros_like(self.all)

    W = property(lambda self: self.all[:-1], lambda self, value: self.all.__setitem__(slice(None, -1), value))
    b = property(lambda self: self.all[-1:], lambda self, value: self.all.__setitem__(slice(-1, None), value))
    dW = property(lambda self: self.grad[:-1], lambda self, value: self.grad.__setitem__(slice(None, -1), value))
    db = property(lambda self: self.grad[-1:], lambda self, value: self.grad.__setitem__(slice(-1, None), value))
    momentum_W = property(lambda self: self.velocity[:-1], lambda self, v: self.velocity.__setitem__(slice(None, -1), v))
    momentum_b = property(lambda self: self.velocity[-1:], lambda self, v: self.velocity.__setitem__(slice(-1, None), v))

    def __call__(self, x):
        return self.forward(x)

    def forward(self, x):
        self.ext = np.concatenate([x, np.ones((len(x), 1), x.dtype)], axis=1)
        return self.ext @ self.all

    def backward(self, delta):
        self.grad[:] = self.ext.T @ delta / len(delta)
        return (delta @ self.all.T)[:, :-1]
