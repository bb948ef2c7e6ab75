"""What a log of `get_training_stats` says about it (writeup, section 3.6): the questions of those who grade it by hand.

The numbers and calls come from training_log.py, in the submission's process; here they are data.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import NamedTuple, TextIO

import diagnose
import numpy as np
from compare import array_of
from judges import blobs
from sandbox import GraderError, Sandbox
from submission import Submission
from training_log import CALLS, STATISTICS

Arrays = dict[str, np.ndarray]

TRAIN, VAL, TEST = 600, 150, 50  # images of MNIST; the last batch of an epoch is a short one
NEPOCHS, BATCH_SIZE, HIDDEN, LR = 4, 64, 24, 0.2
LETTERS = {"zero_grads": "z", "forward": "f", "backward": "b", "step": "s"}
TOLERANCE = 1e-6  # of a statistic


class Check(NamedTuple):
    """One question, and how it is answered with no: empty if all is well."""

    title: str
    fault: str


def inputs(path: str) -> Arrays:
    """Return a slice of MNIST and the settings of the run."""
    arrays: Arrays = {}
    try:
        with np.load(path, allow_pickle=False) as mnist:
            for name, count in (("train", TRAIN), ("val", VAL), ("test", TEST)):
                arrays[f"{name}_x"] = mnist[f"{name}_data"][:count] / 255.0
                arrays[f"{name}_y"] = np.eye(10)[mnist[f"{name}_labels"][:count]]
    except (OSError, ValueError, KeyError) as error:
        raise GraderError(f"{os.path.basename(path)} can't be read ({error})") from error
    settings = {"hidden": HIDDEN, "lr": LR, "nepochs": NEPOCHS, "batch_size": BATCH_SIZE}
    return {**arrays, **{name: np.array(value) for name, value in settings.items()}}


def watch(sandbox: Sandbox, submission: Submission, mnist: str, deadline: float) -> list[Check]:
    """Run the submission's get_training_stats on a slice of MNIST, and answer every question about it."""
    given = inputs(mnist)
    outcome = sandbox.run("training_log", blobs(given), deadline)
    if outcome.ended != "returned":
        if diagnose.unstarted(outcome, submission):
            reason = f"still to be written: {' '.join(outcome.raised['message'].split())[:200]}"
        elif outcome.ended == "raised":
            reason = diagnose.exception(outcome, submission)
        else:
            reason = diagnose.ending(outcome, deadline)
        return [Check("get_training_stats runs to its end", reason)]
    log = {name: array_of(blob) for name, blob in outcome.blobs.items()}
    try:
        return checks(log, classes(given))
    except (KeyError, IndexError, ValueError, TypeError):  # the log comes from the submission's process
        return [Check("get_training_stats can be watched", "what came back is no log of its calls")]


def classes(given: Arrays) -> np.ndarray:
    """The class of every row, partition after partition."""
    return np.concatenate([given[f"{part}_y"] for part in ("train", "val", "test")]).argmax(axis=1)


def show(found: list[Check], out: TextIO) -> None:
    """Print the answers, a line each, and under it what is wrong."""
    print(f"get_training_stats on {TRAIN} images of MNIST, {NEPOCHS} epochs, batches of {BATCH_SIZE}\n", file=out)
    for check in found:
        print(f"  {'no ' if check.fault else 'yes'}  {check.title}", file=out)
        if check.fault:
            print(f"         {check.fault}", file=out)
    faults = sum(bool(check.fault) for check in found)
    print(f"\n{len(found) - faults} of {len(found)} as they should be (writeup, section 3.6; no points)", file=out)


@dataclass
class Pass:
    """One forward pass: its rows, its mode, its loss and errors, and whether a backward follows it."""

    rows: np.ndarray
    training_mode: bool
    loss: float
    wrong: int
    labels: np.ndarray | None = None  # what backward was given

    @property
    def trained(self) -> bool:
        return self.labels is not None


@dataclass
class Epoch:
    """The passes that train, and those after them that don't."""

    trained: list[Pass]
    looked_at: list[Pass]


