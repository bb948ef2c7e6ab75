"""Grades a submission, from its files to the run that a report tells: a pytest run of tests/test_problems.py."""

from __future__ import annotations

import os
import time
import traceback
from contextlib import suppress
from typing import Any

import numpy as np
import pytest

from diagnosis import modules
from diagnosis.recognise import Catalogue
from grading.causes import Causes
from grading.judges import Judge, Prestored, Solution
from grading.probing import findings
from grading.run import Run, Verdict
from grading.settings import MISTAKES, REFERENCES, TRACES, Settings
from grading.verdicts import Grading
from homework.problems import BY_KEY, PROBLEMS, Problem, builds_on, selected
from sandbox import submission
from sandbox.process import GraderError
from sandbox.submission import Submission
from sandbox.workplace import Workplace

TESTS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "tests", "test_problems.py")
# Of pytest's own plugins, those that write, print or hold a file open, and those that take milliseconds for nothing.
UNUSED = (
    *("cacheprovider", "faulthandler", "terminal", "threadexception"),
    *("debugging", "junitxml", "logging", "unittest", "unraisableexception"),
)


def opened(settings: Settings, workplace: Workplace) -> Grading:
    """Return the grading that the settings ask for; raise NoSubmission or GraderError if there can be none."""
    files = submission.read(settings.submission, links=not settings.against)
    judge = _judge(settings, files)  # with a solution, all of its values are here before the submission's first line
    return Grading(workplace.lay_out(files), judge, files, settings.deadline, settings.run_deadline)


def _judge(settings: Settings, files: Submission) -> Judge:
    """The prestored references, or the values of a solution whose process and files are gone when this returns."""
    if not settings.against:
        return Prestored(REFERENCES)
    try:
        right = submission.read(str(settings.against))
    except submission.NoSubmission as error:
        raise GraderError(f"the solution can't be read: {error}") from error
    seed = int.from_bytes(os.urandom(4), "little") if settings.seed is None else settings.seed
    if seed == "handin":
        seed = submission.seed(files, right)
    with Workplace(settings.memory) as workplace:
        return Solution(workplace.lay_out(right), int(seed), settings.deadline)


class Plugin:
    """Hands the grading to the pytest run, and keeps to these problems."""

    def __init__(self, grading: Grading, problems: list[Problem]) -> None:
        self.grading = grading
        self.names = {problem.name for problem in problems}

    def pytest_configure(self, config: Any) -> None:
        config.mytorch_grading = self.grading

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        items[:] = [item for item in items if item.callspec.params["problem"].name in self.names]


def run_pytest(grading: Grading, problems: list[Problem]) -> None:
    """Have pytest run tests/test_problems.py, which grades these problems one after the other."""
    for name in ("PYTEST_ADDOPTS", "PYTEST_DEBUG", "PYTEST_PLUGINS"):  # for other tests than these
        os.environ.pop(name, None)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    # No conftest.py and no settings, wherever they are, decide anything here.
    alone = ["--noconftest", "-c", os.devnull, "--rootdir", os.curdir]
    switches = ["-s", "--assert=plain", *(f"-pno:{name}" for name in UNUSED), *alone]
    plugin = Plugin(grading, problems)
    here = os.getcwd()
    os.chdir(os.path.dirname(TESTS))  # of a path, pytest would take `[`, `::` and `$` for more than they are
    try:
        pytest.main([*switches, os.path.basename(TESTS)], plugins=[plugin])
    finally:
        with suppress(OSError):  # it may be gone by now
            os.chdir(here)


def grade(settings: Settings, workplace: Workplace) -> Run:
    """Grade, explain and probe the submission; raise NoSubmission or GraderError if nothing could be graded.

    What fails after that leaves the points of what is graded, and is told.
    """
    start = time.monotonic()
    grading = opened(settings, workplace)
    asked = {problem.key for problem in selected(settings.words)}
    # A problem's cause may lie in those that it builds on.
    needed = asked.union(*(builds_on(BY_KEY[key]) for key in asked))
    problems = [problem for problem in PROBLEMS if problem.key in needed]
    run_pytest(grading, problems)
    failure = grading.failure
    for problem in problems:
        if problem.key not in grading.verdicts:
            failure = failure or "pytest did not run every problem"
            grading.verdicts[problem.key] = Verdict(problem, "error", "not graded: pytest did not run it")
    files = grading.submission
    catalogue, found, remarks = Catalogue(MISTAKES), [], list(files.remarks)
    try:
        references = grading.judge if isinstance(grading.judge, Prestored) else Prestored(REFERENCES)
        with np.errstate(all="ignore"):
            causes = Causes(grading, catalogue, references, TRACES)
            causes.explain()
            found = findings(grading, catalogue, references, asked)
        if causes.experiments.fault:
            remarks.append(f"nothing was run again to find causes: {causes.experiments.fault}")
    except GraderError as error:
        remarks.append(f"nothing is explained: {error}")
    except Exception as error:
        traceback.print_exc()
        failure = failure or f"what was found could not be explained ({type(error).__name__})"
    if catalogue.fault:
        remarks.append(f"there are no hints: {catalogue.fault}")
    remarks += [f"missing: {name}{modules.instead(name, files)}" for name in files.missing]
    remarks += [f"{other} hides {name}: give it another name" for other, name in files.shadowing]
    for name in files.hidden:
        module = name.rpartition("/")[2][: -len(".py")]
        remarks.append(f"`import {module}` finds the standard library's {module}: give {name} another name")
    if grading.not_enforced:
        remarks.append(f"this system can't enforce a limit on {', '.join(grading.not_enforced)}")
    if failure:
        remarks.insert(0, f"the grader failed, and this report is not whole: {failure}")
    seconds = time.monotonic() - start
    if settings.against:  # what a server expects is told to nobody
        for verdict in grading.verdicts.values():
            verdict.entry = ""
    digest, seed = grading.submission.digest, grading.judge.seed
    verdicts = {key: verdict for key, verdict in grading.verdicts.items() if key in asked}
    beside = {key: verdict for key, verdict in grading.verdicts.items() if key not in asked}
    return Run(settings.submission, verdicts, found, remarks, seconds, failure, digest, seed, beside)
