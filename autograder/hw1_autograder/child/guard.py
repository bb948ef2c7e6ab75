"""What a submission may not do to the machine, enforced through Python's audit events.

A second fence behind the process boundary: no other process, no native library, no network, no file outside
the submission, Python and NumPy. Code that breaks out of the interpreter is beyond it, and meets fence.py.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

REFUSED = {
    "code.__new__": "make code objects by hand",
    "cpython.PyInterpreterState": "start another interpreter",
    "ctypes.": "call native code",
    "gc.": "walk the interpreter's objects",
    "os.chmod": "change who may use a file",
    "os.chown": "change who may use a file",
    "os.exec": "start a process",
    "os.fork": "start a process",
    "os.kill": "signal a process",
    "os.link": "make links",
    "os.posix_spawn": "start a process",
    "os.spawn": "start a process",
    "os.startfile": "start a process",
    "os.symlink": "make links",
    "os.system": "start a process",
    "pty.spawn": "start a process",
    "resource.prlimit": "change its limits",
    "resource.setrlimit": "change its limits",
    "signal.pidfd_send_signal": "signal a process",
    "socket.": "use the network",
    "sqlite3.": "open a database",
    "subprocess.": "start a process",
    "sys.remote_exec": "enter a process",
}
CHANGES = frozenset(
    f"os.{name}"
    for name in (
        "mkdir",
        "remove",
        "removexattr",
        "rename",
        "rmdir",
        "setxattr",
        "truncate",
        "utime",
    )
)
# Extension modules that open files or start processes without an audit event.
MODULES = frozenset(
    (
        "_ctypes",
        "_dbm",
        "_gdbm",
        "_interpreters",
        "_posixshmem",
        "_posixsubprocess",
        "_sqlite3",
        "_testcapi",
        "_testinternalcapi",
        "_tkinter",
        "_xxsubinterpreters",
        "readline",
    )
)
SILENT = ("mkfifo", "mknod", "pidfd_open", "pidfd_send_signal")  # functions without an audit event


def install(readable: list[str], writable: str) -> None:
    """Refuse from now on, for the rest of the process, what this module's tables name.

    Files may be opened for reading below the `readable` folders, for writing below the `writable` one.
    """
    for module in (os, sys.modules[os.name], signal, sys.modules["_signal"]):
        for name in SILENT:
            if hasattr(module, name):
                delattr(module, name)
    if os.name == "posix":
        import _posixsubprocess

        _posixsubprocess.fork_exec = _no_process  # type: ignore[assignment]

    separator = os.sep
    readable = [os.path.realpath(path) for path in readable] + readable + ["/dev/null", "/dev/urandom"]

    # A submission can patch every module and builtin, and finds the frame of this function in the traceback of
    # what it raises. So all that it reads are defaults, of which a frame shows copies: no globals, no closure,
    # no function that could be changed.
    def hook(
        event: str,
        arguments: tuple[Any, ...],
        *,
        roots: tuple[str, ...] = tuple({path.rstrip(separator) + separator for path in [*readable, writable]}),
        own: tuple[str, ...] = (os.path.realpath(writable) + separator, writable.rstrip(separator) + separator),
        refused: tuple[tuple[str, str], ...] = tuple(REFUSED.items()),
        changes: frozenset[str] = CHANGES,
        modules: frozenset[str] = MODULES,
        write_flags: int = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND,
        separator: str = separator,
        windows: bool = os.name == "nt",
        getcwd: Any = os.getcwd,
        type_of: Any = type,
        is_a: Any = issubclass,
        integer: Any = int,
        text: Any = str,
        binary: Any = bytes,
        as_text: Any = str.__str__,
        decode: Any = bytes.decode,
        error: Any = PermissionError,
        import_error: Any = ImportError,
    ) -> None:
        if event == "open" or event in changes:
            allowed, paths, verb = own, arguments[:1], "change"
            if event == "open":
                verb = "open"
                if not arguments[2] & write_flags:
                    allowed = roots
            elif event == "os.rename":
                paths = arguments[:2]
            for path in paths:
                if type_of(path) is integer:
                    continue  # a descriptor that is open already
                # A subclass's own __str__ or decode must have no say here.
                if is_a(type_of(path), binary):
                    path = decode(path, "utf-8", "surrogateescape")
                elif is_a(type_of(path), text):
                    path = as_text(path)
                else:
                    raise error(f"a submission may not {verb} files by other objects than str and bytes")
                name = path[:200]
                if windows:
                    path = path.replace("/", separator)
                if not path.startswith(separator) and path[1:2] != ":":
                    if event != "open" or arguments[1] is None:  # may be relative to another folder than this one
                        raise error(f"a submission may not {verb} {name} by a relative path")
                    path = getcwd() + separator + path
                parts: Any = []
                for part in path.split(separator):
                    if part == "..":
                        del parts[-1:]
                    elif part not in ("", "."):
                        parts.append(part)
                place = (separator if path.startswith(separator) else "") + separator.join(parts) + separator
                if not place.startswith(allowed) or (verb == "change" and place in own):
                    raise error(f"a submission may not {verb} {name}")
        elif event == "import":
            if not is_a(type_of(arguments[0]), text) or as_text(arguments[0]).rpartition(".")[2] in modules:
                raise import_error("a submission may not import modules that reach around the interpreter")
        else:
            for prefix, what in refused:
                if event.startswith(prefix):
                    raise error(f"a submission may not {what}")

    sys.addaudithook(hook)


def _no_process(*_: Any) -> None:
    raise PermissionError("a submission may not start a process")
