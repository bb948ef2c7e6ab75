"""Runs a submission's `get_training_stats` with its own MLP, and logs what it does with it.

The log is plain arrays: which call came when, with which rows and in which mode. What they should be is not known here.
"""

from __future__ import annotations

from typing import Any, Callable

import numpy as np

from child.exercises import Course, NotBuilt, Values, exercise

CALLS = ("zero_grads", "forward", "backward", "step")
MODES = ("train", "eval")
UNKNOWN = -1  # a row that is none of the data set's


class Rows:
    """The examples of all partitions, numbered through, and found again by their content."""

    def __init__(self, partitions: list[tuple[np.ndarray, np.ndarray]]) -> None:
        rows = [_key(row) for x, _ in partitions for row in x]
        self.labels = np.concatenate([labels for _, labels in partitions]).argmax(axis=1)
        self._numbers = {key: number for number, key in enumerate(rows)}

    def numbers(self, x: Any) -> np.ndarray:
        """The number of every row of x."""
        return np.array([self._numbers.get(_key(row), UNKNOWN) for row in x], dtype=int)


def _key(row: Any) -> bytes:
    return np.asarray(row, dtype=np.float32).tobytes()  # the same for a row that was cast to float32


def classes(labels: Any) -> np.ndarray:
    """The class of every row of labels; UNKNOWN for one that is no one-hot row."""
    array = np.asarray(labels)
    if array.ndim != 2:
        return np.full(len(array), UNKNOWN)
    one_hot = (np.sort(array, axis=1) == np.eye(array.shape[1])[-1]).all(axis=1)
    return np.where(one_hot, array.argmax(axis=1), UNKNOWN)


class Log:
    """What is logged of each call: its first letter, the mode, and for rows their numbers and labels."""

    def __init__(self, rows: Rows, criterion: Callable[[Any, Any], Any]) -> None:
        self._rows, self._criterion = rows, criterion
        self.training = True  # by the last call of train or eval
        self.calls: list[str] = []
        self.modes: list[bool] = []  # whether in training mode
        self.counts: list[int] = []  # of rows
        self.rows: list[np.ndarray] = []
        self.losses: list[float] = []  # of every forward: summed, under the rows' true labels
        self.wrong: list[int] = []
        self.labels: list[np.ndarray] = []  # of every backward, a class a row

    def call(self, name: str, training: bool, argument: Any, result: Any) -> None:
        if name == "forward":
            if type(result) is not np.ndarray or result.ndim != 2:
                raise NotBuilt("MLP.forward returns no array of two axes", "output")
            rows = self._rows.numbers(argument)
            self.rows.append(rows)
            self.losses.append(np.nan if len(rows) else 0.0)
            self.wrong.append(0)
            if len(rows) and UNKNOWN not in rows:
                truth = self._rows.labels[rows]
                self.losses[-1] = float(np.sum(self._criterion(result, np.eye(result.shape[1])[truth])))
                self.wrong[-1] = int((result.argmax(axis=1) != truth).sum())
        if name == "backward":
            self.labels.append(classes(argument))
        self.calls.append(name[0])
        self.modes.append(training)
        self.counts.append(0 if argument is None else len(argument))

    def values(self) -> Values:
        none = [np.zeros(0, dtype=int)]
        return {
            "calls": np.array(self.calls, dtype="U1"),
            "modes": np.array(self.modes, dtype=bool),
            "counts": np.array(self.counts, dtype=int),
            "rows": np.concatenate(self.rows or none),
            "labels": np.concatenate(self.labels or none),
            "losses": np.array(self.losses),
            "wrong": np.array(self.wrong, dtype=int),
        }


def logged(mlp: Any, log: Log) -> Any:
    """Have the network's methods log every call from outside of it."""
    inside: list[str] = []

    def logging(name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            if name in MODES:
                log.training = name == "train"
                return method(*arguments, **named)
            training = bool(getattr(mlp, "train_mode", log.training))
            inside.append(name)
            try:
                result = method(*arguments, **named)
            finally:
                inside.pop()
            if not inside:
                log.call(name, training, next(iter([*arguments, *named.values()]), None), result)
            return result

        return call

    class Logging(type(mlp)):  # type: ignore[misc]
        """The submission's MLP; methods of a class, so that `mlp(x)` is logged as well."""

        __slots__ = ()

    for name in (*CALLS, *MODES):
        setattr(Logging, name, _method(logging(name, getattr(mlp, name))))
    mlp.__class__ = Logging
    return mlp


def _method(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda self, *arguments, **named: function(*arguments, **named)


@exercise
def training_log(
    course: Course,
    train_x: np.ndarray,
    train_y: np.ndarray,
    val_x: np.ndarray,
    val_y: np.ndarray,
    test_x: np.ndarray,
    test_y: np.ndarray,
    hidden: np.ndarray,
    lr: np.ndarray,
    nepochs: np.ndarray,
    batch_size: np.ndarray,
) -> Values:
    random = np.random.RandomState(11785)
    mlp = course.hw1.MLP(
        train_x.shape[1],
        train_y.shape[1],
        [int(hidden)],
        [course.activation.Sigmoid(), course.activation.Identity()],
        lambda i, o: random.randn(i, o) / np.sqrt(i),
        lambda o: np.zeros((1, o)),
        course.loss.SoftmaxCrossEntropy(),
        float(lr),
    )
    partitions = [(train_x, train_y), (val_x, val_y), (test_x, test_y)]
    before = [array.copy() for pair in partitions for array in pair]
    log = Log(Rows(partitions), course.loss.SoftmaxCrossEntropy())
    returned = course.hw1.get_training_stats(logged(mlp, log), tuple(partitions), int(nepochs), int(batch_size))
    values = log.values()
    values["unchanged"] = all(
        np.array_equal(old, new) for old, new in zip(before, (array for pair in partitions for array in pair))
    )
    several = isinstance(returned, (tuple, list, np.ndarray))
    values["returned"] = len(returned) if several else UNKNOWN
    return {**values, **{f"returned {number}": value for number, value in enumerate(returned[:4] if several else ())}}
