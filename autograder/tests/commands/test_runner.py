"""The runner: its options, exit statuses and forms, watch mode, and what a fault of the grader's own costs."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import runner
from diagnosis import values
from grading import causes
from grading.version import version
from handins import GRADER, MAX_TOTAL, REFERENCES, ROOT, body, called, command, edited, grade, solution, with_mistakes
from homework.problems import PROBLEMS
from machine import BACKGROUND, wait_until
from report import text
from sandbox import process, submission
from sandbox.ending import write_whole

NAMES = [problem.name for problem in PROBLEMS]
FORMS = ["table", "json", "autolab", "gradescope"]


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return called(runner.main, *arguments, **environment)


@pytest.fixture(scope="module")
def doubled(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A submission with one wrong problem."""
    return str(edited(tmp_path_factory.mktemp("doubled"), body("ReLU.derivative", "return 2 * original(*args)")))


# Options, exit statuses, forms


@pytest.mark.parametrize(("words", "status"), [("momentum", 0), ("relu", 1)])
def test_the_exit_status_is_0_for_full_points_and_1_for_fewer(words: str, status: int, doubled: str) -> None:
    assert run("--submission", doubled, "-k", words).returncode == status


@pytest.mark.parametrize(
    "arguments",
    [
        ("--format", "nothing"),
        ("--deadline", "0"),
        ("--deadline", "nan"),
        ("--deadline", "ten"),
        ("--memory", "-1"),
        ("--run-deadline", "inf"),
        ("--seed", "1"),
        ("--against", ".", "--seed", "x"),
        ("--visibility", "hidden"),
        ("--out", "results", "--format", "table"),
        ("-v", "--format", "json"),
        ("--watch", "--format", "autolab"),
        ("--watch", "--training-stats"),
        ("-v", "--training-stats"),
        ("-k", "tanh", "--training-stats"),
        ("--nothing",),
    ],
)
def test_options_that_make_no_sense_are_refused_with_exit_status_2(arguments: tuple[str, ...]) -> None:
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert ": error: " in done.stderr


def test_a_word_that_fits_no_problem_is_answered_with_the_names() -> None:
    done = run("-k", "tahn")
    assert done.returncode == 2
    assert all(f"  {name}\n" in done.stderr for name in NAMES)


def test_some_problems_are_graded_alone() -> None:
    done = run("-k", "relu derivative")
    assert done.returncode == 0
    assert "2 / 2" in done.stdout
    assert "Tanh" not in done.stdout


def test_v_shows_all_of_the_first_fault(tmp_path: Path) -> None:
    arguments = ("--submission", str(with_mistakes(tmp_path, "dW_db_summed")), "-k", "linear layer")
    expected = np.load(REFERENCES)["linear_backward/out/dW"][0, 0]
    line = f"dW[0, 0] is {13 * expected:.10g}, expected {expected:.10g} (40 of 40 entries wrong)"
    shown = run(*arguments, "-v").stdout
    assert "More of Linear Layer (backward)" in shown
    assert line in shown
    assert "db is wrong at" in shown
    assert 'stored["linear_backward/in/W"]' in shown
    assert "expected " not in run(*arguments).stdout


def test_of_a_solution_s_values_none_is_shown(tmp_path: Path) -> None:
    arguments = ("--submission", str(with_mistakes(tmp_path, "dW_summed")), "-k", "linear layer")
    shown = run(*arguments, "-v", "--against", str(ROOT), "--seed", "3").stdout
    assert "More of Linear Layer (backward)" in shown
    assert ", expected" not in shown


def test_version_prints_the_grader_s_version() -> None:
    assert run("--version").stdout == f"{version()}\n"


@pytest.mark.parametrize(
    ("arguments", "autolab", "form"),
    [((), "", "table"), ((), "0", "table"), ((), "1", "autolab"), (("--format", "json"), "1", "json")],
)
def test_a_format_that_is_asked_for_comes_before_the_one_of_the_environment(
    arguments: tuple[str, ...], autolab: str, form: str
) -> None:
    last = run("-k", "momentum", *arguments, AUTOLAB=autolab).stdout.splitlines()[-1]
    assert last == {"table": "Full points for what was asked: 1 of 25 problems.", "json": "}"}.get(
        form, '{"scores": {"Momentum": 10}}'
    )


@pytest.mark.parametrize("form", ["json", "gradescope"])
def test_results_go_to_a_file_or_a_line_says_why_not(form: str, tmp_path: Path) -> None:
    done = run("--format", form, "--out", str(tmp_path / "results"), "-k", "momentum")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert json.loads((tmp_path / "results").read_text())
    done = run("--format", form, "--out", str(tmp_path / "nowhere" / "results"), "-k", "momentum")
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(r"the results can't be written: .*\n", done.stderr)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_the_table_can_be_printed_in_any_encoding(encoding: str, tmp_path: Path) -> None:
    submission = edited(tmp_path, body("SoftmaxCrossEntropy.derivative", "raise ValueError('größe \\ud800')"))
    done = command("--submission", str(submission), "-k", "softmax", PYTHONIOENCODING=encoding, PYTHONUTF8="0")
    assert (done.returncode, done.stderr) == (1, "")
    assert "ValueError" in done.stdout


