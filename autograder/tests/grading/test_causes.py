"""Several faults at once: each is named, what stands behind another is shown to, and right code shows no deviation."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalogue import MISTAKES
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


@pytest.mark.parametrize("name", sample(PROGRAMS, 16))
def test_a_right_network_deviates_nowhere_whatever_is_replaced(name: str, tmp_path: Path) -> None:
    with Workplace() as workplace:
        grading = opened(Settings(str(write(PROGRAMS[name], tmp_path))), workplace)
        experiments = Experiments(grading, JUDGE, TRACES)
        for problem in PROBLEMS:
            for parts in PARTS if experiments.possible(problem.key) else ():
                found = experiments.run(problem.key, frozenset(parts))
                assert found
                assert found.passed, (problem.key, parts, found.deviations, found.result.outcome.raised)
                assert found.result.outcome.log.differences == (), (problem.key, parts)


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


@pytest.mark.parametrize("keys", [*TOGETHER, *sample(pairs.drawn(60, 2, seed=2), 12)], ids=" + ".join)
def test_of_several_mistakes_each_is_named_and_nothing_stands_behind_another_without_proof(keys: pairs.Keys) -> None:
    naming = pairs.naming(keys)
    assert (naming.unnamed, naming.false_behind) == ((), []), naming.reasons


@pytest.mark.parametrize("number", sample(range(10), 4))
def test_in_unfinished_work_the_fault_is_named_and_the_rest_is_not_started(number: int) -> None:
    last, naming = pairs.unfinished(number)
    assert naming.unnamed == (), (last, naming.reasons)


def test_the_catalogue_is_read_whole() -> None:
    assert len(CATALOGUE.signatures) == len(MISTAKES)
