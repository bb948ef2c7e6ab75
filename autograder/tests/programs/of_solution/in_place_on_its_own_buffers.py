"""In place on its own buffers."""

# file: mytorch/linear.py

class Linear:
    def forward(self, x):
        self.x = x.copy()
        out = np.tile(self.b, (len(x), 1))
        out += x @ self.W
        return out

    def backward(self, delta):
        np.matmul(self.x.T, delta, out=self.dW)
        self.dW /= len(delta)
        np.sum(delta, axis=0, keepdims=True, out=self.db)
        self.db /= len(delta)
        return delta @ self.W.T
