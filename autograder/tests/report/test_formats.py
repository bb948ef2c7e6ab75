"""What each format promises to the program that reads it."""

from __future__ import annotations

import io
import json
import re
import tarfile
from pathlib import Path
from typing import Any, Callable

import pytest

from grading.run import Run, not_graded
from grading.version import version
from handins import MAX_TOTAL, PROBLEMS, ROOT, body, edited, report, solution, write
from report import formats

NAMES = [problem.name for problem in PROBLEMS]
POINTS = {problem.name: problem.points for problem in PROBLEMS}
STATUSES = {"passed", "failed", "error", "timeout", "not started", "waiting"}


def as_json(run: Run) -> dict[str, Any]:
    """The JSON of a run, as a program reads it."""
    parsed: dict[str, Any] = json.loads(json.dumps(formats.as_json(run)))
    return parsed


# JSON


def test_json_holds_the_total_the_scores_the_problems_and_the_findings(broken: Run) -> None:
    told = as_json(broken)
    assert {"total", "max_total", "scores", "problems", "findings"} <= set(told)
    assert list(told["scores"]) == NAMES
    assert told["max_total"] == MAX_TOTAL
    assert told["total"] == sum(told["scores"].values())
    assert [problem["name"] for problem in told["problems"]] == NAMES
    for problem in told["problems"]:
        assert problem["status"] in STATUSES
        assert type(problem["seconds"]) is float
        assert (problem["reason"] == "") == (problem["status"] == "passed")
        assert told["scores"][problem["name"]] == problem["score"]
        assert problem["score"] == (POINTS[problem["name"]] if problem["status"] == "passed" else 0)
    assert 0 < told["total"] < MAX_TOTAL


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
def test_json_has_of_each_problem_how_it_went(name: str, status: str, reason: str, broken: Run) -> None:
    problem = next(problem for problem in as_json(broken)["problems"] if problem["name"] == name)
    assert problem["status"] == status
    assert reason in problem["reason"]


def test_a_waiting_problem_names_the_first_that_it_waits_for(broken: Run) -> None:
    waits = {problem["name"]: problem["waits_for"] for problem in as_json(broken)["problems"] if problem["waits_for"]}
    assert waits["Linear Classifier (backward)"] == "Softmax Cross Entropy (derivative)"
    assert waits["N Hidden Layer (backward) 2"] == "Softmax Cross Entropy (derivative)"
    assert "Linear Layer (backward)" not in waits


def test_what_was_printed_is_with_its_problem(broken: Run) -> None:
    printed = {problem["name"]: problem["printed"] for problem in as_json(broken)["problems"]}
    assert printed["Softmax Cross Entropy (derivative)"] == "größe: 1"
    assert printed["Sigmoid Non-Linearity (forward)"] == ""


def test_a_finding_has_a_title_a_reason_and_why_it_matters(tmp_path: Path) -> None:
    spoil = body("Tanh.forward", "out = original(*args)\nargs[1][:] = 0\nreturn out")
    told = as_json(report(edited(tmp_path, spoil)))
    assert told["total"] == MAX_TOTAL
    (finding,) = told["findings"]
    assert finding["title"] == "Tanh changes its argument or its state"
    assert finding["reason"]
    assert finding["why"]


def test_json_has_what_was_graded_by_which_grader_and_how(tmp_path: Path) -> None:
    folder = write(solution(), tmp_path / "anna")
    tar = tmp_path / "anna.tar"
    with tarfile.open(tar, "w") as archive:
        for name in ("hw1", "mytorch"):
            archive.add(folder / name, name)
    runs = [
        report(folder, words=("momentum",)),
        report(tar, words=("momentum",)),
        report(folder, words=("momentum",), against=str(ROOT), seed=7),
        report(folder, words=("momentum",), against=str(ROOT), seed="handin"),
        not_graded(str(tmp_path / "none.tar"), "no such file"),
    ]
    told = [as_json(run) for run in runs]
    assert {run["grader"] for run in told} == {version()}
    assert [run["handin"]["name"] for run in told] == ["anna", "anna.tar", "anna", "anna", "none.tar"]
    digests = [run["handin"]["digest"] for run in told]
    assert len(set(digests[:-1])) == 1
    assert (len(digests[0]), digests[-1]) == (64, "")
    assert [run["judge"] for run in told] == ["references", "references", "solution", "solution", "references"]
    seeds = [run["seed"] for run in told]
    assert seeds[:3] + seeds[4:] == [None, None, 7, None]
    assert report(tar, words=("momentum",), against=str(ROOT), seed="handin").seed == seeds[3] > 7


