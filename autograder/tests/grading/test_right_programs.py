"""Correct programs keep every point and bring no finding: rewrites of the solution, and submissions in other styles.

The other ways of grading are tried on a sample, on all programs where `WHOLE` is set.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from grading import gradient_check, training_stats
from grading.settings import MNIST, Settings
from handins import GRADER, MAX_TOTAL, ROOT, command, grade, report, write
from programs import PROGRAMS
from samples import sample
from sandbox.workplace import Workplace


def against_the_solution(folder: Path) -> None:
    result = grade(folder, against=str(ROOT), seed=len(folder.name))
    assert (result.score, result.unpassed, result.findings) == (MAX_TOTAL, {}, [])


def by_training(folder: Path) -> None:
    """One epoch of test.py on a slice of MNIST, with batch norm."""
    pytest.importorskip("matplotlib")
    shutil.copytree(GRADER, folder / "autograder" / "hw1_autograder", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "data").mkdir()
    with np.load(MNIST) as mnist:
        np.savez(folder / "data" / "mnist.npz", **{name: mnist[name][:200] for name in mnist.files})
    options = ["--epochs", "1", "--hiddens", "8", "--bn-layers", "1", "--outpath", str(folder / "plots")]
    done = command(*options, name="test.py", grader=folder / "autograder" / "hw1_autograder")
    assert done.returncode == 0, done.stderr
    assert len(list((folder / "plots").glob("*.png"))) == 4


WAYS: dict[str, Callable[[Path], None]] = {
    "--against": against_the_solution,
    "test.py": by_training,
}
PAIRS = [(name, way) for name in PROGRAMS for way in WAYS]


@pytest.mark.parametrize("name", sample(PROGRAMS, 2))
def test_a_right_program_has_all_points_and_no_finding(name: str, tmp_path: Path) -> None:
    run = report(write(PROGRAMS[name], tmp_path))
    assert {key: v.reason for key, v in run.verdicts.items() if v.status != "passed"} == {}
    assert (run.total, run.findings) == (MAX_TOTAL, [])


@pytest.mark.parametrize("name", sample(PROGRAMS, 12))
def test_a_right_program_passes_the_gradient_check_and_the_rules_of_training(name: str, tmp_path: Path) -> None:
    write(PROGRAMS[name], tmp_path)
    with Workplace() as workplace:
        gradients = gradient_check.check(gradient_check.LAYERS, Settings(str(tmp_path)), workplace)
    assert [row for row in gradients if row.fault] == []
    with Workplace() as workplace:
        statistics = training_stats.watch(Settings(str(tmp_path)), workplace)
    assert {title: answer for title, answer in statistics.items() if answer.said != "yes"} == {}


@pytest.mark.parametrize(("name", "way"), sample(PAIRS, 27))
def test_a_right_program_is_right_in_every_way_of_grading(name: str, way: str, tmp_path: Path) -> None:
    WAYS[way](write(PROGRAMS[name], tmp_path))
