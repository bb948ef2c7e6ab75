"""Time an epoch of `get_training_stats` beside other libraries that do the same work, in one run.

Everybody shuffles indices, gathers each batch, takes a step of SGD with momentum on it, and returns mean loss and
error of the training batches and of the validation set. Writes `benchmark.md` and `benchmark.png`.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "data" / "mnist.npz"
sys.path += [str(ROOT / folder) for folder in ("hw1", "autograder/hw1_autograder")]

from sandbox.process import require  # noqa: E402

require("numpy")

import numpy as np  # noqa: E402

import hw1 as nn  # noqa: E402
from homework.mnist import NoData, read  # noqa: E402

Array = Any
Data = tuple[tuple[Array, Array], tuple[Array, Array]]
Epoch = Callable[[], tuple[float, ...]]

LR, MOMENTUM = 0.008, 0.9
REST = 0.2  # seconds before an epoch: the threads of the one before spin for 0.1 s, and would take a core from it


class Network(NamedTuple):
    """What is trained: sigmoid layers of these widths between I inputs and C classes."""

    hiddens: tuple[int, ...]
    dtype: str = "float32"
    batch: int = 100
    batch_norm: bool = False

    def __str__(self) -> str:
        return f"{list(self.hiddens)}{' + batch norm' if self.batch_norm else ''}"

    def parameters(self, data: Data) -> list[tuple[Array, Array]]:
        """Return the (W, b) that every library starts from."""
        (x, labels), _ = data
        sizes = [x.shape[1], *self.hiddens, labels.shape[1]]
        rng = np.random.RandomState(0)
        return [
            ((rng.standard_normal((i, o)) / np.sqrt(i)).astype(self.dtype), np.zeros((1, o), self.dtype))
            for i, o in zip(sizes, sizes[1:])
        ]


def batches(n: int, size: int, shuffled: bool) -> Iterator[Array]:
    """Yield the indices of each batch; the shuffled order is the one `get_training_stats` would take."""
    order = np.arange(n)
    if shuffled:
        np.random.shuffle(order)
    for start in range(0, n, size):
        yield order[start : start + size]


# Each of the following takes a network and the data, and returns a function that trains for one epoch and returns
# (training loss, training error, validation loss, validation error).


def mytorch(network: Network, data: Data) -> Epoch:
    """This library, as the course calls it."""
    (x, labels), _ = data
    weights, biases = zip(*network.parameters(data))
    take_weight, take_bias = iter(weights), iter(biases)
    mlp = nn.MLP(
        x.shape[1],
        labels.shape[1],
        network.hiddens,
        [*(nn.Sigmoid() for _ in network.hiddens), nn.Identity()],
        lambda i, o: next(take_weight),
        lambda o: next(take_bias),
        nn.SoftmaxCrossEntropy(),
        LR,
        momentum=MOMENTUM,
        num_bn_layers=len(network.hiddens) if network.batch_norm else 0,
    )
    return lambda: tuple(float(values[0]) for values in nn.get_training_stats(mlp, data, 1, network.batch))


def flattened(network: Network, data: Data) -> Epoch:
    """The same work as one function of plain NumPy: no classes, no checks, every result in a buffer made once."""
    (x, labels), (val_x, val_labels) = data
    weights, biases = zip(*network.parameters(data))
    parameters = [*weights, *biases]
    velocities, gradients = ([np.zeros_like(array) for array in parameters] for _ in range(2))
    layers = range(len(weights))

    @cache
    def buffers(n: int) -> tuple[Array, ...]:
        """Input and labels of n rows, and for every layer an output, a delta and a scratch array."""
        inputs = (np.empty((n, array.shape[1]), array.dtype) for array in (x, labels))
        *hidden, output = (np.empty((n, weight.shape[1]), x.dtype) for weight in weights)
        # The criterion's lie in Fortran order, as in loss.py.
        deltas, scratch = ([*map(np.empty_like, hidden), np.empty_like(output, order="F")] for _ in range(2))
        return (*inputs, [*hidden, output], deltas, scratch)

    def forward(x: Array, y: Array, outputs: Array, softmax: Array, shifted: Array) -> tuple[Array, Array]:
        """Return the summed loss and the number of wrong rows, and leave softmax(logits) in its buffer."""
        for i in layers:
            x = np.matmul(x, weights[i], out=outputs[i])
            x += biases[i]
            if i < len(weights) - 1:
                np.negative(x, out=x)
                np.exp(x, out=x)
                x += 1
                np.divide(1, x, out=x)
        wrong = np.count_nonzero(x.argmax(axis=1) != y.argmax(axis=1))
        shifted[:] = x
        shifted -= shifted.max(axis=1, keepdims=True)
        np.exp(shifted, out=softmax)
        sums = softmax.sum(axis=1, keepdims=True)
        softmax /= sums
        np.subtract(np.log(sums), shifted, out=shifted)
        shifted *= y
        return shifted.sum(), wrong

    def epoch() -> tuple[float, ...]:
        train_loss = train_error = val_loss = val_error = 0.0
        for rows in batches(len(x), network.batch, shuffled=True):
            inputs, y, outputs, deltas, scratch = buffers(len(rows))
            x.take(rows, axis=0, out=inputs, mode="clip")  # any other mode would fill a buffer of numpy's own first
            labels.take(rows, axis=0, out=y, mode="clip")
            delta = deltas[-1]
            loss, wrong = forward(inputs, y, outputs, delta, scratch[-1])
            train_loss += loss
            train_error += wrong
            delta -= y
            delta /= len(rows)
            for i in reversed(layers):
                below = outputs[i - 1] if i > 0 else inputs
                np.matmul(below.T, delta, out=gradients[i])
                delta.sum(axis=0, keepdims=True, out=gradients[len(weights) + i])
                if i > 0:
                    delta = np.matmul(delta, weights[i].T, out=deltas[i - 1])
                    slope = np.subtract(1, below, out=scratch[i - 1])
                    slope *= below
                    delta *= slope
            for parameter, velocity, gradient in zip(parameters, velocities, gradients):
                velocity *= MOMENTUM
                gradient *= LR
                velocity -= gradient
                parameter += velocity
        for start in range(0, len(val_x), network.batch):
            rows = slice(start, start + network.batch)
            _, _, outputs, deltas, scratch = buffers(len(val_x[rows]))
            loss, wrong = forward(val_x[rows], val_labels[rows], outputs, deltas[-1], scratch[-1])
            val_loss += loss
            val_error += wrong
        n, m = len(x), len(val_x)
        return float(train_loss / n), float(train_error / n), float(val_loss / m), float(val_error / m)

    return epoch


def pytorch(network: Network, data: Data) -> Epoch:
    """PyTorch, eager: nn.Sequential, cross entropy on class numbers, optim.SGD; statistics summed as tensors."""
    import torch

    layers: list[Any] = []
    for weight, bias in network.parameters(data):
        linear = torch.nn.Linear(*weight.shape)
        linear.weight.data = torch.tensor(weight.T.copy())
        linear.bias.data = torch.tensor(bias[0])
        width = weight.shape[1]
        norm = [torch.nn.BatchNorm1d(width, eps=1e-8, dtype=linear.weight.dtype)] if network.batch_norm else []
        layers += [linear, *norm, torch.nn.Sigmoid()]
    del layers[-2 if network.batch_norm else -1 :]
    model = torch.nn.Sequential(*layers)
    optimizer = torch.optim.SGD(model.parameters(), LR, MOMENTUM)
    cross_entropy = torch.nn.functional.cross_entropy
    (x, y), (val_x, val_y) = ((torch.from_numpy(x), torch.from_numpy(labels.argmax(1))) for x, labels in data)

    def epoch() -> tuple[float, ...]:
        train_loss = train_error = val_loss = val_error = torch.zeros(())
        model.train()
        for rows in batches(len(x), network.batch, shuffled=True):
            index = torch.from_numpy(rows)
            target = y.index_select(0, index)
            optimizer.zero_grad()
            output = model(x.index_select(0, index))
            loss = cross_entropy(output, target)
            loss.backward()
            optimizer.step()
            train_loss = train_loss + loss.detach() * len(rows)
            train_error = train_error + (output.detach().argmax(1) != target).sum()
        model.eval()
        with torch.inference_mode():
            for start in range(0, len(val_x), network.batch):
                target = val_y[start : start + network.batch]
                output = model(val_x[start : start + network.batch])
                val_loss = val_loss + cross_entropy(output, target, reduction="sum")
                val_error = val_error + (output.argmax(1) != target).sum()
        n, m = len(x), len(val_x)
        return float(train_loss) / n, float(train_error) / n, float(val_loss) / m, float(val_error) / m

    return epoch


def scikit_learn(network: Network, data: Data) -> Epoch:
    """scikit-learn's MLPClassifier.partial_fit, which does one epoch; it does not offer the training error."""
    from sklearn.neural_network import MLPClassifier

    (x, y), (val_x, val_y) = ((x, labels.argmax(1)) for x, labels in data)
    classes = np.arange(data[0][1].shape[1])
    model = MLPClassifier(
        network.hiddens,
        activation="logistic",
        solver="sgd",
        alpha=0,
        batch_size=network.batch,
        learning_rate_init=LR,
        momentum=MOMENTUM,
        nesterovs_momentum=False,
        random_state=0,
    )

    def epoch() -> tuple[float, ...]:
        model.partial_fit(x, y, classes=classes)
        probabilities = model.predict_proba(val_x)
        right = probabilities[np.arange(len(val_y)), val_y]
        error = np.mean(probabilities.argmax(axis=1) != val_y)
        return float(model.loss_), float("nan"), float(-np.log(right).mean()), float(error)

    return epoch


