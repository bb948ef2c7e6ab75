"""Whole submissions as students write them: the plain style of the course's starter, and five others that are right.

They are texts, not code of this project: long lines, star imports and loops are theirs.
"""

from __future__ import annotations

# ruff: noqa: E501  (the students' lines are as long as they are)

ACTIVATION = """\
import numpy as np
import os


class Activation(object):

    '''
    what every activation has
    '''

    # base class, the ones below do the work

    def __init__(self):
        self.state = None

    def __call__(self, x):
        return self.forward(x)

    def forward(self, x):
        raise NotImplemented

    def derivative(self):
        raise NotImplemented


class Identity(Activation):

    def __init__(self):
        super(Identity, self).__init__()

    def forward(self, x):
        self.state = x
        return x

    def derivative(self):
        return 1.0


class Sigmoid(Activation):

    # same signatures as in the starter!

    def __init__(self):
        super(Sigmoid, self).__init__()

    def forward(self, x):
        self.state = 1 / (1 + np.exp(-x))
        return self.state

    def derivative(self):
        return self.state * (1 - self.state)


class Tanh(Activation):

    def __init__(self):
        super(Tanh, self).__init__()

    def forward(self, x):
        self.state = np.tanh(x)
        return self.state

    def derivative(self):
        return 1 - self.state ** 2


class ReLU(Activation):

    def __init__(self):
        super(ReLU, self).__init__()

    def forward(self, x):
        self.state = np.maximum(x, 0)
        return self.state

    def derivative(self):
        return np.where(self.state > 0, 1.0, 0.0)
"""


LOSS = """\
import numpy as np
import os

# losses are classes:
# one can be swapped for another,
# like in torch

class Criterion(object):
    '''
    what every loss has
    '''

    # base class, nothing to do

    def __init__(self):
        self.logits = None
        self.labels = None
        self.loss = None

    def __call__(self, x, y):
        return self.forward(x, y)

    def forward(self, x, y):
        raise NotImplemented

    def derivative(self):
        raise NotImplemented


class SoftmaxCrossEntropy(Criterion):

    def __init__(self):
        super(SoftmaxCrossEntropy, self).__init__()
        self.sm = None

    def forward(self, x, y):
        self.logits = x
        self.labels = y
        a = np.max(x, axis=1, keepdims=True)
        e = np.exp(x - a)
        self.sm = e / np.sum(e, axis=1, keepdims=True)
        lse = a + np.log(np.sum(e, axis=1, keepdims=True))
        self.loss = -np.sum(y * (x - lse), axis=1)
        return self.loss

    def derivative(self):
        return self.sm - self.labels
"""


LINEAR = """\
import numpy as np
import math

class Linear():
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

        self.momentum_W = np.zeros(self.W.shape)
        self.momentum_b = np.zeros(self.b.shape)

    def __call__(self, x):
        return self.forward(x)

    def forward(self, x):
        self.x = x
        return np.dot(x, self.W) + self.b

    def backward(self, delta):
        batch_size = delta.shape[0]
        self.dW = np.dot(self.x.T, delta) / batch_size
        self.db = np.sum(delta, axis=0, keepdims=True) / batch_size
        return np.dot(delta, self.W.T)
"""


BATCHNORM = """\
import numpy as np

class BatchNorm(object):

    def __init__(self, in_feature, alpha=0.9):

        # from the starter

        self.alpha = alpha
        self.eps = 1e-8
        self.x = None
        self.norm = None
        self.out = None

        # of the last batch
        self.var = np.ones((1, in_feature))
        self.mean = np.zeros((1, in_feature))

        self.gamma = np.ones((1, in_feature))
        self.dgamma = np.zeros((1, in_feature))

        self.beta = np.zeros((1, in_feature))
        self.dbeta = np.zeros((1, in_feature))

        # for eval mode
        self.running_mean = np.zeros((1, in_feature))
        self.running_var = np.ones((1, in_feature))

    def __call__(self, x, eval=False):
        return self.forward(x, eval)

    def forward(self, x, eval=False):
        if eval:
            self.norm = (x - self.running_mean) / np.sqrt(self.running_var + self.eps)
            self.out = self.gamma * self.norm + self.beta
            return self.out

        self.x = x
        self.mean = np.mean(x, axis=0, keepdims=True)
        self.var = np.var(x, axis=0, keepdims=True)
        self.norm = (x - self.mean) / np.sqrt(self.var + self.eps)
        self.out = self.gamma * self.norm + self.beta

        # moving averages
        self.running_mean = self.alpha * self.running_mean + (1 - self.alpha) * self.mean
        self.running_var = self.alpha * self.running_var + (1 - self.alpha) * self.var
        return self.out

    def backward(self, delta):
        m = delta.shape[0]
        self.dbeta = np.sum(delta, axis=0, keepdims=True)
        self.dgamma = np.sum(delta * self.norm, axis=0, keepdims=True)
        dnorm = delta * self.gamma
        sqrt = np.sqrt(self.var + self.eps)
        dvar = -0.5 * np.sum(dnorm * (self.x - self.mean) / sqrt ** 3, axis=0, keepdims=True)
        dmean = -np.sum(dnorm / sqrt, axis=0, keepdims=True) - 2 / m * dvar * np.sum(self.x - self.mean, axis=0, keepdims=True)
        return dnorm / sqrt + dvar * (2 / m * (self.x - self.mean)) + dmean / m
"""


