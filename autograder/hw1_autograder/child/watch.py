"""Watches a network: which of its methods runs, in which pass, which layers that calls, and what it hands to them.

An array is logged by its name in the trace of a correct network, so the log holds no numbers.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

import numpy as np

from sandbox.layers import BY_CLASS, PARAMETERS, layer_at
from sandbox.wire import MAX_CALLS, Difference, Entry, Log

HERE = os.path.dirname(os.path.abspath(__file__))
Array = np.ndarray
Call = partial[Any]

VELOCITIES = tuple(f"momentum_{name}" for name in BY_CLASS["Linear"].parameters)
UNKNOWN = "?"  # an array that the trace lacks
RTOL = 1e-5  # of the largest entry


class TooManyCalls(BaseException):
    """A network that goes on calling its layers without end; no `except Exception` of the submission's holds it up."""


class Watch:
    """Follows one network, and runs its methods and those of its layers as they are.

    `script` names, for every call, the arrays that it is due to be handed; `trace` holds those arrays, for every pass;
    `modes` says which passes are training.
    """

    def __init__(self, script: dict[str, str], trace: dict[str, Array], modes: list[bool], root: str) -> None:
        self.script, self.trace, self.modes, self.root = script, trace, modes, root
        self.calls: list[Entry] = []
        self.differences: list[Difference] = []
        self.stage, self.number, self.silent = "", -1, 0
        self.mlp: Any = None
        self.places: dict[int, list[str]] = {}  # of a layer by its id: the names of its places in the network
        self.layers: dict[str, Any] = {}  # by place
        self.parts: dict[str, str] = {}  # of a place: the class that is due there

    @property
    def log(self) -> Log:
        return Log(tuple(self.calls), tuple(self.differences))

    def built(self, mlp: Any, activations: list[Any], criterion: Any, names: list[str]) -> Iterator[tuple[Any, str]]:
        """Learn a network's layers; yield each with its place."""
        self.mlp, self.stage, self.number = mlp, "", -1
        self.places.clear()
        for place, layer in [*_placed(mlp, activations, criterion)]:
            places = self.places.setdefault(id(layer), [])
            if place not in places:
                places.append(place)
            self.layers[place] = layer
            self.parts[place] = layer_at(place).class_name
            if place.startswith("activations"):
                self.parts[place] = dict(enumerate(names)).get(int(place[len("activations[") : -1]), "")
            yield layer, place

    @contextmanager
    def unwatched(self) -> Iterator[None]:
        self.silent += 1
        try:
            yield
        finally:
            self.silent -= 1

    # The network's layers. A call is a partial function of the student's method and of all that it is handed.

    def called(self, method: str, call: Call) -> Any:
        """A call of a layer's method, from the network if it is one of the network's layers."""
        layer, *handed = *call.args, *call.keywords.values()
        places = self.places.get(id(layer), [])
        if self.silent or not places or self.number < 0:
            return call()
        # Of several places, it is called at the first that has not been called in this pass.
        made = {entry.call for entry in self.calls if entry.number == self.number}
        place = next((place for place in places if f"{place}.{method}" not in made), places[0])
        self._note_call(f"{place}.{method}", handed)
        return self.run_layer(place, method, call)

    def run_layer(self, place: str, method: str, call: Call) -> Any:
        """Run the method of a layer, whose calls of others are not the network's."""
        with self.unwatched():
            return call()

    def _note_call(self, name: str, handed: list[Any]) -> None:
        if len(self.calls) >= MAX_CALLS:
            raise TooManyCalls(name)
        due = [*self.script.get(name, "").split(), "", "", ""]
        names = [self.name(value, name) for value, name in zip(handed[:3], due)]
        self.note(self.stage or "outside", name, *names, line=caller(self.root))

    # The network's own methods.

    def entered(self, method: str, call: Call) -> Any:
        """A call of a method of the network's own, outermost or from within another."""
        if self.stage or self.silent or call.args[0] is not self.mlp:
            return call()
        self.stage = method
        try:
            if method == "forward":
                self._next_pass()
            return self.run_zero_grads(call) if method == "zero_grads" else self.run_method(method, call)
        finally:
            self.stage = ""

    def run_method(self, method: str, call: Call) -> Any:
        """Run the method; log that it raised, or what it returned."""
        try:
            result = call()
        except BaseException:
            self.note(method, "raised")
            raise
        if method == "forward":
            last = sum(place.startswith("activations") for place in self.layers) - 1
            self.note(method, "return", self.name(result, f"activations[{last}].forward"))
        return result

    def _next_pass(self) -> None:
        self.number = min(self.number + 1, len(self.modes) - 1)
        for place, layer in self.layers.items() if self.number else ():
            for name in PARAMETERS:
                self._note_parameter(f"{place}.{name}", getattr(layer, name, None))
        mode = getattr(self.mlp, "train_mode", None)
        if type(mode) is bool and mode != self.modes[self.number]:
            self.note("forward", "mode", str(mode))

    def _note_parameter(self, name: str, value: Any) -> None:
        """Log a parameter that is not what the steps before should have left."""
        due = self.known(name)
        if due is not None and not same(value, due):
            self.note("step", "keeps" if same(value, self.known(name, earlier=1)) else "moves", name)

    def run_zero_grads(self, call: Call) -> Any:
        """Run the method, and look after what it may have changed beside gradients."""
        names = [*PARAMETERS, *(VELOCITIES if getattr(self.mlp, "momentum", 0) else ())]
        values = {(place, name): getattr(layer, name, None) for place, layer in self.layers.items() for name in names}
        arrays = {where: (array, array.copy()) for where, array in values.items() if type(array) is np.ndarray}
        result = call()
        for (place, name), (array, before) in arrays.items():
            self.after_zero_grads(place, name, array, before)
        return result

    def after_zero_grads(self, place: str, name: str, array: Array, before: Array) -> None:
        """Log it if the array that was there under this name, and of which `before` is a copy, has changed."""
        after = getattr(self.layers[place], name, None)
        if not same(after, before):
            self.note("zero_grads", "changes" if np.any(after) else "clears", f"{place}.{name}")

    # The log, and the arrays of the trace.

    def note(self, stage: str, call: str, *handed: str, line: tuple[str, int] = ("", 0)) -> None:
        number = max(self.number, 0) if stage == "zero_grads" else self.number
        self.calls.append(Entry(number, stage, call, handed, *line))

    def name(self, value: Any, due: str) -> str:
        """The name of an array in this pass of the trace, that which is due if it fits; or what is no array's type."""
        if isinstance(value, (bool, np.bool_)):
            return str(bool(value))
        if type(value) is not np.ndarray:
            return type(value).__name__[:100]
        prefix = f"{self.number}/"
        for name in (due, *(key[len(prefix) :] for key in self.trace if key.startswith(prefix))):
            if name and same(value, self.known(name)):
                return name
        return UNKNOWN

    def known(self, name: str, earlier: int = 0) -> Array | None:
        """The trace's array of this name in this pass, or in an earlier one."""
        return self.trace.get(f"{self.number - earlier}/{name}")

    def traced(self, name: str) -> Array:
        """A copy of an array that the trace has."""
        return self.trace[f"{self.number}/{name}"].copy()


