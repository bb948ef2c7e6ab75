"""The velocity's other sign."""

# file: hw1/hw1.py

class MLP:
    def step(self):
        for layer in self.linear_layers:
            layer.momentum_W = self.momentum * layer.momentum_W + layer.dW * self.lr
            layer.momentum_b = self.momentum * layer.momentum_b + layer.db * self.lr
            layer.W -= layer.momentum_W
            layer.b -= layer.momentum_b
        for layer in self.bn_layers:
            layer.gamma -= layer.dgamma * self.lr
            layer.beta -= layer.dbeta * self.lr
