"""A child process that runs a submission's exercises, with a deadline and limits.

Whatever the child does (hangs, dies, floods, lies) comes back as an Outcome, and the next exercise finds a
fresh child. No line of the submission runs in this process.
"""

from __future__ import annotations

import importlib.util
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
from typing import IO, Any

from sandbox import cleaning, ending, system, wire
from sandbox.answers import Outcome, shown, understood

SERVE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "child", "serve.py")
DEFAULT_DEADLINE = 10.0  # seconds for one exercise
DEFAULT_MEMORY = 2 << 30  # bytes of address space for the child
MAX_WAITING = 4  # messages of a child that are read before the first is looked at
START_DEADLINE = 25.0  # seconds for the child's own start, which runs nothing of the submission
STARTS = 2  # times that it is tried
LOOKS = 16  # at the stack of a child that hangs
CLOSE_DEADLINE = 2.0  # seconds for the threads of a child that was killed

# The course's server counts processes and threads, and small arrays gain nothing from more.
ONE_THREAD = dict.fromkeys(
    ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1"
)


class GraderError(Exception):
    """The grader's own machinery failed; nothing can be graded."""


def need(*packages: str) -> None:
    """Raise GraderError where a package that the grader runs on is not installed for this Python."""
    for name in packages:
        spec = importlib.util.find_spec(name)
        if spec is None:
            install = f"{sys.executable} -m pip install {' '.join(packages)}"
            raise GraderError(f"{name} is not installed for this Python; to install what is needed: {install}")
        if spec.submodule_search_locations is None:
            raise GraderError(f"{spec.origin} hides {name}: give that file another name, or take it off the path")


def require(*packages: str) -> None:
    """End a command of the staff's before it imports what is not installed."""
    try:
        need(*packages)
    except GraderError as error:
        print(error, file=sys.stderr)
        sys.exit(2)


