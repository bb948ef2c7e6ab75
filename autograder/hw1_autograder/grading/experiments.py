"""Runs failing network problems again with stand-ins for layers, in a fresh process, to see what is at fault.

The experiments always use the prestored inputs, and nothing of them judges: points come from the graded run alone.
"""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from diagnosis.network import Deviation, deviations
from grading.judges import Arrays, Judge
from grading.verdicts import Grading, Result
from homework import cases, stored, wiring

LAYERS = ("Sigmoid", "Tanh", "ReLU", "Identity", "SoftmaxCrossEntropy", "Linear", "BatchNorm")
EMPTY, ZERO_GRADS = "MLP.bn_layers", "MLP.zero_grads"  # a list, where there is none; one that clears gradients alone
AFTER_FORWARD = {
    "activation_derivative": "",
    "loss_derivative": "SoftmaxCrossEntropy",
    "linear_backward": "Linear",
    "probe_batchnorm": "BatchNorm",
}
CLASSES = {"linear_layers": "Linear", "bn_layers": "BatchNorm", "criterion": "SoftmaxCrossEntropy"}
EXERCISES = ("mlp_forward", "mlp_backward", "mlp_steps", "batchnorm_train", "batchnorm_inference")


@dataclass
class Experiment:
    """One run with parts replaced: its result, and how its calls deviate.

    A stand-in gives what is correct whatever it is handed; what goes wrong with the submission's layers, values show.
    """

    parts: frozenset[str]
    result: Result
    deviations: dict[str, Deviation]  # by the network's method
    masked: set[str]  # the methods that deviate where a stand-in answered
    raised_in: str  # the network's method, if it raised in one
    forwarded: bool  # whether every forward pass that ended returned what it should

    @property
    def passed(self) -> bool:
        return self.result.outcome.ended == "returned" and not self.result.wrong and self.forwarded and not self.masked


class Experiments:
    """Runs experiments on one submission, each once."""

    def __init__(self, grading: Grading, references: Judge, traces: str) -> None:
        self._grading, self._references, self._path = grading, references, traces
        self._made: dict[tuple[str, frozenset[str]], Experiment | None] = {}
        self._stopped = False
        self.given: dict[str, set[str]] = {}  # of a problem: what is replaced in every run of it
        self.fault = ""  # why the traces can't be read, if they can't

    @cached_property
    def _traces(self) -> dict[str, Arrays]:
        """The arrays of every problem's trace, by `pass/name`."""
        traces: dict[str, Arrays] = {}
        try:
            with np.load(io.BytesIO(stored.read(self._path)), allow_pickle=False) as file:
                for name in file.files:
                    key, _, rest = name.partition("/")
                    traces.setdefault(key, {})[rest] = file[name]
        except (OSError, ValueError) as error:
            self.fault, self._stopped = f"{os.path.basename(self._path)} can't be read ({error})", True
        return traces

    def possible(self, key: str) -> bool:
        return cases.CASES[key][0] in EXERCISES

    def run(self, key: str, parts: frozenset[str]) -> Experiment | None:
        """Run a problem's exercise with these parts replaced; None if that can't be done, or no time is left."""
        parts |= self.given.setdefault(key, set())
        if (key, parts) not in self._made:
            if not self._made:
                self._grading.renew()
            self._made[key, parts] = self._run(key, parts)
        return self._made[key, parts]

    def of_method(self, key: str, stages: tuple[str, ...], number: int) -> Experiment | None:
        """Run a problem with correct layers, and with correct methods of the network before that one."""
        experiment = self.run(key, frozenset([*LAYERS, *stages[:number]]))
        if experiment and experiment.raised_in == "MLP.backward" and not number:  # later passes are to be seen as well
            experiment = self.run(key, frozenset([*LAYERS, "MLP.backward"]))
        return experiment

    def isolated(self, key: str) -> Result | None:
        """Ask a layer for its derivative or its backward after a correct forward; None if that can't be done."""
        exercise, (inputs, expected) = cases.CASES[key][0], self._references.case(key)
        part = AFTER_FORWARD.get(exercise) or str(inputs["name"])
        left: Arrays = {name: expected[name] for name in ("mean", "var", "norm") if name in expected}  # by forward
        if left:
            left["out"] = expected["forward(x)"]
        for name, handed in (("x", "x"), ("logits", "x"), ("labels", "y")):
            if handed in inputs:
                left[name] = inputs[handed]
        left.update({name: array for name, array in self._traces.get(key, {}).items() if name == "state"})
        given = {
            "exercise": np.array(exercise),
            "part": np.array(part),
            **{f"in/{name}": value for name, value in inputs.items()},
            **{f"set/{name}": value for name, value in left.items()},
        }
        deadline = self._grading.time_for(self._grading.deadline)
        if deadline <= 0 or self._stopped:
            return None
        outcome = self._grading.exercise("after_forward", given, deadline)
        known = [name for name in expected if name in left or name.startswith("forward")]
        return Result(outcome, inputs, expected, known) if outcome.ended in ("returned", "raised") else None

    def _run(self, key: str, parts: frozenset[str]) -> Experiment | None:
        deadline = self._grading.time_for(self._grading.deadline)
        traces = self._traces
        if deadline <= 0 or self._stopped:
            return None
        inputs, expected = self._references.case(key)
        trace, modes = _passes(inputs)
        layers, bn = wiring.size_of(dict(inputs))
        calls = [*wiring.forward(layers, bn), *wiring.backward(layers, bn)]
        given = {
            "exercise": np.array(cases.CASES[key][0]),
            "parts": np.array(sorted(parts) or [""]),
            "calls": np.array([" ".join([call.name, *call.handed]) for call in calls]),
            "modes": np.array(modes),
            **{f"in/{name}": value for name, value in inputs.items()},
            **traces[key],
            **trace,
        }
        outcome = self._grading.exercise("experiment", given, deadline)
        if outcome.ended not in ("returned", "raised"):
            self._stopped = True
            return None
        return _observed(parts, Result(outcome, inputs, expected), modes)


