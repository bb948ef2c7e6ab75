"""A course's year in one test: the starter, its bodies one after the other, training, the handin, the next homework."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from handins import MAX_TOTAL, PROBLEMS, ROOT, write
from homework.plots import PLOTS
from homework.problems import TO_WRITE
from kit.starter_files import unwritten

GRADE = "autograder/hw1_autograder/runner.py"
BODIES = [*TO_WRITE]  # in the writeup's order, batch norm last
# Bodies at the end of each section; batch norm's bodies are all that is left of the network then.
STOPS = [0, *(n for n in range(1, len(BODIES)) if TO_WRITE[BODIES[n]] != TO_WRITE[BODIES[n - 1]]), len(BODIES)]

USES = {
    "installed": "from mytorch import Linear\nfrom mytorch.batchnorm import BatchNorm",
    "copied": "from mytorch import Linear\nfrom mytorch.batchnorm import BatchNorm",
    "on the path": "import sys\nsys.path += ['mytorch', 'hw1']\nfrom batchnorm import BatchNorm\nfrom linear import *\n"
    "import hw1 as nn\nassert nn.MLP and nn.Linear is Linear",
}
LAYERS = """
import numpy as np
layer = Linear(4, 3, lambda i, o: np.ones((i, o)), lambda o: np.zeros((1, o)))
print(BatchNorm(3)(layer(np.eye(4))).shape, layer.backward(np.ones((4, 3))).shape)
"""


def run(*command: str, cwd: Path, code: int = 0, **environment: str) -> str:
    done = subprocess.run(
        command, cwd=cwd, env={**os.environ, **environment}, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


@pytest.mark.skipif(
    shutil.which("sh") is None
    or any(importlib.util.find_spec(name) is None for name in ("matplotlib", "tqdm", "setuptools", "pip")),
    reason="it packs with sh, draws with matplotlib and tqdm, installs with pip and setuptools",
)
def test_from_the_starter_to_the_next_homework(tmp_path: Path) -> None:
    folder = tmp_path / "hw1 of anna"
    run(sys.executable, str(ROOT / "autograder" / "instructor" / "starter.py"), "--out", str(folder), cwd=tmp_path)

    totals = []
    for stop in STOPS:
        write(unwritten(BODIES[stop:]), folder)
        report = json.loads(
            run(sys.executable, GRADE, "--format", "json", cwd=folder, code=int(stop < len(BODIES) - 1))
        )
        assert {problem["status"] for problem in report["problems"]} <= {"passed", "not started"}
        totals.append(report["total"])
    assert (totals[0], totals[-1]) == (0, MAX_TOTAL)
    assert totals == sorted(totals)
    assert run(sys.executable, GRADE, cwd=folder).count("passed") == len(PROBLEMS)

    train = run(sys.executable, "autograder/hw1_autograder/test.py", "--outpath", "hw1", "--epochs", "1", cwd=folder)
    assert "After epoch 1: training loss" in train
    plots = [folder / "hw1" / plot.file for plot in PLOTS]
    assert all(plot.read_bytes().startswith(b"\x89PNG") for plot in plots)

    assert f"{len(plots) + 7} files" in run("sh", "create_tarball.sh", cwd=folder)
    assert f"{MAX_TOTAL} / {MAX_TOTAL}" in run(sys.executable, GRADE, "--submission", "handin.tar", cwd=folder)

    homework = tmp_path / "hw2"
    for use, lines in USES.items():
        place, path = homework / use, ""
        place.mkdir(parents=True)
        if use == "installed":
            path = str(homework / "site-packages")
            pip = (sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation")
            run(*pip, "--target", path, str(folder), cwd=place)
        else:
            shutil.copytree(folder / "mytorch", place / "mytorch")
            shutil.copytree(folder / "hw1", place / "hw1")
        (place / "next.py").write_text(lines + LAYERS)
        assert run(sys.executable, "next.py", cwd=place, PYTHONPATH=path) == "(4, 3) (4, 4)\n"
