"""A class is graded by runners of its own, only what has changed, and whatever becomes of one of them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from classroom import regrade
from grading.run import not_graded
from grading.version import version
from handins import GRADER, ROOT, Files, solution, write
from report.formats import as_json

# Stands for the runner: its options are the same, its report is quick.
RUNNER = """
import json, os, sys
sys.path.insert(0, {grader!r})
from sandbox.submission import read, seed
options = sys.argv[1:]
handin = options[0][len("--submission=") :]
{code}
assert options[1:-1] == ["--against", {root!r}, "--seed", "handin", "--format", "json", "--out"]
report = {{**json.loads({report!r}), "seed": seed(read(handin, links=False), read({root!r}))}}
with open(options[-1] + ".part", "w", encoding="utf-8") as file:
    json.dump(report, file)
os.replace(file.name, options[-1])
"""
REPORT = json.dumps({**as_json(not_graded("handin", "")), "graded": True, "grader": version(), "seconds": 0.1})
Stub = Callable[[str], Path]


@pytest.fixture
def stub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stub:
    """Put another runner in the place of the grader's, with this code in it; return it."""

    def put(code: str = "") -> Path:
        path = tmp_path / "runner of tests.py"
        path.write_text(RUNNER.format(grader=str(GRADER), root=str(ROOT), report=REPORT, code=code), encoding="utf-8")
        monkeypatch.setattr(regrade, "RUNNER", str(path))
        return path

    return put


@pytest.fixture
def handins(tmp_path: Path) -> dict[str, Path]:
    return {name: write(solution(), tmp_path / "handins" / name) for name in ("anna", "ben", "carl")}


def reports_in(folder: Path) -> dict[str, dict[str, Any]]:
    return {path.stem: json.loads(path.read_bytes()) for path in folder.iterdir()}


def test_only_what_has_no_report_or_has_changed_is_graded(stub: Stub, handins: dict[str, Path], tmp_path: Path) -> None:
    stub("")
    reports = tmp_path / "new" / "reports"
    assert regrade.grade_all(handins, reports) == 3
    assert regrade.grade_all(handins, reports) == 0
    files: Files = {**solution(), "hw1/mc.py": b"pass\n"}
    write(files, handins["ben"])
    handins["dora"] = write(solution(), tmp_path / "handins" / "dora")
    before = reports_in(reports)
    assert regrade.grade_all(handins, reports) == 2
    assert reports_in(reports).keys() == {"anna", "ben", "carl", "dora"}
    assert reports_in(reports)["ben"]["seed"] != before["ben"]["seed"]


@pytest.mark.parametrize("field", ["grader", "seed", "failure", "all"])
def test_a_report_that_is_out_of_date_is_made_anew(
    field: str, stub: Stub, handins: dict[str, Path], tmp_path: Path
) -> None:
    stub("")
    regrade.grade_all(handins, tmp_path / "reports")
    reports = reports_in(tmp_path / "reports")
    outdated = {**reports["ben"], field: {"grader": "0.9", "seed": 1, "failure": "no memory"}.get(field)}
    text = "{" if field == "all" else json.dumps(outdated)
    (tmp_path / "reports" / "ben.json").write_text(text, encoding="utf-8")
    assert regrade.grade_all(handins, tmp_path / "reports") == 1
    assert reports_in(tmp_path / "reports") == reports


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("print('a\\nBus error', file=sys.stderr); sys.exit(1)", "the grader ended with status 1: Bus error"),
        ("import time; time.sleep(60)", "the grader did not end within 1 s"),
        ("import os; os.kill(os.getpid(), 9)", "the grader ended with status -9: "),
    ],
)
def test_a_runner_that_fails_costs_that_handins_row(
    code: str, reason: str, stub: Stub, handins: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub(f"if handin == 'ben':\n    {code}")
    monkeypatch.setattr(regrade, "TIMEOUT", 1 if "sleep" in code else 100)
    graded = {key: handins[key] for key in (["ben"] if "sleep" in code else handins)}
    assert regrade.grade_all(graded, tmp_path / "reports") == len(graded)
    reports = reports_in(tmp_path / "reports")
    ben = reports.pop("ben")
    assert (ben["failure"], ben["total"], ben["graded"], ben["handin"]["name"]) == (reason, 0, False, "ben")
    assert all(report["failure"] == "" for report in reports.values())


# The whole of it in a process, with the runner that the first argument names.
CLASS = """
import sys
sys.path.insert(0, {folder!r})
import grade_class, startup
from classroom import regrade
regrade.RUNNER = {runner!r}
startup.run(grade_class.main, grade_class.INTERRUPTED)
"""


def started(handins: Path, out: Path, runner: Path) -> subprocess.Popen[str]:
    code = CLASS.format(folder=str(ROOT / "autograder" / "instructor"), runner=str(runner))
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(handins), "--out", str(out)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env={**os.environ, "TMPDIR": str(handins.parent)},  # what is killed leaves its own folder there
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    while not list(out.glob("reports/*.json")):
        assert process.poll() is None
        time.sleep(0.02)
    return process


needs_posix = pytest.mark.skipif(os.name != "posix", reason="it sends signals to a group of processes")
SLOW_BEN_AND_CARL = "if handin != 'anna':\n    import time; time.sleep(60)"


@needs_posix
@pytest.mark.usefixtures("handins")
def test_a_run_killed_in_the_middle_is_completed_by_a_second(
    stub: Stub, handins: dict[str, Path], tmp_path: Path
) -> None:
    process = started(tmp_path / "handins", tmp_path / "out", stub(SLOW_BEN_AND_CARL))
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["reports"]
    stub("")
    assert regrade.grade_all(handins, tmp_path / "out" / "reports") == 2
    assert reports_in(tmp_path / "out" / "reports").keys() == {"anna", "ben", "carl"}


@needs_posix
@pytest.mark.usefixtures("handins")
def test_an_interrupted_run_says_that_it_can_go_on(stub: Stub, tmp_path: Path) -> None:
    process = started(tmp_path / "handins", tmp_path / "out", stub(SLOW_BEN_AND_CARL))
    os.killpg(process.pid, signal.SIGINT)
    assert process.communicate(timeout=60)[1].endswith("interrupted: start it again, and it goes on from here\n")
    assert process.returncode == 130
    assert list(tmp_path.rglob("scores.csv")) == []
