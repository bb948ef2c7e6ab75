"""How much memory training takes beside the data set, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from grading.settings import ROOT
from homework.mnist import CLASSES, PIXELS
from proofs.peers import Array, Network, mytorch

FOLDERS = ("hw1", "autograder/hw1_autograder", "autograder/instructor")  # that this module's imports are found in


def memory(dtype: str, train: int, val: int) -> tuple[float, float]:
    """Return by how many MB one epoch of training raises the peak above the data set, and three more raise that."""
    code = "import sys; from proofs.memory import peaks; print(*peaks(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))"
    before, one, four = (float(value) for value in in_subprocess(code, dtype, str(train), str(val)).split())
    return one - before, four - one


def in_subprocess(code: str, *arguments: str) -> str:
    """Return what `code` prints in a fresh interpreter that finds this module."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(os.path.join(ROOT, folder) for folder in FOLDERS)}
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout


def peaks(dtype: str, train: int, val: int) -> tuple[float, float, float]:
    """Return the peak memory in MB before training, after one epoch and after three more; for a process of its own."""

    def partition(n: int) -> tuple[Array, Array]:
        x = np.empty((n, PIXELS), dtype)
        np.random.default_rng(0).random(out=x, dtype=x.dtype)  # in place: the peak so far is the data set itself
        return x, np.eye(CLASSES, dtype=dtype)[np.arange(n) % CLASSES]

    epoch = mytorch(Network((64, 64, 32), dtype), (partition(train), partition(val)))
    before = peak()
    epoch()
    one = peak()
    for _ in range(3):
        epoch()
    return before, one, peak()


def peak() -> float:
    """Return the most memory in MB that this process ever held: Linux's own count, which starts anew with exec."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024
