"""Broken and hostile submissions: each costs what it should, ends in time and changes nothing outside.

Every row is the project's solution with one thing done to it.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from handins import (
    GRADER,
    MAX_TOTAL,
    PROBLEMS,
    ROOT,
    Edit,
    Files,
    body,
    changed,
    content,
    grade,
    kernel_fences,
    processes,
    solution,
    state,
    top,
    without,
    write,
)
from sandbox import process

LIMIT = 30  # seconds for one run: guards against a hang, and is no measure of speed
POINTS = {problem.key: problem.points for problem in PROBLEMS}

# What one question or one method is needed by.
MC = {"multiple_choice": "error"}
RELU = {"relu_derivative": "failed"}  # no graded network has an activation of the student's but Sigmoid
NEEDS_HW1 = [key for key in POINTS if key.startswith(("classifier", "single", "hidden", "momentum", "batchnorm"))]
ACTIVATIONS = [key for key in POINTS if key.startswith(("sigmoid", "tanh", "relu"))]


class Row(NamedTuple):
    name: str
    edit: Edit
    unpassed: dict[str, str]  # the status of every problem that is not passed
    reason: str  # words in the first unpassed problem's reason


def question(name: str, code: str, reason: str, status: str = "error") -> Row:
    """A fault in one multiple-choice question, which costs these points and no other."""
    return Row(name, body("question_3", code), {"multiple_choice": status}, reason)


def derivative(name: str, value: str, reason: str) -> Row:
    """Another thing returned in place of the right array, `right`."""
    code = f"import numpy as np\nright = original(*args)\nreturn {value}"
    return Row(name, body("ReLU.derivative", code), RELU, reason)


def harmless(name: str, edit: Edit) -> Row:
    return Row(name, edit, {}, "")


def need(keys: list[str], status: str, rest: str = "waiting") -> dict[str, str]:
    """The first of these problems has the status, the others the rest's."""
    return dict.fromkeys(keys, rest) | {keys[0]: status}


def all_files(change: Any) -> Edit:
    return lambda files: files.update({name: change(data) for name, data in files.items()})


# The grader's own modules bear no names in a submission's process, but its frames are there to be found.
FORGE = """
    import sys, numpy
    frame = sys._getframe()
    while "answers" not in frame.f_locals:
        frame = frame.f_back
    answers, request, wire = (frame.f_locals[name] for name in ("answers", "request", "wire"))
"""
EXERCISES = "import sys\nframe = sys._getframe()\nwhile 'EXERCISES' not in frame.f_globals: frame = frame.f_back\n"

