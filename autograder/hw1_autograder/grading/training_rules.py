"""The rules of section 3.6 for `get_training_stats`, judged on the log of its calls that training_log.py makes.

A rule says what is wrong, or nothing, and whether what it is about happened at all; what it says holds no numbers, so
that the same mistake gives the same sentence on any data.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import partial
from typing import Callable, NamedTuple

import numpy as np

from diagnosis.compare import RTOL, array_of, blob_of
from sandbox.answers import Outcome

Arrays = dict[str, np.ndarray]

STATISTICS = ("training_losses", "training_errors", "validation_losses", "validation_errors")
TOLERANCE = 1e-6  # of a statistic
MOST_CALLS = 100_000  # of a log that is read
DASH = "\N{EN DASH}"


class Answer(NamedTuple):
    """What a rule answers, `yes`, `no`, or a dash where what it is about did not happen, and why."""

    said: str
    why: str = ""


class Rule(NamedTuple):
    """What is wrong with a story, or nothing; and whether it tells of what the rule is about."""

    fault: Callable[[Story], str]
    happened: Callable[[Story], bool]


def read(outcome: Outcome, given: Arrays) -> Outcome:
    """Put what each rule finds, by its title, in the place of a log; `given` are the inputs of the run."""
    if outcome.ended != "returned":
        return outcome
    found = answers(outcome, given)
    if not found:
        return replace(outcome, ended="garbled", types={}, blobs={})
    faults = {title: blob_of(np.array(answer.why if answer.said == "no" else "")) for title, answer in found.items()}
    return replace(outcome, types=dict.fromkeys(faults, "str"), blobs=faults)


def answers(outcome: Outcome, given: Arrays) -> dict[str, Answer]:
    """The answer of each rule, by its title; none where what came back is no log."""
    try:
        story = _story(outcome, given)
        return {title: _answer(rule, story) for title, rule in RULES.items()}
    except (LookupError, ValueError, TypeError, ArithmeticError):  # the log comes from the submission's process
        return {}


def errors(outcome: Outcome, given: Arrays) -> dict[str, float]:
    """By which share each statistic of a log is off at most, of the largest that its passes give."""
    story = _story(outcome, given)
    found = {}
    for title, number in MEANS.items():
        if summed(number, story):
            right = _sums(number, story)[0] / _examples(number, story)
            off = np.abs(story.log[f"returned {number}"] - right).max()
            found[title] = float(off / max(np.abs(right).max(), TOLERANCE))
    return found


def _story(outcome: Outcome, given: Arrays) -> Story:
    return Story({name: array_of(blob) for name, blob in outcome.blobs.items()}, given)


def _answer(rule: Rule, story: Story) -> Answer:
    if not rule.happened(story):
        return Answer(DASH)
    fault = rule.fault(story)
    return Answer("no", fault) if fault else Answer("yes")


@dataclass
class Pass:
    """One forward pass: its rows, its mode, its loss and errors, and what the backward after it was given."""

    rows: np.ndarray
    training_mode: bool
    loss: float
    wrong: int
    labels: np.ndarray | None = None


@dataclass
class Epoch:
    """The passes over training rows that have a backward, and those over other rows that follow."""

    trained: list[Pass]
    looked_at: list[Pass]


class Story:
    """A log read as passes, epochs and a word of calls: z, t (forward of training rows), v (of others), b, s."""

    def __init__(self, log: Arrays, given: Arrays) -> None:
        self.log = log
        self.classes = np.concatenate([given[f"{part}_y"] for part in ("train", "val", "test")]).argmax(axis=1)
        self.train, self.val = len(given["train_x"]), len(given["val_x"])
        self.nepochs, self.batch_size = int(given["nepochs"]), int(given["batch_size"])
        self.passes: list[Pass] = []
        calls = [str(call) for call in log["calls"]]
        if len(calls) > MOST_CALLS or (log["counts"] < 0).any() or log["rows"].dtype.kind != "i":
            raise ValueError("no log of calls")
        row = label = 0
        places = []  # of the forward passes among the calls
        for place, (call, training, count) in enumerate(zip(calls, log["modes"], log["counts"])):
            if call == "f":
                number = len(self.passes)
                rows = log["rows"][row : row + count]
                self.passes.append(Pass(rows, bool(training), float(log["losses"][number]), int(log["wrong"][number])))
                places.append(place)
                row += count
            elif call == "b":
                if self.passes:
                    self.passes[-1].labels = log["labels"][label : label + count]
                label += count
        self.empty = any(not len(one.rows) for one in self.passes)
        for place, one in zip(places, self.passes):
            calls[place] = "t" if self._of_training(one) else "v"
        self.calls = "".join(calls)
        self.epochs: list[Epoch] = []
        backward = any(one.labels is not None for one in self.passes)
        for one in self.passes:
            if not len(one.rows):
                continue
            trains = self._of_training(one)
            if trains and (one.labels is not None or not backward):
                if not self.epochs or self.epochs[-1].looked_at:
                    self.epochs.append(Epoch([], []))
                self.epochs[-1].trained.append(one)
            elif not trains and self.epochs:
                self.epochs[-1].looked_at.append(one)
        for epoch in self.epochs:  # a look at the test set beside validation has a rule of its own
            beside = [one for one in epoch.looked_at if (one.rows < self.train + self.val).all()]
            epoch.looked_at = beside or epoch.looked_at

    def _of_training(self, one: Pass) -> bool:
        """Whether the rows are training rows; rows of no partition are, if they are trained on."""
        first = one.rows[0] if len(one.rows) else -1
        return bool(0 <= first < self.train or (first < 0 and one.labels is not None))


def unchanged(story: Story) -> str:
    return "" if story.log["unchanged"] else "arrays of the data set are written to"


def untested(story: Story) -> str:
    used = any((one.rows >= story.train + story.val).any() for one in story.passes)
    return "rows of it pass through the network" if used else ""


def paired(story: Story) -> str:
    given = [(one.rows, one.labels) for one in story.passes if one.labels is not None and (one.rows >= 0).all()]
    if any(len(rows) != len(labels) for rows, labels in given):
        return "backward is given another number of labels than forward was given rows"
    if any((labels < 0).any() for _, labels in given):
        return "backward is given rows that are no one-hot labels"
    wrong = any((story.classes[rows] != labels).any() for rows, labels in given)
    return "rows are trained on with another row's label" if wrong else ""


def filled(story: Story) -> str:
    return "batches without rows pass through the network" if story.empty else ""


def counted(story: Story) -> str:
    if not story.epochs:
        return "no training rows pass through the network that is passed in"
    if not any(epoch.looked_at for epoch in story.epochs):
        return "no validation follows the training"
    if len(story.epochs) != story.nepochs:
        return f"{len(story.epochs)} rounds of training with validation after them, expected {story.nepochs}"
    return "" if story.epochs[-1].looked_at else "no validation after the last epoch"


def once(story: Story) -> str:
    for epoch in story.epochs:
        rows = _rows(epoch.trained)
        times = np.bincount(rows[rows < story.train], minlength=story.train)
        if (times == 0).sum() == story.train % story.batch_size and (times == 1).sum() == len(rows) != story.train:
            return "the short last batch is dropped"
        if (times != 1).any():
            return _times(times)
    return ""


def shuffled(story: Story) -> str:
    orders = [tuple(_rows(epoch.trained).tolist()) for epoch in story.epochs]
    if len(set(orders)) < len(orders):
        kept = all(list(order) == sorted(order) for order in orders)
        return "the rows are never shuffled" if kept else "the rows come in the same order in different epochs"
    batches = [{frozenset(one.rows.tolist()) for one in epoch.trained} for epoch in story.epochs]
    if len(batches) > 1 and batches[0] == batches[1]:
        return "only the batches are shuffled, the rows in each stay together"
    return ""


def order(story: Story) -> str:
    """zero_grads may stand anywhere between one step and the next backward; validation has a rule of its own."""
    calls = re.sub("v[bsz]*", lambda found: "z" * ("z" in found[0]), story.calls)
    if "b" not in calls or "s" not in calls:
        return f"{'backward' if 'b' not in calls else 'step'} is never called"
    if re.search("bz+s", calls):
        return "zero_grads is called between backward and step, so step has nothing to apply"
    if re.search("b(?!s)", calls):
        return "backward is called without a step right after it"
    if re.search("(?<!b)s", calls):
        return "step is called without a backward right before it"
    if re.search("(?<!t)(?<!tz)b", calls):
        return "backward is called without a forward before it"
    if re.search("t(?!z?b)", calls):
        return "training rows pass through the network without training"
    missing = any("z" not in batch for batch in calls.split("b")[1:-1])
    return "zero_grads is not called between one batch and the next" if missing else ""


def validated(story: Story) -> str:
    if any(one.labels is not None for epoch in story.epochs for one in epoch.looked_at):
        return "backward or step follow on validation rows"
    for epoch in story.epochs:
        rows = _rows(epoch.looked_at)
        if (rows < story.train).any():
            return "other rows pass through the network during validation"
        times = np.bincount(rows[rows < story.train + story.val] - story.train, minlength=story.val)
        if (times != 1).any():
            return _times(times)
    return ""


def modes(story: Story) -> str:
    if any(not one.training_mode for epoch in story.epochs for one in epoch.trained):
        return "batches are trained on in inference mode: train() has to follow validation"
    looking = any(one.training_mode for epoch in story.epochs for one in epoch.looked_at if one.labels is None)
    return "validation is in training mode: eval() has to come before" if looking else ""


def shapes(story: Story) -> str:
    """Whether four arrays of one number an epoch are returned."""
    count = int(story.log["returned"])
    if count != len(STATISTICS):
        return f"{count} values are returned" if count >= 0 else "no tuple of arrays is returned"
    for number, name in enumerate(STATISTICS):
        value = story.log.get(f"returned {number}")
        if value is None or value.dtype.kind not in "fiu":
            return f"{name} is no numeric array"
        if value.shape != (story.nepochs,):
            return f"{name} has the shape {value.shape}, expected {(story.nepochs,)}"
    return ""


def mean(number: int, story: Story) -> str:
    """Why a statistic is not the mean that the passes of each epoch give, or nothing."""
    values, sums, rows, batches = story.log[f"returned {number}"], *_sums(number, story)

    def fits(other: np.ndarray) -> bool:
        return bool(np.allclose(values, other, rtol=TOLERANCE, atol=TOLERANCE))

    if fits(sums / rows) or fits(sums / _examples(number, story)):
        return ""
    known = [
        (sums, "the sums are not divided by the number of examples"),
        (sums / batches, "the sums are divided by the number of batches, not of examples"),
        (np.cumsum(sums) / rows, "the sums are not set to zero at the start of an epoch"),
        (np.cumsum(sums) / batches, "the sums are not set to zero at the start of an epoch, nor divided by examples"),
        (100 * sums / rows, "it is in percent, not a share"),
    ]
    return next((reason for other, reason in known if fits(other)), "it is not what the passes of an epoch give")


def _sums(number: int, story: Story) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of each epoch the sum of a statistic's figures over its passes, and how many rows and passes those were."""
    epochs = [epoch.trained if number < 2 else epoch.looked_at for epoch in story.epochs]
    sums = [sum(one.wrong if number % 2 else one.loss for one in epoch) for epoch in epochs]
    rows = [sum(len(one.rows) for one in epoch) for epoch in epochs]
    return np.array(sums, float), np.array(rows), np.array([len(epoch) for epoch in epochs])


