"""test.py trains a submission on MNIST and saves four plots, or says before the first epoch why it cannot.

Each run is of a project of its own: the solution (or a broken one) with a small MNIST.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import warnings
from contextlib import suppress
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any, Callable
from unittest import mock

import numpy as np
import pytest

from handins import GRADER, ROOT, called, solution, write
from machine import FOREGROUND
from projects import small_mnist, with_small_mnist

PLOTS = ["train_error.png", "train_loss.png", "val_error.png", "val_loss.png"]
LAST_LINE = re.compile(
    r"After epoch (\d+): training loss ([\d.]+), training error ([\d.]+), "
    r"validation loss ([\d.]+), validation error ([\d.]+)\. Plots are in (.*)\n"
)
NETWORK = "class MLP:\n    def __init__(self, *_, **__): pass\n    def step(self): pass\n"
STATS = "def get_training_stats(mlp, *_):\n"
Train = Callable[..., "subprocess.CompletedProcess[str]"]  # the fixture `train`
Spied = Callable[..., "dict[str, Any]"]  # the fixture `spied`

plots_can_be_drawn = pytest.mark.skipif(
    any(find_spec(name) is None for name in ("matplotlib", "tqdm")), reason="matplotlib or tqdm is not installed"
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The solution, test.py with what it imports, and a small MNIST."""
    root = write(solution(), tmp_path / "the project")
    grader = root / "autograder" / "hw1_autograder"
    for folder in ("homework", "sandbox"):
        shutil.copytree(GRADER / folder, grader / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(GRADER / "test.py", grader)
    (root / "data").mkdir()
    return with_small_mnist(root)


@pytest.fixture(scope="module")
def program() -> Any:
    """The module test.py, which another one of this name hides from an import."""
    spec = spec_from_file_location("training_program", GRADER / "test.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    with warnings.catch_warnings(), mock.patch.object(sys, "path", [*sys.path]):
        warnings.simplefilter("ignore")  # matplotlib's own, of the libraries that it imports
        spec.loader.exec_module(module)
        with suppress(module.Failure):
            module.find_plotting()  # imports it once for all of these tests
    return module


@pytest.fixture
def train(program: Any, project: Path, monkeypatch: pytest.MonkeyPatch) -> Train:
    """Runs test.py's main in this process; `blocked` is a package that it shall not find, `plots` whether to draw."""
    monkeypatch.setattr(program, "ROOT", project)
    monkeypatch.setattr(program, "DATA", project / "data" / "mnist.npz")

    def run(*options: str, blocked: str = "", plots: bool = False) -> subprocess.CompletedProcess[str]:
        course = ("activation", "batchnorm", "hw1", "linear", "loss", "mc", "mytorch")
        modules = {name: module for name, module in sys.modules.items() if name not in course}
        if blocked:
            modules[blocked] = None  # type: ignore[assignment]
        with (
            monkeypatch.context() as patch,
            mock.patch.dict(sys.modules, modules, clear=True),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("ignore", DeprecationWarning)
            patch.setattr(sys, "path", [path for path in sys.path if Path(path).resolve().parent != ROOT])
            if not plots:
                patch.setattr(program, "save_plots", lambda *_: None)
            return called(program.main, *options)

    return run


def command(project: Path, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the project's test.py from the folder above it, in a process of its own."""
    return subprocess.run(
        [sys.executable, str(project / "autograder" / "hw1_autograder" / "test.py"), *options],
        cwd=project.parent,
        env={**os.environ, **environment},
        capture_output=True,
        encoding="utf-8",
        **FOREGROUND,
        timeout=120,
    )


def last_values(done: subprocess.CompletedProcess[str]) -> list[float]:
    assert done.returncode == 0, done.stderr
    match = LAST_LINE.fullmatch(done.stdout)
    assert match, done.stdout
    return [float(match[group]) for group in range(2, 6)]


def plots_in(folder: Path) -> list[str]:
    """The names of everything there that a run could have left."""
    return sorted(path.name for path in folder.iterdir() if path.suffix != ".py" and path.name != "__pycache__")


def size_of_png(path: Path) -> tuple[int, int]:
    content = path.read_bytes()
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    assert content.endswith(b"IEND\xae\x42\x60\x82")
    return int.from_bytes(content[16:20], "big"), int.from_bytes(content[20:24], "big")


# What a run leaves.


@plots_can_be_drawn
def test_four_plots_are_saved_to_a_new_folder_and_the_last_values_are_reported(project: Path) -> None:
    out = project.parent / "a new" / "größe"  # which a terminal may lack
    options = ("--outpath", str(out), "--epochs", "2", "--batch-size", "50")
    done = command(project, *options, LC_ALL="C", PYTHONUTF8="0", PYTHONIOENCODING="ascii")
    loss, error, val_loss, val_error = last_values(done)
    assert plots_in(out) == PLOTS
    assert all(width > 600 and height > 400 for width, height in (size_of_png(out / name) for name in PLOTS))
    assert loss > 0
    assert val_loss > 0
    assert 0 <= error <= 1
    assert 0 <= val_error <= 1
    assert done.stderr.splitlines() == ["epoch 1/2", "epoch 2/2"], "without a terminal an epoch is a line"


@plots_can_be_drawn
def test_the_plots_go_to_hw1_by_default_and_replace_older_ones(project: Path, train: Train) -> None:
    (project / "hw1" / "val_loss.png").write_bytes(b"older")
    last_values(train("--epochs", "1", plots=True))
    assert plots_in(project / "hw1") == PLOTS
    size_of_png(project / "hw1" / "val_loss.png")


@plots_can_be_drawn
def test_the_progress_bar_counts_batches_within_the_epochs_and_shows_the_time_left(project: Path) -> None:
    termios, fcntl = (
        pytest.importorskip(name, reason="there is no terminal to be had") for name in ("termios", "fcntl")
    )
    ours, its = os.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("4H", 24, 100, 0, 0))
    script = str(project / "autograder" / "hw1_autograder" / "test.py")
    line = [sys.executable, script, "--epochs", "3", "--batch-size", "50"]
    with subprocess.Popen(
        line, stdout=subprocess.DEVNULL, stderr=its, env={**os.environ, "TQDM_MININTERVAL": "0"}
    ) as run:
        os.close(its)
        shown = b""
        try:
            while piece := os.read(ours, 4096):
                shown += piece
        except OSError:  # the other end is closed
            os.close(ours)
        assert run.wait(timeout=60) == 0
    text = shown.decode()
    assert "epoch 1/3" in text
    assert "epoch 3/3" in text
    assert all(f" {batch}/15 [" in text for batch in (1, 7, 15)), text
    assert re.search(r"\[\d\d:\d\d<\d\d:\d\d,", text)


@pytest.mark.parametrize("package", ["matplotlib", "tqdm"])
def test_help_is_given_without_what_draws(train: Train, package: str) -> None:
    done = train("--help", blocked=package)
    assert (done.returncode, done.stderr) == (0, "")
    assert "--outpath" in done.stdout


@plots_can_be_drawn
def test_a_student_s_file_may_have_the_name_of_a_folder_of_the_grader_s(project: Path, train: Train) -> None:
    (project / "hw1" / "sandbox.py").write_text("MINE = 1\n")
    source = (project / "hw1" / "hw1.py").read_text()
    (project / "hw1" / "hw1.py").write_text(f"from sandbox import MINE\n{source}")
    last_values(train("--epochs", "1"))


@plots_can_be_drawn
def test_a_run_learns_and_is_the_same_again_with_the_same_seed(train: Train) -> None:
    options = ["--epochs", "12", "--batch-size", "10", "--lr", "0.05", "--hiddens", "32"]
    first, again = (last_values(train(*options, "--seed", "5")) for _ in range(2))
    assert first == again
    assert first != last_values(train(*options, "--seed", "6"))
    assert max(first[1], first[3]) < 0.05


# What the options do: a network that writes down what it was built with and is trained on.

SPY = """
import json, numpy as np
from activation import *
class MLP:
    def __init__(self, inputs, outputs, hiddens, activations, weight, bias, criterion, lr, momentum=0, num_bn_layers=0):
        W, b = weight(400, 300), bias(3)
        self.noted = dict(
            sizes=[inputs, *hiddens, outputs], activations=[type(a).__name__ for a in activations],
            objects=len({id(a) for a in activations}), criterion=type(criterion).__name__, lr=lr, momentum=momentum,
            bn=num_bn_layers, dtypes={str(W.dtype), str(b.dtype)}, deviation=float(W.std()), mean=float(W.mean()),
            bias=b.tolist(),
        )
    def step(self): pass
def get_training_stats(mlp, dset, nepochs, batch_size):
    mlp.noted.update(epochs=nepochs, batch=batch_size, shapes=[[list(a.shape) for a in part] for part in dset])
    (train, labels), (val, _), _ = dset
    mlp.noted["dtypes"] = sorted(mlp.noted["dtypes"] | {str(a.dtype) for part in dset for a in part})
    mlp.noted.update(train=[float(train.mean()), float(train.std())], val=float(val.mean()), white=float(val.max()))
    mlp.noted.update(hot=sorted(set(labels.ravel().tolist())), sums=float(labels.sum(1).std()), pick=np.random.rand())
    mlp.noted.update(classes=labels.argmax(1).tolist())
    print(json.dumps(mlp.noted))
    return (np.ones(nepochs),) * 4
"""


@pytest.fixture
def spied(project: Path, train: Train) -> Spied:
    def run(*options: str) -> dict[str, Any]:
        (project / "hw1" / "hw1.py").write_text(SPY)
        done = train(*options)
        assert done.returncode == 0, done.stderr
        noted: dict[str, Any] = json.loads(done.stdout.splitlines()[0])
        return noted

    return run


@plots_can_be_drawn
def test_the_default_is_the_writeups_sample_network(spied: Spied) -> None:
    noted = spied()
    assert noted["sizes"] == [784, 64, 64, 32, 10]
    assert noted["activations"] == ["Sigmoid", "Sigmoid", "Sigmoid", "Identity"]
    assert noted["objects"] == 4
    assert noted["criterion"] == "SoftmaxCrossEntropy"
    assert (noted["lr"], noted["momentum"], noted["bn"], noted["batch"]) == (0.008, 0.9, 0, 100)


@plots_can_be_drawn
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("--epochs 7", {"epochs": 7}),
        ("--batch-size 3", {"batch": 3}),
        ("--hiddens 5 6", {"sizes": [784, 5, 6, 10], "activations": ["Sigmoid", "Sigmoid", "Identity"]}),
        ("--hiddens", {"sizes": [784, 10], "activations": ["Identity"]}),
        ("--activation tanh", {"activations": ["Tanh", "Tanh", "Tanh", "Identity"]}),
        ("--activation relu", {"activations": ["ReLU", "ReLU", "ReLU", "Identity"]}),
        ("--lr 0.5", {"lr": 0.5}),
        ("--momentum 0", {"momentum": 0}),
        ("--bn-layers 4", {"bn": 4}),
        ("--dtype float64", {"dtypes": ["float64"]}),
        ("--dtype float32", {"dtypes": ["float32"]}),
    ],
)
def test_the_option_reaches_the_network(spied: Spied, options: str, expected: dict[str, Any]) -> None:
    noted = spied(*options.split())
    assert {name: noted[name] for name in expected} == expected


@plots_can_be_drawn
def test_the_images_are_normalised_by_the_training_sets_mean_and_deviation_and_labels_are_one_hot(
    spied: Spied,
) -> None:
    noted, raw = spied("--dtype", "float64"), small_mnist()
    mean, deviation = raw["train_data"].mean(), raw["train_data"].std()
    assert noted["train"] == pytest.approx([0, 1], abs=1e-12)
    assert noted["val"] == pytest.approx((raw["val_data"].mean() - mean) / deviation, rel=1e-9)
    assert noted["white"] == pytest.approx((255 - mean) / deviation, rel=1e-12)
    assert noted["shapes"] == [[[250, 784], [250, 10]], [[60, 784], [60, 10]], [[10, 784], [10, 10]]]
    assert (noted["hot"], noted["sums"]) == ([0, 1], 0)
    assert noted["classes"] == raw["train_labels"].tolist()


@plots_can_be_drawn
def test_the_weights_are_drawn_around_zero_with_the_scale_of_their_inputs_and_the_biases_are_zero(spied: Spied) -> None:
    noted = spied()
    assert noted["deviation"] == pytest.approx((2 / 400) ** 0.5, rel=0.02)
    assert abs(noted["mean"]) < 0.001
    assert noted["bias"] == [[0, 0, 0]]


# What is found before the first epoch: one line, status 2, nothing written.


@pytest.mark.parametrize("package", ["matplotlib", "tqdm"])
def test_without_the_package_it_says_how_to_install_it(train: Train, package: str) -> None:
    done = train(blocked=package)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert package in line
    assert "-m pip install numpy matplotlib tqdm" in line


@plots_can_be_drawn
@pytest.mark.parametrize(
    ("options", "names"),
    [
        ("--epochs 0", "--epochs"),
        ("--epochs many", "--epochs"),
        ("--batch-size 0", "--batch-size"),
        ("--batch-size 1.5", "--batch-size"),
        ("--hiddens 64 0", "--hiddens"),
        ("--activation softplus", "--activation"),
        ("--lr 0", "--lr"),
        ("--lr nan", "--lr"),
        ("--lr inf", "--lr"),
        ("--momentum 1", "--momentum"),
        ("--momentum -0.1", "--momentum"),
        ("--bn-layers 5", "--bn-layers: needs at most 4, the layers of the network, got 5"),
        ("--bn-layers 2 --hiddens", "--bn-layers: needs at most 1, the layers of the network, got 2"),
        ("--bn-layers=-1", "--bn-layers"),
        ("--seed 4294967296", "--seed"),
        ("--dtype float16", "--dtype"),
    ],
)
def test_the_option_is_refused(program: Any, options: str, names: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        program.main(options.split())
    assert stopped.value.code == 2
    assert names in capsys.readouterr().err.splitlines()[-1]


def a_file(parent: Path) -> Path:
    (parent / "file").write_bytes(b"")
    return parent / "file"


def below_a_file(parent: Path) -> Path:
    return a_file(parent) / "folder"


def where_a_plot_is_a_folder(parent: Path) -> Path:
    (parent / "out" / "val_error.png").mkdir(parents=True)
    return parent / "out"


def without_permission(parent: Path) -> Path:
    if not hasattr(os, "geteuid") or os.geteuid() == 0:
        pytest.skip("root may write anywhere")
    (parent / "out").mkdir(mode=0o500)
    return parent / "out"


def too_long(parent: Path) -> Path:
    return parent / ("x" * 300)


def where_nobody_may_write(parent: Path) -> Path:
    if not Path("/proc/self").exists():
        pytest.skip("there is no /proc here")
    return Path("/proc/self")


@plots_can_be_drawn
@pytest.mark.parametrize(
    "make", [a_file, below_a_file, too_long, where_a_plot_is_a_folder, without_permission, where_nobody_may_write]
)
def test_the_outpath_is_refused(program: Any, make: Callable[[Path], Path], tmp_path: Path) -> None:
    with pytest.raises(program.Failure, match="--outpath") as failure:
        program.prepare_folder(make(tmp_path))
    assert failure.value.status == 2
    assert "\n" not in str(failure.value)


@plots_can_be_drawn
def test_the_refusal_of_an_outpath_is_one_line_before_the_first_epoch(train: Train, tmp_path: Path) -> None:
    done = train("--outpath", str(a_file(tmp_path)))
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.endswith("is a file: it has to be a folder")


def missing(path: Path) -> None:
    path.unlink()


def no_archive(path: Path) -> None:
    path.write_bytes(b"<html>404</html>")


def empty(path: Path) -> None:
    path.write_bytes(b"")


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1000])


