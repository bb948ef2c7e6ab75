"""Temporary copies of submissions, each with a sandbox of its own, all of it gone at the end."""

from __future__ import annotations

import os
import tempfile

from sandbox import cleaning
from sandbox.process import DEFAULT_MEMORY, Sandbox
from sandbox.submission import Submission


class Workplace:
    """A folder of copies, and their sandboxes; used in a `with`.

    The first sandbox's process is started by the constructor, so that it starts while the caller imports and reads.
    """

    def __init__(self, memory: int = DEFAULT_MEMORY) -> None:
        self._memory = memory
        self._waiting: Sandbox | None = Sandbox(memory)
        self._sandboxes = [self._waiting]
        self._folder = tempfile.mkdtemp(prefix="mytorch-")

    def __enter__(self) -> Workplace:
        return self

    def __exit__(self, *_: object) -> None:
        for sandbox in self._sandboxes:
            sandbox.close()
        cleaning.remove(self._folder)

    def lay_out(self, submission: Submission) -> Sandbox:
        """Write the submission's files to a folder of their own, and return a sandbox that runs them there."""
        if self._waiting is None:
            self._sandboxes.append(Sandbox(self._memory))
        sandbox, self._waiting = self._waiting or self._sandboxes[-1], None
        root = os.path.join(self._folder, str(self._sandboxes.index(sandbox)), "submission")
        work = os.path.join(os.path.dirname(root), "work")
        submission.lay_out(root)
        os.makedirs(work)
        sandbox.open(root, work)
        return sandbox
