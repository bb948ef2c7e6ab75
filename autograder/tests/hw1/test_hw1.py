"""The multi-layer perceptron against the same network in PyTorch, and its promises (writeup, section 3.5)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hw1 as nn
from pytorch import TorchMLP, close, frozen

ROOT = Path(__file__).resolve().parents[3]

Id, S, T, R = KINDS = [nn.Identity, nn.Sigmoid, nn.Tanh, nn.ReLU]


def network(
    rng: Any,
    hiddens: Any = (6, 5),
    activations: Any = (nn.Sigmoid, nn.Tanh, nn.Identity),
    num_bn_layers: int = 0,
    momentum: float = 0.0,
    dtype: str = "float64",
    sizes: tuple[int, int] = (7, 4),
) -> Any:
    """Return an MLP whose every parameter is random: biases are not 0, gamma not 1, beta not 0."""
    mlp = nn.MLP(
        *sizes,
        hiddens,
        [kind() for kind in activations],
        lambda i, o: (rng.standard_normal((i, o)) / np.sqrt(i)).astype(dtype),
        lambda o: rng.standard_normal((1, o)).astype(dtype),
        nn.SoftmaxCrossEntropy(),
        0.1,
        momentum=momentum,
        num_bn_layers=num_bn_layers,
    )
    for layer in mlp.bn_layers:
        layer.gamma += 0.3 * rng.standard_normal(layer.gamma.shape).astype(dtype)
        layer.beta += rng.standard_normal(layer.beta.shape).astype(dtype)
    return mlp


def batch(rng: Any, n: int, dtype: str = "float64", sizes: tuple[int, int] = (7, 4)) -> tuple[Any, Any]:
    """Return n read-only examples and their one-hot labels."""
    labels = np.eye(sizes[1], dtype=dtype)[rng.randint(sizes[1], size=n)]
    return frozen(rng.standard_normal((n, sizes[0])).astype(dtype)), frozen(labels)


def parameters(mlp: Any) -> list[tuple[Any, str]]:
    """Return (layer, name) of every parameter."""
    linear = [(layer, name) for layer in mlp.linear_layers for name in ("W", "b")]
    return linear + [(layer, name) for layer in mlp.bn_layers for name in ("gamma", "beta")]


def gradients(mlp: Any) -> list[Any]:
    return [getattr(layer, f"d{name}") for layer, name in parameters(mlp)]


def velocities(mlp: Any) -> list[Any]:
    return [getattr(layer, f"momentum_{name}") for layer in mlp.linear_layers for name in ("W", "b")]


def train_once(mlp: Any, x: Any, labels: Any) -> None:
    mlp.zero_grads()
    mlp.forward(x)
    mlp.backward(labels)
    mlp.step()


def agree(mlp: Any, judge: TorchMLP, gradients: bool = True) -> None:
    """Assert that all parameters, running averages and gradients are the judge's."""
    for i, (layer, (weight, bias)) in enumerate(zip(mlp.linear_layers, judge.linear)):
        close(layer.W, weight.detach())
        close(layer.b, bias.detach())
        if gradients:
            dweight, dbias = (grad.numpy() for grad in judge.dlinear[i])
            close(layer.dW, dweight)
            # Under a batch norm the bias has no effect, and its gradient is a sum that cancels to nothing.
            close(layer.db, dbias, size=max(np.abs(dweight).max(), np.abs(dbias).max()))
    for i, (layer, (gamma, beta), (mean, var)) in enumerate(zip(mlp.bn_layers, judge.norm, judge.running)):
        close(layer.gamma, gamma.detach())
        close(layer.beta, beta.detach())
        close(layer.running_mean, mean)
        close(layer.running_var, var)
        if gradients:
            close(layer.dgamma, judge.dnorm[i][0])
            close(layer.dbeta, judge.dnorm[i][1])


