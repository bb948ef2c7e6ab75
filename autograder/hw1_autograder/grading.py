"""Grades one problem: its inputs to the sandbox, what comes back against the judge's values, a verdict in words."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import cases
import diagnose
import numpy as np
from compare import Mismatch, array_of, compare
from findings import PROBES, Probe
from judges import ANSWERS, Judge, blobs, digest
from problems import BY_KEY, Problem
from sandbox import Outcome, Sandbox
from submission import Submission

CHOICES = {"question_1": "abcd", "question_2": "abc", "question_3": "ab", "question_4": "ab", "question_5": "abcd"}


@dataclass
class Verdict:
    """The result of one problem.

    `status` is "passed", "failed", "error", "timeout", "not started", or "waiting" for one that fails while a
    problem that it builds on does; `waits_for` is then the key of the first of those.
    """

    problem: Problem
    status: str
    reason: str = ""
    waits_for: str = ""
    printed: str = ""
    seconds: float = 0.0
    mismatches: list[Mismatch] = field(default_factory=list)

    @property
    def score(self) -> int:
        return self.problem.points if self.status == "passed" else 0


@dataclass
class Finding:
    """A fault without points: what it is, how it showed, and why it will hurt."""

    title: str
    reason: str
    why: str


class Grading:
    """Grades the problems of one submission, in any order, and keeps their verdicts."""

    def __init__(
        self, sandbox: Sandbox, judge: Judge, submission: Submission, deadline: float, run_deadline: float
    ) -> None:
        self.submission = submission
        self.verdicts: dict[str, Verdict] = {}
        self._sandbox, self._judge = sandbox, judge
        self._deadline, self._run_deadline = deadline, run_deadline
        self._end = time.monotonic() + run_deadline
        self._outcomes: dict[str, tuple[Outcome, dict[str, np.ndarray]]] = {}

    def grade(self, problem: Problem) -> Verdict:
        """Return the verdict on a problem, and keep it."""
        deadline = min(self._deadline_of(problem), self._end - time.monotonic())
        if deadline <= 0:
            verdict = Verdict(problem, "timeout", f"not graded: the run's {self._run_deadline:g} s were used up")
        else:
            outcome, expected = self._run(problem.key, deadline)
            verdict = self._judged(problem, outcome, expected, deadline)
            verdict.printed, verdict.seconds = outcome.printed, outcome.seconds
        if verdict.status in ("failed", "error"):
            verdict.waits_for = self._first_failed(problem)
            if verdict.waits_for:
                verdict.status = "waiting"
        self.verdicts[problem.key] = verdict
        return verdict

    @property
    def not_enforced(self) -> list[str]:
        """The limits that the system can't enforce on the submission's process."""
        return self._sandbox.not_enforced

    def findings(self) -> list[Finding]:
        """Run the probes whose problems are passed, and return what they find."""
        found = []
        for probe in PROBES:
            ready = all(key in self.verdicts and self.verdicts[key].status == "passed" for key in probe.after)
            deadline = min(self._deadline, self._end - time.monotonic())
            if ready and deadline > 0:
                reason = self._probe(probe, deadline)
                if reason:
                    found.append(Finding(probe.title, reason, probe.why))
        return found

    def _run(self, key: str, deadline: float) -> tuple[Outcome, dict[str, np.ndarray]]:
        """Run a case once; a second probe of the same case reads the first one's outcome."""
        if key not in self._outcomes:
            inputs, expected = self._judge.case(key)
            self._outcomes[key] = self._sandbox.run(cases.CASES[key][0], blobs(inputs), deadline), expected
        return self._outcomes[key]

    def _deadline_of(self, problem: Problem) -> float:
        """A problem that builds on one that hung is likely to hang as well: it gets a fifth of the time."""
        hung = any(self.verdicts[key].status == "timeout" for key in self._builds_on(problem) if key in self.verdicts)
        return self._deadline / 5 if hung else self._deadline

    def _builds_on(self, problem: Problem) -> list[str]:
        """The keys of all problems that this one builds on, directly or not, in the writeup's order."""
        keys: set[str] = set()
        todo = list(problem.waits_for)
        while todo:
            key = todo.pop()
            if key not in keys:
                keys.add(key)
                todo += BY_KEY[key].waits_for
        return [key for key in BY_KEY if key in keys]

    def _first_failed(self, problem: Problem) -> str:
        keys = [key for key in self._builds_on(problem) if key in self.verdicts]
        return next((key for key in keys if self.verdicts[key].status != "passed"), "")

    def _judged(self, problem: Problem, outcome: Outcome, expected: dict[str, np.ndarray], deadline: float) -> Verdict:
        if diagnose.unstarted(outcome):
            return Verdict(problem, "not started", f"still to be written: section {problem.section} of the writeup")
        if outcome.ended == "raised":
            hung = self._sandbox.broken.get(outcome.raised["message"]) == "timeout"
            status = "timeout" if outcome.raised["type"] == "Broken" and hung else "error"
            return Verdict(problem, status, diagnose.exception(outcome, self.submission))
        if outcome.ended != "returned":
            status = "timeout" if outcome.ended == "timeout" else "error"
            return Verdict(problem, status, diagnose.ending(outcome, deadline))
        if problem.key == "multiple_choice":
            reason = _choices(outcome, expected)
            return Verdict(problem, "failed" if reason else "passed", reason)
        mismatches = compare_all(outcome, expected)
        if not mismatches:
            return Verdict(problem, "passed")
        return Verdict(problem, "failed", mismatches[0].sentence, mismatches=mismatches)

    def _probe(self, probe: Probe, deadline: float) -> str:
        """Return how a fault shows, or nothing if it doesn't."""
        outcome, expected = self._run(probe.key, deadline)
        if diagnose.unstarted(outcome):
            return ""
        if outcome.ended == "raised":
            return diagnose.exception(outcome, self.submission)
        if outcome.ended != "returned":
            return diagnose.ending(outcome, deadline)
        mismatches = compare_all(outcome, expected)
        sentences = [m.sentence for m in mismatches if not probe.only or m.quantity in probe.only or _ends(m, probe)]
        return sentences[0] if sentences else ""


def compare_all(outcome: Outcome, expected: dict[str, np.ndarray]) -> list[Mismatch]:
    """Every quantity that differs from its expected value, in the order in which the exercise returned them."""
    names = [name for name in outcome.types if name in expected]
    names += [name for name in expected if name not in outcome.types]
    found = []
    for name in names:
        blob = outcome.blobs.get(name)
        value = None if blob is None else array_of(blob)
        mismatch = compare(name, outcome.types.get(name, ""), value, expected[name])
        if mismatch:
            found.append(mismatch)
    return found


def _ends(mismatch: Mismatch, probe: Probe) -> bool:
    return any(mismatch.quantity.endswith(word) for word in probe.only)


def _choices(outcome: Outcome, expected: dict[str, np.ndarray]) -> str:
    """What is wrong with the answers to the multiple-choice questions, or nothing."""
    answers = {}
    for name in ANSWERS:
        kind, blob = outcome.types.get(name, ""), outcome.blobs.get(name)
        text = str(array_of(blob)) if blob is not None and kind == "str" else ""
        if len(text) != 1 or text not in CHOICES[name]:
            shown = f"{text[:20]!r}" if kind == "str" else f"a {kind}"
            return f"{name} returns {shown}, expected one lower-case letter of {', '.join(CHOICES[name])}"
        answers[name] = np.array(text)
    if digest(answers) != str(expected["digest"]):
        return "one or more of the five answers are wrong, and points come only for all five"
    return ""
