"""`get_training_stats`, watched through a network that records every call (writeup, section 3.6)."""

from __future__ import annotations

from itertools import chain
from typing import Any

import numpy as np
import pytest

import hw1 as nn
from pytorch import TorchMLP, close, frozen


class Recorder(nn.MLP):
    """A linear classifier that notes every call and the rows it was given; the first feature is the row's number."""

    def __init__(self, **options: Any) -> None:
        rng = np.random.RandomState(0)
        init: Any = lambda *sizes: 0.1 * rng.standard_normal(sizes)  # noqa: E731
        super().__init__(2, 3, [], [nn.Identity()], init, init, nn.SoftmaxCrossEntropy(), 0.01, **options)
        self.calls: list[str] = []
        self.rows: list[list[int]] = []
        self.modes: list[bool] = []
        self.labels: list[Any] = []

    def forward(self, x: Any) -> Any:
        self.calls.append("forward")
        self.rows.append(x[:, 0].astype(int).tolist())
        self.modes.append(self.train_mode)
        return super().forward(x)

    def backward(self, labels: Any) -> Any:
        self.calls.append("backward")
        self.labels.append(labels.copy())
        return super().backward(labels)

    def zero_grads(self) -> None:
        self.calls.append("zero_grads")
        super().zero_grads()

    def step(self) -> None:
        self.calls.append("step")
        super().step()

    def train(self) -> None:
        self.calls.append("train")
        super().train()

    def eval(self) -> None:
        self.calls.append("eval")
        super().eval()

    def trained_rows(self) -> list[list[int]]:
        return [rows for rows, mode in zip(self.rows, self.modes) if mode]

    def validated_rows(self) -> list[list[int]]:
        return [rows for rows, mode in zip(self.rows, self.modes) if not mode]


def partition(first: int, n: int) -> tuple[Any, Any]:
    """Return read-only examples numbered from `first` on, and labels that follow from the number."""
    numbers = np.arange(first, first + n)
    return frozen(np.stack([numbers, np.ones(n)], axis=1).astype(float)), frozen(np.eye(3)[numbers % 3])


