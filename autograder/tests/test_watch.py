"""`runner.py --training-stats` finds each of the mistakes that get_training_stats is known for, and nothing else."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import activation
import loss
import numpy as np
import pytest
import runner
import training_log
import training_stats
from training_stats import Check

import hw1

ROOT = Path(__file__).resolve().parents[2]
HEAD = "def get_training_stats(mlp, dset, nepochs, batch_size):\n"

# A right function in another style than the solution's: each mistake is one change of it.
RIGHT = """
    (x, y), (vx, vy), (tx, ty) = dset
    stats = np.zeros((4, nepochs))
    n, m = len(x), len(vx)
    order = np.arange(n)
    for epoch in range(nepochs):
        totals = np.zeros(4)
        np.random.shuffle(order)
        a, b = x[order], y[order]
        mlp.train()
        for i in range(0, n, batch_size):
            mlp(a[i:i + batch_size])
            mlp.zero_grads()
            mlp.backward(b[i:i + batch_size])
            mlp.step()
            totals[0] += mlp.total_loss(b[i:i + batch_size])
            totals[1] += mlp.error(b[i:i + batch_size])
        mlp.eval()
        for i in range(0, m, batch_size):
            mlp.forward(vx[i:i + batch_size])
            totals[2] += mlp.total_loss(vy[i:i + batch_size])
            totals[3] += mlp.error(vy[i:i + batch_size])
        stats[:, epoch] = totals / [n, n, m, m]
    return tuple(stats)
"""
STEP = "            mlp.step()\n"
ZERO = "            mlp.zero_grads()\n"
FORWARD = "            mlp(a[i:i + batch_size])\n"
BACKWARD = "            mlp.backward(b[i:i + batch_size])\n"
SHUFFLE = "        np.random.shuffle(order)\n        a, b = x[order], y[order]\n"
EPOCHS = "    for epoch in range(nepochs):\n"
TOTALS = "        totals = np.zeros(4)\n"
VALIDATE = "            mlp.forward(vx[i:i + batch_size])\n"

# What is changed to what, and a part of what is to be found (mistake 61 of the course's list, and its like).
MISTAKES = {
    "no train() after validation": ("        mlp.train()\n", "", "train() has to follow"),
    "no eval() before validation": ("        mlp.eval()\n", "", "eval() has to come before"),
    "x shuffled without y": ("y[order]", "y", "another row's label"),
    "totals not reset": (
        EPOCHS + "        totals = np.zeros(4)\n",
        "    totals = np.zeros(4)\n" + EPOCHS,
        "not set to zero",
    ),
    "divided by batches": ("/ [n, n, m, m]", "/ np.ceil(np.array([n, n, m, m]) / batch_size)", "number of batches"),
    "not divided": ("/ [n, n, m, m]", "", "not divided"),
    "in percent": ("/ [n, n, m, m]", "/ [n, n / 100, m, m / 100]", "in percent"),
    "means of batches averaged": (
        "            totals[0] += mlp.total_loss(b[i:i + batch_size])\n",
        "            totals[0] += mlp.total_loss(b[i:i + batch_size]) / len(a[i:i + batch_size]) * n / 10\n",
        "short last batch counts as much",
    ),
    "short last batch dropped": (
        "range(0, n, batch_size)",
        "range(0, n - batch_size + 1, batch_size)",
        "last batch is dropped",
    ),
    "a step on validation data": (
        VALIDATE,
        VALIDATE + "            mlp.zero_grads(); mlp.backward(vy[i:i + batch_size]); mlp.step()\n",
        "validation rows",
    ),
    "the caller's arrays shuffled in place": (
        SHUFFLE,
        "        state = np.random.get_state(); np.random.shuffle(x)\n"
        "        np.random.set_state(state); np.random.shuffle(y); a, b = x, y\n",
        "written to",
    ),
    "no shuffling": (SHUFFLE, "        a, b = x, y\n", "never shuffled"),
    "one order for all epochs": (
        EPOCHS + TOTALS + "        np.random.shuffle(order)\n",
        "    np.random.shuffle(order)\n" + EPOCHS + TOTALS,
        "same order",
    ),
    "batches shuffled, not rows": (
        SHUFFLE,
        "        starts = np.arange(0, n, batch_size)[:-1]; np.random.shuffle(starts)\n"
        "        o = np.concatenate([*(np.arange(s, s + batch_size) for s in starts), np.arange(576, 600)])\n"
        "        a, b = x[o], y[o]\n",
        "only the batches",
    ),
    "drawn with replacement": ("np.random.shuffle(order)", "order = np.random.randint(n, size=n)", "more than once"),
    "the test set validates": ("(vx, vy), (tx, ty)", "(tx, ty), (vx, vy)", "rows of it pass"),
    "no zero_grads": (ZERO, "", "zero_grads is not called"),
    "zero_grads before step": (STEP, ZERO + STEP, "nothing to apply"),
    "no step": (STEP, "", "step is never called"),
    "no backward": (BACKWARD, "", "backward is never called"),
    "step before backward": (BACKWARD + STEP, STEP + BACKWARD, "without a step right after"),
    "two steps a batch": (STEP, STEP * 2, "without a backward right before"),
    "training set evaluated again": (STEP, STEP + FORWARD, "without training"),
    "one epoch too few": ("range(nepochs)", "range(nepochs - 1)", "3 rounds"),
    "no validation": ("range(0, m, batch_size)", "range(0)", "validation"),
    "validation drops its last batch": (
        "range(0, m, batch_size)",
        "range(0, m - batch_size + 1, batch_size)",
        "leaves out 22 of 150",
    ),
    "lists of lists": ("return tuple(stats)", "return tuple(stats.tolist())", "no numeric array"),
    "two arrays": ("return tuple(stats)", "return stats[0], stats[1]", "2 values are returned"),
    "nothing": ("return tuple(stats)", "return", "no tuple"),
    "only the last epoch's": ("return tuple(stats)", "return tuple(stats[:, -1:])", "of shape (1,)"),
    "gradient ascent": (STEP, "            mlp.lr = -0.05\n" + STEP, "in the first epoch to"),
}

VARIANTS = {
    "the same": ("", ""),
    "zero_grads at the end of a batch": (ZERO + BACKWARD + STEP, BACKWARD + STEP + ZERO),
    "validation at once": (
        RIGHT[RIGHT.index("        for i in range(0, m,") : RIGHT.index("        stats[")],
        "        mlp(vx)\n        totals[2:] = mlp.total_loss(vy), mlp.error(vy)\n",
    ),
    "float32": (
        "    (x, y), (vx, vy), (tx, ty) = dset\n",
        "    (x, y), (vx, vy) = ([p.astype('f') for p in d] for d in dset[:2])\n",
    ),
    "a permutation": ("np.random.shuffle(order)", "order = np.random.permutation(n)"),
    "an array of shape (4, nepochs)": ("return tuple(stats)", "return stats"),
    "left in inference mode": ("    return", "    mlp.eval()\n    return"),
}


def changed(old: str, new: str) -> str:
    assert old in RIGHT
    return RIGHT.replace(old, new, 1) if old else RIGHT


@pytest.fixture(scope="module")
def mnist() -> dict[str, np.ndarray]:
    return training_stats.inputs(str(ROOT / "data" / "mnist.npz"))


def watched(body: str, mnist: dict[str, np.ndarray]) -> list[Check]:
    """What is found of a get_training_stats with this body; in this process, since it is no student's."""
    names: dict[str, Any] = {"np": np}
    exec(HEAD + body, names)
    module = SimpleNamespace(MLP=hw1.MLP, get_training_stats=names["get_training_stats"])
    np.random.seed(0)
    copies = {name: array.copy() for name, array in mnist.items()}
    values = training_log.training_log(SimpleNamespace(hw1=module, activation=activation, loss=loss), **copies)
    log = {name: np.asarray(value) for name, value in values.items() if not isinstance(value, list)}
    return training_stats.checks(log, training_stats.classes(mnist))


