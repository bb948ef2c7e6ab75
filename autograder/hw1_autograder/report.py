"""A run in the form that its reader needs: a table for a student, JSON, Autolab's last lines, Gradescope's file."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import textwrap
from dataclasses import dataclass, field
from typing import Any, TextIO

from grading import Finding, Verdict
from problems import BY_KEY, PROBLEMS, Problem

STAGES = {
    "2": "Multiple Choice",
    "3.1": "Activations",
    "3.2": "Loss",
    "3.3": "Batch Normalization",
    "3.4": "Linear Layer",
    "3.5": "Multi-Layer Perceptron",
}


@dataclass
class Run:
    """All that a report tells: the verdicts by key, the findings, remarks on the handin and on the machine."""

    submission: str
    verdicts: dict[str, Verdict]
    findings: list[Finding] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def total(self) -> int:
        return sum(verdict.score for verdict in self.verdicts.values())

    @property
    def max_total(self) -> int:
        return sum(verdict.problem.points for verdict in self.verdicts.values())


def not_graded(reason: str) -> Run:
    """The run of a submission of which nothing could be graded: every problem in error, for that reason."""
    return Run("", {problem.key: Verdict(problem, "error", reason) for problem in PROBLEMS})


# ---------------------------------------------------------------- for a student


def table(run: Run, out: TextIO) -> None:
    """Print a row a problem, the total, then what failed and why, the findings, and what to do next."""
    width = min(shutil.get_terminal_size((80, 24)).columns if out.isatty() else 80, 100)
    colour = _colours(out)
    print(f"Grading {run.submission}\n", file=out)
    for verdict in run.verdicts.values():
        score = f"{verdict.score:>2} / {verdict.problem.points:<2}"
        print(f"  {verdict.problem.name:<36} {score}  {colour(verdict.status, verdict.status)}", file=out)
    print(f"  {'Total':<36} {run.total:>2} / {run.max_total}\n", file=out)

    for verdict in run.verdicts.values():
        if verdict.status not in ("passed", "not started"):
            _paragraph(out, width, colour(verdict.problem.name, verdict.status), _reason(verdict))
            for line in _excerpt(verdict.printed):
                print(f"    | {line[: width - 6]}", file=out)
    for finding in run.findings:
        _paragraph(out, width, f"Finding: {finding.title}", f"{finding.reason}. Why it matters: {finding.why}.")
    for remark in run.remarks:
        _paragraph(out, width, "Note", remark)
    upcoming = next((v.problem for v in run.verdicts.values() if v.status != "passed"), None)
    if upcoming:
        points = "point" if upcoming.points == 1 else "points"
        where = f"section {upcoming.section} of the writeup, {upcoming.points} {points}"
        _paragraph(out, width, "Next", f"{upcoming.name} ({where})")


def _reason(verdict: Verdict) -> str:
    if verdict.waits_for:
        return f"waits for: {BY_KEY[verdict.waits_for].name}. {verdict.reason}"
    return verdict.reason


def _paragraph(out: TextIO, width: int, title: str, text: str) -> None:
    print(title, file=out)
    print(textwrap.fill(text, width, initial_indent="    ", subsequent_indent="    "), file=out)


def _excerpt(printed: str, lines: int = 5) -> list[str]:
    """The first few lines of what a submission printed, without control characters."""
    shown = ["".join(c if c.isprintable() else " " for c in line) for line in printed.splitlines()]
    return shown[:lines] + ([f"… {len(shown) - lines} more lines"] if len(shown) > lines else [])


def _colours(out: TextIO) -> Any:
    if not out.isatty() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return lambda text, status: text
    codes = {"passed": 32, "not started": 90, "waiting": 33}
    return lambda text, status: f"\033[{codes.get(status, 31)}m{text}\033[0m"


# ---------------------------------------------------------------- for machines


def as_json(run: Run) -> dict[str, Any]:
    problems = [
        {
            "name": verdict.problem.name,
            "section": verdict.problem.section,
            "score": verdict.score,
            "max_score": verdict.problem.points,
            "status": verdict.status,
            "seconds": round(verdict.seconds, 3),
            "reason": verdict.reason,
            "waits_for": BY_KEY[verdict.waits_for].name if verdict.waits_for else None,
            "printed": "\n".join(_excerpt(verdict.printed)),
        }
        for verdict in run.verdicts.values()
    ]
    return {
        "total": run.total,
        "max_total": run.max_total,
        "scores": scores(run),
        "problems": problems,
        "findings": [vars(finding) for finding in run.findings],
        "remarks": run.remarks,
        "seconds": round(run.seconds, 3),
    }


def scores(run: Run) -> dict[str, int]:
    return {verdict.problem.name: verdict.score for verdict in run.verdicts.values()}


def autolab(run: Run, out: TextIO) -> None:
    """Print the table, then Autolab's feedback and its scores, each on a line; the scores come last."""
    table(run, out)
    stages: dict[str, dict[str, Any]] = {}
    for verdict in run.verdicts.values():
        check = {"passed": verdict.status == "passed", "hint": _reason(verdict)[:500]}
        stage = stages.setdefault(_stage(verdict.problem), {"_order": []})
        stage["_order"].append(verdict.problem.name)
        stage[verdict.problem.name] = check
    print(json.dumps({"_presentation": "semantic", "stages": list(stages), **stages}), file=out)
    print(json.dumps({"scores": scores(run)}), file=out, flush=True)


def _stage(problem: Problem) -> str:
    return STAGES.get(problem.section) or STAGES[problem.section.rpartition(".")[0]]


def gradescope(run: Run) -> dict[str, Any]:
    """The content of Gradescope's results.json."""
    tests = [
        {
            "name": verdict.problem.name,
            "number": verdict.problem.section,
            "score": verdict.score,
            "max_score": verdict.problem.points,
            "status": "passed" if verdict.status == "passed" else "failed",
            "output": "" if verdict.status == "passed" else f"{verdict.status}: {_reason(verdict)}",
            "visibility": "visible",
        }
        for verdict in run.verdicts.values()
    ]
    lines = [f"{finding.title}: {finding.reason}. {finding.why}." for finding in run.findings]
    return {"tests": tests, "execution_time": round(run.seconds, 1), "output": "\n".join(run.remarks + lines)}


def write_whole(path: str, text: str) -> None:
    """Write a file whole or not at all."""
    folder = os.path.dirname(os.path.abspath(path))
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=".results")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def publish(run: Run, form: str, out: str | None) -> None:
    """Give the run in the form asked for, on standard output or to a file."""
    if form == "table":
        table(run, sys.stdout)
    elif form == "autolab":
        autolab(run, sys.stdout)
    else:
        text = json.dumps(as_json(run) if form == "json" else gradescope(run), indent=2)
        if out:
            write_whole(out, text + "\n")
        else:
            print(text)
