"""Cross entropy by einsum."""

# file: mytorch/loss.py

class SoftmaxCrossEntropy:
    def forward(self, x, y):
        self.logits, self.labels = x, y
        a = x.max(axis=1)[:, None]
        log_softmax = x - a - np.log(np.exp(x - a).sum(axis=1))[:, None]
        self.softmax = np.exp(log_softmax)
        self.loss = np.einsum("ij,ij->i", -y, log_softmax)
        return self.loss

    def derivative(self):
        return np.subtract(self.softmax, self.labels)
