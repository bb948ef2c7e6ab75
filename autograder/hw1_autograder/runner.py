"""The autograder's command line: grade a submission with pytest, report, and exit with its verdict.

    python3 autograder/hw1_autograder/runner.py [--submission PATH]

Exit status: 0 for full points, 1 for fewer, 2 if nothing could be graded.
"""

from __future__ import annotations

import argparse
import importlib.util
import io
import json
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
if HERE not in sys.path:
    sys.path.insert(0, HERE)

from sandbox import DEFAULT_DEADLINE, DEFAULT_MEMORY, GraderError, Sandbox  # noqa: E402

if TYPE_CHECKING:
    from grading import Grading
    from judges import Judge
    from problems import Problem
    from submission import Submission

REFERENCE = os.path.join(ROOT, "data", "hw1_reference.npz")
MISTAKES = os.path.join(ROOT, "data", "hw1_mistakes.npz")
RUN_DEADLINE = 120.0  # seconds; the course's server ends a job after 180
# Of pytest's own plugins, those that a run without reports, fixtures and debugging has no use for: they take time.
UNUSED = (
    "cacheprovider",
    "debugging",
    "doctest",
    "faulthandler",
    "freeze_support",
    "junitxml",
    "legacypath",
    "logging",
    "monkeypatch",
    "pastebin",
    "recwarn",
    "setuponly",
    "setupplan",
    "stepwise",
    "terminal",
    "threadexception",
    "tmpdir",
    "unittest",
    "unraisableexception",
    "warnings",
)
FORMATS = ("table", "json", "autolab", "gradescope")


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Grade Homework 1 Part 1: 25 problems, 95 points.",
        epilog="Exit status: 0 for full points, 1 for fewer, 2 if nothing could be graded.",
    )
    parser.add_argument(
        "--submission",
        "--module-path",
        metavar="PATH",
        default=ROOT,
        help="a folder that holds hw1/ and mytorch/, or a handin.tar (default: the project that this file lies in)",
    )
    parser.add_argument("--format", choices=FORMATS, default="autolab" if os.environ.get("AUTOLAB") == "1" else "table")
    parser.add_argument("--out", metavar="FILE", help="write json or gradescope there instead of standard output")
    parser.add_argument(
        "-k", metavar="WORD", nargs="+", default=[], help="grade only the problems whose name has these words"
    )
    parser.add_argument(
        "--deadline", metavar="S", type=_positive, default=DEFAULT_DEADLINE, help="seconds for a problem"
    )
    parser.add_argument("--run-deadline", metavar="S", type=_positive, default=RUN_DEADLINE, help="seconds for the run")
    parser.add_argument(
        "--memory", metavar="MIB", type=_positive, default=DEFAULT_MEMORY >> 20, help="for the submission"
    )
    parser.add_argument("--against", metavar="SOLUTION", help="compare with this solution, on fresh inputs")
    parser.add_argument(
        "--seed",
        type=_seed,
        metavar="N",
        help="of the fresh inputs: a number, or `handin` for one that follows from the files (default: any)",
    )
    parser.add_argument(
        "--fallback",
        action="store_true",
        help="with --against: if the solution can't run, use the prestored references",
    )
    parser.add_argument(
        "--training-stats", action="store_true", help="watch get_training_stats on a slice of MNIST, without points"
    )
    parser.add_argument("--contract", metavar="PATH", help="check the mytorch there against what later homeworks need")
    parser.add_argument("--watch", action="store_true", help="grade again whenever a file of the submission is saved")
    parser.add_argument(
        "-v", dest="verbose", action="store_true", help="show all of the first fault, and its exercise as Python to run"
    )
    options = parser.parse_args(argv)
    if (options.seed is not None or options.fallback) and not options.against:
        parser.error("--seed and --fallback go with --against: the prestored references have inputs of their own")
    if options.k and not selected(options.k):
        parser.error(f"-k {' '.join(options.k)}: no problem's name has these words")
    if options.out and options.format not in ("json", "gradescope"):
        parser.error("--out goes with --format json or gradescope")
    if options.watch and options.format != "table":
        parser.error("--watch goes with the table, not with another --format")
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