def _placed(mlp: Any, activations: list[Any], criterion: Any) -> Iterator[tuple[str, Any]]:
    """The layers of a network with their places, those that it was handed first."""
    yield from (("criterion", criterion), ("criterion", getattr(mlp, "criterion", criterion)))
    for attribute, passed in (("linear_layers", ()), ("bn_layers", ()), ("activations", activations)):
        for layers in (passed, getattr(mlp, attribute, None) or ()):
            if isinstance(layers, (list, tuple)):
                yield from ((f"{attribute}[{k}]", layer) for k, layer in enumerate(layers) if layer is not None)


def caller(root: str) -> tuple[str, int]:
    """The line of the submission from which a call came, `hw1/hw1.py` and 66, or nothing."""
    frame = sys._getframe(2)
    while frame is not None and os.path.dirname(frame.f_code.co_filename) == HERE:
        frame = frame.f_back  # type: ignore[assignment]
    file = frame.f_code.co_filename if frame else ""
    return (os.path.relpath(file, root).replace(os.sep, "/"), frame.f_lineno) if file.startswith(root) else ("", 0)


def put(thing: Any, name: str, value: Any) -> None:
    with suppress(Exception):  # a property of the student's, or a slot that is not there
        setattr(thing, name, value)


def same(value: Any, due: Array | None) -> bool:
    """Whether a value is the array of the trace, up to rounding."""
    if type(value) is not np.ndarray or due is None or value.shape != due.shape or value.dtype.kind not in "biuf":
        return False
    with np.errstate(all="ignore"):
        return bool((np.abs(value - due) <= RTOL * max(float(np.abs(due).max(initial=0)), 1e-6)).all())