class Untouchable:
    """A test partition that fails whoever looks into it."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"the test partition's {name} was asked for")

    def __iter__(self) -> Any:
        raise AssertionError("the test partition was unpacked")


def dataset(train: int = 10, val: int = 7) -> tuple[Any, Any, Any]:
    return partition(0, train), partition(100, val), Untouchable()


def epochs_of(mlp: Recorder, train: int, batch_size: int) -> list[list[int]]:
    """Return the rows of each epoch in the order they were trained on."""
    batches = mlp.trained_rows()
    per_epoch = -(-train // batch_size)
    assert len(batches) % per_epoch == 0
    return [list(chain(*batches[i : i + per_epoch])) for i in range(0, len(batches), per_epoch)]


@pytest.mark.parametrize("batch_size", [1, 3, 5, 10, 99])
def test_every_training_row_is_seen_once_an_epoch_and_no_other(batch_size: int) -> None:
    mlp = Recorder()
    nn.get_training_stats(mlp, dataset(), 4, batch_size)
    epochs = epochs_of(mlp, 10, batch_size)
    assert [sorted(epoch) for epoch in epochs] == [list(range(10))] * 4
    full, rest = divmod(10, batch_size)
    assert [len(rows) for rows in mlp.trained_rows()] == ([batch_size] * full + [rest] * bool(rest)) * 4


def test_each_epoch_has_its_own_order() -> None:
    mlp = Recorder()
    nn.get_training_stats(mlp, dataset(train=40), 5, 8)
    epochs = epochs_of(mlp, 40, 8)
    assert len({tuple(epoch) for epoch in [*epochs, list(range(40))]}) == 6


def test_the_order_comes_from_np_random_shuffle_of_indices(monkeypatch: pytest.MonkeyPatch) -> None:
    shuffled = []

    def shuffle(order: Any) -> None:
        shuffled.append(sorted(order))
        order[:] = list(order)[::-1]

    monkeypatch.setattr(np.random, "shuffle", shuffle)
    mlp = Recorder()
    nn.get_training_stats(mlp, dataset(), 3, 10)
    assert shuffled == [list(range(10))] * 3
    up, down = list(range(10)), list(range(10))[::-1]
    assert epochs_of(mlp, 10, 10) == [down, up, down]


def test_seeding_numpy_repeats_a_run_exactly() -> None:
    runs = []
    for _ in range(2):
        np.random.seed(3)
        runs.append(nn.get_training_stats(Recorder(), dataset(), 3, 4))
    assert all((one == other).all() for one, other in zip(*runs))


def test_each_batch_zeroes_the_gradients_then_forward_backward_step_and_validation_only_forwards() -> None:
    mlp = Recorder()
    nn.get_training_stats(mlp, dataset(), 2, 4)
    calls = [call for call in mlp.calls if call not in ("train", "eval")]
    training = ["zero_grads", "forward", "backward", "step"] * 3
    validation = len(mlp.validated_rows()) // 2
    assert calls == (training + ["forward"] * validation) * 2


def test_examples_and_labels_are_gathered_together() -> None:
    mlp = Recorder()
    nn.get_training_stats(mlp, dataset(), 2, 4)
    for rows, labels in zip(mlp.trained_rows(), mlp.labels):
        assert labels.argmax(axis=1).tolist() == [row % 3 for row in rows]


@pytest.mark.parametrize("batch_size", [1, 3, 99])
def test_validation_sees_every_row_once_an_epoch_in_inference_mode(batch_size: int) -> None:
    mlp = Recorder(num_bn_layers=1)
    nn.get_training_stats(mlp, dataset(), 2, batch_size)
    assert sorted(chain(*mlp.validated_rows())) == sorted([*range(100, 107)] * 2)
    assert all(row < 100 for rows in mlp.trained_rows() for row in rows)


@pytest.mark.parametrize("train_mode", [True, False])
def test_training_starts_and_ends_in_training_mode_whatever_the_network_was_in(train_mode: bool) -> None:
    mlp = Recorder(num_bn_layers=1)
    mlp.train_mode = train_mode
    nn.get_training_stats(mlp, dataset(), 2, 4)
    assert mlp.train_mode is True
    assert [rows[0] < 100 for rows in mlp.rows] == mlp.modes


def test_the_data_set_is_not_changed_and_the_test_partition_not_touched() -> None:
    # partition() hands out read-only arrays, Untouchable raises: it is enough that this runs.
    nn.get_training_stats(Recorder(num_bn_layers=1, momentum=0.9), dataset(), 2, 4)


def test_a_list_of_lists_is_a_data_set_too() -> None:
    nn.get_training_stats(Recorder(), [list(pair) for pair in dataset()[:2]], 1, 4)


class Fixed(Recorder):
    """A network whose row i has the loss i and is wrong where i is odd, whatever it learns."""

    def backward(self, labels: Any) -> None:
        super().backward(labels)
        self.criterion.loss = np.array(self.rows[-1], float)

    def total_loss(self, labels: Any) -> Any:
        return float(sum(self.rows[-1]))

    def error(self, labels: Any) -> int:
        return sum(row % 2 for row in self.rows[-1])


@pytest.mark.parametrize("batch_size", [1, 3, 4, 10, 99])
def test_statistics_are_means_per_example_so_a_short_last_batch_counts_right(batch_size: int) -> None:
    stats = nn.get_training_stats(Fixed(), dataset(train=10, val=7), 3, batch_size)
    expected = [np.mean(range(10)), 0.5, np.mean(range(100, 107)), 3 / 7]
    for values, value in zip(stats, expected):
        assert isinstance(values, np.ndarray)
        assert values.shape == (3,)
        assert values.dtype == float
        close(values, np.full(3, value))


@pytest.mark.parametrize("batch_size", [1, 4, 10, 99])
@pytest.mark.parametrize(("num_bn_layers", "momentum"), [(0, 0.0), (1, 0.9)])
def test_the_four_statistics_are_those_of_the_same_training_in_pytorch(
    torch: Any, batch_size: int, num_bn_layers: int, momentum: float
) -> None:
    mlp = Recorder(num_bn_layers=num_bn_layers, momentum=momentum)
    judge = TorchMLP(torch, mlp)
    (train_x, train_y), (val_x, val_y), _ = data = dataset()
    stats = nn.get_training_stats(mlp, data, 3, batch_size)

    for epoch, order in enumerate(epochs_of(mlp, 10, batch_size)):
        losses, errors = [], []
        for start in range(0, 10, batch_size):
            rows = order[start : start + batch_size]
            output, loss = judge.backward(train_x[rows], train_y[rows])
            judge.step()
            losses += loss.tolist()
            errors += (output.argmax(1) != train_y[rows].argmax(1)).tolist()
        output = judge.forward(val_x, training=False).detach()
        val_losses = judge.losses(output, val_y).numpy()
        val_errors = output.numpy().argmax(1) != val_y.argmax(1)
        for values, expected in zip(stats, (losses, errors, val_losses, val_errors)):
            assert values[epoch] == pytest.approx(np.mean(expected), rel=1e-10)


def test_no_epochs_give_four_empty_arrays() -> None:
    assert [values.shape for values in nn.get_training_stats(Recorder(), dataset(), 0, 4)] == [(0,)] * 4


@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8"])
def test_training_on_any_dtype_learns_without_a_warning(dtype: str) -> None:
    rng = np.random.RandomState(0)
    labels = rng.randint(3, size=120)
    x = (10 * np.eye(3)[labels] + rng.uniform(0, 5, (120, 3))).astype(dtype)
    y = np.eye(3, dtype=dtype)[labels]
    parameters = "float32" if dtype == "float32" else "float64"
    init = lambda *sizes: np.asarray(0.1 * rng.standard_normal(sizes), parameters)  # noqa: E731
    activations = [nn.Tanh(), nn.Identity()]
    mlp = nn.MLP(3, 3, [8], activations, init, init, nn.SoftmaxCrossEntropy(), 0.05, momentum=0.9, num_bn_layers=1)
    _, errors, val_losses, val_errors = nn.get_training_stats(mlp, ((x[:90], y[:90]), (x[90:], y[90:])), 15, 10)
    assert errors[0] > errors[-1]
    assert val_errors[-1] <= 0.05
    assert val_losses[-1] < 0.2


def with_partition(index: int, value: Any) -> Any:
    data = list(dataset())
    data[index] = value
    return data


@pytest.mark.parametrize(
    ("data", "nepochs", "batch_size", "words"),
    [
        (dataset(), 1, 0, "batch_size >= 1.*0"),
        (dataset(), 1, -5, "batch_size >= 1.*-5"),
        (dataset(), -1, 4, "nepochs >= 0.*-1"),
        (with_partition(0, (np.ones((5, 2)), np.ones((4, 3)))), 1, 4, "training.*4 and 5"),
        (with_partition(1, (np.ones((5, 2)), np.ones((6, 3)))), 1, 4, "validation.*6 and 5"),
        (with_partition(0, (np.ones((0, 2)), np.ones((0, 3)))), 1, 4, "training.*0 and 0"),
        (with_partition(1, (np.ones((0, 2)), np.ones((0, 3)))), 1, 4, "validation.*0 and 0"),
        (with_partition(0, (np.ones((5, 3)), np.ones((5, 3)))), 1, 4, r"\(N, 2\)"),
        (with_partition(0, (np.ones((5, 2)), np.ones((5, 2)))), 1, 4, r"labels.*\(4, 3\)"),
    ],
)
def test_arguments_that_do_not_fit_are_named(data: Any, nepochs: int, batch_size: int, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        nn.get_training_stats(Recorder(), data, nepochs, batch_size)
