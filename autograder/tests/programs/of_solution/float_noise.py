"""Float noise."""

# file: mytorch/activation.py

class Sigmoid:
    def forward(self, x):
        self.state = np.exp(-np.logaddexp(0, -x)) * (1 + 1e-13)
        return self.state
