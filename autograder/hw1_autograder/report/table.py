"""The page that a student reads: the score table, what costs most first, the findings, prints, and what to do next."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Sequence
from typing import Any, TextIO, TypeVar

from grading.run import BESIDES, Run, Verdict
from grading.settings import REFERENCES
from homework.problems import PROBLEMS, Problem, builds_on
from report.text import (
    COLUMNS,
    INDENT,
    clause,
    excerpt,
    filled,
    hint_lines,
    lines,
    listed,
    painter,
    points,
    reason,
    sentence,
    shortened,
    width_of,
)

SCRIPT = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "child", "script.py")
MOST_FAULTS = 5  # that are told in full
MOST_FINDINGS = 3
MOST_NOTES = 3
MOST_LINES = 5  # of a paragraph
MOST_PRINTS = 2
MOST_PRINTED = 3  # lines of each
Thing = TypeVar("Thing")


def table(run: Run, out: TextIO, whole: bool = False) -> None:
    """Print a row a problem, the total, and the rest of the page; all of it with `whole`."""
    width, paint = width_of(out), painter(out)
    print(f"Grading {run.submission}\n", file=out)
    for verdict in run.verdicts.values():
        print(row(verdict, width, paint), file=out)
    print(f"  {'Total':<{_names(width)}} {run.total:>2} / {run.max_total}\n", file=out)
    page(run, out, whole)


def row(verdict: Verdict, width: int, paint: Any) -> str:
    score = f"{verdict.score:>2} / {verdict.problem.points:<2}"
    names = _names(width)
    return f"  {verdict.problem.name[:names]:<{names}} {score}  {paint(verdict.status, verdict.status)}"


class Sheet:
    """Paragraphs in the columns of a terminal, each of a few lines; with `whole` of as many as there are."""

    def __init__(self, out: TextIO, whole: bool) -> None:
        self.out, self.whole = out, whole
        self.width, self.paint = width_of(out), painter(out)
        self.left: list[str] = []  # what is not told in full
        self.cut = False  # whether a paragraph is not

    def first(self, things: Sequence[Thing], most: int, what: str) -> Sequence[Thing]:
        """The first few of them."""
        told = things if self.whole else things[:most]
        if rest := len(things) - len(told):
            self.left.append(f"{rest} more {what}{'s' * (rest > 1)}")
        return told

    def paragraph(self, title: str, texts: list[str], behind: Sequence[str] = (), status: str = "") -> None:
        """Print a title, the texts below it, and the names of what is behind it where there is room for them."""
        room = MOST_LINES - len(textwrap.wrap(title, COLUMNS))
        kept = texts if self.whole else shortened(texts, room)
        self.cut = self.cut or kept != texts
        left = len(behind) if self.whole else room - sum(map(lines, kept))
        if behind and left:
            kept = [*kept, listed("Behind it: ", behind, left)]
        title = self.paint(textwrap.fill(title, self.width), status) if status else textwrap.fill(title, self.width)
        print(title, *(filled(text, self.width) for text in kept), "", sep="\n", file=self.out)


def page(run: Run, out: TextIO, whole: bool = False) -> None:
    """Print what stands below the table: each fault once, findings, notes, what was printed, what comes next."""
    sheet = Sheet(out, whole)
    faults = weighed(run)
    told = sheet.first(faults, MOST_FAULTS, "fault")
    for verdict, behind in told:
        _fault(sheet, verdict, behind)
    for verdict, _ in faults[len(told) :]:
        line = f"{verdict.problem.name}: {clause(verdict.reason)}"
        print(textwrap.shorten(line, sheet.width, placeholder=" …"), file=out)
    if len(told) < len(faults):
        print(file=out)
    if run.findings:
        print("Findings, without points:\n", file=out)
    for finding in sheet.first(run.findings, MOST_FINDINGS, "finding"):
        why = f"Why it matters: {finding.why}."
        sheet.paragraph(finding.title, [sentence(finding.reason), *hint_lines(finding.hints), why])
    for note in sheet.first(run.remarks, MOST_NOTES, "note"):
        sheet.paragraph("Note", [note])
    _prints(sheet, run)
    if sheet.left or sheet.cut:
        left = f"{', '.join(sheet.left)}: " if sheet.left else ""
        print(textwrap.fill(f"{left}`-v` shows everything.", sheet.width), file=out)
    print(textwrap.fill(upcoming(run), sheet.width), file=out)


def _fault(sheet: Sheet, verdict: Verdict, behind: list[Verdict]) -> None:
    """Print a problem's faults, with the problems behind them and what all of them cost."""
    cost = sum(other.problem.points for other in behind)
    title = f"{verdict.problem.name}, section {verdict.problem.section}, {points(verdict.problem.points)}"
    first, *further = reason(verdict).split(f" {BESIDES}")
    names = [other.problem.name for other in behind]
    texts = [first, *hint_lines(verdict.hints, verdict.problem.section)]
    sheet.paragraph(title + (f" and {cost} behind it" if cost else ""), texts, names, verdict.status)
    for text in further:
        sheet.paragraph(f"{verdict.problem.name}, besides", [text], status=verdict.status)