HW1 = """\
import numpy as np
import os
import sys

sys.path.append('mytorch')
from loss import *
from activation import *
from batchnorm import *
from linear import *


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
        self.linear_layers = [Linear(sizes[i], sizes[i + 1], weight_init_fn, bias_init_fn) for i in range(len(sizes) - 1)]

        # and the batch norms
        if self.bn:
            self.bn_layers = [BatchNorm(sizes[i + 1]) for i in range(num_bn_layers)]

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
"""


MC = """\
# Multiple Choice

# Question 1
def question_1():
    return 'b'

# Question 2
def question_2():
    return 'a'

# Question 3
def question_3():
    return 'a'

# Question 4
def question_4():
    return 'a'

# Question 5
def question_5():
    return 'c'
"""

Texts = dict[str, str]

PLAIN: Texts = {
    "mytorch/activation.py": ACTIVATION,
    "mytorch/loss.py": LOSS,
    "mytorch/linear.py": LINEAR,
    "mytorch/batchnorm.py": BATCHNORM,
    "hw1/hw1.py": HW1,
    "hw1/mc.py": MC,
}


def replaced(texts: Texts, *changes: tuple[str, str]) -> Texts:
    """Replace texts, each of which stands in exactly one file, once."""
    texts = dict(texts)
    for old, new in changes:
        places = [file for file, text in texts.items() if old in text]
        assert len(places) == 1, (old, places)
        assert texts[places[0]].count(old) == 1, old
        texts[places[0]] = texts[places[0]].replace(old, new)
    return texts


# The plain style, and what the findings ask of it: no overflow, biases of any shape, one dtype.
CAREFUL = replaced(
    PLAIN,
    (
        "        self.state = 1 / (1 + np.exp(-x))\n",
        "        e = np.exp(-np.abs(x))\n        self.state = np.where(x >= 0, 1, e) / (1 + e)\n",
    ),
    ("np.where(self.state > 0, 1.0, 0.0)", "(self.state > 0).astype(self.state.dtype)"),
    ("self.b = bias_init_fn(out_feature)", "self.b = bias_init_fn(out_feature).reshape(1, out_feature)"),
    ("self.dW = np.zeros(self.W.shape)", "self.dW = np.zeros_like(self.W)"),
    ("self.db = np.zeros(self.b.shape)", "self.db = np.zeros_like(self.b)"),
    ("self.momentum_W = np.zeros(self.W.shape)", "self.momentum_W = np.zeros_like(self.W)"),
    ("self.momentum_b = np.zeros(self.b.shape)", "self.momentum_b = np.zeros_like(self.b)"),
    (
        "        if eval:\n            self.norm = (x - self.running_mean) / np.sqrt(self.running_var + self.eps)\n            self.out = self.gamma * self.norm + self.beta\n            return self.out\n",
        "        for name in ['gamma', 'beta', 'running_mean', 'running_var']:\n            setattr(self, name, getattr(self, name).astype(x.dtype))\n        if eval:\n            return self.gamma * (x - self.running_mean) / np.sqrt(self.running_var + self.eps) + self.beta\n",
    ),
    (
        "        if self.bn:\n            self.bn_layers = [",
        "        self.bn_layers = []\n        if self.bn:\n            self.bn_layers = [",
    ),
    (
        "            layer.db.fill(0.0)\n",
        "            layer.db.fill(0.0)\n        for bn in self.bn_layers:\n            bn.dgamma.fill(0.0)\n            bn.dbeta.fill(0.0)\n",
    ),
)

