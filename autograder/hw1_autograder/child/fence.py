"""What the kernel itself refuses the process from now on (Linux: Landlock from 5.13 on, and seccomp).

Files outside the submission's folders, other programs and processes, the network; guard.py refuses the same on every
system, but from within the interpreter that it guards.
"""

from __future__ import annotations

import errno
import os
import struct
import sys
from typing import Any

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446  # numbers of the system calls
PATH_BENEATH, GET_VERSION = 1, 1
SET_PDEATHSIG, SET_SECCOMP, SET_NO_NEW_PRIVS, SIGKILL, FILTER = 1, 22, 38, 9, 2
READ_FILE, READ_FOLDER = 1 << 2, 1 << 3
LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", os.path.join(sys.base_prefix, "lib"))
DEVICES = ("/dev/null", "/dev/urandom", "/etc/ld.so.cache")

# System calls that are refused: their numbers on x86-64 and, where it has them, on 64-bit ARM.
REFUSED: dict[str, dict[str, tuple[int, ...]]] = {
    "other programs": {"execve": (59, 221), "execveat": (322, 281), "fork": (57,), "vfork": (58,)},
    "other processes": {
        "kcmp": (312, 272),
        "migrate_pages": (256, 238),
        "move_pages": (279, 239),
        "perf_event_open": (298, 241),
        "pidfd_getfd": (438, 438),
        "pidfd_open": (434, 434),
        "pidfd_send_signal": (424, 424),
        "process_madvise": (440, 440),
        "process_vm_readv": (310, 270),
        "process_vm_writev": (311, 271),
        "ptrace": (101, 117),
        "rt_sigqueueinfo": (129, 138),
        "rt_tgsigqueueinfo": (297, 240),
        "tkill": (200, 130),
    },
    "priorities and limits": {
        "ioprio_set": (251, 30),
        "sched_setaffinity": (203, 122),
        "sched_setattr": (314, 274),
        "sched_setparam": (142, 118),
        "sched_setscheduler": (144, 119),
        "setpriority": (141, 140),
        "setrlimit": (160, 164),
    },
    "the network, and ways around this filter": {
        "bpf": (321, 280),
        "io_uring_setup": (425, 425),
        "socket": (41, 198),
        "socketpair": (53, 199),
        "userfaultfd": (323, 282),
    },
    "memory that no limit counts": {
        "memfd_create": (319, 279),
        "memfd_secret": (447, 447),
        "mq_open": (240, 180),
        "msgget": (68, 186),
        "semget": (64, 190),
        "shmget": (29, 194),
    },
    "what Landlock leaves open": {
        "chmod": (90,),
        "chown": (92,),
        "fchmod": (91, 52),
        "fchmodat": (268, 53),
        "fchmodat2": (452, 452),
        "fchown": (93, 55),
        "fchownat": (260, 54),
        "fremovexattr": (199, 16),
        "fsetxattr": (190, 7),
        "futimesat": (261,),
        "lchown": (94,),
        "link": (86,),
        "linkat": (265, 37),
        "lremovexattr": (198, 15),
        "lsetxattr": (189, 6),
        "mknod": (133,),
        "mknodat": (259, 33),
        "open_by_handle_at": (304, 265),
        "removexattr": (197, 14),
        "setxattr": (188, 5),
        "symlink": (88,),
        "symlinkat": (266, 36),
        "truncate": (76, 45),
        "utime": (132,),
        "utimensat": (280, 88),
        "utimes": (235,),
    },
    "the system": {
        "add_key": (248, 217),
        "chroot": (161, 51),
        "clock_settime": (227, 112),
        "keyctl": (250, 219),
        "mount": (165, 40),
        "pivot_root": (155, 41),
        "reboot": (169, 142),
        "request_key": (249, 218),
        "sethostname": (170, 161),
        "setns": (308, 268),
        "settimeofday": (164, 170),
        "swapoff": (168, 225),
        "umount2": (166, 39),
        "unshare": (272, 97),
    },
}
# And those that are refused unless their arguments are harmless: to oneself, for a thread, to ask.
KILL, TGKILL, CLONE, CLONE3, FCNTL, PRLIMIT, PRCTL = (
    (62, 129),
    (234, 131),
    (56, 220),
    (435, 435),
    (72, 25),
    (302, 261),
    (157, 167),
)
CLONE_THREAD = 0x10000
SIGNALS_TO = (8, 10, 15, 1024, 1026)  # F_SETOWN, F_SETSIG, F_SETOWN_EX, F_SETLEASE, F_NOTIFY
MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}

LOAD, EQUAL, ABOVE, BITS, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06  # of the filter's language
ALLOW, REFUSE, ABSENT = 0x7FFF0000, 0x50000 | errno.EPERM, 0x50000 | errno.ENOSYS
NUMBER, MACHINE, X32 = 0, 4, 0x40000000
Line = tuple[int, int, int, int]  # operation, lines to skip if true, if false, its number


