"""What is measured, and what the tables say of it; how fast it is, no test asks."""

from __future__ import annotations

import platform
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from handins import ROOT
from proofs import speed
from proofs.peers import Network

TINY = Network((8, 6), "float64", batch=50)


@pytest.fixture(autouse=True)
def restless(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speed, "REST", 0)


def test_peers_take_turns_after_one_unmeasured_epoch_of_each() -> None:
    calls: list[str] = []
    epochs: Any = {name: lambda name=name: calls.append(name) for name in "abc"}
    seconds = speed.interleaved(epochs, 4)
    assert "".join(calls) == "abc" + "abc" + "bca" + "cab" + "abc"
    assert {name: len(values) for name, values in seconds.items()} == {"a": 4, "b": 4, "c": 4}
    assert all(value >= 0 for values in seconds.values() for value in values)


@pytest.mark.parametrize(
    ("seconds", "ours", "expected"),
    [
        ([2.0], [1.0], "2.00 (2.00 to 2.00)"),
        ([6.0, 2.0, 5.0], [2.0, 1.0, 3.0], "2.00 (1.83 to 2.50)"),
        ([0.5, 1.0, 1.0], [2.0, 1.0, 3.0], "0.33 (0.29 to 0.67)"),
    ],
)
def test_a_figure_is_the_median_of_paired_ratios_with_their_middle_half(
    seconds: list[float], ours: list[float], expected: str
) -> None:
    assert speed.ratio(seconds, ours) == expected


def test_every_figure_lies_in_its_own_range() -> None:
    draw = np.random.RandomState(0)
    for rounds in (1, 2, 3, 9, 11):
        seconds, ours = ([*draw.rand(rounds) + 1] for _ in range(2))
        figure, low, high = map(float, re.findall(r"[\d.]+", speed.ratio(seconds, ours)))
        assert low <= figure <= high


def test_the_table_has_a_row_a_network_and_a_column_a_peer() -> None:
    plain, normed = Network((4,)), Network((4,), "float64", batch_norm=True)
    seconds = {"MyTorch": [2.0, 1.0, 3.0], "PyTorch eager": [6.0, 2.0, 5.0], "gather + products": [0.5, 1.0, 1.0]}
    without = {name: seconds[name] for name in ("MyTorch", "gather + products")}
    assert [*speed.table({plain: seconds, normed: without})] == [
        "| network | dtype | PyTorch eager | gather + products |",
        "| --- | --- | --- | --- |",
        "| [4] | float32 | 2.00 (1.83 to 2.50) | 0.33 (0.29 to 0.67) |",
        "| [4] + batch norm | float64 |  | 0.33 (0.29 to 0.67) |",
    ]


def test_the_table_in_the_readme_has_the_rows_and_columns_that_are_measured() -> None:
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\[.*?\].*?) \| (float\d+) \|", page, re.M)
    assert rows == [(str(network), network.dtype) for network in speed.NETWORKS]
    header = next(speed.table({Network(()): {name: [1.0] for name in speed.PEERS}}))
    assert f"\n{header}\n" in page
    assert {*speed.GROWTH_PEERS} < {*speed.PEERS}


def test_peers_that_are_not_installed_or_know_no_batch_norm_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speed, "installed", lambda package: package == "numpy")
    monkeypatch.setattr(speed, "interleaved", lambda epochs, repeats: dict.fromkeys(epochs, [1.0] * repeats))
    data: Any = tuple((np.ones((n, 12)), np.eye(4)[np.arange(n) % 4]) for n in (20, 10))
    every = [*speed.PEERS]
    assert [*speed.compare(TINY, data, every, 2)] == ["MyTorch", "flattened NumPy", "gather + products"]
    assert [*speed.compare(TINY, data, ["MyTorch", "PyTorch eager"], 2)] == ["MyTorch"]
    normed = speed.compare(TINY._replace(batch_norm=True), data, every, 2)
    assert normed == {"MyTorch": [1.0, 1.0], "gather + products": [1.0, 1.0]}


def test_a_part_of_the_data_is_its_first_examples() -> None:
    data: Any = tuple((np.arange(n), np.arange(n) + 100) for n in (9, 5))
    ((x, labels), (val_x, val_labels)) = speed.part(data, 4, 2)
    assert [[*array] for array in (x, labels, val_x, val_labels)] == [
        [0, 1, 2, 3], [100, 101, 102, 103], [0, 1], [100, 101]
    ]  # fmt: skip


def test_mnist_is_normalised_by_the_training_set(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.RandomState(0)
    arrays = {
        "train_data": rng.randint(0, 256, (50, 784)).astype(np.uint8),
        "train_labels": np.arange(50) % 10,
        "val_data": np.full((5, 784), 255, np.uint8),
        "val_labels": np.array([3, 1, 4, 1, 5]),
    }
    monkeypatch.setattr(speed, "read", lambda path: arrays)
    (x, labels), (val_x, val_labels) = speed.mnist("float32")
    assert (x.dtype, labels.dtype, val_x.shape, val_labels.argmax(axis=1).tolist()) == (
        *(np.float32, np.float32, (5, 784), [3, 1, 4, 1, 5]),
    )
    assert abs(x.mean()) < 1e-5
    assert abs(x.std() - 1) < 1e-5
    assert val_x.min() > 1


def test_the_report_has_both_tables_and_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    measured: list[Any] = []

    def compare(network: Network, data: Any, names: list[str], repeats: int) -> Any:
        measured.append((str(network), network.dtype, len(data[0][0]), len(data[1][0]), repeats))
        return {name: [1.0] for name in names}

    data: Any = tuple((np.ones((n, 3)), np.ones((n, 2))) for n in (400, 100))
    monkeypatch.setattr(speed, "NETWORKS", [TINY, Network((5,)), TINY._replace(batch_norm=True)])
    monkeypatch.setattr(speed, "GROWTH", [Network((7,))])
    monkeypatch.setattr(speed, "mnist", lambda dtype: data)
    monkeypatch.setattr(speed, "compare", compare)
    monkeypatch.setattr(speed, "memory", lambda dtype, train, val: (2.5, -0.1))
    monkeypatch.setattr(speed, "installed", lambda package: package != "jax")
    monkeypatch.setattr(speed, "version", lambda package: "1.2.3")
    lines = [*speed.report(200, 50, 3)]
    assert measured == [
        ("[8, 6], batches of 50", "float64", 200, 50, 3),
        ("[8, 6] + batch norm, batches of 50", "float64", 200, 50, 3),
        ("[5]", "float32", 200, 50, 3),
        ("[7]", "float32", 20, 5, 3),
    ]
    networks = [line.split(" | ")[0].lstrip("| ") for line in lines if line.startswith("| [")]
    assert networks == ["[8, 6], batches of 50", "[5]", "[8, 6] + batch norm, batches of 50", "[7]"]
    assert "JAX, jitted epoch is left out: jax is not installed." in lines
    assert [line for line in lines if "left out" in line] == ["JAX, jitted epoch is left out: jax is not installed."]
    assert "numpy 1.2.3" in lines[0]
    memory = "Peak memory above the data set, float32: one epoch 2.5 MB, three more -0.1 MB."
    assert (memory in lines) == Path("/proc/self/status").exists()


def test_the_machine_is_named_without_its_host_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    named = speed.machine()
    assert "cores" in named
    assert "OMP_NUM_THREADS=1" in named
    assert f"numpy {np.__version__}" in named
    assert not platform.node() or platform.node() not in named
