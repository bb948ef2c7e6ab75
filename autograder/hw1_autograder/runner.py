"""The autograder's command line: grade a submission, report, and exit with its verdict.

    python3 autograder/hw1_autograder/runner.py [--submission PATH]

Exit status: 0 for full points, 1 for fewer, 2 if nothing could be graded.
"""

from __future__ import annotations

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
if HERE not in sys.path:
    sys.path.insert(0, HERE)

from sandbox import ending  # noqa: E402

if __name__ == "__main__":
    ending.begin()  # before the imports, which take time

import argparse  # noqa: E402
import re  # noqa: E402
import traceback  # noqa: E402
from typing import TYPE_CHECKING  # noqa: E402

from grading.run import not_graded  # noqa: E402
from grading.settings import ROOT, RUN_DEADLINE, Settings  # noqa: E402
from grading.version import version  # noqa: E402
from homework.problems import MAX_TOTAL, PROBLEMS, selected  # noqa: E402
from report import checks, formats, watch  # noqa: E402
from sandbox.process import DEFAULT_DEADLINE, DEFAULT_MEMORY, ONE_THREAD, GraderError, need  # noqa: E402
from sandbox.submission import NoSubmission  # noqa: E402
from sandbox.workplace import Workplace  # noqa: E402

if TYPE_CHECKING:
    from grading.run import Run


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=f"Grade Homework 1 Part 1: {len(PROBLEMS)} problems, {MAX_TOTAL} points.",
        epilog="Exit status: 0 for full points, 1 for fewer, 2 if nothing could be graded.",
    )
    add = parser.add_argument
    add(
        "--submission",
        "--module-path",
        metavar="PATH",
        default=ROOT,
        help="a folder that holds hw1/ and mytorch/, or a handin.tar (default: the project that this file lies in)",
    )
    add("--format", choices=formats.FORMATS, help="of the report (default: table; autolab if AUTOLAB is 1)")
    add("--out", metavar="FILE", type=os.path.abspath, help="write json or gradescope there instead of standard output")
    add("--visibility", choices=formats.VISIBILITIES, help="to the students, of the tests on Gradescope")
    add("-k", metavar="WORD", nargs="+", default=[], help="grade only the problems whose name has these words")
    add("--deadline", metavar="S", type=_positive, default=DEFAULT_DEADLINE, help="seconds for a problem")
    add("--run-deadline", metavar="S", type=_positive, default=RUN_DEADLINE, help="seconds for the run")
    add("--memory", metavar="MIB", type=_positive, default=DEFAULT_MEMORY >> 20, help="for the submission")
    add("--against", metavar="SOLUTION", help="compare with this solution, on fresh inputs")
    add(
        "--seed",
        type=_seed,
        metavar="N",
        help="of the fresh inputs: a number, or `handin` for one that follows from the files (default: any)",
    )
    add("--training-stats", action="store_true", help="watch get_training_stats on a slice of MNIST, without points")
    add("--watch", action="store_true", help="grade again whenever a file of the submission is saved")
    add("-v", action="store_true", help="show every fault whole, and the exercise of the first as Python to run")
    add("--version", action="store_true", help="print the grader's version")
    options = parser.parse_args(argv)

    def given(*names: str) -> list[str]:
        return [name for name in names if getattr(options, name.lstrip("-").replace("-", "_"))]

    if options.training_stats:
        for option in given("--watch", "-v", "-k", "--against", "--format", "--out"):
            parser.error(f"{option} goes with grading, not with --training-stats")
    options.format = options.format or ("autolab" if os.environ.get("AUTOLAB") == "1" else "table")
    if options.seed is not None and not options.against:
        parser.error("--seed goes with --against: the prestored references have inputs of their own")
    if options.k and not selected(options.k):
        names = "\n  ".join(problem.name for problem in PROBLEMS)
        parser.error(f"-k {' '.join(options.k)}: no problem's name has these words; the names are\n  {names}")
    if options.out and options.format not in ("json", "gradescope"):
        parser.error("--out goes with --format json or gradescope")
    if options.visibility and options.format != "gradescope":
        parser.error("--visibility goes with --format gradescope")
    for option in given("--watch", "-v"):
        if options.format != "table":
            parser.error(f"{option} goes with the table, not with --format {options.format}")
    return options


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1e6:
        raise argparse.ArgumentTypeError(f"needs a number above zero, got {text!r}")
    return value


def _seed(text: str) -> int | str:
    if text == "handin" or re.fullmatch(r"\d{1,10}", text):
        return text if text == "handin" else int(text)
    raise argparse.ArgumentTypeError(f"needs a whole number or `handin`, got {text!r}")


def grade(settings: Settings) -> Run:
    with Workplace(settings.memory) as workplace:  # the submission's process starts while the rest is imported
        from grading.grade import grade

        return grade(settings, workplace)


def training_stats(settings: Settings) -> int:
    with Workplace(settings.memory) as workplace:
        from grading.training_stats import RUN, watch

        return checks.rules(watch(settings, workplace), RUN, sys.stdout)


def main(argv: list[str] | None = None) -> int:
    options = arguments(argv)
    if options.version:
        print(version())
        return 0
    settings = Settings(
        options.submission,
        tuple(options.k),
        options.against,
        options.seed,
        options.deadline,
        options.run_deadline,
        int(options.memory * (1 << 20)),
    )
    try:
        need("numpy", "pytest")
        if options.training_stats:
            return training_stats(settings)
        if options.watch:
            watch.watch(settings.submission, lambda: grade(settings), options.v)
        run = grade(settings)
        if run.failure:
            print(f"the grader failed, and the report is not whole: {run.failure}", file=sys.stderr)
    except Exception as error:
        reason = ending.one_line(error)
        if not isinstance(error, (NoSubmission, GraderError, ImportError, OSError)):
            traceback.print_exc()
            reason = f"the grader failed, with {type(error).__name__}"
        print(f"nothing could be graded: {reason}", file=sys.stderr)
        if options.format == "table" or (options.format == "autolab" and not isinstance(error, NoSubmission)):
            return 2  # without a scores line, Autolab keeps the scores that it has
        run = not_graded(settings.submission, reason)
    try:
        told = formats.publish(run, options.format, options.out, options.visibility, options.v)
    except BrokenPipeError:
        told = True  # who reads no more has read enough
    except OSError as error:
        print(f"the results can't be written: {ending.one_line(error)}", file=sys.stderr)
        return 2
    if options.format == "autolab":
        return 0
    return 2 if run.failure or not told else 0 if run.total == run.max_total else 1


if __name__ == "__main__":
    os.environ.update(ONE_THREAD)  # for NumPy, which is not imported yet
    sys.exit(ending.run(main))