def one_array_alone(path: Path) -> None:
    with path.open("wb") as file:
        np.save(file, np.zeros(3))


def flipped_bits(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[5000:5010] = bytes(value ^ 0xFF for value in content[5000:5010])
    path.write_bytes(content)


def changed(change: Callable[[dict[str, np.ndarray]], object]) -> Callable[[Path], None]:
    def harm(path: Path) -> None:
        arrays = small_mnist()
        change(arrays)
        np.savez(path, **arrays)  # type: ignore[arg-type]

    return harm


HARMS = {
    "missing": missing,
    "no archive": no_archive,
    "empty": empty,
    "cut": cut,
    "flipped bits": flipped_bits,
    "one array alone": one_array_alone,
    "a key too few": changed(lambda arrays: arrays.pop("test_labels")),
    "a label too few": changed(lambda arrays: arrays.update(val_labels=arrays["val_labels"][1:])),
    "a label above nine": changed(lambda arrays: arrays.update(val_labels=arrays["val_labels"] + np.uint8(9))),
    "images of two axes": changed(lambda arrays: arrays.update(val_data=arrays["val_data"].reshape(-1, 28, 28))),
    "floats": changed(lambda arrays: arrays.update(train_data=arrays["train_data"] / 255)),
    "an empty partition": changed(lambda arrays: arrays.update({k: v[:0] for k, v in arrays.items() if "test" in k})),
    "pickled objects": changed(lambda arrays: arrays.update(val_data=np.array([{}]))),
}


@plots_can_be_drawn
@pytest.mark.parametrize("harm", HARMS.values(), ids=HARMS.keys())
def test_the_data_is_refused(train: Train, harm: Callable[[Path], None], project: Path) -> None:
    data = project / "data" / "mnist.npz"
    harm(data)
    done = train("--outpath", str(project / "out"))
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert f"{data} is " in line
    assert not (project / "out").exists()


@plots_can_be_drawn
def test_a_missing_submission_is_named(project: Path, train: Train) -> None:
    (project / "hw1" / "hw1.py").unlink()
    done = train()
    assert done.returncode == 2
    assert "hw1.py is missing" in done.stderr


# A student's mistake: status 1, their own lines and none of ours, no plots.


@plots_can_be_drawn
@pytest.mark.parametrize(
    ("code", "file", "line", "says"),
    [
        ("import nothing_of_that_name", "hw1.py", 1, "ModuleNotFoundError"),
        ("def f(:\n    pass", "hw1.py", 1, "SyntaxError"),
        ("class MLP:\n    def __init__(self, *_, **__):\n        raise ValueError('mine')", "hw1.py", 3, "mine"),
        (NETWORK + STATS + "    return 1 / 0", "hw1.py", 5, "ZeroDivisionError"),
        (NETWORK + STATS + "    mlp.step(1)", "hw1.py", 5, "TypeError"),
        (NETWORK + STATS + "    import numpy\n    numpy.linalg.inv(numpy.ones(2))", "hw1.py", 6, "LinAlgError"),
        (NETWORK + STATS + "    import loss\n    loss.Criterion()(1, 2)", "loss.py", 0, "NotImplementedError"),
        (NETWORK + STATS + "    exit()", "hw1.py", 5, "SystemExit"),
        (NETWORK + "def get_training_stats(mlp): pass", "", 0, "TypeError"),
        (NETWORK, "", 0, "has no get_training_stats"),
        ("class MLP:\n    def __init__(self, *_, **__): pass\n" + STATS + "    pass", "", 0, "no attribute 'step'"),
    ],
)
def test_the_students_exception_is_shown_from_their_own_file_on(
    project: Path, train: Train, code: str, file: str, line: int, says: str
) -> None:
    (project / "hw1" / "hw1.py").write_text(code + "\n")
    done = train("--outpath", str(project / "out"))
    assert done.returncode == 1, done.stderr
    assert says in done.stderr.splitlines()[-1]
    frames = re.findall(r'File "(.*)", line (\d+)', done.stderr)
    assert all(Path(name).parent in (project / "hw1", project / "mytorch") for name, _ in frames), done.stderr
    assert not file or Path(frames[-1][0]).name == file
    assert not line or int(frames[-1][1]) == line
    assert "Traceback" not in done.stderr
    assert not (project / "out").exists() or plots_in(project / "out") == []


@plots_can_be_drawn
@pytest.mark.parametrize(
    ("returned", "says"),
    [
        (None, "returned NoneType"),
        (np.ones(3), "returned 3 values"),
        ((np.ones(2),) * 3, "returned 3 values"),
        ((np.ones(2), np.ones(2), np.ones(3), np.ones(2)), "validation loss has shape (3,)"),
        ((np.ones((2, 1)),) * 4, "training loss has shape (2, 1)"),
        ((1.0, 1.0, 1.0, 1.0), "training loss has shape ()"),
        (([1, 2], ["a", "b"], [1, 2], [1, 2]), "training error is no array of numbers"),
        (([1, 2], [1, [2]], [1, 2], [1, 2]), "training error is no array of numbers"),
    ],
)
def test_statistics_of_a_wrong_shape_are_refused(program: Any, returned: Any, says: str) -> None:
    with pytest.raises(program.Failure) as failure:
        program.checked(returned, 2)
    assert failure.value.status == 1
    assert str(failure.value).startswith("get_training_stats has to return 4 arrays of shape (2,)")
    assert says in str(failure.value)


@plots_can_be_drawn
def test_a_get_training_stats_that_returns_nothing_ends_in_one_line(project: Path, train: Train) -> None:
    (project / "hw1" / "hw1.py").write_text(f"{NETWORK}def get_training_stats(*_):\n    pass\n")
    done = train("--epochs", "2")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-1].endswith("but it returned NoneType")
    assert "Traceback" not in done.stderr
    assert plots_in(project / "hw1") == []


