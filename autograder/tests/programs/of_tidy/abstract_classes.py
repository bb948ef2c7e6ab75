"""Abstract classes."""

# file: mytorch/activation.py, in full

from abc import ABC, abstractmethod
import numpy as np
from numpy import exp, tanh


class Activation(ABC):
    def __init__(self):
        self.__state = None

    @property
    def state(self):
        return self.__state

    @state.setter
    def state(self, value):
        self.__state = value

    @abstractmethod
    def forward(self, x):
        ...

    @abstractmethod
    def derivative(self):
        ...

    def __call__(self, x):
        return self.forward(x)


class Identity(Activation):
    def forward(self, x):
        self.state = x
        return self.state

    def derivative(self):
        return np.full_like(self.state, 1)


class Sigmoid(Activation):
    def forward(self, x):
        with np.errstate(over='ignore'):
            self.state = 1. / (1. + exp(-x))
        return self.state

    def derivative(self):
        return self.state - np.power(self.state, 2)


class Tanh(Activation):
    def forward(self, x):
        self.state = tanh(x)
        return self.state

    def derivative(self):
        return np.ones_like(self.state) - self.state * self.state


class ReLU(Activation):
    def forward(self, x):
        self.state = np.vectorize(lambda z: z if z > 0 else 0., otypes=[x.dtype])(x)
        return self.state

    def derivative(self):
        return np.vectorize(lambda s: 1. if s > 0 else 0., otypes=[self.state.dtype])(self.state)
