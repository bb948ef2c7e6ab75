"""How the staff's commands start and end: the grader's rooms on the path, and nothing left behind by a signal."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Callable, NoReturn

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "hw1_autograder"))

from sandbox import ending


def run(main: Callable[[], int], interrupted: str = "interrupted") -> NoReturn:
    """Run a command; the process ends with its exit status, or with these words where a signal interrupts it."""
    ending.begin(interrupted)
    sys.exit(ending.run(main))
