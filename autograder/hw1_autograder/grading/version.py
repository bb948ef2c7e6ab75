"""The grader's version: which code and which data a report comes from. The submission has no part in it."""

from __future__ import annotations

import hashlib
from pathlib import Path

from grading.settings import ROOT

RELEASE = "1.0"
DECIDING = ("autograder/hw1_autograder/**/*.py", "data/hw1_*.npz")  # the files that decide a report


def version() -> str:
    """The release, and a digest of the files that decide: the same in the project, a starter and a server's package."""
    root, digest = Path(ROOT), hashlib.sha256()
    for name in sorted(path.relative_to(root).as_posix() for pattern in DECIDING for path in root.glob(pattern)):
        digest.update(f"{name}\n".encode() + (root / name).read_bytes())
    return f"{RELEASE}-{digest.hexdigest()[:8]}"
