"""A run in the form that a machine needs: JSON, Autolab's last lines, Gradescope's file; table.py has the table.

Where nothing could be graded, each says the reason once.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from string import ascii_lowercase
from typing import TYPE_CHECKING, Any, TextIO

from grading.run import Run
from grading.version import version
from homework.problems import BY_KEY, PROBLEMS, section_title
from report import table
from report.text import excerpt, reason
from sandbox.ending import write_whole

if TYPE_CHECKING:
    from diagnosis.recognise import Hint

FORMATS = ("table", "json", "autolab", "gradescope")
VISIBILITIES = ("visible", "hidden", "after_due_date", "after_published")  # that Gradescope knows


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
            "hints": hints(verdict.hints),
            "waits_for": BY_KEY[verdict.waits_for].name if verdict.waits_for else None,
            "same_fault_as": BY_KEY[verdict.behind].name if verdict.behind else None,
            "printed": "\n".join(excerpt(verdict.printed)),
        }
        for verdict in run.verdicts.values()
    ]
    return {
        "handin": {"name": os.path.basename(os.path.abspath(run.submission)), "digest": run.digest},
        "grader": version(),
        "judge": "references" if run.seed is None else "solution",
        "seed": run.seed,
        "graded": run.graded,
        "failure": run.failure,
        "total": run.total,
        "max_total": run.max_total,
        "scores": scores(run),
        "problems": problems,
        "findings": [
            {"title": f.title, "reason": f.reason, "why": f.why, "hints": hints(f.hints)} for f in run.findings
        ],
        "remarks": run.remarks,
        "seconds": round(run.seconds, 3),
    }


def hints(found: list[Hint]) -> list[dict[str, str]]:
    return [{"mistake": hint.key, "text": hint.text, "section": hint.section} for hint in found]


def scores(run: Run) -> dict[str, int]:
    return {verdict.problem.name: verdict.score for verdict in run.verdicts.values()}


def autolab(run: Run, out: TextIO) -> None:
    """Print the table, then Autolab's feedback and its scores, each on a line; the scores come last."""
    stages: dict[str, dict[str, Any]] = {}
    if not run.graded:
        stages = {"Handin": {"_order": ["can be graded"], "can be graded": check(run.failure)}}
    else:
        table.table(run, out)
        for verdict in run.verdicts.values():
            stage = stages.setdefault(section_title(verdict.problem.section), {"_order": []})
            stage["_order"].append(verdict.problem.name)
            stage[verdict.problem.name] = check("" if verdict.status == "passed" else reason(verdict))
    print(json.dumps({"_presentation": "semantic", "stages": list(stages), **stages}), file=out)
    print(json.dumps({"scores": scores(run)}), file=out, flush=True)


def check(reason: str) -> dict[str, Any]:
    """One of Autolab's checks: passed, or not for a reason."""
    return {"passed": False, "hint": reason[:500]} if reason else {"passed": True}


def gradescope(run: Run, visibility: str | None = None) -> dict[str, Any]:
    """The content of Gradescope's results.json; without a visibility, Gradescope shows the tests."""
    numbered = numbers()
    tests = [
        {
            "name": verdict.problem.name,
            "number": numbered[verdict.problem.key],
            "score": verdict.score,
            "max_score": verdict.problem.points,
            "status": "passed" if verdict.status == "passed" else "failed",
            "output": f"{verdict.status}: {reason(verdict)}" if verdict.reason else "",
        }
        for verdict in run.verdicts.values()
    ]
    lines = run.remarks if run.graded else [f"nothing could be graded: {run.failure}"]
    lines = lines + [f"{finding.title}: {finding.reason}. {finding.why}." for finding in run.findings]
    results = {"tests": tests, "execution_time": round(run.seconds, 1), "output": "\n".join(lines)}
    return {**results, "visibility": visibility} if visibility else results


def numbers() -> dict[str, str]:
    """Gradescope's number of each problem: its section, and a letter where several problems share one."""
    sections = [problem.section for problem in PROBLEMS]
    return {
        problem.key: problem.section
        + (ascii_lowercase[sections[:place].count(problem.section)] if sections.count(problem.section) > 1 else "")
        for place, problem in enumerate(PROBLEMS)
    }


def publish(run: Run, form: str, out: str | None, visibility: str | None, whole: bool) -> bool:
    """Give the run in the form asked for, on standard output or to a file; return whether all of it could be told.

    A `whole` table tells every fault in full, and has more of the first. Where the texts can't be told, the scores
    are. Raises OSError if nothing can be written.
    """
    try:
        if form == "table":
            table.table(run, sys.stdout, whole)
            if whole:
                table.more(run, sys.stdout)
        elif form == "autolab":
            autolab(run, sys.stdout)
        else:
            _write(json.dumps(as_json(run) if form == "json" else gradescope(run, visibility), indent=2), out)
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
        write_whole(out, f"{text}\n".encode())
    else:
        print(text)