@pytest.mark.skipif(os.name != "posix", reason="the background is a POSIX shell's")
def test_watch_grades_again_after_a_change_and_in_the_background_ends_by_sigterm_alone(tmp_path: Path) -> None:
    folder, log = with_mistakes(tmp_path / "submission", "tanh_derivative_sign"), tmp_path / "log"
    file = folder / "mytorch" / "activation.py"
    wrong, right = file.read_bytes(), solution()["mytorch/activation.py"]
    line = [sys.executable, str(GRADER / "runner.py"), "--submission", str(folder), "--watch"]
    with (
        log.open("w") as out,
        subprocess.Popen(line, stdout=out, stderr=subprocess.STDOUT, start_new_session=True, **BACKGROUND) as watch,
    ):
        try:
            wait_until(lambda: "Watching" in log.read_text())
            write_whole(file, right)
            wait_until(lambda: "since the last time" in log.read_text())
            for number in (signal.SIGINT, signal.SIGHUP):
                watch.send_signal(number)
            write_whole(file, wrong)
            wait_until(lambda: log.read_text().count("since the last time") == 2)
        finally:
            watch.terminate()
        assert watch.wait(timeout=60) == 128 + signal.SIGTERM
    shown = log.read_text()
    assert f"{MAX_TOTAL} of {MAX_TOTAL} points, +" in shown
    assert "Tanh Non-Linearity (derivative): failed -> passed" in shown
    assert shown.count("passed") == 24 + 2, "the table is shown once, and then what changed"
    assert shown.endswith("\ninterrupted\n")
    assert "Traceback" not in shown
    assert "\033" not in shown


# Where nothing can be graded


def no_submission(tmp_path: Path, _: Any) -> tuple[str, str]:
    return str(tmp_path / "nowhere"), "no such folder or file"


def empty_submission(tmp_path: Path, _: Any) -> tuple[str, str]:
    return str(tmp_path), "holds no .py file in hw1/ or mytorch/"


def references(data: bytes | None) -> Callable[[Path, pytest.MonkeyPatch], tuple[str, str]]:
    """Put these references in the place of the stored ones, with their checksum."""

    def replace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
        if data is not None:
            (tmp_path / "references.npz").write_bytes(data)
            (tmp_path / "SHA256SUMS").write_text(f"{hashlib.sha256(data).hexdigest()}  references.npz\n")
        monkeypatch.setattr("grading.grade.REFERENCES", str(tmp_path / "references.npz"))
        return str(ROOT), "the references can't be read"

    return replace


def no_pytest(_: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    monkeypatch.setattr(process.importlib.util, "find_spec", lambda name: np.__spec__ if name == "numpy" else None)
    return str(ROOT), "pytest is not installed"


STORED = Path(REFERENCES).read_bytes()
OBSTACLES = {
    "no submission": no_submission,
    "an empty submission": empty_submission,
    "no references": references(None),
    "half of the references": references(STORED[: len(STORED) // 2]),
    "references that are none": references(b"nothing of the kind"),
    "no pytest": no_pytest,
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", OBSTACLES)
def test_where_nothing_can_be_graded_a_line_says_why(
    name: str, form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    handin, words = OBSTACLES[name](tmp_path, monkeypatch)
    done = run("--submission", handin, "--format", form)
    (line,) = done.stderr.splitlines()
    assert words in line
    if form == "autolab" and "submission" in name:
        assert done.returncode == 0
        feedback, scores = done.stdout.splitlines()
        assert words in json.loads(feedback)["Handin"]["can be graded"]["hint"]
        assert json.loads(scores) == {"scores": dict.fromkeys(NAMES, 0)}
    else:
        assert done.returncode == 2
        assert done.stdout.count(words) == (form in ("json", "gradescope")), "Autolab keeps earlier scores"


# Faults of the grader's own: what each patches, and the problems it costs.


def fails(*_: Any, **__: Any) -> Any:
    raise ZeroDivisionError("of the grader's own")


FAULTS = {
    "in a verdict": (values, "evidence"),
    "in what explains": (causes.Causes, "explain"),
    "in the report": (text, "sentence"),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_the_grader_costs_what_it_touches_and_is_reported(
    fault: str, form: str, doubled: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = grade(doubled).verdicts
    monkeypatch.setattr(*FAULTS[fault], fails)
    done = run("--submission", doubled, "--format", form)
    if fault == "in the report" and form == "json":  # which has no use for what fails
        assert done.returncode == 1
        return
    assert done.returncode == (0 if form == "autolab" else 2)
    assert "ZeroDivisionError: of the grader's own" in done.stderr
    if form == "autolab":
        scores = json.loads(done.stdout.splitlines()[-1])["scores"]
        assert scores == {verdict.problem.name: verdict.score for verdict in expected.values()}
    if form == "json" and fault == "in a verdict":
        reasons = {problem["name"]: problem["reason"] for problem in json.loads(done.stdout)["problems"]}
        why = "not graded: the grader failed here, with ZeroDivisionError"
        assert reasons["ReLU Non-Linearity (derivative)"] == why


@pytest.mark.parametrize("form", FORMS)
def test_a_fault_before_anything_is_graded_gives_no_scores(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(submission, "read", fails)
    done = run("--format", form)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == "nothing could be graded: the grader failed, with ZeroDivisionError"
    assert form != "autolab" or done.stdout == ""
