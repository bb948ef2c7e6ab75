"""A few numbers of what each mistake of the catalogue returns, by which the students' grader recognises it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from catalogue import MISTAKES, Mistake, apply
from diagnosis.recognise import Catalogue, Hint, Signature, columns, signature
from grading.causes import ALONE, STAGES, isolated, of_stage
from grading.experiments import ZERO_GRADS, Experiments
from grading.grade import opened
from grading.probing import findings
from grading.settings import ROOT, TRACES, Settings
from grading.verdicts import Grading
from homework import cases
from homework.problems import PROBLEMS
from references.archives import Arrays
from sandbox.process import GraderError
from sandbox.submission import Submission, read
from sandbox.workplace import Workplace


@contextmanager
def graded(mistake: Mistake, solution: dict[str, bytes]) -> Iterator[Grading]:
    """Grade the solution with the mistake in it, all problems."""
    with tempfile.TemporaryDirectory() as folder, Workplace() as workplace:
        Submission(apply(mistake, solution)).lay_out(folder)
        grading = opened(Settings(folder), workplace)
        for problem in PROBLEMS:
            grading.grade(problem)
        if grading.failure:
            raise GraderError(grading.failure)
        yield grading


def signatures(mistake: Mistake, solution: dict[str, bytes]) -> dict[str, Signature]:
    """The signatures of the problems that fail with this mistake, or of the probe that finds it.

    Of a network's problem, also those with right layers, and right other methods, in the place of the submission's; of
    batch norm, also those that the layer shows by itself.
    """
    with graded(mistake, solution) as grading:
        keys = [key for key, verdict in grading.verdicts.items() if verdict.status != "passed"]
        if not keys:
            findings(grading, Catalogue(""), grading.judge)
            keys = [mistake.finding] if mistake.finding in grading.results else []
        elif any(target.startswith("BatchNorm") for target in mistake.code):
            keys += [key for key in ALONE if grading.run(key, grading.deadline).wrong]
        results = {key: grading.results[key] for key in keys if key in grading.results}
        shown = {key: signature(result.outcome, result.mismatches) for key, result in results.items()}
        experiments = Experiments(grading, grading.judge, TRACES)
        for key in [key for key in results if experiments.possible(key)]:
            stages = STAGES[cases.CASES[key][0]]
            plain = experiments.run(key, frozenset())
            if plain and ZERO_GRADS in plain.deviations:
                shown[isolated(key, [ZERO_GRADS])] = of_stage(plain, ZERO_GRADS)
                experiments.given[key].add(ZERO_GRADS)
            for number, method in enumerate(stages):
                found = experiments.of_method(key, stages, number)
                if found:
                    shown[isolated(key, stages[:number])] = of_stage(found, method)
        return {key: traces for key, traces in shown.items() if traces}


def fingerprints() -> Arrays:
    """Return what data/hw1_mistakes.npz holds; print which mistakes nothing shows."""
    solution = read(ROOT).files
    found = [signatures(mistake, solution) for mistake in MISTAKES]
    for mistake, known in zip(MISTAKES, found):
        if not known:
            print(f"{mistake.key}: nothing shows it")
    return columns([Hint(m.hint, m.section, m.key) for m in MISTAKES], found)