NETWORKS: dict[str, dict[str, Any]] = {
    "a linear classifier": {"hiddens": [], "activations": [Id]},
    "a linear classifier with batch norm": {"hiddens": [], "activations": [Id], "num_bn_layers": 1},
    "one hidden layer": {"hiddens": [6], "activations": [S, Id]},
    "hidden layers of one unit": {"hiddens": [1, 1], "activations": [S, T, Id]},
    "the writeup's shape": {"hiddens": [16, 16, 8], "activations": [S, S, S, Id], "momentum": 0.9},
    "every activation": {"hiddens": [9, 8, 7], "activations": [R, T, S, Id], "momentum": 0.9},
    "a non-linear output": {"hiddens": [6], "activations": [T, S], "momentum": 0.5},
    "batch norm on the first layer": {"activations": [S, S, Id], "num_bn_layers": 1},
    "batch norm on each hidden layer": {"activations": [S, T, Id], "num_bn_layers": 2, "momentum": 0.9},
    "batch norm on all layers": {"activations": [R, S, Id], "num_bn_layers": 3, "momentum": 0.9},
    "ten layers": {"hiddens": [8] * 9, "activations": [T] * 9 + [Id], "num_bn_layers": 3, "momentum": 0.9},
    "momentum of one": {"activations": [S, S, Id], "momentum": 1.0},
}


@pytest.mark.parametrize("name", NETWORKS)
def test_outputs_gradients_steps_and_running_averages_are_pytorchs(torch: Any, rng: Any, name: str) -> None:
    mlp = network(rng, **NETWORKS[name])
    judge = TorchMLP(torch, mlp)
    for n in (8, 5, 13, 8):
        x, labels = batch(rng, n)
        mlp.zero_grads()
        out = mlp.forward(x)
        mlp.backward(labels)
        expected, losses = judge.backward(x, labels)
        close(out, expected)
        close(mlp.output, expected)
        assert mlp.total_loss(labels) == pytest.approx(losses.sum(), rel=1e-12)
        assert mlp.error(labels) == (expected.argmax(1) != labels.argmax(1)).sum()
        mlp.step()
        judge.step()
        agree(mlp, judge)

    mlp.eval()
    for n in (1, 6):
        x, _ = batch(rng, n)
        close(mlp(x), judge.forward(x, training=False).detach())


@pytest.mark.parametrize("seed", range(25))
def test_any_depth_mix_of_activations_and_number_of_batch_norms_is_pytorchs(torch: Any, seed: int) -> None:
    rng = np.random.RandomState(seed)
    hiddens = rng.randint(2, 12, size=rng.randint(0, 6)).tolist()
    mlp = network(
        rng,
        hiddens,
        [KINDS[i] for i in rng.randint(len(KINDS), size=len(hiddens) + 1)],
        num_bn_layers=rng.randint(len(hiddens) + 2),
        momentum=rng.uniform(),
    )
    judge = TorchMLP(torch, mlp)
    for _ in range(3):
        x, labels = batch(rng, rng.randint(4, 30))
        train_once(mlp, x, labels)
        judge.backward(x, labels)
        judge.step()
    # A unit that is off for a whole batch leaves gradients of nothing but rounding: the parameters are compared.
    agree(mlp, judge, gradients=False)
    mlp.eval()
    x, _ = batch(rng, 5)
    close(mlp(x), judge.forward(x, training=False).detach(), rel=1e-11)


def test_one_activation_object_given_for_every_layer_still_has_a_state_for_each(torch: Any, rng: Any) -> None:
    shared = nn.Sigmoid()
    mlp = network(rng, (6, 5), [lambda: shared] * 3)
    judge = TorchMLP(torch, mlp)
    x, labels = batch(rng, 8)
    train_once(mlp, x, labels)
    judge.backward(x, labels)
    judge.step()
    agree(mlp, judge)


def test_the_layers_and_their_attributes_are_the_constructors_arguments(rng: Any) -> None:
    mlp = network(rng, [6, 5], num_bn_layers=2, momentum=0.9)
    assert [layer.W.shape for layer in mlp.linear_layers] == [(7, 6), (6, 5), (5, 4)]
    assert [layer.gamma.shape for layer in mlp.bn_layers] == [(1, 6), (1, 5)]
    assert [type(activation) for activation in mlp.activations] == [nn.Sigmoid, nn.Tanh, nn.Identity]
    assert (mlp.input_size, mlp.output_size, mlp.nlayers) == (7, 4, 3)
    assert (mlp.bn, mlp.num_bn_layers, mlp.train_mode) == (True, 2, True)
    assert (mlp.lr, mlp.momentum) == (0.1, 0.9)
    assert isinstance(mlp.criterion, nn.SoftmaxCrossEntropy)
    assert not network(rng).bn


