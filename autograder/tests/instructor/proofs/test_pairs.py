"""Several mistakes at once: what counts as named, and what is rightly behind another fault."""

from __future__ import annotations

import pytest

from catalogue import BY_KEY
from grading.run import Run, Verdict
from homework import problems
from proofs import pairs


def test_groups_are_drawn_by_a_seed_each_in_bodies_of_its_own() -> None:
    drawn = pairs.drawn(200, 3, seed=1)
    assert drawn == pairs.drawn(200, 3, seed=1) != pairs.drawn(200, 3, seed=2)
    for keys in drawn:
        bodies = [body for key in keys for body in BY_KEY[key].code]
        assert len(keys) == 3
        assert len(bodies) == len({*bodies})
        assert not any(BY_KEY[key].finding for key in keys)


def test_two_mistakes_are_graded_together_and_found_in_the_report() -> None:
    naming = pairs.naming(("dW_summed", "tanh_derivative_sign"))
    assert (naming.unnamed, naming.false_behind) == ((), [])
    assert {reason.partition(":")[0] for reason in naming.reasons} == {"tanh_derivative", "linear_backward"}


def verdict(key: str, reason: str, behind: str = "") -> Verdict:
    return Verdict(problems.BY_KEY[key], "failed", reason, behind=behind)


def test_what_is_not_named_and_what_is_behind_without_proof_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    verdicts = {
        "linear_backward": verdict("linear_backward", "dW is wrong"),
        "classifier_backward": verdict("classifier_backward", "the same", "linear_backward"),
        "loss_forward": verdict("loss_forward", "the same", "linear_backward"),
    }
    failing = {"dW_summed": {"linear_backward", "classifier_backward"}, "loss_sign": {"loss_forward"}}
    monkeypatch.setattr(pairs, "graded", lambda files: Run("", verdicts))
    monkeypatch.setattr(pairs, "failing", lambda key: frozenset(failing[key]))
    naming = pairs.naming(("dW_summed", "loss_sign"))
    assert naming.unnamed == ("dW_summed", "loss_sign")
    assert naming.false_behind == ["loss_forward behind linear_backward"]
    assert naming.reasons == ["linear_backward: dW is wrong"]


@pytest.mark.parametrize(
    ("key", "hints", "reasons", "expected"),
    [
        ("dW_summed", {BY_KEY["dW_summed"].hint}, "", True),
        ("dW_summed", set(), f"linear_backward: {BY_KEY['dW_summed'].hint}", True),
        ("dW_summed", {BY_KEY["db_summed"].hint}, "dW is wrong", False),
        ("dW_summed", set(), "Linear.backward hands something else", False),
        ("backward_wrong_order", set(), "MLP.backward hands something else", True),
        ("backward_wrong_order", set(), "MLP.forward hands something else", False),
        ("softmax_no_keepdims", set(), "line 9: `self.softmax = e / e.sum(axis=1)`: ValueError", True),
        ("softmax_no_keepdims", set(), "line 9: `self.softmax = e`: ValueError", False),
    ],
)
def test_a_mistake_is_named_by_its_hint_its_line_or_its_method(
    key: str, hints: set[str], reasons: str, expected: bool
) -> None:
    assert pairs.named(BY_KEY[key], hints, reasons) is expected


def test_in_unfinished_work_the_mistake_is_in_what_is_written() -> None:
    last, naming = pairs.unfinished(1)
    assert len(naming.keys) == 1
    assert naming.unnamed == ()
    assert last in problems.TO_WRITE


@pytest.mark.parametrize(("failing", "is_unnamed"), [("loss_forward", True), ("momentum", False)])
def test_in_unfinished_work_too_what_can_be_seen_has_to_be_named(
    failing: str, is_unnamed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    verdicts = {"loss_forward": verdict("loss_forward", "wrong"), "momentum": verdict("momentum", "")}
    verdicts["momentum"].status = "not started"
    monkeypatch.setattr(pairs, "graded", lambda files: Run("", verdicts))
    monkeypatch.setattr(pairs, "failing", lambda key: frozenset({failing}))
    _, naming = pairs.unfinished(1)
    assert (naming.unnamed == naming.keys) is is_unnamed
    assert naming.reasons == ["loss_forward: wrong"]
