"""What each format promises to the program that reads it, and what is said where nothing can be graded."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pytest

import handins
from grading.run import not_graded
from handins import GRADER, MAX_TOTAL, PROBLEMS, ROOT, body, changed, solution, without, write
from handins import command as run
from report import formats as reports

NAMES = [problem.name for problem in PROBLEMS]
POINTS = {problem.name: problem.points for problem in PROBLEMS}
STATUSES = {"passed", "failed", "error", "timeout", "not started", "waiting"}
Run = subprocess.CompletedProcess


def lines(result: Run[str]) -> list[str]:
    return [line for line in result.stdout.splitlines() if line.strip()]


def broken(files: dict[str, bytes]) -> None:
    """Wrong, hanging, raising, unwritten and missing, all in one; what is right stays right."""
    body("ReLU.derivative", "return 2 * original(*args)")(files)
    body("Tanh.derivative", "while True: pass")(files)
    body("SoftmaxCrossEntropy.derivative", "print('größe: 1')\nraise ValueError('größe \\ud800 {\"scores\": {}}')")(
        files
    )
    body("MLP.step", "raise NotImplementedError")(files)
    without("hw1/mc.py")(files)


@pytest.fixture(scope="module")
def submission(tmp_path_factory: pytest.TempPathFactory) -> Path:
    files = solution()
    broken(files)
    return write(files, tmp_path_factory.mktemp("broken"))


@pytest.fixture(scope="module")
def report(submission: Path) -> dict[str, Any]:
    return json.loads(run("--submission", str(submission), "--format", "json", "--deadline", "1").stdout)


# JSON


def test_json_holds_the_total_the_scores_the_problems_and_the_findings(report: dict[str, Any]) -> None:
    assert {"total", "max_total", "scores", "problems", "findings"} <= set(report)
    assert list(report["scores"]) == NAMES
    assert report["max_total"] == MAX_TOTAL
    assert report["total"] == sum(report["scores"].values())
    assert [problem["name"] for problem in report["problems"]] == NAMES
    for problem in report["problems"]:
        assert problem["status"] in STATUSES
        assert type(problem["seconds"]) is float
        assert (problem["reason"] == "") == (problem["status"] == "passed")
        assert report["scores"][problem["name"]] == problem["score"]
        assert problem["score"] == (POINTS[problem["name"]] if problem["status"] == "passed" else 0)
    assert 0 < report["total"] < MAX_TOTAL


@pytest.mark.parametrize(
    ("name", "status", "reason"),
    [
        ("Multiple Choice Questions", "error", "hw1/mc.py is missing"),
        ("ReLU Non-Linearity (derivative)", "failed", "derivative()"),
        ("Tanh Non-Linearity (derivative)", "timeout", "still running after 1 s, at mytorch/activation.py, line"),
        ("Softmax Cross Entropy (derivative)", "error", "ValueError"),
        ("Linear Classifier (backward)", "waiting", "ValueError"),
        ("Linear Layer (backward)", "passed", ""),
    ],
)
def test_json_tells_of_each_problem_how_it_went(name: str, status: str, reason: str, report: dict[str, Any]) -> None:
    problem = next(problem for problem in report["problems"] if problem["name"] == name)
    assert problem["status"] == status
    assert reason in problem["reason"]


def test_a_waiting_problem_names_the_first_that_it_waits_for(report: dict[str, Any]) -> None:
    waits = {problem["name"]: problem["waits_for"] for problem in report["problems"] if problem["waits_for"]}
    assert waits["Linear Classifier (backward)"] == "Softmax Cross Entropy (derivative)"
    assert waits["N Hidden Layer (backward) 2"] == "Softmax Cross Entropy (derivative)"
    assert "Linear Layer (backward)" not in waits


def test_what_was_printed_stands_with_its_problem(report: dict[str, Any]) -> None:
    printed = {problem["name"]: problem["printed"] for problem in report["problems"]}
    assert printed["Softmax Cross Entropy (derivative)"] == "größe: 1"
    assert printed["Sigmoid Non-Linearity (forward)"] == ""


def test_a_finding_has_a_title_a_reason_and_why_it_matters(tmp_path: Path) -> None:
    files = solution()
    changed("mytorch/linear.py", "self.dW = self.x.T @ mean_delta", "self.dW = self.dW + self.x.T @ mean_delta")(files)
    changed("hw1/hw1.py", "linear.dW.fill(0)", "linear.dW *= 0")(files)
    result = run("--submission", str(write(files, tmp_path)), "--format", "json")
    found = json.loads(result.stdout)
    assert (found["total"], result.returncode) == (MAX_TOTAL, 0)
    assert "Linear.backward accumulates" in [finding["title"] for finding in found["findings"]]
    assert all(finding["title"] and finding["reason"] and finding["why"] for finding in found["findings"])


def test_json_says_what_was_graded_by_which_grader_and_how(tmp_path: Path) -> None:
    folder = write(solution(), tmp_path / "anna")
    found: dict[str, Any] = {}
    asked: list[tuple[Any, ...]] = [
        ("folder", folder),
        ("tar", packed(folder)),
        ("against", folder, "--against", str(ROOT), "--seed", "7"),
        ("by the files", folder, "--against", str(ROOT), "--seed", "handin"),
        ("no solution", folder, "--against", str(tmp_path / "none")),
        ("no handin", tmp_path / "none.tar"),
    ]
    for name, place, *arguments in asked:
        options = ("-k", "momentum", "--format", "json")
        found[name] = json.loads(run("--submission", str(place), *arguments, *options).stdout)
    assert {report["grader"] for report in found.values()} == {run("--version").stdout.strip()}
    assert re.fullmatch(r"1\.\d-[0-9a-f]{8}", found["tar"]["grader"])
    assert [report["handin"]["name"] for report in found.values()] == ["anna", "anna.tar", *["anna"] * 3, "none.tar"]
    digests = [report["handin"]["digest"] for report in found.values()]
    assert len(set(digests[:-2])) == 1
    assert (len(digests[0]), digests[-2:]) == (64, ["", ""])
    judges = ["references", "references", "solution", "solution", "references", "references"]
    assert [report["judge"] for report in found.values()] == judges
    seeds = [report["seed"] for report in found.values()]
    assert seeds[:3] + seeds[4:] == [None, None, 7, None, None]
    assert (
        json.loads(
            run("--submission", str(folder), "--against", str(ROOT), "--seed", str(seeds[3]), "--format", "json").stdout
        )["seed"]
        == seeds[3]
        > 7
    )


def packed(folder: Path) -> Path:
    path = folder.with_suffix(".tar")
    with tarfile.open(path, "w") as tar:
        for name in ("hw1", "mytorch"):
            tar.add(folder / name, name)
    return path


@pytest.mark.parametrize("changed_file", ["autograder/hw1_autograder/homework/cases.py", "data/hw1_mistakes.npz"])
def test_the_version_follows_the_grader_and_not_the_submission(changed_file: str, tmp_path: Path) -> None:
    grader = copied(tmp_path)
    for path in (ROOT / "data").glob("hw1_*.npz"):
        write({f"data/{path.name}": path.read_bytes()}, tmp_path / "project")
    before = run("--version", grader=grader).stdout
    assert before == run("--version").stdout
    (tmp_path / "project" / "mytorch" / "linear.py").write_text("")
    assert run("--version", grader=grader).stdout == before
    with open(tmp_path / "project" / changed_file, "ab") as file:
        file.write(b"\n")
    assert run("--version", grader=grader).stdout != before


def test_a_hint_comes_with_its_mistakes_key_and_section(tmp_path: Path) -> None:
    found = json.loads(
        run("--submission", str(handins.with_mistakes(tmp_path, "dW_summed")), "--format", "json").stdout
    )
    hints = [hint for problem in found["problems"] for hint in problem["hints"]]
    assert [(hint["mistake"], hint["section"]) for hint in hints] == [("dW_summed", "3.4.2")]
    assert "summed" in hints[0]["text"]


# The table


def test_the_table_has_a_row_for_each_problem_and_the_total(submission: Path, report: dict[str, Any]) -> None:
    result = run("--submission", str(submission), "--deadline", "1")
    for name, score in report["scores"].items():
        assert re.search(rf"^ *{re.escape(name)} +{score} / {POINTS[name]} ", result.stdout, re.MULTILINE)
    assert re.search(rf"Total +{report['total']} / {MAX_TOTAL}", result.stdout)
    assert "Traceback" not in result.stdout + result.stderr


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_the_table_can_be_printed_in_any_encoding(encoding: str, submission: Path) -> None:
    result = run("--submission", str(submission), "-k", "softmax", PYTHONIOENCODING=encoding, PYTHONUTF8="0")
    assert result.returncode == 1
    assert "ValueError" in result.stdout
    assert result.stderr == ""


# Autolab


def check_autolab(result: Run[str]) -> tuple[dict[str, float], dict[str, Any]]:
    """Assert all that the server asks of the output; return the scores and the checks of the feedback."""
    assert result.returncode == 0
    assert len(lines(result)) < 10_000
    assert len(result.stdout) < 1_000_000
    *_, before, last = lines(result)
    scores = json.loads(last)
    assert list(scores) == ["scores"]
    assert list(scores["scores"]) == NAMES
    assert all(type(score) is int for score in scores["scores"].values())
    assert not any(re.search(r"\w:", name) for name in NAMES)
    feedback = json.loads(before)
    assert list(feedback) == ["_presentation", "stages", *feedback["stages"]]
    assert feedback["_presentation"] == "semantic"
    checks = {}
    for stage in feedback["stages"]:
        order = feedback[stage].pop("_order")
        assert list(feedback[stage]) == order
        checks.update(feedback[stage])
    for name, check in checks.items():
        assert set(check) == {"passed"} if check["passed"] else {"passed", "hint"}
        assert type(check["passed"]) is bool
        assert check["passed"] == (scores["scores"].get(name, 0) > 0)
        assert check["passed"] or (type(check["hint"]) is str and check["hint"])
    return scores["scores"], checks


def test_autolab_reads_feedback_and_scores_from_the_last_two_lines(submission: Path, report: dict[str, Any]) -> None:
    scores, checks = check_autolab(run("--module-path", str(submission), "--deadline", "1", AUTOLAB="1"))
    assert sorted(checks) == sorted(NAMES)
    assert scores == report["scores"]
    assert "mc.py is missing" in checks["Multiple Choice Questions"]["hint"]


@pytest.mark.parametrize(("arguments", "autolab"), [(["--format", "autolab"], "0"), ([], "1")])
def test_full_points_on_autolab(arguments: list[str], autolab: str) -> None:
    scores, checks = check_autolab(run(*arguments, AUTOLAB=autolab))
    assert sorted(checks) == sorted(NAMES)
    assert scores == {problem.name: problem.points for problem in PROBLEMS}


def test_a_format_that_is_asked_for_counts_on_autolab_as_well() -> None:
    assert json.loads(run("--format", "json", "-k", "momentum", AUTOLAB="1").stdout)["total"] == POINTS["Momentum"]


def test_when_the_time_is_used_up_every_problem_is_reported_all_the_same(tmp_path: Path) -> None:
    files = solution()
    files["mytorch/activation.py"] += (
        b"\nfor activation in (Sigmoid, Tanh, ReLU):\n    activation.forward = input_ = None\n"
    )
    body("Sigmoid.forward", "while True: pass")(files)
    body("Tanh.forward", "while True: pass")(files)
    result = run("--submission", str(write(files, tmp_path)), "--deadline", "1", "--run-deadline", "1.5", AUTOLAB="1")
    scores, checks = check_autolab(result)
    assert scores["Multiple Choice Questions"] == 5
    assert "the run's 1.5 s were used up" in checks["Momentum"]["hint"]


# Gradescope


def test_gradescope_has_a_test_for_each_problem(submission: Path, report: dict[str, Any], tmp_path: Path) -> None:
    out = tmp_path / "results.json"
    result = run("--submission", str(submission), "--format", "gradescope", "--out", str(out), "--deadline", "1")
    assert result.returncode == 1
    results = json.loads(out.read_text())
    assert {"tests", "execution_time", "output"} <= set(results)
    assert type(results["output"]) is str
    assert results["execution_time"] > 0
    for test, problem in zip(results["tests"], PROBLEMS):
        assert set(test) == {"name", "number", "score", "max_score", "status", "output"}
        assert test["name"] == problem.name
        assert (test["score"], test["max_score"]) == (report["scores"][problem.name], problem.points)
        assert test["status"] == ("passed" if test["score"] else "failed")
        assert (test["output"] == "") == (test["status"] == "passed")
    assert len(results["tests"]) == len(PROBLEMS)
    numbers = [test["number"] for test in results["tests"]]
    assert numbers[:4] == ["2", "3.1.1", "3.1.2", "3.1.3"]
    assert numbers[-3:] == ["3.5.3", "3.3a", "3.3b"]
    assert len(set(numbers)) == len(PROBLEMS)


def test_results_are_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "results.json"
    out.write_text("older")

    def full_disk(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(reports.os, "replace", full_disk)
    with pytest.raises(OSError, match="No space"):
        reports.publish(not_graded("", "for a test"), "gradescope", str(out), None, whole=False)
    assert out.read_text() == "older"
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize("form", ["json", "gradescope"])
def test_a_place_that_cannot_be_written_is_said_in_a_line(form: str, tmp_path: Path) -> None:
    result = run("--format", form, "--out", str(tmp_path / "nowhere" / "results.json"), "-k", "momentum")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("the results can't be written: ")
    assert len(result.stderr.splitlines()) == 1


# Exit statuses, and what is said where nothing can be graded


@pytest.mark.parametrize(("words", "status"), [("momentum", 0), ("relu", 1)])
def test_the_exit_status_is_0_for_full_points_and_1_for_fewer(words: str, status: int, tmp_path: Path) -> None:
    files = solution()
    body("ReLU.derivative", "return 0 * original(*args)")(files)
    assert run("--submission", str(write(files, tmp_path)), "-k", words).returncode == status


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
        ("-k", "no such problem"),
        ("-v", "--format", "json"),
        ("--watch", "--training-stats"),
        ("-v", "--training-stats"),
        ("-k", "tanh", "--training-stats"),
        ("--nothing",),
    ],
)
def test_options_that_make_no_sense_are_refused_with_exit_status_2(arguments: tuple[str, ...]) -> None:
    result = run(*arguments)
    assert (result.returncode, result.stdout) == (2, "")
    assert "runner.py: error: " in result.stderr


def no_submission(tmp_path: Path) -> tuple[dict[str, Any], str]:
    return {"arguments": ("--submission", str(tmp_path / "nowhere"))}, "no such folder or file"


def empty_submission(tmp_path: Path) -> tuple[dict[str, Any], str]:
    return {"arguments": ("--submission", str(tmp_path))}, "holds no .py file in hw1/ or mytorch/"


def no_references(tmp_path: Path) -> tuple[dict[str, Any], str]:
    return {"grader": copied(tmp_path)}, "the references can't be read"


def damaged_references(tmp_path: Path) -> tuple[dict[str, Any], str]:
    references = (ROOT / "data" / "hw1_reference.npz").read_bytes()
    return {"grader": copied(tmp_path, references[: len(references) // 2])}, "the references can't be read"


def references_that_are_none(tmp_path: Path) -> tuple[dict[str, Any], str]:
    return {"grader": copied(tmp_path, b"nothing of the kind")}, "the references can't be read"


def no_pytest(tmp_path: Path) -> tuple[dict[str, Any], str]:
    (tmp_path / "numpy").symlink_to(Path(numpy.__file__).parent)
    return {"python": ("-S",), "PYTHONPATH": str(tmp_path)}, "pytest is not installed"


def no_numpy(tmp_path: Path) -> tuple[dict[str, Any], str]:
    return {"python": ("-S",)}, "numpy is not installed"


def copied(tmp_path: Path, references: bytes | None = None) -> Path:
    """The grader alone, with these references or none, and the solution beside it."""
    grader = tmp_path / "project" / "autograder" / "hw1_autograder"
    shutil.copytree(GRADER, grader, ignore=shutil.ignore_patterns("__pycache__"))
    write(solution(), tmp_path / "project")
    if references is not None:
        sums = f"{hashlib.sha256(references).hexdigest()}  hw1_reference.npz\n".encode()
        write({"data/hw1_reference.npz": references, "data/SHA256SUMS": sums}, tmp_path / "project")
    return grader


OBSTACLES = [
    no_submission,
    empty_submission,
    no_references,
    damaged_references,
    references_that_are_none,
    no_pytest,
    no_numpy,
]


@pytest.mark.parametrize("form", ["table", "autolab", "json"])
@pytest.mark.parametrize("obstacle", OBSTACLES, ids=lambda obstacle: obstacle.__name__)
def test_where_nothing_can_be_graded_a_line_says_why(
    obstacle: Callable[[Path], tuple[dict[str, Any], str]], form: str, tmp_path: Path
) -> None:
    settings, words = obstacle(tmp_path)
    result = run(*settings.pop("arguments", ()), "--format", form, **settings)
    assert words in result.stderr
    assert len(result.stderr.splitlines()) == 1
    if form == "autolab" and obstacle in (no_submission, empty_submission):
        scores, checks = check_autolab(result)
        assert scores == dict.fromkeys(NAMES, 0)
        assert words in checks["can be graded"]["hint"]
        assert len(lines(result)) == 2
    elif form == "autolab":
        assert (result.returncode, result.stdout) == (2, ""), "Autolab keeps earlier scores where the output has none"
    else:
        assert result.returncode == 2
        if form == "json" and obstacle is not no_numpy:
            found = json.loads(result.stdout)
            assert found["scores"] == dict.fromkeys(NAMES, 0)
            assert words in found["failure"]
            assert result.stdout.count(words) == 1


def test_the_solution_gets_full_points_from_any_folder_and_leaves_none(tmp_path: Path) -> None:
    result = run(TMPDIR=str(tmp_path))
    assert (result.returncode, result.stderr) == (0, "")
    assert list(tmp_path.iterdir()) == []
    assert handins.grade(ROOT).score == MAX_TOTAL
