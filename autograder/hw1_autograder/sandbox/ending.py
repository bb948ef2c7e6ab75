"""How a command begins and ends: whatever ends it, nothing is left of what it had begun, and no traceback is shown.

A signal may come at any moment, and an exception raised there may be lost on its way. So the handler itself takes back
what is registered here, and ends the process.
"""

from __future__ import annotations

import io
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, Callable

from sandbox import cleaning, system

_steps: list[Callable[[], object]] = []  # that take back what has been begun; they may run twice, and take no lock


@contextmanager
def taken_back(step: Callable[[], object]) -> Iterator[None]:
    """Run the step at the end, also where a signal is the end; it is entered before what it takes back is begun."""
    _steps.append(step)
    try:
        yield
    finally:
        step()
        _steps.remove(step)


@contextmanager
def folder(parent: str, prefix: str) -> Iterator[str]:
    """A new folder, gone at the end."""
    path = os.path.join(parent, f"{prefix}{os.urandom(8).hex()}")
    with taken_back(partial(cleaning.remove, path)):
        os.mkdir(path, 0o700)
        yield path


def write_whole(path: str | os.PathLike[str], data: bytes) -> None:
    """Write a file in full or not at all."""
    part = os.path.join(os.path.dirname(os.path.abspath(path)), f".part-{os.urandom(8).hex()}")
    with taken_back(partial(_unlink, part)):
        with open(part, "xb") as file:
            file.write(data)
        os.replace(part, path)


def _unlink(path: str) -> None:
    with suppress(OSError):
        os.unlink(path)


def one_line(error: BaseException) -> str:
    """An error of the machine's in one line: what it is and which file, or why a package can't be imported."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    while isinstance(error, ImportError) and (error.__cause__ or error.__context__):
        error = error.__cause__ or error.__context__ or error
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def begin(words: str = "interrupted") -> None:
    """Make this process one that a signal ends with nothing left but these words, whatever it was started with."""
    for descriptor in range(3):  # a closed one would be the next file's that is opened
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDONLY)
    sys.stdout = sys.stdout or os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = sys.stderr or io.StringIO()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # what a submission's texts hold may not be in the terminal's encoding
            stream.reconfigure(errors="replace")
    system.colours()

    def end(number: int, _: Any) -> None:
        for each in system.ENDING:
            signal.signal(each, signal.SIG_IGN)
        for step in reversed(_steps):
            with suppress(Exception):
                step()
        with suppress(OSError):
            os.write(2, f"\n{words}\n".encode())
        os._exit(128 + number)

    for number in system.ENDING:
        if signal.getsignal(number) != signal.SIG_IGN:  # as nohup has it, and a shell for what runs in the background
            signal.signal(number, end)


def run(main: Callable[[], int]) -> int:
    """Return a command's exit status: 2, and a line, where the machine keeps it from its work."""
    status = 2
    try:
        os.getcwd()
    except OSError:
        print("the current folder is gone, or may not be entered: go to another one", file=sys.stderr)
        return status
    try:
        status = main()
    except SystemExit as ended:  # argparse's, for --help and for a wrong option
        status = ended.code if isinstance(ended.code, int) else 0
    except OSError as error:
        print(f"{os.path.basename(sys.argv[0])}: {one_line(error)}", file=sys.stderr)
    try:
        sys.stdout.flush()
    except OSError as error:
        if not isinstance(error, BrokenPipeError):  # who reads no more has read enough
            print(f"standard output can't be written to: {one_line(error)}", file=sys.stderr)
            status = 2
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or Python would try to write the rest at its end
    return status
