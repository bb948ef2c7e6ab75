"""`pip install .` installs the package mytorch and nothing else, and NumPy is all that it needs."""

from __future__ import annotations

import runpy
import shutil
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def metadata(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What setup.py hands to setuptools, without setuptools."""
    given: dict[str, Any] = {}
    monkeypatch.setitem(sys.modules, "setuptools", SimpleNamespace(setup=given.update))  # type: ignore[arg-type]
    runpy.run_path(str(ROOT / "setup.py"))
    return given


def test_numpy_is_the_only_requirement(metadata: dict[str, Any]) -> None:
    assert metadata["install_requires"] == ["numpy>=1.23"]
    assert metadata["python_requires"] == ">=3.9"


def test_mytorch_is_the_only_package(metadata: dict[str, Any]) -> None:
    assert (metadata["name"], metadata["packages"]) == ("mytorch", ["mytorch"])
    assert not {"py_modules", "scripts", "package_dir"} & set(metadata)


@pytest.mark.parametrize(
    ("extra", "packages"),
    [
        ("autograder", {"pytest"}),
        ("plots", {"matplotlib", "tqdm"}),
        ("dev", {"pytest", "matplotlib", "tqdm", "ruff", "mypy", "pytest-xdist", "setuptools"}),
        ("oracle", {"torch"}),
        ("benchmark", {"torch", "scikit-learn", "jax"}),
    ],
)
def test_the_extra_brings(metadata: dict[str, Any], extra: str, packages: set[str]) -> None:
    assert {requirement.split(">=")[0] for requirement in metadata["extras_require"][extra]} == packages


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that `pip install .` installed into."""
    found = {str(distribution.metadata["Name"]).lower(): distribution.version for distribution in distributions()}
    for name in ("pip", "setuptools"):
        if name not in found:
            pytest.skip(f"{name} is not installed here")
    if int(found["setuptools"].split(".")[0]) < 71 and "wheel" not in found:
        pytest.skip("a setuptools before 71 needs the package wheel beside it")
    # A copy, since a build leaves its folders beside setup.py.
    source, target = tmp_path_factory.mktemp("my source"), tmp_path_factory.mktemp("target")
    shutil.copy(ROOT / "setup.py", source)
    for folder in ("mytorch", "hw1"):
        shutil.copytree(ROOT / folder, source / folder, ignore=shutil.ignore_patterns("__pycache__"))
    command = [sys.executable, "-m", "pip", "install", "--no-deps", "--no-build-isolation"]
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
    modules = {path.name for path in (installed / "mytorch").glob("*.py")}
    assert modules == {path.name for path in (ROOT / "mytorch").glob("*.py")}


@pytest.mark.parametrize(
    "statement",
    [
        "from mytorch import Linear",
        "from mytorch.linear import Linear",
        "from mytorch.batchnorm import BatchNorm as Linear",
        "import mytorch; Linear = mytorch.SoftmaxCrossEntropy",
    ],
)
def test_the_installed_package_is_imported_from_another_folder(installed: Path, tmp_path: Path, statement: str) -> None:
    path = f"import sys; sys.path.insert(0, {str(installed)!r})"
    code = f"{path}; {statement}; print(sys.modules[Linear.__module__].__file__)"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.stderr == ""
    assert Path(done.stdout.strip()).parent == installed / "mytorch"
