"""Makes data/hw1_mistakes.npz: a few numbers of what each mistake of the catalogue returns, and its hint.

Run it after a change of the catalogue, the inputs or the references: `python3 autograder/instructor/fingerprints.py`.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
for folder in ("autograder/hw1_autograder", "autograder/instructor"):
    sys.path.insert(0, str(ROOT / folder))

from sandbox.process import require  # noqa: E402

require("numpy", "pytest")

import archives  # noqa: E402
from diagnosis.recognise import Catalogue, Hint, Signature, columns, signature  # noqa: E402
from grading.causes import ALONE, STAGES, isolated, of_stage  # noqa: E402
from grading.experiments import ZERO_GRADS, Experiments  # noqa: E402
from grading.grade import opened  # noqa: E402
from grading.probing import findings  # noqa: E402
from grading.settings import MISTAKES as STORED  # noqa: E402
from grading.settings import TRACES, Settings  # noqa: E402
from grading.verdicts import Grading  # noqa: E402
from homework import cases  # noqa: E402
from homework.problems import PROBLEMS  # noqa: E402
from mistakes import MISTAKES, Mistake, apply  # noqa: E402
from sandbox.process import GraderError  # noqa: E402
from sandbox.submission import Submission, read  # noqa: E402
from sandbox.workplace import Workplace  # noqa: E402


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


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the numbers by which the autograder recognises mistakes.")
    parser.add_argument("--out", type=Path, default=Path(STORED))
    out = parser.parse_args().out
    solution = read(str(ROOT)).files
    found = [signatures(mistake, solution) for mistake in MISTAKES]
    for mistake, known in zip(MISTAKES, found):
        if not any(known.values()):
            print(f"{mistake.key}: nothing shows it")
    print(archives.write(out, columns([Hint(m.hint, m.section, m.key) for m in MISTAKES], found)))


if __name__ == "__main__":
    main()
