"""MyTorch: the layers of a multi-layer perceptron, each with its forward and backward pass, in NumPy.

The four modules stand alone, so a course file may also put this folder on sys.path and `import linear`.
"""

from .activation import Activation, Identity, ReLU, Sigmoid, Tanh
from .batchnorm import BatchNorm
from .linear import Linear
from .loss import Criterion, SoftmaxCrossEntropy

__all__ = [
    "Activation",
    "BatchNorm",
    "Criterion",
    "Identity",
    "Linear",
    "ReLU",
    "Sigmoid",
    "SoftmaxCrossEntropy",
    "Tanh",
]
