"""Right submissions in many styles: changes of a plain one, or files in its place.

They are texts, not code of this project: names, habits and detours are their authors'.
"""

from __future__ import annotations

import re

import students
from students import Texts, replaced

# ruff: noqa: E501  (the students' lines are as long as they are)

ACTIVATION, LOSS, LINEAR, BATCHNORM, HW1, MC = students.PLAIN

# The starter's plain style, with what the findings ask of it: all gradients are zeroed, one dtype is kept.
BASE = replaced(
    students.PLAIN,
    ("np.where(self.state > 0, 1.0, 0.0)", "np.where(self.state > 0, 1.0, 0.0).astype(self.state.dtype)"),
    (
        "            layer.db.fill(0.0)\n",
        "            layer.db.fill(0.0)\n        if self.bn:\n            for bn in self.bn_layers:\n                bn.dgamma.fill(0.0)\n                bn.dbeta.fill(0.0)\n",
    ),
)


def style(*changes: tuple[str, str], **files: str) -> Texts:
    """The plain submission with texts replaced, and with files `hw1_utils` or `mytorch_linear` of that content."""
    texts = replaced(BASE, *changes)
    texts.update(
        {f"{folder}/{name}.py": text for folder, name, text in ((*k.split("_", 1), v) for k, v in files.items())}
    )
    return texts


def renamed(file: str, **names: str) -> Texts:
    """The plain submission with attributes of one file renamed."""
    text = BASE[file]
    for old, new in names.items():
        text, count = re.subn(rf"\bself\.{old}\b", f"self.{new}", text)
        assert count, old
    return {**BASE, file: text}


BN_LAYERS = """\
        if self.bn:
            self.bn_layers = [BatchNorm(sizes[i + 1]) for i in range(num_bn_layers)]
"""
LAYERS = "        self.linear_layers = [Linear(sizes[i], sizes[i + 1], weight_init_fn, bias_init_fn) for i in range(len(sizes) - 1)]\n"
LOSS_LINES = """\
        a = np.max(x, axis=1, keepdims=True)
        e = np.exp(x - a)
        self.sm = e / np.sum(e, axis=1, keepdims=True)
        lse = a + np.log(np.sum(e, axis=1, keepdims=True))
        self.loss = -np.sum(y * (x - lse), axis=1)
"""
DERIVATIVE = "        return self.sm - self.labels\n"
LINEAR_BACK = """\
        batch_size = delta.shape[0]
        self.dW = np.dot(self.x.T, delta) / batch_size
        self.db = np.sum(delta, axis=0, keepdims=True) / batch_size
        return np.dot(delta, self.W.T)
"""
STEP = """\
        for i in range(len(self.linear_layers)):
            layer = self.linear_layers[i]
            layer.momentum_W = self.momentum * layer.momentum_W - self.lr * layer.dW
            layer.momentum_b = self.momentum * layer.momentum_b - self.lr * layer.db
            layer.W += layer.momentum_W
            layer.b += layer.momentum_b
"""
ZERO = """\
        for layer in self.linear_layers:
            layer.dW.fill(0.0)
            layer.db.fill(0.0)
        if self.bn:
            for bn in self.bn_layers:
                bn.dgamma.fill(0.0)
                bn.dbeta.fill(0.0)
"""
NO_GRADIENTS = """\
        for layer in self.linear_layers:
            layer.dW, layer.db = None, None
        for bn in self.bn_layers if self.bn else ():
            bn.dgamma = bn.dbeta = None
"""
FORWARD = """\
        out = x
        for i in range(len(self.linear_layers)):
            out = self.linear_layers[i](out)
            if i < self.num_bn_layers:
                out = self.bn_layers[i](out, not self.train_mode)
            out = self.activations[i](out)
        self.output = out
        return out
"""
BACKWARD = """\
        self.criterion.forward(self.output, labels)
        delta = self.criterion.derivative()
        for i in range(len(self.linear_layers) - 1, -1, -1):
            delta = delta * self.activations[i].derivative()
            if i < self.num_bn_layers:
                delta = self.bn_layers[i].backward(delta)
            delta = self.linear_layers[i].backward(delta)
"""
IMPORTS = """\
sys.path.append('mytorch')
from loss import *
from activation import *
from batchnorm import *
from linear import *
"""
VELOCITIES_ALIKE = (
    ("self.momentum_W = np.zeros(self.W.shape)", "self.momentum_W = np.zeros_like(self.W)"),
    ("self.momentum_b = np.zeros(self.b.shape)", "self.momentum_b = np.zeros_like(self.b)"),
)
TRAIN_LOOP = "        for b in range(0, len(trainx), batch_size):\n"
SUMS = "        training_losses.append(loss / len(trainx))\n        training_errors.append(err / len(trainx))\n"
SIGMOID = "        self.state = 1 / (1 + np.exp(-x))\n"
HEAD = "import numpy as np\n"