def close(listed: list[str], readable: list[str], writable: str) -> list[str]:
    """Have the kernel end this process with its parent, and keep it to what the tables leave; return by what it does.

    Files may be read in and below `readable`, written in and below `writable`; of `listed` the names may be read.
    """
    if not sys.platform.startswith("linux"):
        return []
    try:
        import ctypes

        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(SET_PDEATHSIG, SIGKILL, 0, 0, 0)
        libc.prctl(SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    except (ImportError, OSError, AttributeError):
        return []
    closed = {"Landlock": _close_files(libc, listed, readable, writable), "seccomp": _close_calls(libc)}
    return [means for means, holds in closed.items() if holds]


def _close_files(libc: Any, listed: list[str], readable: list[str], writable: str) -> bool:
    import ctypes

    version = libc.syscall(CREATE_RULESET, None, ctypes.c_size_t(0), GET_VERSION)
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
    allowed = dict.fromkeys(listed, READ_FOLDER)
    allowed.update(dict.fromkeys([*readable, *_libraries(), *DEVICES], READ_FILE | READ_FOLDER))
    allowed[writable] = every
    for path, rights in allowed.items():
        try:
            place = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue
        rights = rights if os.path.isdir(path) else READ_FILE
        libc.syscall(ADD_RULE, ruleset, PATH_BENEATH, ctypes.byref(Beneath(rights, place)), 0)
        os.close(place)
    closed = libc.syscall(RESTRICT_SELF, ruleset, 0) == 0
    os.close(ruleset)
    return bool(closed)


def _libraries() -> list[str]:
    """What extension modules link to: in folders of libraries the files, and the folder of this kind of machine."""
    files = []
    for folder in {os.path.realpath(folder) for folder in LIBRARIES if os.path.isdir(folder)}:
        files += [os.path.join(folder, name) for name in os.listdir(folder) if ".so" in name or "-linux-" in name]
    return files


def _close_calls(libc: Any) -> bool:
    import ctypes

    machine = os.uname().machine
    if machine not in MACHINES or struct.calcsize("P") != 8:
        return False
    lines = [struct.pack("=HBBI", *line) for line in _filter(machine, os.getpid())]
    code = ctypes.create_string_buffer(b"".join(lines))
    program = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(lines), ctypes.addressof(code)))
    return bool(libc.prctl(SET_SECCOMP, FILTER, program, 0, 0) == 0)


def _filter(machine: str, pid: int) -> list[Line]:
    """The filter's lines: a system call that is none of the tables' is allowed."""
    column, architecture = MACHINES[machine]
    lines: list[Line] = [
        (LOAD, 0, 0, MACHINE),
        (EQUAL, 1, 0, architecture),
        (RETURN, 0, 0, REFUSE),
        (LOAD, 0, 0, NUMBER),
        (ABOVE, 0, 1, X32),
        (RETURN, 0, 0, REFUSE),
    ]
    for calls in REFUSED.values():
        for numbers in calls.values():
            if column < len(numbers):
                lines += [(EQUAL, 0, 1, numbers[column]), (RETURN, 0, 0, REFUSE)]
    lines += [(EQUAL, 0, 1, CLONE3[column]), (RETURN, 0, 0, ABSENT)]  # its flags can't be read: clone takes over
    lines += _unless(KILL[column], (_argument(0), EQUAL, pid, True))
    lines += _unless(TGKILL[column], (_argument(0), EQUAL, pid, True))
    lines += _unless(CLONE[column], (_argument(0), BITS, CLONE_THREAD, True))
    lines += _unless(FCNTL[column], *((_argument(1), EQUAL, command, False) for command in SIGNALS_TO))
    lines += _unless(PRCTL[column], (_argument(0), EQUAL, SET_PDEATHSIG, False))
    to_ask = ((_argument(2), EQUAL, 0, True), (_argument(2) + 4, EQUAL, 0, True))
    lines += _unless(PRLIMIT[column], (_argument(0), EQUAL, 0, True), *to_ask)
    return [*lines, (RETURN, 0, 0, ALLOW)]


def _argument(number: int) -> int:
    """Where the low half of an argument lies."""
    return 16 + 8 * number


def _unless(call: int, *conditions: tuple[int, int, int, bool]) -> list[Line]:
    """Refuse a call unless all conditions hold: place of a word, comparison, what with, and how it has to come out."""
    lines: list[Line] = []
    for left, (place, comparison, number, wanted) in zip(range(len(conditions) - 1, -1, -1), conditions):
        skip = 2 * left + 1
        lines += [(LOAD, 0, 0, place), (comparison, 0 if wanted else skip, skip if wanted else 0, number)]
    lines += [(RETURN, 0, 0, ALLOW), (RETURN, 0, 0, REFUSE)]
    return [(EQUAL, 0, len(lines), call), *lines]
