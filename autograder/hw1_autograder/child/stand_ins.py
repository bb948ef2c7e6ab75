"""Runs an exercise on a watched network, some of its parts replaced by stand-ins.

A stand-in holds no formula: it replays, call by call, what a correct part gave in its place. The student's own method
runs beside it on what it is due to be handed, so that its private attributes exist and its values can be compared.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from typing import Any, Callable

import numpy as np

from child import patches
from child.exercises import Course, Values, exercise, kept_by
from child.exercises import run as run_exercise
from child.patches import Make, Patches
from child.watch import Array, Call, Watch, put, same
from sandbox.layers import GRADIENTS, PARAMETERS, layer_at
from sandbox.wire import Difference

# Students read this file: a formula here would hand out the solution. So it is known what is set, and never how.
AVERAGES = ("running_mean", "running_var")
STAGES = ("forward", "backward", "step", "zero_grads")
EMPTY = "MLP.bn_layers"  # an empty list, where a network has none
ARITY = {"forward": (1,), "backward": (1,), "derivative": (0, 1)}  # of the methods, as the homework has them
ARITIES: dict[str, tuple[int, ...]] = {"bn_layers.forward": (1, 2), "criterion.forward": (2,)}


class StandIns(Watch):
    """Follows one network, and answers for the replaced parts from the trace: classes, their methods, the network's."""

    def __init__(
        self, script: dict[str, str], trace: dict[str, Array], modes: list[bool], root: str, replaced: set[str]
    ) -> None:
        super().__init__(script, trace, modes, root)
        self.replaced = replaced
        self.forwarded: set[tuple[int, str]] = set()  # passes and places of layers whose own forward has been run

    # A layer's method.

    def run_layer(self, place: str, method: str, call: Call) -> Any:
        name, part = f"{layer_at(place).attribute}.{method}", self.parts[place]
        if not self.replaced & {part, f"{part}.{method}"} or self.known(f"{place}.{method}") is None:
            return super().run_layer(place, method, call)
        if len(call.args) - 1 + len(call.keywords) not in ARITIES.get(name, ARITY[method]):
            return call()
        layer = call.args[0]
        self._prepare(layer, place, method)
        differs = self._run_on_what_is_due(place, method, call)
        consistent = name == "bn_layers.forward" and not differs  # with what the layer keeps, under any names
        differs += self._wrong_attributes(layer, place, method)
        self.differences += [Difference(self.number, f"{place}.{method}", quantity) for quantity in differs[:3]]
        if not consistent:
            self.set_state(layer, place, method)
        return self.traced(f"{place}.{method}")

    def _prepare(self, layer: Any, place: str, method: str) -> None:
        """Put in place what a correct layer has at the beginning of the call."""
        for name in AVERAGES:  # for a backward too: the student's forward may run once more before it
            before = self.known(f"{place}.{name}", earlier=1)
            if hasattr(layer, name) and before is not None:
                put(layer, name, before.copy())
        for name in GRADIENTS if method == "backward" else ():
            if type(getattr(layer, name, None)) is np.ndarray:
                put(layer, name, np.zeros_like(getattr(layer, name)))

    def _run_on_what_is_due(self, place: str, method: str, call: Call) -> list[str]:
        """Run the student's method; return how it differs: an empty name for its result, or an exception's name."""
        layer, traced = call.args[0], self.traced(f"{place}.{method}")
        students = {name: getattr(layer, name) for name in PARAMETERS if self.known(f"{place}.{name}") is not None}
        inference = place.startswith("bn_layers") and method == "forward" and not self.modes[self.number]
        with self.unwatched():
            try:
                for name in students:
                    put(layer, name, self.traced(f"{place}.{name}"))
                if method != "forward" and (self.number, place) not in self.forwarded:
                    layer.forward(*self._due_at(f"{place}.forward"))
                result = call.func(layer, *self._due_at(f"{place}.{method}"), *[True] * inference)
                if type(result) in (int, float):  # `1.0` is Identity's derivative, whatever the shape
                    result = np.full(traced.shape, result)
                returns = call.func.__name__ != "gradients"
                differs = [""] if returns and not same(result, traced) else []
            except Exception as error:
                differs = [type(error).__name__]
        if method == "forward":
            self.forwarded.add((self.number, place))
        for name, value in students.items():
            put(layer, name, value)
        return differs

    def _due_at(self, call: str) -> list[Array]:
        return [self.traced(name) for name in self.script[call].split()]

    def _wrong_attributes(self, layer: Any, place: str, method: str) -> list[str]:
        """What the method left in the attributes that are compared under these names, and is wrong."""
        gradients = layer_at(place).gradients if method == "backward" else ()
        left = {name: getattr(layer, name, None) for name in gradients}
        if place.startswith("bn_layers") and method == "forward":
            left.update(kept_by(layer, (1, self.traced(f"{place}.{method}").shape[1]), *AVERAGES))
        return [name for name, value in left.items() if not same(value, self.known(f"{place}.{name}"))]

    def set_state(self, layer: Any, place: str, method: str) -> None:
        """Set what a correct layer has set after a call."""
        row = layer_at(place)
        for name in row.keeps if method == "forward" else row.gradients:
            if name not in row.parameters and self.known(f"{place}.{name}") is not None:
                put(layer, name, self.traced(f"{place}.{name}"))
        if method == "forward":
            for name, array in zip(row.keeps, self._due_at(f"{place}.forward")):
                put(layer, name, array)
            if row.output:
                put(layer, row.output, self.traced(f"{place}.forward"))

    # A method of the network.

    def run_method(self, method: str, call: Call) -> Any:
        if f"MLP.{method}" not in self.replaced or self.number < 0:
            return super().run_method(method, call)
        with self.unwatched(), suppress(Exception):
            call.func(self.mlp, self.traced("x" if method == "forward" else "labels"))
        for place, layer in self.layers.items():
            if self.known(f"{place}.{method}") is not None:
                self.set_state(layer, place, method)
        if method == "backward":
            return None
        last = [place for place in self.layers if place.startswith("activations")][-1]
        put(self.mlp, "output", self.traced(f"{last}.forward"))
        return self.traced(f"{last}.forward")

    def after_zero_grads(self, place: str, name: str, array: Array, before: Array) -> None:
        if "MLP.zero_grads" not in self.replaced:
            super().after_zero_grads(place, name, array, before)
        else:
            array[...] = before
            put(self.layers[place], name, array)

    # The student's classes.

    def patch(self, mlp: Any, layers: Iterable[tuple[Any, str]], patched: Patches) -> None:
        """Have the methods of a network's class and of its layers' classes report their calls."""
        for layer, place in layers:
            kind, part = type(layer), self.parts[self.places[id(layer)][0]]
            if isinstance(kind, type) and kind.__module__ not in ("builtins", "numpy"):
                for method in layer_at(place).methods:
                    needed = bool({part, f"{part}.{method}"} & self.replaced)
                    patched.replace(kind, method, reporting(self.called, method), needed)
                patched.replace(kind, "__call__", reporting(self.called, "forward"))
                if place.startswith("linear_layers"):
                    patched.replace(kind, "gradients", reporting(self.called, "backward"))
        for method in STAGES:
            patched.replace(type(mlp), method, reporting(self.entered, method))
        patched.replace(type(mlp), "__call__", reporting(self.entered, "forward"))


