"""What a run is asked for, and where the project keeps what every run reads."""

from __future__ import annotations

import os
from dataclasses import dataclass

from sandbox.process import DEFAULT_DEADLINE, DEFAULT_MEMORY

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
REFERENCES = os.path.join(ROOT, "data", "hw1_reference.npz")
MISTAKES = os.path.join(ROOT, "data", "hw1_mistakes.npz")
TRACES = os.path.join(ROOT, "data", "hw1_traces.npz")
MNIST = os.path.join(ROOT, "data", "mnist.npz")
RUN_DEADLINE = 120.0  # seconds; the course's server ends a job after 180


@dataclass(frozen=True)
class Settings:
    """The submission, the problems asked for, what it is compared with, and its limits.

    The defaults grade the project itself, all problems, with the prestored references. `against` is a solution to
    compare with on inputs drawn from `seed`: a number, "handin" for one that follows from the files, or None for any.
    """

    submission: str = ROOT
    words: tuple[str, ...] = ()  # of the problems' names; none for all problems
    against: str | None = None
    seed: int | str | None = None
    deadline: float = DEFAULT_DEADLINE  # seconds for a problem
    run_deadline: float = RUN_DEADLINE  # seconds for the run
    memory: int = DEFAULT_MEMORY  # bytes of address space of the submission's process
