"""Starts a submission's process in milliseconds: one process with NumPy and the child's modules loaded forks for each.

A cold start loads them anew, which took half of the tests' processor time. What a fork can't show (how Python starts,
its environment, the order of limits and imports) is tested by tests marked `cold`. Linux alone has what this needs.
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from functools import cache

if __name__ != "__main__":
    from sandbox import process

CHILD_SUBREAPER = 36  # of prctl: what a forking process leaves behind becomes this process's child


class Forked:
    """A process that another one forked for us, used like a subprocess.Popen."""

    def __init__(self, pid: int, pipes: list[int]) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self.stdin, self.stdout, self.stderr = (os.fdopen(fd, mode) for fd, mode in zip(pipes, ("wb", "rb", "rb")))

    def poll(self) -> int | None:
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.returncode = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
        return self.returncode

    def wait(self, timeout: float) -> int:
        end = time.monotonic() + timeout
        while self.poll() is None:
            if time.monotonic() > end:
                raise subprocess.TimeoutExpired("a forked process", timeout)
            time.sleep(0.002)
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class Loaded:
    """The process that has everything loaded, and the socket on which it is asked for forks."""

    def __init__(self) -> None:
        ctypes.CDLL(None).prctl(CHILD_SUBREAPER, 1, 0, 0, 0)
        self.lock = threading.Lock()
        self.socket, theirs = socket.socketpair()
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-I", "-S", __file__, process.SERVE, process.numpy_home(), str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                env=process.environment(),
            )

    def fork(self, memory: int, pipes: list[int]) -> int:
        with self.lock:
            socket.send_fds(self.socket, [str(memory).encode()], pipes)
            return int(self.socket.recv(20))


loaded = cache(Loaded)  # once a test process, when the first submission is graded


def start(memory: int) -> Forked:
    """What sandbox.process.start does, by a fork."""
    (stdin, to_stdin), (from_stdout, stdout), (from_stderr, stderr) = (os.pipe() for _ in range(3))
    pid = loaded().fork(memory, [stdin, stdout, stderr])
    for pipe in (stdin, stdout, stderr):
        os.close(pipe)
    return Forked(pid, [to_stdin, from_stdout, from_stderr])


def main(serve_file: str, numpy_home: str, descriptor: str) -> None:
    """Load what child/serve.py loads; then fork for every request, and be child/serve.py in the fork."""
    sys.path.insert(0, os.path.dirname(serve_file))
    import serve

    del sys.path[0], sys.modules["serve"]
    loaded = serve.load(numpy_home)
    memory, pipes = forked(socket.socket(fileno=int(descriptor)))
    os.setsid()
    for standard, pipe in enumerate(pipes):
        os.dup2(pipe, standard)
        os.close(pipe)
    requests, answers = serve.own_channel()
    serve.serve(loaded, numpy_home, requests, answers, serve.limit(memory))


def forked(requests: socket.socket) -> tuple[int, list[int]]:
    """Return in a new process for every request, with the memory and the pipes that it names."""
    while True:
        memory, pipes, _, _ = socket.recv_fds(requests, 20, 3)
        if not memory:
            os._exit(0)
        between = os.fork()
        if between:
            os.waitpid(between, 0)
            for pipe in pipes:
                os.close(pipe)
            continue
        between = os.getpid()
        pid = os.fork()
        if pid:  # ends, so that its child becomes one of the process that asked
            requests.send(str(pid).encode())
            os._exit(0)
        requests.close()
        while os.getppid() == between:
            time.sleep(0.0005)
        return int(memory), pipes


if __name__ == "__main__":
    main(*sys.argv[1:])