def reporting(report: Callable[[str, Call], Any], method: str) -> Make:
    return lambda original: lambda *arguments, **named: report(method, partial(original, *arguments, **named))


# ---------------------------------------------------------------- exercises


def unpacked(prefix: str, arrays: dict[str, Array]) -> dict[str, Array]:
    """The arrays whose names begin so, under the rest of their names."""
    return {name[len(prefix) :]: array for name, array in arrays.items() if name.startswith(prefix)}


@exercise
def experiment(
    course: Course,
    exercise: Array,
    parts: Array,
    calls: Array,
    modes: Array,
    **arrays: Array,
) -> Values:
    """Run another exercise with these parts replaced: classes, their methods, methods of the network, its bn_layers.

    `calls` has a line a call, the arrays that it is due to be handed behind its name; `modes` says which passes are
    training. Of the arrays, those that begin with `in/` are the exercise's inputs, the others are the trace.
    """
    script = dict(line.partition(" ")[::2] for line in map(str, calls))
    inputs = unpacked("in/", arrays)
    trace = {name: array for name, array in arrays.items() if not name.startswith("in/")}
    watch = StandIns(script, trace, [bool(mode) for mode in modes], course.root, {str(part) for part in parts})
    patched = Patches()

    def built(mlp: Any, activations: list[Any], criterion: Any) -> None:
        if EMPTY in watch.replaced and getattr(mlp, "bn_layers", None) is None:
            put(mlp, "bn_layers", [])
        names = [str(name) for name in inputs["activations"]]
        watch.patch(mlp, watch.built(mlp, activations, criterion, names), patched)

    classes = {part.partition(".")[0] for part in watch.replaced}
    made_up = patches.make_importable(course, classes)
    watch.replaced |= made_up
    patches.complete_constructors(patched, course, classes)
    course.built = built
    try:
        return run_exercise(str(exercise), course, inputs)
    finally:
        course.log = watch.log
        course.built = None
        patched.undo()
        if made_up:
            patches.forget_modules(course)


@exercise
def after_forward(course: Course, exercise: Array, part: Array, **arrays: Array) -> Values:
    """Run a layer's exercise with its forward replaced: the student's own is tried, then what it should set is set.

    Of the arrays, those that begin with `in/` are the exercise's inputs, those with `set/` what forward should set.
    """
    due = unpacked("set/", arrays)

    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        def forward(layer: Any, *arguments: Any, **named: Any) -> Any:
            with suppress(Exception):
                original(layer, *(np.copy(argument) for argument in arguments), **named)
            for name, value in due.items():
                put(layer, name, value.copy())
            return due.get("out")

        return forward

    patched = Patches()
    patched.replace(patches.class_of(course, str(part)), "forward", make)
    try:
        return run_exercise(str(exercise), course, unpacked("in/", arrays))
    finally:
        patched.undo()
