"""A course's year in one test: the starter, its bodies one after the other, training, the handin, the next homework."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from handins import MAX_TOTAL, PROBLEMS, ROOT, report, write
from homework.plots import PLOTS
from homework.problems import TO_WRITE
from kit.starter_files import unwritten
from projects import block, run, with_environment, with_small_mnist

PAGE = "autograder/instructor/starter.md"
BODIES = [*TO_WRITE]  # in the writeup's order, batch norm last
# Bodies at the end of each section; batch norm's bodies are all that is left of the network then.
STOPS = [0, *(n for n in range(1, len(BODIES)) if TO_WRITE[BODIES[n]] != TO_WRITE[BODIES[n - 1]]), len(BODIES)]

USES = {
    "copied": "from mytorch import Linear\nfrom mytorch.batchnorm import BatchNorm",
    "on the path": "import sys\nsys.path += ['mytorch', 'hw1']\nfrom batchnorm import BatchNorm\nfrom linear import *\n"
    "import hw1 as nn\nassert nn.MLP and nn.Linear is Linear",
}
LAYERS = """
import numpy as np
layer = Linear(4, 3, lambda i, o: np.ones((i, o)), lambda o: np.zeros((1, o)))
print(BatchNorm(3)(layer(np.eye(4))).shape, layer.backward(np.ones((4, 3))).shape)
"""


@pytest.mark.skipif(
    os.name != "posix"
    or shutil.which("tar") is None
    or any(importlib.util.find_spec(name) is None for name in ("matplotlib", "tqdm")),
    reason="it packs with a POSIX shell and tar, draws with matplotlib and tqdm",
)
def test_from_the_starter_to_the_next_homework(tmp_path: Path) -> None:
    folder = tmp_path / "hw1 of anna"
    starter = [sys.executable, str(ROOT / "autograder" / "instructor" / "starter.py"), "--out", str(folder)]
    subprocess.run(starter, check=True, capture_output=True, timeout=120)
    with_environment(with_small_mnist(folder))
    assert run(block(PAGE, "start"), folder, status=1).count("not started\n") == len(PROBLEMS)

    totals = []
    for stop in STOPS:
        graded = report(write(unwritten(BODIES[stop:]), folder))
        assert {verdict.status for verdict in graded.verdicts.values()} <= {"passed", "not started"}
        totals.append(graded.total)
    assert (totals[0], totals[-1]) == (0, MAX_TOTAL)
    assert totals == sorted(totals)
    assert run(block(PAGE, "grade"), folder).count("passed\n") == len(PROBLEMS)

    assert "After epoch 10: training loss" in run(block(PAGE, "train"), folder)
    assert "After epoch 100: training loss" in run(block(PAGE, "linear"), folder)
    for plots in ("hw1", "linear"):
        assert all((folder / plots / plot.file).read_bytes().startswith(b"\x89PNG") for plot in PLOTS)

    assert f"{len(PLOTS) + 7} files" in run(block(PAGE, "pack"), folder)
    assert f"{MAX_TOTAL} / {MAX_TOTAL}" in run(block(PAGE, "submit"), folder)

    for use, lines in USES.items():
        place = tmp_path / "hw2" / use
        for part in ("mytorch", "hw1"):
            shutil.copytree(folder / part, place / part)
        (place / "next.py").write_text(lines + LAYERS)
        done = subprocess.run([sys.executable, "next.py"], cwd=place, capture_output=True, text=True, timeout=120)
        assert (done.stdout, done.stderr) == ("(4, 3) (4, 4)\n", "")
