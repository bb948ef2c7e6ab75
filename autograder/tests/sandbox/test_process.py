"""A submission's process may do and answer what it likes: it costs its own problems, and there is always a report."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

import faults
from faults import FORGE, Fault, forged, harmless, question
from grading.judges import blobs
from handins import MAX_TOTAL, ROOT, body, report, solution, top
from sandbox import process, workplace
from sandbox.submission import Submission


def answer(blob: str) -> str:
    """An answer to the question with this array as the first letter."""
    return f"""
        header = {{"id": request.header["id"], "values": {{"question_1": "str"}}}}
        wire.send(answers, header, {{"question_1": wire.Blob({blob})}})
    """


ROWS = {
    # it does not end, or it ends the process
    "loops": question("while True: pass", "still running after 0.7 s, at hw1/mc.py, line", "timeout"),
    "sleeps": question("import time; time.sleep(1000)", "still running after 0.7 s, at hw1/mc.py, line", "timeout"),
    "is deaf to signals": question(
        "import signal, time\nsignal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))\ntime.sleep(1000)",
        "still running",
        "timeout",
    ),
    "exits by os._exit(0)": question("import os; os._exit(0)", "the process ended: exit status 0"),
    "exits by os._exit(3)": question("import os; os._exit(3)", "exit status 3"),
    "aborts": question("import os; os.abort()", "SIGABRT"),
    "kills itself": question("import signal; signal.raise_signal(9)", "SIGKILL"),
    "segfaults": question("import faulthandler; faulthandler._sigsegv()", "SIGSEGV"),
    "recurses until the stack is full": question(
        """
        import sys
        sys.setrecursionlimit(10**9)
        class Deep:
            def __getattr__(self, name): return getattr(self, name + "x")
        return Deep().a
        """,
        "",
    ),
    "hangs while a layer is imported": Fault(
        top("mytorch/batchnorm.py", "import time; time.sleep(1000)\n"),
        dict.fromkeys(faults.NEEDS_HW1, "timeout"),
        "still running after 0.7 s while it imported hw1",
    ),
    "exits while a layer is imported": Fault(
        top("mytorch/linear.py", "import os; os._exit(0)\n"),
        {"linear_forward": "error", "linear_backward": "waiting", **dict.fromkeys(faults.NEEDS_HW1, "waiting")},
        "exit status 0",
    ),
    "hangs in a layer": Fault(
        body("ReLU.derivative", "import time; time.sleep(1000)"), {faults.RELU: "timeout"}, "still running"
    ),
    "hangs in a file that colours a terminal": question(
        """
        import os
        exec(compile('while True: pass', os.path.dirname(__file__) + '/\\x1b[31m.py', 'exec'))
        """,
        "at hw1/\\x1b[31m.py, line 1",
        "timeout",
    ),
    "writes where it hangs itself": question(
        """
        import os, stat, time
        line = 'File "' + os.path.dirname(os.path.dirname(__file__)) + '/\\x1b[2J", line ' + '9' * 3000 + ' in f\\n'
        for d in range(3, 64):
            try: stat.S_ISREG(os.fstat(d).st_mode) and os.write(d, line.encode())
            except OSError: pass
        time.sleep(1000)
        """,
        "still running",
        "timeout",
    ),
    # it floods
    "prints without end": question("while True: print('x' * 1000)", "still running", "timeout"),
    "writes to standard output without end": question("import os\nwhile True: os.write(1, b'x' * 65536)", "too large"),
    "prints a lot": harmless(body("question_3", "for i in range(50_000): print(i)\nreturn original()")),
    "prints through sys.stdout.buffer": harmless(
        body("question_3", "import sys\nsys.stdout.buffer.write(b'\\xff')\nreturn original()")
    ),
    "asks for 80 GB": question("import numpy; numpy.ones(10**10)", "MemoryError"),
    "collects memory": question("import numpy\nhog = []\nwhile True: hog.append(numpy.zeros(1 << 24))", "MemoryError"),
    "collects memory and hides it": question(
        "hog = []\nwhile True:\n    try: hog.append(bytearray(1 << 26))\n    except MemoryError: pass",
        "still running",
        "timeout",
    ),
    # what it returns is no answer to the question
    "a word": question("return 'all'", "expected one lower-case letter", "failed"),
    "a capital": question("return 'A'", "'A'", "failed"),
    "bytes": question("return b'a'", "a bytes", "failed"),
    "a str subclass": question("return type('S', (str,), {'__eq__': lambda a, b: True})('a')", "S", "failed"),
    "a long text": question("return 'a' * 10**7", "expected one", "failed"),
    "control characters": question("return '\\x1b[2J'", "'\\x1b[2J'", "failed"),
    # it writes to the channel itself
    "patches json": question("import json; json.dumps = lambda value: 'nonsense'; return 'a'", "no answer"),
    "writes nonsense to every descriptor": question(
        "import os\nfor d in range(3, 64):\n    try: os.write(d, b'{' * 64)\n    except OSError: pass\nreturn 'a'", ""
    ),
    "closes the channel and exits": question("import os; os.closerange(0, 256); return 'a'", "the process ended"),
    "closes the channel and sleeps": question(
        "import os, time; os.closerange(0, 256); time.sleep(1000)", "closed the channel"
    ),
    "takes the next requests": forged("frame.f_locals['requests'].read()", "still running", "timeout"),
    "names stages without end": forged(
        "while True: wire.send(answers, {'stage': 'x' * 1000}, {})", "still running", "timeout"
    ),
    "announces a message of 4 GB": forged("answers.write(b'\\xff' * 64); answers.flush()"),
    "sends a list": forged("answers.write(b'\\x02\\x00\\x00\\x00[]'); answers.flush()"),
    "nests without end": forged("answers.write(b'\\x40\\x42\\x0f\\x00' + b'[' * 10**6); answers.flush()"),
    "sends a number of a million digits": forged(
        """
        head = b'{"arrays": [], "header": {"id": ' + b'9' * 200_000 + b'}}'
        answers.write(len(head).to_bytes(4, 'little') + head); answers.flush()
        """
    ),
    "sends a type that is none": forged("wire.send(answers, {'values': {}}, {'x': wire.Blob('|O', (), b'12345678')})"),
    "announces the wrong size": forged("wire.send(answers, {'values': {}}, {'x': wire.Blob('<f8', (9,), b'')})"),
    "claims an axis of 2**70": forged("wire.send(answers, {'values': {}}, {'x': wire.Blob('<f8', (0, 2**70), b'')})"),
    "names values in colours": forged(
        "wire.send(answers, {'id': request.header['id'], 'values': {'\\x1b[31m': 'str'}}, {})"
    ),
    "forges an exception": forged(
        """
        raised = wire.Raised(type=7, message=["no"], frames=[[1, 2, 3], ["hw1/mc.py", 10**40, "f"]])
        wire.send(answers, {"id": request.header["id"], "raised": raised}, {})
        """,
        "",
    ),
    "answers other requests beforehand": harmless(
        body(
            "question_3",
            f"{FORGE}    for i in range(9): wire.send(answers, {{'id': str(i), 'values': {{}}}}, {{}})\n    return 'a'",
        )
    ),
    "answers twice, first wrongly": forged(answer("'<U1', (), 'z'.encode('utf-32-le')"), "returns 'z'", "failed"),
    "an array of letters": forged(answer("'<U1', (2,) * 8, b'a\\0\\0\\0' * 256"), "question_1 returns ''", "failed"),
    "9 axes of booleans": forged(answer("'|b1', (6,) * 9, bytes(6**9)")),
    "17 axes of booleans": forged(answer("'|b1', (2,) * 17, bytes(2**17)")),
    "22 axes without end": forged(answer("'<U0', (7,) * 22, b''")),
    "what is no character": forged(answer("'<U1', (), b'\\xff' * 4")),
}


HOGS = ("asks for 80 GB", "collects memory", "collects memory and hides it")


@pytest.mark.parametrize("name", ROWS)
def test_whatever_a_process_does_costs_its_own_problem(name: str, outside: Path) -> None:
    if name in HOGS and sys.platform != "linux":
        pytest.skip("this system heeds no limit on memory")
    faults.check(ROWS[name], outside)


# A process that does not start, or does not read


class Start(NamedTuple):
    """A program in the place of child/serve.py, the points, and why the process did not start."""

    script: str
    score: int
    words: str


FIRST_FAILS = f"""
import os, sys
here = os.path.join(os.environ["TMPDIR"], "tried")
if not os.path.exists(here):
    open(here, "w").close()
    sys.exit("not this time")
