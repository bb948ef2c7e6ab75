"""What a grading server needs, as files by path: the grader, its references, and the solution to compare with."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

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
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, part = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(part, 0o644)
        os.replace(part, path)
    except BaseException:
        os.unlink(part)
        raise
