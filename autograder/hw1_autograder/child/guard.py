"""What a submission may not do to the machine, enforced through Python's audit events.

A second fence behind the process boundary: no other process, no native library, no network, no file outside
the submission, Python and NumPy. Code that writes to memory as it likes is beyond it, and meets fence.py.
"""

from __future__ import annotations

import _imp
import _thread
import gc
import importlib
import itertools
import os
import signal
import sys
import types
from collections.abc import Iterator
from typing import Any

PACKAGES = ("site-packages", "dist-packages")  # are below the standard library where there is no virtual environment
MAX_CHANGES = 500  # files and folders made, moved and removed by one process; serve.py says how large a file may be

REFUSED = {
    "_overlapped.": "reach around the interpreter",
    "_winapi.": "reach around the interpreter",
    "_wmi.": "ask the system about itself",
    "code.__new__": "make code objects by hand",
    "cpython.PyInterpreterState": "start another interpreter",
    "ctypes.": "call native code",
    "fcntl.": "control files by their descriptors",
    "gc.": "walk the interpreter's objects",
    "msvcrt.": "control files by their descriptors",
    "os.chmod": "change who may use a file",
    "os.chown": "change who may use a file",
    "os.exec": "start a process",
    "os.fork": "start a process",
    "os.kill": "signal a process",
    "os.link": "make links",
    "os.posix_spawn": "start a process",
    "os.removexattr": "change a file's attributes",
    "os.setxattr": "change a file's attributes",
    "os.spawn": "start a process",
    "os.startfile": "start a process",
    "os.symlink": "make links",
    "os.system": "start a process",
    "os.utime": "change a file's attributes",
    "pty.spawn": "start a process",
    "resource.prlimit": "change its limits",
    "resource.setrlimit": "change its limits",
    "signal.pidfd_send_signal": "signal a process",
    "socket.": "use the network",
    "sqlite3.": "open a database",
    "subprocess.": "start a process",
    "sys._current_": "look into other threads",
    "sys.remote_exec": "enter a process",
    "winreg.": "use the registry",
}
CHANGES = frozenset(f"os.{name}" for name in ("mkdir", "remove", "rename", "rmdir", "truncate"))
# Extension modules that open files, start processes or reach other ones without an audit event.
WINDOWS = ("_overlapped", "_winapi", "_wmi", "msvcrt", "winreg")
MODULES = frozenset(
    (
        *WINDOWS,
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
# Functions without an audit event: files that are none, other processes, priorities, memory that no limit counts.
SILENT = (
    "chroot",
    "memfd_create",
    "mkfifo",
    "mknod",
    "pidfd_open",
    "pidfd_send_signal",
    "sched_setaffinity",
    "sched_setparam",
    "sched_setscheduler",
    "setns",
    "setpriority",
    "unshare",
)


def python_alone(folders: list[str]) -> Iterator[str]:
    """What is in these folders of Python's, by their names and their real ones, other packages left out."""
    for folder in sorted({*folders, *map(os.path.realpath, folders)}):
        if os.path.dirname(folder) in folders:
            continue  # lib-dynload
        if os.path.isdir(folder):
            yield from (os.path.join(folder, name) for name in os.listdir(folder) if name not in PACKAGES)
        else:
            yield folder


def install(readable: list[str], root: str, writable: str) -> None:
    """Refuse from now on, for the rest of the process, what this module's tables name.

    Files may be opened for reading below `readable`, below the submission's `root` and below the `writable` folder,
    for writing below the last alone.
    """
    withhold()
    refuse()
    keep_to_folders(readable, root, writable)


# A submission can patch every module and builtin, and finds the frames of the two hooks in the traceback of what they
# raise. So all that they read are defaults, of which a frame shows copies: no globals, no closure, no function that
# could be changed. From Python 3.13 on a frame that runs can be changed as well: no other code runs in the midst of it,
# as `withhold` sees to.


def refuse() -> None:
    """Refuse events and modules by their names."""

    def hook(
        event: str,
        arguments: tuple[Any, ...],
        *,
        refused: tuple[tuple[str, str], ...] = tuple(REFUSED.items()),
        modules: frozenset[str] = MODULES,
        thread: Any = _thread.get_ident,
        main: int = _thread.get_ident(),
        type_of: Any = type,
        is_a: Any = issubclass,
        text: Any = str,
        as_text: Any = str.__str__,
        error: Any = PermissionError,
        import_error: Any = ModuleNotFoundError,  # after which the standard library does without
    ) -> None:
        if event == "import":
            if not is_a(type_of(arguments[0]), text) or as_text(arguments[0]).rpartition(".")[2] in modules:
                raise import_error("a submission may not import modules that reach around the interpreter")
        elif event == "os.chdir":
            if thread() != main:
                raise error("a submission may not go to another folder in a thread")
        else:
            for prefix, what in refused:
                if event.startswith(prefix):
                    raise error(f"a submission may not {what}")

    sys.addaudithook(hook)


def keep_to_folders(readable: list[str], root: str, writable: str) -> None:
    """Refuse to open, load and change files elsewhere."""
    separator, counter = os.sep, itertools.count(1)

    def hook(
        event: str,
        arguments: tuple[Any, ...],
        *,
        reading: tuple[str, ...] = below(
            *readable, os.path.realpath(root), root, writable, "/dev/null", "/dev/urandom"
        ),
        writing: tuple[str, ...] = below(os.path.realpath(writable), writable),
        libraries: tuple[str, ...] = below(*readable),
        changes: frozenset[str] = CHANGES,
        write_flags: int = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND,
        create: int = os.O_CREAT,
        separator: str = separator,
        windows: bool = os.name == "nt",
        getcwd: Any = os.getcwd,
        stat: Any = os.stat,
        thread: Any = _thread.get_ident,
        main: int = _thread.get_ident(),
        changed: Any = counter.__next__,
        most: int = MAX_CHANGES,
        type_of: Any = type,
        is_a: Any = issubclass,
        integer: Any = int,
        text: Any = str,
        binary: Any = bytes,
        as_text: Any = str.__str__,
        decode: Any = bytes.decode,
        error: Any = PermissionError,
        os_error: Any = OSError,
    ) -> None:
        if event == "open":
            paths, verb, makes = arguments[:1], "open", False
            allowed = writing if arguments[2] & write_flags else reading
        elif event == "import":
            paths, verb, makes, allowed = arguments[1:2], "load", False, libraries
        elif event in changes:
            paths, verb, makes, allowed = arguments[: 2 if event == "os.rename" else 1], "change", True, writing
        else:
            return
        for path in paths:
            if type_of(path) is integer or path is None:
                continue  # a descriptor that is open already; a module without a file yet, which is no native code
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
                if thread() != main:  # the main thread may go to another folder meanwhile
                    raise error(f"a submission may not {verb} {name} by a relative path in a thread")
                path = getcwd() + separator + path
            parts: Any = []
            for part in path.split(separator):
                if part == "..":
                    del parts[-1:]
                elif part not in ("", "."):
                    parts.append(part)
            place = (separator if path.startswith(separator) else "") + separator.join(parts) + separator
            if not place.startswith(allowed) or (verb == "change" and place in writing):
                raise error(f"a submission may not {verb} {name}")
            if event == "open" and arguments[2] & create:
                try:
                    stat(place[:-1])
                except os_error:
                    makes = True
        if makes and changed() > most:
            raise error(f"a submission may not make, move and remove more than {most} files")

    sys.addaudithook(hook)


def below(*folders: str) -> tuple[str, ...]:
    """What the paths of these folders, and of what is in them, begin with once a separator is put at their end."""
    return tuple({folder.rstrip(os.sep) + os.sep for folder in folders})


def withhold() -> None:
    """Take away, for good, what no audit event reports.

    What a module has lost would be back in a second copy of it. So every module that is built in is loaded now, and
    none is from now on: the events of an import are not raised where `_imp.create_builtin` is called.
    """
    for name in sys.builtin_module_names:
        if name not in MODULES:
            importlib.import_module(name)
    if os.name == "posix":
        import _posixsubprocess  # built in as well, where a Linux distribution makes its Python that way

        _posixsubprocess.fork_exec = _no_process  # type: ignore[assignment]
    del _imp.create_builtin
    if os.name == "nt":  # parts of the standard library import these: they find them empty
        sys.modules.update({name: types.ModuleType(name) for name in WINDOWS})
    sets = [names for attribute, names in vars(os).items() if attribute.startswith("supports_")]
    for module in (os, sys.modules[os.name], signal, sys.modules["_signal"]):
        for name in SILENT:
            if hasattr(module, name):
                for functions in sets:
                    if isinstance(functions, set):
                        functions.discard(getattr(module, name))
                delattr(module, name)
    # Signal handlers, and the collector's callbacks, would run in the midst of the hook.
    for module in (signal, sys.modules["_signal"]):
        vars(module)["signal"] = _no_handler
    gc.disable()
    gc.enable = gc.disable


def _no_process(*_: Any) -> None:
    raise PermissionError("a submission may not start a process")


def _no_handler(*_: Any) -> None:
    raise PermissionError("a submission may not handle signals")
