"""What the kernel itself refuses the process from now on (Linux 5.13 and newer: Landlock).

Files outside the submission's folders, other programs, TCP and signals to other processes, as far as the kernel
knows how; guard.py refuses the same on every system, but from within the interpreter that it guards.
"""

from __future__ import annotations

import os
import sys

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446  # numbers of the system calls
PATH_BENEATH, GET_VERSION = 1, 1
SET_PDEATHSIG, SET_NO_NEW_PRIVS, SIGKILL = 1, 38, 9
READ_FILE, READ_FOLDER = 1 << 2, 1 << 2 | 1 << 3
LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache")  # what extension modules link to
DEVICES = ("/dev/null", "/dev/urandom")


def close(readable: list[str], writable: str) -> bool:
    """Have the kernel end this process with its parent, and keep it to these folders; return whether it does."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        import ctypes

        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(SET_PDEATHSIG, SIGKILL, 0, 0, 0)
        version = libc.syscall(CREATE_RULESET, None, ctypes.c_size_t(0), GET_VERSION)
    except (ImportError, OSError, AttributeError):
        return False
    if version < 1:
        return False

    class Ruleset(ctypes.Structure):
        _fields_ = [(name, ctypes.c_uint64) for name in ("files", "network", "scoped")]

    class Beneath(ctypes.Structure):
        _pack_ = 1
        _layout_ = "ms"
        _fields_ = [("allowed", ctypes.c_uint64), ("folder", ctypes.c_int32)]

    every = (1 << (13, 14, 15, 15, 16)[min(version, 5) - 1]) - 1
    rules = Ruleset(every, 3 if version >= 4 else 0, 3 if version >= 6 else 0)
    size = 24 if version >= 6 else 16 if version >= 4 else 8  # what an older kernel knows of the structure
    ruleset = libc.syscall(CREATE_RULESET, ctypes.byref(rules), ctypes.c_size_t(size), 0)
    if ruleset < 0:
        return False
    for path in [*readable, *LIBRARIES, *DEVICES, writable]:
        try:
            folder = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue
        allowed = every if path == writable else READ_FOLDER if os.path.isdir(path) else READ_FILE
        libc.syscall(ADD_RULE, ruleset, PATH_BENEATH, ctypes.byref(Beneath(allowed, folder)), 0)
        os.close(folder)
    libc.prctl(SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    closed = libc.syscall(RESTRICT_SELF, ruleset, 0) == 0
    os.close(ruleset)
    return bool(closed)
