"""What a run found, as the report reads it: a verdict a problem, the findings, and remarks on the handin."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from homework.problems import BY_KEY, PROBLEMS, Problem

if TYPE_CHECKING:  # a report of why nothing could be graded needs no NumPy
    from diagnosis.recognise import Hint

BESIDES = "Besides: "  # begins each further fault in a problem's reason


@dataclass
class Verdict:
    """The result of one problem.

    `status` is "passed", "failed", "error", "timeout", "not started", or "waiting" for one that fails while a
    problem that it builds on does; `waits_for` is then the key of the first of those. `behind` is the key of the
    problem that shows the same fault first, `details` a sentence on every wrong quantity, `entry` the first wrong entry
    beside the expected one.
    """

    problem: Problem
    status: str
    reason: str = ""
    waits_for: str = ""
    printed: str = ""
    seconds: float = 0.0
    details: list[str] = field(default_factory=list)
    entry: str = ""
    hints: list[Hint] = field(default_factory=list)
    behind: str = ""

    @property
    def score(self) -> int:
        return self.problem.points if self.status == "passed" else 0


@dataclass
class Finding:
    """A fault without points: what it is, how it showed, and why it will hurt."""

    title: str
    reason: str
    why: str
    hints: list[Hint] = field(default_factory=list)


@dataclass
class Run:
    """All that a report tells: the verdicts by key, the findings, remarks on the handin and on the machine.

    `beside` are the verdicts on problems that nobody asked for, and that those asked for build on.

    `failure` is what went wrong in the grader itself, or before it could begin, and kept it from grading or explaining
    all. `digest` is that of the submission's files, `seed` that of a solution's fresh inputs, or None where the judge
    was the prestored references.
    """

    submission: str
    verdicts: dict[str, Verdict]
    findings: list[Finding] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    seconds: float = 0.0
    failure: str = ""
    digest: str = ""
    seed: int | None = None
    beside: dict[str, Verdict] = field(default_factory=dict)

    @property
    def known(self) -> dict[str, Verdict]:
        """Every verdict, in the writeup's order."""
        both = {**self.verdicts, **self.beside}
        return {key: both[key] for key in BY_KEY if key in both}

    @property
    def total(self) -> int:
        return sum(verdict.score for verdict in self.verdicts.values())

    @property
    def graded(self) -> bool:
        """Whether any problem was."""
        return any(verdict.reason or verdict.status == "passed" for verdict in self.verdicts.values())

    @property
    def max_total(self) -> int:
        return sum(verdict.problem.points for verdict in self.verdicts.values())


def not_graded(submission: str, reason: str) -> Run:
    """The run of a submission of which nothing could be graded: every problem in error, without a reason of its own."""
    return Run(submission, {problem.key: Verdict(problem, "error") for problem in PROBLEMS}, failure=reason)
