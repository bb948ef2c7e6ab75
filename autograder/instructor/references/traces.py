"""What every layer of a right network returns and sets, call by call, by PyTorch.

The grader replays it in the place of a submission's own layers, to see what else is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from homework import cases
from homework.problems import PROBLEMS
from references.oracle import Arrays, Network, activation, cross_entropy, leaf, numpy, split


class Traced(Network):
    """A network that keeps every intermediate tensor, with its gradient, under the name of the call that returns it."""

    def trace(self, x: np.ndarray, y: np.ndarray | None, training: bool) -> Iterator[tuple[str, np.ndarray]]:
        """Yield the parameters before a pass, and what each call of it returns and sets."""
        kept: dict[str, torch.Tensor] = {}

        def keep(name: str, tensor: torch.Tensor) -> torch.Tensor:
            tensor.retain_grad()
            kept[name] = tensor
            return tensor

        for letter in ("W", "b"):
            yield from ((f"linear_layers[{k}].{letter}", numpy(p)) for k, p in enumerate(getattr(self, letter)))
        for letter in ("gamma", "beta"):
            yield from ((f"bn_layers[{k}].{letter}", numpy(p)) for k, p in enumerate(getattr(self, letter)))
        z: torch.Tensor = leaf(x)
        inputs = []
        for k, (W, b, function) in enumerate(zip(self.W, self.b, self.activations)):
            inputs.append(z)
            z = keep(f"linear_layers[{k}].forward", torch.nn.functional.linear(z, W.T, b[0]))
            if k < self.bn_depth:
                z = keep(f"bn_layers[{k}].forward", self.batch_norm(k, z, training))
                for name in ("running_mean", "running_var"):
                    yield f"bn_layers[{k}].{name}", numpy(getattr(self, name)[k])
            z = keep(f"activations[{k}].forward", function(z))
        yield from ((name, numpy(tensor)) for name, tensor in kept.items())
        if not training:
            return
        yield from ((name, numpy(value)) for name, value in self.seen.items() if not name.endswith("out"))
        if y is None:
            return
        yield "criterion.forward", numpy(cross_entropy(z, torch.tensor(y)))
        self.backward(z, y)
        yield "criterion.derivative", _gradient(z)
        for k, function in enumerate(self.activations):
            linear, bn = kept[f"linear_layers[{k}].forward"], kept.get(f"bn_layers[{k}].forward")
            before = leaf(numpy(linear if bn is None else bn))
            function(before).sum().backward()
            yield f"activations[{k}].derivative", _gradient(before)
            yield f"delta[{k}]", _gradient(linear if bn is None else bn)
            if bn is not None:
                yield f"bn_layers[{k}].backward", _gradient(linear)
                yield f"bn_layers[{k}].dgamma", _gradient(self.gamma[k])
                yield f"bn_layers[{k}].dbeta", _gradient(self.beta[k])
            yield f"linear_layers[{k}].backward", _gradient(inputs[k])
            yield f"linear_layers[{k}].dW", _gradient(self.W[k])
            yield f"linear_layers[{k}].db", _gradient(self.b[k])


def _gradient(tensor: torch.Tensor) -> np.ndarray:
    assert tensor.grad is not None
    return tensor.grad.detach().numpy().copy()


def traces() -> Arrays:
    """Return `key/pass/name` for every problem on a network, each batch a pass, and so inference; and `key/state`."""
    arrays = {}
    for problem in PROBLEMS:
        given: dict[str, Any] = cases.draw(problem.key)
        if problem.exercise == "activation_derivative":
            arrays[f"{problem.key}/state"] = activation(given["name"], given["x"])[0]
        if "W0" not in given or "activations" not in given:
            continue
        x, y = given["x"], given.get("y")
        rows = given.get("rows", np.array([len(x)]))
        net = Traced(given)
        steps = "rows" in given
        for number, (batch_x, batch_y) in enumerate(split(rows, x, x if y is None else y)):
            for name, value in net.trace(batch_x, None if y is None else batch_y, True):
                arrays[f"{problem.key}/{number}/{name}"] = np.asarray(value, order="C")
            for optimiser in net.optimisers if steps else ():
                optimiser.step()
        if "x_eval" in given:
            for name, value in net.trace(given["x_eval"], None, False):
                arrays[f"{problem.key}/{len(rows)}/{name}"] = np.asarray(value, order="C")
    return arrays