class Story:
    """A log read as calls and epochs."""

    def __init__(self, log: Arrays) -> None:
        events = log["events"]
        self.calls = "".join(LETTERS[CALLS[call]] for call in events[:, 0])
        self.passes: list[Pass] = []
        row = label = 0
        for call, training, count in events:
            if CALLS[call] == "forward":
                number = len(self.passes)
                rows = log["rows"][row : row + count]
                self.passes.append(Pass(rows, bool(training), float(log["losses"][number]), int(log["wrong"][number])))
                row += count
            elif CALLS[call] == "backward":
                if self.passes:
                    self.passes[-1].labels = log["labels"][label : label + count]
                label += count

    def epochs(self) -> list[Epoch]:
        found: list[Epoch] = []
        for one in self.passes:
            if one.trained and (not found or found[-1].looked_at):
                found.append(Epoch([], []))
            if found:
                (found[-1].trained if one.trained else found[-1].looked_at).append(one)
        return found


def checks(log: Arrays, labels: np.ndarray) -> list[Check]:
    """Answer every question about a log; `labels` are the classes of all rows, partition after partition."""
    story = Story(log)
    epochs = story.epochs()
    return [
        Check("zero_grads, forward, backward, step, in this order for each batch", order(story.calls)),
        Check(f"{NEPOCHS} epochs, each with validation at its end", counted(epochs)),
        Check("every training row once an epoch", once(epochs)),
        Check("a new order of the rows in each epoch", shuffled(epochs)),
        Check("each row with its own label", paired(story.passes, labels)),
        Check("training in training mode, validation in inference mode", modes(story.passes)),
        Check("every validation row once an epoch, and not trained on", validated(story.passes, epochs)),
        Check("the test set is not used", untested(story.passes)),
        Check("the data set is unchanged", "" if log["unchanged"] else "arrays of the data set were written to"),
        *statistics(log, epochs),
    ]


def order(calls: str) -> str:
    """zero_grads may stand anywhere between one step and the next backward."""
    if "b" not in calls or "s" not in calls:
        return f"{'backward' if 'b' not in calls else 'step'} is never called"
    if re.search("bz+s", calls):
        return "zero_grads is called between backward and step, so step has nothing to apply"
    if re.search("b(?!s)", calls):
        return "backward is called without a step right after it"
    if re.search("(?<!b)s", calls):
        return "step is called without a backward right before it"
    if re.search("(?<!f)(?<!fz)b", calls):
        return "backward is called without a forward before it"
    batches = calls.split("b")[1:-1]
    missing = sum("z" not in batch for batch in batches)
    if missing:
        return f"zero_grads is not called between {missing} of {len(batches)} batches and the next"
    return ""


def counted(epochs: list[Epoch]) -> str:
    if len(epochs) != NEPOCHS:
        return f"{len(epochs)} rounds of training with validation after them, expected {NEPOCHS}"
    return "" if epochs[-1].looked_at else "no validation after the last epoch"


def once(epochs: list[Epoch]) -> str:
    for number, epoch in enumerate(epochs, 1):
        rows = _rows(epoch.trained)
        times = np.bincount(rows[(rows >= 0) & (rows < TRAIN)], minlength=TRAIN)
        strange, missing, often = int((rows < 0).sum()), int((times == 0).sum()), int((times > 1).sum())
        if strange:
            return f"epoch {number} trains on {strange} rows that are not the data set's"
        if missing == TRAIN % BATCH_SIZE and not often:
            return f"epoch {number} leaves out {missing} rows: the short last batch is dropped"
        if missing or often:
            return f"epoch {number} leaves out {missing} of {TRAIN} rows and takes {often} more than once"
    return ""


def shuffled(epochs: list[Epoch]) -> str:
    orders = [_rows(epoch.trained).tolist() for epoch in epochs]
    if len(orders) > 1 and any(one == other for one, other in zip(orders, orders[1:])):
        kept = all(one == sorted(one) for one in orders)
        return "the rows are never shuffled" if kept else "the rows come in the same order in different epochs"
    batches = [{frozenset(one.rows.tolist()) for one in epoch.trained} for epoch in epochs]
    if len(batches) > 1 and batches[0] == batches[1]:
        return "only the batches are shuffled, the rows in each stay together"
    return ""


def paired(passes: list[Pass], labels: np.ndarray) -> str:
    given = [(one.rows, one.labels) for one in passes if one.labels is not None and (one.rows >= 0).all()]
    if any(len(rows) != len(classes) for rows, classes in given):
        return "backward is given another number of labels than forward was given rows"
    wrong = sum(int((labels[rows] != classes).sum()) for rows, classes in given)
    return f"{wrong} rows are trained on with another row's label" if wrong else ""


