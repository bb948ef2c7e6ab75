"""Log-sum-exp by logaddexp."""

# file: mytorch/loss.py

class SoftmaxCrossEntropy:
    def forward(self, x, y):
        self.logits, self.labels = x, y
        log_sum = np.logaddexp.reduce(x, axis=1, keepdims=True)
        self.softmax = np.exp(x - log_sum)
        self.loss = (y * (log_sum - x)).sum(axis=1)
        return self.loss
