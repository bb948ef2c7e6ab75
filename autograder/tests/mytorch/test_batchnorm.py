"""Batch normalisation: both modes, gradients, running averages, stability (writeup, section 3.3, appendix C)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import hw1 as nn
from pytorch import batch_norm, close, frozen, gradients

STATISTICS = ["mean", "var", "running_mean", "running_var"]
PARAMETERS = ["gamma", "dgamma", "beta", "dbeta"]


def layer_of(gamma: Any, beta: Any, **options: Any) -> Any:
    layer = nn.BatchNorm(gamma.shape[1], **options)
    layer.gamma, layer.beta = gamma, beta
    return layer


def random_layer(rng: Any, width: int, dtype: str = "float64") -> Any:
    gamma, beta = 1 + 0.5 * rng.standard_normal((1, width)), rng.standard_normal((1, width))
    return layer_of(gamma.astype(dtype), beta.astype(dtype), dtype=dtype)


@pytest.mark.parametrize(
    ("n", "d", "spread"), [(5, 3, 1), (2, 4, 1), (1, 3, 1), (50, 20, 1), (6, 3, 1e-4), (6, 3, 1e4)]
)
def test_output_and_gradients_are_autograds_with_sums_over_the_batch(
    torch: Any, rng: Any, n: int, d: int, spread: float
) -> None:
    # A spread of 1e-4 makes the variance as small as eps, which then decides where eps stands.
    x, delta = spread * rng.standard_normal((n, d)), rng.standard_normal((n, d))
    layer = random_layer(rng, d)
    y, dx, dgamma, dbeta = gradients(torch, batch_norm, delta, x, layer.gamma, layer.beta)

    close(layer(x), y)
    close(layer.out, y)
    # dx is what is left of terms of this size; with two rows they all but cancel.
    terms = np.abs(layer.gamma * delta / np.sqrt(layer.var + layer.eps)).max()
    close(layer.backward(delta), dx, size=terms)
    close(layer.dgamma, dgamma)
    close(layer.dbeta, dbeta)
    close(layer.mean, x.mean(axis=0, keepdims=True))
    close(layer.var, x.var(axis=0, keepdims=True))
    close(layer.norm, batch_norm(torch.tensor(x), 1, 0).numpy())


@pytest.mark.parametrize("alpha", [0.9, 0.5, 0.0, 1.0])
def test_running_averages_start_at_0_and_1_and_take_the_biased_variance(rng: Any, alpha: float) -> None:
    layer = nn.BatchNorm(3, alpha)
    mean, var = np.zeros((1, 3)), np.ones((1, 3))
    for n in (5, 2, 1, 8):
        x = 2 + 3 * rng.standard_normal((n, 3))
        layer(x)
        mean = alpha * mean + (1 - alpha) * x.mean(axis=0, keepdims=True)
        var = alpha * var + (1 - alpha) * x.var(axis=0, keepdims=True)
        close(layer.running_mean, mean)
        close(layer.running_var, var)


@pytest.mark.parametrize("n", [1, 4])
def test_inference_takes_the_running_averages(rng: Any, n: int) -> None:
    layer = random_layer(rng, 3)
    for _ in range(3):
        layer(rng.standard_normal((6, 3)))
    x = rng.standard_normal((n, 3))
    norm = (x - layer.running_mean) / np.sqrt(layer.running_var + 1e-8)
    for out in (layer(x, True), layer(x, eval=True), layer.forward(x, True)):
        close(out, layer.gamma * norm + layer.beta)


def test_inference_writes_nothing_and_leaves_a_pending_backward_alone(rng: Any) -> None:
    layer, undisturbed = random_layer(rng, 3), random_layer(rng, 3)
    undisturbed.gamma, undisturbed.beta = layer.gamma, layer.beta
    x, delta = rng.standard_normal((6, 3)), rng.standard_normal((6, 3))
    layer(x)
    undisturbed(x)
    before = {name: np.copy(value) for name, value in vars(layer).items()}
    layer(rng.standard_normal((4, 3)), eval=True)
    for name, value in vars(layer).items():
        assert np.array_equal(value, before[name]), name
    assert (layer.backward(delta) == undisturbed.backward(delta)).all()


def test_a_batch_of_one_row_gives_beta_and_no_gradient_in_training(rng: Any) -> None:
    layer = random_layer(rng, 3)
    close(layer(rng.standard_normal((1, 3))), layer.beta)
    assert not layer.backward(rng.standard_normal((1, 3))).any()
    assert not layer.dgamma.any()


@pytest.mark.parametrize("constant", [0.0, 0.1, -1e4, 1e8])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_constant_column_stays_finite_without_a_warning(rng: Any, constant: float, dtype: str) -> None:
    x = rng.standard_normal((7, 3)).astype(dtype)
    x[:, 1] = constant
    layer = random_layer(rng, 3, dtype)
    layer(x)
    dx = layer.backward(rng.standard_normal((7, 3)).astype(dtype))
    assert np.isfinite(layer.out).all()
    assert np.isfinite(dx).all()
    assert np.isfinite(layer(x, eval=True)).all()


@pytest.mark.parametrize("size", [1e-30, 1e4, 1e15])
def test_large_and_tiny_inputs_stay_finite_without_a_warning(rng: Any, size: float) -> None:
    layer = random_layer(rng, 3)
    x = size * rng.standard_normal((7, 3))
    assert np.isfinite(layer(x)).all()
    assert np.isfinite(layer.backward(rng.standard_normal((7, 3)))).all()
    assert np.isfinite(layer(x, eval=True)).all()


def test_a_mean_far_from_zero_costs_no_accuracy(rng: Any) -> None:
    # The one-pass variance E[x^2] - E[x]^2 has no right digit left here.
    x = rng.standard_normal((50, 3)).round(3)
    near, far = nn.BatchNorm(3), nn.BatchNorm(3)
    close(far(x + 2.0**27), near(x + 0.0), rel=1e-6)


def test_gradients_are_overwritten_not_accumulated(rng: Any) -> None:
    layer = random_layer(rng, 3)
    layer(rng.standard_normal((5, 3)))
    delta = rng.standard_normal((5, 3))
    first = layer.backward(delta), layer.dgamma.copy(), layer.dbeta.copy()
    second = layer.backward(delta), layer.dgamma, layer.dbeta
    assert all((one == other).all() for one, other in zip(first, second))


def test_every_array_has_one_row_from_the_start_and_keeps_it(rng: Any) -> None:
    layer = nn.BatchNorm(3)
    assert (layer.alpha, layer.eps) == (0.9, 1e-8)
    assert not layer.running_mean.any()
    assert (layer.running_var == 1).all()
    assert (layer.gamma == 1).all()
    assert not any(array.any() for array in (layer.beta, layer.dgamma, layer.dbeta))
    for _ in range(2):
        assert {getattr(layer, name).shape for name in STATISTICS + PARAMETERS} == {(1, 3)}
        layer(rng.standard_normal((5, 3)))
        layer.backward(rng.standard_normal((5, 3)))
    assert layer.x.shape == layer.norm.shape == layer.out.shape == (5, 3)


def test_nothing_is_written_to(rng: Any) -> None:
    layer = layer_of(frozen([[2.0, 0.5, 1.5]]), frozen([[1.0, -1.0, 0.0]]))
    layer.running_mean, layer.running_var = frozen([[0.1, 0.2, 0.3]]), frozen([[1.0, 2.0, 3.0]])
    x, delta = frozen(rng.standard_normal((5, 3))), frozen(rng.standard_normal((5, 3)))
    layer(x, eval=True)
    out = layer(x)
    kept, norm = out.copy(), layer.norm.copy()
    dx = layer.backward(delta)
    gradients = layer.dgamma.copy(), layer.dbeta.copy()
    dx *= 7
    assert (layer.dgamma == gradients[0]).all()
    assert (layer.dbeta == gradients[1]).all()
    assert (layer.out == kept).all()
    assert (layer.norm == norm).all()
    assert layer.x is x


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("parameters", ["float32", "float64"])
def test_the_dtype_of_the_data_is_kept_in_both_modes(rng: Any, dtype: str, parameters: str) -> None:
    # A layer made on its own holds float64 parameters, but float32 data stay float32.
    layer = random_layer(rng, 3, parameters)
    x = rng.standard_normal((5, 3)).astype(dtype)
    arrays = [layer(x), layer.backward(rng.standard_normal((5, 3)).astype(dtype)), layer(x, eval=True)]
    arrays += [getattr(layer, name) for name in ["mean", "var", "dgamma", "dbeta", "norm", "out"]]
    assert {str(array.dtype) for array in arrays} == {dtype}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_dtype_that_a_layer_is_made_with_is_that_of_its_parameters_and_running_averages(
    rng: Any, dtype: str
) -> None:
    layer = nn.BatchNorm(3, dtype=dtype)
    for _ in range(2):
        assert {str(getattr(layer, name).dtype) for name in STATISTICS + PARAMETERS} == {dtype}
        layer(rng.standard_normal((5, 3)).astype(dtype))
        layer.backward(rng.standard_normal((5, 3)).astype(dtype))


@pytest.mark.parametrize("dtype", ["int64", "uint8"])
def test_integer_examples_give_the_output_of_their_float64_values(rng: Any, dtype: str) -> None:
    x = rng.randint(0, 200, (5, 3)).astype(dtype)
    layer, floating = random_layer(np.random.RandomState(0), 3), random_layer(np.random.RandomState(0), 3)
    close(layer(x), floating(x.astype(float)))
    close(layer(x, eval=True), floating(x.astype(float), eval=True))


@pytest.mark.parametrize("eval_mode", [False, True])
@pytest.mark.parametrize("shape", [(5, 4), (3,), (5, 3, 1), (0, 3), (5, 1)])
def test_a_batch_of_the_wrong_shape_is_named(shape: tuple[int, ...], eval_mode: bool) -> None:
    with pytest.raises(ValueError, match=r"BatchNorm\(3\).*\(N, 3\)") as error:
        nn.BatchNorm(3)(np.zeros(shape), eval=eval_mode)
    assert str(shape) in str(error.value)


def test_an_integer_delta_gives_the_gradients_of_its_float64_values(rng: Any) -> None:
    x, delta = rng.standard_normal((5, 3)), rng.randint(-3, 4, (5, 3))
    layer, floating = random_layer(np.random.RandomState(0), 3), random_layer(np.random.RandomState(0), 3)
    layer(x)
    floating(x)
    close(layer.backward(delta), floating.backward(delta.astype(float)))
    close(layer.dgamma, floating.dgamma)


def test_a_delta_of_the_wrong_shape_is_named() -> None:
    layer = nn.BatchNorm(3)
    layer(np.zeros((5, 3)))
    with pytest.raises(ValueError, match=r"backward.*\(5, 3\).*\(4, 3\)"):
        layer.backward(np.zeros((4, 3)))


@pytest.mark.parametrize("forwards", [[], [True]])
def test_backward_before_a_training_forward_says_so(forwards: list[bool]) -> None:
    layer = nn.BatchNorm(3)
    for eval_mode in forwards:
        layer(np.zeros((5, 3)), eval=eval_mode)
    with pytest.raises(ValueError, match=r"BatchNorm.*forward.*training"):
        layer.backward(np.zeros((5, 3)))