def _prints(sheet: Sheet, run: Run) -> None:
    """Print what the submission printed, the same once."""
    by_text: dict[str, list[str]] = {}
    for verdict in run.verdicts.values():
        if verdict.printed.strip():
            text = "\n".join(excerpt(verdict.printed, 20 if sheet.whole else MOST_PRINTED))
            by_text.setdefault(text, []).append(verdict.problem.name)
    if by_text:
        print("Your code printed:\n", file=sheet.out)
    for text, names in sheet.first([*by_text.items()], MOST_PRINTS, "print"):
        print(filled(listed("", names), sheet.width), file=sheet.out)
        for line in text.splitlines():
            print(f"{INDENT}| {line[: sheet.width - 6]}", file=sheet.out)
        print(file=sheet.out)


def weighed(run: Run) -> list[tuple[Verdict, list[Verdict]]]:
    """Each fault, with the problems that are shown to stand behind it: first what costs the most points."""
    behind: dict[str, list[Verdict]] = {}
    for verdict in run.known.values():
        behind.setdefault(verdict.behind, []).append(verdict)
    faults = [
        (verdict, behind.get(key, []))
        for key, verdict in run.known.items()
        if verdict.status not in ("passed", "not started") and not verdict.behind
    ]
    return sorted(faults, key=lambda fault: -sum(v.problem.points for v in (fault[0], *fault[1])))


def upcoming(run: Run) -> str:
    """What to do next: the problem with the most points for the fewest bodies, of those that wait for no other."""
    unpassed = {key: verdict for key, verdict in run.known.items() if verdict.status != "passed"}
    if not unpassed.keys() & run.verdicts.keys():
        if len(run.verdicts) < len(PROBLEMS):
            return f"Full points for what was asked: {len(run.verdicts)} of {len(PROBLEMS)} problems."
        return "All points." if not run.findings else "All points; the findings are worth a look."
    ready = [
        verdict
        for verdict in unpassed.values()
        if not verdict.behind and unpassed.keys().isdisjoint(builds_on(verdict.problem))
    ]

    def worth(verdict: Verdict) -> float:
        bodies = len(verdict.problem.bodies) if verdict.status == "not started" else 1
        gained = [v for v in (verdict, *unpassed.values()) if v is verdict or v.behind == verdict.problem.key]
        return sum(v.problem.points for v in gained) / max(1, bodies)

    verdict = max(ready or unpassed.values(), key=worth)  # of equals the first, in the writeup's order
    problem = verdict.problem
    text = f"Next: {problem.name}, {points(problem.points)}, section {problem.section} of the writeup."
    if verdict.status == "not started" and verdict.reason:
        text += f" {reason(verdict)}"
    return text


def more(run: Run, out: TextIO) -> None:
    """Print every wrong quantity of the first fault, and its exercise as a Python file."""
    faults = weighed(run)
    if not faults:
        return
    verdict = faults[0][0]
    print(f"\nMore of {verdict.problem.name}:\n", file=out)
    for said in [verdict.entry, *verdict.details[1:]] if verdict.entry else verdict.details:
        print(filled(said, width_of(out)), file=out)
    if os.path.isfile(run.submission):
        print("\nIts exercise runs where the tar is unpacked, and the folder given to --submission.", file=out)
        return
    print("\n# The exercise, as a file that runs as it is. Step through it in a debugger.", file=out)
    print(script(verdict.problem, run.submission), file=out, end="")


def script(problem: Problem, submission: str) -> str:
    """The problem's exercise as a Python file that runs it on the submission, a folder."""
    done = subprocess.run(
        [sys.executable, SCRIPT, problem.key, problem.exercise, os.path.abspath(submission), REFERENCES],
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
    )
    if done.returncode:
        return f"# It can't be shown: {done.stderr.splitlines()[-1]}\n"
    return done.stdout


def _names(width: int) -> int:
    """Columns for the problems' names: beside them stand the score and the status."""
    return min(36, width - 23)