# A loop for every sum, slow and right.
LOOPS: Texts = {
    **CAREFUL,
    "mytorch/activation.py": """\
import numpy as np
from math import exp, tanh

class Activation:
    def __init__(self):
        self.state = None
    def __call__(self, x):
        return self.forward(x)
    def each(self, f, x):
        out = np.zeros_like(x)
        flat, flat_x = out.reshape(-1), x.reshape(-1)
        for i in range(len(flat_x)):
            flat[i] = f(flat_x[i])
        return out

class Identity(Activation):
    def forward(self, x):
        self.state = x
        return self.state
    def derivative(self):
        return self.each(lambda s: 1.0, self.state)

def sigmoid(z):
    if z > 0:
        return 1 / (1 + exp(-z))
    return exp(z) / (1 + exp(z))

class Sigmoid(Activation):
    def forward(self, x):
        self.state = self.each(sigmoid, x)
        return self.state
    def derivative(self):
        return self.each(lambda s: s * (1 - s), self.state)

class Tanh(Activation):
    def forward(self, x):
        self.state = self.each(tanh, x)
        return self.state
    def derivative(self):
        return self.each(lambda s: (1 - s) * (1 + s), self.state)

class ReLU(Activation):
    def forward(self, x):
        self.state = self.each(lambda z: z if z > 0 else 0.0, x)
        return self.state
    def derivative(self):
        return self.each(lambda s: 1.0 if s > 0 else 0.0, self.state)
""",
    "mytorch/loss.py": """\
import numpy as np

class Criterion:
    def __init__(self):
        self.logits = self.labels = self.loss = None
    def __call__(self, x, y):
        return self.forward(x, y)

class SoftmaxCrossEntropy(Criterion):
    def forward(self, x, y):
        self.logits, self.labels = x, y
        self.p = np.zeros_like(x)
        self.loss = np.zeros(len(x), dtype=x.dtype)
        for n in range(len(x)):
            largest = max(x[n])
            total = sum(np.exp(z - largest) for z in x[n])
            for c in range(x.shape[1]):
                log_p = x[n, c] - largest - np.log(total)
                self.p[n, c] = np.exp(log_p)
                self.loss[n] -= y[n, c] * log_p
        return self.loss
    def derivative(self):
        return np.array([p - y for p, y in zip(self.p, self.labels)])
""",
    "mytorch/linear.py": """\
import numpy as np

class Linear:
    def __init__(self, in_feature, out_feature, weight_init_fn, bias_init_fn):
        self.W = weight_init_fn(in_feature, out_feature)
        self.b = bias_init_fn(out_feature).reshape((1, -1))
        self.dW, self.db = 0 * self.W, 0 * self.b
        self.momentum_W, self.momentum_b = 0 * self.W, 0 * self.b
    def __call__(self, x):
        return self.forward(x)
    def forward(self, x):
        self.x = x
        out = []
        for row in x:
            out.append([sum(row[i] * self.W[i, o] for i in range(len(row))) + self.b[0, o] for o in range(self.b.size)])
        return np.array(out, dtype=x.dtype)
    def backward(self, delta):
        self.dW, self.db = 0 * self.W, 0 * self.b
        dx = np.zeros_like(self.x)
        for n in range(len(delta)):
            self.dW += np.outer(self.x[n], delta[n]) / len(delta)
            self.db += delta[n] / len(delta)
            dx[n] = self.W.dot(delta[n])
        return dx
""",
    "mytorch/batchnorm.py": """\
import numpy as np

class BatchNorm:
    def __init__(self, in_feature, alpha=0.9):
        self.alpha, self.eps = alpha, 1e-8
        self.mean, self.running_mean, self.beta, self.dbeta, self.dgamma = np.zeros((5, 1, in_feature))
        self.var, self.running_var, self.gamma = np.ones((3, 1, in_feature))
    def __call__(self, x, eval=False):
        return self.forward(x, eval)
    def forward(self, x, eval=False):
        self.gamma, self.beta = self.gamma.astype(x.dtype), self.beta.astype(x.dtype)
        self.running_mean, self.running_var = self.running_mean.astype(x.dtype), self.running_var.astype(x.dtype)
        if eval:
            out = np.zeros_like(x)
            for d in range(x.shape[1]):
                sd = np.sqrt(self.running_var[0, d] + self.eps)
                out[:, d] = self.gamma[0, d] * (x[:, d] - self.running_mean[0, d]) / sd + self.beta[0, d]
            return out
        self.x, self.norm, self.out = x, np.zeros_like(x), np.zeros_like(x)
        self.mean, self.var = np.zeros_like(self.gamma), np.zeros_like(self.gamma)
        for d in range(x.shape[1]):
            for n in range(len(x)):
                self.mean[0, d] += x[n, d] / len(x)
            for n in range(len(x)):
                self.var[0, d] += (x[n, d] - self.mean[0, d]) ** 2 / len(x)
            self.norm[:, d] = (x[:, d] - self.mean[0, d]) / np.sqrt(self.var[0, d] + self.eps)
            self.out[:, d] = self.gamma[0, d] * self.norm[:, d] + self.beta[0, d]
        self.running_mean = (self.alpha * self.running_mean + (1 - self.alpha) * self.mean).astype(x.dtype)
        self.running_var = (self.alpha * self.running_var + (1 - self.alpha) * self.var).astype(x.dtype)
        return self.out
    def backward(self, delta):
        N = len(delta)
        dx = np.zeros_like(delta)
        self.dgamma, self.dbeta = np.zeros_like(self.gamma), np.zeros_like(self.beta)
        for d in range(delta.shape[1]):
            self.dbeta[0, d] = sum(delta[:, d])
            self.dgamma[0, d] = sum(delta[:, d] * self.norm[:, d])
            for n in range(N):
                path = N * delta[n, d] - self.dbeta[0, d] - self.norm[n, d] * self.dgamma[0, d]
                dx[n, d] = self.gamma[0, d] * path / (N * np.sqrt(self.var[0, d] + self.eps))
        return dx
""",
}

