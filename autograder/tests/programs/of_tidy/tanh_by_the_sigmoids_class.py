"""Tanh by the sigmoid's class."""

# file: mytorch/activation.py

class Tanh:
    def forward(self, x):
        self.state = 2 * Sigmoid()(2 * x) - 1
        return self.state
