"""What the tests of the grader share: the project's solution with one thing done to it, graded in this process."""

from __future__ import annotations

import os
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
GRADER = ROOT / "autograder" / "hw1_autograder"
sys.path[:0] = [str(GRADER), str(ROOT / "autograder" / "instructor")]

import runner  # noqa: E402
from judges import Prestored  # noqa: E402
from mistakes import FILES  # noqa: E402
from problems import MAX_TOTAL, PROBLEMS  # noqa: E402
from recognise import Catalogue  # noqa: E402

CATALOGUE, REFERENCES = Catalogue(runner.MISTAKES), Prestored(runner.REFERENCE)

Files = dict[str, bytes]
Edit = Callable[[Files], None]


def solution() -> Files:
    return {
        f"{folder}/{path.name}": path.read_bytes()
        for folder in ("mytorch", "hw1")
        for path in sorted((ROOT / folder).glob("*.py"))
    }


def write(files: Files, folder: Path) -> Path:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


# Edits of the solution: each takes its files and changes them.


def body(target: str, code: str, signature: str = "*args") -> Edit:
    """Put another function in the place of `question_3` or `ReLU.derivative`; `original` is the one it replaces."""

    def edit(files: Files) -> None:
        lines = textwrap.indent(textwrap.dedent(code).strip(), "    ")
        text = f"\n\noriginal = {target}\n\n\ndef replacement({signature}):\n{lines}\n\n\n{target} = replacement\n"
        files[FILES[target.partition(".")[0]]] += text.encode()

    return edit


def top(file: str, code: str) -> Edit:
    """Put lines at the beginning of a file."""

    def edit(files: Files) -> None:
        files[file] = textwrap.dedent(code).lstrip().encode() + files[file]

    return edit


def content(file: str, data: bytes) -> Edit:
    return lambda files: files.update({file: data})


def without(*names: str) -> Edit:
    def edit(files: Files) -> None:
        for name in names:
            del files[name]

    return edit


def changed(file: str, old: str, new: str) -> Edit:
    """Replace a text that stands in the file exactly once."""

    def edit(files: Files) -> None:
        assert files[file].count(old.encode()) == 1, f"{file} does not hold once: {old}"
        files[file] = files[file].replace(old.encode(), new.encode())

    return edit


class Result:
    """The verdicts and findings of one grading, without a report."""

    def __init__(self, grading: Any) -> None:
        for problem in PROBLEMS:
            grading.grade(problem)
        self.verdicts = grading.verdicts
        self.findings = grading.findings(CATALOGUE, REFERENCES)
        self.remarks = grading.submission.remarks
        self.score = sum(verdict.score for verdict in self.verdicts.values())
        self.statuses = {key: verdict.status for key, verdict in self.verdicts.items()}
        self.unpassed = {key: status for key, status in self.statuses.items() if status != "passed"}


def grade(submission: Path | str, *options: str) -> Result:
    """Grade a folder or a tar as the runner does, short of its pytest run and its report."""
    with runner.opened(runner.arguments(["--submission", str(submission), *options])) as grading:
        return Result(grading)


def state(folder: Path) -> dict[str, tuple[int, int]]:
    """Size and time of change of every file and folder below, caches left out."""
    found = {}
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".") and name != "__pycache__"]
        for name in [*files, *folders]:
            status = os.lstat(os.path.join(place, name))
            found[os.path.join(place, name)] = (status.st_size, status.st_mtime_ns)
    return found


__all__ = ["FILES", "GRADER", "MAX_TOTAL", "PROBLEMS", "ROOT", "Result", "body", "changed", "content", "grade"]
__all__ += ["solution", "state", "top", "without", "write"]
