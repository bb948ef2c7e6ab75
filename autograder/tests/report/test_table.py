"""The page that a student reads: what costs most comes first, no more than they can take in, and what to do next."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Callable

import pytest

from catalogue import BY_KEY, apply
from grading.run import Run
from handins import (
    MAX_TOTAL,
    PROBLEMS,
    Edit,
    body,
    changed,
    edited,
    page,
    paragraphs,
    report,
    with_mistakes,
    write,
)
from homework.problems import TO_WRITE
from kit.starter_files import unwritten
from report import table

SCREEN = 50  # lines
Graded = Callable[..., Run]  # the fixture `mistaken`

# A fault each of more bodies than are told in full.
FAULTS = (
    *("tanh_derivative_not_squared", "relu_derivative_at_zero", "loss_sign", "loss_derivative_averaged", "dW_summed"),
    *("step_adds", "sigmoid_derivative_no_product", "tanh_is_tan"),
)


def titles_of(text: str) -> list[str]:
    """The titles of the faults that are shown in full."""
    return [
        part[0].partition(", section")[0]
        for part in paragraphs(text)
        if ", section" in part[0] and part[0][:5] != "Next:"
    ]


# The table, and below it what costs most first.


def test_the_table_has_a_row_for_each_problem_and_the_total(broken: Run) -> None:
    text = page(broken)
    for problem in PROBLEMS:
        score = broken.verdicts[problem.key].score
        assert re.search(rf"^ *{re.escape(problem.name)} +{score} / {problem.points} ", text, re.MULTILINE)
    assert re.search(rf"Total +{broken.total} / {MAX_TOTAL}", text)


def test_the_report_leads_with_each_fault_once_and_ends_with_what_comes_next(mistaken: Graded) -> None:
    text = page(mistaken("dW_summed"))
    assert text.count("13 times the expected") == 1
    assert "Hint: dW is summed over the batch" in text
    assert re.search(r"Behind it: Linear Classifier \(backward\)", text)
    assert text.splitlines()[-1] == "Next: Linear Layer (backward), 2 points, section 3.4.2 of the writeup."


def test_the_fault_that_costs_the_most_points_leads(mistaken: Graded) -> None:
    text = page(mistaken("tanh_derivative_not_squared", "dW_summed"))
    assert titles_of(text) == ["Linear Layer (backward)", "Tanh Non-Linearity (derivative)"]
    assert "Linear Layer (backward), section 3.4.2, 2 points and 48 behind it" in text


def test_five_faults_are_shown_in_full_and_the_rest_in_a_line_each(mistaken: Graded) -> None:
    run = mistaken(*FAULTS)
    text, faults = page(run), table.weighed(run)
    names = [verdict.problem.name for verdict, _ in faults]
    assert len(names) > 5
    assert titles_of(text) == names[:5]
    for name in names[5:]:
        assert re.search(rf"^{re.escape(name)}: \S.*$", text, re.MULTILINE)
    assert f"{len(names) - 5} more fault" in text
    assert titles_of(page(run, whole=True)) == names


def test_three_findings_are_shown_the_weightiest_first(tmp_path: Path) -> None:
    spoil = b"        return self.state\n"
    accumulate = "self.dW = self.dW + self.x.T @ mean_delta"
    edits: list[Edit] = [
        lambda files: files.update(
            {"mytorch/activation.py": files["mytorch/activation.py"].replace(spoil, b"        x[:] = 0\n" + spoil)}
        ),
        changed("mytorch/linear.py", "self.dW = self.x.T @ mean_delta", accumulate),
    ]
    run = report(edited(tmp_path, *edits))
    titles = [finding.title for finding in run.findings]
    assert len(titles) > 3
    assert titles.index("Linear.backward accumulates") < titles.index("Tanh changes its argument or its state")
    text = page(run)
    assert [title for title in titles if title in text] == titles[:3]
    assert f"{len(titles) - 3} more finding" in text
    assert all(title in page(run, whole=True) for title in titles)


@pytest.mark.parametrize("done", range(0, len(TO_WRITE), 8))
def test_a_half_done_submission_fits_on_two_screens(done: int, tmp_path: Path) -> None:
    files = unwritten([*TO_WRITE][done:])
    for name in [name for name in files if name.startswith("mytorch/")]:
        wrong = b"        print(1, 2, 3, sep='\\n')\n        return -self."
        files[name] = files[name].replace(b"        return self.", wrong)
    text = page(report(write(files, tmp_path)))
    assert len(text.splitlines()) <= 2 * SCREEN
    assert "\nNext: " in text


# What to do next.


@pytest.mark.parametrize(
    ("missing", "wrong", "following"),
    [
        (["Tanh.forward", "Tanh.derivative"], ["momentum_ignored"], "Momentum, 10 points"),
        (["Tanh.forward", "ReLU.forward"], [], "Tanh Non-Linearity (forward), 2 points"),
        (["question_"], ["loss_of_logits"], "Softmax Cross Entropy (forward), 2 points"),
        (["question_", "Tanh.derivative"], [], "Tanh Non-Linearity (derivative), 2 points"),
        (["BatchNorm", "question_"], [], "Batch Normalization (training time), 10 points"),
        (["MLP.step", "question_"], ["tanh_is_tan"], "Tanh Non-Linearity (forward), 2 points"),
    ],
)
def test_next_is_what_gives_most_points_for_the_fewest_bodies(
    missing: list[str], wrong: list[str], following: str, tmp_path: Path
) -> None:
    files = unwritten([name for name in TO_WRITE if any(part in name for part in missing)])
    for key in wrong:
        files = apply(BY_KEY[key], files)
    text = page(report(write(files, tmp_path)))
    assert re.findall(r"^Next: (.*), section", text, re.MULTILINE) == [following]


# What is shown, and what is not started.


def test_a_print_is_shown_where_the_problem_passes_and_the_same_once(tmp_path: Path) -> None:
    linear = body("Linear.forward", "print('linear', *range(9), sep='\\n')\nreturn original(*args)")
    tanh = body("Tanh.derivative", "print('tanh\\x1b[2J')\nreturn original(*args)")
    text = page(report(edited(tmp_path, linear, tanh)))
    assert "All points" in text
    assert text.count("| linear") == text.count("| tanh") == 1
    assert "| … 7 more lines" in text
    assert "\x1b" not in text
    assert re.search(r"    Linear Layer \(forward\), .* and \d+ more\.\n    \| linear", text)


@pytest.mark.parametrize("written", ["MLP", "MLP and BatchNorm"])
def test_an_empty_bn_layers_is_a_fault_once_batch_norm_is_written(written: str, tmp_path: Path) -> None:
    files = unwritten([name for name in TO_WRITE if "BatchNorm" in name and "BatchNorm" not in written])
    hw1 = files["hw1/hw1.py"].decode()
    files["hw1/hw1.py"] = re.sub(r"self\.bn_layers = .*", "self.bn_layers = []", hw1).encode()
    run = report(write(files, tmp_path))
    unpassed = {key: v.status for key, v in run.verdicts.items() if v.status != "passed"}
    if "BatchNorm" in written:  # no body is left to be written: it is a fault, at its line
        assert unpassed == {"batchnorm_train": "error", "batchnorm_inference": "waiting"}
        assert "`self.bn_layers = []`: MLP.bn_layers is empty, expected a list of 2" in " ".join(page(run).split())
    else:
        assert unpassed == {"batchnorm_train": "not started", "batchnorm_inference": "not started"}
        assert "Still to be written" in page(run)


@pytest.mark.parametrize("text", ["pass", "...", "'''What it does.'''", "return None", "raise NotImplementedError"])
def test_a_body_that_is_not_begun_is_not_started(text: str, tmp_path: Path) -> None:
    files = unwritten(["mytorch/activation.py:ReLU.derivative"])
    source = files["mytorch/activation.py"].decode()
    files["mytorch/activation.py"] = re.sub(r"raise NotImplementedError\(\"ReLU.*", text, source).encode()
    assert text in files["mytorch/activation.py"].decode()
    assert report(write(files, tmp_path)).verdicts["relu_derivative"].status == "not started"


# A part of it, all of it.


def test_a_part_says_what_its_faults_come_from(tmp_path: Path) -> None:
    run = report(with_mistakes(tmp_path, "dW_summed"), words=("momentum",))
    assert [*run.verdicts] == ["momentum"]
    assert (run.total, run.max_total) == (0, 10)
    assert "Linear Layer (backward), section 3.4.2, 2 points and " in page(run)
    assert run.verdicts["momentum"].behind == "linear_backward"


def test_a_part_has_its_findings_and_never_says_that_these_are_all_points(tmp_path: Path) -> None:
    spoil = body("Tanh.forward", "out = original(*args)\nargs[1][:] = 0\nreturn out")
    run = report(edited(tmp_path, spoil), words=("tanh",))
    text = page(run)
    assert "All points" not in text
    assert "Full points for what was asked: 2 of 25 problems." in text
    assert [finding.title for finding in run.findings] == ["Tanh changes its argument or its state"]
