"""Runs the probes of a graded submission, and says what they find: faults that cost no points and hurt later."""

from __future__ import annotations

from collections.abc import Set

from diagnosis import exceptions, values
from diagnosis.recognise import Catalogue
from grading.causes import signature
from grading.judges import Judge
from grading.run import Finding
from grading.verdicts import Grading
from homework.findings import PROBES, Probe
from homework.problems import BY_KEY
from sandbox.process import GraderError


def findings(
    grading: Grading, catalogue: Catalogue, references: Judge, asked: Set[str] = BY_KEY.keys()
) -> list[Finding]:
    """Run the probes whose problems are passed, one of those asked for among them, and return what they find."""
    reported: dict[tuple[str, str], Finding] = {}
    passed = {key for key, verdict in grading.verdicts.items() if verdict.status == "passed"}
    for row in PROBES:
        explained = any({*case_and_title} & {*row.unless} for case_and_title in reported)
        if passed.issuperset(row.after) and not explained and not asked.isdisjoint(row.after):
            reason = probe(grading, row)
            if reason:
                mistakes = catalogue.candidates(row.key, signature(grading, row.key, references), passed)
                given = [hint for finding in reported.values() for hint in finding.hints]
                hints = [hint for hint in catalogue.named(mistakes) if hint not in given]
                reported[row.key, row.title] = Finding(row.title, reason, row.why, hints)
    return list(reported.values())


def probe(grading: Grading, row: Probe) -> str:
    """Return how a fault shows, or nothing if it doesn't or no time is left."""
    deadline = grading.time_for(grading.deadline)
    if deadline <= 0:
        return ""
    try:
        result = grading.run(row.key, deadline)
    except GraderError:  # the solution to compare with can't do this, or the references don't know it
        return ""
    outcome = result.outcome
    if outcome.ended == "raised":
        says = (
            row.raising and outcome.raised.type != "NotBuilt" and not exceptions.unstarted(outcome, grading.submission)
        )
        return exceptions.exception(outcome, grading.submission, result.inputs) if says else ""
    if outcome.ended != "returned":
        return exceptions.ending(outcome, deadline) if row.raising else ""
    mismatches = [m for m in result.mismatches if not row.only or m.quantity.name.endswith(row.only)]
    return values.in_order(mismatches)[0].sentence if mismatches else ""
