"""Grades one problem: its inputs to the sandbox, what comes back against the judge's values, a verdict in words."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import cases
import diagnose
import numpy as np
import recognise
from compare import Mismatch, array_of, article, compare
from findings import PROBES, Probe
from judges import ANSWERS, Judge, blobs, digest, perform
from problems import BY_KEY, MLP, Problem
from recognise import Catalogue, Hint, Signature
from sandbox import Outcome, Sandbox
from submission import Submission

MAY_BE_EMPTY = f"{MLP}.zero_grads"  # where backward overwrites the gradients, the points come without it
CHOICES = {"question_1": "abcd", "question_2": "abc", "question_3": "ab", "question_4": "ab", "question_5": "abcd"}


@dataclass
class Verdict:
    """The result of one problem.

    `status` is "passed", "failed", "error", "timeout", "not started", or "waiting" for one that fails while a
    problem that it builds on does; `waits_for` is then the key of the first of those. `behind` is the key of the
    problem that shows the same fault first, `details` a sentence on every wrong quantity.
    """

    problem: Problem
    status: str
    reason: str = ""
    waits_for: str = ""
    printed: str = ""
    seconds: float = 0.0
    details: list[str] = field(default_factory=list)
    hints: list[Hint] = field(default_factory=list)
    behind: str = ""

    @property
    def score(self) -> int:
        return self.problem.points if self.status == "passed" else 0


@dataclass
class Result:
    """What an exercise was given, what became of it, and what was expected."""

    outcome: Outcome
    inputs: dict[str, np.ndarray]
    expected: dict[str, np.ndarray]

    @cached_property
    def mismatches(self) -> list[Mismatch]:
        """The quantities that differ, if any were returned; the digest of answers is no quantity to compare."""
        if self.outcome.ended != "returned" or "digest" in self.expected:
            return []
        return compare_all(self.outcome, self.expected)

    @property
    def wrong(self) -> bool:
        """Whether the exercise raised, or anything that can be compared differs."""
        return self.outcome.ended == "raised" or bool(self.mismatches) or "NoneType" in self.outcome.types.values()


@dataclass
class Finding:
    """A fault without points: what it is, how it showed, and why it will hurt."""

    title: str
    reason: str
    why: str
    hints: list[Hint] = field(default_factory=list)


class Grading:
    """Grades the problems of one submission, in any order, and keeps their verdicts."""

    def __init__(
        self, sandbox: Sandbox, judge: Judge, submission: Submission, deadline: float, run_deadline: float
    ) -> None:
        self.submission = submission
        self.verdicts: dict[str, Verdict] = {}
        self._sandbox, self.judge = sandbox, judge
        self._deadline, self._run_deadline = deadline, run_deadline
        self._end = time.monotonic() + run_deadline
        self.results: dict[str, Result] = {}

    def grade(self, problem: Problem) -> Verdict:
        """Return the verdict on a problem, and keep it."""
        deadline = min(self._deadline_of(problem), self._end - time.monotonic())
        if deadline <= 0:
            verdict = Verdict(problem, "timeout", f"not graded: the run's {self._run_deadline:g} s were used up")
        else:
            result = self._run(problem.key, deadline)
            verdict = self._judged(problem, result, deadline)
            if verdict.status == "failed":
                verdict.details = [mismatch.sentence for mismatch in diagnose.in_order(result.mismatches)]
            verdict.printed, verdict.seconds = result.outcome.printed, result.outcome.seconds
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

    def explain(self, catalogue: Catalogue, references: Judge) -> None:
        """Name what the catalogue recognises, and put problems that fail for one reason behind the first of them."""
        wrong = {key: v for key, v in self.verdicts.items() if v.status in ("failed", "error", "waiting", "timeout")}
        passed = {key for key, verdict in self.verdicts.items() if verdict.status == "passed"}
        signatures = {key: self._signature(key, references) for key in wrong}
        for key, verdict in wrong.items():
            if verdict.behind:
                continue
            others = self._seen_through(key, list(wrong))
            mistakes = [
                mistake
                for mistake in catalogue.candidates(key, signatures[key], passed)
                if not others or any(catalogue.gives(mistake, other, signatures[other]) for other in others)
            ]
            whole = [m for m in mistakes if all(catalogue.gives(m, other, signatures[other]) for other in wrong)]
            verdict.hints = catalogue.named(whole or mistakes)
            for other, later in wrong.items():
                if other != key and not later.behind and self._same_fault(key, other, mistakes, catalogue, signatures):
                    later.behind = key
        for verdict in wrong.values():
            if verdict.status == "waiting" and not verdict.behind and not verdict.hints:
                unwritten = [k for k in self._builds_on(verdict.problem) if self._is(k, "not started")]
                verdict.behind = unwritten[0] if unwritten else ""

    def findings(self, catalogue: Catalogue, references: Judge) -> list[Finding]:
        """Run the probes whose problems are passed, and return what they find, one finding a case."""
        found: dict[str, Finding] = {}
        passed = {key for key, verdict in self.verdicts.items() if verdict.status == "passed"}
        for probe in PROBES:
            deadline = min(self._deadline, self._end - time.monotonic())
            explained = found.keys() & {probe.key, *probe.unless}
            if passed.issuperset(probe.after) and not explained and deadline > 0:
                reason = self._probe(probe, deadline)
                if reason:
                    mistakes = catalogue.candidates(probe.key, self._signature(probe.key, references), passed)
                    found[probe.key] = Finding(probe.title, reason, probe.why, catalogue.named(mistakes))
        return list(found.values())

    def _same_fault(
        self, key: str, other: str, mistakes: list[int], catalogue: Catalogue, signatures: dict[str, Signature]
    ) -> bool:
        """Whether a later problem fails for the reason for which the problem of that key does.

        It does if it raises at the same place, if the mistake recognised there gives its numbers as well, or if it
        builds on that problem and shows no known mistake of its own beside a known one.
        """
        raised, other_raised = (self.results[k].outcome.raised if k in self.results else {} for k in (key, other))
        if raised and _place(raised) == _place(other_raised):
            return True
        if mistakes and any(catalogue.gives(mistake, other, signatures[other]) for mistake in mistakes):
            return True
        if key not in self._builds_on(self.verdicts[other].problem):
            return False
        # A mistake seen through an unknown one is none to be named.
        unknown = not self.verdicts[key].hints
        return unknown or not catalogue.named(catalogue.candidates(other, signatures[other], set()))

    def _seen_through(self, key: str, wrong: list[str]) -> list[str]:
        """The wrong problems that build on that of the key and on no other wrong one: its mistake shows in one of them.

        Not in all, for they may have mistakes of their own; and how one raises depends on the rest of the code.
        """
        above = [other for other in wrong if key in self._builds_on(BY_KEY[other])]
        aside = set(wrong) - {key, *above}
        return [
            other
            for other in above
            if not aside & {*self._builds_on(BY_KEY[other])}
            and other in self.results
            and self.results[other].outcome.ended == "returned"
        ]

    def _signature(self, key: str, references: Judge) -> Signature:
        """The signature of a case on the prestored inputs, which are those that the catalogue knows."""
        result = self.results.get(key)
        if result is None:
            return {}
        if self.judge is not references:
            inputs, expected = references.case(key)
            deadline = min(self._deadline / 5, self._end - time.monotonic())
            if deadline <= 0 or result.outcome.ended not in ("returned", "raised"):
                return {}
            outcome = perform(self._sandbox, key, inputs, deadline)
            result = Result(outcome, inputs, expected)
        return recognise.signature(result.outcome, result.mismatches)

    def _run(self, key: str, deadline: float) -> Result:
        """Run a case once; a second probe of the same case reads the first one's result."""
        if key not in self.results:
            inputs, expected = self.judge.case(key)
            outcome = perform(self._sandbox, key, inputs, deadline)
            self.results[key] = Result(outcome, inputs, expected)
        return self.results[key]

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

    def _is(self, key: str, status: str) -> bool:
        return key in self.verdicts and self.verdicts[key].status == status

    def _first_failed(self, problem: Problem) -> str:
        keys = [key for key in self._builds_on(problem) if key in self.verdicts]
        return next((key for key in keys if self.verdicts[key].status != "passed"), "")

    def _judged(self, problem: Problem, result: Result, deadline: float) -> Verdict:
        outcome = result.outcome
        if diagnose.unstarted(outcome, self.submission):
            for body, state in self._bodies(problem).items():
                if state not in ("written", "empty", "missing"):
                    file, name = body.split(":")[:2]
                    owner, _, method = name.rpartition(".")
                    reason = (
                        f"{file}: {owner or 'the file'} has no {method}, but `{state}`: is that the one that is meant?"
                    )
                    return Verdict(problem, "error", reason)
            return Verdict(problem, "not started", _to_be_written(problem, outcome))
        if outcome.ended in ("raised", "returned") and result.wrong:
            empty = [body for body, state in self._bodies(problem).items() if state == "empty" and body != MAY_BE_EMPTY]
            if empty:
                places = " and ".join(body.replace(":", ", ") for body in empty)
                return Verdict(problem, "not started", f"still to be written: {places} does nothing yet")
        if outcome.ended == "raised":
            hung = self._sandbox.broken.get(outcome.raised["message"]) == "timeout"
            status = "timeout" if outcome.raised["type"] == "Broken" and hung else "error"
            return Verdict(problem, status, diagnose.exception(outcome, self.submission, result.inputs))
        if outcome.ended != "returned":
            status = "timeout" if outcome.ended == "timeout" else "error"
            return Verdict(problem, status, diagnose.ending(outcome, deadline))
        if problem.key == "multiple_choice":
            reason = _choices(outcome, result.expected)
        else:
            reason = self._evidence(problem.key, result)
        return Verdict(problem, "failed" if reason else "passed", reason)

    def _bodies(self, problem: Problem) -> dict[str, str]:
        """The state of what a problem asks to be written, as the submission's process sees it."""
        deadline = min(self._deadline / 5, self._end - time.monotonic())
        if not problem.bodies or deadline <= 0:
            return {}
        outcome = self._sandbox.run("state_of_bodies", blobs({"bodies": np.array(problem.bodies)}), deadline)
        states = {name: str(array_of(blob)) for name, blob in outcome.blobs.items() if name in problem.bodies}
        return {name: state for name, state in states.items() if state.isidentifier() and len(state) < 100}

    def _evidence(self, key: str, result: Result) -> str:
        """What is wrong with the values of a case, or nothing; where NaN came from, if the submission can be asked."""
        mismatches = result.mismatches
        if not mismatches:
            return ""
        wrong = {mismatch.quantity for mismatch in mismatches}
        right = [name for name in result.expected if name not in wrong]
        said = diagnose.evidence(mismatches, right, result.inputs, result.expected)
        deadline = min(self._deadline, self._end - time.monotonic())
        if any(mismatch.kind == "finite" for mismatch in mismatches) and deadline > 0:
            again = self._sandbox.run(cases.CASES[key][0], blobs(result.inputs), deadline, strict=True)
            if again.ended == "raised" and again.raised["type"] == "FloatingPointError" and again.raised["frames"]:
                said += f". It first goes wrong in {diagnose.exception(again, self.submission)}"
        return said

    def _probe(self, probe: Probe, deadline: float) -> str:
        """Return how a fault shows, or nothing if it doesn't."""
        result = self._run(probe.key, deadline)
        outcome = result.outcome
        if diagnose.unstarted(outcome, self.submission):
            return ""
        if outcome.ended == "raised":
            return diagnose.exception(outcome, self.submission)
        if outcome.ended != "returned":
            return diagnose.ending(outcome, deadline)
        mismatches = [m for m in result.mismatches if not probe.only or m.quantity.endswith(tuple(probe.only))]
        return mismatches[0].sentence.replace("warnings: ", "NumPy warns: ") if mismatches else ""


