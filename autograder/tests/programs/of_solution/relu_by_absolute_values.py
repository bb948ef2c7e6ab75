"""Relu by absolute values."""

# file: mytorch/activation.py

class ReLU:
    def forward(self, x):
        self.state = (x + np.abs(x)) / 2
        return self.state
