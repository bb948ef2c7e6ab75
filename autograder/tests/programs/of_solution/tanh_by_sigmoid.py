"""Tanh by sigmoid."""

# file: mytorch/activation.py

class Tanh:
    def forward(self, x):
        self.state = 2 * (0.5 * (1 + np.tanh(x))) - 1
        return self.state

    def derivative(self):
        return (1 - self.state) * (1 + self.state)
