"""A run in the form that a machine needs: JSON, Autolab's last lines, Gradescope's file; table.py has the table."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import traceback
from typing import Any, TextIO

from grading.run import Run
from homework.problems import BY_KEY, section_title
from report import table

FORMATS = ("table", "json", "autolab", "gradescope")


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
            "printed": "\n".join(table.excerpt(verdict.printed)),
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
    table.table(run, out)
    stages: dict[str, dict[str, Any]] = {}
    for verdict in run.verdicts.values():
        check = {"passed": verdict.status == "passed", "hint": table.reason(verdict)[:500]}
        stage = stages.setdefault(section_title(verdict.problem.section), {"_order": []})
        stage["_order"].append(verdict.problem.name)
        stage[verdict.problem.name] = check
    print(json.dumps({"_presentation": "semantic", "stages": list(stages), **stages}), file=out)
    print(json.dumps({"scores": scores(run)}), file=out, flush=True)


def gradescope(run: Run) -> dict[str, Any]:
    """The content of Gradescope's results.json."""
    tests = [
        {
            "name": verdict.problem.name,
            "number": verdict.problem.section,
            "score": verdict.score,
            "max_score": verdict.problem.points,
            "status": "passed" if verdict.status == "passed" else "failed",
            "output": "" if verdict.status == "passed" else f"{verdict.status}: {table.reason(verdict)}",
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


def publish(run: Run, form: str, out: str | None) -> bool:
    """Give the run in the form asked for, on standard output or to a file; return whether all of it could be told.

    Where its texts can't be, its scores are. Raises OSError if nothing can be written.
    """
    try:
        if form == "table":
            table.table(run, sys.stdout)
        elif form == "autolab":
            autolab(run, sys.stdout)
        else:
            _write(json.dumps(as_json(run) if form == "json" else gradescope(run), indent=2), out)
    except OSError:
        raise
    except Exception:
        traceback.print_exc()
        tests = [
            {"name": v.problem.name, "score": v.score, "max_score": v.problem.points} for v in run.verdicts.values()
        ]
        _write(json.dumps({"tests": tests} if form == "gradescope" else {"scores": scores(run)}), out)
        return False
    return True


def _write(text: str, out: str | None) -> None:
    if out:
        write_whole(out, text + "\n")
    else:
        print(text)
