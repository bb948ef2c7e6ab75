"""Setattr and getattr."""

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
        self.dW = np.zeros(self.W.shape)
        self.db = np.zeros(self.b.shape)

        self.momentum_W = np.zeros_like(self.W)
        self.momentum_b = np.zeros_like(self.b)

# file: hw1/hw1.py

class MLP:
    def step(self):
        for l in self.linear_layers:
            for p in ('W', 'b'):
                v = self.momentum * getattr(l, 'momentum_' + p) - self.lr * getattr(l, 'd' + p)
                setattr(l, 'momentum_' + p, v)
                setattr(l, p, getattr(l, p) + v)
        if self.bn:
            for bn in self.bn_layers:
                bn.gamma = bn.gamma - self.lr * bn.dgamma
                bn.beta = bn.beta - self.lr * bn.dbeta
