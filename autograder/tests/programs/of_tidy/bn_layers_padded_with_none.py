"""Bn_layers padded with None."""

# file: hw1/hw1.py

class MLP:
    def __init__(self, input_size, output_size, hiddens, activations, weight_init_fn, bias_init_fn, criterion, lr, momentum=0.0, num_bn_layers=0):

        # starter, from here
        self.train_mode = True
        self.num_bn_layers = num_bn_layers
        self.bn = num_bn_layers > 0
        self.nlayers = len(hiddens) + 1
        self.input_size = input_size
        self.output_size = output_size
        self.activations = activations
        self.criterion = criterion
        self.lr = lr
        self.momentum = momentum
        # to here

        # the grader reads
        # linear_layers and bn_layers,
        # so keep the names

        # all linear layers,
        # from the sizes,
        # one after the other
        sizes = [input_size] + list(hiddens) + [output_size]
        self.linear_layers = [Linear(sizes[i], sizes[i + 1], weight_init_fn, bias_init_fn) for i in range(len(sizes) - 1)]

        # and the batch norms
        self.bn_layers = [BatchNorm(sizes[i + 1]) if i < num_bn_layers else None for i in range(self.nlayers)]

    def zero_grads(self):
        for layer in self.linear_layers:
            layer.dW.fill(0.0)
            layer.db.fill(0.0)
        if self.bn:
            for bn in self.bn_layers[:self.num_bn_layers]:
                bn.dgamma.fill(0.0)
                bn.dbeta.fill(0.0)

    def step(self):
        for i in range(len(self.linear_layers)):
            layer = self.linear_layers[i]
            layer.momentum_W = self.momentum * layer.momentum_W - self.lr * layer.dW
            layer.momentum_b = self.momentum * layer.momentum_b - self.lr * layer.db
            layer.W += layer.momentum_W
            layer.b += layer.momentum_b
        if self.bn:
            for bn in filter(None, self.bn_layers):
                bn.gamma = bn.gamma - self.lr * bn.dgamma
                bn.beta = bn.beta - self.lr * bn.dbeta
