"""Runs an exercise on a watched network, some of its parts replaced by stand-ins.

A stand-in holds no formula: it replays, call by call, what a correct part gave in its place. The student's own method
runs beside it on what it is due to be handed, so that its private attributes exist and its values can be compared.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np

from child import patches
from child.exercises import Course, Values, exercise, kept_by
from child.exercises import run as run_exercise
from child.patches import Make, Patches
from child.watch import PARAMETERS, Array, Function, Watch, put, same
from sandbox.wire import Difference, Log

# Students read this file: a formula here would hand out the solution. So the tables say what is set, and never how.
CALLS = {
    "linear_layers": ("forward", "backward"),
    "bn_layers": ("forward", "backward"),
    "activations": ("forward", "derivative"),
    "criterion": ("forward", "derivative"),
}
# What a correct layer has set after a call, by the names that course code reads: from the trace, or as it was handed.
SETS = {
    "linear_layers.backward": ("dW", "db"),
    "bn_layers.forward": ("mean", "var", "norm", "running_mean", "running_var"),
    "bn_layers.backward": ("dgamma", "dbeta"),
}
GIVEN = {"linear_layers": ("x",), "bn_layers": ("x",), "criterion": ("logits", "labels")}
RESULT = {"activations": "state", "criterion": "loss", "bn_layers": "out"}
AVERAGES = ("running_mean", "running_var")
GRADIENTS = ("dW", "db", "dgamma", "dbeta")
STAGES = ("forward", "backward", "step", "zero_grads")
EMPTY = "MLP.bn_layers"  # an empty list, where a network has none
ARITY = {"forward": (1,), "backward": (1,), "derivative": (0, 1)}  # of the methods, as the homework has them
ARITIES: dict[str, tuple[int, ...]] = {"bn_layers.forward": (1, 2), "criterion.forward": (2,)}
MOST_DIFFERENCES = 50


def family_of(place: str) -> str:
    return place.partition("[")[0]


class StandIns(Watch):
    """Follows one network, and answers for the replaced parts from the trace: classes, their methods, the network's."""

    def __init__(
        self, script: dict[str, str], trace: dict[str, Array], modes: list[bool], root: str, replaced: set[str]
    ) -> None:
        super().__init__(script, trace, modes, root)
        self.replaced = replaced
        self.differences: list[Difference] = []
        self.forwarded: set[tuple[int, str]] = set()  # passes and places of layers whose own forward has been run

    @property
    def log(self) -> Log:
        return Log(tuple(self.calls), tuple(self.differences[:MOST_DIFFERENCES]))

    # A layer's method.

    def run_layer(self, layer: Any, place: str, method: str, original: Function, arguments: Any, named: Any) -> Any:
        call, kind = f"{family_of(place)}.{method}", self.parts[place]
        if not self.replaced & {kind, f"{kind}.{method}"} or self.known(f"{place}.{method}") is None:
            return super().run_layer(layer, place, method, original, arguments, named)
        if len(arguments) + len(named) not in ARITIES.get(call, ARITY[method]):
            return original(layer, *arguments, **named)
        return self._answer(layer, place, method, original)

    def _answer(self, layer: Any, place: str, method: str, original: Function) -> Array:
        """Have the student's own method run on what is due, unwatched; then set and return what a correct one gives."""
        self._prepare(layer, place, method)
        differs = self._run_on_what_is_due(layer, place, method, original)
        normalizes = f"{family_of(place)}.{method}" == "bn_layers.forward"
        consistent = normalizes and not differs  # with what the layer keeps, under any names
        differs += self._wrong_attributes(layer, place, method)
        self.differences += [Difference(self.number, f"{place}.{method}", name) for name in differs[:3]]
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

    def _run_on_what_is_due(self, layer: Any, place: str, method: str, original: Function) -> list[str]:
        """Return how the result differs: nothing, an empty name for wrong values, or the name of an exception."""
        students = {name: getattr(layer, name) for name in PARAMETERS if self.known(f"{place}.{name}") is not None}
        with self.unwatched():
            try:
                for name in students:
                    put(layer, name, self.traced(f"{place}.{name}"))
                if method != "forward" and (self.number, place) not in self.forwarded:
                    layer.forward(*self._due_at(f"{place}.forward"))
                result = original(layer, *self._due_at(f"{place}.{method}"), *self._flag(place, method))
                differs = [] if self._as_traced(result, f"{place}.{method}", original) else [""]
            except Exception as error:
                differs = [type(error).__name__]
        if method == "forward":
            self.forwarded.add((self.number, place))
        for name, value in students.items():
            put(layer, name, value)
        return differs

    def _due_at(self, call: str) -> list[Array]:
        return [self.traced(name) for name in self.script[call].split()]

    def _flag(self, place: str, method: str) -> list[bool]:
        """The eval flag, where batch norm gets one."""
        inference = family_of(place) == "bn_layers" and method == "forward" and not self.modes[self.number]
        return [True] if inference else []

    def _as_traced(self, result: Any, call: str, original: Function) -> bool:
        if original.__name__ == "gradients":  # which returns nothing
            return True
        traced = self.traced(call)
        if type(result) in (int, float):  # `1.0` is Identity's derivative, whatever the shape
            result = np.full(traced.shape, result)
        return same(result, traced)

    def _wrong_attributes(self, layer: Any, place: str, method: str) -> list[str]:
        """What the method left in the attributes that are compared under these names, and is wrong."""
        names = SETS.get(f"{family_of(place)}.{method}", ())
        left = {name: getattr(layer, name, None) for name in names if name in GRADIENTS}
        if "running_mean" in names:
            left.update(kept_by(layer, (1, self.traced(f"{place}.{method}").shape[1]), *AVERAGES))
        return [name for name, value in left.items() if not same(value, self.known(f"{place}.{name}"))]

    def set_state(self, layer: Any, place: str, method: str) -> None:
        """Set what a correct layer has set after a call."""
        family = family_of(place)
        for name in SETS.get(f"{family}.{method}", ()):
            if self.known(f"{place}.{name}") is not None:
                put(layer, name, self.traced(f"{place}.{name}"))
        if method == "forward":
            for name, array in zip(GIVEN.get(family, ()), self._due_at(f"{place}.forward")):
                put(layer, name, array)
            if family in RESULT:
                put(layer, RESULT[family], self.traced(f"{place}.forward"))

    # A method of the network.

    def run_method(self, method: str, original: Function, arguments: Any, named: Any) -> Any:
        if f"MLP.{method}" not in self.replaced or self.number < 0:
            return super().run_method(method, original, arguments, named)
        with self.unwatched(), suppress(Exception):
            original(self.mlp, self.traced("x" if method == "forward" else "labels"))
        for place, layer in self.layers.items():
            if self.known(f"{place}.{method}") is not None:
                self.set_state(layer, place, method)
        if method == "backward":
            return None
        last = [place for place in self.layers if family_of(place) == "activations"][-1]
        put(self.mlp, "output", self.traced(f"{last}.forward"))
        return self.traced(f"{last}.forward")

    def zero_grads_changed(self, place: str, name: str, array: Array, before: Array) -> None:
        if "MLP.zero_grads" not in self.replaced:
            super().zero_grads_changed(place, name, array, before)
            return
        array[...] = before
        put(self.layers[place], name, array)

    # The student's classes.

    def patch_layer(self, layer: Any, place: str, patched: Patches) -> None:
        """Have the methods of a layer's class report their calls."""
        kind, part = type(layer), self.parts[self.places[id(layer)][0]]
        if not isinstance(kind, type) or kind.__module__ in ("builtins", "numpy"):
            return
        family = family_of(place)
        for method in CALLS[family]:
            needed = bool({part, f"{part}.{method}"} & self.replaced)
            patched.replace(kind, method, self._reporting_of_layer(method), needed)
        patched.replace(kind, "__call__", self._reporting_of_layer("forward"))
        if family == "linear_layers":
            patched.replace(kind, "gradients", self._reporting_of_layer("backward"))

    def patch_network(self, mlp: Any, patched: Patches) -> None:
        for method in STAGES:
            patched.replace(type(mlp), method, self._reporting_of_network(method))
        patched.replace(type(mlp), "__call__", self._reporting_of_network("forward"))

    def _reporting_of_layer(self, method: str) -> Make:
        return lambda original: lambda layer, *a, **named: self.called(layer, method, original, a, named)

    def _reporting_of_network(self, method: str) -> Make:
        return lambda original: lambda mlp, *a, **named: self.entered(method, original, mlp, a, named)


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
        for layer, place in watch.built(mlp, activations, criterion, [str(name) for name in inputs["activations"]]):
            watch.patch_layer(layer, place, patched)
        watch.patch_network(mlp, patched)

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

    def make(original: Function) -> Function:
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
