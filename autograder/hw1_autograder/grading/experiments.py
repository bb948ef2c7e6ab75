"""Runs failing network problems again with stand-ins for layers, in a fresh process, to see what is at fault.

The experiments always use the prestored inputs, and nothing of them judges: points come from the graded run alone.
"""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from diagnosis import network, wiring
from diagnosis.network import Deviation
from grading.judges import Arrays, Judge
from grading.verdicts import Grading, Result, asked
from homework import cases, stored
from sandbox.layers import BY_CLASS, Quantity, quantity

LAYERS = frozenset(BY_CLASS)
EMPTY, ZERO_GRADS = "MLP.bn_layers", "MLP.zero_grads"  # a list, where there is none; one that clears gradients alone
# The exercises on a network, and its methods that each looks at, in the order in which each builds on those before.
STAGES = {
    "mlp_forward": ("MLP.forward",),
    "mlp_backward": ("MLP.forward", "MLP.backward"),
    "mlp_steps": ("MLP.forward", "MLP.backward", "MLP.step"),
    "batchnorm_train": ("MLP.forward", "MLP.backward"),
    "batchnorm_inference": ("MLP.forward", "MLP.backward", "MLP.step"),
}


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
        return cases.CASES[key][0] in STAGES

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
        experiment = self.run(key, LAYERS.union(stages[:number]))
        if experiment and experiment.raised_in == "MLP.backward" and not number:  # later passes are to be seen as well
            experiment = self.run(key, LAYERS | {"MLP.backward"})
        return experiment

    def isolated(self, key: str) -> Result | None:
        """Ask a layer for its derivative or its backward after a correct forward; None if that can't be done."""
        inputs, expected = self._references.case(key)
        layer = BY_CLASS.get(asked(key, inputs))
        quantities = [quantity(name, asked(key, inputs)) for name in expected]
        if layer is None or all(q.method == f"{layer.class_name}.forward" for q in quantities):
            return None
        handed = [inputs[name] for name in ("x", "y") if name in inputs]
        state = {"x": handed[0], **dict(zip(layer.keeps, handed))}
        state.update({q.name: expected[q.name] for q in quantities if q.kept})
        output = self._traces.get(key, {}).get(layer.output)
        output = next((expected[q.name] for q in quantities if q.call == "forward"), output)
        if layer.output and output is not None:
            state[layer.output] = output
        deadline = self._grading.time_for(self._grading.deadline)
        if deadline <= 0 or self._stopped:
            return None
        given = {
            "exercise": np.array(cases.CASES[key][0]),
            "part": np.array(layer.class_name),
            **{f"in/{name}": value for name, value in inputs.items()},
            **{f"set/{name}": value for name, value in state.items()},
        }
        outcome = self._grading.exercise("after_forward", given, deadline)
        known = [q.name for q in quantities if q.name in state or q.call == "forward"]
        return Result(key, outcome, inputs, expected, known) if outcome.ended in ("returned", "raised") else None

    def _run(self, key: str, parts: frozenset[str]) -> Experiment | None:
        deadline = self._grading.time_for(self._grading.deadline)
        traces = self._traces
        if deadline <= 0 or self._stopped:
            return None
        inputs, expected = self._references.case(key)
        calls = wiring.calls(wiring.size_of(inputs))
        modes, handed = _passes(inputs)
        given = {
            "exercise": np.array(cases.CASES[key][0]),
            "parts": np.array(sorted(parts) or [""]),
            "calls": np.array([" ".join([call.name, *call.handed]) for call in calls]),
            "modes": np.array(modes),
            **{f"in/{name}": value for name, value in inputs.items()},
            **traces[key],
            **handed,
        }
        outcome = self._grading.exercise("experiment", given, deadline)
        if outcome.ended not in ("returned", "raised"):
            self._stopped = True
            return None
        return _observed(parts, Result(key, outcome, inputs, expected), modes)


def _observed(parts: frozenset[str], result: Result, modes: list[bool]) -> Experiment:
    """What the log of a run with these parts replaced shows."""
    entries, size = result.outcome.log.calls, wiring.size_of(result.inputs)
    unset = {m.quantity for m in result.mismatches if m.value is None or not np.any(m.value)}
    classes = {part.partition(".")[0] for part in parts}
    students = {call.layer for call in wiring.calls(size) if class_of(call.returns, result.inputs) not in classes}
    answered = [entry for entry in entries if quantity(entry.call).place not in students]
    output = (wiring.forward(size)[-1].name,)
    return Experiment(
        parts,
        result,
        deviations={deviation.method: deviation for deviation in network.deviations(entries, size, modes, unset)},
        masked={deviation.method for deviation in network.deviations(answered, size, modes, unset)},
        raised_in=next((f"MLP.{entry.stage}" for entry in entries if entry.call == "raised"), ""),
        forwarded=all(entry.handed == output for entry in entries if entry.call == "return"),
    )


def _passes(inputs: Arrays) -> tuple[list[bool], Arrays]:
    """Of each pass that an exercise makes, whether it trains, and what it is handed, by `pass/name`."""
    ends = np.cumsum(inputs.get("rows", np.array([len(inputs["x"])])))
    modes, handed = [True] * len(ends), {}
    for name, argument in (("x", "x"), ("y", "labels")):
        if name in inputs:
            batches = np.split(inputs[name], ends[:-1])
            handed.update({f"{number}/{argument}": batch for number, batch in enumerate(batches)})
    if "x_eval" in inputs:
        handed[f"{len(modes)}/x"] = inputs["x_eval"]
        modes.append(False)
    return modes, handed


def class_of(value: Quantity, inputs: Arrays) -> str:
    """The class of the layer of a case's network that a quantity belongs to."""
    return str(inputs["activations"][value.index]) if value.layer == "activations" else value.owner