# Annotated, compact, a generator for the layers.
COMPACT: Texts = {
    **CAREFUL,
    "mytorch/linear.py": """\
from __future__ import annotations
from typing import Callable
import numpy as np


class Linear:
    x: np.ndarray | None = None

    def __init__(self, in_feature: int, out_feature: int, weight_init_fn: Callable, bias_init_fn: Callable) -> None:
        self.W: np.ndarray = weight_init_fn(in_feature, out_feature)
        self.b: np.ndarray = np.atleast_2d(bias_init_fn(out_feature))
        self.dW, self.momentum_W = (np.zeros_like(self.W) for _ in range(2))
        self.db, self.momentum_b = (np.zeros_like(self.b) for _ in range(2))

    def forward(self, x: np.ndarray) -> np.ndarray:
        self.x = x
        return np.einsum("ni,io->no", x, self.W) + self.b

    __call__ = forward

    def backward(self, delta: np.ndarray) -> np.ndarray:
        self.dW = np.einsum("ni,no->io", self.x, delta) / (n := delta.shape[0])
        self.db = np.einsum("no->o", delta)[None] / n
        return np.einsum("no,io->ni", delta, self.W)
""",
    "hw1/hw1.py": """\
from __future__ import annotations
import os, sys
from itertools import zip_longest
import numpy as np

sys.path.append(os.path.join(os.path.dirname(__file__), "..", "mytorch"))
from activation import *
from batchnorm import BatchNorm
from linear import Linear
from loss import *


class MLP:
    def __init__(self, input_size: int, output_size: int, hiddens: list[int], activations: list[Activation], weight_init_fn, bias_init_fn, criterion: Criterion, lr: float, momentum: float = 0.0, num_bn_layers: int = 0) -> None:
        self.__dict__.update({k: v for k, v in locals().items() if k in ("input_size", "output_size", "activations", "criterion", "lr", "momentum", "num_bn_layers")})
        self.train_mode, self.bn, self.nlayers = True, num_bn_layers > 0, 1 + len(hiddens)
        widths = (input_size, *hiddens, output_size)
        self.linear_layers = [Linear(*io, weight_init_fn, bias_init_fn) for io in zip(widths[:-1], widths[1:])]
        self.bn_layers = [*map(BatchNorm, widths[1:1 + num_bn_layers])]

    @property
    def layers(self):
        return [*zip_longest(self.linear_layers, self.bn_layers, self.activations)]

    def forward(self, x: np.ndarray) -> np.ndarray:
        self.output = x
        for linear, bn, f in self.layers:
            z = linear(self.output)
            self.output = f(bn(z, not self.train_mode) if bn else z)
        return self.output

    __call__ = forward

    def zero_grads(self) -> None:
        for linear, bn, _ in self.layers:
            linear.dW[:], linear.db[:] = 0, 0
            if bn:
                bn.dgamma[:], bn.dbeta[:] = 0, 0

    def step(self) -> None:
        for linear, bn, _ in self.layers:
            for p in ("W", "b"):
                v = self.momentum * getattr(linear, f"momentum_{p}") - self.lr * getattr(linear, f"d{p}")
                setattr(linear, f"momentum_{p}", v)
                setattr(linear, p, getattr(linear, p) + v)
            if bn:
                bn.gamma, bn.beta = bn.gamma - self.lr * bn.dgamma, bn.beta - self.lr * bn.dbeta

    def backward(self, labels: np.ndarray) -> None:
        self.total_loss(labels)
        delta = self.criterion.derivative()
        for linear, bn, f in self.layers[::-1]:
            delta = f.derivative() * delta
            delta = linear.backward(bn.backward(delta) if bn else delta)

    def error(self, labels: np.ndarray) -> int:
        return int(np.count_nonzero(self.output.argmax(1) - labels.argmax(1)))

    def total_loss(self, labels: np.ndarray) -> float:
        return self.criterion(self.output, labels).sum()

    def train(self) -> None:
        self.train_mode = True

    def eval(self) -> None:
        self.train_mode = False


def get_training_stats(mlp: MLP, dset, nepochs: int, batch_size: int):
    (x, y), (vx, vy), _ = dset
    rows = []

    def run(x, y, learn):
        loss = error = 0
        for k in range(0, len(x), batch_size):
            bx, by = x[k:k + batch_size], y[k:k + batch_size]
            if learn:
                mlp.zero_grads()
            mlp.forward(bx)
            if learn:
                mlp.backward(by)
                mlp.step()
            loss, error = loss + mlp.total_loss(by), error + mlp.error(by)
        return loss / len(x), error / len(x)

    for _ in range(nepochs):
        order = np.random.permutation(len(x))
        mlp.train()
        trained = run(x[order], y[order], True)
        mlp.eval()
        rows.append((*trained, *run(vx, vy, False)))
        mlp.train()
    return tuple(np.array(rows).T)
""",
}