ROWS = [
    # it does not end, or it ends the process
    question("loops", "while True: pass", "still running after 0.7 s, at hw1/mc.py, line", "timeout"),
    question("sleeps", "import time; time.sleep(1000)", "still running after 0.7 s", "timeout"),
    question(
        "loops, deaf to signals",
        "import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))\nwhile True: pass",
        "still running",
        "timeout",
    ),
    question("exits by os._exit(0)", "import os; os._exit(0)", "the process ended: exit status 0"),
    question("exits by os._exit(3)", "import os; os._exit(3)", "exit status 3"),
    question("exits by sys.exit", "import sys; sys.exit(0)", "SystemExit"),
    question("aborts", "import os; os.abort()", "SIGABRT"),
    question("kills itself", "import signal; signal.raise_signal(9)", "SIGKILL"),
    question("kills itself through os.kill", "import os; os.kill(os.getpid(), 9)", "signal a process"),
    question("segfaults", "import faulthandler; faulthandler._sigsegv()", "SIGSEGV"),
    question("segfaults through ctypes", "import ctypes; ctypes.string_at(0)", "native code"),
    question("recurses", "return original() + replacement()", "RecursionError"),
    question(
        "recurses until the stack is full",
        """
        import sys
        sys.setrecursionlimit(10**9)
        class Deep:
            def __getattr__(self, name): return getattr(self, name + "x")
        return Deep().a
        """,
        "",
    ),
    Row(
        "hangs while a layer is imported",
        top("mytorch/batchnorm.py", "while True: pass\n"),
        dict.fromkeys(NEEDS_HW1, "timeout"),
        "still running after 0.7 s while it imported hw1",
    ),
    Row(
        "exits while a layer is imported",
        top("mytorch/linear.py", "import os; os._exit(0)\n"),
        {"linear_forward": "error", "linear_backward": "waiting", **dict.fromkeys(NEEDS_HW1, "waiting")},
        "exit status 0",
    ),
    Row("hangs in forward", body("ReLU.derivative", "while True: pass"), dict.fromkeys(RELU, "timeout"), "still"),
    # it floods
    question("prints without end", "while True: print('x' * 1000)", "still running", "timeout"),
    question("writes to standard output without end", "import os\nwhile True: os.write(1, b'x' * 65536)", "too large"),
    harmless("prints a lot", body("question_3", "for i in range(50_000): print(i)\nreturn original()")),
    harmless(
        "prints through sys.stdout.buffer",
        body("question_3", "import sys\nsys.stdout.buffer.write(b'\\xff')\nreturn original()"),
    ),
    question("asks for 80 GB", "import numpy; numpy.ones(10**10)", "MemoryError"),
    question("collects memory", "import numpy\nhog = []\nwhile True: hog.append(numpy.zeros(1 << 24))", "MemoryError"),
    question(
        "collects memory and hides it",
        "hog = []\nwhile True:\n    try: hog.append(bytearray(1 << 26))\n    except MemoryError: pass",
        "still running",
        "timeout",
    ),
    # it starts what would outlive it
    question("forks", "import os; os.fork()", "start a process"),
    question("forks a terminal", "import pty; pty.fork()", ""),
    question("starts a program", "import subprocess; subprocess.Popen(['sleep', '1000'])", "start a process"),
    question("starts a shell", "import os; os.system('sleep 1000 &')", "start a process"),
    question(
        "starts a program by posix_spawn", "import os; os.posix_spawn('/bin/true', ['true'], {})", "start a process"
    ),
    question("becomes another program", "import os; os.execv('/bin/true', ['true'])", "start a process"),
    question(
        "starts a worker",
        "import multiprocessing, time; multiprocessing.Process(target=time.sleep, args=(1000,)).start()",
        "start a process",
    ),
    harmless(
        "leaves a thread behind",
        body(
            "question_3",
            "import threading, time\nthreading.Thread(target=time.sleep, args=(1000,)).start()\nreturn original()",
        ),
    ),
    harmless(
        "leaves an exit handler behind",
        body("question_3", "import atexit, time\natexit.register(time.sleep, 1000)\nreturn original()"),
    ),
    # it returns something else
    derivative("None", "None", "is None, expected"),
    derivative("a list", "right.tolist()", "is a list"),
    derivative("a generator", "(row for row in right)", "is a generator"),
    derivative("a function", "lambda: right", "is a function"),
    derivative("a number", "1.0", "is a float"),
    derivative("an array of objects", "right.astype(object)", "ndarray of object"),
    derivative("an array of texts", "right.astype(str)", ""),
    derivative("an array of dates", "right.astype('M8[s]')", "ndarray of datetime64"),
    derivative("records", "right.astype([('x', float)])", "ndarray of"),
    derivative("integers", "right.astype(int)", "dtype int64"),
    derivative("booleans", "right.astype(bool)", "dtype bool"),
    derivative("float32", "right.astype('f4')", "dtype float32"),
    derivative("long doubles", "right.astype(np.longdouble)", ""),
    derivative("the other byte order", "right.astype('>f8')", "dtype >f8"),
    derivative("complex numbers", "right + 0j", "dtype complex128"),
    derivative("NaN", "right * np.nan", "entries not finite"),
    derivative("infinity", "np.where(right > 0, np.inf, right)", "entries not finite"),
    derivative("huge numbers", "right * 1e300", "1e+300 times"),
    derivative("one entry off", "right + 1e-3 * (np.arange(right.size).reshape(right.shape) == 5)", "1 of"),
    derivative("an axis too many", "right[None]", "has the shape"),
    derivative("no rows", "right[:0]", "has the shape"),
    derivative("no rows of a million columns", "np.zeros((0, 10**6, 10**6))", "has the shape"),
    derivative("a view of 8 TB", "np.broadcast_to(right[0], (10**11, right.shape[1]))", "bytes"),
    derivative("22 axes without end", "np.ndarray((7,) * 22, '<U0', b'')", "shape (7, 7,"),
    derivative("9 axes of booleans", "np.zeros((6,) * 9, bool)", "10,077,696 bytes"),
    derivative("30 axes of one", "np.zeros((1,) * 30)", "shape (1, 1,"),
    derivative("texts that are no characters", "np.frombuffer(b'\\xff' * 40, 'U1')", "of <U1"),
    derivative("a text that is no character", "np.ndarray((), '<U1', b'\\xff' * 4)", "of <U1"),
    derivative("texts of the other byte order", "np.array(['a', 'b'], '>U1')", ""),
    derivative("a matrix", "np.matrix(right)", "numpy.matrix"),
    derivative("a masked array", "np.ma.array(right, mask=True)", "MaskedArray"),
    derivative("a memory map", "right.view(np.memmap)", "numpy.memmap"),
    derivative(
        "an array that equals everything", "right.view(type('A', (np.ndarray,), {'__eq__': lambda a, b: True}))", "A"
    ),
    derivative("an object that equals everything", "type('A', (), {'__eq__': lambda a, b: True})()", "A, expected"),
    derivative(
        "an object that turns into arrays", "type('A', (), {'__array__': lambda *a, **k: right})()", "A, expected"
    ),
    derivative("an object of a lying class", "type('A', (), {'__class__': np.ndarray})()", "A, expected"),
    derivative(
        "a class that calls itself numpy.ndarray", "type('ndarray', (np.float64,), {'__module__': 'numpy'})(1)", ""
    ),
    derivative("a type with a strange name", "type('a: b\\n\\x1b[31m' * 99, (), {})()", "a: b ?[31m"),
    harmless(
        "Fortran's order", body("ReLU.derivative", "import numpy as np\nreturn np.asfortranarray(original(*args))")
    ),
    harmless("a reversed view", body("ReLU.derivative", "return original(*args)[::-1].copy()[::-1]")),
    question("question: a word", "return 'all'", "expected one lower-case letter", "failed"),
    question("question: a capital", "return 'A'", "'A'", "failed"),
    question("question: bytes", "return b'a'", "a bytes", "failed"),
    question("question: a str subclass", "return type('S', (str,), {'__eq__': lambda a, b: True})('a')", "S", "failed"),
    question("question: a long text", "return 'a' * 10**7", "expected one", "failed"),
    question("question: control characters", "return '\\x1b[2J'", "'?[2J'".replace("?", "\\x1b"), "failed"),
    # it patches what might judge it
    *(
        Row(
            f"wrong, and patches {name}",
            body("ReLU.derivative", f"{code}\nreturn 2 * original(*args)"),
            RELU,
            "2 times",
        )
        for name, code in [
            ("np.allclose", "import numpy as np\nnp.allclose = np.array_equal = lambda *a, **k: True"),
            ("np.testing", "import numpy as np\nnp.testing.assert_allclose = lambda *a, **k: None"),
            ("the exercises", f"{EXERCISES}frame.f_globals['EXERCISES']['activation_derivative'].__doc__ = 'passed'"),
            ("its modules", "import sys\nsys.modules['compare'] = sys.modules['grading'] = sys"),
        ]
    ),
    Row(
        "replaces an exercise",
        body(
            "ReLU.derivative",
            f"{EXERCISES}frame.f_globals['gradients'] = lambda *_: {{'passed': True}}\nreturn original(*args)",
        ),
        dict.fromkeys([k for k in NEEDS_HW1 if "backward" in k or k == "batchnorm_train"], "waiting")
        | {"classifier_backward": "failed", "classifier_step": "passed"},
        "missing",
    ),
    question("patches json", "import json; json.dumps = lambda value: 'nonsense'; return 'a'", "no answer"),
    question(
        "writes nonsense to every descriptor",
        "import os\nfor d in range(3, 64):\n    try: os.write(d, b'{' * 64)\n    except OSError: pass\nreturn 'a'",
        "",
    ),
    question(
        "announces a message of 4 GB",
        f"{FORGE}    answers.write(b'\\xff' * 64); answers.flush()\n    return 'a'",
        "no answer",
    ),
    question(
        "sends a list",
        f"{FORGE}    answers.write(b'\\x02\\x00\\x00\\x00[]'); answers.flush()\n    return 'a'",
        "no answer",
    ),
    question(
        "nests without end",
        f"{FORGE}    answers.write(b'\\x40\\x42\\x0f\\x00' + b'[' * 10**6); answers.flush()\n    return 'a'",
        "no answer",
    ),
    question(
        "sends a type that is none",
        f"{FORGE}    wire.send(answers, {{'values': {{}}}}, {{'x': wire.Blob('|O', (), b'12345678')}})",
        "no answer",
    ),
    question(
        "says the wrong size",
        f"{FORGE}    wire.send(answers, {{'values': {{}}}}, {{'x': wire.Blob('<f8', (9,), b'')}})",
        "no answer",
    ),
    question(
        "claims an axis of 2**70",
        f"{FORGE}    wire.send(answers, {{'values': {{}}}}, {{'x': wire.Blob('<f8', (0, 2**70), b'')}})",
        "no answer",
    ),
    harmless(
        "answers other requests beforehand",
        body(
            "question_3",
            f"{FORGE}    for i in range(9): wire.send(answers, {{'id': str(i), 'values': {{}}}}, {{}})\n    return 'a'",
        ),
    ),
    *(
        question(
            f"forges {name}",
            f"""{FORGE}
    header = {{"id": request.header["id"], "values": {{"question_1": "str"}}}}
    wire.send(answers, header, {{"question_1": wire.Blob({blob})}})
    return "a"
            """,
            reason,
            status,
        )
        for name, blob, reason, status in [
            ("9 axes of booleans", "'|b1', (6,) * 9, bytes(6**9)", "no answer", "error"),
            ("17 axes of booleans", "'|b1', (2,) * 17, bytes(2**17)", "no answer", "error"),
            ("22 axes without end", "'<U0', (7,) * 22, b''", "no answer", "error"),
            ("what is no character", "'<U1', (), b'\\xff' * 4", "no answer", "error"),
            ("an array of letters", "'<U1', (2,) * 8, b'a\\0\\0\\0' * 256", "question_1 returns ''", "failed"),
        ]
    ),
    question(
        "forges names that colour a terminal",
        f"""{FORGE}
    wire.send(answers, {{"id": request.header["id"], "values": {{"\\x1b[31m": "str"}}}}, {{}})
    return "a"
        """,
        "no answer",
    ),
    question(
        "forges a number of a million digits",
        f"""{FORGE}
    head = b'{{"arrays": [], "header": {{"id": ' + b'9' * 200_000 + b'}}}}'
    answers.write(len(head).to_bytes(4, 'little') + head); answers.flush()
    return "a"
        """,
        "no answer",
    ),
    question(
        "hangs in a file that colours a terminal",
        """
        import os
        exec(compile('while True: pass', os.path.dirname(__file__) + '/\\x1b[31m.py', 'exec'))
        """,
        "at hw1/\\x1b[31m.py, line 1",
        "timeout",
    ),
    question(
        "writes where it hangs itself",
        """
        import os, stat
        line = 'File "' + os.path.dirname(os.path.dirname(__file__)) + '/\\x1b[2J", line ' + '9' * 3000 + ' in f\\n'
        for d in range(3, 64):
            try: stat.S_ISREG(os.fstat(d).st_mode) and os.write(d, line.encode())
            except OSError: pass
        while True: pass
        """,
        "still running",
        "timeout",
    ),
    question(
        "leaves nested folders behind",
        "import os\nplace = os.getcwd()\nwhile True:\n    place += '/a'\n    os.mkdir(place)",
        "may not make, move and remove more than 500 files",
    ),
    question(
        "leaves a folder behind that can't be entered",
        "import os\nos.umask(0o777); os.mkdir(os.getcwd() + '/a'); os.mkdir(os.getcwd() + '/a/b'); return 'z'",
        "",
        "failed",
    ),
    question(
        "writes files without end",
        "import os\nfor i in range(10**6): open(str(i), 'wb').write(bytes(1 << 10))",
        "may not make, move and remove more than 500 files",
    ),
    question(
        "answers twice, first wrongly",
        f"""{FORGE}
    header = {{"id": request.header["id"], "values": {{"question_1": "str"}}}}
    wire.send(answers, header, {{"question_1": wire.Blob("<U1", (), "z".encode("utf-32-le"))}})
    return "a"
        """,
        "question_1 returns 'z'",
        "failed",
    ),
    question(
        "forges an exception",
        f"""{FORGE}
    raised = wire.Raised(type=7, message=["no"], frames=[[1, 2, 3], ["hw1/mc.py", 10**40, "f"]])
    wire.send(answers, {{"id": request.header["id"], "raised": raised}}, {{}})
    return "a"
        """,
        "",
    ),
    question(
        "names stages without end",
        f"{FORGE}    while True: wire.send(answers, {{'stage': 'x' * 1000}}, {{}})",
        "still running",
        "timeout",
    ),
    question("closes the channel and exits", "import os; os.closerange(0, 256); return 'a'", "the process ended"),
    question(
        "closes the channel and loops", "import os; os.closerange(0, 256)\nwhile True: pass", "closed the channel"
    ),
    question(
        "takes the next requests",
        f"{FORGE}    frame.f_locals['requests'].read()\n    return 'a'",
        "still running",
        "timeout",
    ),
    # it raises
    question("raises", "raise ValueError('no')", "hw1/mc.py, line"),
    question("raises KeyboardInterrupt", "raise KeyboardInterrupt", "KeyboardInterrupt"),
    question("raises GeneratorExit", "raise GeneratorExit", "GeneratorExit"),
    question("raises a BaseException of its own", "raise type('Mine', (BaseException,), {})('no')", "Mine: no"),
    question(
        "raises a message that raises",
        "raise type('E', (Exception,), {'__str__': lambda e: 1 / 0})()",
        "can't be shown",
    ),
    question("raises a message without end", "raise ValueError('x' * 10**7)", "ValueError: xxx"),
    question("raises control characters", "raise ValueError('\\ud800\\x1b[2J\\n{\"scores\": {}}')", "??[2J"),
    question(
        "raises a lying class",
        "class M(type):\n    __name__ = property(lambda c: 1 / 0)\nclass E(Exception, metaclass=M): pass\nraise E",
        "",
    ),
    question("raises NotImplementedError", "raise NotImplementedError", "still to be written", "not started"),
    question("raises NotImplemented", "raise NotImplemented", "is no exception", "not started"),
    # its files are broken
    Row("mc.py is missing", without("hw1/mc.py"), MC, "hw1/mc.py is missing"),
    Row("mc.py is empty", content("hw1/mc.py", b""), MC, "question_1"),
    Row("mc.py does not parse", top("hw1/mc.py", "def f(:\n"), MC, "hw1/mc.py, line 1"),
    Row("mc.py has a NUL", top("hw1/mc.py", "\0\n"), MC, "null bytes"),
    Row("mc.py is not UTF-8", content("hw1/mc.py", b"LETTER = '\xff'\n"), MC, "hw1/mc.py"),
    Row(
        "mc.py is UTF-16",
        lambda files: files.update({"hw1/mc.py": files["hw1/mc.py"].decode().encode("utf-16")}),
        MC,
        "mc.py",
    ),
    Row(
        "activation.py does not parse",
        top("mytorch/activation.py", "class:\n"),
        dict.fromkeys(ACTIVATIONS, "waiting")
        | dict.fromkeys(["sigmoid_forward", "tanh_forward", "relu_forward"], "error")
        | need(NEEDS_HW1, "error"),
        "SyntaxError",
    ),
    Row(
        "loss.py is missing",
        without("mytorch/loss.py"),
        {"loss_forward": "error", "loss_derivative": "waiting", **need(NEEDS_HW1, "error")},
        "mytorch/loss.py is missing",
    ),
    Row("hw1.py is missing", without("hw1/hw1.py"), need(NEEDS_HW1, "error"), "hw1/hw1.py is missing"),
    *(
        Row(
            f"imports {name}",
            top("mytorch/linear.py", f"import {name}\n"),
            {"linear_forward": "error", "linear_backward": "waiting", **dict.fromkeys(NEEDS_HW1, "waiting")},
            f"mytorch/linear.py, line 1: `import {name}`: imports {name}, but only NumPy",
        )
        for name in ("scipy", "torch", "pandas", "pytest")
    ),
    question(
        "finds the way to other packages",
        "import sys, os, numpy\nsys.path.append(os.path.dirname(os.path.dirname(numpy.__file__)))\nimport pytest",
        "",
    ),
    harmless("byte order marks and CRLF", all_files(lambda data: b"\xef\xbb\xbf" + data.replace(b"\n", b"\r\n"))),
    harmless(
        "the course's own sys.path line",
        changed(
            "hw1/hw1.py",
            'sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "mytorch"))',
            "sys.path.append('mytorch')",
        ),
    ),
    harmless(
        "star imports of the package", top("hw1/hw1.py", "from mytorch.activation import *\nfrom mytorch import loss\n")
    ),
    harmless(
        "a helper file of its own",
        lambda files: files.update(
            {"hw1/helper.py": b"LETTER = 'a'\n", "hw1/mc.py": files["hw1/mc.py"] + b"\nfrom helper import LETTER\n"}
        ),
    ),
    harmless(
        "files named as the grader's and the library's",
        lambda files: files.update(
            {f"hw1/{name}.py": b"1 / 0\n" for name in ("exercises", "wire", "json", "guard", "numpy", "child")}
        ),
    ),
    harmless(
        "the standard library",
        top(
            "mytorch/linear.py",
            "import abc, collections, dataclasses, functools, math, random, subprocess, threading, typing\n",
        ),
    ),
    harmless("warnings as errors", top("mytorch/activation.py", "import warnings; warnings.simplefilter('error')\n")),
    harmless(
        "its code's folder", body("question_3", "import os; os.chdir(os.path.dirname(__file__)); return original()")
    ),
    harmless(
        "a log that it opens often",
        body(
            "question_3", "for i in range(2000):\n    with open('log', 'a') as log: log.write('x')\nreturn original()"
        ),
    ),
    harmless("another folder", body("question_3", "import os; os.chdir('/'); return original()")),
    harmless(
        "a file of its own",
        body("question_3", "open('notes.txt', 'w').write('mine'); return open('notes.txt').read() and original()"),
    ),
    harmless(
        "empties its folder",
        body("question_3", "import os, shutil; shutil.rmtree(os.getcwd(), ignore_errors=True); return original()"),
    ),
]