def _examples(number: int, story: Story) -> int:
    return story.train if number < 2 else story.val


def falls(number: int, story: Story) -> str:
    losses = story.log[f"returned {number}"]
    # The sums of a network that learns nothing differ by rounding, since the rows come in another order.
    learnt = losses[-1] < losses[0] - RTOL * abs(losses[0])
    return "" if learnt else "after the last epoch they are no lower than after the first"


def _times(times: np.ndarray) -> str:
    """What is wrong with the number of times that each row comes."""
    if (times == 0).any():
        return "rows are left out" + (", and others taken more than once" if (times > 1).any() else "")
    return "rows are taken more than once"


def _rows(passes: list[Pass]) -> np.ndarray:
    return np.concatenate([one.rows for one in passes]) if passes else np.zeros(0, dtype=int)


def always(_: Story) -> bool:
    return True


def passed(story: Story) -> bool:
    return bool(story.epochs)


def trained(story: Story) -> bool:
    return any(one.labels is not None for epoch in story.epochs for one in epoch.trained)


def validates(story: Story) -> bool:
    return any(epoch.looked_at for epoch in story.epochs)


def told_apart(story: Story) -> bool:
    """Whether the epochs are as many as asked for: only then is it known where each begins."""
    return len(story.epochs) == story.nepochs


