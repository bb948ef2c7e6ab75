"""The references are what PyTorch makes of the cases, and are worth comparing with."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from grading.causes import ALONE
from handins import PROBLEMS, ROOT
from homework import cases
from homework.findings import PROBES

REFERENCE = ROOT / "data" / "hw1_reference.npz"


@pytest.fixture(scope="module")
def stored() -> dict[str, Any]:
    with np.load(REFERENCE, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def test_the_oracle_makes_the_same_references_again(torch: Any, stored: dict[str, Any]) -> None:
    from references import oracle

    made = oracle.reference()
    assert set(made) == set(stored)
    for name, value in made.items():
        again, kept = np.asarray(value), stored[name]
        assert (again.dtype, again.shape) == (kept.dtype, kept.shape), name
        if "/in/" in name or again.dtype.kind not in "f":
            assert np.array_equal(again, kept), name
        else:
            assert np.abs(again - kept).max(initial=0) <= 1e-12 * max(1, np.abs(kept).max(initial=0)), name


def test_the_inputs_are_those_that_the_cases_draw(stored: dict[str, Any]) -> None:
    for key in cases.CASES:
        drawn = cases.draw(key)
        assert {name.split("/", 2)[2] for name in stored if name.startswith(f"{key}/in/")} == set(drawn)
        assert all(np.array_equal(stored[f"{key}/in/{name}"], value) for name, value in drawn.items())


def test_every_problem_and_probe_has_a_case_and_every_case_has_values(stored: dict[str, Any]) -> None:
    asked = {problem.key for problem in PROBLEMS} | {probe.key for probe in PROBES} | set(ALONE)
    assert asked == set(cases.CASES)
    assert {name.split("/")[0] for name in stored if "/out/" in name} == set(cases.CASES)


def test_the_file_is_small_and_holds_plain_arrays(stored: dict[str, Any]) -> None:
    assert REFERENCE.stat().st_size <= 1 << 20
    assert {value.dtype.kind for value in stored.values()} <= set("fibU")
    assert all(np.isfinite(value).all() for value in stored.values() if value.dtype.kind == "f")


def test_a_request_fits_the_pipe_so_that_a_child_which_does_not_read_cannot_block_the_grader() -> None:
    for key in cases.CASES:
        assert sum(value.nbytes + 200 for value in cases.draw(key).values()) < 60_000, key


def parameters(stored: dict[str, Any], letter: str) -> dict[str, Any]:
    return {name: value for name, value in stored.items() if "/in/" in name and name.split("/")[-1].startswith(letter)}


def test_parameters_are_neither_trivial_nor_alike(stored: dict[str, Any]) -> None:
    assert all((np.abs(value) > 0.01).all() for value in parameters(stored, "W").values())
    assert all((np.abs(value) > 0.01).all() for value in parameters(stored, "beta").values())
    for name, gamma in parameters(stored, "gamma").items():
        assert (np.abs(gamma - 1) > 1e-4).all(), name
        assert gamma.std() > 0.01, name
    biases = {name: b for name, b in parameters(stored, "b").items() if name.split("/")[-1][1:].isdigit()}
    assert biases
    assert all((np.abs(b) > 0.01).all() for b in biases.values())


def test_no_upstream_gradient_is_constant_and_no_batch_is_square(stored: dict[str, Any]) -> None:
    for name, delta in parameters(stored, "delta").items():
        assert delta.std() > 0.5, name
        assert delta.shape[0] != delta.shape[1], name
    for problem in PROBLEMS:
        x = stored.get(f"{problem.key}/in/x")
        if x is not None:
            assert x.shape[0] != x.shape[1], problem.key


@pytest.mark.parametrize("key", ["relu_forward", "relu_derivative", "relu_large"])
def test_exact_zeros_stand_among_the_inputs_of_relu(key: str, stored: dict[str, Any]) -> None:
    assert (stored[f"{key}/in/x"] == 0).any()


def test_the_answers_to_the_questions_are_kept_as_a_digest_alone(stored: dict[str, Any]) -> None:
    assert [name for name in stored if name.startswith("multiple_choice/")] == ["multiple_choice/out/digest"]
    assert len(str(stored["multiple_choice/out/digest"])) == 64
