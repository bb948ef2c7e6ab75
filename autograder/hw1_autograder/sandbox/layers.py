"""The homework's layers in one table, and the one way in which a quantity of theirs is written.

Whoever needs to know which class is where, what a call of it sets, or how "linear_layers[0].W after step 2" is read,
asks here: a new layer is a new row.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

NETWORK = "MLP"


class Layer(NamedTuple):
    """One class of `mytorch`, and the attributes that others read once its methods have been called."""

    class_name: str
    module: str
    attribute: str  # of MLP: the list that holds such layers, or the one
    methods: tuple[str, str]  # up the network, and down again
    sets: Mapping[str, tuple[str, ...]]  # by method: what is graded, beside what the method returns
    keeps: tuple[str, ...] = ()  # graded by nobody: forward's arguments, then in the order of computation
    output: str = ""  # where what forward returned is kept

    @property
    def gradients(self) -> tuple[str, ...]:
        return self.sets.get("backward", ())

    @property
    def parameters(self) -> tuple[str, ...]:
        return tuple(name[1:] for name in self.gradients)


ACTIVATION = ("activation", "activations", ("forward", "derivative"), {"forward": ("state",)}, (), "state")
LAYERS = (
    Layer("Identity", *ACTIVATION),
    Layer("Sigmoid", *ACTIVATION),
    Layer("Tanh", *ACTIVATION),
    Layer("ReLU", *ACTIVATION),
    Layer(
        "SoftmaxCrossEntropy",
        "loss",
        "criterion",
        ("forward", "derivative"),
        {},
        ("logits", "labels", "loss"),
        "loss",
    ),
    Layer("Linear", "linear", "linear_layers", ("forward", "backward"), {"backward": ("dW", "db")}, ("x",)),
    Layer(
        "BatchNorm",
        "batchnorm",
        "bn_layers",
        ("forward", "backward"),
        {"backward": ("dgamma", "dbeta")},
        ("x", "mean", "var", "norm", "out", "running_mean", "running_var", "gamma", "beta"),
        "out",
    ),
)
BY_CLASS = {layer.class_name: layer for layer in LAYERS}
BY_ATTRIBUTE = {layer.attribute: layer for layer in LAYERS}  # of the activations, any
WITH_PARAMETERS = tuple(layer for layer in LAYERS if layer.parameters)
PARAMETERS = tuple(name for layer in WITH_PARAMETERS for name in layer.parameters)
GRADIENTS = tuple(name for layer in reversed(WITH_PARAMETERS) for name in layer.gradients)  # as they are computed
KEPT = tuple(name for layer in LAYERS for name in layer.keeps)
FILES = {layer.module: f"mytorch/{layer.module}.py" for layer in LAYERS} | {"hw1": "hw1/hw1.py", "mc": "hw1/mc.py"}

_WRITTEN = re.compile(
    rf"(?:({'|'.join(BY_ATTRIBUTE)})(?:\[([0-9]+)\])?\.)?(.*?)(?: after step ([0-9]+))?",
    re.DOTALL,
)


class Quantity(NamedTuple):
    """A value by its name: of a layer in a network, or of what is asked by itself, a layer or a network."""

    layer: str  # the network's attribute, or the class of what is asked by itself
    index: int | None  # type: ignore[assignment]  # in the network's list; hides tuple.index
    name: str  # an attribute, a method, or a call as an exercise writes it: `backward(delta)`
    step: int = 0  # after which, if after one

    def __str__(self) -> str:
        place = f"{self.place}." if self.place else ""
        return place + self.name + (f" after step {self.step}" if self.step else "")

    @property
    def place(self) -> str:
        """The layer's place in a network, `linear_layers[0]`; nothing for what is asked by itself."""
        index = "" if self.index is None else f"[{self.index}]"
        return self.layer + index if self.layer in BY_ATTRIBUTE else ""

    @property
    def owner(self) -> str:
        """The class that it is a value of; which class an activation is of, a network's place does not tell."""
        return BY_ATTRIBUTE[self.layer].class_name if self.layer in BY_ATTRIBUTE else self.layer

    @property
    def call(self) -> str:
        """The method that returns it, or nothing for an attribute."""
        return self.name.partition("(")[0] if "(" in self.name else ""

    @property
    def method(self) -> str:
        """The method that gives it: one of the network's, or one of the layer that is asked by itself."""
        if self.layer in BY_CLASS:
            up, down = BY_CLASS[self.layer].methods
            gives_it = self.call == down or self.name in BY_CLASS[self.layer].sets.get(down, ())
            return f"{self.layer}.{down if gives_it else up}"
        if self.name in PARAMETERS:
            return f"{NETWORK}.step"
        return f"{NETWORK}.backward" if self.name in GRADIENTS else f"{NETWORK}.forward"

    @property
    def kept(self) -> bool:
        """Whether it is a layer's cache, which nobody grades: it is there for explanations alone."""
        return self.name in KEPT


def layer_at(place: str) -> Layer:
    """The row of the layer in a network's place, `linear_layers[0]`; of the activations, one for all."""
    return BY_ATTRIBUTE[place.partition("[")[0]]


@lru_cache(maxsize=10_000)
def quantity(text: str, asked: str = NETWORK) -> Quantity:
    """Read a quantity as it is written; `asked` is the class of what is asked by itself."""
    match = _WRITTEN.fullmatch(text)
    assert match is not None
    layer, index, name, step = match.groups()
    return Quantity(layer or asked, None if index is None else int(index), name, int(step or 0))
