"""Every way in which course code imports the library, each in a fresh interpreter, from a folder of its own."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
FOLDERS = "import sys; sys.path += [ROOT + '/mytorch', ROOT + '/hw1']; "
NAMES = ["Activation", "BatchNorm", "Criterion", "Identity", "Linear", "ReLU", "Sigmoid", "SoftmaxCrossEntropy", "Tanh"]


def run(code: str, root: Path, cwd: Path, pythonpath: bool = False) -> str:
    """Run code in a new interpreter that has nothing of the project on its path, warnings as errors."""
    command = [sys.executable, *([] if pythonpath else ["-I"]), "-W", "error", "-c", f"ROOT = {str(root)!r}; {code}"]
    env = {"PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def handin(tmp_path: Path) -> Path:
    """The tarball unpacked on the course's server: the two folders and nothing else."""
    for folder in ("hw1", "mytorch"):
        shutil.copytree(ROOT / folder, tmp_path / "handin" / folder, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "handin"


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
def test_folders_on_the_path_are_enough(tmp_path: Path, handin: Path, layout: str, style: str) -> None:
    run(FOLDERS + COURSE_STYLE[style], ROOT if layout == "checkout" else handin, tmp_path)


def test_hw1_finds_the_layers_beside_it_with_its_own_folder_alone_on_the_path(tmp_path: Path, handin: Path) -> None:
    out = run(
        "import sys; sys.path.append(ROOT + '/hw1'); import hw1, linear; print(linear.__file__)", handin, tmp_path
    )
    assert Path(out.strip()).resolve() == (handin / "mytorch" / "linear.py").resolve()


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
def test_the_root_on_the_path_is_enough_for_the_package(tmp_path: Path, style: str) -> None:
    run(PACKAGE_STYLE[style], ROOT, tmp_path, pythonpath=True)


def test_importing_everything_prints_nothing_and_draws_no_random_number(tmp_path: Path) -> None:
    code = "import numpy as np; before = np.random.get_state()[1].copy(); import mytorch, hw1, mc, linear; "
    code += "assert (np.random.get_state()[1] == before).all(); assert np.geterr()['over'] == 'warn'"
    assert run(FOLDERS + "sys.path.append(ROOT); " + code, ROOT, tmp_path) == ""


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
def test_the_modules_of_mytorch_do_not_import_each_other(tmp_path: Path, module: str) -> None:
    code = f"import {module}; print(sorted({{'activation', 'batchnorm', 'linear', 'loss'}} & set(sys.modules)))"
    assert run(FOLDERS + code, ROOT, tmp_path).strip() == str([module])


def test_the_multiple_choice_answers_are_the_writeups(tmp_path: Path) -> None:
    code = "import mc; print(*(getattr(mc, f'question_{i}')() for i in range(1, 6)))"
    assert run(FOLDERS + code, ROOT, tmp_path).split() == ["b", "a", "a", "a", "c"]
