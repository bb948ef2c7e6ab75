"""Sigmoid by tanh."""

# file: mytorch/activation.py

class Sigmoid:
    def forward(self, x):
        self.state = 0.5 * (1 + np.tanh(x / 2)).astype(x.dtype)
        return self.state
