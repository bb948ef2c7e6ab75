"""CHILD side: what a submission may not do to the machine, enforced through Python's audit events.

A second fence behind the process boundary: no other process, no native library, no network, no file outside
the submission, Python and NumPy. Code that breaks out of the interpreter is beyond it.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

REFUSED = {
    "ctypes.": "call native code",
    "gc.": "walk the interpreter's objects",
    "os.exec": "start a process",
    "os.fork": "start a process",
    "os.kill": "signal a process",
    "os.posix_spawn": "start a process",
    "os.spawn": "start a process",
    "os.startfile": "start a process",
    "os.system": "start a process",
    "pty.spawn": "start a process",
    "socket.": "use the network",
    "sqlite3.": "open a database",
    "subprocess.": "start a process",
}
CHANGES = frozenset(
    [
        "os.chmod",
        "os.chown",
        "os.link",
        "os.mkdir",
        "os.mkfifo",
        "os.mknod",
        "os.remove",
        "os.removexattr",
        "os.rename",
        "os.rmdir",
        "os.setxattr",
        "os.symlink",
        "os.truncate",
        "os.utime",
    ]
)


def install(readable: list[str], writable: str) -> None:
    """Refuse from now on, for the rest of the process, what this module's tables name.

    Files may be opened for reading below the `readable` folders, for writing below the `writable` one.
    """
    for module, name in [(os, "pidfd_open"), (signal, "pidfd_send_signal")]:
        if hasattr(module, name):
            delattr(module, name)  # they raise no audit event
    if os.name == "posix":
        import _posixsubprocess

        _posixsubprocess.fork_exec = _no_process  # type: ignore[assignment]

    # The hook keeps what it calls in its own closure: a submission can patch modules, but not this.
    readable = [os.path.realpath(path) for path in readable] + readable + ["/dev/null", "/dev/urandom"]
    roots = tuple({path.rstrip(os.sep) + os.sep for path in [*readable, writable]})
    own = (os.path.realpath(writable) + os.sep, writable.rstrip(os.sep) + os.sep)
    getcwd, separator, refused, changes = os.getcwd, os.sep, tuple(REFUSED.items()), CHANGES
    write_flags = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
    permission_error, text, integer, binary, decode = PermissionError, str, int, bytes, os.fsdecode

    def absolute(path: Any) -> str:
        path = decode(path) if type(path) is binary else text(path)
        if not path.startswith(separator) and path[1:2] != ":":
            path = getcwd() + separator + path
        parts: list[str] = []
        for part in path.split(separator):
            if part == "..":
                del parts[-1:]
            elif part not in ("", "."):
                parts.append(part)
        return (separator if path.startswith(separator) else "") + separator.join(parts) + separator

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            if type(path) is not integer:
                allowed = own if flags & write_flags else roots
                if not absolute(path).startswith(allowed):
                    raise permission_error(f"a submission may not open {text(path)[:200]}")
        elif event in changes:
            for path in arguments[: 2 if event in ("os.rename", "os.link", "os.symlink") else 1]:
                if type(path) is not integer and not absolute(path).startswith(own):
                    raise permission_error(f"a submission may not change {text(path)[:200]}")
        else:
            for prefix, what in refused:
                if event.startswith(prefix):
                    raise permission_error(f"a submission may not {what}")

    sys.addaudithook(hook)


def _no_process(*_: Any) -> None:
    raise PermissionError("a submission may not start a process")
