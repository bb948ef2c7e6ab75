"""Each exercise as a Python file, which runs as it is and prints what the exercise gives."""

from __future__ import annotations

import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from diagnosis.compare import close
from grading.judges import digest
from handins import JUDGE, ROOT, Edit, body, command, solution, write
from homework.problems import PROBLEMS, Problem
from report import table
from samples import sample


@pytest.mark.parametrize("problem", sample(PROBLEMS, 4), ids=lambda problem: problem.name)
def test_on_the_solution_a_file_prints_the_expected_values(
    problem: Problem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file, expected = tmp_path / "exercise.py", JUDGE.case(problem.key)[1]
    file.write_text(table.script(problem, str(ROOT)))
    monkeypatch.setattr(sys, "path", [*sys.path])
    values = runpy.run_path(str(file))["values"]
    printed = capsys.readouterr().out
    if problem.key == "multiple_choice":
        assert digest({name: np.array(value) for name, value in values.items()}) == str(expected["digest"])
    else:
        assert values.keys() == expected.keys()
        assert all(close(values[name], expected[name]).all() for name in expected)
    assert printed == "".join(f"{name} =\n{value}\n" for name, value in values.items())


WRONG: dict[str, tuple[Edit, str]] = {
    "an answer": (body("question_3", "return 'x'"), "question_3 =\nx\n"),
    "an activation": (body("ReLU.forward", "return original(*args) + 12345"), "[[12345. "),
    "a network": (body("MLP.forward", "return 0 * original(*args) + 12345"), "[[12345. 12345."),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_v_prints_runs_as_a_file(name: str, tmp_path: Path) -> None:
    edit, words = WRONG[name]
    files = solution()
    edit(files)
    handin = write(files, tmp_path / "größe 'x'")
    shown = command("-v", "--submission", str(handin)).stdout
    file = tmp_path / "exercise.py"
    file.write_text(shown[shown.index("# The exercise") :], encoding="utf-8")
    done = subprocess.run([sys.executable, str(file)], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert words in done.stdout


def test_where_it_cannot_be_made_a_line_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "REFERENCES", "/nowhere.npz")
    (line,) = table.script(PROBLEMS[1], str(ROOT)).splitlines()
    assert line.startswith("# It can't be shown: FileNotFoundError")