def start(memory: int) -> subprocess.Popen[bytes]:
    """Start child/serve.py in a process of its own, with this much address space."""
    return subprocess.Popen(
        [system.python(), "-I", "-S", SERVE, numpy_home(), str(memory)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
        **system.apart(),
    )


def numpy_home() -> str:
    """The folder that holds the numpy of this Python."""
    numpy = importlib.util.find_spec("numpy")
    assert numpy is not None
    return os.path.dirname(os.path.dirname(str(numpy.origin)))


def environment() -> dict[str, str]:
    """What a submission's process finds in its environment."""
    return {**{name: os.environ[name] for name in system.KEPT if name in os.environ}, **ONE_THREAD}


class Sandbox:
    """Runs exercises of the submission in a folder, in one child process as long as that child lives.

    The first child is started by the constructor, before the submission is known, so that its start overlaps
    with the grader's own imports; `open` names the folders.
    """

    def __init__(self, memory: int = DEFAULT_MEMORY) -> None:
        self.memory = memory
        self._fault = ""  # why no child starts
        self.not_enforced: list[str] = []
        self._folders: wire.Folders  # once `open` has named them
        self.broken: dict[str, str] = {}  # modules whose import ended a child, and how
        self._child: subprocess.Popen[bytes] | None = None
        self._introduced = False
        need("numpy")
        try:
            self._spawn()
        except (OSError, RuntimeError):  # no process, or no thread, is to be had just now: `run` tries again
            self.close()

    def open(self, root: str, work: str) -> None:
        """Name the folder that holds `mytorch` and `hw1`, and an empty one that the submission may write to."""
        work = os.path.realpath(work)
        log, stack = f"{work}-log.txt", f"{work}-stack.txt"  # where the submission may not write
        self._folders = {"root": os.path.realpath(root), "work": work, "log": log, "stack": stack}

    def run(self, exercise: str, blobs: dict[str, wire.Blob], deadline: float, strict: bool = False) -> Outcome:
        """Run one exercise; never raises for anything that a submission does.

        With `strict`, the first overflow, division by zero or invalid operation raises FloatingPointError.
        """
        if not self._introduced:  # a fresh child finds nothing that was left behind
            cleaning.remove(self._folders["work"])
        os.makedirs(self._folders["work"], exist_ok=True)
        for file in (self._folders["log"], self._folders["stack"]):
            open(file, "wb").close()
        self._ready()
        start = time.monotonic()
        outcome = self._exchange(exercise, blobs, start + deadline, strict)
        outcome.seconds = time.monotonic() - start
        outcome.printed = _read(self._folders["log"])
        if outcome.ended == "timeout":
            outcome.detail = self._place()
        if outcome.ended in ("timeout", "died", "garbled"):
            self.close()
            if outcome.stage.startswith("import "):
                self.broken[outcome.stage[len("import ") :]] = outcome.ended
        return outcome

    def kill(self) -> None:
        """End the child's process alone: all that a signal needs."""
        if self._child is not None:
            system.kill(self._child)

    def close(self) -> None:
        """End the child, and everything of it."""
        child = self._child
        if child is None:
            return
        self.kill()
        self._child = None
        if child.stderr:
            child.stderr.close()
        # The threads close the other two pipes themselves. The listener may wait at a full queue, or, had something
        # of the child outlived it, at an open pipe: for that nobody waits.
        self._requests.put(None)
        end = time.monotonic() + CLOSE_DEADLINE
        for thread in self._threads:
            while thread.is_alive() and time.monotonic() < end:
                thread.join(0.02)
                while not self._messages.empty():
                    self._messages.get_nowait()

    def _spawn(self) -> None:
        child = self._child = start(self.memory)
        self._introduced = False
        self._requests: queue.Queue[Any] = queue.Queue()
        self._messages: queue.Queue[Any] = queue.Queue(MAX_WAITING)
        ends = ((_write, child.stdin, self._requests), (_listen, child.stdout, self._messages))
        self._threads = [threading.Thread(target=run, args=arguments, daemon=True) for run, *arguments in ends]
        for thread in self._threads:
            thread.start()

    def _ready(self) -> None:
        """Have a child that knows the folders, a fresh one if the last is gone; give up for good if none starts."""
        for _ in range(STARTS):
            if (self._child is not None and self._introduced) or self._fault:
                break
            try:
                if self._child is None:
                    self._spawn()
                fault = self._introduce()
            except (OSError, RuntimeError) as error:  # no process, or no thread, is to be had
                fault = ending.one_line(error)
            if fault:
                self.close()
        else:
            self._fault = fault
        if self._fault:
            raise GraderError(f"the submission's process did not start: {self._fault}")

    def _introduce(self) -> str:
        """Send the child the folders; return why it is of no use, or nothing."""
        assert self._child is not None
        assert self._child.stderr is not None
        self._requests.put((self._folders, {}))
        try:
            message = self._messages.get(timeout=START_DEADLINE)
        except queue.Empty:
            return f"it was not ready after {START_DEADLINE:g} s"
        if isinstance(message, wire.Message) and "ready" in message.header:
            self._child.stderr.close()
            self.not_enforced = system.not_enforced(message.header["ready"])
            self._introduced = True
            return ""
        ended = self._death()
        self._child.kill()
        words = " ".join(self._child.stderr.read()[-300:].decode("utf-8", "replace").split())
        return f"{ended}: {shown(words, 300)}" if words else ended

    def _exchange(self, exercise: str, blobs: dict[str, wire.Blob], deadline: float, strict: bool) -> Outcome:
        stage = ""
        ticket = os.urandom(8).hex()  # an answer that was forged beforehand doesn't bear it
        request: wire.Request = {"id": ticket, "exercise": exercise, "broken": self.broken, "strict": strict}
        self._requests.put((request, blobs))
        while (left := deadline - time.monotonic()) > 0:
            try:
                message = self._messages.get(timeout=min(left, system.WAIT))
            except queue.Empty:
                continue
            if message is None:
                return Outcome("died", stage=stage, detail=self._death())
            outcome = understood(message)
            if outcome is None:
                return Outcome("garbled", stage=stage)
            if isinstance(outcome, str):
                stage = outcome
            elif message.header.get("id") == ticket:
                return outcome
        return Outcome("timeout", stage=stage)

    def _death(self) -> str:
        """How the child ended, in words."""
        assert self._child is not None
        try:
            code = self._child.wait(timeout=2)
        except subprocess.TimeoutExpired:
            return "it closed the channel to the grader"
        if code >= 0:
            return f"exit status {code}"
        try:
            return f"signal {signal.Signals(-code).name}"
        except ValueError:
            return f"signal {-code}"

    def _place(self) -> str:
        """Where in the submission a child that hangs is: `hw1/hw1.py, line 7, in forward`, or nothing.

        It is looked at a few times: what a loop calls comes and goes, and the function with the loop stays.
        """
        for _ in range(LOOKS):
            if self._child is None or not system.ask_for_the_stack(self._child):
                return ""
            time.sleep(0.01)
        place, stacks = "", []
        for seen in _read(self._folders["stack"], LOOKS << 13).split("most recent call first")[1:]:
            frames = re.findall(r'File "(.+?)", line (\d+) in (\S+)', seen)
            stacks.append([frame for frame in frames[::-1] if frame[0].startswith(self._folders["root"])])
        for level in zip(*stacks):  # the first call first
            if len({(file, function) for file, _, function in level}) > 1:
                break
            file, line, function = level[-1]
            name = shown(os.path.relpath(file, self._folders["root"]).replace(os.sep, "/"), 200)
            known = function.isidentifier() and function != "_"
            place = f"{name}, line {line[:7]}" + (f", in {function[:100]}" if known else "")
        return place


def _read(file: str, most: int = 4096) -> str:
    """A little of what an exercise has written to the file."""
    try:
        with open(file, "rb") as log:
            return log.read(most).decode("utf-8", "replace")
    except OSError:
        return ""


def _write(stream: IO[bytes], requests: queue.Queue[Any]) -> None:
    """Send what is put in the queue, up to a None; a child that does not read keeps nobody else waiting."""
    try:
        with stream:
            for header, blobs in iter(requests.get, None):
                wire.send(stream, header, blobs)
    except (OSError, ValueError):  # the child is gone, as its listener will say
        pass


def _listen(stream: IO[bytes], messages: queue.Queue[Any]) -> None:
    """Put every message of the child in the queue; at its end None, at nonsense the WireError."""
    with stream:
        message: Any = ""
        while message is not None and not isinstance(message, Exception):
            try:
                message = wire.receive(stream)
            except (wire.WireError, MemoryError) as error:
                message = error
            except OSError:
                message = None
            messages.put(message)
