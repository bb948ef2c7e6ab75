"""Grades one problem: its inputs to the sandbox, what comes back against the judge's values, a verdict in words."""

from __future__ import annotations

import time
import traceback
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from diagnosis import exceptions, names, values
from diagnosis.compare import Mismatch, article, compare_all, output_wrong, text_of
from grading.judges import ANSWERS, Arrays, Judge, blobs, digest, perform
from grading.run import Verdict
from homework import cases
from homework.problems import BY_KEY, MLP, Problem, builds_on
from sandbox.answers import Outcome
from sandbox.ending import one_line
from sandbox.layers import BY_CLASS, LAYERS, NETWORK, Quantity, quantity
from sandbox.process import GraderError, Sandbox
from sandbox.submission import Submission

MAY_BE_EMPTY = f"{MLP}.zero_grads"  # where backward overwrites the gradients, the points come without it
CHOICES = {"question_1": "abcd", "question_2": "abc", "question_3": "ab", "question_4": "ab", "question_5": "abcd"}


@dataclass
class Result:
    """What the exercise of a case was given, what became of it, and what was expected; names that were set for it."""

    key: str
    outcome: Outcome
    inputs: Arrays
    expected: Arrays
    replaced: Collection[str] = ()

    @property
    def asked(self) -> str:
        """The class that the exercise asks: the network's, or that of the one layer."""
        return asked(self.key, self.inputs)

    @cached_property
    def mismatches(self) -> list[Mismatch]:
        """The quantities that differ, if any were returned; the digest of answers is no quantity to compare."""
        if self.outcome.ended != "returned" or "digest" in self.expected:
            return []
        return compare_all(self.outcome, self.expected, self.asked)

    @property
    def correct(self) -> list[Quantity]:
        """The quantities that were returned, and are correct as far as they are compared."""
        wrong = {mismatch.quantity for mismatch in self.mismatches}
        returned = [name for name in self.expected if name in self.outcome.types and name not in self.replaced]
        quantities = [quantity(name, self.asked) for name in returned]
        return [q for q in quantities if q not in wrong and (output_wrong(self.mismatches) or not q.kept)]

    @property
    def wrong(self) -> bool:
        """Whether the exercise raised, or anything that can be compared differs."""
        return self.outcome.ended == "raised" or bool(self.mismatches) or "NoneType" in self.outcome.types.values()


def asked(key: str, inputs: Arrays) -> str:
    """The class that a case's exercise asks: the network's, or that of a layer, whose module the exercise names."""
    problem, words = BY_KEY.get(key), cases.CASES[key][0].split("_")
    if "activations" in inputs:
        return NETWORK
    if "name" in inputs:
        return str(inputs["name"])
    classes = [function.partition(".")[0] for function in problem.functions] if problem else []
    classes += [layer.class_name for layer in LAYERS if layer.module in words]
    return next((name for name in classes if name in BY_CLASS), NETWORK)