def edited(edit: Edit, folder: Path) -> Path:
    files: Files = solution()
    edit(files)
    return write(files, folder)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_fault_costs_its_own_problems_and_changes_nothing_outside(row: Row, outside: Path) -> None:
    submission = edited(row.edit, outside / "handin")
    before, start = state(submission), time.monotonic()
    result = grade(submission, deadline=0.7)
    assert time.monotonic() - start < LIMIT
    unpassed = {key: status for key, status in row.unpassed.items() if status != "passed"}
    assert result.unpassed == unpassed, [verdict.reason for verdict in result.verdicts.values()]
    assert result.score == MAX_TOTAL - sum(POINTS[key] for key in unpassed)
    reasons = [result.verdicts[key].reason for key in result.unpassed]
    assert not reasons or row.reason in reasons[0]
    assert all(reason.isprintable() for reason in reasons)
    assert state(submission) == before


# Changes the guard's frame wherever it is met in the midst of its work.
CHANGE = """
        import sys
        def change_frame(frame):
            while frame is not None:
                if frame.f_code.co_name == 'hook':
                    for name in ('reading', 'writing', 'allowed'): frame.f_locals[name] = ('/',)
                    frame.f_locals['event'] = 'harmless'
                frame = frame.f_back
        def change(*_): change_frame(sys._getframe(1))
"""

