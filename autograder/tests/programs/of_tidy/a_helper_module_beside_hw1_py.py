"""A helper module beside hw1.py."""

# file: hw1/hw1.py

from utils import *

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
        self.linear_layers = build_layers(Linear, sizes, weight_init_fn, bias_init_fn)

        # and the batch norms
        if self.bn:
            self.bn_layers = [BatchNorm(sizes[i + 1]) for i in range(num_bn_layers)]

# file: hw1/utils.py, in full

def build_layers(kind, sizes, *init):
    return [kind(i, o, *init) for i, o in pairs(sizes)]


def pairs(sizes):
    return list(zip(sizes[:-1], sizes[1:]))
