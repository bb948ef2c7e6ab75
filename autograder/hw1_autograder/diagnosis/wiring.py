"""How a network calls its layers, call by call, and what each call is handed.

The names are those of the traces of a correct network, and of the log of a submission's.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from sandbox.layers import Quantity


class Call(NamedTuple):
    """One call of a layer's method, as the quantity that it returns, and the arrays that it is due to be handed."""

    returns: Quantity
    handed: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return str(self.returns)

    @property
    def layer(self) -> str:
        return self.returns.place


class Size(NamedTuple):
    """The number of a network's layers, and of those with batch norm."""

    layers: int
    bn: int


def size_of(network: Collection[str]) -> Size:
    """The size of the network that a case's inputs describe, by their names."""
    return Size(*(sum(f"{name}{k}" in network for k in range(len(network))) for name in ("W", "gamma")))


def calls(size: Size) -> list[Call]:
    """All calls of a pass, in order."""
    return [*forward(size), *criterion(size), *backward(size)]


def forward(size: Size) -> list[Call]:
    """The calls of MLP.forward, in order."""
    calls: list[Call] = []
    handed = "x"
    for k in range(size.layers):
        for layer in ("linear_layers", *(["bn_layers"] if k < size.bn else []), "activations"):
            calls.append(Call(Quantity(layer, k, "forward"), (handed,)))
            handed = calls[-1].name
    return calls


def criterion(size: Size) -> list[Call]:
    """The calls of the criterion, in order, which MLP.backward begins with."""
    output = forward(size)[-1].name
    return [
        Call(Quantity("criterion", None, "forward"), (output, "labels")),
        Call(Quantity("criterion", None, "derivative")),
    ]


def backward(size: Size) -> list[Call]:
    """The calls of MLP.backward after that; `delta[k]` is what comes down to layer k, times the activation's slope."""
    calls = []
    for k in reversed(range(size.layers)):
        calls.append(Call(Quantity("activations", k, "derivative")))
        handed = f"delta[{k}]"
        for layer in (*(["bn_layers"] if k < size.bn else []), "linear_layers"):
            calls.append(Call(Quantity(layer, k, "backward"), (handed,)))
            handed = calls[-1].name
    return calls