# What a submission may try in order to read the references, or to change something outside. Each ends by setting
# `got`, unless it is refused. ROOT is the project's folder, WORK the submission's own, OUTSIDE a folder that is not.
ESCAPES = {
    "read: open": "got = open(ROOT + '/data/hw1_reference.npz', 'rb').read()",
    "read: relative": "os.chdir(ROOT + '/data'); got = open('hw1_reference.npz', 'rb').read()",
    "read: os.open": "got = os.open(ROOT + '/data/hw1_reference.npz', 0)",
    "read: np.load": "got = np.load(ROOT + '/data/hw1_reference.npz')",
    "read: np.memmap": "got = np.memmap(ROOT + '/data/hw1_reference.npz')",
    "read: np.fromfile": "got = np.fromfile(ROOT + '/data/hw1_reference.npz')",
    "read: pathlib": "import pathlib; got = pathlib.Path(ROOT, 'data/hw1_reference.npz').read_bytes()",
    "read: FileIO of a path object": """
        class P:
            def __fspath__(self): return ROOT + '/data/hw1_reference.npz'
            def __str__(self): return '/dev/null'
        got = io.FileIO(P())
    """,
    "read: a lying str": """
        class P(str):
            def __str__(self): return '/dev/null'
            def startswith(self, *_): return True
            def split(self, *_): return ['dev', 'null']
        got = io.FileIO(P(ROOT + '/data/hw1_reference.npz'))
    """,
    "read: lying bytes": """
        class P(bytes):
            def decode(self, *_): return '/dev/null'
        got = io.FileIO(P(ROOT.encode() + b'/data/hw1_reference.npz'))
    """,
    "read: a patched builtin": """
        import builtins
        kept = {name: getattr(builtins, name) for name in ('type', 'str', 'int', 'issubclass', 'isinstance')}
        builtins.type = lambda x: kept['int']
        builtins.issubclass = builtins.isinstance = lambda *_: False
        try: got = io.open(ROOT + '/data/hw1_reference.npz', 'rb')
        finally: vars(builtins).update(kept)
    """,
    "read: a patched guard": """
        from child import guard
        guard.REFUSED.clear(); guard.CHANGES = guard.MODULES = frozenset()
        got = open(ROOT + '/data/hw1_reference.npz')
    """,
    "read: the guard's own frame": """
        try: open('/etc/passwd')
        except PermissionError as error: trace = error.__traceback__
        while trace.tb_next: trace = trace.tb_next
        frame = trace.tb_frame
        for name, value in list(frame.f_locals.items()):
            if isinstance(value, tuple): frame.f_locals[name] = ('/',)
            if hasattr(value, '__code__'): value.__code__ = (lambda *_: '').__code__
            if hasattr(value, 'cell_contents'): value.cell_contents = ('/',)
        got = open(ROOT + '/data/hw1_reference.npz')
    """,
    "read: a symbolic link": "os.symlink(ROOT, WORK + '/link'); got = open(WORK + '/link/data/hw1_reference.npz')",
    "read: a relative symbolic link": """
        os.makedirs(WORK + '/1/2/3/4/5/6/7/8'); os.chdir(WORK + '/1/2/3/4/5/6/7/8')
        os.symlink('../../../../../../../..', WORK + '/up'); got = os.listdir(WORK + '/up')
    """,
    "read: a hard link": "os.link(ROOT + '/data/hw1_reference.npz', WORK + '/hard'); got = open(WORK + '/hard', 'rb')",
    "read: relative to another folder": """
        os.makedirs(WORK + '/a/b/c/d/e/f/g/h', exist_ok=True); os.chdir(WORK + '/a/b/c/d/e/f/g/h')
        top = os.open('../../../../../../..', 0, dir_fd=os.open(os.path.dirname(os.__file__), 0)); got = os.listdir(top)
    """,
    "read: the parent's environment": "got = open(f'/proc/{os.getppid()}/environ').read()",
    "read: the parent's memory": "got = open(f'/proc/{os.getppid()}/mem', 'rb')",
    "read: through the parent's folder": "got = open(f'/proc/{os.getppid()}/cwd/data/hw1_reference.npz', 'rb')",
    "read: an interpreter of its own": """
        try: import _interpreters as them
        except ImportError: import _xxsubinterpreters as them
        got = them.create()
    """,
    "read: readline": "import readline; readline.read_history_file(ROOT + '/data/README.md'); got = True",
    "read: Tcl": "import tkinter; got = tkinter.Tcl().eval('open /etc/passwd')",
    "read: sqlite": "import sqlite3; got = sqlite3.connect(OUTSIDE + '/new')",
    "read: objects of the interpreter": "import gc; got = gc.get_objects()",
    "read: code by hand": "got = (lambda: 0).__code__.replace(co_names=('x',))",
    "native: ctypes": "import ctypes; got = ctypes.CDLL(None)",
    "native: numpy's ctypes": "import ctypes; got = ctypes.string_at(np.zeros(1).ctypes.data)",
    "write: open": "got = open(OUTSIDE + '/new', 'w')",
    "write: over a file": "got = open(OUTSIDE + '/old', 'a')",
    "write: the submission": "import mc; got = open(mc.__file__, 'a')",
    "write: the standard library": "got = open(os.__file__, 'a')",
    "write: relative to another folder": """
        got = os.open('new', os.O_CREAT | os.O_WRONLY, dir_fd=os.open(os.path.dirname(os.__file__), 0))
    """,
    "write: mkdir": "os.mkdir(OUTSIDE + '/new'); got = True",
    "write: remove": "os.remove(OUTSIDE + '/old'); got = True",
    "write: rename": "os.rename(OUTSIDE + '/old', OUTSIDE + '/new'); got = True",
    "write: rename into reach": "os.rename(OUTSIDE + '/old', WORK + '/old'); got = True",
    "write: replace": "open(WORK + '/mine', 'w').close(); os.replace(WORK + '/mine', OUTSIDE + '/old'); got = True",
    "write: truncate": "os.truncate(OUTSIDE + '/old', 0); got = True",
    "write: chmod": "os.chmod(OUTSIDE + '/old', 0); got = True",
    "write: rmdir": "os.rmdir(OUTSIDE); got = True",
    "write: its own folder": "os.rmdir(WORK); got = True",
    "write: mkfifo": "os.mkfifo(OUTSIDE + '/new'); got = True",
    "write: shared memory": "from multiprocessing import shared_memory as s; got = s.SharedMemory('mytorch', True, 64)",
    "process: the function below subprocess": """
        import _posixsubprocess
        got = type(_posixsubprocess.fork_exec).__name__ == 'builtin_function_or_method'
        assert got
    """,
    "process: the same, loaded anew": """
        import importlib.machinery, importlib.util
        spec = importlib.machinery.PathFinder.find_spec('_posixsubprocess')
        got = type(importlib.util.module_from_spec(spec).fork_exec).__name__ == 'builtin_function_or_method'
        assert got
    """,
    "process: fork below os": "import posix; got = posix.fork()",
    "process: popen": "got = os.popen('true')",
    "signal: the parent": "os.kill(os.getppid(), 15); got = True",
    "signal: the group": "os.killpg(os.getpgid(os.getppid()), 15); got = True",
    "signal: by a descriptor": "import signal; got = signal.pidfd_send_signal(os.pidfd_open(os.getppid()), 15)",
    "network: a socket": "import socket; got = socket.socket()",
    "network: an address": "import urllib.request; got = urllib.request.urlopen('http://127.0.0.1:9/')",
    "limits: memory": "import resource; resource.setrlimit(resource.RLIMIT_AS, (-1, -1)); got = True",
    "limits: of another process": """
        import resource
        got = resource.prlimit(os.getppid(), resource.RLIMIT_NOFILE, resource.prlimit(0, resource.RLIMIT_NOFILE))
    """,
    "limits: a file in memory": "got = os.memfd_create('mine')",
    "limits: priority": "os.setpriority(os.PRIO_PROCESS, os.getppid(), 1); got = True",
    "limits: processors": "os.sched_setaffinity(os.getppid(), {0}); got = True",
    "limits: a large file": "got = open(WORK + '/large', 'wb').write(bytes(2 << 20))",
    "signal: by a file": """
        import fcntl
        r, w = os.pipe()
        fcntl.fcntl(r, fcntl.F_SETOWN, os.getppid())
        got = True
    """,
    "signal: by a file, to a thread": """
        import fcntl, struct
        r, w = os.pipe()
        fcntl.fcntl(r, 15, struct.pack('ii', 1, os.getppid()))
        got = True
    """,
    # modules imported anew, and what is left of functions that were taken away
    "anew: posix": "import sys; sys.modules.pop('posix'); import posix; posix.mkfifo(WORK + '/fifo1'); got = True",
    "anew: posix by its loader": """
        import _imp, importlib.machinery as machinery
        posix = _imp.create_builtin(machinery.ModuleSpec('posix', machinery.BuiltinImporter))
        posix.mkfifo(WORK + '/fifo2'); got = True
    """,
    "anew: posix by importlib": """
        import importlib.util, importlib.machinery as machinery
        posix = importlib.util.module_from_spec(machinery.BuiltinImporter.find_spec('posix'))
        posix.mkfifo(WORK + '/fifo3'); got = True
    """,
    "anew: _imp": """
        import sys; sys.modules.pop('_imp'); sys.modules.pop('posix')
        import _imp, posix
        posix.mkfifo(WORK + '/fifo4'); got = True
    """,
    "anew: functions in sets": """
        kept = [f for names in vars(os).values() if isinstance(names, set) for f in names]
        got = [f for f in kept if f.__name__ == 'mkfifo'][0](WORK + '/fifo5') is None
    """,
    "anew: os": "import sys; del sys.modules['os']; import os as again; again.mkfifo(WORK + '/fifo6'); got = True",
    "native: a library of its own": """
        import importlib.machinery as machinery, importlib.util as util, shutil, sysconfig
        there = util.find_spec('_bisect').origin or util.find_spec('_json').origin
        library = WORK + '/harmless' + sysconfig.get_config_var('EXT_SUFFIX')
        open(library, 'wb').write(open(there, 'rb').read()[:1 << 20])
        name = os.path.basename(there).partition('.')[0]
        loader = machinery.ExtensionFileLoader(name, library)
        got = loader.create_module(machinery.ModuleSpec(name, loader, origin=library))
    """,
    "packages: a file": "got = open(PACKAGE)",
    "packages: on the path": """
        import sys; sys.path.append(os.path.dirname(os.path.dirname(PACKAGE)))
        got = __import__(os.path.basename(os.path.dirname(PACKAGE)))
    """,
    # without the kernel's fence: two threads, and the running hook's own frame
    "race: of chdir and open": """
        import sys, threading, time
        sys.setswitchinterval(1e-6)
        def run():
            while running:
                try: os.chdir('/'); os.chdir(WORK)
                except PermissionError: return
        running = [True]
        thread = threading.Thread(target=run); thread.start()
        end = time.monotonic() + 0.3
        got = None
        while time.monotonic() < end and got is None:
            try: got = open('etc/passwd')
            except (FileNotFoundError, PermissionError): pass
        running.clear(); thread.join()
        if got is None: raise PermissionError
    """,
    "race: of open in a thread": """
        import threading, time
        found = []
        def run():
            while not found and running:
                try: found.append(open('etc/passwd'))
                except (FileNotFoundError, PermissionError): pass
        running = [True]
        thread = threading.Thread(target=run); thread.start()
        end = time.monotonic() + 0.3
        while time.monotonic() < end and not found: os.chdir('/'); os.chdir(WORK)
        running.clear(); thread.join()
        got = found[0]
    """,
    "frame: by the collector": CHANGE
    + """
        import gc
        gc.callbacks.append(change); gc.enable(); gc.set_threshold(1)
        try:
            for _ in range(300):
                kept = [[] for _ in range(50)]
                try: got = open('/etc/passwd')
                except PermissionError: pass
        finally: gc.callbacks.clear(); gc.set_threshold(700)
        got
    """,
    "frame: by a signal": CHANGE
    + """
        import signal
        signal.signal(signal.SIGALRM, change); signal.setitimer(signal.ITIMER_REAL, 1e-4, 1e-4)
        try:
            for _ in range(3000):
                try: got = open('/etc/passwd')
                except PermissionError: pass
        finally: signal.setitimer(signal.ITIMER_REAL, 0)
        got
    """,
    "frame: by a thread": CHANGE
    + """
        import sys, threading
        sys.setswitchinterval(1e-6)
        def run():
            while running:
                try: frames = list(sys._current_frames().values())
                except BaseException: return
                for frame in frames: change_frame(frame)
        running = [True]
        thread = threading.Thread(target=run); thread.start()
        try:
            for _ in range(3000):
                try: got = open('/etc/passwd')
                except PermissionError: pass
        finally: running.clear(); thread.join()
        got
    """,
    # these two use up what a process may change
    "limits: files without end": """
        for number in range(600): open(f'{WORK}/_{number}', 'w').close()
        got = True
    """,
    "limits: folders without end": """
        for number in range(600): os.mkdir(f'{WORK}/_{number}'); os.rmdir(f'{WORK}/_{number}')
        got = True
    """,
}