def _passes(inputs: Arrays) -> tuple[Arrays, list[bool]]:
    """What each forward pass of a case is given, by `pass/name`, and whether it is one of training."""
    ends = np.cumsum(inputs.get("rows", [len(inputs["x"])]))[:-1]
    given = {f"{number}/x": x for number, x in enumerate(np.split(inputs["x"], ends))}
    modes = [True] * len(given)
    if "y" in inputs:
        given.update({f"{number}/labels": y for number, y in enumerate(np.split(inputs["y"], ends))})
    if "x_eval" in inputs:
        given[f"{len(modes)}/x"] = inputs["x_eval"]
        modes.append(False)
    return given, modes


def _observed(parts: frozenset[str], result: Result, modes: list[bool]) -> Experiment:
    """What the log of a run with these parts replaced shows."""
    calls, inputs = result.outcome.log.calls, result.inputs
    layers, bn = size = wiring.size_of(dict(inputs))
    none = {m.quantity for m in result.mismatches if m.value is None or not np.any(m.value)}
    classes = {part.partition(".")[0] for part in parts}
    due = [*wiring.forward(layers, bn), *wiring.backward(layers, bn)]
    students = {call.layer for call in due if class_of(call.layer, inputs) not in classes}
    answered = [entry for entry in calls if entry.call.rpartition(".")[0] not in students]
    return Experiment(
        parts,
        result,
        deviations={deviation.method: deviation for deviation in deviations(calls, size, modes, none)},
        masked={deviation.method for deviation in deviations(answered, size, modes, none)},
        raised_in=next((f"MLP.{entry.stage}" for entry in calls if entry.call == "raised"), ""),
        forwarded=all(
            entry.handed == (f"activations[{layers - 1}].forward",) for entry in calls if entry.call == "return"
        ),
    )


def class_of(call: str, inputs: Arrays) -> str:
    """The class of a layer of a case's network, as `activations[0]` or a call of it."""
    family, _, rest = call.partition("[")
    if family == "activations":
        return str(inputs["activations"][int(rest.partition("]")[0])])
    return CLASSES[family.partition(".")[0]]
