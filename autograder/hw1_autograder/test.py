"""Trains the network of hw1/hw1.py on MNIST and saves four plots of its training (writeup, section 3.6).

Whatever could fail is checked before the first epoch. Exit status: 0 for four plots, 1 for a mistake in the
submission, 2 when nothing could be trained or saved, 130 after Ctrl-C.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from sandbox import ending, system  # noqa: E402

if __name__ == "__main__":
    ending.begin("Interrupted: no plots were written")  # before the imports, which take time

import argparse  # noqa: E402
import importlib  # noqa: E402
import math  # noqa: E402
import traceback  # noqa: E402
from typing import Any, Callable  # noqa: E402

INSTALL = f"To install what this needs: {sys.executable} -m pip install numpy matplotlib tqdm"
try:
    import numpy as np
except ImportError as missing:
    print(f"{missing}. {INSTALL}", file=sys.stderr)
    sys.exit(2)

from homework.mnist import CLASSES, PIXELS, NoData, read  # noqa: E402
from homework.plots import PLOTS  # noqa: E402

os.environ["MPLBACKEND"] = "Agg"  # no window is needed, nor a screen

ROOT = HERE.parents[1]
DATA = ROOT / "data" / "mnist.npz"
GRADERS_OWN = ("homework", "sandbox")
ACTIVATIONS = {"sigmoid": "Sigmoid", "tanh": "Tanh", "relu": "ReLU"}

Partition = tuple[np.ndarray, np.ndarray]


class Failure(Exception):
    """Why there will be no plots, in words for the student."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


def number(kind: type, accepts: Callable[[Any], bool], needed: str) -> Callable[[str], Any]:
    """Return an argparse type: a `kind` that `accepts` takes, or an error that says what is needed."""

    def parse(text: str) -> Any:
        try:
            value = kind(text)
        except ValueError:
            value = None
        if value is None or not accepts(value):
            raise argparse.ArgumentTypeError(f"needs {needed}, got {text!r}")
        return value

    return parse