def package() -> str:
    """A package that is installed where the standard library lies, beside numpy where there is none."""
    folders = [Path(os.__file__).parent / "site-packages", Path(pytest.__file__).parents[1]]
    return str(next(path for folder in folders for path in sorted(folder.glob("*/__init__.py"))))


def attempts(outside: Path, names: list[str]) -> Edit:
    """A right submission that tries everything first, and prints what became of each attempt."""
    lines = [
        "import io, os, sys",
        "import numpy as np",
        "modules = dict(sys.modules)",
        f"ROOT, OUTSIDE = {str(ROOT)!r}, {str(outside)!r}",
    ]
    lines += [f"WORK, PACKAGE = os.getcwd(), {package()!r}"]
    for name in names:
        code = textwrap.indent(textwrap.dedent(ESCAPES[name]).strip(), "    ")
        lines += [f"def attempt():\n{code}\n    return got"]
        lines += [f"try: print({name!r}, '-> got', type(attempt()).__name__)"]
        lines += [f"except BaseException as error: print({name!r}, '->', type(error).__name__)"]
        lines += ["os.chdir(WORK)", "sys.modules.update(modules)"]
    lines += ["return original()"]
    return body("question_3", "\n".join(lines))


# What the guard alone refuses: Python's own, and what Python does with its own files.
GUARDED = (
    "read: through the parent's folder",
    "read: an interpreter of its own",
    "read: objects of the interpreter",
    "read: code by hand",
    "write: its own folder",
    "process: the function below subprocess",
    "process: the same, loaded anew",
    "limits: files without end",
    "limits: folders without end",
    "native: ctypes",
    "native: numpy's ctypes",
    "native: a library of its own",
)
# What the kernel alone would still refuse a submission that got around the guard.
FENCED = [name for name in ESCAPES if name not in GUARDED and not name.startswith("frame: ")]