@pytest.mark.parametrize("hiddens", [[6, 5], (6, 5), np.array([6, 5]), range(6, 4, -1)])
def test_hiddens_may_be_any_sequence_and_is_not_changed(rng: Any, hiddens: Any) -> None:
    before = list(hiddens)
    mlp = network(rng, hiddens)
    assert list(hiddens) == before
    assert [layer.W.shape[1] for layer in mlp.linear_layers] == [6, 5, 4]


@pytest.mark.parametrize("hiddens", [[], (), np.array([], int)])
def test_no_hiddens_make_a_linear_classifier(rng: Any, hiddens: Any) -> None:
    assert network(rng, hiddens, [nn.Identity]).nlayers == 1


def test_the_init_functions_are_called_once_for_each_layer_with_its_sizes() -> None:
    calls: list[tuple[int, ...]] = []

    def init(*sizes: int) -> Any:
        calls.append(sizes)
        return np.zeros(sizes)

    nn.MLP(7, 4, [6, 5], [nn.Identity()] * 3, init, init, nn.SoftmaxCrossEntropy(), 0.1)
    assert sorted(calls) == sorted([(7, 6), (6, 5), (5, 4), (6,), (5,), (4,)])


def test_layers_do_not_share_an_array_that_the_init_functions_return_every_time() -> None:
    weight, bias = frozen(np.ones((4, 4), int)), frozen(np.ones(4, int))
    activations = [nn.Sigmoid(), nn.Identity()]
    mlp = nn.MLP(4, 4, [4], activations, lambda i, o: weight, lambda o: bias, nn.SoftmaxCrossEntropy(), 0.1)
    train_once(mlp, np.eye(4), np.eye(4))
    arrays = [getattr(layer, name) for layer, name in parameters(mlp)]
    assert {str(array.dtype) for array in arrays} == {"float64"}
    assert not any(np.shares_memory(a, b) for a in arrays for b in [weight, bias, *arrays] if a is not b)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("labels_dtype", ["float32", "float64", "uint8"])
@pytest.mark.parametrize("number", [float, np.float64, np.float32])
def test_the_dtype_is_kept_from_end_to_end(rng: Any, dtype: str, labels_dtype: str, number: Any) -> None:
    activations = [nn.ReLU, nn.Sigmoid, nn.Tanh, nn.Identity]
    mlp = network(rng, [6, 5, 4], activations, num_bn_layers=3, momentum=number(0.9), dtype=dtype)
    mlp.lr = number(0.1)  # as a schedule of NumPy's hands it out
    for _ in range(3):
        x, labels = batch(rng, 9, dtype)
        train_once(mlp, x, labels.astype(labels_dtype))
    found = {str(getattr(layer, name).dtype) for layer, name in parameters(mlp)}
    found |= {str(array.dtype) for array in gradients(mlp) + velocities(mlp)}
    found |= {str(layer.running_mean.dtype) for layer in mlp.bn_layers}
    found |= {str(layer.running_var.dtype) for layer in mlp.bn_layers}
    found |= {str(activation.state.dtype) for activation in mlp.activations}
    found |= {str(mlp.criterion.loss.dtype), str(mlp.output.dtype), str(mlp.total_loss(labels).dtype)}
    mlp.eval()
    found.add(str(mlp(x).dtype))
    assert found == {dtype}


def test_float32_follows_float64_to_its_own_accuracy() -> None:
    losses = {}
    for dtype in ("float32", "float64"):
        rng = np.random.RandomState(1)
        mlp = network(rng, [6, 5], num_bn_layers=2, momentum=0.9, dtype=dtype)
        for _ in range(5):
            x, labels = batch(rng, 20, dtype)
            train_once(mlp, x, labels)
        losses[dtype] = float(mlp.total_loss(labels))
    assert losses["float32"] == pytest.approx(losses["float64"], rel=1e-4)


