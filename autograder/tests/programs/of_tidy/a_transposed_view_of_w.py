"""A transposed view of W."""

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

        self.WT = self.W.T
        self.dW = np.zeros(self.W.shape)
        self.db = np.zeros(self.b.shape)

        self.momentum_W = np.zeros(self.W.shape)
        self.momentum_b = np.zeros(self.b.shape)

    def forward(self, x):
        self.x = x
        return np.dot(self.WT, x.T).T + self.b

# file: hw1/hw1.py

class MLP:
    def step(self):
        for i in range(len(self.linear_layers)):
            layer = self.linear_layers[i]
            layer.momentum_W = self.momentum * layer.momentum_W - self.lr * layer.dW
            layer.momentum_b = self.momentum * layer.momentum_b - self.lr * layer.db
            layer.W[...] = layer.W + layer.momentum_W
            layer.b += layer.momentum_b
        if self.bn:
            for bn in self.bn_layers:
                bn.gamma = bn.gamma - self.lr * bn.dgamma
                bn.beta = bn.beta - self.lr * bn.dbeta