@pytest.mark.parametrize("name", VARIANTS)
def test_right_in_another_style(name: str, mnist: dict[str, np.ndarray]) -> None:
    found = watched(changed(*VARIANTS[name]), mnist)
    assert [check for check in found if check.fault] == []
    assert len(found) == 16


@pytest.mark.parametrize("name", MISTAKES)
def test_found(name: str, mnist: dict[str, np.ndarray]) -> None:
    old, new, words = MISTAKES[name]
    faults = [check.fault for check in watched(changed(old, new), mnist) if check.fault]
    assert any(words in fault for fault in faults), faults


def test_the_solution_is_as_it_should_be_and_the_exit_status_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert runner.main(["--training-stats"]) == 0
    assert "16 of 16 as they should be" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (changed("y[order]", "y"), "another row's label"),
        ("    1 / 0\n", "`1 / 0`: ZeroDivisionError"),
        ("    raise NotImplementedError('here')\n", "still to be written: here"),
        ("    import os\n    os._exit(0)\n", "the process ended"),
    ],
)
def test_a_submission_is_watched_in_its_own_process(
    body: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (ROOT / "hw1" / "hw1.py").read_text()
    shutil.copytree(ROOT / "mytorch", tmp_path / "mytorch")
    (tmp_path / "hw1").mkdir()
    (tmp_path / "hw1" / "hw1.py").write_text(text[: text.index(HEAD)] + HEAD + body)
    assert runner.main(["--training-stats", "--submission", str(tmp_path)]) == 1
    assert words in capsys.readouterr().out


def test_what_is_no_log_is_not_read_as_one() -> None:
    for log in ({}, {"events": np.ones((3, 3), dtype=int)}, {"events": np.full((3, 3), 99)}):
        with pytest.raises((KeyError, IndexError)):
            training_stats.checks(log, np.zeros(800))
