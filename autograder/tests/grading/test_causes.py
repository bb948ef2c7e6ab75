"""Several faults at once: each is named, what stands behind another is shown to, and right code shows no deviation."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalogue import MISTAKES
from diagnosis.network import deviations, read
from grading.experiments import LAYERS, Experiments
from grading.grade import opened
from grading.settings import TRACES, Settings
from handins import CATALOGUE, JUDGE, write
from homework.problems import PROBLEMS
from programs import PROGRAMS
from proofs import pairs
from samples import sample
from sandbox.workplace import Workplace

PARTS = [(), LAYERS, (*LAYERS, "MLP.forward"), (*LAYERS, "MLP.forward", "MLP.backward")]


@pytest.mark.parametrize("name", sample(PROGRAMS, 6))
def test_a_right_network_deviates_nowhere_whatever_is_replaced(name: str, tmp_path: Path) -> None:
    with Workplace() as workplace:
        grading = opened(Settings(str(write(PROGRAMS[name], tmp_path))), workplace)
        experiments = Experiments(grading, JUDGE, TRACES)
        for problem in PROBLEMS:
            for parts in PARTS if experiments.possible(problem.key) else ():
                found = experiments.run(problem.key, frozenset(parts))
                assert found
                assert found.passed, (problem.key, parts, found.deviations, found.result.outcome.raised)
                assert found.shadow == [], (problem.key, parts)


# Harmless in one network and not in another; seen only once another is out of the way; cancelling one another.
TOGETHER = [
    ("zero_grads_clears_weights", "activation_before_linear", "relu_state_is_input"),
    ("activation_before_linear", "step_adds"),
    ("softmax_in_forward", "loss_of_logits"),
    ("velocity_cleared", "step_adds"),
    ("velocity_cleared", "batch_size_is_width", "forward_returns_early"),
    ("zero_grads_clears_weights", "alpha_swapped"),
    ("derivative_matrix_product", "eval_flag_not_passed"),
    ("db_summed", "loss_is_softmax", "identity_derivative_zero"),
    ("dW_db_summed", "loss_derivative_averaged"),
]


@pytest.mark.parametrize("keys", [*TOGETHER, *sample(pairs.drawn(60, 2, seed=2), 6)], ids=" + ".join)
def test_of_several_mistakes_each_is_named_and_nothing_stands_behind_another_without_proof(keys: pairs.Keys) -> None:
    naming = pairs.naming(keys)
    assert (naming.unnamed, naming.false_behind) == ((), []), naming.reasons


@pytest.mark.parametrize("number", sample(range(10), 4))
def test_in_unfinished_work_the_fault_is_named_and_the_rest_is_not_started(number: int) -> None:
    last, naming = pairs.unfinished(number)
    assert naming.unnamed == (), (last, naming.reasons)


X, OUT = "x", "activations[1].forward"
RIGHT_LOG = [
    "0 forward linear_layers[0].forward x",
    "0 forward activations[0].forward linear_layers[0].forward",
    "0 forward linear_layers[1].forward activations[0].forward",
    "0 forward activations[1].forward linear_layers[1].forward",
    "0 forward return activations[1].forward",
    "0 backward criterion.forward activations[1].forward labels",
    "0 backward criterion.derivative",
    "0 backward activations[1].derivative",
    "0 backward linear_layers[1].backward delta[1]",
    "0 backward activations[0].derivative",
    "0 backward linear_layers[0].backward delta[0]",
]


def without(*numbers: int) -> list[str]:
    return [line for number, line in enumerate(RIGHT_LOG) if number not in numbers]


def replaced(**lines: str) -> list[str]:
    log = list(RIGHT_LOG)
    for number, line in lines.items():
        log[int(number[1:])] = line
    return log


@pytest.mark.parametrize(
    ("log", "words"),
    [
        (RIGHT_LOG, ""),
        ([RIGHT_LOG[7], *without(7)], ""),  # a derivative asked for early
        ([RIGHT_LOG[5], *without(5)], ""),  # the criterion called by the caller
        (without(9), ""),  # a derivative that the network takes as 1
        (without(10), ""),  # an own formula for dW: the values decide
        (
            replaced(_2="0 forward linear_layers[0].forward activations[0].forward"),
            "calls linear_layers[0] a second time, where linear_layers[1] is due",
        ),
        (replaced(_1="0 forward activations[0].forward x"), "hands the network's input to activations[0]"),
        (
            [*without(2, 3, 4), "0 forward return activations[0].forward"],
            "MLP.forward stops after layer 1 of 2",
        ),
        (without(5), "before the criterion is called"),
        (replaced(_5="0 backward criterion.forward labels activations[1].forward"), "with the labels first"),
        (replaced(_10="0 backward linear_layers[0].backward linear_layers[1].backward"), "activations[0]'s derivative"),
        (replaced(_8="0 backward linear_layers[0].backward delta[1]"), "where linear_layers[1].backward is due"),
        (replaced(_4="0 forward return ?"), "calls every layer and then returns something else"),
        (["0 zero_grads clears linear_layers[0].W", *RIGHT_LOG], "MLP.zero_grads sets linear_layers[0].W to zero"),
        (["0 zero_grads changes linear_layers[1].b", *RIGHT_LOG], "MLP.zero_grads changes linear_layers[1].b"),
        (["0 step keeps linear_layers[0].b", *RIGHT_LOG], "MLP.step leaves linear_layers[0].b as it was"),
        (["0 step moves linear_layers[0].W", *without(5)], "MLP.step leaves another linear_layers[0].W"),
        (["nonsense", "1", "x y z", "0 forward", "0 zero_grads clears", *RIGHT_LOG], ""),
    ],
)
def test_the_first_call_that_is_not_the_one_due_is_told(log: list[str], words: str) -> None:
    found = deviations(read(log), (2, 0), [True], set())
    assert bool(found) == bool(words), found
    assert not found or words in found[0].sentence


def test_the_catalogue_is_read_whole() -> None:
    assert len(CATALOGUE.signatures) == len(MISTAKES)
