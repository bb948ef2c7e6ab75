"""The benchmark's pieces on tiny networks: the peers do the same work, and what is written says what was measured."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import benchmark
from benchmark import Network

TINY = Network((8, 6), "float64", batch=50)


@pytest.fixture(autouse=True)
def restless(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests ask what is measured, not how fast it is."""
    monkeypatch.setattr(benchmark, "REST", 0)


@pytest.fixture(scope="module")
def data() -> Any:
    """Examples that can be learned, in numbers that the batch size does not divide."""
    rng = np.random.RandomState(0)

    def partition(n: int) -> Any:
        classes = rng.randint(4, size=n)
        return rng.standard_normal((n, 12)) + 3 * np.eye(4, 12)[classes], np.eye(4)[classes]

    return partition(230), partition(57)


def two_epochs(name: str, network: Network, data: Any) -> Any:
    epoch = benchmark.PEERS[name].start(network, data)
    np.random.seed(0)
    epoch()
    return epoch()


@pytest.mark.parametrize("network", [TINY, Network((), "float64", batch=230), Network((5,), "float64", batch=1)])
@pytest.mark.parametrize(
    ("peer", "package"), [("flattened NumPy", "numpy"), ("PyTorch eager", "torch"), ("JAX, jitted epoch", "jax")]
)
def test_a_peer_that_starts_alike_gets_the_same_statistics(peer: str, package: str, network: Any, data: Any) -> None:
    pytest.importorskip(package, reason=f"{package}, which is timed, is not installed")
    assert two_epochs(peer, network, data) == pytest.approx(two_epochs("MyTorch", network, data), rel=1e-9)


def test_pytorch_with_batch_norm_learns_about_as_much(torch: Any, data: Any) -> None:
    # Not the same: its gradients of gamma and beta are means, and its running variance is the unbiased one.
    network = TINY._replace(batch_norm=True)
    assert two_epochs("PyTorch eager", network, data) == pytest.approx(two_epochs("MyTorch", network, data), abs=0.1)


def test_scikit_learn_learns_about_as_much(data: Any) -> None:
    pytest.importorskip("sklearn", reason="scikit-learn, which is timed, is not installed")
    loss, error, val_loss, val_error = two_epochs("scikit-learn", TINY, data)
    expected = two_epochs("MyTorch", TINY, data)
    assert (loss, val_loss) == pytest.approx(expected[::2], abs=0.2)
    assert np.isnan(error)
    assert 0 <= val_error <= 1


def test_the_floor_has_no_statistics(data: Any) -> None:
    assert benchmark.floor(TINY, data)() == ()


def test_peers_take_turns_after_one_unmeasured_epoch_of_each() -> None:
    calls: list[str] = []
    epochs: Any = {name: lambda name=name: calls.append(name) for name in "abc"}
    seconds = benchmark.interleaved(epochs, 4)
    assert "".join(calls) == "abc" + "abc" + "bca" + "cab" + "abc"
    assert {name: len(values) for name, values in seconds.items()} == {"a": 4, "b": 4, "c": 4}
    assert all(value >= 0 for values in seconds.values() for value in values)


def test_the_table_compares_least_times_and_says_how_the_rounds_spread() -> None:
    plain, normed = Network((4,)), Network((4,), batch_norm=True)
    seconds = {"MyTorch": [2.0, 1.0, 3.0], "PyTorch eager": [6.0, 2.0, 5.0], "gather + products": [0.5, 1.0, 1.0]}
    without = {name: seconds[name] for name in ("MyTorch", "gather + products")}
    lines = benchmark.table({plain: seconds, normed: without}).splitlines()
    assert "| network | dtype | PyTorch eager | gather + products |" in lines
    assert "| [4] | float32 | 2.00x faster (1.83 to 2.50) | 2.00x its time (2.00 to 3.50) |" in lines
    assert "| [4] + batch norm | float32 |  | 2.00x its time (2.00 to 3.50) |" in lines
    assert "| [4] | float32 | 1.000 (2.000) | 2.000 (5.000) | 0.500 (1.000) |" in lines


needs_linux = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak is read from /proc")


@needs_linux
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_training_neither_copies_the_data_set_nor_grows(dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    one, more = benchmark.memory(dtype, 6_000, 500)
    assert one < 10  # MB, beside a data set of 20 or 40
    assert more < 2


@needs_linux
def test_a_second_copy_of_the_data_set_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    code = (
        "import benchmark; train = benchmark.nn.get_training_stats; "
        "benchmark.nn.get_training_stats = lambda mlp, data, *rest: (data[0][0].copy(), train(mlp, data, *rest))[1]; "
        "print(*benchmark.peaks('float64', 6_000, 100))"
    )
    before, one, _ = (float(value) for value in benchmark.in_subprocess(code).split())
    assert one - before > 35  # MB


def test_mytorch_imports_in_the_time_of_numpy_and_little_more() -> None:
    seconds = benchmark.import_seconds(1)
    assert set(seconds) == {"numpy", "mytorch"}
    assert min(seconds.values()) > 0


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch, data: Any) -> None:
    """Let the whole benchmark run in a moment."""
    typed = {dtype: [(x.astype(dtype), y.astype(dtype)) for x, y in data] for dtype in ("float32", "float64")}
    monkeypatch.setattr(benchmark, "NETWORKS", [TINY, Network((5,), batch_norm=True)])
    monkeypatch.setattr(
        benchmark, "GROWTH", {"width": {4: Network((4,)), 8: Network((8,))}, "batch": {9: Network((8, 6), batch=9)}}
    )
    monkeypatch.setattr(benchmark, "mnist", lambda dtype: typed[dtype])
    monkeypatch.setattr(benchmark, "memory", lambda dtype, train, val: (2.5, 0.0))
    monkeypatch.setattr(benchmark, "import_seconds", lambda repeats: {"numpy": 0.1, "mytorch": 0.101})


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # between matplotlib and its dependencies
@pytest.mark.usefixtures("tiny")
def test_a_run_writes_the_table_and_the_curves(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib.figure", reason="matplotlib draws the curves")
    benchmark.main(["--quick", "--outpath", str(tmp_path / "new")])
    text = (tmp_path / "new" / "benchmark.md").read_text(encoding="utf-8")
    assert "| [8, 6] | float64 |" in text
    assert "one epoch 2.5 MB" in text or not Path("/proc/self/status").exists()
    assert "+1.0% beside `import numpy`" in text
    assert f"numpy {np.__version__}" in text
    assert (tmp_path / "new" / "benchmark.png").read_bytes()[:4] == b"\x89PNG"


@pytest.mark.usefixtures("tiny")
def test_a_peer_that_is_not_installed_is_left_out_with_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(benchmark, "installed", lambda package: package == "numpy")
    benchmark.main(["--quick", "--outpath", str(tmp_path)])
    text = (tmp_path / "benchmark.md").read_text(encoding="utf-8")
    for name in ("PyTorch eager", "scikit-learn", "JAX, jitted epoch"):
        assert f"{name} is left out" in text
    assert "| network | dtype | flattened NumPy | gather + products |" in text
    assert "matplotlib is not installed" in capsys.readouterr().out
    assert not (tmp_path / "benchmark.png").exists()


def test_the_machine_is_named_without_its_host_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    named = benchmark.machine()
    assert "cores" in named
    assert "OMP_NUM_THREADS=1" in named
    assert not platform.node() or platform.node() not in named
