"""Cross entropy row by row."""

# file: mytorch/loss.py

class SoftmaxCrossEntropy:
    def forward(self, x, y):
        self.logits, self.labels = x, y
        self.softmax, self.loss = np.zeros_like(x), np.zeros(len(x), x.dtype)
        for i, row in enumerate(x):
            shifted = row - max(row)
            self.softmax[i] = np.exp(shifted) / sum(np.exp(shifted))
            self.loss[i] = -np.dot(y[i], shifted - np.log(sum(np.exp(shifted))))
        return self.loss