def jax_jitted(network: Network, data: Data) -> Epoch:
    """JAX with the whole epoch, validation included, in one jitted function that scans over the batches."""
    import jax

    jax.config.update("jax_enable_x64", True)
    jnp = jax.numpy
    (x, y), (val_x, val_y) = ((jnp.asarray(x), jnp.asarray(labels.argmax(1))) for x, labels in data)

    def statistics(parameters: Any, x: Any, y: Any) -> Any:
        for weight, bias in parameters[:-1]:
            x = jax.nn.sigmoid(x @ weight + bias)
        logits = x @ parameters[-1][0] + parameters[-1][1]
        log_softmax = jax.nn.log_softmax(logits)
        losses = -jnp.take_along_axis(log_softmax, y[:, None], axis=1)
        return losses.sum() / len(x), (logits.argmax(1) != y).sum()

    def trained(state: Any, x: Any, y: Any) -> Any:
        (loss, wrong), gradients = jax.value_and_grad(statistics, has_aux=True)(state[0], x, y)
        velocity = jax.tree.map(lambda v, g: MOMENTUM * v - LR * g, state[1], gradients)
        return (jax.tree.map(jnp.add, state[0], velocity), velocity), (loss * len(x), wrong)

    @jax.jit
    def jitted(state: Any, order: Any, x: Any, y: Any, val_x: Any, val_y: Any) -> Any:
        full = len(order) - len(order) % network.batch
        rows = order[:full].reshape(-1, network.batch)
        state, (losses, wrong) = jax.lax.scan(lambda state, rows: trained(state, x[rows], y[rows]), state, rows)
        loss, error = losses.sum(), wrong.sum()
        if full < len(order):
            state, (last_loss, last_wrong) = trained(state, x[order[full:]], y[order[full:]])
            loss, error = loss + last_loss, error + last_wrong
        val_loss, val_error = statistics(state[0], val_x, val_y)
        return state, (loss / len(x), error / len(x), val_loss, val_error / len(val_x))

    parameters = [(jnp.asarray(weight), jnp.asarray(bias)) for weight, bias in network.parameters(data)]
    state = (parameters, jax.tree.map(jnp.zeros_like, parameters))

    def epoch() -> tuple[float, ...]:
        nonlocal state
        (order,) = batches(len(x), len(x), shuffled=True)
        state, stats = jitted(state, order, x, y, val_x, val_y)
        return tuple(float(value) for value in stats)

    return epoch


