"""Working with the grader: what comes next, watch mode, the exercise as Python, the gradient check."""

from __future__ import annotations

import contextlib
import io
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import gradcheck
import pytest
import recipes
import runner
import screen
import submission
from mistakes import MISTAKES, apply
from problems import PROBLEMS, Problem

SOLUTION = submission.read(runner.ROOT).files
GRADER = Path(runner.HERE)


def lay_out(folder: Path, *keys: str) -> Path:
    files = SOLUTION
    for key in keys:
        files = apply(next(mistake for mistake in MISTAKES if mistake.key == key), files)
    submission.Submission(files).lay_out(str(folder))
    return folder


def printed(run: Any) -> str:
    out = io.StringIO()
    screen.table(run, out)
    return out.getvalue()


def grade(folder: Path) -> Any:
    return runner.grade(runner.arguments(["--submission", str(folder)]))


def test_the_report_leads_with_each_fault_once_and_ends_with_what_comes_next(tmp_path: Path) -> None:
    text = printed(grade(lay_out(tmp_path, "dW_summed")))
    assert text.count("13 times the expected") == 1
    assert "Hint: dW is summed over the batch" in text
    assert re.search(r"Behind it: Linear Classifier \(backward\),", text)
    assert text.splitlines()[-1] == "Next: Linear Layer (backward), 2 points, section 3.4.2 of the writeup."


def test_every_line_fits_into_80_columns(tmp_path: Path) -> None:
    text = printed(grade(lay_out(tmp_path, "softmax_no_keepdims", "db_row")))
    assert max(map(len, text.splitlines())) <= 80
    assert "\033" not in text


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.name)
def test_the_exercise_as_python_runs(problem: Problem) -> None:
    text = recipes.recipe(problem, runner.ROOT)
    kept = list(sys.path)
    out = io.StringIO()
    try:
        with contextlib.redirect_stdout(out):
            exec(compile(text, problem.key, "exec"), {})
    finally:
        sys.path[:] = kept
    assert out.getvalue().strip()


def test_verbose_shows_all_of_the_first_fault(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lay_out(tmp_path, "dW_db_summed")
    assert runner.main(["--submission", str(tmp_path), "-k", "linear layer", "-v"]) == 1
    shown = capsys.readouterr().out
    assert "More of Linear Layer (backward)" in shown
    assert re.search(r"db is wrong at", shown)
    assert "given = draw('linear_backward')" in shown


def test_some_problems_are_graded_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert runner.main(["-k", "relu derivative"]) == 0
    shown = capsys.readouterr().out
    assert "2 / 2" in shown
    assert "Tanh" not in shown


def test_watch_grades_again_after_a_change_and_says_what_changed(tmp_path: Path) -> None:
    folder = lay_out(tmp_path / "submission", "tanh_derivative_sign")
    log = tmp_path / "log"
    command = [sys.executable, str(GRADER / "runner.py"), "--submission", str(folder), "--watch"]
    with (
        log.open("w") as out,
        subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, start_new_session=True) as process,
    ):
        try:
            wait_for(log, "Watching")
            lay_out(folder)
            wait_for(log, "since the last time")
            wait_for(log, "Watching", times=2)
        finally:
            os.killpg(process.pid, signal.SIGINT)
        assert process.wait(timeout=20) == 130
    text = log.read_text()
    assert "95 of 95 points, +12 since the last time" in text
    assert "Tanh Non-Linearity (derivative): failed -> passed" in text
    assert text.count("Grading ") == 1, "the table is shown once, and then what changed"
    assert "Traceback" not in text
    assert "\033" not in text


def wait_for(log: Path, words: str, times: int = 1) -> None:
    end = time.monotonic() + 60
    while log.read_text().count(words) < times:
        assert time.monotonic() < end, log.read_text()
        time.sleep(0.05)


# ---------------------------------------------------------------- the gradient check


def checked(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    status = gradcheck.main(list(arguments))
    return status, capsys.readouterr().out


def test_the_solutions_gradients_are_those_of_its_forward_passes(capsys: pytest.CaptureFixture[str]) -> None:
    status, text = checked(capsys)
    assert status == 0
    assert "WRONG" not in text
    assert all(layer in text for layer in gradcheck.LAYERS)


@pytest.mark.parametrize(
    ("mistake", "layer", "words"),
    [
        ("sigmoid_derivative_twice", "sigmoid", "derivative() * delta"),
        ("tanh_derivative_sign", "tanh", "has the wrong sign"),
        ("loss_derivative_averaged", "loss", "1/6 of the expected"),
        ("dW_summed", "linear", "7 times the expected, and the batch has 7 rows"),
        ("db_row", "linear", "expected shape (1, 4)"),
        ("dx_averaged", "linear", "1/7 of the expected"),
        ("dgamma_averaged", "batchnorm", "1/7 of the expected"),
        ("dx_without_mean", "batchnorm", "backward(delta)"),
        ("dvar_power", "batchnorm", "backward(delta)"),
        ("derivative_skipped", "mlp", "linear_layers[0].dW"),
        ("batchnorm_back_skipped", "mlp-batchnorm", "bn_layers[0].dgamma"),
        ("backward_wrong_order", "mlp", "hw1/hw1.py, line"),
    ],
)
def test_a_wrong_gradient_is_found(
    mistake: str, layer: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lay_out(tmp_path, mistake)
    status, text = checked(capsys, "--submission", str(tmp_path), layer)
    assert status == 1
    assert words in text


@pytest.mark.parametrize("arguments", [["convolution"], ["--submission", "nowhere"]])
def test_a_bad_argument_is_said(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with contextlib.suppress(SystemExit):
        assert gradcheck.main(arguments) == 2
    assert "Traceback" not in capsys.readouterr().err
