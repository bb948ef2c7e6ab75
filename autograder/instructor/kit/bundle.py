"""What a grading server needs, as files by path: the grader, its references, and the solution to compare with."""

from __future__ import annotations

from pathlib import Path

from grading import settings
from grading.version import DECIDING
from homework.stored import CHECKSUMS

ROOT = Path(settings.ROOT)
GRADER = (*DECIDING, f"data/{CHECKSUMS}")
SOLUTION = ("hw1/*.py", "mytorch/*.py")


def files() -> dict[str, bytes]:
    """Return the grader below `grader/`, laid out as in this project, and the solution below `solution/`."""
    contents = {}
    for place, patterns in (("grader", GRADER), ("solution", SOLUTION)):
        for path in sorted(path for pattern in patterns for path in ROOT.glob(pattern)):
            contents[f"{place}/{path.relative_to(ROOT).as_posix()}"] = path.read_bytes()
    return contents