SLOTTED_LINEAR = """\
import numpy as np

class Linear(object):
    __slots__ = ['W', 'b', 'dW', 'db', 'momentum_W', 'momentum_b', 'x']

    def __init__(self, in_feature, out_feature, weight_init_fn, bias_init_fn):
        self.W, self.b = weight_init_fn(in_feature, out_feature), bias_init_fn(out_feature)
        self.dW, self.momentum_W = np.zeros_like(self.W), np.zeros_like(self.W)
        self.db, self.momentum_b = np.zeros_like(self.b), np.zeros_like(self.b)

    def __call__(self, x):
        return self.forward(x)

    def forward(self, x):
        self.x = x
        return x.dot(self.W) + self.b

    def backward(self, delta):
        self.dW = self.x.T.dot(delta) / len(delta)
        self.db = delta.sum(0, keepdims=True) / len(delta)
        return delta.dot(self.W.T)
"""
DATACLASS_LINEAR = """\
from dataclasses import dataclass, field
from typing import Callable
import numpy as np


@dataclass
class Linear:
    in_feature: int
    out_feature: int
    weight_init_fn: Callable = field(repr=False)
    bias_init_fn: Callable = field(repr=False)
    x: np.ndarray = None

    def __post_init__(self):
        self.W = self.weight_init_fn(self.in_feature, self.out_feature)
        self.b = self.bias_init_fn(self.out_feature)
        for name in 'Wb':
            p = getattr(self, name)
            setattr(self, 'd' + name, np.zeros_like(p))
            setattr(self, 'momentum_' + name, np.zeros_like(p))

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    __call__ = forward

    def backward(self, delta):
        self.dW[...] = self.x.T @ delta / len(delta)
        self.db[...] = delta.mean(axis=0)
        return delta @ self.W.T
"""
PROPERTY_LINEAR = """\
import numpy as np

class Linear:
    '''Weights and bias in one matrix; the parts are views of it.'''

    def __init__(self, in_feature, out_feature, weight_init_fn, bias_init_fn):
        self.all = np.vstack([weight_init_fn(in_feature, out_feature), bias_init_fn(out_feature).reshape(1, -1)])
        self.grad = np.zeros_like(self.all)
        self.velocity = np.zeros_like(self.all)

    W = property(lambda self: self.all[:-1], lambda self, value: self.all.__setitem__(slice(None, -1), value))
    b = property(lambda self: self.all[-1:], lambda self, value: self.all.__setitem__(slice(-1, None), value))
    dW = property(lambda self: self.grad[:-1], lambda self, value: self.grad.__setitem__(slice(None, -1), value))
    db = property(lambda self: self.grad[-1:], lambda self, value: self.grad.__setitem__(slice(-1, None), value))
    momentum_W = property(lambda self: self.velocity[:-1], lambda self, v: self.velocity.__setitem__(slice(None, -1), v))
    momentum_b = property(lambda self: self.velocity[-1:], lambda self, v: self.velocity.__setitem__(slice(-1, None), v))

    def __call__(self, x):
        return self.forward(x)

    def forward(self, x):
        self.ext = np.concatenate([x, np.ones((len(x), 1), x.dtype)], axis=1)
        return self.ext @ self.all

    def backward(self, delta):
        self.grad[:] = self.ext.T @ delta / len(delta)
        return (delta @ self.all.T)[:, :-1]
"""
SHORT_BATCHNORM = """\
import numpy as np

class BatchNorm(object):
    '''Keeps what backward needs, under names of its own.'''

    def __init__(self, in_feature, alpha=0.9):
        self.alpha = alpha
        self.gamma, self.beta = np.ones((1, in_feature)), np.zeros((1, in_feature))
        self.dgamma, self.dbeta = np.zeros((1, in_feature)), np.zeros((1, in_feature))
        self.moving = [np.zeros(in_feature), np.ones(in_feature)]

    def __call__(self, x, eval=False):
        return self.forward(x, eval)

    def forward(self, x, eval=False):
        if eval:
            mu, v = self.moving
            return self.gamma * ((x - mu) / np.sqrt(v + 1e-8)) + self.beta
        mu, v = x.mean(0), x.var(0)
        a = self.alpha
        self.moving = [a * self.moving[0] + (1 - a) * mu, a * self.moving[1] + (1 - a) * v]
        self.inv = 1.0 / np.sqrt(v + 1e-8)
        self.xhat = (x - mu) * self.inv
        return self.gamma * self.xhat + self.beta

    def backward(self, delta):
        N = float(delta.shape[0])
        self.dbeta = delta.sum(0).reshape(1, -1)
        self.dgamma = (delta * self.xhat).sum(0).reshape(1, -1)
        return self.gamma * self.inv / N * (N * delta - self.dbeta - self.xhat * self.dgamma)
"""
PYTORCH_BATCHNORM = """\
import numpy as np

class BatchNorm:
    eps = 1e-8

    def __init__(self, in_feature, alpha=0.9):
        self.alpha = alpha
        self.gamma, self.beta = np.ones((1, in_feature)), np.zeros((1, in_feature))
        self.dgamma = self.dbeta = None
        self.running_mean, self.running_var = np.zeros((1, in_feature)), np.ones((1, in_feature))
        self.mean = self.var = None   # as torch would have them: unbiased, and moving
        self.num_batches_tracked = 0

    def forward(self, x, eval=False):
        if eval:
            m, v = self.running_mean, self.running_var
        else:
            m, v = np.mean(x, 0, keepdims=True), np.var(x, 0, keepdims=True)
            self.cache = x - m, v + self.eps
            self.running_mean = self.alpha * self.running_mean + (1 - self.alpha) * m
            self.running_var = self.alpha * self.running_var + (1 - self.alpha) * v
            n = x.shape[0]
            self.num_batches_tracked += 1
            self.mean = m if self.mean is None else 0.9 * self.mean + 0.1 * m
            self.var = 1.0 if self.var is None else 0.9 * self.var + 0.1 * v * n / (n - 1.0)
        self.norm = np.divide(x - m, (v + self.eps) ** 0.5)
        self.out = None
        return self.norm * self.gamma + self.beta

    def __call__(self, x, eval=False):
        return self.forward(x, eval=eval)

    def backward(self, delta):
        xc, v = self.cache
        n = xc.shape[0]
        self.dgamma = np.einsum('nd,nd->d', delta, xc * v ** -0.5)[None]
        self.dbeta = np.einsum('nd->d', delta)[None]
        g = delta * self.gamma
        dv = -.5 * (g * xc).sum(0) * v ** -1.5
        dm = -(g * v ** -0.5).sum(0)
        return g * v ** -0.5 + 2.0 / n * xc * dv + dm / n
"""
ONE_FILE = """\
import numpy as np
import os


class Activation:
    def __call__(self, x):
        self.state = self.forward(x)
        return self.state


class Identity(Activation):
    def forward(self, x):
        self.state = x
        return x

    def derivative(self):
        return 1.0


class Sigmoid(Activation):
    def forward(self, x):
        self.state = np.where(x > 0, 1 / (1 + np.exp(-x)), np.exp(x) / (1 + np.exp(x)))
        bad = np.isnan(self.state)
        self.state[bad] = (x[bad] > 0)
        return self.state

    def derivative(self):
        return self.state * (1 - self.state)


class Tanh(Activation):
    def forward(self, x):
        self.state = np.tanh(x)
        return self.state

    def derivative(self, state=None):
        s = self.state if state is None else state
        return 1 - s * s


class ReLU(Activation):
    def forward(self, x):
        self.state = x.copy()
        self.state[self.state < 0] = 0
        return self.state

    def derivative(self):
        d = np.zeros_like(self.state)
        d[np.nonzero(self.state)] = 1
        return d


class Criterion:
    def __call__(self, x, y):
        return self.forward(x, y)


class SoftmaxCrossEntropy(Criterion):
    def forward(self, x, y):
        self.y, z = y, x - x.max(1, keepdims=True)
        self.p = np.exp(z) / np.exp(z).sum(1, keepdims=True)
        return np.log(np.exp(z).sum(1)) - np.sum(z * y, 1)

    def derivative(self):
        return self.p - self.y
"""
PICKED_LOSS = """\
import numpy as np
from activation import Activation


class Criterion(Activation):
    def __call__(self, x, y):
        return self.forward(x, y)


class SoftmaxCrossEntropy(Criterion):
    def forward(self, x, y):
        rows, true = np.arange(len(x)), y.argmax(axis=1)
        shifted = x - x.max(axis=1)[:, np.newaxis]
        sums = np.exp(shifted).sum(axis=1)
        self.grad = np.exp(shifted) / sums[:, np.newaxis]
        self.grad[rows, true] -= 1
        return np.log(sums) - shifted[rows, true]

    def derivative(self):
        return self.grad.copy()
"""
ABSTRACT = """\
from abc import ABC, abstractmethod
import numpy as np
from numpy import exp, tanh


class Activation(ABC):
    def __init__(self):
        self.__state = None

    @property
    def state(self):
        return self.__state

    @state.setter
    def state(self, value):
        self.__state = value

    @abstractmethod
    def forward(self, x):
        ...

    @abstractmethod
    def derivative(self):
        ...

    def __call__(self, x):
        return self.forward(x)


class Identity(Activation):
    def forward(self, x):
        self.state = x
        return self.state

    def derivative(self):
        return np.full_like(self.state, 1)


class Sigmoid(Activation):
    def forward(self, x):
        with np.errstate(over='ignore'):
            self.state = 1. / (1. + exp(-x))
        return self.state

    def derivative(self):
        return self.state - np.power(self.state, 2)


class Tanh(Activation):
    def forward(self, x):
        self.state = tanh(x)
        return self.state

    def derivative(self):
        return np.ones_like(self.state) - self.state * self.state


class ReLU(Activation):
    def forward(self, x):
        self.state = np.vectorize(lambda z: z if z > 0 else 0., otypes=[x.dtype])(x)
        return self.state

    def derivative(self):
        return np.vectorize(lambda s: 1. if s > 0 else 0., otypes=[self.state.dtype])(self.state)
"""
PYTHON_2 = """\
from __future__ import print_function, division, absolute_import
import numpy as np

try:
    xrange
except NameError:
    xrange = range

class Activation(object):
    def __init__(self, *args, **kwargs):
        super(Activation, self).__init__()
        self.state = None
    def __call__(self, x):
        return self.forward(x)
    def forward(self, x):
        raise NotImplemented
    def derivative(self):
        raise NotImplemented
    def __repr__(self):
        return '<%s at %d>' % (self.__class__.__name__, id(self))

class Identity(Activation):
    def forward(self, x):
        self.state = x
        return x
    def derivative(self):
        return 1.0

class Sigmoid(Activation):
    def forward(self, x):
        s = np.zeros(x.shape, dtype = x.dtype)
        for i in xrange(x.shape[0]):
            for j in xrange(x.shape[1]):
                s[i, j] = 1.0 / (1.0 + np.exp(-x[i, j]))
        self.state = s
        return self.state
    def derivative(self):
        return self.state * (1.0 - self.state)

class Tanh(Activation):
    def forward(self, x):
        self.state = np.array(list(map(np.tanh, x)))
        return self.state
    def derivative(self):
        return 1.0 - self.state ** 2

class ReLU(Activation):
    def forward(self, x):
        self.state = np.array([[v if v > 0 else 0 for v in row] for row in x], dtype = x.dtype)
        return self.state
    def derivative(self):
        return np.array([[int(v > 0) for v in row] for row in self.state], dtype = self.state.dtype)
"""

