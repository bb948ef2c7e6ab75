"""Several mistakes at once: whether each is named, and whether what is behind another fault is shown to be.

A mistake is named where its hint is given, or where a sentence on the network names the method; one that another hides,
so that nothing of it can be seen, counts as it is.
"""

from __future__ import annotations

import random
import tempfile
from functools import cache
from typing import NamedTuple

from catalogue import BY_KEY, MISTAKES, Mistake, apply
from grading.grade import grade
from grading.run import Run
from grading.settings import ROOT, Settings
from homework.problems import TO_WRITE
from kit.starter_files import unwritten
from sandbox.submission import Submission, read
from sandbox.workplace import Workplace

COSTLY = sorted(mistake.key for mistake in MISTAKES if not mistake.finding)  # the keys of those that cost points
Keys = tuple[str, ...]


class Naming(NamedTuple):
    """What a report says of several mistakes: which it leaves unnamed, and what is behind a fault without proof."""

    keys: Keys
    unnamed: Keys
    false_behind: list[str]
    reasons: list[str]


def drawn(count: int, size: int, seed: int) -> list[Keys]:
    """So many groups of so many mistakes, each in bodies of its own."""
    source = random.Random(seed)
    groups: list[Keys] = []
    while len(groups) < count:
        keys = tuple(source.sample(COSTLY, size))
        bodies = [body for key in keys for body in BY_KEY[key].code]
        if len(bodies) == len(set(bodies)):
            groups.append(keys)
    return groups


def together(keys: Keys, files: dict[str, bytes]) -> dict[str, bytes]:
    """The files with all of these mistakes in them."""
    return apply(Mistake("", "", "", {body: code for key in keys for body, code in BY_KEY[key].code.items()}), files)


def graded(files: dict[str, bytes]) -> Run:
    with tempfile.TemporaryDirectory() as folder, Workplace() as workplace:
        Submission(files).lay_out(folder)
        return grade(Settings(folder), workplace)


@cache
def failing(key: str) -> frozenset[str]:
    """The problems that fail by a mistake alone."""
    run = graded(together((key,), read(ROOT).files))
    return frozenset(k for k, verdict in run.verdicts.items() if verdict.status != "passed")


def naming(keys: Keys) -> Naming:
    """Grade the solution with these mistakes, and look for each in the report."""
    run = graded(together(keys, read(ROOT).files))
    wrong = {k: verdict for k, verdict in run.verdicts.items() if verdict.status != "passed"}
    hints = {hint.text for verdict in wrong.values() for hint in verdict.hints}
    reasons = [f"{k}: {verdict.reason}" for k, verdict in wrong.items() if not verdict.behind]
    unnamed = [key for key in keys if not named(BY_KEY[key], hints, " ".join(reasons))]
    # Rightly behind a fault is what fails, as that fault does, by one of the mistakes alone.
    false_behind = [
        f"{k} behind {verdict.behind}"
        for k, verdict in wrong.items()
        if verdict.behind and not any({k, verdict.behind} <= failing(key) for key in keys)
    ]
    return Naming(keys, tuple(unnamed), false_behind, reasons)


def named(mistake: Mistake, hints: set[str], reasons: str) -> bool:
    """Whether a mistake's hint is given, its line is shown as raising, or its method of the network is named."""
    lines = {line.strip() for code in mistake.code.values() for line in code.splitlines()}
    shown = any(f"`{line}`: " in reasons for line in lines if line)
    method = any(f"{body} " in reasons for body in mistake.code if body.startswith(("MLP.", "Identity.")))
    return mistake.hint in hints or mistake.hint in reasons or shown or method


def unfinished(number: int) -> tuple[str, Naming]:
    """The starter, its bodies filled in the writeup's order up to one at random, with one mistake in what is there."""
    source = random.Random(number)
    bodies = list(TO_WRITE)
    while True:
        written = bodies[: source.randrange(6, len(bodies))]
        key = source.choice(COSTLY)
        names = {body.split(":")[1] for body in written}
        if names.issuperset(BY_KEY[key].code):
            break
    run = graded(apply(BY_KEY[key], unwritten(body for body in bodies if body not in written), names))
    wrong = {k: v for k, v in run.verdicts.items() if v.status not in ("passed", "not started")}
    hints = {hint.text for verdict in wrong.values() for hint in verdict.hints}
    reasons = [f"{k}: {v.reason}" for k, v in wrong.items() if not v.behind]
    seen = named(BY_KEY[key], hints, " ".join(reasons))
    hidden = not failing(key) & {k for k, v in run.verdicts.items() if v.status != "not started"}
    return written[-1], Naming((key,), () if seen or hidden else (key,), [], reasons)
