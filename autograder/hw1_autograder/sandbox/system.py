"""What differs between systems at the grader's end: the few lines that Linux, macOS and Windows need of their own.

The child's own are in child/serve.py (its limits) and child/fence.py (the kernel's fence); they report what they could
set, and the table here has what that is worth on this system.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import subprocess

# What holds the submission's process, by what the child could set, and the systems that heed it. Python's audit hooks
# refuse the last two everywhere, from within the process that they guard.
LIMITS = (
    ("memory", "RLIMIT_AS", ("linux",)),  # macOS takes the number and does not heed it
    ("processor time", "RLIMIT_CPU", ("linux", "darwin")),
    ("the size of files", "RLIMIT_FSIZE", ("linux", "darwin")),
    ("other files", "Landlock", ("linux",)),
    ("other processes and the network", "seccomp", ("linux",)),
)

# What a child of the grader's finds in its environment: the rest could change Python.
KEPT = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR", "LANG", "LC_ALL")

# A closed terminal sends SIGHUP, and on Windows a closed console SIGBREAK.
ENDING = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name)]

WAIT = 1.0  # seconds of one wait: on Windows a signal is heeded between two
GONE = 2.0  # seconds for a process that was killed to be gone


def not_enforced(means: list[str], system: str = sys.platform) -> list[str]:
    """Return what the system can't limit of a process that could set these means."""
    return [what for what, mean, systems in LIMITS if mean not in means or system not in systems]


@contextmanager
def held() -> Iterator[None]:
    """Let the signals that end a command wait, where the system can do that."""
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def python() -> str:
    """The interpreter itself: the one in a virtual environment of Windows starts it as a process of its own."""
    return getattr(sys, "_base_executable", sys.executable) if sys.platform == "win32" else sys.executable


def apart() -> dict[str, Any]:
    """How to start a process that neither Ctrl-C nor its parent's terminal reaches, and that ends with all its own."""
    if sys.platform == "win32":
        return {"creationflags": 0x200}  # CREATE_NEW_PROCESS_GROUP
    return {"start_new_session": True}


def kill(process: subprocess.Popen[bytes]) -> None:
    """End a process that was started apart, and wait until it is gone; no lock is taken, for signals may ask for it."""
    if process.returncode is not None:
        return
    if sys.platform == "win32":
        with suppress(OSError):
            process.kill()
            process.wait()  # what was terminated there is gone at once
        return
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except OSError:
        with suppress(OSError):
            os.kill(process.pid, signal.SIGKILL)
    end = time.monotonic() + GONE
    with suppress(ChildProcessError):  # somebody else has waited for it
        while process.returncode is None and time.monotonic() < end:
            ended, status = os.waitpid(process.pid, os.WNOHANG)
            if ended:
                process.returncode = -signal.SIGKILL if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
            time.sleep(0.001)


def ask_for_the_stack(process: subprocess.Popen[bytes]) -> bool:
    """Have a child write down where it is; return whether it can be asked: on Windows there is no such signal."""
    if sys.platform == "win32":
        return False
    process.send_signal(signal.SIGUSR1)
    return True


def colours() -> None:
    """Have a Windows console take colours: until it is asked, it prints them as they are written."""
    if sys.platform == "win32":
        import ctypes

        kernel, mode = ctypes.windll.kernel32, ctypes.c_uint32()
        output = kernel.GetStdHandle(-11)
        if kernel.GetConsoleMode(output, ctypes.byref(mode)):
            kernel.SetConsoleMode(output, mode.value | 4)