def floor(network: Network, data: Data) -> Epoch:
    """The gather and the matrix products that no implementation can do without, and nothing else: no statistics."""
    weights = [weight for weight, _ in network.parameters(data)]
    (x, labels), (val_x, _) = data

    def epoch() -> tuple[float, ...]:
        for rows in batches(len(x), network.batch, shuffled=True):
            inputs, delta = [x.take(rows, axis=0)], labels.take(rows, axis=0)
            for weight in weights:
                inputs.append(inputs[-1] @ weight)
            for i in reversed(range(len(weights))):
                inputs[i].T @ delta
                if i > 0:
                    delta = delta @ weights[i].T
        for start in range(0, len(val_x), network.batch):
            out = val_x[start : start + network.batch]
            for weight in weights:
                out = out @ weight
        return ()

    return epoch


class Peer(NamedTuple):
    start: Callable[[Network, Data], Epoch]
    package: str  # to be installed for it
    batch_norm: bool  # whether it is timed with batch norm as well


PEERS = {
    "MyTorch": Peer(mytorch, "numpy", True),
    "flattened NumPy": Peer(flattened, "numpy", False),
    "PyTorch eager": Peer(pytorch, "torch", True),
    "scikit-learn": Peer(scikit_learn, "scikit-learn", False),
    "JAX, jitted epoch": Peer(jax_jitted, "jax", False),
    "gather + products": Peer(floor, "numpy", True),
}
MODULES = {"scikit-learn": "sklearn"}  # where a package's module has another name