class Grading:
    """Grades the problems of one submission, in any order, and keeps their verdicts."""

    def __init__(
        self, sandbox: Sandbox, judge: Judge, submission: Submission, deadline: float, run_deadline: float
    ) -> None:
        self.submission = submission
        self.verdicts: dict[str, Verdict] = {}
        self._sandbox, self.judge = sandbox, judge
        self.deadline, self._run_deadline = deadline, run_deadline
        self._end = time.monotonic() + run_deadline
        self.results: dict[str, Result] = {}
        self.failure = ""  # what went wrong in the grader itself, first

    def grade(self, problem: Problem) -> Verdict:
        """Return the verdict on a problem, and keep it; where the grader fails, that is the verdict."""
        try:
            with np.errstate(all="ignore"):  # wrong numbers may be of any size
                verdict = self._grade(problem)
        except Exception as error:
            why = one_line(error)
            if not isinstance(error, (GraderError, OSError)):
                traceback.print_exc()
                why = f"the grader failed here, with {type(error).__name__}"
            self.failure = self.failure or why
            verdict = Verdict(problem, "error", f"not graded: {why}")
        self.verdicts[problem.key] = verdict
        return verdict

    def _grade(self, problem: Problem) -> Verdict:
        deadline = self.time_for(self._deadline_of(problem))
        if deadline <= 0:
            verdict = Verdict(problem, "timeout", f"not graded: the run's {self._run_deadline:g} s were used up")
        else:
            result = self.run(problem.key, deadline)
            verdict = self._judged(problem, result, deadline)
            if verdict.status == "failed":
                wrong = values.in_order(result.mismatches)
                verdict.details = [mismatch.sentence for mismatch in wrong]
                verdict.entry = values.entry(wrong[0]) if wrong else ""
            verdict.printed, verdict.seconds = result.outcome.printed, result.outcome.seconds
        if verdict.status in ("failed", "error"):
            verdict.waits_for = self._first_failed(problem)
            if verdict.waits_for:
                verdict.status = "waiting"
        return verdict

    @property
    def not_enforced(self) -> list[str]:
        """The limits that the system can't enforce on the submission's process."""
        return self._sandbox.not_enforced

    def time_for(self, deadline: float) -> float:
        """The seconds left for an exercise of that deadline; none, or less, where the run's are used up."""
        return min(deadline, self._end - time.monotonic())

    def perform(self, key: str, inputs: Arrays, deadline: float) -> Outcome:
        """Run the exercise of a case on other inputs than the judge's."""
        return perform(self._sandbox, key, inputs, deadline)

    def exercise(self, name: str, inputs: Arrays, deadline: float) -> Outcome:
        """Run an exercise that is no case of its own."""
        return self._sandbox.run(name, blobs(inputs), deadline)

    def renew(self) -> None:
        """Have the next exercise find a fresh process."""
        self._sandbox.close()

    def run(self, key: str, deadline: float) -> Result:
        """Run a case once; a second probe of the same case reads the first one's result."""
        if key not in self.results:
            inputs, expected = self.judge.case(key)
            outcome = perform(self._sandbox, key, inputs, deadline)
            self.results[key] = Result(key, outcome, inputs, expected)
        return self.results[key]

    def _deadline_of(self, problem: Problem) -> float:
        """A problem that builds on one that hung is likely to hang as well: it gets a fifth of the time."""
        hung = any(self.verdicts[key].status == "timeout" for key in builds_on(problem) if key in self.verdicts)
        return self.deadline / 5 if hung else self.deadline

    def _first_failed(self, problem: Problem) -> str:
        keys = [key for key in builds_on(problem) if key in self.verdicts]
        return next((key for key in keys if self.verdicts[key].status != "passed"), "")

    def _judged(self, problem: Problem, result: Result, deadline: float) -> Verdict:
        outcome = result.outcome
        if exceptions.unstarted(outcome, self.submission):
            misnamed = self._misnamed(problem)
            if misnamed:
                return Verdict(problem, "error", misnamed)
            return Verdict(problem, "not started", _to_be_written(problem, outcome))
        if outcome.ended in ("raised", "returned") and result.wrong and not exceptions.while_built(outcome):
            asks = BY_KEY[problem.waits_for[0]] if outcome.raised.type == "NotBuilt" and not problem.bodies else problem
            empty = [body for body, state in self._bodies(asks).items() if state == "empty" and body != MAY_BE_EMPTY]
            if empty:
                places = " and ".join(body.replace(":", ", ") for body in empty)
                return Verdict(problem, "not started", f"still to be written: {places} does nothing yet")
        if outcome.ended == "raised":
            hung = self._sandbox.broken.get(outcome.raised.message) == "timeout"
            status = "timeout" if outcome.raised.type == "Broken" and hung else "error"
            return Verdict(problem, status, exceptions.exception(outcome, self.submission, result.inputs))
        if outcome.ended != "returned":
            status = "timeout" if outcome.ended == "timeout" else "error"
            return Verdict(problem, status, exceptions.ending(outcome, deadline))
        if problem.key == "multiple_choice":
            reason = _choices(outcome, result.expected)
        else:
            reason = self._wrong_values(result)
        return Verdict(problem, "failed" if reason else "passed", reason)

    def _misnamed(self, problem: Problem) -> str:
        """A body of the problem that stands in its class under another name, or nothing."""
        for body, state in self._bodies(problem).items():
            if state not in ("written", "empty", "missing"):
                file, name = body.split(":")[:2]
                owner, _, method = name.rpartition(".")
                return f"{file}: {owner or 'the file'} has no {method}. Did you mean `{state}`?"
        return ""

    def _bodies(self, problem: Problem) -> dict[str, str]:
        """The state of what a problem asks to be written, as the submission's process sees it."""
        deadline = self.time_for(self.deadline / 5)
        if not problem.bodies or deadline <= 0:
            return {}
        outcome = self._sandbox.run("state_of_bodies", blobs({"bodies": np.array(problem.bodies)}), deadline)
        states = {name: text_of(blob) for name, blob in outcome.blobs.items() if name in problem.bodies}
        return {name: state for name, state in states.items() if state.isidentifier() and len(state) < 100}

    def _wrong_values(self, result: Result) -> str:
        """What is wrong with the values of a case, or nothing; where NaN came from, if the submission can be asked."""
        if not result.mismatches:
            return ""
        text = observed(result, result.mismatches, self.submission)
        deadline = self.time_for(self.deadline)
        if values.in_order(result.mismatches)[0].kind == "finite" and deadline > 0:
            again = self._sandbox.run(cases.CASES[result.key][0], blobs(result.inputs), deadline, strict=True)
            if again.ended == "raised" and again.raised.type == "FloatingPointError" and again.raised.frames:
                text += f". It first goes wrong in {exceptions.exception(again, self.submission)}"
        return text


def observed(result: Result, mismatches: list[Mismatch], submission: Submission) -> str:
    """What these wrong values of a case show; for None, why nothing came."""
    text = values.evidence(mismatches, result.correct, result.inputs, result.expected)
    lead = values.in_order(mismatches)[0]
    why = names.unset(lead.quantity, submission) if lead.type == "NoneType" else ""
    why = why or names.misspelled(lead.quantity, submission)
    if lead.type in names.PLACEHOLDERS:
        why = names.still_a_placeholder(lead.quantity, lead.type, submission)
    return f"{text}; {why}" if why else text


def _to_be_written(problem: Problem, outcome: Outcome) -> str:
    """What is still to be written, by the place that said so."""
    if not outcome.raised.frames:
        return "still to be written" + (f": {outcome.raised.message}" if outcome.raised.message else "")
    file, number, function = outcome.raised.frames[-1]
    text = f"still to be written: {file}, line {number}, in {function}"
    return f"{text}. {exceptions.NOT_IMPLEMENTED}" if outcome.raised.type == "TypeError" else text


def _choices(outcome: Outcome, expected: Arrays) -> str:
    """What is wrong with the answers to the multiple-choice questions, or nothing."""
    answers = {}
    for name in ANSWERS:
        kind, blob = outcome.types.get(name, ""), outcome.blobs.get(name)
        text = text_of(blob) if blob is not None and kind == "str" else ""
        if len(text) != 1 or text not in CHOICES[name]:
            shown = f"{text[:20]!r}" if kind == "str" else article(kind)
            return f"{name} returns {shown}, expected one lower-case letter of {', '.join(CHOICES[name])}"
        answers[name] = np.array(text)
    if digest(answers) != str(expected["digest"]):
        return "one or more of the five answers are wrong, and points come only for all five"
    return ""