RIGHT: dict[str, Texts] = {
    # ---- bn_layers without batch norm, and with more than there is
    "the starter's plain style": BASE,
    "bn_layers of None": style(
        (BN_LAYERS, BN_LAYERS + "        else:\n            self.bn_layers = [None] * self.nlayers\n")
    ),
    "bn_layers is None": style((BN_LAYERS, "        self.bn_layers = None\n" + BN_LAYERS)),
    "bn_layers padded with None": style(
        (
            BN_LAYERS,
            "        self.bn_layers = [BatchNorm(sizes[i + 1]) if i < num_bn_layers else None for i in range(self.nlayers)]\n",
        ),
        (
            "            for bn in self.bn_layers:\n                bn.dgamma",
            "            for bn in self.bn_layers[:self.num_bn_layers]:\n                bn.dgamma",
        ),
        (
            "            for bn in self.bn_layers:\n                bn.gamma =",
            "            for bn in filter(None, self.bn_layers):\n                bn.gamma =",
        ),
    ),
    "a batch norm for every layer": style(
        (BN_LAYERS, "        self.bn_layers = [BatchNorm(sizes[i + 1]) for i in range(self.nlayers)]\n"),
        (
            "            for bn in self.bn_layers:\n                bn.gamma =",
            "            for bn in self.bn_layers[:self.num_bn_layers]:\n                bn.gamma =",
        ),
    ),
    "bn_layers a dictionary by number": style(
        (BN_LAYERS, "        self.bn_layers = {i: BatchNorm(sizes[i + 1]) for i in range(num_bn_layers)}\n"),
        (
            "            for bn in self.bn_layers:\n                bn.dgamma",
            "            for bn in self.bn_layers.values():\n                bn.dgamma",
        ),
        (
            "            for bn in self.bn_layers:\n                bn.gamma =",
            "            for bn in self.bn_layers.values():\n                bn.gamma =",
        ),
    ),
    # ---- what batch norm keeps
    "caches of shape (D,)": style(
        (
            "        self.mean = np.mean(x, axis=0, keepdims=True)\n        self.var = np.var(x, axis=0, keepdims=True)\n",
            "        self.mean = np.mean(x, axis=0)\n        self.var = np.var(x, axis=0)\n",
        )
    ),
    "batch norm's own names": renamed(
        BATCHNORM,
        mean="mu",
        var="sigma2",
        norm="x_hat",
        running_mean="moving_mu",
        running_var="moving_sigma2",
        out="y",
        x="z",
    ),
    "batch norm that keeps little": style(mytorch_batchnorm=SHORT_BATCHNORM),
    "batch norm with torch's statistics beside its own": style(
        (ZERO, NO_GRADIENTS), mytorch_batchnorm=PYTORCH_BATCHNORM
    ),
    "the deviation kept, not the variance": style(
        (
            "        self.var = np.var(x, axis=0, keepdims=True)\n        self.norm = (x - self.mean) / np.sqrt(self.var + self.eps)\n",
            "        v = np.var(x, axis=0, keepdims=True)\n        self.var = np.sqrt(v + self.eps)\n        self.norm = (x - self.mean) / self.var\n",
        ),
        ("(1 - self.alpha) * self.var", "(1 - self.alpha) * v"),
        ("sqrt = np.sqrt(self.var + self.eps)", "sqrt = self.var"),
    ),
    # ---- activations and the loss
    "the loss by a loop over the ten classes": style(
        (
            LOSS_LINES,
            "        self.sm = np.zeros((len(x), 10))\n        self.loss = np.zeros(len(x))\n        for n in range(len(x)):\n            a = max(x[n, c] for c in range(10))\n            lse = a + np.log(sum(np.exp(x[n, c] - a) for c in range(10)))\n            for c in range(10):\n                self.sm[n, c] = np.exp(x[n, c] - lse)\n                self.loss[n] += -y[n, c] * (x[n, c] - lse)\n        self.sm, self.loss = self.sm.astype(x.dtype), self.loss.astype(x.dtype)\n",
        )
    ),
    "the softmax weighted by the labels' sum": style(
        (DERIVATIVE, "        return self.sm * self.labels.sum(1, keepdims=True) - self.labels\n")
    ),
    "the true class picked": style(mytorch_loss=PICKED_LOSS),
    "activations and loss in one file": style(
        mytorch_activation=ONE_FILE,
        mytorch_loss="from activation import *\nfrom activation import Criterion, SoftmaxCrossEntropy\n",
    ),
    "abstract classes": style(mytorch_activation=ABSTRACT),
    "Python 2 that still runs": style(mytorch_activation=PYTHON_2),
    "derivatives made in forward": style(
        (SIGMOID, SIGMOID + "        self.slope = self.state * (1 - self.state)\n"),
        ("        return self.state * (1 - self.state)\n", "        return self.slope\n"),
    ),
    "tanh by the sigmoid's class": style(
        (
            "        self.state = np.tanh(x)\n        return self.state\n",
            "        self.state = 2 * Sigmoid()(2 * x) - 1\n        return self.state\n",
        )
    ),
    # ---- the linear layer
    "slots": style(
        (
            "class MLP(object):\n",
            "class MLP(object):\n    __slots__ = ('train_mode num_bn_layers bn nlayers input_size output_size activations criterion lr momentum linear_layers bn_layers output').split()\n",
        ),
        ("\n    '''\n    my MLP\n    '''\n", "\n"),
        mytorch_linear=SLOTTED_LINEAR,
    ),
    "a dataclass": style(mytorch_linear=DATACLASS_LINEAR),
    "properties on one matrix": style(mytorch_linear=PROPERTY_LINEAR),
    "einsum": style(
        (
            "        return np.dot(x, self.W) + self.b\n",
            "        return np.einsum('ij,jk->ik', x, self.W) + np.einsum('ij->j', self.b)\n",
        ),
        (
            LINEAR_BACK,
            "        self.dW = np.einsum('ni,no->io', self.x, delta) / delta.shape[0]\n        self.db = np.einsum('no->o', delta)[None, :] / delta.shape[0]\n        return np.einsum('no,io->ni', delta, self.W)\n",
        ),
    ),
    "a transposed view of W": style(
        ("        # gradients\n", "        self.WT = self.W.T\n"),
        ("        return np.dot(x, self.W) + self.b\n", "        return np.dot(self.WT, x.T).T + self.b\n"),
        (STEP, STEP.replace("layer.W += layer.momentum_W", "layer.W[...] = layer.W + layer.momentum_W")),
    ),
    "gradients that start as None": style(
        (
            "        self.dW = np.zeros(self.W.shape)\n        self.db = np.zeros(self.b.shape)\n",
            "        self.dW = self.db = None\n",
        ),
        (ZERO, NO_GRADIENTS),
    ),
    "class attributes": style(
        ("        self.momentum_W = np.zeros(self.W.shape)\n        self.momentum_b = np.zeros(self.b.shape)\n", ""),
        ("class Linear():\n", "class Linear():\n    momentum_W = 0\n    momentum_b = 0\n"),
    ),
    # ---- the network
    "velocities in lists of the network": style(
        (
            "        # and the batch norms\n",
            "        self.v = [[np.zeros_like(l.W), np.zeros_like(l.b)] for l in self.linear_layers]\n",
        ),
        (
            STEP,
            "        for l, v in zip(self.linear_layers, self.v):\n            v[0], v[1] = self.momentum * v[0] - self.lr * l.dW, self.momentum * v[1] - self.lr * l.db\n            l.W, l.b = l.W + v[0], l.b + v[1]\n",
        ),
    ),
    "lists of arrays, changed in place": style(
        (
            "        # and the batch norms\n",
            "        self.Ws = [l.W for l in self.linear_layers]\n        self.bs = [l.b for l in self.linear_layers]\n        self.vs = [np.zeros_like(p) for p in self.Ws + self.bs]\n",
        ),
        (
            STEP,
            "        grads = [l.dW for l in self.linear_layers] + [l.db for l in self.linear_layers]\n        for p, g, v in zip(self.Ws + self.bs, grads, self.vs):\n            v *= self.momentum\n            v -= self.lr * g\n            p += v\n",
        ),
    ),
    "dictionaries of layers": style(
        (
            LAYERS,
            "        self.net = {}\n        for i in range(len(sizes) - 1):\n            self.net['linear%d' % i] = Linear(sizes[i], sizes[i + 1], weight_init_fn, bias_init_fn)\n",
        ),
        (
            "    def forward(self, x):\n        '''",
            "    @property\n    def linear_layers(self):\n        return [self.net['linear%d' % i] for i in range(self.nlayers)]\n\n    def forward(self, x):\n        '''",
        ),
    ),
    "a tuple of layers, grown one by one": style(
        (
            LAYERS,
            "        self.linear_layers = ()\n        for i, o in zip(sizes, sizes[1:]):\n            self.linear_layers += (Linear(i, o, weight_init_fn, bias_init_fn),)\n",
        )
    ),
    "a deque of layers": style(
        (LAYERS, LAYERS.replace("[Linear", "deque([Linear").replace("1)]\n", "1)])\n")),
        (IMPORTS, "from collections import deque\n" + IMPORTS),
    ),
    "recursion": style(
        (
            FORWARD,
            "        def run(z, i):\n            if i == self.nlayers:\n                return z\n            z = self.linear_layers[i].forward(z)\n            z = self.bn_layers[i].forward(z, eval=not self.train_mode) if i < self.num_bn_layers else z\n            return run(self.activations[i].forward(z), i + 1)\n        self.output = run(x, 0)\n        return self.output\n",
        )
    ),
    "reduce and reversed zips": style(
        (
            FORWARD,
            "        bns = list(self.bn_layers if self.bn else []) + [None] * (self.nlayers - self.num_bn_layers)\n        self.stack = list(zip(self.linear_layers, bns, self.activations))\n        one = lambda z, l: l[2](l[1](l[0](z), not self.train_mode) if l[1] else l[0](z))\n        self.output = functools.reduce(one, self.stack, x)\n        return self.output\n",
        ),
        (
            BACKWARD,
            "        self.total_loss(labels)\n        delta = self.criterion.derivative()\n        for l, bn, f in reversed(self.stack):\n            delta = np.multiply(delta, f.derivative())\n            delta = l.backward(bn.backward(delta) if bn is not None else delta)\n        return delta\n",
        ),
        (IMPORTS, "import functools\n" + IMPORTS),
    ),
    "the criterion called in forward's caller, the hidden layers apart": style(
        (
            BACKWARD,
            "        loss = self.criterion(self.output, labels)\n        assert loss.shape == (len(labels),), 'loss: %s' % str(loss.shape)\n        delta = self.criterion.derivative() * self.activations[-1].derivative()\n        last = self.nlayers - 1\n        if last < self.num_bn_layers:\n            delta = self.bn_layers[last].backward(delta)\n        delta = self.linear_layers[last].backward(delta)\n        while last > 0:\n            last -= 1\n            delta = self.activations[last].derivative() * delta\n            if last < self.num_bn_layers:\n                delta = self.bn_layers[last].backward(delta)\n            delta = self.linear_layers[last].backward(delta)\n",
        )
    ),
    "modules by name, no star": style(
        (
            IMPORTS,
            "sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'mytorch'))\nimport batchnorm as bn_module\nimport linear\nfrom loss import SoftmaxCrossEntropy as Loss\n",
        ),
        ("[Linear(sizes", "[linear.Linear(sizes"),
        ("[BatchNorm(sizes", "[bn_module.BatchNorm(sizes"),
    ),
    "setattr and getattr": style(
        *VELOCITIES_ALIKE,
        (
            STEP,
            "        for l in self.linear_layers:\n            for p in ('W', 'b'):\n                v = self.momentum * getattr(l, 'momentum_' + p) - self.lr * getattr(l, 'd' + p)\n                setattr(l, 'momentum_' + p, v)\n                setattr(l, p, getattr(l, p) + v)\n",
        ),
    ),
    "momentum apart from plain steps": style(
        *VELOCITIES_ALIKE,
        (
            STEP,
            "        for l in self.linear_layers:\n            if self.momentum:\n                l.momentum_W = self.momentum * l.momentum_W + self.lr * l.dW\n                l.momentum_b = self.momentum * l.momentum_b + self.lr * l.db\n                l.W, l.b = l.W - l.momentum_W, l.b - l.momentum_b\n            else:\n                l.W, l.b = l.W - self.lr * l.dW, l.b - self.lr * l.db\n",
        ),
    ),
    "zeros in the gradients' place": style(
        (
            ZERO,
            "        for l in self.linear_layers:\n            l.dW = l.db = 0\n        for bn in (self.bn_layers if self.bn else []):\n            bn.dgamma, bn.dbeta = 0.0, 0.0\n",
        )
    ),
    "another name for the mode": style(
        (
            "        self.train_mode = True\n        self.num_bn_layers",
            "        self.testing = False\n        self.num_bn_layers",
        ),
        ("not self.train_mode)", "self.testing)"),
        ("        self.train_mode = True\n\n    def eval", "        self.testing = False\n\n    def eval"),
        ("        self.train_mode = False\n", "        self.testing = True\n"),
    ),
    # ---- helpers, prints, assertions
    "a helper module beside hw1.py": style(
        (IMPORTS, IMPORTS + "from utils import *\n"),
        (LAYERS, "        self.linear_layers = build_layers(Linear, sizes, weight_init_fn, bias_init_fn)\n"),
        hw1_utils="def build_layers(kind, sizes, *init):\n    return [kind(i, o, *init) for i, o in pairs(sizes)]\n\n\ndef pairs(sizes):\n    return list(zip(sizes[:-1], sizes[1:]))\n",
    ),
    "a helper module of the name gradients": style(
        (HEAD + "import math\n", HEAD + "from gradients import mean_rows\n"),
        (
            "        self.db = np.sum(delta, axis=0, keepdims=True) / batch_size\n",
            "        self.db = mean_rows(delta)\n",
        ),
        mytorch_gradients="def mean_rows(d):\n    return d.mean(axis=0, keepdims=True)\n",
    ),
    "prints and assertions": style(
        (
            "        self.output = out\n",
            "        assert out.shape == (x.shape[0], self.output_size), out.shape\n        print('%d rows, mean %.3f' % (len(out), out.mean()))\n        self.output = out\n",
        )
    ),
    "a timer around forward": style(
        (
            "class MLP(object):\n",
            "def timed(f):\n    @functools.wraps(f)\n    def g(self, *a, **k):\n        t = time.time()\n        out = f(self, *a, **k)\n        TIMES[f.__name__] = TIMES.get(f.__name__, 0) + time.time() - t\n        return out\n    return g\n\n\nTIMES = {}\n\n\nclass MLP(object):\n",
        ),
        (IMPORTS, "import functools, time\n" + IMPORTS),
        ("    def step(self):\n", "    @timed\n    def step(self):\n"),
        ("    def zero_grads(self):\n", "    @timed\n    def zero_grads(self):\n"),
    ),
    # ---- training statistics
    "whole batches counted": style(
        (
            SUMS,
            "        training_losses.append(loss / (len(trainx) // batch_size * batch_size))\n        training_errors.append(err / float(batch_size) / (len(trainx) // batch_size))\n",
        )
    ),
    "means of batch means": style(
        (SUMS, "        training_losses.append(loss / k)\n        training_errors.append(err / k)\n"),
        (
            "            loss += mlp.total_loss(y)\n            err += mlp.error(y)\n",
            "            loss += mlp.total_loss(y) / len(y)\n            err += mlp.error(y) / len(y)\n            k += 1\n",
        ),
        (TRAIN_LOOP, "        k = 0\n" + TRAIN_LOOP),
    ),
    "a permutation, and arrays made first": style(
        ("        np.random.shuffle(idxs)\n", "        idxs = np.random.permutation(len(trainx))\n"),
        ("    training_losses = []\n", "    training_losses, keep = [], True\n"),
    ),
    "gathered, then cut": style(
        (
            "            x = trainx[idxs[b:b + batch_size]]\n            y = trainy[idxs[b:b + batch_size]]\n",
            "            x, y = sx[b:b + batch_size], sy[b:b + batch_size]\n",
        ),
        (
            "        np.random.shuffle(idxs)\n",
            "        np.random.shuffle(idxs)\n        sx, sy = np.take(trainx, idxs, axis=0), np.take(trainy, idxs, axis=0)\n",
        ),
    ),
}