def _place(raised: dict[str, Any]) -> list[Any]:
    """What was raised where; the message, which may hold one exercise's sizes, counts only where there is no place."""
    if not raised:
        return []
    frames, driver = raised["frames"], raised.get("driver", [])
    if frames and frames[-1][2] in ("", "<module>"):
        frames = frames[-1:]  # a file that can't be imported, whoever asks for it
    return [raised["type"], frames, driver, "" if frames or driver else raised["message"]]


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


def _to_be_written(problem: Problem, outcome: Outcome) -> str:
    """What is still to be written, by the place that said so."""
    if not outcome.raised.get("frames"):
        return "still to be written" + (f": {outcome.raised['message']}" if outcome.raised.get("message") else "")
    file, number, function = outcome.raised["frames"][-1]
    said = f"still to be written: {file}, line {number}, in {function}"
    return f"{said}. {diagnose.NOT_IMPLEMENTED}" if outcome.raised["type"] == "TypeError" else said


def _choices(outcome: Outcome, expected: dict[str, np.ndarray]) -> str:
    """What is wrong with the answers to the multiple-choice questions, or nothing."""
    answers = {}
    for name in ANSWERS:
        kind, blob = outcome.types.get(name, ""), outcome.blobs.get(name)
        text = str(array_of(blob)) if blob is not None and kind == "str" else ""
        if len(text) != 1 or text not in CHOICES[name]:
            shown = f"{text[:20]!r}" if kind == "str" else article(kind)
            return f"{name} returns {shown}, expected one lower-case letter of {', '.join(CHOICES[name])}"
        answers[name] = np.array(text)
    if digest(answers) != str(expected["digest"]):
        return "one or more of the five answers are wrong, and points come only for all five"
    return ""
