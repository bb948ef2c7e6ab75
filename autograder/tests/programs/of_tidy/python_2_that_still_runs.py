"""Python 2 that still runs."""

# file: mytorch/activation.py, in full

from __future__ import print_function, division, absolute_import
import numpy as np

try:
    xrange
except NameError:
    xrange = range

class Activation(object):
    def __init__(self, *args, **kwargs):
        super(Activation, self).__init__()
        self.state = None
    def __call__(self, x):
        return self.forward(x)
    def forward(self, x):
        raise NotImplemented
    def derivative(self):
        raise NotImplemented
    def __repr__(self):
        return '<%s at %d>' % (self.__class__.__name__, id(self))

class Identity(Activation):
    def forward(self, x):
        self.state = x
        return x
    def derivative(self):
        return 1.0

class Sigmoid(Activation):
    def forward(self, x):
        s = np.zeros(x.shape, dtype = x.dtype)
        for i in xrange(x.shape[0]):
            for j in xrange(x.shape[1]):
                s[i, j] = 1.0 / (1.0 + np.exp(-x[i, j]))
        self.state = s
        return self.state
    def derivative(self):
        return self.state * (1.0 - self.state)

class Tanh(Activation):
    def forward(self, x):
        self.state = np.array(list(map(np.tanh, x)))
        return self.state
    def derivative(self):
        return 1.0 - self.state ** 2

class ReLU(Activation):
    def forward(self, x):
        self.state = np.array([[v if v > 0 else 0 for v in row] for row in x], dtype = x.dtype)
        return self.state
    def derivative(self):
        return np.array([[int(v > 0) for v in row] for row in self.state], dtype = self.state.dtype)
