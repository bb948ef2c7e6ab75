"""Modules by name, no star."""

# file: hw1/hw1.py, in full

import numpy as np
import os
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'mytorch'))
import batchnorm as bn_module
import linear
from loss import SoftmaxCrossEntropy as Loss


class MLP(object):

    '''
    my MLP
    '''

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
        self.linear_layers = [linear.Linear(sizes[i], sizes[i + 1], weight_init_fn, bias_init_fn) for i in range(len(sizes) - 1)]

        # and the batch norms
        if self.bn:
            self.bn_layers = [bn_module.BatchNorm(sizes[i + 1]) for i in range(num_bn_layers)]

    def forward(self, x):
        '''
        Argument:
            x (np.array): (batch size, input_size)
        Return:
            out (np.array): (batch size, output_size)
        '''
        out = x
        for i in range(len(self.linear_layers)):
            out = self.linear_layers[i](out)
            if i < self.num_bn_layers:
                out = self.bn_layers[i](out, not self.train_mode)
            out = self.activations[i](out)
        self.output = out
        return out

    def zero_grads(self):
        for layer in self.linear_layers:
            layer.dW.fill(0.0)
            layer.db.fill(0.0)
        if self.bn:
            for bn in self.bn_layers:
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
            for bn in self.bn_layers:
                bn.gamma = bn.gamma - self.lr * bn.dgamma
                bn.beta = bn.beta - self.lr * bn.dbeta

    def backward(self, labels):
        self.criterion.forward(self.output, labels)
        delta = self.criterion.derivative()
        for i in range(len(self.linear_layers) - 1, -1, -1):
            delta = delta * self.activations[i].derivative()
            if i < self.num_bn_layers:
                delta = self.bn_layers[i].backward(delta)
            delta = self.linear_layers[i].backward(delta)

    def error(self, labels):
        return (np.argmax(self.output, axis = 1) != np.argmax(labels, axis = 1)).sum()

    def total_loss(self, labels):
        return self.criterion(self.output, labels).sum()

    def __call__(self, x):
        return self.forward(x)

    def train(self):
        self.train_mode = True

    def eval(self):
        self.train_mode = False

def get_training_stats(mlp, dset, nepochs, batch_size):

    train, val, _ = dset
    trainx, trainy = train
    valx, valy = val

    idxs = np.arange(len(trainx))

    training_losses = []
    training_errors = []
    validation_losses = []
    validation_errors = []

    # start

    for e in range(nepochs):
        np.random.shuffle(idxs)
        mlp.train()
        loss = 0.0
        err = 0.0
        for b in range(0, len(trainx), batch_size):
            x = trainx[idxs[b:b + batch_size]]
            y = trainy[idxs[b:b + batch_size]]
            mlp.zero_grads()
            mlp.forward(x)
            mlp.backward(y)
            mlp.step()
            loss += mlp.total_loss(y)
            err += mlp.error(y)
        training_losses.append(loss / len(trainx))
        training_errors.append(err / len(trainx))

        mlp.eval()
        loss = 0.0
        err = 0.0
        for b in range(0, len(valx), batch_size):
            mlp.forward(valx[b:b + batch_size])
            loss += mlp.total_loss(valy[b:b + batch_size])
            err += mlp.error(valy[b:b + batch_size])
        validation_losses.append(loss / len(valx))
        validation_errors.append(err / len(valx))

    # done

    return (np.array(training_losses), np.array(training_errors), np.array(validation_losses), np.array(validation_errors))
