"""A submission's process may do and answer what it likes: it costs its own problems, and there is always a report."""

from __future__ import annotations

import io
import json
import os
import random
import sys
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

import faults
from faults import FORGE, Fault, forged, harmless, question
from grading.grade import grade
from grading.judges import blobs
from grading.settings import Settings
from handins import CATALOGUE, JUDGE, MAX_TOTAL, PROBLEMS, ROOT, body, report, solution, top
from homework import cases
from report import formats
from samples import WHOLE
from sandbox import process, wire, workplace
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


@pytest.mark.parametrize("name", ROWS)
def test_whatever_a_process_does_costs_its_own_problem(name: str, outside: Path) -> None:
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


# Random and mutated answers, by seed, and always a report

ANSWERS = 2000 if WHOLE else 400
DTYPES = (
    "<f8",
    ">f8",
    "<f4",
    "<f2",
    "|b1",
    "<i8",
    "<u4",
    "<c16",
    "<c8",
    "<U1",
    ">U9",
    "<U0",
    "|S3",
    "|S0",
    "|O",
    "?",
    "=f8",
)
TEXTS = (
    "",
    "x",
    "\x1b[31m",
    "\ud800",
    "‮",
    "\0",
    "a" * 5000,
    "numpy.ndarray",
    "str",
    "int",
    "NoneType",
    "Broken",
    "line\nbreak",
)


