"""Times an epoch of `get_training_stats` beside other libraries that do the same work, in one run."""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import numpy as np

from grading.settings import MNIST
from homework.mnist import CLASSES, read
from proofs.memory import memory
from proofs.peers import PEERS, Data, Epoch, Network, installed

REST = 0.2  # seconds before an epoch: the threads of the one before spin for 0.1 s, and would take a core from it
OURS = "MyTorch"
Seconds = dict[str, list[float]]  # of each round, by the peer's name

NETWORKS = [
    Network((32, 32, 32)),
    Network((64, 64, 32)),
    Network((32, 32, 32), "float64"),
    Network((64, 64, 32), "float64"),
    Network((512, 512)),
    Network((512, 512), "float64"),
    Network((64, 64, 32), batch_norm=True),
]
# How time grows with width, depth and batch size, beside a few of the peers.
GROWTH = [
    *(Network((width, width)) for width in (16, 32, 64, 128, 256, 512, 1024)),
    *(Network((64,) * depth) for depth in (1, 4, 8, 16)),
    *(Network((64, 64, 32), batch=batch) for batch in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)),
]
GROWTH_PEERS = [OURS, "PyTorch eager", "gather + products"]


def report(train: int, val: int, repeats: int) -> Iterator[str]:
    """Yield the lines of the whole measurement, in Markdown."""
    yield f"Measured on {machine()}."
    yield f"MNIST, {train} + {val} examples (a tenth of them in the second table); {repeats} interleaved repeats."
    for name, peer in PEERS.items():
        if not installed(peer.package):
            yield f"{name} is left out: {peer.package} is not installed."
    yield ""
    yield from table(measured(NETWORKS, list(PEERS), train, val, repeats))
    yield ""
    yield from table(measured(GROWTH, GROWTH_PEERS, train // 10, val // 10, repeats))
    yield ""
    if Path("/proc/self/status").exists():
        for dtype in ("float32", "float64"):
            first, more = memory(dtype, train, val)
            yield f"Peak memory above the data set, {dtype}: one epoch {first:.1f} MB, three more {more:+.1f} MB."


def measured(networks: list[Network], names: list[str], train: int, val: int, repeats: int) -> dict[Network, Seconds]:
    """Return the seconds of an epoch of every network; how far it is goes to standard error."""
    results = {}
    for dtype in dict.fromkeys(network.dtype for network in networks):
        data = part(mnist(dtype), train, val)
        for network in (network for network in networks if network.dtype == dtype):
            results[network] = compare(network, data, names, repeats)
            medians = {name: round(float(np.median(values)), 3) for name, values in results[network].items()}
            print(network, network.dtype, medians, file=sys.stderr, flush=True)
    return {network: results[network] for network in networks}


def compare(network: Network, data: Data, names: list[str], repeats: int) -> Seconds:
    """Return the seconds an epoch of every library in `names` that is installed and has this network."""
    chosen = {name: PEERS[name] for name in names if installed(PEERS[name].package)}
    chosen = {name: peer for name, peer in chosen.items() if peer.batch_norm or not network.batch_norm}
    return interleaved({name: peer.start(network, data) for name, peer in chosen.items()}, repeats)


def interleaved(epochs: dict[str, Epoch], repeats: int) -> Seconds:
    """Return the seconds of `repeats` epochs of each, taken in turn after one unmeasured epoch of each.

    A disturbance from outside thus falls on all alike. Who starts a round changes from round to round.
    """
    for epoch in epochs.values():
        epoch()
    seconds: Seconds = {name: [] for name in epochs}
    names = list(epochs)
    for turn in range(repeats):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            time.sleep(REST)
            start = time.perf_counter()
            epochs[name]()
            seconds[name].append(time.perf_counter() - start)
    return seconds


def table(results: dict[Network, Seconds]) -> Iterator[str]:
    """Yield a table of how many times as long as MyTorch's an epoch of each of the others takes."""
    others = [name for name in PEERS if name != OURS and any(name in seconds for seconds in results.values())]
    yield f"| network | dtype | {' | '.join(others)} |"
    yield "| --- " * (2 + len(others)) + "|"
    for network, seconds in results.items():
        cells = [ratio(seconds[name], seconds[OURS]) if name in seconds else "" for name in others]
        yield f"| {' | '.join([str(network), network.dtype, *cells])} |"


def ratio(seconds: list[float], ours: list[float]) -> str:
    """The median of the ratios of one round's times, and their middle half."""
    low, middle, high = np.percentile(np.array(seconds) / np.array(ours), [25, 50, 75])
    return f"{middle:.2f} ({low:.2f} to {high:.2f})"


def mnist(dtype: str) -> Data:
    """Return MNIST's training and validation set, normalised, with one-hot labels."""
    arrays = read(MNIST)
    mean, deviation = arrays["train_data"].mean(), arrays["train_data"].std()
    train, val = (
        (
            ((arrays[f"{name}_data"] - mean) / deviation).astype(dtype),
            np.eye(CLASSES, dtype=dtype)[arrays[f"{name}_labels"]],
        )
        for name in ("train", "val")
    )
    return train, val


def part(data: Data, train: int, val: int) -> Data:
    """Return the first examples of both sets."""
    (x, labels), (val_x, val_labels) = data
    return (x[:train], labels[:train]), (val_x[:val], val_labels[:val])


def machine() -> str:
    """Return processor, cores, versions, and threads where they are limited, in one line."""
    processor = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        models = [line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        processor = models[0].split(":", 1)[1].strip() if models else processor
    packages = dict.fromkeys(peer.package for peer in PEERS.values())
    versions = [f"{package} {version(package)}" for package in packages if installed(package)]
    threads = [f"{name}={os.environ[name]}" for name in ("OMP_NUM_THREADS", "XLA_FLAGS") if name in os.environ]
    python = f"{platform.system()}, Python {platform.python_version()}"
    return ", ".join([processor, f"{os.cpu_count()} cores", python, *versions, *threads])