def selected(words: list[str]) -> list[Problem]:
    """The problems whose name has all these words, or words that begin so."""
    from problems import PROBLEMS

    def has(name: str, word: str) -> bool:
        return any(part.startswith(word) for part in re.split(r"[\s()]+", name.lower()))

    sought = " ".join(words).lower().split()
    return [problem for problem in PROBLEMS if all(has(problem.name, word) for word in sought)]


class Workplace:
    """Sandboxes on temporary copies of submissions, all of it gone at the end."""

    def __init__(self, memory: int) -> None:
        self._memory = memory
        self._folder = tempfile.mkdtemp(prefix="mytorch-")
        self._sandboxes = [Sandbox(memory)]  # started before anything else is imported

    def first(self) -> Sandbox:
        return self._sandboxes[0]

    def another(self) -> Sandbox:
        self._sandboxes.append(Sandbox(self._memory))
        return self._sandboxes[-1]

    def lay_out(self, sandbox: Sandbox, submission: Any) -> None:
        """Write the submission's files to a folder of the sandbox's own."""
        root = os.path.join(self._folder, str(self._sandboxes.index(sandbox)), "submission")
        work = os.path.join(os.path.dirname(root), "work")
        submission.lay_out(root)
        os.makedirs(work)
        sandbox.open(root, work)

    def close(self) -> None:
        for sandbox in self._sandboxes:
            sandbox.close()
        shutil.rmtree(self._folder, ignore_errors=True)


@contextmanager
def laid_out(
    options: argparse.Namespace, files: Submission | None = None
) -> Iterator[tuple[Workplace, Sandbox, Submission]]:
    """Lay these files, or the submission's, out for a sandbox; raise NoSubmission or GraderError if that can't be."""
    workplace = Workplace(int(options.memory * (1 << 20)))
    try:
        import submission

        files = files or submission.read(options.submission)
        sandbox = workplace.first()
        workplace.lay_out(sandbox, files)
        yield workplace, sandbox, files
    finally:
        workplace.close()


@contextmanager
def opened(options: argparse.Namespace) -> Iterator[Grading]:
    """Open the grading that the options ask for; raise NoSubmission or GraderError if there can be none."""
    with laid_out(options) as (workplace, sandbox, files):
        from grading import Grading

        yield Grading(sandbox, judge_of(options, workplace, files), files, options.deadline, options.run_deadline)


def judge_of(options: argparse.Namespace, workplace: Workplace, files: Submission) -> Judge:
    """The judge that the options ask for: the prestored references, or a solution on fresh inputs."""
    import submission
    from judges import Fallback, Prestored, Solution

    if not options.against:
        return Prestored(REFERENCE)

    def solution() -> Judge:
        try:
            right = submission.read(options.against)
        except submission.NoSubmission as error:
            raise GraderError(f"the solution can't be read: {error}") from error
        seed = int.from_bytes(os.urandom(4), "little") if options.seed is None else options.seed
        if seed == "handin":
            seed = submission.seed(files, right)
        sandbox = workplace.another()
        workplace.lay_out(sandbox, right)
        return Solution(sandbox, seed, options.deadline)

    if not options.fallback:
        return solution()
    return Fallback(solution, Prestored(REFERENCE), files.remarks)


class Plugin:
    """Hands the grading to the pytest run, keeps to the problems asked for, and notes a fault of the grader."""

    def __init__(self, grading: Grading, words: list[str]) -> None:
        self.grading = grading
        self.names = {problem.name for problem in selected(words)}
        self.failure: GraderError | None = None

    def pytest_configure(self, config: Any) -> None:
        config.mytorch_grading = self.grading

    def pytest_runtest_makereport(self, call: Any) -> None:
        import pytest

        if call.excinfo and not isinstance(call.excinfo.value, (pytest.fail.Exception, KeyboardInterrupt)):
            error = call.excinfo.value
            failure = error if isinstance(error, GraderError) else GraderError(f"{type(error).__name__}: {error}")
            self.failure = self.failure or failure

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        items[:] = [item for item in items if item.callspec.params["problem"].name in self.names]


