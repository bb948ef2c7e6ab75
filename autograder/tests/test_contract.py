"""`runner.py --contract PATH` holds the solution's mytorch for right, and names what another one does differently."""

from __future__ import annotations

import shutil
from pathlib import Path

import contract
import judges
import pytest
import runner
import sandbox

ROOT = Path(__file__).resolve().parents[2]

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


def differing(folder: Path, place: Path) -> dict[str, str]:
    files = contract.tree(str(folder))
    files.lay_out(str(place / "submission"))
    (place / "work").mkdir()
    child = sandbox.Sandbox()
    child.open(str(place / "submission"), str(place / "work"))
    found = contract.answers(child, files, judges.Prestored(runner.REFERENCE), 10)
    child.close()
    return {answer.sentence: answer.difference for answer in found if answer.difference}


@pytest.fixture
def another(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ROOT / "mytorch", tmp_path / "their own"))


@pytest.mark.parametrize("name", BREACHES)
def test_breach(name: str, another: Path, tmp_path: Path) -> None:
    module, code, sentences = BREACHES[name]
    file = another / f"{module}.py"
    if code:
        file.write_text(f"{file.read_text()}\n\n{code}\n")
    else:
        file.unlink()
    found = differing(another, tmp_path)
    for words in sentences:
        assert any(words in sentence for sentence in found), found
    assert len(found) < len(contract.PROMISES) // 2
    assert all(len(difference) > 10 for difference in found.values())


@pytest.mark.parametrize("path", ["", "mytorch"])
def test_the_solution_keeps_every_promise(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert runner.main(["--contract", str(ROOT / path)]) == 0
    count = sum(not promise.later for promise in contract.PROMISES)
    out = capsys.readouterr().out
    assert f"{count} of {count} promises hold" in out
    assert out.count("  holds    ") == len(contract.PROMISES)


LATER = {
    "no parameter": "def derivative(self):\n    return 1 - self.state**2",
    "the parameter ignored": "def derivative(self, state=None):\n    return 1 - self.state**2",
    "another shape": "def derivative(self, state=None):\n    return 1 - (self.state if state is None else state[0])**2",
}


@pytest.mark.parametrize("name", LATER)
def test_what_one_later_homework_asks_for_breaks_no_promise(
    name: str, another: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with open(another / "activation.py", "a") as file:
        file.write(f"\n\n{LATER[name]}\n\n\nTanh.derivative = derivative\n")
    assert runner.main(["--contract", str(another)]) == 0
    out = capsys.readouterr().out
    (row,) = (number for number, line in enumerate(out.splitlines()) if line.startswith("  not yet  "))
    assert "HW3P1" in out.splitlines()[row]
    assert "activation.py" in out.splitlines()[row + 1] or "derivative(state=h)" in out.splitlines()[row + 1]


def test_what_differs_is_said_and_gives_exit_status_1(another: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with open(another / "linear.py", "a") as file:
        file.write("\nLinear.backward = lambda self, delta: None\n")
    assert runner.main(["--contract", str(another)]) == 1
    out = capsys.readouterr().out
    assert "differs  Linear: dW and db are means" in out
    assert "backward(delta) is None" in out or "dW is wrong" in out


@pytest.mark.parametrize("path", ["nothing here", "data"])
def test_where_there_is_no_mytorch_the_exit_status_is_2(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert runner.main(["--contract", str(ROOT / path)]) == 2
    assert "no mytorch there" in capsys.readouterr().err


def test_code_that_hangs_or_dies_costs_its_own_promises(another: Path, tmp_path: Path) -> None:
    with open(another / "batchnorm.py", "a") as file:
        file.write("\nimport os\nBatchNorm.backward = lambda self, delta: os._exit(0)\n")
    found = differing(another, tmp_path)
    assert all("BatchNorm" in sentence or "float32" in sentence for sentence in found)
    assert all("process ended" in difference for difference in found.values())
