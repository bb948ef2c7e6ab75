"""Copies of the project, and the blocks of its pages that are marked `<!-- ci: NAME -->`, run in such a copy."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import numpy as np

from handins import GRADER, ROOT, solution, write

# What sets up a virtual environment; in its place stands one that finds the packages of the tests' own.
SET_UP = ("python3 -m venv ", ".venv/bin/pip install ")


def copied(folder: Path) -> Path:
    """Copy the solution and the grader, with links to the data; return the folder."""
    write(solution(), folder)
    shutil.copytree(GRADER, folder / "autograder" / "hw1_autograder", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "data").mkdir()
    for path in (ROOT / "data").iterdir():
        (folder / "data" / path.name).symlink_to(path)
    return folder


def small_mnist() -> dict[str, np.ndarray]:
    """Blank images but for a block of ten pixels that tells the label, with some noise."""
    random = np.random.RandomState(0)
    arrays = {}
    for name, count in [("train", 250), ("val", 60), ("test", 10)]:
        labels = random.randint(0, 10, count).astype(np.uint8)
        images = random.randint(0, 60, (count, 784)).astype(np.uint8)
        images[np.arange(count)[:, None], labels[:, None] * 10 + np.arange(10)] = 255
        arrays.update({f"{name}_data": images, f"{name}_labels": labels})
    return arrays


def with_small_mnist(folder: Path) -> Path:
    """Replace a copy's MNIST by a small one."""
    (folder / "data" / "mnist.npz").unlink(missing_ok=True)
    np.savez(folder / "data" / "mnist.npz", **small_mnist())  # type: ignore[arg-type]
    return folder


def with_environment(folder: Path) -> Path:
    """Make a copy's virtual environment, with links to the packages of the tests' own."""
    venv.EnvBuilder(symlinks=True).create(folder / ".venv")
    (packages,) = (folder / ".venv").rglob("site-packages")
    for place in map(Path, sys.path):
        for path in place.iterdir() if place.name in ("site-packages", "dist-packages") else ():
            if path.suffix != ".pth" and not (packages / path.name).exists():
                (packages / path.name).symlink_to(path)
    return folder


def block(page: str, name: str) -> str:
    """The block of a page below the comment with that name."""
    text = (ROOT / page).read_text(encoding="utf-8")
    (code,) = re.findall(rf"^<!-- ci: {name} -->\n```\w+\n(.+?)^```", text, re.MULTILINE | re.DOTALL)
    return str(code)


def run(commands: str, folder: Path, status: int = 0) -> str:
    """Run a block of commands in a copy, as after `. .venv/bin/activate`; return what it prints."""
    parts = [part for part in commands.strip().split(" && ") if not part.startswith(SET_UP)]
    done = subprocess.run(
        ["sh", "-c", " && ".join(parts)],
        cwd=folder,
        env={**os.environ, "AUTOLAB": "", "PATH": f"{folder / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )
    assert done.returncode == status, f"{commands}\n{done.stdout}\n{done.stderr}"
    return done.stdout