def grade(options: argparse.Namespace) -> Any:
    """Grade, and return the run for the report."""
    start = time.monotonic()
    with opened(options) as grading:
        import pytest

        os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        os.environ.pop("PYTEST_ADDOPTS", None)
        sys.modules.setdefault("runner", sys.modules[__name__])
        switches = ["-s", "--assert=plain", *(f"-pno:{name}" for name in UNUSED)]
        place = ["-c", os.devnull, "--rootdir", HERE, os.path.join(HERE, "tests", "test_problems.py")]
        plugin = Plugin(grading, options.k)
        if pytest.main([*switches, *place], plugins=[plugin]) == pytest.ExitCode.INTERRUPTED:
            raise KeyboardInterrupt
        if plugin.failure:
            raise plugin.failure
        if plugin.names - {verdict.problem.name for verdict in grading.verdicts.values()}:
            raise GraderError("pytest did not run every problem")
        import report
        from judges import Prestored
        from recognise import Catalogue

        references = grading.judge if isinstance(grading.judge, Prestored) else Prestored(REFERENCE)
        catalogue = Catalogue(MISTAKES)
        grading.explain(catalogue, references)
        found = [] if options.k else grading.findings(catalogue, references)
        remarks = [*grading.submission.remarks, *(f"missing: {name}" for name in grading.submission.missing)]
        remarks += [f"this system can't enforce a limit on {name}" for name in grading.not_enforced]
        return report.Run(options.submission, grading.verdicts, found, remarks, time.monotonic() - start)


def watched(options: argparse.Namespace) -> int:
    """Watch get_training_stats, and print what those who grade it by hand look for."""
    with laid_out(options) as (_, sandbox, files):
        import training_stats

        found = training_stats.watch(sandbox, files, os.path.join(ROOT, "data", "mnist.npz"), options.deadline)
    training_stats.show(found, sys.stdout)
    return 1 if any(found.values()) else 0


def watching(options: argparse.Namespace) -> int:
    """Grade after every change, until interrupted."""
    import watch
    from submission import NoSubmission

    def again() -> Any:
        try:
            return grade(options)
        except (NoSubmission, GraderError) as error:
            return str(error)

    watch.watch(options.submission, again)
    return 0


def checked(options: argparse.Namespace) -> int:
    """Check another tree's mytorch, and print which promises it keeps."""
    import contract

    with laid_out(options, contract.tree(options.contract)) as (_, sandbox, files):
        from judges import Prestored

        found = contract.answers(sandbox, files, Prestored(REFERENCE), options.deadline)
    contract.show(found, options.contract, sys.stdout)
    return 1 if any(answer.difference for answer in found) else 0


def main(argv: list[str] | None = None) -> int:
    options = arguments(argv)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # what a submission's texts hold may not be in the terminal's encoding
    for name in ("numpy", "pytest"):
        if importlib.util.find_spec(name) is None:
            return not_graded(options, f"{name} is not installed for {sys.executable}: run `pip3 install numpy pytest`")
    from submission import NoSubmission

    try:
        if options.training_stats:
            return watched(options)
        if options.contract:
            return checked(options)
        if options.watch:
            return watching(options)
        run = grade(options)
    except (NoSubmission, GraderError) as error:
        return not_graded(options, str(error))
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return 130
    import report

    try:
        report.publish(run, options.format, options.out)
    except OSError as error:
        print(f"the results can't be written: {error}", file=sys.stderr)
        return 2
    if options.verbose and options.format == "table":
        import recipes
        import screen

        screen.more(run, lambda problem: recipes.recipe(problem, options.submission), sys.stdout)
    if options.format == "autolab":
        return 0
    return 0 if run.total == run.max_total else 1


def not_graded(options: argparse.Namespace, reason: str) -> int:
    """Say why nothing could be graded; on a server in its own form, with every score zero."""
    print(f"nothing could be graded: {reason}", file=sys.stderr)
    if options.format == "autolab" and importlib.util.find_spec("numpy") is None:
        from problems import PROBLEMS

        print(json.dumps({"scores": {problem.name: 0 for problem in PROBLEMS}}))
    elif options.format != "table" and importlib.util.find_spec("numpy") is not None:
        import report

        try:
            report.publish(report.not_graded(reason), options.format, options.out)
        except OSError as error:
            print(f"the results can't be written: {error}", file=sys.stderr)
    return 0 if options.format == "autolab" else 2


if __name__ == "__main__":
    sys.exit(main())