@pytest.mark.parametrize("dtype", ["uint8", "int64"])
def test_integer_examples_and_labels_train_like_their_float64_values(dtype: str) -> None:
    images = np.random.RandomState(0).randint(0, 256, (9, 7)).astype(dtype)
    labels = np.eye(4, dtype=dtype)[np.arange(9) % 4]
    trained = []
    for x, y in [(images, labels), (images.astype(float), labels.astype(float))]:
        mlp = network(np.random.RandomState(1), num_bn_layers=1, momentum=0.9)
        train_once(mlp, x, y)
        trained.append(mlp(x))
    close(*trained)


def test_a_pass_writes_neither_to_its_arguments_nor_to_what_it_returned(rng: Any) -> None:
    mlp = network(rng, [6, 5], [nn.ReLU, nn.ReLU, nn.Identity], num_bn_layers=1, momentum=0.9)
    x, labels = batch(rng, 8)  # read-only
    out = mlp.forward(x)
    states = [activation.state.copy() for activation in mlp.activations]
    kept = out.copy()
    mlp.backward(labels)
    mlp.step()
    mlp.error(labels)
    mlp.total_loss(labels)
    assert (out == kept).all()
    assert mlp.output is out
    assert all((activation.state == state).all() for activation, state in zip(mlp.activations, states))


def test_backward_twice_gives_the_same_gradients(rng: Any) -> None:
    mlp = network(rng, num_bn_layers=2)
    x, labels = batch(rng, 8)
    mlp.forward(x)
    mlp.backward(labels)
    first = [gradient.copy() for gradient in gradients(mlp)]
    mlp.backward(labels)
    assert all((gradient == one).all() for gradient, one in zip(gradients(mlp), first))


def test_zero_grads_zeroes_every_gradient_and_nothing_else(rng: Any) -> None:
    mlp = network(rng, num_bn_layers=2, momentum=0.9)
    x, labels = batch(rng, 8)
    train_once(mlp, x, labels)
    before = [getattr(layer, name).copy() for layer, name in parameters(mlp)]
    before_velocities = [velocity.copy() for velocity in velocities(mlp)]
    mlp.zero_grads()
    assert all((getattr(layer, name) == old).all() for (layer, name), old in zip(parameters(mlp), before))
    assert all((velocity == old).all() for velocity, old in zip(velocities(mlp), before_velocities))
    for (layer, name), gradient in zip(parameters(mlp), gradients(mlp)):
        assert gradient.shape == getattr(layer, name).shape, name
        assert not gradient.any(), name


def test_step_does_not_write_to_the_parameters_that_somebody_gave_or_holds(rng: Any) -> None:
    mlp = network(rng, num_bn_layers=2, momentum=0.9)
    held = []
    for layer, name in parameters(mlp):
        held.append(frozen(getattr(layer, name)))  # a write to one of them would raise
        setattr(layer, name, held[-1])
    x, labels = batch(rng, 8)
    train_once(mlp, x, labels)
    assert not any(getattr(layer, name) is old for (layer, name), old in zip(parameters(mlp), held))


def test_the_step_is_the_writeups_equation_with_any_velocity_that_lies_there(rng: Any) -> None:
    mlp = network(rng, num_bn_layers=2, momentum=0.9)
    for _ in range(2):
        x, labels = batch(rng, 8)
        mlp.forward(x)
        mlp.backward(labels)
        for layer in mlp.linear_layers:
            layer.momentum_W = rng.standard_normal(layer.W.shape)
        expected = [
            (layer, 0.9 * layer.momentum_W - 0.1 * layer.dW, 0.9 * layer.momentum_b - 0.1 * layer.db, layer.W, layer.b)
            for layer in mlp.linear_layers
        ]
        plain = [(layer, layer.gamma - 0.1 * layer.dgamma, layer.beta - 0.1 * layer.dbeta) for layer in mlp.bn_layers]
        mlp.step()
        for layer, momentum_W, momentum_b, W, b in expected:
            close(layer.momentum_W, momentum_W)
            close(layer.momentum_b, momentum_b)
            close(layer.W, W + momentum_W)
            close(layer.b, b + momentum_b)
        for bn, gamma, beta in plain:
            close(bn.gamma, gamma)
            close(bn.beta, beta)


