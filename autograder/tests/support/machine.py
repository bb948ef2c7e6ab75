"""What the tests look at of the machine: a folder's state, the processes that this one is answerable for."""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Callable

import warm
from sandbox import system

not_enforced = system.not_enforced  # before conftest.py replaces it
LIMIT = 60  # seconds: guards against a hang, and is no measure of speed


def state(folder: Path) -> dict[str, tuple[int, int]]:
    """Size and time of change of every file and folder below."""
    found = {}
    for place, folders, files in os.walk(folder):
        for name in [*files, *folders]:
            status = os.lstat(os.path.join(place, name))
            found[os.path.join(place, name)] = (status.st_size, status.st_mtime_ns)
    return found


def children() -> set[int]:
    """The living processes that this one has started, or inherited from those that it has started (Linux)."""
    if sys.platform != "linux":
        return set()
    warm.loaded()  # makes this process the heir, and is one of them
    found = set()
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has just ended
            state, parent = path.read_text().rpartition(") ")[2].split()[:2]
            if state not in "ZX" and int(parent) == os.getpid():
                found.add(int(path.parent.name))
    return found


def wait_until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def _as_in_the_foreground() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def _as_in_the_background() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


# For a new process: whether SIGINT and SIGHUP end it, or are ignored, as by a shell's `&` and by nohup.
FOREGROUND: dict[str, Any] = {"preexec_fn": _as_in_the_foreground} if os.name == "posix" else {}
BACKGROUND: dict[str, Any] = {"preexec_fn": _as_in_the_background} if os.name == "posix" else {}


def kernel_fences() -> bool:
    import ctypes

    create_ruleset, version = 444, 1  # Landlock's first system call, asked for its version
    return sys.platform == "linux" and ctypes.CDLL(None).syscall(create_ruleset, None, 0, version) > 0