def modes(passes: list[Pass]) -> str:
    training = sum(not one.training_mode for one in passes if one.trained)
    looking = sum(one.training_mode for one in passes if not one.trained)
    if training:
        return f"{training} batches are trained on in inference mode: train() has to follow validation"
    return f"{looking} batches are validated in training mode: eval() has to come before" if looking else ""


def validated(passes: list[Pass], epochs: list[Epoch]) -> str:
    trained_on = sum(int(_is_validation(one.rows).sum()) for one in passes if one.trained)
    if trained_on:
        return f"backward and step follow {trained_on} validation rows"
    for number, epoch in enumerate(epochs, 1):
        rows = _rows(epoch.looked_at)
        if (rows < TRAIN).any():
            return f"epoch {number} passes {int((rows < TRAIN).sum())} other rows through the network without training"
        times = np.bincount(rows[_is_validation(rows)] - TRAIN, minlength=VAL)
        if (times != 1).any():
            missing, often = int((times == 0).sum()), int((times > 1).sum())
            return f"epoch {number} leaves out {missing} of {VAL} rows and takes {often} more than once"
    return ""


def untested(passes: list[Pass]) -> str:
    used = sum(int((one.rows >= TRAIN + VAL).sum()) for one in passes)
    return f"{used} rows of it pass through the network" if used else ""


def statistics(log: Arrays, epochs: list[Epoch]) -> list[Check]:
    """What is returned, against what the passes of each epoch add up to."""
    title = f"four arrays of shape ({NEPOCHS},)"
    if int(log["returned"]) != len(STATISTICS):
        count = int(log["returned"])
        return [Check(title, f"{count} values are returned" if count >= 0 else "no tuple of arrays is returned")]
    for name in STATISTICS:
        value = log.get(name)
        if value is None or value.dtype.kind not in "fiu" or value.shape != (NEPOCHS,):
            what = "no numeric array" if value is None or value.dtype.kind not in "fiu" else f"of shape {value.shape}"
            return [Check(title, f"{name} is {what}")]
    found = [Check(title, "")]
    for name in STATISTICS:
        part = [epoch.trained if name.startswith("training") else epoch.looked_at for epoch in epochs]
        found.append(Check(f"{name}: means per example", mean(log[name], part, name.endswith("losses"))))
    for name in ("training_losses", "validation_losses"):
        first, last = log[name][[0, -1]]
        falls = last < first
        found.append(
            Check(f"{name} fall", "" if falls else f"from {first:.4g} in the first epoch to {last:.4g} in the last")
        )
    return found


def mean(values: np.ndarray, epochs: list[list[Pass]], losses: bool) -> str:
    """Why the values are not the means that the passes give, or nothing."""
    if len(epochs) != len(values) or not all(epochs):
        return "the epochs could not be told apart"
    sums = np.array([sum(one.loss if losses else one.wrong for one in epoch) for epoch in epochs], dtype=float)
    sizes = np.array([sum(len(one.rows) for one in epoch) for epoch in epochs])
    batches = np.array([len(epoch) for epoch in epochs])
    of_means = [np.mean([(one.loss if losses else one.wrong) / len(one.rows) for one in epoch]) for epoch in epochs]

    def fits(other: np.ndarray) -> bool:
        return bool(np.allclose(values, other, rtol=TOLERANCE, atol=TOLERANCE))

    if fits(sums / sizes):
        return ""
    known = [
        (sums, "the sums are not divided by the number of examples"),
        (sums / batches, "the sums are divided by the number of batches, not of examples"),
        (np.cumsum(sums) / sizes, "the sums are not set to zero at the start of an epoch"),
        (np.cumsum(sums) / batches, "the sums are not set to zero at the start of an epoch, nor divided by examples"),
        (
            np.array(of_means),
            "the short last batch counts as much as a full one: divide the epoch's sum by the examples",
        ),
        (100 * sums / sizes, "it is in percent, not a share"),
    ]
    for other, reason in known:
        if fits(other):
            return reason
    return f"it is {values[0]:.4g} after the first epoch, where the passes give {sums[0] / sizes[0]:.4g}"


def _rows(passes: list[Pass]) -> np.ndarray:
    return np.concatenate([one.rows for one in passes]) if passes else np.zeros(0, dtype=int)


def _is_validation(rows: np.ndarray) -> np.ndarray:
    return (rows >= TRAIN) & (rows < TRAIN + VAL)
