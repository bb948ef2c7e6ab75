"""A run in the form that a machine needs: JSON, Autolab's last lines, Gradescope's file; screen.py has the table."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from dataclasses import dataclass, field
from typing import Any, TextIO

import screen
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
            "hints": [f"{hint.text} (writeup, {hint.section})" for hint in verdict.hints],
            "waits_for": BY_KEY[verdict.waits_for].name if verdict.waits_for else None,
            "same_fault_as": BY_KEY[verdict.behind].name if verdict.behind else None,
            "printed": "\n".join(screen.excerpt(verdict.printed)),
        }
        for verdict in run.verdicts.values()
    ]
    return {
        "total": run.total,
        "max_total": run.max_total,
        "scores": scores(run),
        "problems": problems,
        "findings": [
            {"title": f.title, "reason": f.reason, "why": f.why, "hints": [hint.text for hint in f.hints]}
            for f in run.findings
        ],
        "remarks": run.remarks,
        "seconds": round(run.seconds, 3),
    }


def scores(run: Run) -> dict[str, int]:
    return {verdict.problem.name: verdict.score for verdict in run.verdicts.values()}


def autolab(run: Run, out: TextIO) -> None:
    """Print the table, then Autolab's feedback and its scores, each on a line; the scores come last."""
    screen.table(run, out)
    stages: dict[str, dict[str, Any]] = {}
    for verdict in run.verdicts.values():
        check = {"passed": verdict.status == "passed", "hint": screen.reason(verdict)[:500]}
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
            "output": "" if verdict.status == "passed" else f"{verdict.status}: {screen.reason(verdict)}",
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
        screen.table(run, sys.stdout)
    elif form == "autolab":
        autolab(run, sys.stdout)
    else:
        text = json.dumps(as_json(run) if form == "json" else gradescope(run), indent=2)
        if out:
            write_whole(out, text + "\n")
        else:
            print(text)