# One class of layers, derived names, a seed of its own, closures instead of saved arrays.
CLOSURES: Texts = {
    **CAREFUL,
    "mytorch/activation.py": """\
import numpy as np
np.random.seed(42)


class Activation(object):
    state = None
    f = staticmethod(lambda x: x)
    df = staticmethod(lambda s: np.ones_like(s))

    def forward(self, x):
        self.state = self.f(x)
        return self.state

    def derivative(self):
        return self.df(self.state)

    def __call__(self, *args):
        return self.forward(*args)


def make(name, f, df):
    return type(name, (Activation,), {"f": staticmethod(f), "df": staticmethod(df)})


Identity = make("Identity", lambda x: x, np.ones_like)
Sigmoid = make("Sigmoid", lambda x: (np.tanh(x / 2) + 1) / 2, lambda s: s - s ** 2)
Tanh = make("Tanh", lambda x: np.tanh(x), lambda s: 1 - np.square(s))
ReLU = make("ReLU", lambda x: x * (x > 0), lambda s: np.sign(s))
""",
    "mytorch/linear.py": """\
import numpy as np


class Linear(object):
    def __init__(self, in_feature, out_feature, weight_init_fn, bias_init_fn):
        self.W = np.array(weight_init_fn(in_feature, out_feature))
        self.b = np.array(bias_init_fn(out_feature)).reshape(-1, out_feature)
        self.dW = np.zeros_like(self.W)
        self.db = np.zeros_like(self.b)
        self.momentum_W = np.zeros_like(self.W)
        self.momentum_b = np.zeros_like(self.b)

    def __call__(self, x):
        return self.forward(x)

    def forward(self, x):
        self.x = x

        def back(delta):
            self.dW = np.mean(x[:, :, None] * delta[:, None, :], axis=0)
            self.db = np.mean(delta, axis=0)[np.newaxis]
            return np.matmul(delta, np.transpose(self.W))

        self.back = back
        return np.hstack([x, np.ones_like(x[:, :1])]) @ np.vstack([self.W, self.b])

    def backward(self, delta):
        return self.back(delta)
""",
}


def tabbed(text: str) -> str:
    """The text with tabs for indentation and Windows line endings."""
    lines = []
    for line in text.splitlines():
        bare = line.lstrip(" ")
        lines.append("\t" * ((len(line) - len(bare)) // 4) + " " * ((len(line) - len(bare)) % 4) + bare)
    return "".join(f"{line}\r\n" for line in lines)


# Another editor: tabs, Windows line endings, a byte order mark, prints left in.
WINDOWS: Texts = {
    file: "\ufeff"
    + tabbed(
        text.replace("        self.output = out\n", "        self.output = out\n        print('forward', out.shape)\n")
    )
    for file, text in CAREFUL.items()
}

RIGHT = {"careful": CAREFUL, "loops": LOOPS, "compact": COMPACT, "closures": CLOSURES, "windows": WINDOWS}
