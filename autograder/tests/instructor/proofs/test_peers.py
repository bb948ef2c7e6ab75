"""The peers do the same work: on tiny networks, each gives the statistics that this library gives."""

from __future__ import annotations

import importlib.util
import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from proofs import peers
from proofs.peers import Network

TINY = Network((8, 6), "float64", batch=50)
NETWORKS = [TINY, Network((), "float64", batch=230), Network((5,), "float64", batch=1)]


def partition(n: int, seed: int) -> Any:
    """Examples that can be learned."""
    rng = np.random.RandomState(seed)
    classes = rng.randint(4, size=n)
    return rng.standard_normal((n, 12)) + 3 * np.eye(4, 12)[classes], np.eye(4)[classes]


DATA: Any = partition(230, 0), partition(57, 1)  # numbers that the batch size does not divide


def two_epochs(name: str, network: Network, data: Any = DATA) -> Any:
    epoch = peers.PEERS[name].start(network, data)
    np.random.seed(0)
    epoch()
    return epoch()


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize(("peer", "package"), [("flattened NumPy", "numpy"), ("PyTorch eager", "torch")])
def test_a_peer_that_starts_alike_gets_the_same_statistics(peer: str, package: str, network: Network) -> None:
    pytest.importorskip(package, reason=f"{package}, which is timed, is not installed")
    assert two_epochs(peer, network) == pytest.approx(two_epochs("MyTorch", network), rel=1e-9)


def test_pytorch_with_batch_norm_learns_about_as_much(torch: Any) -> None:
    # Not the same: its gradients of gamma and beta are means, and its running variance is the unbiased one.
    network = TINY._replace(batch_norm=True)
    assert two_epochs("PyTorch eager", network) == pytest.approx(two_epochs("MyTorch", network), abs=0.1)


def test_scikit_learn_learns_about_as_much() -> None:
    pytest.importorskip("sklearn", reason="scikit-learn, which is timed, is not installed")
    loss, error, val_loss, val_error = two_epochs("scikit-learn", TINY)
    expected = two_epochs("MyTorch", TINY)
    assert (loss, val_loss) == pytest.approx(expected[::2], abs=0.2)
    assert np.isnan(error)
    assert 0 <= val_error <= 1


# ---------------------------------------------------------------- JAX, or what stands for it

STEP = 1e-6  # of the differences that stand for gradients


def value_and_grad(function: Any, has_aux: bool) -> Any:
    """Of a function of [(W, b), …] and data: its value, and central differences by every number of the parameters."""
    assert has_aux

    def evaluated(parameters: Any, *data: Any) -> Any:
        def slope(array: Any, place: tuple[int, ...]) -> float:
            kept, values = array[place], []
            for shifted in (kept + STEP, kept - STEP):
                array[place] = shifted
                values.append(function(parameters, *data)[0])
            array[place] = kept
            return (values[0] - values[1]) / (2 * STEP)

        def slopes(array: Any) -> Any:
            return np.array([slope(array, place) for place in np.ndindex(array.shape)]).reshape(array.shape)

        parameters = tree_map(np.copy, parameters)
        return function(parameters, *data), tree_map(slopes, parameters)

    return evaluated


def tree_map(function: Any, *trees: Any) -> Any:
    if isinstance(trees[0], np.ndarray):
        return function(*trees)
    return type(trees[0])(tree_map(function, *parts) for parts in zip(*trees))


def scan(function: Any, state: Any, rows: Any) -> Any:
    outputs = []
    for row in rows:
        state, output = function(state, row)
        outputs.append(output)
    return state, tuple(map(np.array, zip(*outputs)))


def log_softmax(logits: Any) -> Any:
    shifted = logits - logits.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


STAND_IN = SimpleNamespace(
    config=SimpleNamespace(update=lambda name, value: None),
    numpy=np,
    nn=SimpleNamespace(sigmoid=lambda z: 1 / (1 + np.exp(-z)), log_softmax=log_softmax),
    jit=lambda function: function,
    lax=SimpleNamespace(scan=scan),
    tree=SimpleNamespace(map=tree_map),
    value_and_grad=value_and_grad,
)


@pytest.mark.parametrize("network", [TINY, Network((), "float64", batch=50), Network((5,), "float64", batch=230)])
def test_a_jitted_epoch_gets_the_same_statistics(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    if importlib.util.find_spec("jax") is None:
        monkeypatch.setitem(sys.modules, "jax", STAND_IN)  # type: ignore[arg-type]
    assert two_epochs("JAX, jitted epoch", network) == pytest.approx(two_epochs("MyTorch", network), rel=1e-6)


# ---------------------------------------------------------------- the unavoidable part


class Counted(np.ndarray):
    """An array that writes down the shapes of every matrix product that it takes part in."""

    products: list[tuple[int, ...]]

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        plain = [np.asarray(value) for value in inputs]
        if ufunc is np.matmul:
            Counted.products.append((*plain[0].shape, plain[1].shape[1]))
        result = getattr(ufunc, method)(*plain, **options)
        return result.view(Counted) if isinstance(result, np.ndarray) else result


def test_the_unavoidable_part_is_the_products_of_both_passes_and_of_the_validation() -> None:
    data: Any = tuple(tuple(array.view(Counted) for array in part) for part in DATA)
    Counted.products = []
    assert peers.floor(TINY, data)() == ()
    expected = []
    for n in (50, 50, 50, 50, 30):
        expected += [(n, 12, 8), (n, 8, 6), (n, 6, 4)]  # forward
        expected += [(6, n, 4), (n, 4, 6), (8, n, 6), (n, 6, 8), (12, n, 8)]  # backward: no dx of the first layer
    for n in (50, 7):
        expected += [(n, 12, 8), (n, 8, 6), (n, 6, 4)]
    assert Counted.products == expected


def test_the_unavoidable_part_reads_every_row_once(monkeypatch: pytest.MonkeyPatch) -> None:
    rows: list[int] = []
    batches = peers.batches

    def watched(n: int, size: int, shuffled: bool) -> Any:
        for batch in batches(n, size, shuffled):
            rows.extend(batch)
            yield batch

    monkeypatch.setattr(peers, "batches", watched)
    peers.floor(TINY, DATA)()
    assert sorted(rows) == list(range(230)) != rows


def test_a_network_is_named_by_what_it_differs_in() -> None:
    assert str(Network((64, 32))) == "[64, 32]"
    assert str(Network((), batch_norm=True)) == "[] + batch norm"
    assert str(Network((8,), batch=5)) == "[8], batches of 5"


def test_a_package_is_found_by_the_name_of_its_module() -> None:
    assert peers.installed("numpy")
    assert not peers.installed("no-such-package")
    assert peers.installed("scikit-learn") == (importlib.util.find_spec("sklearn") is not None)
