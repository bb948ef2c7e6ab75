"""The rules for `get_training_stats` find each of its known mistakes, on MNIST and on the finding's small data alike.

Both say which rule is broken; other right ways to write it break none.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import students
from diagnosis.compare import array_of, blob_of
from grading import training_rules, training_stats
from grading.judges import blobs
from grading.settings import MNIST, Settings
from handins import MAX_TOTAL, body, changed, command, grade, solution, write
from homework import cases
from samples import sample
from sandbox.answers import Outcome
from sandbox.submission import Submission
from sandbox.workplace import Workplace

ROOT = Path(__file__).resolve().parents[3]
HEAD = "def get_training_stats(mlp, dset, nepochs, batch_size):\n"
TITLE = "the network's training breaks a rule of section 3.6"

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
    "errors divided by batches": ("/ [n, n, m, m]", "/ [n, np.ceil(n / batch_size), m, m]", "number of batches"),
    "in percent": ("/ [n, n, m, m]", "/ [n, n / 100, m, m / 100]", "in percent"),
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
    "the validation rows trained on in between": (
        "        mlp.eval()\n",
        "        mlp(vx); mlp.backward(vy); mlp.step()\n        mlp.eval()\n",
        "validation rows",
    ),
    "no shuffling": (SHUFFLE, "        a, b = x, y\n", "never shuffled"),
    "one order for all epochs": (
        EPOCHS + TOTALS + "        np.random.shuffle(order)\n",
        "    np.random.shuffle(order)\n" + EPOCHS + TOTALS,
        "same order",
    ),
    "batches shuffled, not rows": (
        SHUFFLE,
        "        starts = np.arange(0, n, batch_size); np.random.shuffle(starts)\n"
        "        o = [row for s in starts for row in range(s, s + batch_size)]\n"
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
    "one epoch too few": (
        "range(nepochs)",
        "range(nepochs - 1)",
        "rounds of training with validation",
    ),
    "no validation": ("range(0, m, batch_size)", "range(0)", "validation"),
    "lists of lists": ("return tuple(stats)", "return tuple(stats.tolist())", "no numeric array"),
    "two arrays": ("return tuple(stats)", "return stats[0], stats[1]", "2 values are returned"),
    "nothing": ("return tuple(stats)", "return", "no tuple"),
    "only the last epoch's": ("return tuple(stats)", "return tuple(stats[:, -1:])", "has the shape (1,), expected"),
    "gradient ascent": (STEP, "            mlp.lr = -0.05\n" + STEP, "no lower than after the first"),
}

# What breaks a rule or none, and says nothing untrue: a change, the rules broken by it, and those that can't be judged.
COUNT = "as many epochs as asked for, each with validation at its end"
LAST_OF_BATCH = "            totals[1] += mlp.error(b[i:i + batch_size])\n"
ORDER = "a new order of the rows in each epoch"
LABELS = "each row with its own label"
UNJUDGED: dict[str, tuple[str, str, dict[str, str], set[str]]] = {
    "rows scaled": (
        "    stats = ",
        "    x, vx = x / 2 - 1, vx / 2 - 1\n    stats = ",
        {},
        {*training_rules.ONCE, ORDER},
    ),
    "noise on the training rows": (
        "a, b = x[order], y[order]",
        "a, b = x[order] + 1e-3 * np.random.randn(*x.shape), y[order]",
        {},
        {training_rules.ONCE[0], ORDER},
    ),
    "one batch of all rows": ("len(x), len(vx)\n", "len(x), len(vx); batch_size = n\n", {}, {ORDER}),
    "the network's output as labels": (
        FORWARD + ZERO + BACKWARD,
        ZERO + "            mlp.backward(mlp(a[i:i + batch_size]))\n",
        {LABELS: "no one-hot labels"},
        set(),
    ),
    "validation after each batch": (
        LAST_OF_BATCH,
        LAST_OF_BATCH + "            mlp.eval(); mlp(vx); mlp.train()\n",
        {COUNT: "rounds of training"},
        {*training_rules.ONCE, ORDER},
    ),
    "a look at the test set": (
        "    return tuple",
        "    mlp(tx)\n    return tuple",
        {"the test set is not used": "rows of it pass"},
        set(),
    ),
    "a network of its own": (
        "    stats = ",
        "    mlp = type(mlp).__mro__[1](x.shape[1], 10, [], [mlp.activations[1]], lambda i, o: np.zeros((i, o)), "
        "lambda o: np.zeros((1, o)), mlp.criterion, 0.1)\n    stats = ",
        {COUNT: "no training rows pass through the network that is passed in"},
        {*training_rules.ONCE, ORDER},
    ),
}

# What the homework's sizes do not show: rows that are left out where the last batch is a short one.
DROPPED = {
    "training": (
        "range(0, n, batch_size)",
        "range(0, n - batch_size + 1, batch_size)",
        "the short last batch is dropped",
    ),
    "training, by a count of batches": (
        "for i in range(0, n, batch_size)",
        "for i in np.arange(n // batch_size) * batch_size",
        "the short last batch is dropped",
    ),
    "validation": ("range(0, m, batch_size)", "range(0, m - batch_size + 1, batch_size)", "rows are left out"),
}

# Ways of averaging that are exact where batches divide the rows, as 100 divides 55,000 and 5,000.
TOTALS_OF = "/ [n, n, m, m]"
AVERAGES = {
    "by batches times their size": (TOTALS_OF, "/ (np.ceil(np.array([n, n, m, m]) / batch_size) * batch_size)"),
    "by whole batches times their size": (TOTALS_OF, "/ (np.array([n, n, m, m]) // batch_size * batch_size)"),
    "by the size, then by whole batches": (TOTALS_OF, "/ batch_size / (np.array([n, n, m, m]) // batch_size)"),
    "the mean of the batches' means": (
        "mlp.total_loss(b[i:i + batch_size])\n",
        "mlp.total_loss(b[i:i + batch_size]) / len(b[i:i + batch_size]) * n / -(-n // batch_size)\n",
    ),
    "the batches' means, by whole batches": (
        "mlp.total_loss(vy[i:i + batch_size])\n",
        "mlp.total_loss(vy[i:i + batch_size]) / len(vy[i:i + batch_size]) * m / (m // batch_size)\n",
    ),
    "a mean that runs": (
        "totals[0] += mlp.total_loss(b[i:i + batch_size])\n",
        "totals[0] += (n * mlp.criterion.loss.mean() - totals[0]) / (i // batch_size + 1)\n",
    ),
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
    "shuffled after the epoch": (
        EPOCHS + TOTALS + "        np.random.shuffle(order)\n",
        EPOCHS + TOTALS + "        epoch and np.random.shuffle(order)\n",
    ),
    "figures from the network's output": (
        "totals[0] += mlp.total_loss(b[i:i + batch_size])",
        "totals[0] += mlp.criterion(mlp.output, b[i:i + batch_size]).sum()",
    ),
    "left in inference mode": ("    return", "    mlp.eval()\n    return"),
}


def edited(old: str, new: str) -> str:
    assert old in RIGHT
    return RIGHT.replace(old, new, 1) if old else RIGHT


@pytest.fixture(scope="module", params=["MNIST", "the finding's"])
def data(request: pytest.FixtureRequest) -> dict[str, np.ndarray]:
    if request.param == "MNIST":
        return training_stats.inputs(MNIST, training_stats.EVEN)
    return cases.draw("training_stats")


def broken(body: str, *drawings: dict[str, np.ndarray]) -> list[list[str]]:
    """What the rules say of a get_training_stats with this body, on each of these inputs."""
    files = Submission(with_body(body))
    found = []
    with Workplace() as workplace:
        sandbox = workplace.lay_out(files)
        for data in drawings:
            outcome = training_rules.read(sandbox.run("training_log", blobs(data), 10), data)
            assert list(outcome.blobs) == list(training_rules.RULES)
            found.append([fault for fault in (str(array_of(blob)) for blob in outcome.blobs.values()) if fault])
    return found


def with_body(body: str) -> dict[str, bytes]:
    """The solution with this body of get_training_stats."""
    files = solution()
    text = files["hw1/hw1.py"].decode()
    files["hw1/hw1.py"] = (text[: text.index("def get_training_stats(")] + HEAD + body).encode()
    return files


@pytest.mark.parametrize("name", sample(VARIANTS, 2))
def test_another_right_way_breaks_no_rule(name: str, data: dict[str, np.ndarray]) -> None:
    assert broken(edited(*VARIANTS[name]), data) == [[]]


def test_right_code_breaks_no_rule_whatever_the_inputs_and_the_shuffling() -> None:
    seeded = "    np.random.seed(int(1e6 * np.abs(dset[0][0]).sum()) % 2**32)\n" + RIGHT
    assert broken(seeded, *(cases.draw("training_stats", seed) for seed in range(50))) == [[]] * 50


@pytest.mark.parametrize("name", sample(MISTAKES, 2))
def test_the_rule_that_a_mistake_breaks_is_named_first(name: str, data: dict[str, np.ndarray]) -> None:
    old, new, words = MISTAKES[name]
    assert words in broken(edited(old, new), data)[0][0]


@pytest.mark.parametrize("name", UNJUDGED)
def test_a_rule_that_can_not_be_judged_has_no_answer(name: str, data: dict[str, np.ndarray]) -> None:
    old, new, faults, unjudged = UNJUDGED[name]
    with Workplace() as workplace:
        outcome = workplace.lay_out(Submission(with_body(edited(old, new)))).run("training_log", blobs(data), 10)
    found = training_rules.answers(outcome, data)
    broken = {title: answer.why for title, answer in found.items() if answer.said == "no"}
    assert broken.keys() - {title for title in broken if title.endswith(" fall")} == faults.keys()
    assert all(words in broken[title] for title, words in faults.items())
    assert {found[title].said for title in unjudged} <= {training_rules.DASH}


def watched(body: str, folder: Path) -> dict[str, training_rules.Answer]:
    """What `--training-stats` answers of a get_training_stats with this body."""
    with Workplace() as workplace:
        return training_stats.watch(Settings(str(write(with_body(body), folder))), workplace)


@pytest.mark.parametrize("name", DROPPED)
def test_rows_that_only_a_short_last_batch_leaves_out_are_said(name: str, tmp_path: Path) -> None:
    old, new, words = DROPPED[name]
    found = watched(edited(old, new), tmp_path)
    assert [title for title, answer in found.items() if answer.said != "yes"] == [training_stats.LAST]
    assert found[training_stats.LAST] == ("no", words)
    result = grade(tmp_path)
    assert [(f.title, words in f.reason) for f in result.findings] == [
        (f"{TITLE} where the last batch is a short one", True)
    ]


@pytest.mark.parametrize("name", sample(AVERAGES, 2))
def test_an_average_that_is_exact_for_the_homeworks_sizes_is_right_and_its_error_elsewhere_said(
    name: str, tmp_path: Path
) -> None:
    found = watched(edited(*AVERAGES[name]), tmp_path)
    assert {answer.said for answer in found.values()} == {"yes"}
    notes = {answer.why for answer in found.values()} - {""}
    assert notes
    for note in notes:
        share = re.fullmatch(r"with a short last batch they are off by up to (\S+) %", note)
        assert share, note
        assert 0.1 < float(share[1]) < 60
    assert grade(tmp_path).findings == []


# What did not happen has no answer; what did is judged all the same.
ABSENT = {
    "pass": ("    pass\n", 2),
    "zeros without a pass": ("    return tuple(np.zeros((4, nepochs)))\n", 1),
    "forward alone": ("    mlp(dset[0][0]); return tuple(np.zeros((4, nepochs)))\n", 2),
}


@pytest.mark.parametrize("name", ABSENT)
def test_what_did_not_happen_has_no_answer(name: str, tmp_path: Path) -> None:
    code, faults = ABSENT[name]
    found = watched(code, tmp_path)
    said = [answer.said for answer in found.values()]
    assert said.count("no") == faults, found
    assert found["as many epochs as asked for, each with validation at its end"].said == "no"
    assert "yes" not in [found[title].said for title in training_rules.ONCE]


def test_empty_batches_are_said_to_be_empty(tmp_path: Path) -> None:
    texts = dict(students.PLAIN)
    texts["hw1/hw1.py"] = (
        texts["hw1/hw1.py"].replace("valx[b:b + batch", "valx[b:batch").replace("valy[b:b +", "valy[b:")
    )
    write({name: text.encode() for name, text in texts.items()}, tmp_path)
    with Workplace() as workplace:
        found = training_stats.watch(Settings(str(tmp_path)), workplace)
    assert found["no batch is empty"] == ("no", "batches without rows pass through the network")
    assert found[training_rules.ONCE[1]].said == "no"


def test_a_shuffle_of_pairs_that_raises_on_mnist_raises_on_the_findings_data_too(data: dict[str, np.ndarray]) -> None:
    pairs = "        p = np.array(list(zip(x, y))); np.random.shuffle(p); a, b = p[:, 0], p[:, 1]\n"
    files = Submission(with_body(RIGHT.replace(SHUFFLE, pairs)))
    with Workplace() as workplace:
        outcome = workplace.lay_out(files).run("training_log", blobs(data), 10)
    assert outcome.ended == "raised" or np.lib.NumpyVersion(np.__version__) < "1.24.0"


def test_the_sizes_of_a_training_run_all_differ(data: dict[str, np.ndarray]) -> None:
    sizes = [len(data[f"{part}_x"]) for part in ("train", "val", "test")]
    sizes += [data["train_x"].shape[1], data["train_y"].shape[1], int(data["hidden"]), int(data["batch_size"])]
    assert len({*sizes}) == len(sizes)


def test_the_solution_is_as_it_should_be_and_the_exit_status_says_so() -> None:
    done = command("--training-stats")
    assert done.returncode == 0
    assert "18 of 18 as they should be" in done.stdout


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (edited("y[order]", "y"), "another row's label"),
        ("    1 / 0\n", "`1 / 0`: ZeroDivisionError"),
        ("    import os\n    os._exit(0)\n", "the process ended"),
        ("    return np.zeros(4)\n", "no training rows pass"),
    ],
)
def test_the_finding_and_the_option_say_the_same_and_cost_nothing(code: str, words: str, tmp_path: Path) -> None:
    path = write(with_body(code), tmp_path)
    result = grade(path)
    assert result.score == MAX_TOTAL
    assert [finding.title for finding in result.findings] == [TITLE]
    assert words in result.findings[0].reason
    done = command("--training-stats", "--submission", str(path))
    assert done.returncode == 1
    assert words in " ".join(done.stdout.split())


def test_what_is_still_to_be_written_brings_no_finding(tmp_path: Path) -> None:
    path = write(with_body("    raise NotImplementedError('here')\n"), tmp_path)
    assert grade(path).findings == []
    done = command("--training-stats", "--submission", str(path))
    assert done.returncode == 1
    assert "not started: here" in done.stdout


@pytest.mark.parametrize(
    "edit",
    [
        changed("hw1/hw1.py", "lr = float(self.lr)", "lr = 0.0"),
        body("MLP.step", "raise ValueError('no')"),
        body("MLP.total_loss", "return 0.0"),
        body("MLP.error", "raise ValueError('no')"),
    ],
)
def test_the_finding_waits_for_the_network_that_it_watches(edit: Any, tmp_path: Path) -> None:
    files = solution()
    edit(files)
    assert TITLE not in [finding.title for finding in grade(write(files, tmp_path)).findings]


@pytest.mark.parametrize("seed", range(8))
def test_losses_that_differ_by_the_rounding_of_the_rows_order_alone_do_not_fall(seed: int) -> None:
    code = f"    np.random.seed({seed})\n" + edited(*MISTAKES["step before backward"][:2])
    [faults] = broken(code, cases.draw("training_stats"))
    assert len([fault for fault in faults if "no lower than after the first" in fault]) == 2


LOG = {"calls": np.array(["f"]), "modes": np.ones(1), "counts": np.ones(1, int), "rows": np.zeros(1, int)}
WHOLE = {**LOG, "losses": np.zeros(1), "wrong": np.zeros(1), "returned": np.array(0), "unchanged": np.array(True)}


@pytest.mark.parametrize(
    "log",
    [
        {},
        LOG,
        {**WHOLE, "counts": np.array([-1])},
        {**WHOLE, "counts": np.array(1)},
        {**WHOLE, "rows": np.array([1.5])},
        {**WHOLE, "wrong": np.array([np.inf])},
        {**WHOLE, "unchanged": np.ones(2)},
        {**WHOLE, "calls": np.array(["f"] * 200_000)},
    ],
)
def test_what_is_no_log_is_not_read_as_one(log: dict[str, np.ndarray]) -> None:
    outcome = Outcome("returned", blobs={name: blob_of(array) for name, array in log.items()})
    assert training_rules.read(outcome, cases.draw("training_stats")).ended == "garbled"
