"""The evidence: what is said of a wrong value is true of it, and as much as can be said."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from diagnosis import values
from diagnosis.compare import compare
from sandbox.layers import quantity

R = np.random.RandomState(3)
X, Y = R.randn(13, 8), R.randn(13, 5)
INPUTS = {"x": X, "delta": Y, "W": R.randn(8, 5)}
DW = R.uniform(0.5, 2, (8, 5))
ROW = R.uniform(0.5, 2, (1, 5))


def said(value: Any, expected: np.ndarray, kind: str = "numpy.ndarray", name: str = "dW", **more: Any) -> str:
    array = value if value is None else np.asarray(value)
    mismatch = compare(quantity(name), kind, array, expected)
    assert mismatch is not None
    return values.evidence([mismatch], [], {**INPUTS, **more}, {name: expected})


@pytest.mark.parametrize(
    ("value", "expected", "words"),
    [
        (None, DW, "dW is None, expected a numpy.ndarray"),
        (DW > 0.7, DW, "dtype bool, expected float64"),
        (DW.astype(np.float32), DW, "dtype float32, expected float64, with the right numbers"),
        (DW.T, DW, "the shape (5, 8), expected (8, 5): it is transposed"),
        (ROW[0], ROW, "the numbers are right, but an axis is lost"),
        (ROW[None], ROW, "the numbers are right, but an axis is too many"),
        (ROW.mean(), ROW, "shape (), expected (1, 5): it is the mean of what is expected"),
        (ROW.sum(), ROW, "it is the sum of what is expected"),
        (np.where(DW > 1.7, np.nan, DW), DW, "dW is nan at"),
        (np.full_like(DW, np.inf), DW, "40 of 40 entries not finite"),
        (13 * DW, DW, "13 times the expected, and the batch has 13 rows"),
        (DW / 13, DW, "1/13 of the expected, and the batch has 13 rows"),
        (-DW, DW, "has the wrong sign"),
        (5 * DW, DW, "5 times the expected, and there are 5 outputs"),
        (DW / 8, DW, "1/8 of the expected, and there are 8 inputs"),
        (DW * 13 / 8, DW, "13/8 of the expected: the batch has 13 rows, and there are 8 inputs"),
        (1.7 * DW, DW, "1.7 times the expected, in every entry"),
        (np.zeros_like(DW), DW, "is all zeros"),
        (DW, np.zeros_like(DW), "should be all zeros"),
        (DW * np.where(DW > 1, -1, 1), DW, "wrong sign in"),
        (DW[::-1].copy(), DW, "the right numbers in the wrong places"),
        (DW + 0.25, DW, "off by 0.25 in every entry"),
        (DW + ROW, DW, "off by the same amounts in every row"),
        (DW * ROW, DW, "off by one factor for every column"),
        (INPUTS["W"], DW, "dW is the input W"),
    ],
)
def test_a_wrong_value_is_described(value: Any, expected: np.ndarray, words: str) -> None:
    assert words in said(value, expected, "NoneType" if value is None else "numpy.ndarray")


def test_a_lone_wrong_row_is_found() -> None:
    value = DW.copy()
    value[3] += R.uniform(1, 2, 5)
    assert said(value, DW).endswith("all in row 3")


def test_steps_are_compared_as_steps() -> None:
    inputs = {"W0": DW, "lr": np.array(0.2), "momentum": np.array(0.8), "x": X, "rows": np.array([7, 6])}
    after = {"linear_layers[0].W after step 1": DW - 0.2 * DW**2}
    [(name, right)] = after.items()
    mismatch = compare(quantity(name), "numpy.ndarray", DW + 0.2 * DW**2, right)
    assert mismatch is not None
    assert "the step has the wrong sign" in values.evidence([mismatch], [], inputs, after)


def test_what_is_right_up_to_a_step_is_reported_and_no_cause() -> None:
    expected = {f"linear_layers[0].W after step {k}": DW * k for k in (1, 2, 3)}
    wrong = [
        compare(quantity(name), "numpy.ndarray", value + R.uniform(1, 2, DW.shape), value)
        for name, value in list(expected.items())[1:]
    ]
    text = values.evidence([m for m in wrong if m], [], {"W0": DW}, expected)
    assert text.endswith("everything is right up to step 1")


def test_the_first_quantity_computed_leads() -> None:
    names = ["forward(x)", "bn_layers[0].dgamma", "linear_layers[1].dW", "bn_layers[1].var", "bn_layers[0].mean"]
    wrong = [compare(quantity(name), "numpy.ndarray", R.randn(2, 3), R.randn(2, 3)) for name in names]
    order = [str(m.quantity) for m in values.in_order([m for m in wrong if m])]
    assert order == [
        "bn_layers[0].mean",
        "bn_layers[1].var",
        "forward(x)",
        "linear_layers[1].dW",
        "bn_layers[0].dgamma",
    ]
