"""Has the runner grade handins as the server does, as many at once as there are cores."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from grading.run import not_graded
from grading.settings import ROOT
from grading.version import version
from kit.autolab_package import TIMEOUT
from report.formats import as_json
from sandbox import ending, submission, system

RUNNER = os.path.join(ROOT, "autograder", "hw1_autograder", "runner.py")


def grade_all(handins: dict[str, Path], reports: Path) -> int:
    """Grade the handins that have no report of today's grader; return how many those were."""
    reports.mkdir(parents=True, exist_ok=True)
    grader, solution, runners = version(), submission.read(ROOT), Runners()
    with (
        ending.folder(tempfile.gettempdir(), "mytorch-class-") as scratch,
        ending.taken_back(runners.end),
        ThreadPoolExecutor(cores()) as pool,
    ):

        def graded_now(key: str, handin: Path) -> bool:
            report = reports / f"{key}.json"
            if up_to_date(report, handin, grader, solution):
                return False
            grade(handin, report, scratch, runners)
            return True

        done = [pool.submit(graded_now, *item) for item in handins.items()]
        try:
            return sum(future.result() for future in progress(as_completed(done), len(done)))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def up_to_date(report: Path, handin: Path, grader: str, solution: submission.Submission) -> bool:
    """Whether a report is what this grader and this solution say of this handin."""
    try:
        fields = json.loads(report.read_bytes())
        seed = submission.seed(submission.read(str(handin), links=False), solution)
        return (fields["grader"], fields["seed"], fields["failure"]) == (grader, seed, "")
    except (OSError, ValueError, KeyError, submission.NoSubmission):
        return False


class Runners:
    """The runners at work: they end with this process, and none begins after that."""

    def __init__(self) -> None:
        self.allowed = threading.RLock()  # to begin anything
        self.running: set[subprocess.Popen[bytes]] = set()

    def end(self) -> None:
        self.allowed.acquire()
        for runner in self.running:
            runner.terminate()  # so that it removes its own process and what it has begun
        end = time.monotonic() + system.GONE
        for runner in self.running:
            while runner.poll() is None and time.monotonic() < end:
                time.sleep(0.01)
            system.kill(runner)


def grade(handin: Path, report: Path, scratch: str, runners: Runners) -> None:
    """Have the runner grade a handin, and leave its report, or one that says why there is none."""
    command = [sys.executable, RUNNER, f"--submission={handin.name}", "--against", ROOT]
    command += ["--seed", "handin", "--format", "json", "--out", str(report.resolve())]
    environment = {**os.environ, "TMPDIR": scratch}
    report.unlink(missing_ok=True)
    with runners.allowed:
        runner = subprocess.Popen(
            command,
            cwd=handin.parent,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        runners.running.add(runner)
    try:
        last = runner.communicate(timeout=TIMEOUT)[1].decode(errors="replace").strip().rpartition("\n")[2]
        why = f"the grader ended with status {runner.returncode}: {last}"
    except subprocess.TimeoutExpired:
        why = f"the grader did not end within {TIMEOUT} s"
        system.kill(runner)
        runner.communicate()
    with runners.allowed:
        runners.running.remove(runner)
        if not report.exists():
            ending.write_whole(report, json.dumps(as_json(not_graded(handin.name, why)), indent=2).encode())


def cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def progress(steps: Iterable[Any], total: int) -> Iterable[Any]:
    try:
        from tqdm import tqdm  # type: ignore[import-untyped]
    except ImportError:
        print(f"{total} handins; tqdm is not installed, so there is no bar", file=sys.stderr)
        return steps
    return tqdm(steps, total=total, unit="handin", disable=None)
