"""The page that a student reads: the score table, what costs most first, the findings, prints, and what to do next."""

from __future__ import annotations

import os
import textwrap
from typing import Any, TextIO

from grading.run import BESIDES, Finding, Run, Verdict
from homework.problems import PROBLEMS, builds_on
from report.text import (
    COLUMNS,
    INDENT,
    clause,
    excerpt,
    filled,
    fitting,
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

MOST_FAULTS = 5  # that are told in full
MOST_FINDINGS = 3
MOST_LINES = 5  # of a paragraph
MOST_PRINTS = 3  # problems whose prints are shown
MORE = "`-v` shows everything."


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


def page(run: Run, out: TextIO, whole: bool = False) -> None:
    """Print what stands below the table: each fault once, findings, notes, what was printed, what comes next."""
    width, paint = width_of(out), painter(out)
    faults, findings = weighed(run), run.findings
    shown, told = (len(faults), len(findings)) if whole else (MOST_FAULTS, MOST_FINDINGS)
    cut = len(faults) > shown or len(findings) > told
    for verdict, behind in faults[:shown]:
        title = f"{verdict.problem.name}, section {verdict.problem.section}, {_cost(verdict, behind)}"
        first, *further = reason(verdict).split(f" {BESIDES}")
        texts = [first, *hint_lines(verdict.hints, verdict.problem.section)]
        last = [listed("Behind it: ", [v.problem.name for v in behind])] if behind else []
        kept = texts if whole else shortened(texts, MOST_LINES - 1)
        if whole or sum(map(lines, kept)) < MOST_LINES - 1:  # the table shows them as well
            kept = kept + last
        cut = cut or kept != texts + last
        _paragraph(out, width, paint(textwrap.fill(title, width), verdict.status), kept)
        for text in further:
            kept = [text if whole else fitting(text, MOST_LINES - 1)]
            cut = cut or kept != [text]
            _paragraph(out, width, paint(f"{verdict.problem.name}, besides", verdict.status), kept)
    for verdict, _ in faults[shown:]:
        line = f"{verdict.problem.name}: {clause(verdict.reason)}"
        print(textwrap.shorten(line, width, placeholder=" …"), file=out)
    if faults[shown:]:
        print(file=out)
    if findings:
        print("Findings, without points:\n", file=out)
    for finding in findings[:told]:
        texts = [sentence(finding.reason), *hint_lines(finding.hints), f"Why it matters: {finding.why}."]
        kept = texts if whole else shortened(texts, MOST_LINES - len(textwrap.wrap(finding.title, COLUMNS)))
        cut = cut or kept != texts
        _paragraph(out, width, textwrap.fill(finding.title, width), kept)
    for remark in run.remarks:
        _paragraph(out, width, "Note", [remark])
    _prints(run, out, width, whole)
    if cut:
        print(textwrap.fill(f"{_left(faults[shown:], findings[told:])}{MORE}", width), file=out)
    print(textwrap.fill(upcoming(run), width), file=out)


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
    """Print every wrong quantity of the first fault, and its exercise as Python to be run in a debugger."""
    faults = weighed(run)
    if not faults:
        return
    from homework import recipes  # which needs NumPy, as no other report does

    verdict = faults[0][0]
    print(f"\nMore of {verdict.problem.name}:\n", file=out)
    for said in [verdict.entry, *verdict.details[1:]] if verdict.entry else verdict.details:
        print(filled(said, width_of(out)), file=out)
    if os.path.isfile(run.submission):
        print("\nIts exercise runs where the tar is unpacked, and the folder given to --submission.", file=out)
        return
    print("\n# The exercise, to be pasted into a file or a debugger.", file=out)
    print(recipes.recipe(verdict.problem, run.submission), file=out, end="")


def _cost(verdict: Verdict, behind: list[Verdict]) -> str:
    cost = sum(other.problem.points for other in behind)
    return points(verdict.problem.points) + (f" and {cost} behind it" if cost else "")


def _left(faults: list[Any], findings: list[Finding]) -> str:
    """What is not told, or in a line only."""
    left = [f"{len(faults)} faults in a line each"] if faults else []
    left += [f"{len(findings)} more finding{'s' * (len(findings) > 1)}"] if findings else []
    return f"{', '.join(left).capitalize()}: " if left else ""


def _prints(run: Run, out: TextIO, width: int, whole: bool) -> None:
    """Print what the submission printed, the same once."""
    by_text: dict[str, list[str]] = {}
    for verdict in run.verdicts.values():
        if verdict.printed.strip():
            by_text.setdefault("\n".join(excerpt(verdict.printed)), []).append(verdict.problem.name)
    if not by_text:
        return
    print("Your code printed:\n", file=out)
    shown = list(by_text.items())[: None if whole else MOST_PRINTS]
    for text, names in shown:
        print(filled(listed("", names), width), file=out)
        for line in text.splitlines():
            print(f"{INDENT}| {line[: width - 6]}", file=out)
    rest = sum(len(names) for names in list(by_text.values())[len(shown) :])
    if rest:
        print(f"{INDENT}… and in {rest} more problem{'s' * (rest > 1)}: `-k` shows those of one", file=out)
    print(file=out)


def _names(width: int) -> int:
    """Columns for the problems' names: beside them stand the score and the status."""
    return min(36, width - 23)


def _paragraph(out: TextIO, width: int, title: str, texts: list[str]) -> None:
    print(title, *(filled(text, width) for text in texts), "", sep="\n", file=out)