@pytest.fixture
def weakened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Makes sandboxes run a copy of the grader in which one of the two fences is down."""

    def weaken(line: str) -> None:
        copy = tmp_path / "grader"
        shutil.copytree(GRADER, copy, ignore=shutil.ignore_patterns("__pycache__"))
        serve = copy / "child" / "serve.py"
        text = serve.read_text()
        assert text.count(line) == 1
        serve.write_text(text.replace(line, line[: len(line) - len(line.lstrip())] + "pass\n"))
        monkeypatch.setattr(process, "SERVE", str(serve))

    return weaken


@pytest.mark.parametrize("fences", ["both", "guard", "kernel"])
def test_no_attempt_to_get_out_succeeds(fences: str, outside: Path, weakened: Callable[[str], None]) -> None:
    if fences == "guard":
        weakened("    means += loaded.fence.close(python_folders, [*readable, root], work)\n")
    if fences == "kernel":
        if not kernel_fences():
            pytest.skip("this kernel has no Landlock")
        weakened("    guard.install(readable, root, work)\n")
    target = outside / "target"
    target.mkdir()
    (target / "old").write_text("as it was")
    before = state(target)
    attempted = [name for name in ESCAPES if fences != "kernel" or name in FENCED]
    result = grade(edited(attempts(target, attempted), outside / "handin"))
    printed = result.verdicts["multiple_choice"].printed.splitlines()
    assert result.score == MAX_TOTAL
    assert [line.partition(" -> ")[0] for line in printed] == attempted
    assert [line for line in printed if "-> got" in line] == []
    assert state(target) == before


def test_what_a_submission_prints_stays_with_the_problem_that_printed_it(outside: Path) -> None:
    code = "import os, sys\nprint('one')\nprint('two', file=sys.stderr)\nos.write(1, b'three\\n')\nreturn original()"
    result = grade(edited(body("question_3", code), outside / "handin"))
    printed = {key: verdict.printed for key, verdict in result.verdicts.items() if verdict.printed}
    assert printed == {"multiple_choice": "one\ntwo\nthree\n"}


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_a_runner_that_is_ended_takes_its_child_along(number: signal.Signals, outside: Path) -> None:
    submission = edited(body("question_3", "open('here', 'w').close()\nwhile True: pass"), outside / "handin")
    command = [sys.executable, str(GRADER / "runner.py"), "--submission", str(submission), "--deadline", "60"]
    temporary = outside / "temporary"
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # ignored in the background
    ) as run:
        wait_until(lambda: list(temporary.rglob("here")))
        os.kill(run.pid, number)
        run.communicate(timeout=LIMIT)
    wait_until(lambda: processes(str(temporary)) == [])
    if number != signal.SIGKILL:
        assert run.returncode == 128 + number
        assert list(temporary.iterdir()) == []
    for folder in temporary.iterdir():  # a process that is killed can't clean up
        shutil.rmtree(folder)


def wait_until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)
