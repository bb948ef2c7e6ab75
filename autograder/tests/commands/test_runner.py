"""Working with the grader: what comes next, watch mode, the exercise as Python."""

from __future__ import annotations

import io
import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import runner
from diagnosis import values
from grading import causes
from handins import GRADER, MAX_TOTAL, Files, body, grade, report, solution, with_mistakes, write
from report import table, text
from sandbox import submission


def printed(run: Any) -> str:
    out = io.StringIO()
    table.table(run, out)
    return out.getvalue()


def test_the_report_leads_with_each_fault_once_and_ends_with_what_comes_next(tmp_path: Path) -> None:
    text = printed(report(with_mistakes(tmp_path, "dW_summed")))
    assert text.count("13 times the expected") == 1
    assert "Hint: dW is summed over the batch" in text
    assert re.search(r"Behind it: Linear Classifier \(backward\)", text)
    assert text.splitlines()[-1] == "Next: Linear Layer (backward), 2 points, section 3.4.2 of the writeup."


def test_every_line_fits_into_80_columns(tmp_path: Path) -> None:
    text = printed(report(with_mistakes(tmp_path, "softmax_no_keepdims", "db_row")))
    assert max(map(len, text.splitlines())) <= 80
    assert "\033" not in text


def test_verbose_shows_all_of_the_first_fault(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with_mistakes(tmp_path, "dW_db_summed")
    assert runner.main(["--submission", str(tmp_path), "-k", "linear layer", "-v"]) == 1
    shown = capsys.readouterr().out
    assert "More of Linear Layer (backward)" in shown
    assert re.search(r"db is wrong at", shown)
    assert 'stored["linear_backward/in/W"]' in shown


def test_some_problems_are_graded_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert runner.main(["-k", "relu derivative"]) == 0
    shown = capsys.readouterr().out
    assert "2 / 2" in shown
    assert "Tanh" not in shown


def test_watch_grades_again_after_a_change_and_says_what_changed(tmp_path: Path) -> None:
    folder = with_mistakes(tmp_path / "submission", "tanh_derivative_sign")
    log = tmp_path / "log"
    command = [sys.executable, str(GRADER / "runner.py"), "--submission", str(folder), "--watch"]
    with (
        log.open("w") as out,
        subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, start_new_session=True) as process,
    ):
        try:
            wait_for(log, "Watching")
            with_mistakes(folder)
            wait_for(log, "since the last time")
            wait_for(log, "Watching", times=2)
        finally:
            process.terminate()  # where pytest runs in the background, a shell has SIGINT ignored
        assert process.wait(timeout=20) == 128 + signal.SIGTERM
    text = log.read_text()
    assert f"{MAX_TOTAL} of {MAX_TOTAL} points, +" in text
    assert "Tanh Non-Linearity (derivative): failed -> passed" in text
    assert text.count("passed") == 25, "the table is shown once, and then what changed"
    assert "Traceback" not in text
    assert "\033" not in text


def wait_for(log: Path, words: str, times: int = 1) -> None:
    end = time.monotonic() + 60
    while log.read_text().count(words) < times:
        assert time.monotonic() < end, log.read_text()
        time.sleep(0.05)


# Faults of the grader's own: what each patches, the problems it costs, and whether hints may be missing alone.


def fails(*_: Any, **__: Any) -> Any:
    raise ZeroDivisionError("of the grader's own")


FAULTS = {
    "in a verdict": (values, "evidence", {"relu_derivative"}),
    "in what explains": (causes.Causes, "explain", set()),
    "in the report": (text, "sentence", set()),
}


@pytest.mark.parametrize("form", ["autolab", "json", "gradescope", "table"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_the_grader_costs_what_it_touches_and_is_told(
    fault: str, form: str, outside: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    module, name, lost = FAULTS[fault]
    files: Files = solution()
    body("ReLU.derivative", "return 2 * original(*args)")(files)
    expected = grade(write(files, outside / "handin")).verdicts
    monkeypatch.setattr(module, name, fails)
    status = runner.main(["--submission", str(outside / "handin"), "--format", form])
    shown = capsys.readouterr()
    if fault == "in the report" and form == "json":  # which has no use for what fails
        assert status == 1
        return
    assert status == (0 if form == "autolab" else 2)
    assert "ZeroDivisionError: of the grader's own" in shown.err
    last = json.loads(shown.out.splitlines()[-1]) if form == "autolab" else {}
    assert form != "autolab" or last == {"scores": {v.problem.name: v.score for v in expected.values()}}
    if form == "json" and lost:
        problem = next(p for p in json.loads(shown.out)["problems"] if p["name"] == "ReLU Non-Linearity (derivative)")
        assert problem["reason"] == "not graded: the grader failed here, with ZeroDivisionError"


@pytest.mark.parametrize("form", ["autolab", "json", "gradescope", "table"])
def test_a_fault_before_anything_is_graded_gives_no_scores(
    form: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(submission, "read", fails)
    assert runner.main(["--format", form]) == 2
    shown = capsys.readouterr()
    assert shown.err.splitlines()[-1] == "nothing could be graded: the grader failed, with ZeroDivisionError"
    assert form != "autolab" or shown.out == ""
