"""Runs the probes of a graded submission, and says what they find: faults that cost no points and hurt later."""

from __future__ import annotations

from diagnosis import exceptions
from diagnosis.recognise import Catalogue
from grading.causes import signature
from grading.judges import Judge
from grading.run import Finding
from grading.verdicts import Grading
from homework.findings import PROBES, Probe
from sandbox.process import GraderError


def findings(grading: Grading, catalogue: Catalogue, references: Judge) -> list[Finding]:
    """Run the probes whose problems are passed, and return what they find, one finding a case."""
    found: dict[str, Finding] = {}
    passed = {key for key, verdict in grading.verdicts.items() if verdict.status == "passed"}
    for row in PROBES:
        explained = found.keys() & {row.key, *row.unless}
        if passed.issuperset(row.after) and not explained:
            reason = probe(grading, row)
            if reason:
                mistakes = catalogue.candidates(row.key, signature(grading, row.key, references), passed)
                found[row.key] = Finding(row.title, reason, row.why, catalogue.named(mistakes))
    return list(found.values())


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
    if exceptions.unstarted(outcome, grading.submission):
        return ""
    if outcome.ended == "raised":
        return exceptions.exception(outcome, grading.submission)
    if outcome.ended != "returned":
        return exceptions.ending(outcome, deadline)
    mismatches = [m for m in result.mismatches if not row.only or m.quantity.endswith(row.only)]
    return mismatches[0].sentence if mismatches else ""