os.remove(here)
os.execv(sys.executable, [sys.executable, "-I", "-S", {process.SERVE!r}, *sys.argv[1:]])
"""
STARTS = {
    "once": Start(FIRST_FAILS, MAX_TOTAL, ""),
    "never": Start("import sys; sys.exit('no \\x1b[31m memory')", 0, "did not start: exit status 1: no ?[31m memory"),
    "killed": Start("import os; os.kill(os.getpid(), 9)", 0, "did not start: signal SIGKILL"),
    "silent": Start("import time; time.sleep(100)", 0, "did not start: it was not ready after 1 s"),
}


@pytest.mark.cold
@pytest.mark.parametrize("name", STARTS)
def test_a_process_that_does_not_start_is_tried_once_more_and_its_end_is_reported(
    name: str, outside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = STARTS[name]
    (outside / "serve.py").write_text(row.script)
    monkeypatch.setattr(process, "SERVE", str(outside / "serve.py"))
    if name == "silent":
        monkeypatch.setattr(process, "START_DEADLINE", 1.0)
    run = report(ROOT)
    assert run.total == row.score
    assert row.words in run.failure


def test_a_process_that_does_not_read_holds_up_nobody() -> None:
    files, nothing = solution(), "wire.send(answers, {'id': request.header['id'], 'values': {}}, {})"
    forged(f"{nothing}\nimport time; time.sleep(1000)").edit(files)
    small, large = (blobs({"name": np.array("ReLU"), "x": np.zeros(size)}) for size in (3, 1 << 20))
    with workplace.Workplace() as place:
        sandbox = place.lay_out(Submission(files))
        assert sandbox.run("multiple_choice", {}, 10).ended == "returned"
        assert sandbox.run("activation_forward", large, 0.5).ended == "timeout"
        assert sandbox.run("activation_forward", small, 10).ended == "returned"
