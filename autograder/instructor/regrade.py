"""Grades a folder of handins as the server does, as many at once as there are cores, and sums up the class.

    python3 autograder/instructor/regrade.py HANDINS --out DIR [--before DIR]

DIR gets a report of each handin, scores.csv and overview.md. Started again it grades what has no report yet, and what
another grader, another solution or another handin has made out of date.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import bundle
import overview
from autolab import TIMEOUT

sys.path.insert(0, str(bundle.ROOT / "autograder" / "hw1_autograder"))

from grading.run import not_graded
from grading.version import version
from report.formats import as_json
from sandbox import ending, submission, system
from sandbox.process import GraderError, need

RUNNER = bundle.ROOT / "autograder" / "hw1_autograder" / "runner.py"
AUTOLAB = re.compile(r"(.+)_(\d+)_handin(\..+)?")  # user_version_handin.tar
ENDING = re.compile(r"(\.tar)?(\.\w{1,4})?$")
ARCHIVES = ("*.tar", "*.tar.gz", "*.tgz")
BESIDE = (".csv", ".json", ".md", ".txt", ".yaml", ".yml")  # what exports hold beside the handins


class NoClass(Exception):
    """There are no handins to grade; the message says what is there."""


def handins(folder: Path, out: Path) -> tuple[dict[str, Path], list[str]]:
    """Return every handin by its id, which is Autolab's user or the name without its ending; and what was left out.

    Of Autolab's several versions of one user's the last one counts.
    """
    if not folder.is_dir():
        raise NoClass(f"{folder}: no such folder; give one that holds a tar or a folder for each handin")
    found: dict[str, Path] = {}
    left_out = []
    for path in sorted(folder.iterdir(), key=lambda path: (_version(path), path.name)):
        if path.name.startswith(".") or path.resolve() == out.resolve():
            continue
        if path.suffix in BESIDE and not path.is_dir():
            left_out.append(path.name)
            continue
        named = AUTOLAB.fullmatch(path.name)
        key = named[1] if named else path.name if path.is_dir() else ENDING.sub("", path.name)
        if key in found and named:
            left_out.append(found[key].name)
        elif key in found:
            key = path.name
        found[key] = path
    if not found:
        raise NoClass(f"{folder}: holds no tar and no folder")
    return {_short(key): _within(path) for key, path in sorted(found.items())}, left_out


def _version(path: Path) -> int:
    named = AUTOLAB.fullmatch(path.name)
    return int(named[2]) if named else 0


def _short(key: str) -> str:
    """The id, short enough for a file's name to be made of it."""
    return key.encode(errors="replace")[:200].decode(errors="replace")


def _within(path: Path) -> Path:
    """The handin itself: Gradescope keeps a file that was handed in within a folder."""
    if path.is_dir() and not any((path / name).is_dir() for name in submission.FOLDERS):
        return max((file for pattern in ARCHIVES for file in path.glob(pattern)), default=path)
    return path


def up_to_date(report: Path, handin: Path, grader: str, solution: submission.Submission) -> bool:
    """Whether a report is what this grader and this solution say of this handin."""
    try:
        found = json.loads(report.read_bytes())
        seed = submission.seed(submission.read(str(handin), links=False), solution)
        return (found["grader"], found["seed"], found["failure"]) == (grader, seed, "")
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
    command = [sys.executable, str(RUNNER), f"--submission={handin.name}", "--against", str(bundle.ROOT)]
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
            bundle.write_whole(report, json.dumps(as_json(not_graded(handin.name, why)), indent=2).encode())


def grade_all(found: dict[str, Path], reports: Path) -> int:
    """Grade the handins that have no report of today's grader; return how many those were."""
    reports.mkdir(parents=True, exist_ok=True)
    grader, solution, runners = version(), submission.read(str(bundle.ROOT)), Runners()
    with (
        ending.folder(tempfile.gettempdir(), "mytorch-class-") as scratch,
        ending.taken_back(runners.end),
        ThreadPoolExecutor(cores()) as pool,
    ):

        def one(key: str, handin: Path) -> bool:
            report = reports / f"{key}.json"
            if up_to_date(report, handin, grader, solution):
                return False
            grade(handin, report, scratch, runners)
            return True

        done = [pool.submit(one, *item) for item in found.items()]
        try:
            return sum(future.result() for future in progress(as_completed(done), len(done)))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def progress(steps: Iterable[Any], total: int) -> Iterable[Any]:
    try:
        from tqdm import tqdm  # type: ignore[import-untyped]
    except ImportError:
        print(f"{total} handins; tqdm is not installed, so there is no bar", file=sys.stderr)
        return steps
    return tqdm(steps, total=total, unit="handin", disable=None)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Grade a folder of handins as the server does, and sum up the class.")
    parser.add_argument("handins", metavar="HANDINS", type=Path, help="tars and folders, as the server exports them")
    parser.add_argument("--out", metavar="DIR", required=True, type=Path, help="for reports, scores.csv, overview.md")
    parser.add_argument("--before", metavar="DIR", type=Path, help="an earlier run, to compare with")
    options = parser.parse_args(argv)
    try:
        need("numpy", "pytest")
        found, left_out = handins(options.handins, options.out)
        before = overview.read(options.before / "reports") if options.before else None
        new = grade_all(found, options.out / "reports")
        reports = overview.read(options.out / "reports")
        overview.write(options.out, {key: reports[key] for key in found}, before)
    except (NoClass, GraderError, OSError) as error:
        print(f"regrade.py: {error}", file=sys.stderr)
        return 2
    for name in left_out:
        print(f"left out: {name}")
    print(f"{options.out}: {len(found)} handins, {new} of them graded now; scores.csv, overview.md")
    return 0


if __name__ == "__main__":
    ending.begin("interrupted: start it again, and it goes on from here")
    sys.exit(ending.run(main))
