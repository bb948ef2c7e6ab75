"""Stand-ins answer every call of what they replace; a watched network's calls come back as records."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from diagnosis import wiring
from grading.experiments import LAYERS, Experiment, Experiments
from grading.grade import opened
from grading.settings import TRACES, Settings
from handins import JUDGE, Edit, body, solution, write
from sandbox.workplace import Workplace


@contextmanager
def experiments(folder: Path, *edits: Edit) -> Iterator[Experiments]:
    files = solution()
    for edit in edits:
        edit(files)
    with Workplace() as workplace:
        yield Experiments(opened(Settings(str(write(files, folder))), workplace), JUDGE, TRACES)


def experiment(folder: Path, key: str, parts: tuple[str, ...], *edits: Edit) -> Experiment:
    with experiments(folder, *edits) as runs:
        experiment = runs.run(key, frozenset(parts))
    assert experiment
    return experiment


BROKEN = "raise ArithmeticError('a method of a replaced part answers by itself')"
METHODS = {  # of a class that is replaced: the methods of its that a network may call
    "Linear": ("forward", "backward", "gradients"),
    "BatchNorm": ("forward", "backward"),
    "Sigmoid": ("forward", "derivative"),
    "Identity": ("forward", "derivative"),
    "SoftmaxCrossEntropy": ("forward", "derivative"),
}


@pytest.mark.parametrize(("part", "method"), [(part, name) for part, names in METHODS.items() for name in names])
def test_a_stand_in_answers_for_every_method_that_a_network_calls(part: str, method: str, tmp_path: Path) -> None:
    edit = body(f"{part}.{method}", BROKEN)
    without = experiment(tmp_path / "without", "batchnorm_train", (), edit)
    assert without.result.outcome.raised.type == "ArithmeticError", "the network calls it"
    assert experiment(tmp_path / "with", "batchnorm_train", (part,), edit).passed


def test_a_replaced_linear_layer_answers_for_gradients_that_are_wrong(tmp_path: Path) -> None:
    """The network asks its first layer for `gradients` alone, which go into the values without an exception."""
    edit = body("Linear.gradients", "self = args[0]\noriginal(*args)\nself.dW, self.db = 3 * self.dW, 3 * self.db")
    assert not experiment(tmp_path / "without", "single_backward", (), edit).passed
    assert experiment(tmp_path / "with", "single_backward", ("Linear.backward",), edit).passed


@pytest.mark.parametrize("parts", [(), LAYERS], ids=["own layers", "right layers"])
def test_the_calls_of_a_right_network_are_those_due_with_their_lines(parts: tuple[str, ...], tmp_path: Path) -> None:
    log = experiment(tmp_path, "batchnorm_train", parts).result.outcome.log
    assert log.differences == ()
    source = (tmp_path / "hw1" / "hw1.py").read_text().splitlines()
    due = {call.name: call.handed for call in wiring.calls(wiring.size_of(JUDGE.case("batchnorm_train")[0]))}
    calls = [entry for entry in log.calls if entry.call != "return"]
    assert sorted(entry.call for entry in calls) == sorted(due)
    for entry in calls:
        assert entry.handed[: len(due[entry.call])] == due[entry.call]
        assert entry.stage in ("forward", "backward")
        assert entry.place == f"hw1/hw1.py:{entry.line}"
        if entry.call.startswith("criterion"):
            assert f"self.{entry.call.removesuffix('.forward')}(" in source[entry.line - 1]


def test_a_network_that_calls_without_end_is_stopped_and_its_log_comes_back(tmp_path: Path) -> None:
    edit = body("MLP.forward", "self, x = args\nwhile True:\n    self.linear_layers[0](x)")
    outcome = experiment(tmp_path, "single_forward", (), edit).result.outcome
    first = "linear_layers[0].forward"
    assert outcome.raised.type == "TooManyCalls"
    assert len(outcome.log.calls) == 1000
    assert {(entry.number, entry.stage, entry.call, entry.handed) for entry in outcome.log.calls} == {
        (0, "forward", first, ("x",))
    }


def test_an_exercise_that_watches_nothing_has_no_log(tmp_path: Path) -> None:
    with experiments(tmp_path) as runs:
        assert runs.run("single_forward", frozenset())
        outcome = runs._grading.perform("single_forward", JUDGE.case("single_forward")[0], 5)
    assert (outcome.ended, outcome.log.calls) == ("returned", ())
