"""Grades a submission, from its files to the run that a report tells: a pytest run of tests/test_problems.py."""

from __future__ import annotations

import os
import time
from typing import Any

import pytest

from diagnosis.recognise import Catalogue
from grading.causes import Causes
from grading.findings import findings
from grading.judges import Fallback, Judge, Prestored, Solution
from grading.run import Run
from grading.settings import MISTAKES, REFERENCES, TRACES, Settings
from grading.verdicts import Grading
from homework.problems import selected
from sandbox import submission
from sandbox.process import GraderError
from sandbox.submission import Submission
from sandbox.workplace import Workplace

TESTS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "tests", "test_problems.py")
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


def opened(settings: Settings, workplace: Workplace) -> Grading:
    """Return the grading that the settings ask for; raise NoSubmission or GraderError if there can be none."""
    files = submission.read(settings.submission)
    sandbox = workplace.lay_out(files)
    judge = _judge(settings, workplace, files)
    return Grading(sandbox, judge, files, settings.deadline, settings.run_deadline)


def _judge(settings: Settings, workplace: Workplace, files: Submission) -> Judge:
    """The judge that the settings ask for: the prestored references, or a solution on fresh inputs."""
    if not settings.against:
        return Prestored(REFERENCES)

    def solution() -> Judge:
        try:
            right = submission.read(str(settings.against))
        except submission.NoSubmission as error:
            raise GraderError(f"the solution can't be read: {error}") from error
        seed = int.from_bytes(os.urandom(4), "little") if settings.seed is None else settings.seed
        if seed == "handin":
            seed = submission.seed(files, right)
        return Solution(workplace.lay_out(right), int(seed), settings.deadline)

    return Fallback(solution, Prestored(REFERENCES), files.remarks) if settings.fallback else solution()


class Plugin:
    """Hands the grading to the pytest run, keeps to the problems asked for, and notes a fault of the grader."""

    def __init__(self, grading: Grading, words: tuple[str, ...]) -> None:
        self.grading = grading
        self.names = {problem.name for problem in selected(words)}
        self.failure: GraderError | None = None

    def pytest_configure(self, config: Any) -> None:
        config.mytorch_grading = self.grading

    def pytest_runtest_makereport(self, call: Any) -> None:
        if call.excinfo and not isinstance(call.excinfo.value, (pytest.fail.Exception, KeyboardInterrupt)):
            error = call.excinfo.value
            failure = error if isinstance(error, GraderError) else GraderError(f"{type(error).__name__}: {error}")
            self.failure = self.failure or failure

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        items[:] = [item for item in items if item.callspec.params["problem"].name in self.names]


def grade(settings: Settings, workplace: Workplace) -> Run:
    """Grade, explain and probe the submission; raise NoSubmission or GraderError if nothing could be graded."""
    start = time.monotonic()
    grading = opened(settings, workplace)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    os.environ.pop("PYTEST_ADDOPTS", None)
    switches = ["-s", "--assert=plain", *(f"-pno:{name}" for name in UNUSED)]
    place = ["-c", os.devnull, "--rootdir", os.path.dirname(TESTS), TESTS]
    plugin = Plugin(grading, settings.words)
    if pytest.main([*switches, *place], plugins=[plugin]) == pytest.ExitCode.INTERRUPTED:
        raise KeyboardInterrupt
    if plugin.failure:
        raise plugin.failure
    if plugin.names - {verdict.problem.name for verdict in grading.verdicts.values()}:
        raise GraderError("pytest did not run every problem")
    references = grading.judge if isinstance(grading.judge, Prestored) else Prestored(REFERENCES)
    catalogue = Catalogue(MISTAKES)
    Causes(grading, catalogue, references, TRACES).explain()
    found = [] if settings.words else findings(grading, catalogue, references)
    remarks = [*grading.submission.remarks, *(f"missing: {name}" for name in grading.submission.missing)]
    for name in grading.submission.hidden:
        module = name.rpartition("/")[2][: -len(".py")]
        remarks.append(f"`import {module}` finds the standard library's {module}: give {name} another name")
    remarks += [f"this system can't enforce a limit on {name}" for name in grading.not_enforced]
    seconds = time.monotonic() - start
    digest, seed = grading.submission.digest, grading.judge.seed
    return Run(settings.submission, grading.verdicts, found, remarks, seconds, digest, seed)
