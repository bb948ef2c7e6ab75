"""What a grading server needs, as files by path: the grader, its references, and the solution to compare with."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "autograder" / "hw1_autograder"))

from sandbox import ending  # noqa: E402

GRADER = ("autograder/hw1_autograder/**/*.py", "data/hw1_*.npz", "data/SHA256SUMS")
SOLUTION = ("hw1/*.py", "mytorch/*.py")


def files() -> dict[str, bytes]:
    """Return the grader below `grader/`, laid out as in this project, and the solution below `solution/`."""
    found = {}
    for place, patterns in (("grader", GRADER), ("solution", SOLUTION)):
        for path in sorted(path for pattern in patterns for path in ROOT.glob(pattern)):
            found[f"{place}/{path.relative_to(ROOT).as_posix()}"] = path.read_bytes()
    return found


def write_whole(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, in a folder that is made if there is none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    ending.write_whole(path, content)