class Decayed(nn.Linear):
    """A linear layer with an array of its own, as HW1's bonus adds them, and a part in its gradient."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.decay = np.full_like(self.W, 0.5)

    def gradients(self, delta: np.ndarray) -> None:
        super().gradients(delta)
        self.dW = self.dW + self.decay * self.W


def test_a_subclass_of_linear_with_arrays_of_its_own_takes_part_in_every_layer(rng: Any) -> None:
    plain, decayed = (network(np.random.RandomState(0)) for _ in range(2))
    decayed.linear_layers = [
        Decayed(*layer.W.shape, lambda *_, layer=layer: layer.W, lambda *_, layer=layer: layer.b)
        for layer in plain.linear_layers
    ]
    x, labels = batch(rng, 8)
    for mlp in (plain, decayed):
        mlp.forward(x)
        mlp.backward(labels)
    for layer, other in zip(plain.linear_layers, decayed.linear_layers):
        close(other.dW, layer.dW + 0.5 * layer.W)
        close(other.db, layer.db)


def test_nobody_computes_the_gradient_of_the_networks_input(rng: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    backward = nn.Linear.backward

    def noted(layer: Any, delta: Any) -> Any:
        asked.append(repr(layer))
        return backward(layer, delta)

    monkeypatch.setattr(nn.Linear, "backward", noted)
    train_once(network(rng, (6, 5)), *batch(rng, 8))
    assert asked == ["Linear(5, 4)", "Linear(6, 5)"]


SHOWN = {
    "a linear layer": (lambda: nn.Linear(784, 64, lambda *s: np.zeros(s), np.zeros), "Linear(784, 64)"),
    "a subclass of it": (lambda: Decayed(3, 2, lambda *s: np.zeros(s), np.zeros), "Decayed(3, 2)"),
    "a batch norm": (lambda: nn.BatchNorm(64), "BatchNorm(64, alpha=0.9)"),
    "one with another alpha": (lambda: nn.BatchNorm(3, 0.5), "BatchNorm(3, alpha=0.5)"),
    "an activation": (nn.Sigmoid, "Sigmoid()"),
    "a criterion": (nn.SoftmaxCrossEntropy, "SoftmaxCrossEntropy()"),
    "a network": (
        lambda: network(np.random.RandomState(0), (6, 5), num_bn_layers=2),
        "MLP(\n"
        "  (0): Linear(7, 6), BatchNorm(6, alpha=0.9), Sigmoid()\n"
        "  (1): Linear(6, 5), BatchNorm(5, alpha=0.9), Tanh()\n"
        "  (2): Linear(5, 4), Identity()\n"
        "  (criterion): SoftmaxCrossEntropy()\n"
        ")",
    ),
}


@pytest.mark.parametrize("name", SHOWN)
def test_an_object_shows_its_sizes_and_a_network_its_layers(name: str) -> None:
    make, shown = SHOWN[name]
    assert repr(make()) == shown


def readme_lines(heading: str) -> str:
    """The first Python block below a line of the README."""
    below = (ROOT / "README.md").read_text(encoding="utf-8").partition(f"\n{heading}")[2]
    assert below, f"the README has no {heading}"
    return below.partition("```python\n")[2].partition("```")[0]


@pytest.mark.parametrize("num_bn_layers", [0, 2])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_readmes_lines_save_a_network_and_load_it_into_a_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rng: Any, num_bn_layers: int, dtype: str
) -> None:
    trained, new = (network(rng, num_bn_layers=num_bn_layers, momentum=0.9, dtype=dtype) for _ in range(2))
    for _ in range(3):
        train_once(trained, *batch(rng, 8, dtype))
    monkeypatch.chdir(tmp_path)
    lines = readme_lines("### Saving and loading")
    exec(lines, {"np": np, "mlp": trained, "new": new})
    x, _ = batch(rng, 5, dtype)
    for mlp in (trained, new):
        mlp.eval()
    assert (new(x) == trained(x)).all()
    assert new(x).dtype == dtype
    assert len([line for line in lines.splitlines() if line.strip()]) <= 9


def test_inference_is_repeatable_moves_nothing_and_ends_with_train(rng: Any) -> None:
    mlp = network(rng, num_bn_layers=2)
    x, labels = batch(rng, 8)
    train_once(mlp, x, labels)
    training_output = mlp(x).copy()
    mlp.eval()
    assert not mlp.train_mode
    before = [(layer.running_mean.copy(), layer.running_var.copy()) for layer in mlp.bn_layers]
    first = mlp(x).copy()
    assert (mlp(x) == first).all()
    # A row's answer does not depend on the rows beside it.
    close(mlp(x[:1]), first[:1])
    for layer, (mean, var) in zip(mlp.bn_layers, before):
        assert (layer.running_mean == mean).all()
        assert (layer.running_var == var).all()
    mlp.train()
    assert mlp.train_mode
    close(mlp(x), training_output)


def test_error_counts_wrong_rows_and_total_loss_is_a_sum(rng: Any) -> None:
    mlp = network(rng, [], [nn.Identity])
    mlp.linear_layers[0].W[:] = np.eye(7, 4)
    mlp.linear_layers[0].b[:] = 0
    mlp(np.eye(7)[[0, 1, 2, 3, 3]])
    labels = np.eye(4)[[0, 1, 2, 0, 1]]
    assert mlp.error(labels) == 2
    right = np.log(np.e + 3) - 1
    assert mlp.total_loss(labels) == pytest.approx(3 * right + 2 * (right + 1))


@pytest.mark.parametrize("num_bn_layers", [0, 1, 3])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [1e4, 1e-30])
def test_extreme_examples_train_without_a_warning(rng: Any, kind: Any, num_bn_layers: int, size: float) -> None:
    mlp = network(rng, [6, 5], [kind, kind, nn.Identity], num_bn_layers, momentum=0.9)
    for _ in range(3):
        x, labels = batch(rng, 8)
        train_once(mlp, size * x, labels)
        assert np.isfinite(mlp.output).all()
    mlp.eval()
    assert np.isfinite(mlp(size * x[:1])).all()


SOUND: dict[str, Any] = {"hiddens": (6, 5), "activations": (nn.Sigmoid, nn.Tanh, nn.Identity)}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"activations": [nn.Identity]}, "3 layers.*activations.*got 1"),
        ({"activations": [nn.Identity] * 4}, "3 layers.*activations.*got 4"),
        ({"num_bn_layers": 4}, "3 layers.*num_bn_layers.*got 4"),
        ({"num_bn_layers": -1}, "num_bn_layers.*got -1"),
        ({"hiddens": (6, 0)}, r"at least one.*\[7, 6, 0, 4\]"),
        ({"sizes": (0, 4)}, r"at least one.*\[0, 6, 5, 4\]"),
    ],
)
def test_constructor_arguments_that_do_not_fit_are_named(rng: Any, change: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        network(rng, **{**SOUND, **change})


@pytest.mark.parametrize("shape", [(5, 6), (7,), (5, 7, 1), (0, 7)])
def test_a_batch_of_the_wrong_shape_is_named(rng: Any, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"\(N, 7\)") as error:
        network(rng)(np.zeros(shape))
    assert str(shape) in str(error.value)


@pytest.mark.parametrize("call", ["backward", "error", "total_loss"])
@pytest.mark.parametrize("shape", [(5, 3), (4, 4), (5,), (1, 4), (5, 1)])
def test_labels_that_do_not_match_the_output_are_named(rng: Any, call: str, shape: tuple[int, ...]) -> None:
    mlp = network(rng)
    mlp(np.zeros((5, 7)))
    with pytest.raises(ValueError, match=r"\(5, 4\)") as error:
        getattr(mlp, call)(np.zeros(shape))
    assert str(shape) in str(error.value)


@pytest.mark.parametrize("call", ["backward", "error", "total_loss"])
def test_asking_before_a_forward_pass_says_so(rng: Any, call: str) -> None:
    with pytest.raises(ValueError, match="forward"):
        getattr(network(rng), call)(np.zeros((5, 4)))


def test_backward_in_inference_mode_with_batch_norm_says_what_to_do(rng: Any) -> None:
    mlp = network(rng, num_bn_layers=1)
    x, labels = batch(rng, 5)
    mlp(x)
    mlp.eval()
    mlp(x)
    with pytest.raises(ValueError, match=r"train\(\)"):
        mlp.backward(labels)
