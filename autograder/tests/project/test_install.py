"""`pip install .` installs the package mytorch and nothing else, and NumPy is all that it needs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
from importlib.metadata import distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project to build from, since a build leaves its folders beside setup.py."""
    found = {str(distribution.metadata["Name"]).lower(): distribution.version for distribution in distributions()}
    for name in ("pip", "setuptools"):
        if name not in found:
            pytest.skip(f"{name} is not installed here")
    if int(found["setuptools"].split(".")[0]) < 71:
        pytest.skip("this setuptools builds no wheels by itself")
    copy = tmp_path_factory.mktemp("my source")
    shutil.copy(ROOT / "setup.py", copy)
    for folder in ("mytorch", "hw1"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


@pytest.fixture(scope="module")
def installed(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that `pip install .` installed into."""
    target = tmp_path_factory.mktemp("target")
    command = [sys.executable, "-m", "pip", "install", "--no-deps", "--no-build-isolation", "--no-cache-dir"]
    done = subprocess.run(
        [*command, "--no-index", "--disable-pip-version-check", "--target", str(target), "."],
        cwd=source,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return target


def test_the_package_and_nothing_else_is_installed(installed: Path) -> None:
    names = [path.name for path in installed.iterdir() if path.suffix not in {".dist-info", ".egg-info"}]
    assert names == ["mytorch"]
    modules = {path.name for path in (installed / "mytorch").iterdir()} - {"__pycache__"}
    assert modules == {path.name for path in (ROOT / "mytorch").iterdir()} - {"__pycache__"}
    assert "py.typed" in modules
    (found,) = distributions(name="mytorch", path=[str(installed)])
    assert [re.split(r"\W", line)[0] for line in found.requires or () if "extra ==" not in line] == ["numpy"]


def test_the_source_distribution_holds_the_package_whole(source: Path, tmp_path: Path) -> None:
    code = f"from setuptools import build_meta; print(build_meta.build_sdist({str(tmp_path)!r}))"
    subprocess.run([sys.executable, "-c", code], cwd=source, capture_output=True, check=True, timeout=300)
    (archive,) = tmp_path.iterdir()
    with tarfile.open(archive) as tar:
        held = {name.partition("/mytorch/")[2] for name in tar.getnames() if "/mytorch/" in name}
    assert held == {path.name for path in (ROOT / "mytorch").iterdir()} - {"__pycache__"}


def test_a_type_checker_sees_the_installed_packages_types(installed: Path, tmp_path: Path) -> None:
    pytest.importorskip("mypy", reason="mypy, whose word this is, is not installed")
    lines = [
        "from mytorch import BatchNorm, Linear, Tanh",
        "from mytorch.loss import SoftmaxCrossEntropy",
        "BatchNorm(64, 0.9), Tanh().derivative(state=BatchNorm(64).gamma), SoftmaxCrossEntropy().derivative()",
        "BatchNorm(0.9, 64)",
        "Linear(784, 64)",
    ]
    (tmp_path / "user.py").write_text("\n".join(lines) + "\n")
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file", os.devnull, "--cache-dir", "cache", "user.py"]
    env = {**os.environ, "PYTHONPATH": str(installed), "MYPYPATH": ""}
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=300)
    assert re.findall(r"^user\.py:(\d+): error:", done.stdout, re.M) == ["4", "5"], done.stdout


def test_the_installed_package_is_imported_from_another_folder(installed: Path, tmp_path: Path) -> None:
    statements = [
        "from mytorch import Linear",
        "from mytorch.linear import Linear",
        "from mytorch.batchnorm import BatchNorm as Linear",
        "import mytorch; Linear = mytorch.SoftmaxCrossEntropy",
    ]
    code = f"import sys; sys.path.insert(0, {str(installed)!r})\n"
    code += "".join(f"{statement}; print(sys.modules[Linear.__module__].__file__)\n" for statement in statements)
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.stderr == ""
    assert {Path(line).parent for line in done.stdout.splitlines()} == {installed / "mytorch"}
