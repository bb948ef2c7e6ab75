"""How a network calls its layers, call by call: what each call is handed, in the names that a student would write.

The same names stand in the traces of a right network, in the log of a submission's, and in what a report says of it.
"""

from __future__ import annotations

from typing import NamedTuple


class Call(NamedTuple):
    """One call of a layer's method, and the names of the arrays that it is due to be handed."""

    layer: str  # linear_layers[0], bn_layers[0], activations[0] or criterion
    method: str
    handed: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.layer}.{self.method}"


def forward(layers: int, bn: int) -> list[Call]:
    """The calls of MLP.forward, in order, for so many layers, the first `bn` of them with batch norm."""
    calls, x = [], "x"
    for k in range(layers):
        for layer in [f"linear_layers[{k}]", *([f"bn_layers[{k}]"] if k < bn else []), f"activations[{k}]"]:
            calls.append(Call(layer, "forward", (x,)))
            x = calls[-1].name
    return calls


def backward(layers: int, bn: int) -> list[Call]:
    """The calls of MLP.backward, in order; `delta[k]` is what comes down to layer k, times the activation's slope."""
    calls = [
        Call("criterion", "forward", (f"activations[{layers - 1}].forward", "labels")),
        Call("criterion", "derivative"),
    ]
    for k in reversed(range(layers)):
        calls.append(Call(f"activations[{k}]", "derivative"))
        delta = f"delta[{k}]"
        for layer in [*([f"bn_layers[{k}]"] if k < bn else []), f"linear_layers[{k}]"]:
            calls.append(Call(layer, "backward", (delta,)))
            delta = calls[-1].name
    return calls


def size_of(network: dict[str, object]) -> tuple[int, int]:
    """The number of layers, and of those with batch norm, of the network that a case's inputs describe."""
    return sum(f"W{k}" in network for k in range(len(network))), sum(
        f"gamma{k}" in network for k in range(len(network))
    )
