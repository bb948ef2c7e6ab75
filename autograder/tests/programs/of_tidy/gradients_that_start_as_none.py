"""Gradients that start as None."""

# file: mytorch/linear.py

class Linear:
    def __init__(self, in_feature, out_feature, weight_init_fn, bias_init_fn):

        '''
        Argument:
            W (np.array): (in feature, out feature)
            dW (np.array): (in feature, out feature)
            momentum_W (np.array): (in feature, out feature)
        '''

        self.W = weight_init_fn(in_feature, out_feature)
        self.b = bias_init_fn(out_feature)

        # gradients
        self.dW = self.db = None

        self.momentum_W = np.zeros(self.W.shape)
        self.momentum_b = np.zeros(self.b.shape)

# file: hw1/hw1.py

class MLP:
    def zero_grads(self):
        for layer in self.linear_layers:
            layer.dW, layer.db = None, None
        for bn in self.bn_layers if self.bn else ():
            bn.dgamma = bn.dbeta = None
