"""The linear layer: values, gradients, ownership of its parameters (writeup, section 3.4)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import hw1 as nn
from pytorch import close, frozen, gradients


def layer_of(weight: Any, bias: Any) -> Any:
    return nn.Linear(weight.shape[0], weight.shape[1], lambda *_: weight, lambda *_: bias)


@pytest.mark.parametrize(("n", "i", "o"), [(5, 4, 3), (1, 4, 3), (7, 1, 1), (3, 3, 3), (64, 30, 20)])
def test_output_and_gradients_are_autograds_with_means_over_the_batch(
    torch: Any, rng: Any, n: int, i: int, o: int
) -> None:
    x, weight, bias = rng.standard_normal((n, i)), rng.standard_normal((i, o)), rng.standard_normal((1, o))
    delta = rng.standard_normal((n, o))
    y, dx, dweight, dbias = gradients(torch, lambda x, w, b: x @ w + b, delta, x, weight, bias)

    layer = layer_of(weight, bias)
    close(layer(x), y)
    close(layer.backward(delta), dx)
    close(layer.dW, dweight / n)
    close(layer.db, dbias / n)


def test_gradients_sets_what_backward_sets_and_returns_nothing(rng: Any) -> None:
    weight, bias = rng.standard_normal((4, 3)), rng.standard_normal((1, 3))
    x, delta = frozen(rng.standard_normal((5, 4))), frozen(rng.standard_normal((5, 3)))
    one, other = layer_of(weight, bias), layer_of(weight, bias)
    one(x)
    other(x)
    one.backward(delta)
    assert other.gradients(delta) is None
    assert (one.dW == other.dW).all()
    assert (one.db == other.db).all()


def test_gradients_are_overwritten_not_accumulated(rng: Any) -> None:
    layer = layer_of(rng.standard_normal((4, 3)), rng.standard_normal((1, 3)))
    layer(rng.standard_normal((5, 4)))
    delta = rng.standard_normal((5, 3))
    layer.backward(delta)
    first = layer.dW.copy(), layer.db.copy()
    layer.backward(delta)
    assert (layer.dW == first[0]).all()
    assert (layer.db == first[1]).all()


def test_every_attribute_has_its_shape_from_the_start_and_a_gradient_that_of_its_parameter(rng: Any) -> None:
    layer = layer_of(rng.standard_normal((4, 3)), rng.standard_normal(3))
    assert not any(array.any() for array in (layer.dW, layer.db, layer.momentum_W, layer.momentum_b))
    for _ in range(2):
        assert layer.W.shape == layer.dW.shape == layer.momentum_W.shape == (4, 3)
        assert layer.b.shape == layer.db.shape == layer.momentum_b.shape == (1, 3)
        layer(rng.standard_normal((5, 4)))
        layer.backward(rng.standard_normal((5, 3)))
    assert not layer.momentum_W.any()
    assert not layer.momentum_b.any()


def test_nothing_is_written_to_and_x_is_what_forward_was_given(rng: Any) -> None:
    x, delta = frozen(rng.standard_normal((5, 4))), frozen(rng.standard_normal((5, 3)))
    layer = layer_of(frozen(rng.standard_normal((4, 3))), frozen(rng.standard_normal(3)))
    before = layer.W.copy(), layer.b.copy()
    y = layer.forward(x)
    kept = y.copy()
    dx = layer.backward(delta)
    gradients = layer.dW.copy(), layer.db.copy()
    dx *= 7
    assert (layer.dW == gradients[0]).all()
    assert (layer.db == gradients[1]).all()
    assert (layer.x == x).all()
    assert (y == kept).all()
    assert (before[0] == layer.W).all()
    assert (layer.b == before[1]).all()


def test_parameters_may_be_replaced_by_other_arrays(rng: Any) -> None:
    weight, bias = rng.standard_normal((4, 3)), rng.standard_normal((1, 3))
    x, delta = rng.standard_normal((5, 4)), rng.standard_normal((5, 3))
    layer = layer_of(np.zeros((4, 3)), np.zeros(3))
    layer(x)
    layer.W, layer.b = weight, bias
    close(layer(x), x @ weight + bias)
    close(layer.backward(delta), delta @ weight.T)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_dtype_is_kept_in_both_passes(rng: Any, dtype: str) -> None:
    layer = layer_of(rng.standard_normal((4, 3)).astype(dtype), rng.standard_normal(3).astype(dtype))
    y = layer(rng.standard_normal((5, 4)).astype(dtype))
    dx = layer.backward(rng.standard_normal((5, 3)).astype(dtype))
    arrays = [layer.W, layer.b, layer.momentum_W, layer.momentum_b, layer.dW, layer.db, y, dx]
    assert {str(array.dtype) for array in arrays} == {dtype}


@pytest.mark.parametrize("dtype", ["int64", "uint8", "bool"])
def test_integer_examples_give_the_output_and_gradients_of_their_float64_values(rng: Any, dtype: str) -> None:
    x = rng.randint(0, 2, (5, 4)).astype(dtype)
    weight, bias, delta = rng.standard_normal((4, 3)), rng.standard_normal(3), rng.standard_normal((5, 3))
    layer, floating = layer_of(weight, bias), layer_of(weight, bias)
    close(layer(x), floating(x.astype(float)))
    close(layer.backward(delta), floating.backward(delta))
    close(layer.dW, floating.dW)


INITS: dict[str, tuple[Any, Any]] = {
    "integers": (lambda i, o: np.arange(i * o).reshape(i, o), lambda o: np.arange(o)),
    "nested lists": (lambda i, o: [[1.5] * o] * i, lambda o: [[2] * o]),
    "(out,)": (lambda i, o: np.full((i, o), 0.5), lambda o: np.full(o, 2.0)),
    "(1, out)": (lambda i, o: np.full((i, o), 0.5), lambda o: np.full((1, o), 2.0)),
    "a broadcast view": (lambda i, o: np.broadcast_to(0.5, (i, o)), lambda o: np.broadcast_to(2.0, (1, o))),
    "Fortran order": (lambda i, o: np.ones((i, o), order="F"), lambda o: np.ones(o)),
}


@pytest.mark.parametrize("inits", INITS)
def test_the_layer_owns_a_writable_floating_point_copy_of_what_the_init_functions_return(inits: str) -> None:
    weight_init, bias_init = INITS[inits]
    layer = nn.Linear(4, 3, weight_init, bias_init)
    assert layer.W.dtype == layer.b.dtype == float
    close(layer.W, weight_init(4, 3))
    close(layer.b, np.reshape(bias_init(3), (1, 3)))
    layer.W += 1  # neither raises nor reaches an array of the caller
    layer.b += 1
    close(layer.W, np.add(weight_init(4, 3), 1))


def test_an_init_function_may_return_the_same_array_every_time() -> None:
    weight, bias = np.ones((3, 3)), np.ones(3)
    first, second = layer_of(weight, bias), layer_of(weight, bias)
    first.W += 1
    first.b += 1
    assert (second.W == 1).all()
    assert (second.b == 1).all()
    assert (weight == 1).all()
    assert (bias == 1).all()


def test_the_init_functions_are_called_once_with_the_layers_sizes() -> None:
    calls = []
    nn.Linear(
        4,
        3,
        lambda *sizes: calls.append(sizes) or np.zeros(sizes),  # type: ignore[func-returns-value]
        lambda *sizes: calls.append(sizes) or np.zeros(sizes),  # type: ignore[func-returns-value]
    )
    assert calls == [(4, 3), (3,)]


@pytest.mark.parametrize(
    ("weight_shape", "bias_shape", "named"),
    [
        ((3, 4), (3,), "(4, 3)"),
        ((4,), (3,), "(4, 3)"),
        ((1, 4, 3), (3,), "(4, 3)"),
        ((4, 3), (4,), "(1, 3)"),
        ((4, 3), (3, 1), "(1, 3)"),
        ((4, 3), (), "(1, 3)"),
    ],
)
def test_an_init_functions_wrong_shape_is_named(
    weight_shape: tuple[int, ...], bias_shape: tuple[int, ...], named: str
) -> None:
    with pytest.raises(ValueError, match="init_fn") as error:
        nn.Linear(4, 3, lambda *_: np.zeros(weight_shape), lambda *_: np.zeros(bias_shape))
    assert named in str(error.value)
    assert str(bias_shape if weight_shape == (4, 3) else weight_shape) in str(error.value)


@pytest.mark.parametrize("shape", [(5, 3), (4,), (5, 4, 1), (0, 4), ()])
def test_a_batch_of_the_wrong_shape_is_named(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"Linear\(4, 3\).*\(N, 4\)") as error:
        layer_of(np.ones((4, 3)), np.ones(3))(np.zeros(shape))
    assert str(shape) in str(error.value)


@pytest.mark.parametrize("shape", [(5, 4), (4, 3), (3,), (1, 3)])
def test_a_delta_of_the_wrong_shape_is_named(shape: tuple[int, ...]) -> None:
    layer = layer_of(np.ones((4, 3)), np.ones(3))
    layer(np.ones((5, 4)))
    with pytest.raises(ValueError, match=r"Linear\(4, 3\).*delta.*\(5, 3\)") as error:
        layer.backward(np.zeros(shape))
    assert str(shape) in str(error.value)


@pytest.mark.parametrize("call", ["backward", "gradients"])
def test_backward_before_forward_says_so(call: str) -> None:
    with pytest.raises(ValueError, match=r"Linear\(4, 3\).*forward"):
        getattr(layer_of(np.ones((4, 3)), np.ones(3)), call)(np.zeros((5, 3)))