@plots_can_be_drawn
def test_lists_and_a_diverged_run_are_plotted_without_a_warning(project: Path, train: Train) -> None:
    code = f"{NETWORK}{STATS}    nan, inf = float('nan'), float('inf')\n"
    code += "    return [[1, nan], [nan, nan], [1, inf], [0, 0]]\n"
    (project / "hw1" / "hw1.py").write_text(code)
    done = train("--epochs", "2", plots=True)
    assert done.returncode == 0, done.stderr
    assert "training loss nan" in done.stdout
    assert plots_in(project / "hw1") == PLOTS


# A signal. It comes from within, at a fixed step, since a test that sends it from outside would be a race.

INTERRUPT = """
import signal
step = MLP.step
steps = 0
def interrupted(self):
    global steps
    steps += 1
    if steps == 3:
        signal.raise_signal(signal.{})
    step(self)
MLP.step = interrupted
"""


@plots_can_be_drawn
@pytest.mark.skipif(os.name != "posix", reason="there are no such signals")
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_signal_ends_it_cleanly_and_leaves_older_plots_as_they_were(project: Path, name: str) -> None:
    with (project / "hw1" / "hw1.py").open("a") as file:
        file.write(INTERRUPT.format(name))
    (project / "hw1" / "val_loss.png").write_bytes(b"older")
    done = command(project, "--batch-size", "10")
    assert (done.returncode, done.stdout) == (128 + getattr(signal, name), "")
    assert done.stderr.splitlines()[-1] == "Interrupted: no plots were written"
    assert "Traceback" not in done.stderr
    assert plots_in(project / "hw1") == ["val_loss.png"]
    assert (project / "hw1" / "val_loss.png").read_bytes() == b"older"


@pytest.mark.parametrize("name", PLOTS)
def test_the_expected_plots_are_there(name: str) -> None:
    size_of_png(ROOT / "data" / "expected_plots" / name)
