"""Temporary copies of submissions, each with a sandbox of its own, all of it gone at the end."""

from __future__ import annotations

import os
import tempfile
from contextlib import ExitStack

from sandbox import ending, system
from sandbox.process import DEFAULT_MEMORY, GraderError, Sandbox
from sandbox.submission import Submission


class Workplace:
    """A folder of copies, and their sandboxes; used in a `with`.

    The first sandbox's process is started by the constructor, so that it starts while the caller imports and reads.
    """

    def __init__(self, memory: int = DEFAULT_MEMORY) -> None:
        self._memory = memory
        self._sandboxes: list[Sandbox] = []
        with system.held():
            parent = tempfile.gettempdir()  # writes a file there, to see whether it can
        with ExitStack() as begun:
            self._folder = begun.enter_context(ending.folder(parent, "mytorch-"))
            begun.enter_context(ending.taken_back(self._kill))  # before the folder goes
            self._waiting: Sandbox | None = Sandbox(memory)
            self._sandboxes.append(self._waiting)
            self._begun = begun.pop_all()

    def __enter__(self) -> Workplace:
        return self

    def __exit__(self, *_: object) -> None:
        for sandbox in self._sandboxes:
            sandbox.close()
        self._begun.close()

    def _kill(self) -> None:
        for sandbox in self._sandboxes:
            sandbox.kill()

    def lay_out(self, submission: Submission) -> Sandbox:
        """Write the submission's files to a folder of their own, and return a sandbox that runs them there."""
        if self._waiting is None:
            self._sandboxes.append(Sandbox(self._memory))
        sandbox, self._waiting = self._waiting or self._sandboxes[-1], None
        root = os.path.join(self._folder, str(self._sandboxes.index(sandbox)), "submission")
        work = os.path.join(os.path.dirname(root), "work")
        try:
            submission.lay_out(root)
            os.makedirs(work)
        except OSError as error:
            raise GraderError(f"a copy in {self._folder} can't be made: {ending.one_line(error)}") from error
        sandbox.open(root, work)
        return sandbox