def trained_by_epoch(story: Story) -> bool:
    """Whether it is known which training rows each epoch takes; scaled ones, say, are not known again."""
    rows = _rows([one for epoch in story.epochs for one in epoch.trained])
    return trained(story) and told_apart(story) and bool((rows >= 0).all())


def validated_by_epoch(story: Story) -> bool:
    rows = _rows([one for epoch in story.epochs for one in epoch.looked_at])
    return validates(story) and told_apart(story) and bool((rows >= 0).all())


def ordered(story: Story) -> bool:
    """Whether there are orders to compare: several epochs, of several batches each."""
    return trained_by_epoch(story) and len(story.epochs) > 1 and all(len(epoch.trained) > 1 for epoch in story.epochs)


def summed(number: int, story: Story) -> bool:
    """Whether the statistic was returned, and its figures are known for every epoch."""
    known = trained_by_epoch(story) if number < 2 else validated_by_epoch(story)
    epochs = [epoch.trained if number < 2 else epoch.looked_at for epoch in story.epochs]
    return not shapes(story) and known and all(epochs)


# What is at fault comes before what follows from it: a finding says the first that is broken.
ONCE = ("every training row once an epoch", "every validation row once an epoch, and not trained on")
MEANS = {f"{name}: means per example": number for number, name in enumerate(STATISTICS)}
RULES: dict[str, Rule] = {
    "the data set is unchanged": Rule(unchanged, passed),
    "the test set is not used": Rule(untested, passed),
    "each row with its own label": Rule(paired, trained),
    "no batch is empty": Rule(filled, passed),
    "as many epochs as asked for, each with validation at its end": Rule(counted, always),
    ONCE[0]: Rule(once, trained_by_epoch),
    "a new order of the rows in each epoch": Rule(shuffled, ordered),
    "zero_grads, forward, backward, step, in this order for each batch": Rule(order, passed),
    ONCE[1]: Rule(validated, validated_by_epoch),
    "training in training mode, validation in inference mode": Rule(modes, validates),
    "four arrays of one number an epoch": Rule(shapes, always),
    **{title: Rule(partial(mean, number), partial(summed, number)) for title, number in MEANS.items()},
    **{
        f"{name} fall": Rule(partial(falls, number), partial(summed, number))
        for number, name in enumerate(STATISTICS)
        if name.endswith("losses")
    },
}
