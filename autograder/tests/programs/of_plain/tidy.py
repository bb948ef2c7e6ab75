"""The starter's plain style, with what the findings ask of it: all gradients are zeroed, one dtype is kept."""

# file: mytorch/activation.py

class ReLU:
    def derivative(self):
        return np.where(self.state > 0, 1.0, 0.0).astype(self.state.dtype)

# file: hw1/hw1.py

class MLP:
    def zero_grads(self):
        for layer in self.linear_layers:
            layer.dW.fill(0.0)
            layer.db.fill(0.0)
        if self.bn:
            for bn in self.bn_layers:
                bn.dgamma.fill(0.0)
                bn.dbeta.fill(0.0)
