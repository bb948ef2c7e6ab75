"""Figures in other ways."""

# file: hw1/hw1.py

class MLP:
    def error(self, labels):
        return np.sum(self.output.argmax(1) != labels.argmax(1))

    def total_loss(self, y):
        return float(np.sum(self.criterion(self.output, y)))
