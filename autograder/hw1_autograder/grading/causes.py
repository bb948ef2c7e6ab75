"""What fails because of what: known mistakes by their numbers, and each fault once, with what stands behind it."""

from __future__ import annotations

from typing import Any

from diagnosis import recognise
from diagnosis.recognise import Catalogue, Signature
from grading.judges import Judge
from grading.run import Verdict
from grading.verdicts import Grading, Result
from homework.findings import ALONE
from homework.problems import BY_KEY, builds_on


def signature(grading: Grading, key: str, references: Judge) -> Signature:
    """The signature of a case on the prestored inputs, which are those that the catalogue knows."""
    result = grading.results.get(key)
    if result is None:
        return {}
    if grading.judge is not references:
        inputs, expected = references.case(key)
        deadline = grading.time_for(grading.deadline / 5)
        if deadline <= 0 or result.outcome.ended not in ("returned", "raised"):
            return {}
        result = Result(grading.perform(key, inputs, deadline), inputs, expected)
    return recognise.signature(result.outcome, result.mismatches)


def alone(grading: Grading, references: Judge) -> dict[str, Signature]:
    """The signatures of the layers asked by themselves, as far as they gave values: empty for one that is right."""
    found = {}
    for key in ALONE:
        deadline = grading.time_for(grading.deadline / 5)
        if deadline > 0 and grading.run(key, deadline).outcome.ended == "returned":
            found[key] = signature(grading, key, references)
    return found


class Causes:
    """Explains the verdicts of a grading: names what the catalogue recognises, and groups what has one reason."""

    def __init__(self, grading: Grading, catalogue: Catalogue, references: Judge) -> None:
        verdicts = grading.verdicts
        self.results, self.catalogue = grading.results, catalogue
        self.passed = {key for key, verdict in verdicts.items() if verdict.status == "passed"}
        self.unwritten = {key for key, verdict in verdicts.items() if verdict.status == "not started"}
        self.wrong: dict[str, Verdict] = {
            key: verdict for key, verdict in verdicts.items() if key not in self.passed | self.unwritten
        }
        self.signatures = {key: signature(grading, key, references) for key in self.wrong}
        self.alone = alone(grading, references) if self.wrong else {}
        self.right = self.passed | {key for key, found in self.alone.items() if not found}

    def explain(self) -> None:
        """Give the verdicts their hints, and put problems that fail for one reason behind the first of them."""
        for key, verdict in self.wrong.items():
            if verdict.behind:
                continue
            others = self._seen_through(key)
            mistakes = [
                mistake
                for mistake in self._candidates(key)
                if not others or any(self._gives(mistake, other) for other in others)
            ]
            whole = [mistake for mistake in mistakes if all(self._gives(mistake, other) for other in self.wrong)]
            verdict.hints = self.catalogue.named(whole or mistakes)
            if key.startswith("batchnorm") and self.alone.get("batchnorm_alone") and not verdict.hints:
                verdict.hints = self.catalogue.named(self._candidates("batchnorm_alone"))
            for other, later in self.wrong.items():
                if other != key and not later.behind and self._same_fault(key, other, mistakes):
                    later.behind = key
        for verdict in self.wrong.values():
            if verdict.status == "waiting" and not verdict.behind and not verdict.hints:
                verdict.behind = next((key for key in builds_on(verdict.problem) if key in self.unwritten), "")

    def _candidates(self, key: str) -> list[int]:
        """The mistakes whose numbers an exercise gave; an exception has a reason of its own, and no numbers."""
        found = self.signatures.get(key) or self.alone.get(key, {})
        against = self.right | self.unwritten
        return [] if "raised" in found else self.catalogue.candidates(key, found, against, self.alone)

    def _gives(self, mistake: int, key: str) -> bool:
        return self.catalogue.gives(mistake, key, self.signatures[key])

    def _same_fault(self, key: str, other: str, mistakes: list[int]) -> bool:
        """Whether a later problem fails for the reason for which the problem of that key does.

        It does if it raises at the same place, if the mistake recognised there gives its numbers as well, or if it
        builds on that problem and shows no known mistake of its own beside a known one.
        """
        raised, other_raised = (self.results[k].outcome.raised if k in self.results else {} for k in (key, other))
        if raised and _place(raised) == _place(other_raised):
            return True
        if mistakes and any(self._gives(mistake, other) for mistake in mistakes):
            return True
        if key not in builds_on(self.wrong[other].problem):
            return False
        # A mistake seen through an unknown one is none to be named.
        unknown = not self.wrong[key].hints
        return unknown or not self.catalogue.named(self.catalogue.candidates(other, self.signatures[other], set()))

    def _seen_through(self, key: str) -> list[str]:
        """The wrong problems that build on that of the key and on no other wrong one: its mistake shows in one of them.

        Not in all, for they may have mistakes of their own; and how one raises depends on the rest of the code.
        """
        above = [other for other in self.wrong if key in builds_on(BY_KEY[other])]
        aside = self.wrong.keys() - {key, *above}
        return [
            other
            for other in above
            if not aside & {*builds_on(BY_KEY[other])}
            and other in self.results
            and self.results[other].outcome.ended == "returned"
        ]


def _place(raised: dict[str, Any]) -> list[Any]:
    """What was raised where; the message, which may hold one exercise's sizes, counts only where there is no place."""
    if not raised:
        return []
    frames, driver = raised["frames"], raised.get("driver", [])
    if frames and frames[-1][2] in ("", "<module>"):
        frames = frames[-1:]  # a file that can't be imported, whoever asks for it
    return [raised["type"], frames, driver, "" if frames or driver else raised["message"]]