NETWORKS = [
    Network((32, 32, 32)),
    Network((64, 64, 32)),
    Network((32, 32, 32), "float64"),
    Network((64, 64, 32), "float64"),
    Network((512, 512)),
    Network((512, 512), "float64"),
    Network((64, 64, 32), batch_norm=True),
]
GROWTH = {
    "width of two hidden layers": {width: Network((width, width)) for width in (16, 32, 64, 128, 256, 512, 1024)},
    "number of hidden layers of 64": {depth: Network((64,) * depth) for depth in (1, 2, 4, 8, 16)},
    "batch size at [64, 64, 32]": {
        batch: Network((64, 64, 32), batch=batch) for batch in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
    },
}
CURVES = ["MyTorch", "PyTorch eager", "gather + products"]


def installed(package: str) -> bool:
    return importlib.util.find_spec(MODULES.get(package, package)) is not None


def mnist(dtype: str) -> Data:
    """Return MNIST's training and validation set, normalised, with one-hot labels."""
    arrays = read(DATA)
    mean, deviation = arrays["train_data"].mean(), arrays["train_data"].std()
    train, val = (
        (
            ((arrays[f"{part}_data"] - mean) / deviation).astype(dtype),
            np.eye(10, dtype=dtype)[arrays[f"{part}_labels"]],
        )
        for part in ("train", "val")
    )
    return train, val


def interleaved(epochs: dict[str, Epoch], repeats: int) -> dict[str, list[float]]:
    """Return the seconds of `repeats` epochs of each, taken in turn after one unmeasured epoch of each.

    A disturbance from outside thus falls on all alike. Who starts a round changes from round to round.
    """
    for epoch in epochs.values():
        epoch()
    seconds: dict[str, list[float]] = {name: [] for name in epochs}
    names = list(epochs)
    for turn in range(repeats):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            time.sleep(REST)
            start = time.perf_counter()
            epochs[name]()
            seconds[name].append(time.perf_counter() - start)
    return seconds


def compare(network: Network, data: Data, names: list[str], repeats: int) -> dict[str, list[float]]:
    """Return the seconds an epoch of every library in `names` that is installed and has this network."""
    chosen = {name: PEERS[name] for name in names if installed(PEERS[name].package)}
    chosen = {name: peer for name, peer in chosen.items() if peer.batch_norm or not network.batch_norm}
    return interleaved({name: peer.start(network, data) for name, peer in chosen.items()}, repeats)