def parse_options(arguments: list[str] | None) -> argparse.Namespace:
    size = number(int, lambda value: value >= 1, "a whole number from 1 on")
    rate = number(float, lambda value: 0 < value < math.inf, "a number above 0")
    share = number(float, lambda value: 0 <= value < 1, "a number from 0 to below 1")
    count = number(int, lambda value: value >= 0, "a whole number from 0 on")
    seed = number(int, lambda value: 0 <= value < 2**32, "a whole number from 0 to 2**32 - 1")

    parser = argparse.ArgumentParser(
        description="Train the network of hw1/hw1.py on MNIST and plot its training.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("--outpath", type=Path, default=ROOT / "hw1", help="folder for the plots, made if there is none")
    add("--epochs", type=size, default=10, help="passes over the training set")
    add("--batch-size", type=size, default=100, help="examples a step")
    add("--hiddens", type=size, nargs="*", default=[64, 64, 32], help="units of each hidden layer; none for linear")
    add("--activation", choices=ACTIVATIONS, default="sigmoid", help="of the hidden layers")
    add("--lr", type=rate, default=0.008, help="learning rate")
    add("--momentum", type=share, default=0.9, help="share of the last step that the next one keeps")
    add("--bn-layers", type=count, default=0, help="how many layers, from the first on, are batch-normalised")
    add("--seed", type=seed, default=11785, help="of the first weights and of the shuffling")
    add("--dtype", choices=["float32", "float64"], default="float32", help="of the data and the parameters")
    options = parser.parse_args(arguments)

    layers = len(options.hiddens) + 1
    if options.bn_layers > layers:
        parser.error(
            f"argument --bn-layers: needs at most {layers}, the layers of the network, got {options.bn_layers}"
        )
    return options


def load_data(dtype: str) -> tuple[Partition, Partition, Partition]:
    """Return the training, validation and test partition: images (N, 784), labels (N, 10) one-hot.

    All images are normalised with the mean and the deviation of the training set's.
    """
    try:
        arrays = read(DATA)
    except NoData as error:
        raise Failure(str(error), 2) from None
    # Python's floats: they leave float32 what it is, which numpy's float64 scalars do not.
    mean, deviation = float(arrays["train_data"].mean()), float(arrays["train_data"].std())

    def partition(name: str) -> Partition:
        images = (arrays[f"{name}_data"].astype(dtype) - mean) / deviation
        return images, np.eye(CLASSES, dtype=dtype)[arrays[f"{name}_labels"]]

    return partition("train"), partition("val"), partition("test")


def find_plotting() -> None:
    """Raise Failure unless there is what draws the bar and the plots."""
    try:
        import matplotlib.figure  # noqa: F401
        import tqdm  # type: ignore[import-untyped]  # noqa: F401
    except ImportError as missing:
        raise Failure(f"{missing}. {INSTALL}", 2) from None


def call_submission(doing: str, function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    """Return what the submission's function returns; its exception becomes a Failure that shows its own lines."""
    try:
        return function(*arguments, **named)
    except (Exception, SystemExit) as error:
        own = (str(ROOT / "hw1") + os.sep, str(ROOT / "mytorch") + os.sep)
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith(own)]
        lines = [f"Your code stopped while {doing}:\n"]
        lines += traceback.format_list(frames)
        lines += traceback.format_exception_only(type(error), error)
        raise Failure("".join(lines).rstrip(), 1) from None


def import_submission() -> tuple[Any, Any, Any]:
    """Return the modules hw1, activation and loss of this project, imported in the course's way."""
    if not (ROOT / "hw1" / "hw1.py").is_file():
        raise Failure(f"{ROOT / 'hw1' / 'hw1.py'} is missing", 2)
    # Names belong to the student: this folder's own modules make room, and theirs stand at the end of the path.
    sys.path[:] = [path for path in sys.path if Path(path).resolve() != HERE]
    for name in [name for name in sys.modules if name.partition(".")[0] in GRADERS_OWN]:
        del sys.modules[name]
    sys.path += [str(ROOT / "mytorch"), str(ROOT / "hw1")]
    hw1, activation, loss = (
        call_submission(f"{name}.py was imported", importlib.import_module, name)
        for name in ("hw1", "activation", "loss")
    )
    return hw1, activation, loss


def build_network(options: argparse.Namespace, hw1: Any, activation: Any, loss: Any) -> Any:
    """Return the submission's MLP as the options describe it."""

    def weights(inputs: int, outputs: int) -> np.ndarray:
        # Scaled by the inputs, so that a layer's output neither fades nor grows with its width (He et al., 2015).
        return np.random.normal(0, math.sqrt(2 / inputs), (inputs, outputs)).astype(options.dtype)

    def biases(outputs: int) -> np.ndarray:
        return np.zeros((1, outputs), options.dtype)

    def build() -> Any:
        hidden = getattr(activation, ACTIVATIONS[options.activation])
        return hw1.MLP(
            PIXELS,
            CLASSES,
            options.hiddens,
            [hidden() for _ in options.hiddens] + [activation.Identity()],
            weights,
            biases,
            loss.SoftmaxCrossEntropy(),
            options.lr,
            momentum=options.momentum,
            num_bn_layers=options.bn_layers,
        )

    return call_submission("the network was built", build)


def prepare_folder(folder: Path) -> None:
    """Make the folder for the plots; raise Failure unless they can be written there."""
    try:
        if folder.exists() and not folder.is_dir():
            raise Failure(f"--outpath {folder} is a file: it has to be a folder", 2)
        folder.mkdir(parents=True, exist_ok=True)
        with ending.folder(str(folder), ".plots-"):
            pass
    except OSError as error:
        raise Failure(f"--outpath {folder} cannot be written to: {error.strerror}", 2) from None
    for name, *_ in PLOTS:
        if (folder / name).is_dir():
            raise Failure(f"--outpath {folder} cannot take the plots: {name} is a folder there", 2)


def train(mlp: Any, get_training_stats: Any, data: Any, epochs: int, batch_size: int) -> list[np.ndarray]:
    """Return the four statistics (epochs,), with a progress bar that counts the network's steps.

    Where no terminal shows the bar, each epoch is a line.
    """
    from tqdm import tqdm

    steps, taken = math.ceil(len(data[0][0]) / batch_size), 0  # an epoch's, and all until now
    with tqdm(total=epochs * steps, unit="batch", dynamic_ncols=True, disable=None) as bar:
        network = type(mlp)
        step = call_submission("looking for the step of the network", getattr, network, "step")

        # The bar hangs on the class, so that it moves under anybody's get_training_stats; an instance may have slots.
        def counted_step(*arguments: Any, **named: Any) -> Any:
            nonlocal taken
            epoch, within = divmod(taken, steps)
            if not within and epoch < epochs:
                bar.set_description(f"epoch {epoch + 1}/{epochs}", refresh=False)
                if bar.disable:
                    print(f"epoch {epoch + 1}/{epochs}", file=sys.stderr, flush=True)
            result = step(*arguments, **named)
            taken += 1
            bar.update()
            return result

        network.step = counted_step
        statistics = call_submission("training", get_training_stats, mlp, data, epochs, batch_size)
    return checked(statistics, epochs)


def checked(statistics: Any, epochs: int) -> list[np.ndarray]:
    """Return the four statistics as float arrays (epochs,); raise Failure when they are something else."""
    needed = f"get_training_stats has to return {len(PLOTS)} arrays of shape ({epochs},)"
    if not isinstance(statistics, (tuple, list, np.ndarray)):
        raise Failure(f"{needed}, but it returned {type(statistics).__name__}", 1)
    if len(statistics) != len(PLOTS):
        raise Failure(f"{needed}, but it returned {len(statistics)} values", 1)
    arrays = []
    for (_, title, _), value in zip(PLOTS, statistics):
        try:
            array = np.asarray(value, dtype=float)
        except (TypeError, ValueError):
            raise Failure(f"{needed}, but the {title.lower()} is no array of numbers", 1) from None
        if array.shape != (epochs,):
            raise Failure(f"{needed}, but the {title.lower()} has shape {array.shape}", 1)
        arrays.append(array)
    return arrays


def describe(options: argparse.Namespace) -> str:
    """Return the network and its training, a line each, to stand above a plot."""
    network = "-".join(str(size) for size in [PIXELS, *options.hiddens, CLASSES])
    network += f", {options.activation}" if options.hiddens else ", linear"
    if options.bn_layers:
        network += f", batch norm in {options.bn_layers}"
    training = f"learning rate {options.lr:g}, momentum {options.momentum:g}, batch size {options.batch_size}"
    return f"{network}\n{training}"


def save_plots(folder: Path, statistics: list[np.ndarray], run: str) -> None:
    """Write the four plots: all are drawn before the first one takes its place."""
    with ending.folder(str(folder), ".plots-") as drawn:
        for (name, title, unit), values in zip(PLOTS, statistics):
            draw(values, title, unit, run).savefig(Path(drawn) / name, dpi=150)
        with system.held():
            for name, *_ in PLOTS:
                os.replace(Path(drawn) / name, folder / name)


def draw(values: np.ndarray, title: str, unit: str, run: str) -> Any:
    """Return one plot, a matplotlib figure, of values (epochs,)."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(6.4, 4.4), layout="constrained")
    axes = figure.add_subplot()
    epochs = np.arange(1, len(values) + 1)
    axes.plot(epochs, values, marker="o", markersize=4)
    axes.annotate(f"{values[-1]:.3f}", (epochs[-1], values[-1]), (0, 8), textcoords="offset points", ha="center")
    figure.suptitle(f"{title} on MNIST")
    axes.set_title(run, fontsize="small", color="dimgray")
    axes.set_xlabel("epoch")
    axes.set_ylabel(unit)
    axes.margins(y=0.12)  # room for the number
    axes.set_xlim(0.5, len(values) + 0.5)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.4)
    return figure


def run(options: argparse.Namespace) -> None:
    find_plotting()
    data = load_data(options.dtype)
    hw1, activation, loss = import_submission()
    np.random.seed(options.seed)
    mlp = build_network(options, hw1, activation, loss)
    if not hasattr(hw1, "get_training_stats"):
        raise Failure(f"{ROOT / 'hw1' / 'hw1.py'} has no get_training_stats", 1)
    prepare_folder(options.outpath)

    statistics = train(mlp, hw1.get_training_stats, data, options.epochs, options.batch_size)
    try:
        save_plots(options.outpath, statistics, describe(options))
    except OSError as error:
        raise Failure(f"--outpath {options.outpath} could not be written to: {error.strerror}", 2) from None
    last = ", ".join(f"{title.lower()} {values[-1]:.4f}" for (_, title, _), values in zip(PLOTS, statistics))
    print(f"After epoch {options.epochs}: {last}. Plots are in {options.outpath}")


def main(arguments: list[str] | None = None) -> int:
    options = parse_options(arguments)
    try:
        run(options)
    except Failure as failure:
        print(failure, file=sys.stderr)
        return failure.status
    return 0


if __name__ == "__main__":
    sys.exit(ending.run(main))
