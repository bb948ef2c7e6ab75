"""Reduce and reversed zips."""

# file: hw1/hw1.py

import functools

class MLP:
    def forward(self, x):
        '''
        Argument:
            x (np.array): (batch size, input_size)
        Return:
            out (np.array): (batch size, output_size)
        '''
        bns = list(self.bn_layers if self.bn else []) + [None] * (self.nlayers - self.num_bn_layers)
        self.stack = list(zip(self.linear_layers, bns, self.activations))
        one = lambda z, l: l[2](l[1](l[0](z), not self.train_mode) if l[1] else l[0](z))
        self.output = functools.reduce(one, self.stack, x)
        return self.output

    def backward(self, labels):
        self.total_loss(labels)
        delta = self.criterion.derivative()
        for l, bn, f in reversed(self.stack):
            delta = np.multiply(delta, f.derivative())
            delta = l.backward(bn.backward(delta) if bn is not None else delta)
        return delta
