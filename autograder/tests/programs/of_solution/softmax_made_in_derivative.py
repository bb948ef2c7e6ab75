"""Softmax made in derivative."""

# file: mytorch/loss.py

class SoftmaxCrossEntropy:
    def forward(self, x, y):
        self.logits, self.labels = x, y
        shifted = x - np.amax(x, axis=-1, keepdims=True)
        self.loss = np.log(np.exp(shifted).sum(-1)) * y.sum(-1) - (shifted * y).sum(-1)
        return self.loss

    def derivative(self):
        return np.exp(self.logits - self.logits.max(1)[:, None]) / np.exp(self.logits - self.logits.max(1)[:, None]).sum(1)[:, None] - self.labels