def test_a_hint_comes_with_its_mistakes_key_and_section(mistaken: Callable[..., Run]) -> None:
    hints = [hint for problem in as_json(mistaken("dW_summed"))["problems"] for hint in problem["hints"]]
    assert [(hint["mistake"], hint["section"]) for hint in hints] == [("dW_summed", "3.4.2")]
    assert "summed" in hints[0]["text"]


# Autolab


def autolab(run: Run) -> tuple[dict[str, float], dict[str, Any]]:
    """Assert all that the server asks of the output; return the scores and the checks of the feedback."""
    out = io.StringIO()
    formats.autolab(run, out)
    lines = [line for line in out.getvalue().splitlines() if line.strip()]
    assert len(lines) < 10_000
    assert len(out.getvalue()) < 1_000_000
    *_, before, last = lines
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


def test_autolab_reads_feedback_and_scores_from_the_last_two_lines(broken: Run) -> None:
    scores, checks = autolab(broken)
    assert sorted(checks) == sorted(NAMES)
    assert scores == as_json(broken)["scores"]
    assert "mc.py is missing" in checks["Multiple Choice Questions"]["hint"]


def test_full_points_on_autolab(mistaken: Callable[..., Run]) -> None:
    scores, checks = autolab(mistaken())
    assert sorted(checks) == sorted(NAMES)
    assert scores == POINTS


def test_when_the_time_is_used_up_every_problem_is_reported_all_the_same(tmp_path: Path) -> None:
    hang = "import time; time.sleep(1000)"
    edits = [body("Sigmoid.forward", hang), body("Tanh.forward", hang)]
    scores, checks = autolab(report(edited(tmp_path, *edits), deadline=1, run_deadline=1.5))
    assert scores["Multiple Choice Questions"] == 5
    assert "the run's 1.5 s were used up" in checks["Momentum"]["hint"]


# Gradescope


def test_gradescope_has_a_test_for_each_problem(broken: Run) -> None:
    results = json.loads(json.dumps(formats.gradescope(broken)))
    assert set(results) == {"tests", "execution_time", "output"}
    assert type(results["output"]) is str
    assert results["execution_time"] > 0
    scores = formats.scores(broken)
    for test, problem in zip(results["tests"], PROBLEMS):
        assert set(test) == {"name", "number", "score", "max_score", "status", "output"}
        assert test["name"] == problem.name
        assert (test["score"], test["max_score"]) == (scores[problem.name], problem.points)
        assert test["status"] == ("passed" if test["score"] else "failed")
        assert (test["output"] == "") == (test["status"] == "passed")
    assert len(results["tests"]) == len(PROBLEMS)
    numbers = [test["number"] for test in results["tests"]]
    assert numbers[:4] == ["2", "3.1.1", "3.1.2", "3.1.3"]
    assert numbers[-3:] == ["3.5.3", "3.3a", "3.3b"]
    assert len(set(numbers)) == len(PROBLEMS)
    assert formats.gradescope(broken, "hidden")["visibility"] == "hidden"


def test_results_are_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "results.json"
    out.write_text("older")

    def full_disk(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full_disk)
    with pytest.raises(OSError, match="No space"):
        formats.publish(not_graded("", "for a test"), "gradescope", str(out), None, whole=False)
    assert out.read_text() == "older"
    assert list(tmp_path.iterdir()) == [out]
