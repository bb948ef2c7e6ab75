"""The log of a network: the first call that is not the one due is named; orders that make no difference are not."""

from __future__ import annotations

# ruff: noqa: E501  (a row stands in one line)
from typing import NamedTuple

import pytest

from diagnosis import network, wiring
from diagnosis.wiring import Size
from sandbox.layers import Quantity
from sandbox.wire import Entry

PLAIN, NORMALIZED = Size(2, 0), Size(2, 1)
OUT = "activations[1].forward"


def correct(size: Size) -> dict[str, str]:
    """A correct network's log by its calls: the network's method, the call, and what it is handed."""
    forward = {call.name: f"forward {call.name} {' '.join(call.handed)}" for call in wiring.forward(size)}
    backward = [*wiring.criterion(size), *wiring.backward(size)]
    return {
        **forward,
        "return": f"forward return {OUT}",
        **{call.name: f"backward {call.name} {' '.join(call.handed)}" for call in backward},
    }


def deviations(
    lines: list[str], size: Size, training: bool = True, unset: set[Quantity] | None = None
) -> list[network.Deviation]:
    parts = [line.split() for line in lines if line]
    entries = [Entry(0, stage, call, tuple(handed), "", 0) for stage, call, *handed in parts]
    called = {entry.call for entry in entries}
    if unset is None:
        unset = {Quantity("linear_layers", k, "dW") for k in range(2) if f"linear_layers[{k}].backward" not in called}
    return network.deviations(entries, size, [training], unset)


class Row(NamedTuple):
    """A rule, the network, lines that stand in its log instead of others, and the words that the rule says of it."""

    rule: str
    size: Size
    instead: dict[str, str]  # by the call; several lines are parted by a slash
    words: str
    training: bool = True

    @property
    def log(self) -> list[str]:
        lines = {**correct(self.size), **self.instead}
        return [line.strip() for text in lines.values() for line in text.split("/")]