def table(results: dict[Network, dict[str, list[float]]]) -> str:
    """Return how MyTorch compares with the others, and the seconds, as two tables in Markdown."""
    names = [name for name in PEERS if any(name in seconds for seconds in results.values())]
    others = [name for name in names if name != "MyTorch"]

    def rows(header: list[str], cell: Callable[[dict[str, list[float]], str], str]) -> list[str]:
        lines = [["network", "dtype", *header], ["---"] * (2 + len(header))]
        for network, seconds in results.items():
            lines.append(
                [str(network), network.dtype, *(cell(seconds, name) if name in seconds else "" for name in header)]
            )
        return ["| " + " | ".join(line) + " |" for line in lines]

    def verdict(seconds: dict[str, list[float]], name: str) -> str:
        own, other = np.array(seconds["MyTorch"]), np.array(seconds[name])
        faster = min(other) > min(own)
        how, above, below = ("faster", other, own) if faster else ("its time", own, other)
        low, high = np.percentile(above / below, [25, 75])
        return f"{min(above) / min(below):.2f}x {how} ({low:.2f} to {high:.2f})"

    def least(seconds: dict[str, list[float]], name: str) -> str:
        return f"{min(seconds[name]):.3f} ({np.median(seconds[name]):.3f})"

    return "\n".join(
        [
            "MyTorch beside the others, by the least time of each (the middle half of the rounds):",
            "",
            *rows(others, verdict),
            "",
            "Seconds an epoch, least (median):",
            "",
            *rows(names, least),
        ]
    )


def draw(curves: dict[str, dict[int, dict[str, list[float]]]], examples: int, path: Path) -> None:
    """Save the growth curves: microseconds an example, least of the repeats."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(15, 4.6), layout="constrained")
    all_axes = figure.subplots(1, len(curves), sharey=True)
    for axes, (title, points) in zip(all_axes, curves.items()):
        for name in CURVES:
            line = {size: min(seconds[name]) for size, seconds in points.items() if name in seconds}
            if line:
                style = "--" if name == "gather + products" else "-"
                axes.plot(
                    list(line), [1e6 * value / examples for value in line.values()], style, marker="o", label=name
                )
        axes.set(xscale="log", yscale="log", xlabel=title)
        axes.set_xticks(list(points), [str(size) for size in points], rotation=45)
        axes.minorticks_off()
        axes.grid(alpha=0.4)
    all_axes[0].set_ylabel("training time, microseconds an example")
    all_axes[0].legend()
    figure.savefig(path, dpi=110)


def in_subprocess(code: str, *arguments: str, **variables: str) -> str:
    """Return what `code` prints in a fresh interpreter that finds the project and this module."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(Path(__file__).parent)]), **variables}
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout


def peak() -> float:
    """Return the most memory in MB that this process ever held: Linux's own count, which starts anew with exec."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def peaks(dtype: str, train: int, val: int) -> tuple[float, float, float]:
    """Return the peak memory in MB before training, after one epoch and after three more; for a process of its own."""

    def partition(n: int) -> tuple[Array, Array]:
        x = np.empty((n, 784), dtype)
        np.random.default_rng(0).random(out=x, dtype=x.dtype)  # in place: the peak so far is the data set itself
        return x, np.eye(10, dtype=dtype)[np.arange(n) % 10]

    epoch = mytorch(Network((64, 64, 32), dtype), (partition(train), partition(val)))
    before = peak()
    epoch()
    one = peak()
    for _ in range(3):
        epoch()
    return before, one, peak()


def memory(dtype: str, train: int, val: int) -> tuple[float, float]:
    """Return by how many MB one epoch of training raises the peak above the data set, and three more raise that."""
    code = "import sys, benchmark; print(*benchmark.peaks(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))"
    before, one, four = (float(value) for value in in_subprocess(code, dtype, str(train), str(val)).split())
    return one - before, four - one


def import_seconds(repeats: int) -> dict[str, float]:
    """Return the least seconds of `import numpy` and of `import mytorch` in fresh interpreters, taken in turn.

    The first of each is not counted: it compiles the modules, as an installation does.
    """
    code = "import sys, time; start = time.perf_counter(); __import__(sys.argv[1]); print(time.perf_counter() - start)"
    seconds: dict[str, list[float]] = {"numpy": [], "mytorch": []}
    with tempfile.TemporaryDirectory() as compiled:
        variables = {"PYTHONPYCACHEPREFIX": compiled, "PYTHONDONTWRITEBYTECODE": ""}
        for _ in range(1 + repeats):
            for module, values in seconds.items():
                values.append(float(in_subprocess(code, module, **variables)))
    return {module: min(values[1:]) for module, values in seconds.items()}


def machine() -> str:
    """Return processor, cores, versions, and threads where they are limited, in one line."""
    processor = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [
            line.split(":", 1)[1].strip() for line in cpuinfo.read_text().splitlines() if line[:10] == "model name"
        ]
        processor = names[0] if names else processor
    packages = dict.fromkeys(peer.package for peer in PEERS.values())
    versions = [f"{package} {version(package)}" for package in packages if installed(package)]
    threads = [f"{name}={os.environ[name]}" for name in ("OMP_NUM_THREADS", "XLA_FLAGS") if name in os.environ]
    python = f"{platform.system()}, Python {platform.python_version()}"
    return ", ".join([processor, f"{os.cpu_count()} cores", python, *versions, *threads])


def part(data: Data, train: int, val: int) -> Data:
    """Return the first examples of both sets."""
    (x, labels), (val_x, val_labels) = data
    return (x[:train], labels[:train]), (val_x[:val], val_labels[:val])


def report(networks: list[Network], train: int, val: int, repeats: int) -> Iterator[str]:
    """Yield the lines of benchmark.md."""
    yield f"Measured on {machine()}."
    yield f"MNIST, {train} + {val} examples, batches of 100; {repeats} interleaved repeats."
    yield ""
    for name, peer in PEERS.items():
        if not installed(peer.package):
            yield f"{name} is left out: {peer.package} is not installed.\n"
    results = {}
    for dtype in ("float32", "float64"):
        data = part(mnist(dtype), train, val)
        for network in (network for network in networks if network.dtype == dtype):
            results[network] = compare(network, data, list(PEERS), repeats)
            print(
                network, dtype, {name: round(min(values), 3) for name, values in results[network].items()}, flush=True
            )
    yield table({network: results[network] for network in networks})
    yield ""
    if Path("/proc/self/status").exists():
        for dtype in ("float32", "float64"):
            one, more = memory(dtype, train, val)
            yield f"Peak memory above the data set, {dtype}: one epoch {one:.1f} MB, three more {more:+.1f} MB.\n"
    imports = import_seconds(2 * repeats)
    added = imports["mytorch"] / imports["numpy"] - 1
    yield f"`import mytorch` takes {imports['mytorch']:.4f} s, {added:+.1%} beside `import numpy`."


def growth(data: Data, repeats: int) -> dict[str, dict[int, dict[str, list[float]]]]:
    """Return the seconds of an epoch for each size of each sweep of GROWTH."""
    curves: dict[str, dict[int, dict[str, list[float]]]] = {}
    for title, networks in GROWTH.items():
        curves[title] = {}
        for size, network in networks.items():
            curves[title][size] = compare(network, data, CURVES, repeats)
            print(
                title, size, {name: round(min(values), 3) for name, values in curves[title][size].items()}, flush=True
            )
    return curves


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--repeats", type=int, default=9, help="measured epochs of each library (default: %(default)s)")
    parser.add_argument("--quick", action="store_true", help="a tenth of the examples, three repeats")
    parser.add_argument("--outpath", type=Path, default=Path(__file__).parent, help="folder for the two files")
    options = parser.parse_args(argv)
    train, val, repeats = (5_500, 500, 3) if options.quick else (55_000, 5_000, options.repeats)

    options.outpath.mkdir(parents=True, exist_ok=True)
    try:
        read(DATA)  # or it would show after minutes
    except NoData as error:
        print(f"benchmark.py: {error}", file=sys.stderr)
        return 2
    text = "\n".join(report(NETWORKS, train, val, repeats)) + "\n"
    (options.outpath / "benchmark.md").write_text(text, encoding="utf-8")
    print(text)
    if installed("matplotlib"):
        examples = 550 if options.quick else 5_000
        draw(growth(part(mnist("float32"), examples, 500), repeats), examples, options.outpath / "benchmark.png")
    else:
        print("The curves are left out: matplotlib is not installed.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
