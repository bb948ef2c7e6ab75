"""Loops by index."""

# file: hw1/hw1.py

class MLP:
    def forward(self, x):
        for i in range(self.nlayers):
            x = self.linear_layers[i].forward(x)
            if self.bn and i < self.num_bn_layers:
                x = self.bn_layers[i].forward(x, not self.train_mode)
            x = self.activations[i].forward(x)
        self.output = x
        return self.output

    def backward(self, labels):
        self.criterion.forward(self.output, labels)
        delta = self.criterion.derivative()
        for i in range(self.nlayers - 1, -1, -1):
            delta = np.multiply(self.activations[i].derivative(), delta)
            if self.bn and i < self.num_bn_layers:
                delta = self.bn_layers[i].backward(delta)
            delta = self.linear_layers[i].backward(delta)
