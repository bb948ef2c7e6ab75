"""Grades again whenever a file of the submission is saved, and shows what changed since the last time."""

from __future__ import annotations

import os
import sys
import textwrap
import time
from typing import Callable, TextIO

from grading.run import Run
from report import table, text
from sandbox import submission
from sandbox.process import GraderError

PAUSE = 0.15  # seconds between two looks at the files


def stamps(path: str) -> dict[str, tuple[float, int]]:
    """The time and size of every file that a submission's verdict can depend on."""
    files = [path] if os.path.isfile(path) else []
    for folder in submission.FOLDERS:
        for place, folders, names in os.walk(os.path.join(path, folder)):
            folders[:] = [name for name in folders if name != "__pycache__" and not name.startswith(".")]
            files += [os.path.join(place, name) for name in names if name.endswith(".py")]
    found = {}
    for file in files:
        try:
            status = os.stat(file)
        except OSError:
            continue  # an editor is just replacing it
        found[file] = (status.st_mtime, status.st_size)
    return found


def watch(path: str, grade: Callable[[], Run], whole: bool, out: TextIO = sys.stdout) -> None:
    """Grade now and after every change, until interrupted; `grade` may raise NoSubmission or GraderError."""
    last: Run | None = None
    while True:
        seen = stamps(path)
        _clear(out)
        print(f"Grading {path} …", file=out, flush=True)
        try:
            run = grade()
        except (submission.NoSubmission, GraderError) as error:
            print(textwrap.fill(f"nothing could be graded: {error}", text.width_of(out)), file=out)
        else:
            show(run, last, out, whole)
            last = run
        print(f"\nWatching {path} (Ctrl-C ends it) …", file=out, flush=True)
        while stamps(path) == seen:
            time.sleep(PAUSE)


def show(run: Run, last: Run | None, out: TextIO, whole: bool) -> None:
    """The whole table at first; afterwards what changed, and the page below the table."""
    _clear(out)
    if last is None:
        table.table(run, out, whole)
    else:
        width, paint = text.width_of(out), text.painter(out)
        points = f"{run.total} of {run.max_total} points, {run.total - last.total:+} since the last time"
        print(textwrap.fill(f"{time.strftime('%H:%M:%S')}  {points}", width), end="\n\n", file=out)
        changed = changes(run, last)
        if not changed:
            print("  No problem changed its status.", file=out)
        for line, status in changed:
            start, _, _ = text.filled(line, width, "  ").rpartition(status)
            print(start + paint(status, status), file=out)
        print(file=out)
        table.page(run, out, whole)
    if whole:
        table.more(run, out)


def changes(run: Run, last: Run) -> list[tuple[str, str]]:
    """A line for all the problems that one fault, come or gone, gave another status, and that status."""
    alike: dict[tuple[str, str, str], list[str]] = {}
    for key, verdict in run.verdicts.items():
        before = last.verdicts[key]
        if before.status != verdict.status:
            leader = verdict.behind or before.behind or key
            old, new = (one.known[leader if one.verdicts[key].behind == leader else key].status for one in (last, run))
            alike.setdefault((leader, old, new), []).append(verdict.problem.name)
    return [
        (f"{names[0]}{f' and {len(names) - 1} more' if names[1:] else ''}: {old} -> {new}", new)
        for (_, old, new), names in alike.items()
    ]


def _clear(out: TextIO) -> None:
    """An empty screen on a terminal; in a file or a pipe, a line between two runs."""
    print("\033[2J\033[3J\033[H" if out.isatty() else "", end="" if out.isatty() else "\n", file=out)
