"""Linear by einsum."""

# file: mytorch/linear.py

class Linear:
    def forward(self, x):
        self.x = x
        return self.b + np.einsum('ni,io', x, self.W)

    def backward(self, delta):
        self.dW = np.einsum("ni,no->io", self.x, delta) / len(delta)
        self.db = np.einsum("no->o", delta)[None] / len(delta)
        return np.einsum("no,io->ni", delta, self.W)
