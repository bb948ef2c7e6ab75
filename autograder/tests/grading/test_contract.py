"""`runner.py --contract PATH` holds the solution's mytorch for right, and names what another one does differently."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from grading import contract
from grading.settings import Settings
from handins import command
from sandbox.workplace import Workplace

ROOT = Path(__file__).resolve().parents[3]

# File, code added at its end (so that it overrules what stands there), and words of the promises that it breaks.
BREACHES: dict[str, tuple[str, str, list[str]]] = {
    "no Criterion": ("loss", "del Criterion", ["names are there", "same names", "star imports"]),
    "an empty __init__": ("__init__", "del Linear", ["same names"]),
    "no os": ("activation", "del os", ["star imports"]),
    "an __all__": ("linear", "__all__ = ['Linear']", ["star imports"]),
    "keywords only": (
        "batchnorm",
        "B = BatchNorm.forward\nBatchNorm.__call__ = lambda self, x, *, eval=False: B(self, x, eval)",
        ["by position"],
    ),
    "another order of arguments": (
        "linear",
        "I = Linear.__init__\nLinear.__init__ = lambda self, o, i, w, b: I(self, i, o, lambda *_: w(o, i).T, b)",
        ["by position"],
    ),
    "raw exponentials": (
        "activation",
        "def forward(self, x):\n"
        "    a, b = np.exp(x), np.exp(-x)\n    self.state = (a - b) / (a + b)\n    return self.state\n"
        "Tanh.forward = forward",
        ["Tanh: three axes, large inputs"],
    ),
    "two axes only": (
        "activation",
        "F = ReLU.forward\nReLU.forward = lambda self, x: F(self, x) if np.ndim(x) == 2 else F(self, x[0])",
        ["ReLU: three axes", "grad *="],
    ),
    "ReLU in place": (
        "activation",
        "def forward(self, x):\n    x[x < 0] = 0\n    self.state = x\n    return x\nReLU.forward = forward",
        ["ReLU: three axes, large inputs, nothing mutated"],
    ),
    "a derivative that is kept": (
        "loss",
        "F, D = SoftmaxCrossEntropy.forward, SoftmaxCrossEntropy.derivative\n"
        "def forward(self, x, y):\n    out = F(self, x, y)\n    self.slope = D(self)\n    return out\n"
        "SoftmaxCrossEntropy.forward, SoftmaxCrossEntropy.derivative = forward, lambda self: self.slope",
        ["grad *="],
    ),
    "a mean loss": (
        "loss",
        "D = SoftmaxCrossEntropy.derivative\nSoftmaxCrossEntropy.derivative = lambda self: D(self) / len(self.labels)",
        ["derivative not divided by N"],
    ),
    "no logits kept": (
        "loss",
        "F = SoftmaxCrossEntropy.forward\n"
        "def forward(self, x, y):\n    out = F(self, x, y)\n    del self.logits\n    return out\n"
        "SoftmaxCrossEntropy.forward = forward",
        ["keeps logits"],
    ),
    "summed dW": (
        "linear",
        "B = Linear.backward\n"
        "def backward(self, delta):\n    dx = B(self, delta)\n    self.dW *= len(delta)\n    return dx\n"
        "Linear.backward = backward",
        ["means over the batch"],
    ),
    "gradients added up": (
        "linear",
        "B = Linear.backward\n"
        "def backward(self, delta):\n    old = self.dW\n    dx = B(self, delta)\n    self.dW += old\n    return dx\n"
        "Linear.backward = backward",
        ["overwritten"],
    ),
    "biases as rows only": (
        "linear",
        "I = Linear.__init__\n"
        "def __init__(self, i, o, w, b):\n    I(self, i, o, w, b)\n    assert b(o).ndim == 2\n"
        "Linear.__init__ = __init__",
        ["bias of shape (out,)"],
    ),
    "a copy of W": (
        "linear",
        "I, F = Linear.__init__, Linear.forward\n"
        "def __init__(self, *a):\n    I(self, *a)\n    self._W = self.W\n"
        "def forward(self, x):\n    self.W = self._W\n    return F(self, x)\n"
        "Linear.__init__, Linear.forward = __init__, forward",
        ["may be replaced"],
    ),
    "float64 everywhere": (
        "linear",
        "F = Linear.forward\nLinear.forward = lambda self, x: F(self, x).astype(float)",
        ["float32 stays"],
    ),
    "mean dgamma": (
        "batchnorm",
        "B = BatchNorm.backward\n"
        "def backward(self, delta):\n    dx = B(self, delta)\n    self.dgamma /= len(delta)\n    return dx\n"
        "BatchNorm.backward = backward",
        ["dgamma and dbeta are sums"],
    ),
    "inference trains": (
        "batchnorm",
        "F = BatchNorm.forward\n"
        "def forward(self, x, eval=False):\n    out = F(self, x, eval)\n    if eval:\n"
        "        self.running_mean = self.running_mean * 0.9\n    return out\nBatchNorm.forward = forward",
        ["inference moves nothing"],
    ),
    "no batchnorm.py": ("batchnorm", "", ["names are there", "BatchNorm"]),
}


def differing(folder: Path) -> dict[str, str]:
    with Workplace() as workplace:
        found = contract.answer(str(folder), Settings(), workplace)
    return {answer.sentence: answer.difference for answer in found if answer.difference and not answer.later}


@pytest.fixture
def another(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ROOT / "mytorch", tmp_path / "their own"))


@pytest.mark.parametrize("name", BREACHES)
def test_breach(name: str, another: Path) -> None:
    module, code, sentences = BREACHES[name]
    file = another / f"{module}.py"
    if code:
        file.write_text(f"{file.read_text()}\n\n{code}\n")
    else:
        file.unlink()
    found = differing(another)
    for words in sentences:
        assert any(words in sentence for sentence in found), found
    assert len(found) < len(contract.PROMISES) // 2
    assert all(len(difference) > 10 for difference in found.values())


@pytest.mark.parametrize("path", ["", "mytorch"])
def test_the_solution_keeps_every_promise(path: str) -> None:
    done = command("--contract", str(ROOT / path))
    assert done.returncode == 0
    count = sum(not promise.later for promise in contract.PROMISES)
    assert f"{count} of {count} promises hold" in done.stdout
    assert done.stdout.count("  holds    ") == len(contract.PROMISES)


LATER = {
    "no parameter": "def derivative(self):\n    return 1 - self.state**2",
    "the parameter ignored": "def derivative(self, state=None):\n    return 1 - self.state**2",
    "another shape": "def derivative(self, state=None):\n    return 1 - (self.state if state is None else state[0])**2",
}


@pytest.mark.parametrize("name", LATER)
def test_what_one_later_homework_asks_for_breaks_no_promise(name: str, another: Path) -> None:
    with open(another / "activation.py", "a") as file:
        file.write(f"\n\n{LATER[name]}\n\n\nTanh.derivative = derivative\n")
    done = command("--contract", str(another))
    assert done.returncode == 0
    out = done.stdout
    (row,) = (number for number, line in enumerate(out.splitlines()) if line.startswith("  not yet  "))
    assert "HW3P1" in out.splitlines()[row]
    assert any(word in out.splitlines()[row + 1] for word in ("activation.py", "derivative"))


def test_what_differs_is_said_and_gives_exit_status_1(another: Path) -> None:
    with open(another / "linear.py", "a") as file:
        file.write("\nLinear.backward = lambda self, delta: None\n")
    done = command("--contract", str(another))
    out = done.stdout
    assert done.returncode == 1
    assert "differs  Linear: dW and db are means" in out
    assert "backward(delta) is None" in out or "dW is wrong" in out


@pytest.mark.parametrize("path", ["nothing here", "data"])
def test_where_there_is_no_mytorch_the_exit_status_is_2(path: str) -> None:
    done = command("--contract", str(ROOT / path))
    assert done.returncode == 2
    assert "no mytorch there" in done.stderr


def test_code_that_hangs_or_dies_costs_its_own_promises(another: Path) -> None:
    with open(another / "batchnorm.py", "a") as file:
        file.write("\nimport os\nBatchNorm.backward = lambda self, delta: os._exit(0)\n")
    found = differing(another)
    assert all("BatchNorm" in sentence or "float32" in sentence for sentence in found)
    assert all("process ended" in difference for difference in found.values())
