"""The page that a student reads: what costs most comes first, no more than they can take in, and what to do next."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
import pytest

from catalogue import BY_KEY, apply
from grading import gradient_check, training_stats
from grading.run import Run
from grading.settings import Settings
from handins import (
    REFERENCES,
    ROOT,
    body,
    changed,
    command,
    page,
    paragraphs,
    report,
    solution,
    with_mistakes,
    write,
)
from homework.problems import PROBLEMS, TO_WRITE
from kit.starter_files import unwritten
from report import answers, table, watch
from sandbox.workplace import Workplace

SCREEN = 50  # lines

# A fault each of more bodies than are told in full.
FAULTS = (
    *("tanh_derivative_not_squared", "relu_derivative_at_zero", "loss_sign", "loss_derivative_averaged", "dW_summed"),
    *("step_adds", "sigmoid_derivative_no_product", "tanh_is_tan"),
)


def told(text: str) -> list[str]:
    """The titles of the faults that are told in full."""
    return [
        part[0].partition(", section")[0]
        for part in paragraphs(text)
        if ", section" in part[0] and part[0][:5] != "Next:"
    ]


# What costs most comes first.


def test_the_fault_that_costs_the_most_points_leads(tmp_path: Path) -> None:
    text = page(report(with_mistakes(tmp_path, "tanh_derivative_not_squared", "dW_summed")))
    assert told(text) == ["Linear Layer (backward)", "Tanh Non-Linearity (derivative)"]
    assert "Linear Layer (backward), section 3.4.2, 2 points and 48 behind it" in text


def test_five_faults_are_told_in_full_and_the_rest_in_a_line_each(tmp_path: Path) -> None:
    run = report(with_mistakes(tmp_path, *FAULTS))
    text, faults = page(run), table.weighed(run)
    names = [verdict.problem.name for verdict, _ in faults]
    assert len(names) > 5
    assert told(text) == names[:5]
    for name in names[5:]:
        assert re.search(rf"^{re.escape(name)}: \S.*$", text, re.MULTILINE)
    assert f"{len(names) - 5} more fault" in text
    assert told(page(run, whole=True)) == names


def test_three_findings_are_told_the_weightiest_first(tmp_path: Path) -> None:
    files = solution()
    spoil = b"        return self.state\n"
    files["mytorch/activation.py"] = files["mytorch/activation.py"].replace(spoil, b"        x[:] = 0\n" + spoil)
    changed("mytorch/linear.py", "self.dW = self.x.T @ mean_delta", "self.dW = self.dW + self.x.T @ mean_delta")(files)
    run = report(write(files, tmp_path))
    titles = [finding.title for finding in run.findings]
    assert len(titles) > 3
    assert titles.index("Linear.backward accumulates") < titles.index("Tanh changes its argument or its state")
    text = page(run)
    assert [title for title in titles if title in text] == titles[:3]
    assert f"{len(titles) - 3} more finding" in text
    assert all(title in page(run, whole=True) for title in titles)


@pytest.mark.parametrize("done", range(0, len(TO_WRITE), 4))
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
    files = solution()
    body("Linear.forward", "print('linear', *range(9), sep='\\n')\nreturn original(*args)")(files)
    body("Tanh.derivative", "print('tanh\\x1b[2J')\nreturn original(*args)")(files)
    run = report(write(files, tmp_path))
    text = page(run)
    assert "All points" in text
    assert text.count("| linear") == text.count("| tanh") == 1
    assert "| … 7 more lines" in text
    assert "\x1b" not in text
    assert re.search(r"    Linear Layer \(forward\), .* and \d+ more\.\n    \| linear", text)


@pytest.mark.parametrize("written", ["MLP", "MLP and BatchNorm"])
def test_a_networks_batch_norm_that_is_not_begun_is_not_started(written: str, tmp_path: Path) -> None:
    files = unwritten([name for name in TO_WRITE if "BatchNorm" in name and "BatchNorm" not in written])
    hw1 = files["hw1/hw1.py"].decode()
    files["hw1/hw1.py"] = re.sub(r"self\.bn_layers = .*", "self.bn_layers = []", hw1).encode()
    run = report(write(files, tmp_path))
    assert {key: v.status for key, v in run.verdicts.items() if v.status != "passed"} == {
        "batchnorm_train": "not started",
        "batchnorm_inference": "not started",
    }
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
    files = solution()
    body("Tanh.forward", "out = original(*args)\nargs[1][:] = 0\nreturn out")(files)
    run = report(write(files, tmp_path), words=("tanh",))
    text = page(run)
    assert "All points" not in text
    assert "Full points for what was asked: 2 of 25 problems." in text
    assert [finding.title for finding in run.findings] == ["Tanh changes its argument or its state"]


def test_a_word_that_fits_no_problem_is_answered_with_the_names() -> None:
    refused = command("-k", "tahn")
    assert refused.returncode == 2
    assert all(f"  {problem.name}\n" in refused.stderr for problem in PROBLEMS)


def test_all_of_it_has_the_expected_value_of_the_first_wrong_entry(tmp_path: Path) -> None:
    folder = with_mistakes(tmp_path, "dW_summed")
    expected = np.load(REFERENCES)["linear_backward/out/dW"][0, 0]
    line = f"dW[0, 0] is {13 * expected:.10g}, expected {expected:.10g} (40 of 40 entries wrong)"
    assert line in command("-v", "--submission", str(folder)).stdout
    assert ", expected" not in command("--submission", str(folder)).stdout
    against = command("-v", "--submission", str(folder), "--against", str(ROOT), "--seed", "3").stdout
    assert "More of Linear Layer (backward)" in against
    assert ", expected" not in against


# The columns.


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("columns", [60, 80])
def test_every_line_fits_into_the_terminal(columns: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("NO_COLOR", "1")
    folder = with_mistakes(tmp_path, *FAULTS, "forward_never_advances", "stats_no_shuffling")
    shown = Terminal()
    table.table(report(folder), shown)
    settings = Settings(str(folder))
    with Workplace() as workplace:
        answers.gradients(gradient_check.check(gradient_check.LAYERS, settings, workplace), shown)
    with Workplace() as workplace:
        answers.rules(training_stats.watch(settings, workplace), training_stats.RUN, shown)
    lines = [line for line in shown.getvalue().splitlines() if not line.startswith("Grading ")]  # which is a path
    assert len(lines) > 100
    assert [line for line in lines if len(line) > columns] == []


# The watch.


def test_a_file_that_cannot_be_read_is_one_line_of_the_watch(tmp_path: Path) -> None:
    before = report(with_mistakes(tmp_path))
    (tmp_path / "mytorch" / "loss.py").write_text("def broken(:\n")
    after = report(tmp_path)
    assert len(watch.changes(after, before)) == 1
    assert re.fullmatch(r".* and 15 more: passed -> error", watch.changes(after, before)[0][0])
    assert len(watch.changes(before, after)) == 1
    assert watch.changes(before, after)[0][0].endswith(" and 15 more: error -> passed")


@pytest.mark.parametrize("whole", [False, True])
def test_the_watch_says_at_once_that_it_grades_and_honours_v(whole: bool, tmp_path: Path) -> None:
    folder, out = with_mistakes(tmp_path, "dW_summed"), io.StringIO()
    seen = []

    def grade() -> Run:
        seen.append(out.getvalue())
        if len(seen) > 1:
            raise KeyboardInterrupt
        run = report(folder)
        (folder / "hw1" / "mc.py").write_bytes(b"\n")
        return run

    with pytest.raises(KeyboardInterrupt):
        watch.watch(str(folder), grade, whole, out)
    assert all(text.endswith(f"Grading {folder} …\n") for text in seen)
    assert ("# The exercise" in out.getvalue()) == whole
