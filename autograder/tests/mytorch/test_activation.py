"""Activations: values, derivatives, and what they promise to callers (writeup, section 3.1)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import hw1 as nn
from pytorch import close, frozen, gradients

ALL = [nn.Identity, nn.Sigmoid, nn.Tanh, nn.ReLU]
SHAPES = [(), (7,), (5, 4), (2, 3, 4), (2, 1, 3, 2), (0, 3)]

every_activation = pytest.mark.parametrize("kind", ALL)


@every_activation
@pytest.mark.parametrize("shape", SHAPES)
def test_value_and_derivative_are_autograds_for_any_number_of_axes(
    torch: Any, rng: Any, kind: Any, shape: tuple[int, ...]
) -> None:
    x = 3 * rng.standard_normal(shape)
    function = {nn.Identity: lambda z: z, nn.Sigmoid: torch.sigmoid, nn.Tanh: torch.tanh, nn.ReLU: torch.relu}[kind]
    value, derivative = gradients(torch, function, np.ones(shape), x)

    activation = kind()
    close(activation(x), value)
    close(activation.state, value)
    close(activation.derivative(), derivative)


@pytest.mark.parametrize("zero", [0.0, -0.0])
def test_relu_has_derivative_zero_at_zero(zero: float) -> None:
    relu = nn.ReLU()
    relu(np.array([zero, 1.0, -1.0]))
    assert relu.derivative().tolist() == [0, 1, 0]


@pytest.mark.parametrize("z", [-40, -100, -500, -700, -708.3])
def test_sigmoid_keeps_its_relative_accuracy_in_the_negative_tail(z: float) -> None:
    # There sigmoid(z) = e^z (1 - e^z + ...) is e^z to the last bit.
    sigmoid = nn.Sigmoid()
    assert sigmoid(np.array([z]))[0] == pytest.approx(math.exp(z), rel=1e-15, abs=5e-324)
    assert sigmoid.derivative()[0] == pytest.approx(math.exp(z), rel=1e-15, abs=5e-324)


@pytest.mark.parametrize("z", np.linspace(-45, 45, 31))
def test_sigmoid_is_right_to_the_last_bits_everywhere(z: float) -> None:
    exact = 1 / (1 + np.exp(-np.longdouble(z)))
    assert nn.Sigmoid()(np.array([z]))[0] == pytest.approx(float(exact), rel=5e-16)


@every_activation
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_extreme_inputs_give_finite_values_without_a_warning(kind: Any, dtype: str) -> None:
    largest = np.finfo(dtype).max
    x = np.array([-largest, -1e4, -800, -100, -0.0, 0, 100, 800, 1e4, largest], dtype)
    activation = kind()
    assert np.isfinite(activation(x)).all()
    assert np.isfinite(activation.derivative()).all()


@every_activation
@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("float32", "float32"),
        ("float64", "float64"),
        ("int64", "float64"),
        ("int8", "float64"),
        ("uint8", "float64"),
        ("bool", "float64"),
    ],
)
def test_floating_dtypes_are_kept_and_integers_become_float64(kind: Any, given: str, kept: str) -> None:
    x = np.array([[0, 1], [1, 0]], given)
    activation, floating = kind(), kind()
    assert activation(x).dtype == activation.state.dtype == activation.derivative().dtype == np.dtype(kept)
    close(activation.state, floating(x.astype(kept)))
    close(activation.derivative(), floating.derivative())


def test_sigmoid_of_unsigned_bytes_does_not_wrap_around() -> None:
    x = np.array([0, 1, 5, 255], np.uint8)
    close(nn.Sigmoid()(x), [1 / (1 + math.exp(-int(z))) for z in x])


@every_activation
def test_nothing_is_written_to_and_the_derivative_can_be_asked_for_twice(rng: Any, kind: Any) -> None:
    x = frozen(rng.standard_normal((4, 3)))
    activation = kind()
    out = activation.forward(x)
    before = out.copy()
    first = activation.derivative()
    kept = first.copy()
    assert (activation.derivative() == kept).all()
    first *= 7
    assert (activation.derivative() == kept).all()
    assert activation.state is out
    assert (activation.state == before).all()


@every_activation
def test_the_derivative_reads_the_state_of_the_last_forward_alone(rng: Any, kind: Any) -> None:
    x = rng.standard_normal((4, 3))
    used, fresh = kind(), kind()
    used(rng.standard_normal((9, 2)))
    used(x)
    fresh.state = kind()(x)
    assert (used.derivative() == fresh.derivative()).all()


@pytest.mark.parametrize("shape", SHAPES)
def test_tanhs_derivative_takes_a_state_from_elsewhere_and_leaves_its_own_alone(rng: Any, shape: Any) -> None:
    x = rng.standard_normal(shape)
    tanh, other = nn.Tanh(), nn.Tanh()
    state = frozen(other(x))
    close(tanh.derivative(state=state), other.derivative())  # as the recurrent homework calls it, before any forward
    own = tanh(rng.standard_normal((4, 3)))
    close(tanh.derivative(state), other.derivative())
    assert tanh.state is own
    close(tanh.derivative(), 1 - own * own)


@every_activation
def test_the_derivative_before_a_forward_says_so(kind: Any) -> None:
    with pytest.raises(ValueError, match=rf"{kind.__name__}.*forward"):
        kind().derivative()


def test_the_base_class_promises_both_methods_and_has_neither() -> None:
    base = nn.Activation()
    assert base.state is None
    for call in (lambda: base(np.ones(1)), base.derivative):
        with pytest.raises(NotImplementedError):
            call()
