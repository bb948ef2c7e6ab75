"""What the tests of the grader share: the project's solution with one thing done to it, graded in this process."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import tarfile
import textwrap
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any
from unittest import mock

ROOT = Path(__file__).resolve().parents[3]
GRADER = ROOT / "autograder" / "hw1_autograder"
sys.path[:0] = [str(GRADER), str(ROOT / "autograder" / "instructor")]

from catalogue import BY_KEY, FILES, apply  # noqa: E402
from diagnosis.recognise import Catalogue  # noqa: E402
from grading import grade as grades  # noqa: E402
from grading.judges import Prestored  # noqa: E402
from grading.probing import findings  # noqa: E402
from grading.run import Run  # noqa: E402
from grading.settings import MISTAKES as STORED  # noqa: E402
from grading.settings import REFERENCES, Settings  # noqa: E402
from grading.verdicts import Grading  # noqa: E402
from homework.problems import MAX_TOTAL, PROBLEMS, Problem  # noqa: E402
from report import table  # noqa: E402
from sandbox.workplace import Workplace  # noqa: E402

CATALOGUE, JUDGE = Catalogue(STORED), Prestored(REFERENCES)

Files = dict[str, bytes]
Edit = Callable[[Files], None]


def files_of(root: Path = ROOT) -> dict[str, bytes]:
    return {
        f"{folder}/{path.name}": path.read_bytes()
        for folder in ("mytorch", "hw1")
        for path in sorted((root / folder).glob("*.py"))
    }


def solution() -> Files:
    return files_of(ROOT)


def tar_of(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def edited(folder: Path, *edits: Edit) -> Path:
    """Write the solution with these edits."""
    files = solution()
    for edit in edits:
        edit(files)
    return write(files, folder)


def write(files: Files, folder: Path) -> Path:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def mistaken(*keys: str) -> Files:
    """The solution with these mistakes of the catalogue in it."""
    files = solution()
    for key in keys:
        files = apply(BY_KEY[key], files)
    return files


def with_mistakes(folder: Path, *keys: str) -> Path:
    return write(mistaken(*keys), folder)


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

    def __init__(self, grading: Grading) -> None:
        for problem in PROBLEMS:
            grading.grade(problem)
        self.verdicts = grading.verdicts
        self.findings = findings(grading, CATALOGUE, JUDGE)
        self.remarks = grading.submission.remarks
        self.score = sum(verdict.score for verdict in self.verdicts.values())
        self.statuses = {key: verdict.status for key, verdict in self.verdicts.items()}
        self.unpassed = {key: status for key, status in self.statuses.items() if status != "passed"}


def grade(submission: Path | str, **settings: Any) -> Result:
    """Grade a folder or a tar as the runner does, short of its pytest run and its report."""
    with Workplace() as workplace:
        return Result(grades.opened(Settings(str(submission), **settings), workplace))


def each_graded(grading: Grading, problems: list[Problem]) -> None:
    for problem in problems:
        grading.grade(problem)


def report(submission: Path | str, **settings: Any) -> Run:
    """Grade a folder or a tar as the runner does, to the run that it reports; without pytest, a third of the time."""
    with Workplace() as workplace, mock.patch.object(grades, "run_pytest", each_graded):
        return grades.grade(Settings(str(submission), **settings), workplace)


def called(main: Callable[[list[str]], int], *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command's main in this process; `command` below takes half a second more."""
    out, err = io.StringIO(), io.StringIO()
    with mock.patch.dict(os.environ, {"AUTOLAB": "", **environment}), redirect_stdout(out), redirect_stderr(err):
        try:
            status = main([*arguments])
        except SystemExit as ended:  # argparse's
            status = int(ended.code or 0)
    return subprocess.CompletedProcess(arguments, status, out.getvalue(), err.getvalue())


def command(
    *arguments: str, name: str = "runner.py", grader: Path = GRADER, python: tuple[str, ...] = (), **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a command of the grader as a user does, out of any folder of the project."""
    kept = {name: value for name, value in os.environ.items() if name not in ("AUTOLAB", "PYTEST_ADDOPTS")}
    return subprocess.run(
        [sys.executable, *python, str(grader / name), *arguments],
        cwd=os.sep,
        env={**kept, "PYTHONDONTWRITEBYTECODE": "1", **environment},
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=120,
    )


def page(run: Run, whole: bool = False) -> str:
    """What a student reads of a run."""
    out = io.StringIO()
    table.table(run, out, whole)
    return out.getvalue()


def paragraphs(text: str) -> list[list[str]]:
    """The paragraphs below the score table of a page, each as its lines."""
    below = re.split(r"^ *Total .*\n", text, maxsplit=1, flags=re.MULTILINE)[1]
    return [part.splitlines() for part in re.split(r"\n\n+", below.strip()) if part]


__all__ = ["FILES", "MAX_TOTAL", "PROBLEMS", "STORED"]  # handed on
