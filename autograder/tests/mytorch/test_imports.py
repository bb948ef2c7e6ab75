"""Every way in which course code imports the library: afresh, with nothing of the project on the path before."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

from handins import ROOT, solution, write

COURSE = ("activation", "batchnorm", "hw1", "linear", "loss", "mc", "mytorch")
FOLDERS = "import sys; sys.path += [ROOT + '/mytorch', ROOT + '/hw1']; "
NAMES = ["Activation", "BatchNorm", "Criterion", "Identity", "Linear", "ReLU", "Sigmoid", "SoftmaxCrossEntropy", "Tanh"]


@pytest.fixture(autouse=True)
def afresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No module of the course's is imported yet, and none is found; afterwards all is as it was."""
    monkeypatch.chdir(tmp_path)
    away = (ROOT, ROOT / "hw1", ROOT / "mytorch")
    monkeypatch.setattr(sys, "path", [path for path in sys.path if path and Path(path).resolve() not in away])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    modules = {name: module for name, module in sys.modules.items() if name.partition(".")[0] not in COURSE}
    with mock.patch.dict(sys.modules, modules, clear=True):
        yield


def run(code: str, root: Path) -> None:
    """Run code, in which ROOT is the folder that holds hw1 and mytorch."""
    exec(code, {"ROOT": str(root)})


@pytest.fixture
def handin(tmp_path: Path) -> Path:
    """The tarball unpacked on the course's server: the two folders and nothing else."""
    return write(solution(), tmp_path / "handin")


COURSE_STYLE = {
    "each module by its name": "import activation, batchnorm, linear, loss, hw1, mc; hw1.MLP; mc.question_1()",
    "a module alone": "import linear; linear.Linear",
    "names from modules": "from activation import Sigmoid; from loss import SoftmaxCrossEntropy; Sigmoid()",
    "a star of activation": "from activation import *; Activation, Identity, Sigmoid, Tanh, ReLU, np, os",
    "a star of loss": "from loss import *; Criterion, SoftmaxCrossEntropy, np, os",
    "stars of linear and batchnorm": "from linear import *; from batchnorm import *; Linear, BatchNorm",
    "a star of hw1": "from hw1 import *; MLP, get_training_stats, Sigmoid",
    "hw1 as nn": f"import hw1 as nn; nn.MLP, nn.get_training_stats, {', '.join('nn.' + name for name in NAMES)}",
    "one class whichever way": "import hw1, linear, activation; assert hw1.Linear is linear.Linear; "
    "assert hw1.Sigmoid is activation.Sigmoid",
    "the grader's order, hw1 first": "sys.path = sys.path[::-1]; import hw1, mc, loss; hw1.MLP",
}


@pytest.mark.parametrize("style", COURSE_STYLE)
@pytest.mark.parametrize("layout", ["checkout", "handin"])
def test_folders_on_the_path_are_enough(handin: Path, layout: str, style: str) -> None:
    run(FOLDERS + COURSE_STYLE[style], ROOT if layout == "checkout" else handin)


def test_hw1_finds_the_layers_beside_it_with_its_own_folder_alone_on_the_path(handin: Path) -> None:
    run("import sys; sys.path.append(ROOT + '/hw1'); import hw1, linear", handin)
    assert Path(str(sys.modules["linear"].__file__)).resolve() == (handin / "mytorch" / "linear.py").resolve()


PACKAGE_STYLE = {
    "the package's names": f"from mytorch import {', '.join(NAMES)}",
    "a star": f"from mytorch import *; {', '.join(NAMES)}",
    "a module of the package": "from mytorch.linear import Linear; from mytorch.loss import SoftmaxCrossEntropy",
    "the package": "import mytorch; mytorch.Linear, mytorch.batchnorm.BatchNorm",
    "one class whichever way": "import mytorch, mytorch.linear; assert mytorch.Linear is mytorch.linear.Linear",
    "beside the course's style": "import mytorch; " + FOLDERS + "import hw1 as nn; nn.MLP, nn.Sigmoid, mytorch.Linear",
    # There is no hw1/__init__.py to hide hw1/hw1.py from whoever has the root on the path as well.
    "hw1.py behind the root": "import sys; sys.path.append(ROOT + '/hw1'); import hw1; hw1.MLP",
    "hw1 as a folder of the root": "from hw1.hw1 import MLP; from hw1.mc import question_1",
}


@pytest.mark.parametrize("style", PACKAGE_STYLE)
def test_the_root_on_the_path_is_enough_for_the_package(style: str) -> None:
    sys.path.insert(0, str(ROOT))
    run(PACKAGE_STYLE[style], ROOT)


def test_a_process_of_its_own_finds_them_as_well(handin: Path) -> None:
    code = f"ROOT = {str(handin)!r}; {FOLDERS}import hw1 as nn; from loss import *; nn.MLP, Criterion, np"
    done = subprocess.run([sys.executable, "-I", "-W", "error", "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_importing_everything_prints_nothing_and_draws_no_random_number(capfd: pytest.CaptureFixture[str]) -> None:
    before, errors = np.random.get_state(legacy=False), np.geterr()
    run(FOLDERS + "sys.path.append(ROOT); import mytorch, hw1, mc, linear", ROOT)
    after = np.random.get_state(legacy=False)
    assert (after["state"]["key"] == before["state"]["key"]).all()
    assert after["state"]["pos"] == before["state"]["pos"]
    assert np.geterr() == errors
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "path", sorted([*ROOT.glob("mytorch/*.py"), *ROOT.glob("hw1/*.py")]), ids=lambda path: path.name
)
def test_numpy_is_the_only_import_outside_the_standard_library(path: Path) -> None:
    allowed = {"collections", "copy", "os", "sys", "typing"}
    allowed |= {"numpy", "activation", "batchnorm", "linear", "loss"}
    imported = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add((node.module or "").split(".")[0])
    assert imported <= allowed


@pytest.mark.parametrize("module", ["activation", "batchnorm", "linear", "loss"])
def test_the_modules_of_mytorch_do_not_import_each_other(module: str) -> None:
    run(f"{FOLDERS}import {module}", ROOT)
    assert {"activation", "batchnorm", "linear", "loss"} & set(sys.modules) == {module}


def test_the_multiple_choice_answers_are_the_writeups() -> None:
    run(f"{FOLDERS}import mc", ROOT)
    answers = [getattr(sys.modules["mc"], f"question_{number}")() for number in range(1, 6)]
    assert answers == ["b", "a", "a", "a", "c"]