class Answerer:
    """Answers requests as the solution would, but for what the random numbers say."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.kinds: Counter[str] = Counter()

    def answer(self, request: wire.Message, right: dict[Any, Any]) -> tuple[bytes, bool]:
        """The bytes of an answer, and whether the channel is closed after it."""
        kind = self.random.choice(
            ("right", "noise", "cut", "flipped", "header", "blobs", "numbers", "raised", "stages", "end")
        )
        self.kinds[kind] += 1
        key = (request.header["exercise"], *sorted((name, blob.data) for name, blob in request.blobs.items()))
        header, blobs = right.get(key, ({"raised": self.raised()}, {}))
        header = {"id": request.header["id"], **header}
        if kind == "header":
            header = {**header, **self.junk_object()}
        elif kind == "blobs":
            blobs = {name: self.blob() if self.random.random() < 0.5 else blob for name, blob in blobs.items()}
        elif kind == "numbers":
            blobs = {name: self.changed(blob) for name, blob in blobs.items()}
        elif kind == "raised":
            header = {"id": header["id"], "raised": self.raised()}
        data = encoded(header, blobs)
        if kind == "noise":
            data = (
                self.random.randbytes(self.random.randrange(1, 300)) if hasattr(self.random, "randbytes") else b"?" * 9
            )
        elif kind == "cut":
            data = data[: self.random.randrange(len(data))]
        elif kind == "flipped":
            flipped = bytearray(data)
            for _ in range(self.random.randrange(1, 9)):
                flipped[self.random.randrange(min(len(flipped), 400))] ^= 1 << self.random.randrange(8)
            data = bytes(flipped)
        elif kind == "stages":
            stage = encoded({"stage": self.random.choice((*TEXTS, "import hw1", "import loss"))}, {})
            data = stage * self.random.randrange(1, 20) + data
        return (b"" if kind == "end" else data), kind in ("noise", "cut", "flipped", "end")

    def junk(self, depth: int = 0) -> Any:
        kinds = [
            lambda: None,
            lambda: True,
            lambda: 10 ** self.random.randrange(40),
            lambda: -1.5,
            lambda: float("nan"),
        ]
        kinds += [lambda: self.random.choice(TEXTS)] * 3
        if depth < 4:
            kinds += [lambda: [self.junk(depth + 1) for _ in range(self.random.randrange(4))]]
            kinds += [
                lambda: {self.random.choice(TEXTS): self.junk(depth + 1) for _ in range(self.random.randrange(4))}
            ]
        return self.random.choice(kinds)()

    def junk_object(self) -> dict[str, Any]:
        names = ("values", "raised", "stage", "id", "ready", *TEXTS)
        return {self.random.choice(names): self.junk() for _ in range(self.random.randrange(1, 4))}

    def raised(self) -> list[Any]:
        choice = self.random.choice
        frames = (
            wire.Frame("hw1/hw1.py", self.random.randrange(400), "forward"),
            wire.Frame(choice(TEXTS), 10**5, "f"),
        )
        honest = wire.Raised(
            type=choice(("TypeError", "IndexError", "NotImplementedError", "Broken", "NotBuilt", "NameError")),
            message=choice((*TEXTS, "hw1", "name 'x' is not defined", "f() takes 1 positional argument")),
            bases=("Exception", choice(TEXTS)),
            frames=choice((frames, ())),
            statement=choice((*TEXTS, "dx = layer.backward(delta)", f"f(x={'-' * 900}1)")),
            module=choice(TEXTS),
            expression="x @ W",
            values=(wire.Operand("x", "float64", (2, 3)), wire.Operand(choice(TEXTS), "NoneType", None)),
            missing=choice(
                (wire.Missing(), wire.Missing("x", kind="name"), wire.Missing("x", "Linear", "object", "student"))
            ),
            near=(choice(TEXTS),),
            call=wire.Callee("f", "numpy", choice(TEXTS)),
        )
        return [self.junk() if self.random.random() < 0.2 else value for value in honest]

    def blob(self) -> wire.Blob:
        shape = tuple(
            self.random.choice((0, 1, 2, 3, 7, 10**6)) for _ in range(self.random.choice((0, 1, 2, 3, 9, 33)))
        )
        dtype = self.random.choice(DTYPES)
        try:
            size = int(np.prod([float(n) for n in shape])) * np.dtype(dtype).itemsize
        except TypeError:
            size = 8
        return wire.Blob(dtype, shape, self.random.randbytes(size) if size < 1000 else bytes(min(size, 1 << 22)))

    def changed(self, blob: wire.Blob) -> wire.Blob:
        if blob.dtype != "<f8" or not blob.data:
            return blob
        array = np.frombuffer(blob.data).copy()
        array *= self.random.choice((1, -1, 2, 0, 1e300, np.nan))
        array[self.random.randrange(array.size)] = self.random.choice((0, 1, np.nan, -np.inf, 1e-320, 1e308))
        shape = self.random.choice((blob.shape, blob.shape[::-1], (1, *blob.shape), (array.size,), blob.shape))
        return wire.Blob("<f8", shape, array.tobytes())


def encoded(header: dict[str, Any], blobs: dict[str, wire.Blob]) -> bytes:
    stream = io.BytesIO()
    wire.send(stream, header, blobs)
    return stream.getvalue()


class Child:
    """What stands for the process: bytes go in, and what the answerer makes of them comes out."""

    pid = 0

    def __init__(self, answerer: Answerer, right: dict[Any, Any]) -> None:
        out, self._end = os.pipe()
        self.stdout, self.stderr = os.fdopen(out, "rb"), io.BytesIO()
        self.stdin, self._answerer, self._right, self._told = self, answerer, right, False

    def write(self, data: bytes) -> None:
        request = wire.receive(io.BytesIO(data))
        assert request is not None
        answer, closed = encoded({"ready": []}, {}), False
        if self._told:
            answer, closed = self._answerer.answer(request, self._right)
        self._told = True
        os.write(self._end, answer)
        if closed:
            self.close()

    def flush(self) -> None: ...

    def close(self) -> None:
        end, self._end = self._end, -1
        if end >= 0:
            os.close(end)

    kill = close

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def wait(self, timeout: float | None = None) -> int:
        return 0

    def send_signal(self, number: int) -> None: ...


@pytest.fixture(scope="module")
def right() -> dict[Any, Any]:
    """The solution's answers to every exercise, by exercise and inputs."""
    answers: dict[Any, Any] = {}
    with workplace.Workplace() as place:
        sandbox = place.lay_out(Submission(solution()))
        for key, (exercise, _) in cases.CASES.items():
            given = {name: wire.Blob(a.dtype.str, a.shape, a.tobytes()) for name, a in JUDGE.case(key)[0].items()}
            outcome = sandbox.run(exercise, given, 10)
            assert outcome.ended == "returned"
            asked = (exercise, *sorted((name, blob.data) for name, blob in given.items()))
            answers[asked] = {"values": outcome.types}, outcome.blobs
    return answers


def test_whatever_a_child_answers_there_is_a_report(right: dict[Any, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    assert CATALOGUE.hints
    seed, kinds = 0, Counter[str]()
    while sum(kinds.values()) < ANSWERS:
        seed += 1
        answerer = Answerer(seed)
        monkeypatch.setattr(process, "start", lambda _: Child(answerer, right))  # noqa: B023
        monkeypatch.setattr(process.system, "kill", lambda child: child.kill())
        with workplace.Workplace() as place:
            run = grade(Settings(deadline=0.1), place)
        monkeypatch.undo()
        assert run.failure == "", f"seed {seed}"
        assert len(run.verdicts) == len(PROBLEMS)
        for form in formats.FORMATS:
            out = io.StringIO()
            monkeypatch.setattr(sys, "stdout", out)
            assert formats.publish(run, form, None, None, whole=True), f"seed {seed}"
            monkeypatch.undo()
            assert all(c.isprintable() or c == "\n" for c in out.getvalue()), f"seed {seed}"
            if form == "autolab":
                assert len(json.loads(out.getvalue().splitlines()[-1])["scores"]) == len(PROBLEMS)
        kinds.update(answerer.kinds)
    assert min(kinds.values()) > ANSWERS / 20
