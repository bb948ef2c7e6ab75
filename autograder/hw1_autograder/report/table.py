"""What a student reads: the score table, each fault once with what it shows and a hint, and what to do next."""

from __future__ import annotations

import os
import shutil
import textwrap
from typing import TYPE_CHECKING, Any, TextIO

from grading.run import Run, Verdict
from homework.problems import BY_KEY

if TYPE_CHECKING:
    from diagnosis.recognise import Hint

COLOURS = {"passed": 32, "not started": 90, "waiting": 33}
RED = 31
MOST_BEHIND = 4  # problems that are named behind a fault: the table has them all


def table(run: Run, out: TextIO) -> None:
    """Print a row a problem, the total, each fault with the problems behind it, the findings, and what comes next."""
    width = width_of(out)
    paint = painter(out)
    print(f"Grading {run.submission}\n", file=out)
    for verdict in run.verdicts.values():
        print(row(verdict, width, paint), file=out)
    print(f"  {'Total':<{_names(width)}} {run.total:>2} / {run.max_total}\n", file=out)
    faults(run, out, width, paint)
    for remark in run.remarks:
        _paragraph(out, width, "Note", [remark])
    print(upcoming(run, width), file=out)


def more(run: Run, out: TextIO) -> None:
    """Print all of one fault, the first: every wrong quantity, and the exercise as Python to be run in a debugger."""
    verdict = next((v for v in run.verdicts.values() if v.status not in ("passed", "not started")), None)
    if verdict is None:
        return
    from homework import recipes  # which needs NumPy, as no other report does

    problem = verdict.problem
    print(f"\nMore of {problem.name}:\n", file=out)
    for sentence in verdict.details:
        print(f"    {sentence}", file=out)
    print("\n    # The exercise, to be pasted into a file or a debugger.", file=out)
    print(textwrap.indent(recipes.recipe(problem, run.submission), "    "), file=out, end="")


def row(verdict: Verdict, width: int, paint: Any) -> str:
    score = f"{verdict.score:>2} / {verdict.problem.points:<2}"
    names = _names(width)
    return f"  {verdict.problem.name[:names]:<{names}} {score}  {paint(verdict.status, verdict.status)}"


def faults(run: Run, out: TextIO, width: int, paint: Any) -> None:
    """Print each fault once, with the first problem that shows it and the others in a line, and the findings."""
    for key, verdict in run.verdicts.items():
        if verdict.status in ("passed", "not started") or verdict.behind:
            continue
        lines = [reason(verdict), *hint_lines(verdict.hints)]
        behind = [other.problem.name for other in run.verdicts.values() if other.behind == key]
        if behind:
            shown = (
                behind
                if len(behind) <= MOST_BEHIND
                else [*behind[: MOST_BEHIND - 1], f"{len(behind) - MOST_BEHIND + 1} more"]
            )
            lines.append(f"Behind it: {', '.join(shown)}.")
        title = f"{verdict.problem.name}, section {verdict.problem.section}"
        _paragraph(out, width, paint(title, verdict.status), lines, excerpt(verdict.printed))
    if run.findings:
        print("Findings, without points:\n", file=out)
    for finding in run.findings:
        lines = [sentence(finding.reason), *hint_lines(finding.hints), f"Why it matters: {finding.why}."]
        _paragraph(out, width, textwrap.fill(finding.title, width), lines)


def upcoming(run: Run, width: int) -> str:
    """What to do next: the first problem, in the writeup's order, that is to be mended or written, and where."""
    verdict = next((v for v in run.verdicts.values() if v.status != "passed"), None)
    if verdict is None:
        return "All points." if not run.findings else "All points; the findings are worth a look."
    problem = verdict.problem
    points = "point" if problem.points == 1 else "points"
    text = f"Next: {problem.name}, {problem.points} {points}, section {problem.section} of the writeup."
    if verdict.status == "not started" and verdict.reason:
        text += f" {reason(verdict)}"
    return textwrap.fill(text, width)


def reason(verdict: Verdict) -> str:
    """The verdict's reason as a sentence, and the problem that it waits for."""
    text = verdict.reason
    if text.partition(" ")[0].isalpha() and not verdict.details:  # the name of a quantity stays as it is
        text = text[:1].upper() + text[1:]
    text = sentence(text)
    return f"{text} Waits for: {BY_KEY[verdict.waits_for].name}." if verdict.waits_for else text


def sentence(text: str) -> str:
    return text if text.endswith((".", "?")) else text + "."


def hint_lines(hints: list[Hint]) -> list[str]:
    """What the numbers point at: one cause, or the two that give the same numbers."""
    said = [
        f"{hint.text} ({'' if hint.section.startswith(('eq', 'app')) else 'section '}{hint.section})" for hint in hints
    ]
    if not said:
        return []
    if len(said) == 1:
        return [f"Hint: {said[0]}."]
    return [f"Hint: either {said[0]}, or {said[1]}; the numbers are the same."]


def excerpt(printed: str, lines: int = 5) -> list[str]:
    """The first few lines of what a submission printed, without control characters."""
    shown = ["".join(c if c.isprintable() else " " for c in line) for line in printed.splitlines()]
    return shown[:lines] + ([f"… {len(shown) - lines} more lines"] if len(shown) > lines else [])


def width_of(out: TextIO) -> int:
    """The columns to write in: the terminal's, within reason, and 80 for a file or a pipe."""
    return max(40, min(shutil.get_terminal_size((80, 24)).columns, 100)) if out.isatty() else 80


def painter(out: TextIO) -> Any:
    """A function that colours a text by a status, on a terminal that wants it."""
    if not out.isatty() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return lambda text, status: text
    return lambda text, status: f"\033[{COLOURS.get(status, RED)}m{text}\033[0m"


def _names(width: int) -> int:
    """Columns for the problems' names: beside them stand the score and the status."""
    return min(36, width - 23)


def _paragraph(out: TextIO, width: int, title: str, lines: list[str], printed: list[str] | None = None) -> None:
    print(title, file=out)
    for line in lines:
        print(textwrap.fill(line, width, initial_indent="    ", subsequent_indent="    "), file=out)
    if printed:
        print("    It printed:", file=out)
        for line in printed:
            print(f"    | {line[: width - 6]}", file=out)
    print(file=out)
