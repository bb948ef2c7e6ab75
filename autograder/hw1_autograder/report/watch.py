"""Grades again whenever a file of the submission is saved, and shows what changed since the last time."""

from __future__ import annotations

import os
import sys
import textwrap
import time
from typing import Callable, TextIO

from grading.run import Run
from report import table
from sandbox import submission
from sandbox.process import GraderError

PAUSE = 0.3  # seconds between two looks at the files


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


def watch(path: str, grade: Callable[[], Run], out: TextIO = sys.stdout) -> None:
    """Grade now and after every change, until interrupted; `grade` may raise NoSubmission or GraderError."""
    last: Run | None = None
    while True:
        seen = stamps(path)
        try:
            run = grade()
        except (submission.NoSubmission, GraderError) as error:
            _clear(out)
            print(f"nothing could be graded: {error}", file=out)
        else:
            show(run, last, out)
            last = run
        print(f"\nWatching {path} (Ctrl-C ends it) …", file=out, flush=True)
        while stamps(path) == seen:
            time.sleep(PAUSE)


def show(run: Run, last: Run | None, out: TextIO) -> None:
    """The whole table at first; afterwards what changed, the faults that are left, and what comes next."""
    _clear(out)
    if last is None:
        table.table(run, out)
        return
    width, paint = table.width_of(out), table.painter(out)
    clock = time.strftime("%H:%M:%S")
    print(f"{clock}  {run.total} of {run.max_total} points, {run.total - last.total:+} since the last time\n", file=out)
    changes = [
        (last.verdicts[key], verdict)
        for key, verdict in run.verdicts.items()
        if key in last.verdicts and last.verdicts[key].status != verdict.status
    ]
    for before, after in changes:
        line = textwrap.fill(
            f"{after.problem.name}: {before.status} -> {after.status}",
            width,
            initial_indent="  ",
            subsequent_indent="    ",
        )
        start, status, _ = line.rpartition(after.status)
        print(start + paint(status, status) if status else line, file=out)
    if not changes:
        print("  No problem changed its status.", file=out)
    print(file=out)
    table.faults(run, out, width, paint)
    print(table.upcoming(run, width), file=out)


def _clear(out: TextIO) -> None:
    """An empty screen on a terminal; in a file or a pipe, a line between two runs."""
    print("\033[2J\033[3J\033[H" if out.isatty() else "", end="" if out.isatty() else "\n", file=out)
