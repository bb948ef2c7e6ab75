"""Several mistakes at once: whether each is named, and whether what stands behind another fault is shown to.

`python3 autograder/instructor/pairs.py` draws pairs and triples of the catalogue's mistakes, and unfinished work with
one of them in it, grades them and prints what was not named. A mistake is named where its hint is given, or where a
sentence on the network names the method; one that another hides, so that nothing of it can be seen, counts as it is.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "autograder" / folder) for folder in ("hw1_autograder", "instructor")]

from sandbox.process import require  # noqa: E402

require("numpy", "pytest")

import handout  # noqa: E402
from grading.grade import grade  # noqa: E402
from grading.run import Run  # noqa: E402
from grading.settings import Settings  # noqa: E402
from homework.problems import TO_WRITE  # noqa: E402
from mistakes import MISTAKES, Mistake, apply  # noqa: E402
from sandbox.submission import Submission, read  # noqa: E402
from sandbox.workplace import Workplace  # noqa: E402

BY_KEY = {mistake.key: mistake for mistake in MISTAKES if not mistake.finding}
Keys = tuple[str, ...]


class Told(NamedTuple):
    """What a report told of several mistakes: which it left unnamed, and what stands behind a fault without proof."""

    keys: Keys
    unnamed: Keys
    false_behind: list[str]
    reasons: list[str]


def drawn(count: int, size: int, seed: int) -> list[Keys]:
    """So many groups of so many mistakes, each in bodies of its own."""
    source = random.Random(seed)
    groups: list[Keys] = []
    while len(groups) < count:
        keys = tuple(source.sample(sorted(BY_KEY), size))
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
    run = graded(together((key,), read(str(ROOT)).files))
    return frozenset(k for k, verdict in run.verdicts.items() if verdict.status != "passed")


def told(keys: Keys) -> Told:
    """Grade the solution with these mistakes, and look for each in the report."""
    run = graded(together(keys, read(str(ROOT)).files))
    wrong = {k: verdict for k, verdict in run.verdicts.items() if verdict.status != "passed"}
    hints = {hint.text for verdict in wrong.values() for hint in verdict.hints}
    reasons = [f"{k}: {verdict.reason}" for k, verdict in wrong.items() if not verdict.behind]
    unnamed = [key for key in keys if not named(BY_KEY[key], hints, " ".join(reasons))]
    # Behind a fault stands rightly what fails, as that fault does, by one of the mistakes alone.
    false_behind = [
        f"{k} behind {verdict.behind}"
        for k, verdict in wrong.items()
        if verdict.behind and not any({k, verdict.behind} <= failing(key) for key in keys)
    ]
    return Told(keys, tuple(unnamed), false_behind, reasons)


def named(mistake: Mistake, hints: set[str], said: str) -> bool:
    """Whether a mistake's hint is given, its line is shown as raising, or its method of the network is named."""
    lines = {line.strip() for code in mistake.code.values() for line in code.splitlines()}
    shown = any(f"`{line}`: " in said for line in lines if line)
    method = any(f"{body} " in said for body in mistake.code if body.startswith(("MLP.", "Identity.")))
    return mistake.hint in hints or mistake.hint in said or shown or method


def unfinished(number: int) -> tuple[str, Told]:
    """The starter, its bodies filled in the writeup's order up to one at random, with one mistake in what is there."""
    source = random.Random(number)
    bodies = list(TO_WRITE)
    while True:
        written = bodies[: source.randrange(6, len(bodies))]
        key = source.choice(sorted(BY_KEY))
        names = {body.split(":")[1] for body in written}
        if names.issuperset(BY_KEY[key].code):
            break
    starter = handout.starter([body for body in bodies if body not in written])
    files = {name: data for name, data in starter.items() if name.startswith(("hw1/", "mytorch/"))}
    run = graded(apply(BY_KEY[key], files, names))
    wrong = {k: v for k, v in run.verdicts.items() if v.status not in ("passed", "not started")}
    hints = {hint.text for verdict in wrong.values() for hint in verdict.hints}
    reasons = [f"{k}: {v.reason}" for k, v in wrong.items() if not v.behind]
    seen = named(BY_KEY[key], hints, " ".join(reasons))
    hidden = not failing(key) & {k for k, v in run.verdicts.items() if v.status != "not started"}
    return written[-1], Told((key,), () if seen or hidden else (key,), [], reasons)


def main() -> int:
    parser = argparse.ArgumentParser(description="Grade several mistakes at once, and print what was not named.")
    parser.add_argument("--pairs", type=int, default=400)
    parser.add_argument("--triples", type=int, default=100)
    parser.add_argument("--unfinished", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for size, count in ((2, options.pairs), (3, options.triples)):
            show(f"of {size} mistakes", pool.map(told, drawn(count, size, options.seed), chunksize=5))
        states = pool.map(unfinished, range(options.seed, options.seed + options.unfinished), chunksize=5)
        show("unfinished", (one for _, one in states))
    return 0


def show(title: str, results: Iterable[Told]) -> None:
    every = list(results)
    named = sum(not one.unnamed for one in every)
    false = [line for one in every for line in one.false_behind]
    print(f"{title}: {named} of {len(every)} wholly named; {len(false)} wrongly behind another")
    for one in every:
        if one.unnamed or one.false_behind:
            print(f"  {', '.join(one.keys)}: unnamed {', '.join(one.unnamed) or 'none'} {'; '.join(one.false_behind)}")
            for reason in one.reasons:
                print(f"      {reason[:200]}")


if __name__ == "__main__":
    sys.exit(main())