A, B, N = "linear_layers[0]", "linear_layers[1]", "bn_layers[0]"
STOPS = {f"{B}.forward": "", OUT: "", "return": "forward return activations[0].forward"}
MODE = {f"{N}.forward": f"forward mode False / forward {N}.forward {A}.forward True"}
ROWS = (
    Row("_batchnorm_too_many", PLAIN, {OUT: f"forward {N}.forward {B}.forward"}, "calls bn_layers[0], where num_bn_"),
    Row("_wrong_flag", NORMALIZED, {f"{N}.forward": f"forward {N}.forward {A}.forward True"}, "passes eval=True to bn_"),
    Row("_wrong_flag", NORMALIZED, {}, "does not pass the eval flag to bn_layers[0] in inference", training=False),
    Row("_wrong_flag", NORMALIZED, MODE, "train_mode is False while it trains: bn_layers[0] runs with eval=True"),
    Row("_layer_again", PLAIN, {f"{B}.forward": f"forward {A}.forward {B}.forward"}, f"a second time, where {B} is due"),
    Row("_layer_again", PLAIN, {"return": f"forward {A}.forward {OUT}"}, "a second time, after the last layer"),
    Row("_layer_left_out", NORMALIZED, {f"{N}.forward": "", "activations[0].forward": f"forward activations[0].forward {A}.forward"}, "leaves out bn_layers[0]"),
    Row("_changed_output", PLAIN, {f"{B}.forward": f"forward {B}.forward ?"}, f"changes activations[0]'s output before it hands it to {B}"),
    Row("_another_output", PLAIN, {"activations[0].forward": "forward activations[0].forward x"}, "hands the network's input to activations[0]"),
    Row("_another_return", PLAIN, STOPS, "MLP.forward stops after layer 1 of 2"),
    Row("_another_return", PLAIN, {"return": "forward return ?"}, "calls every layer and then returns something else"),
    Row("_another_return", PLAIN, {OUT: "", "return": f"forward return {B}.forward"}, "leaves out activations[1]: it returns"),
    Row("_another_return", PLAIN, dict.fromkeys([f"{A}.forward", "activations[0].forward", f"{B}.forward", OUT], "") | {"return": "forward return x"}, "calls no layer"),
    Row("_labels_first", PLAIN, {"criterion.forward": f"backward criterion.forward labels {OUT}"}, "with the labels first"),
    Row("_another_to_the_criterion", PLAIN, {"criterion.forward": f"backward criterion.forward {B}.forward labels"}, f"hands {B}'s output to the criterion"),
    Row("_derivative_too_early", PLAIN, {"criterion.forward": ""}, "before the criterion is called"),
    Row("_another_derivative", PLAIN, {f"{B}.backward": "backward activations[0].derivative / backward raised"}, "asks for activations[0]'s derivative, where"),
    Row("_down_again", PLAIN, {f"{A}.backward": f"backward {B}.backward delta[0]"}, f"calls {B}.backward a second time, where {A} is due"),
    Row("_batchnorm_left_out", NORMALIZED, {f"{N}.backward": "", f"{A}.backward": f"backward {A}.backward delta[0]"}, "leaves out bn_layers[0]"),
    Row("_another_order", PLAIN, {f"{B}.backward": f"backward {A}.backward delta[1]"}, f"calls {A}.backward, where {B}.backward is due"),
    Row("_derivative_left_out", PLAIN, {f"{A}.backward": f"backward {A}.backward {B}.backward"}, "leaves out activations[0]'s derivative"),
    Row("_another_delta", PLAIN, {f"{A}.backward": f"backward {A}.backward ?"}, f"hands something else to {A}.backward, where {B}'s dx, times"),
    Row("_stops", PLAIN, {f"{A}.backward": ""}, f"stops after {B}: it never calls {A}.backward"),
)  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.rule} {row.words}")
def test_a_rule_says_what_the_network_does_otherwise_and_no_other_rule_says_it(
    row: Row, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert row.words in deviations(row.log, row.size, row.training)[0].sentence
    for table in ("FORWARD", "CRITERION", "BACKWARD"):
        others = [rule if rule.__name__ != row.rule else lambda step: None for rule in getattr(network, table)]
        monkeypatch.setattr(network, table, tuple(others))
    assert not any(row.words in deviation.sentence for deviation in deviations(row.log, row.size, row.training))


def test_every_rule_has_a_row() -> None:
    rules = {rule.__name__ for rule in (*network.FORWARD, *network.CRITERION, *network.BACKWARD)}
    assert {row.rule for row in ROWS} == rules - {"<lambda>"}


@pytest.mark.parametrize("size", [PLAIN, NORMALIZED])
@pytest.mark.parametrize(
    ("instead", "first"),
    [
        ({}, ""),
        ({"activations[1].derivative": ""}, "backward activations[1].derivative"),  # asked for early
        ({"criterion.forward": ""}, f"outside criterion.forward {OUT} labels"),  # called by the caller
        ({"activations[0].derivative": ""}, ""),  # which the network takes as 1
        ({"return": "forward anything"}, ""),
    ],
)
def test_other_orders_and_formulas_of_its_own_are_no_deviation(size: Size, instead: dict[str, str], first: str) -> None:
    assert deviations([first, *Row("", size, instead, "").log], size) == []


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (f"zero_grads clears {A}.W", "MLP.zero_grads sets linear_layers[0].W to zero"),
        (f"zero_grads changes {B}.b", "MLP.zero_grads changes linear_layers[1].b"),
        (f"step keeps {A}.b", "MLP.step leaves linear_layers[0].b as it was"),
        (f"step moves {A}.W", "MLP.step leaves another linear_layers[0].W"),
        ("step moves", ""),
        ("zero_grads clears", ""),
    ],
)
def test_what_a_step_leaves_and_what_zero_grads_changes_is_named(line: str, words: str) -> None:
    sentences = [deviation.sentence for deviation in deviations([line, *correct(PLAIN).values()], PLAIN)]
    assert len(sentences) == bool(words)
    assert all(words in sentence for sentence in sentences)


def test_an_own_formula_in_a_layers_place_is_left_to_the_values() -> None:
    log = Row("", PLAIN, {f"{A}.backward": ""}, "").log
    assert deviations(log, PLAIN, unset=set()) == []
