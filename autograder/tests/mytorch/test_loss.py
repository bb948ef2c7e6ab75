"""Softmax cross entropy: values, derivative, stability (writeup, section 3.2)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import hw1 as nn
from pytorch import close, frozen, gradients


def one_hot(classes: Any, width: int, dtype: str = "float64") -> Any:
    return np.eye(width, dtype=dtype)[classes]


LABELS = {
    "one-hot": lambda rng, n, c: one_hot(rng.randint(c, size=n), c),
    "a distribution": lambda rng, n, c: rng.dirichlet(np.ones(c), n),
    "uint8 one-hot": lambda rng, n, c: one_hot(rng.randint(c, size=n), c, "uint8"),
}


@pytest.mark.parametrize("labels", LABELS)
@pytest.mark.parametrize(("n", "c"), [(1, 10), (7, 10), (5, 2), (4, 1), (6, 6)])
def test_loss_and_derivative_are_autograds(torch: Any, rng: Any, labels: str, n: int, c: int) -> None:
    x, y = 4 * rng.standard_normal((n, c)), LABELS[labels](rng, n, c)
    target = torch.tensor(y.astype(float))
    loss, derivative = gradients(
        torch, lambda z: torch.nn.functional.cross_entropy(z, target, reduction="none"), np.ones(n), x
    )
    criterion = nn.SoftmaxCrossEntropy()
    close(criterion(x, y), loss, size=1)
    close(criterion.loss, loss, size=1)
    close(criterion.derivative(), derivative, size=1)
    assert criterion.loss.shape == (n,)


@pytest.mark.parametrize("total", [0.0, 0.5, 1.0, 3.0])
def test_the_derivative_is_softmax_minus_y_whatever_y_sums_to(rng: Any, total: float) -> None:
    x, y = rng.standard_normal((4, 3)), rng.uniform(size=(4, 3))
    y *= total / y.sum(axis=1, keepdims=True)
    softmax = np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)
    criterion = nn.SoftmaxCrossEntropy()
    close(criterion(x, y), -(y * np.log(softmax)).sum(axis=1), size=1)
    close(criterion.derivative(), softmax - y)


@pytest.mark.parametrize(
    ("logits", "loss", "derivative"),
    [
        ([0.0, 0.0], np.log(2), [-0.5, 0.5]),
        ([1e4, 0.0], 0.0, [0.0, 0.0]),
        ([0.0, 1e4], 1e4, [-1.0, 1.0]),
        ([-1e4, -1e4], np.log(2), [-0.5, 0.5]),
        ([1e30, 1e30], np.log(2), [-0.5, 0.5]),
        ([-1e30, 1e30], 2e30, [-1.0, 1.0]),
        ([0.0, -30.0], np.exp(-30), [-np.exp(-30), np.exp(-30)]),
        ([0.0, 30.0], 30.0 + np.exp(-30), [np.exp(-30) - 1, 1 - np.exp(-30)]),
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_logits_far_apart_are_handled_row_by_row_without_a_warning(
    logits: list[float], loss: float, derivative: list[float], dtype: str
) -> None:
    # The row stands beside one that is 1e4 larger and one that is 1e4 smaller: a shift common to the batch fails.
    x = np.array([[1e4, 1e4], logits, [-1e4, -1e4]], dtype)
    y = one_hot([0, 0, 0], 2, dtype)
    criterion = nn.SoftmaxCrossEntropy()
    rel = 10 * float(np.finfo(dtype).eps)
    assert criterion(x, y)[1] == pytest.approx(loss, rel=rel, abs=rel)
    assert criterion.derivative()[1] == pytest.approx(derivative, rel=rel, abs=rel)
    assert np.isfinite(criterion.loss).all()


def test_a_tiny_loss_is_not_capped_from_below_or_above() -> None:
    criterion = nn.SoftmaxCrossEntropy()
    assert criterion(np.array([[0.0, 700.0]]), np.array([[1.0, 0.0]]))[0] == 700


@pytest.mark.parametrize(
    ("x_dtype", "y_dtype", "kept"),
    [
        ("float32", "float32", "float32"),
        ("float32", "float64", "float32"),
        ("float32", "int64", "float32"),
        ("float64", "float32", "float64"),
        ("float64", "uint8", "float64"),
        ("int64", "int64", "float64"),
        ("uint8", "uint8", "float64"),
    ],
)
def test_the_dtype_of_the_logits_is_kept(x_dtype: str, y_dtype: str, kept: str) -> None:
    x, y = np.array([[1, 0, 3], [3, 2, 1]], x_dtype), one_hot([0, 2], 3, y_dtype)
    criterion, floating = nn.SoftmaxCrossEntropy(), nn.SoftmaxCrossEntropy()
    assert criterion(x, y).dtype == criterion.loss.dtype == criterion.derivative().dtype == np.dtype(kept)
    close(criterion.loss, floating(x.astype(float), y.astype(float)), rel=1e-6 if kept == "float32" else 1e-12)
    close(criterion.derivative(), floating.derivative(), rel=1e-6 if kept == "float32" else 1e-12)


def test_nothing_is_written_to_and_the_derivative_can_be_asked_for_twice(rng: Any) -> None:
    x, y = frozen(rng.standard_normal((4, 3))), frozen(one_hot([0, 1, 2, 1], 3))
    criterion = nn.SoftmaxCrossEntropy()
    loss = criterion.forward(x, y).copy()
    first = criterion.derivative()
    kept = first.copy()
    first *= 7
    assert (criterion.derivative() == kept).all()
    assert (criterion.loss == loss).all()
    assert (criterion.logits == x).all()
    assert (criterion.labels == y).all()
    assert (criterion.forward(x, y) == loss).all()


@pytest.mark.parametrize(
    ("x_shape", "y_shape"), [((4, 3), (4, 2)), ((4, 3), (3, 3)), ((4, 3), (4,)), ((4, 3), (1, 3)), ((3,), (3,))]
)
def test_shapes_that_do_not_match_are_named(x_shape: tuple[int, ...], y_shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"\(N, C\)") as error:
        nn.SoftmaxCrossEntropy()(np.zeros(x_shape), np.zeros(y_shape))
    assert str(x_shape) in str(error.value)
    assert str(y_shape) in str(error.value)


def test_the_derivative_before_a_forward_says_so() -> None:
    with pytest.raises(ValueError, match=r"SoftmaxCrossEntropy.*forward"):
        nn.SoftmaxCrossEntropy().derivative()


def test_the_base_class_promises_both_methods_and_has_neither() -> None:
    base = nn.Criterion()
    assert base.logits is base.labels is base.loss is None
    for call in (lambda: base(np.ones((1, 1)), np.ones((1, 1))), base.derivative):
        with pytest.raises(NotImplementedError):
            call()
