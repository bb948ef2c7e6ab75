"""An exception of a submission as facts: its text, its frames, the expression that raised and the values in it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from types import TracebackType

from child import sources
from child.exercises import NotBuilt
from child.line_values import Step
from child.reading import MAX_TEXT
from sandbox.layers import NETWORK
from sandbox.wire import Frame, Missing, Raised

DISPATCHER = re.compile(r"\b_(?:a(?=max|min))?(\w+)_dispatcher\(\)")  # NumPy before 2 calls np.sum so in its messages
MOST_FRAMES = 8  # from the beginning, and from the end


def describe(error: BaseException, root: str, importing: str) -> Raised:
    """Return an exception as data: what it says, where in the submission below `root`, and what met there."""
    steps = list(_steps(error))
    students = [step for step in steps if _file(step).startswith(root)]
    frames = [Frame(_inner(_file(step), root), step.tb_lineno or 0, step.tb_frame.f_code.co_name) for step in students]
    if isinstance(error, SyntaxError) and str(error.filename).startswith(root):
        frames.append(Frame(_inner(str(error.filename), root), error.lineno or 0, ""))
    message = _message(error).replace(root + os.sep, "")
    if importing and not frames and not isinstance(error, ImportError):  # a file that is no Python text at all
        message = f"{importing}.py: {message}"
    module = getattr(error, "name", None) if isinstance(error, ImportError) else None
    if isinstance(error, NotBuilt):
        due = Missing(error.attribute, NETWORK, "object", "student")
        return Raised(NotBuilt.__name__, message, missing=due, frames=())
    raised = Raised(
        type=type(error).__name__[:MAX_TEXT],
        message=DISPATCHER.sub(r"\1()", message[:2000]),
        bases=tuple(base.__name__[:MAX_TEXT] for base in type(error).__mro__[:20]),
        frames=tuple(frames[:MOST_FRAMES] + frames[MOST_FRAMES:][-MOST_FRAMES:]),
        statement=sources.statement(_file(steps[-1]), steps[-1].tb_lineno or 0),
        module=module[:MAX_TEXT] if isinstance(module, str) else "",
    )
    try:
        return Step(students[-1] if students else None, steps[-1].tb_frame, raised.message, root).facts(error, raised)
    except Exception:  # an explanation less, whatever the submission's frames hold
        return raised


def _steps(error: BaseException) -> Iterator[TracebackType]:
    step = error.__traceback__
    while step is not None:
        yield step
        step = step.tb_next


def _file(step: TracebackType) -> str:
    return step.tb_frame.f_code.co_filename


def _inner(file: str, root: str) -> str:
    return os.path.relpath(file, root).replace(os.sep, "/")


def _message(error: BaseException) -> str:
    try:
        return str(error.msg if isinstance(error, SyntaxError) else error)
    except BaseException:
        return "(its message can't be shown)"
