"""The catalogue: every mistake, graded as a submission, costs points or brings its finding, and is named."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from catalogue import BY_KEY, FILES, MISTAKES, SAME_NUMBERS, Mistake, apply
from grading.run import Verdict
from grading.settings import REFERENCES
from handins import CATALOGUE, MAX_TOTAL, ROOT, page, paragraphs, report, solution, with_mistakes
from homework.problems import PROBLEMS, builds_on
from report import table
from samples import sample

SOLUTION = solution()
Grade = Callable[..., Any]


@pytest.fixture
def grade(tmp_path: Path) -> Grade:
    """Grade the solution with the mistakes of these keys in it."""
    return lambda *keys, **settings: report(with_mistakes(tmp_path, *keys), **settings)


def first_fault(run: Any) -> Verdict | None:
    return next((verdict for verdict in run.verdicts.values() if verdict.status != "passed"), None)


# One of each kind: by its numbers, by what is raised, by a finding, of batch norm by itself, of the network, of 3.6.
PICKED = (
    "dW_summed",
    "softmax_no_keepdims",
    "relu_in_place",
    "dgamma_averaged",
    "hidden_derivative_skipped",
    "velocity_not_kept",
    "stats_short_batch_dropped",
)


@pytest.mark.parametrize("key", dict.fromkeys([*PICKED, *sample(BY_KEY, 24)]))
def test_a_mistake_costs_what_needs_it_and_is_named_first_and_nothing_that_is_right(key: str, grade: Grade) -> None:
    mistake, run = BY_KEY[key], grade(key)
    fault = first_fault(run)
    assert {key for key, verdict in run.verdicts.items() if verdict.status != "passed"} <= dependent(mistake)
    if fault is None:
        assert mistake.finding, f"{mistake.key} costs no points, so it needs the key of its finding"
        assert run.findings, "neither points nor a finding"
        assert mistake.hint in [hint.text for hint in run.findings[0].hints], run.findings
    else:
        assert not mistake.finding, f"{mistake.key} costs points already"
        raised = re.search(r", line \d+: .*(Error|Exception)", fault.reason)
        hints = [hint.text for hint in fault.hints] or [fault.reason]
        assert raised or mistake.hint in hints or mistake.hint in fault.reason, hints
        alone = [v for v in run.verdicts.values() if v.status not in ("passed", "not started") and not v.behind]
        assert alone in ([fault], []), "one cause, but several faults are reported"
    assert falsehoods(mistake, run) == []
    for lines in paragraphs(page(run)):
        assert len(lines) <= 5, "a paragraph has more than a student takes in"
        assert max(map(len, lines)) <= 80


def dependent(mistake: Mistake) -> set[str]:
    """The problems that ask for a body that the mistake is in, and those that build on them by the writeup."""
    bodies = {f"{FILES[target.partition('.')[0]]}:{target}" for target in mistake.code}
    own = {p.key for p in PROBLEMS if bodies & {":".join(body.split(":")[:2]) for body in p.bodies}}
    if any(target.startswith("Identity") for target in mistake.code):  # given, and in every network
        own |= {"classifier_forward", "classifier_backward"}
    if "MLP.eval" in mistake.code:  # given as well
        own.add("batchnorm_inference")
    return own | {problem.key for problem in PROBLEMS if own & {*builds_on(problem)}}


@pytest.mark.parametrize("name", ["Tanh", "ReLU"])
def test_an_activation_costs_its_own_four_points_and_no_more(name: str) -> None:
    changes = [mistake for mistake in MISTAKES if {f"{name}.forward", f"{name}.derivative"} & mistake.code.keys()]
    assert len(changes) > 3
    for mistake in changes:
        assert dependent(mistake) <= {f"{name.lower()}_forward", f"{name.lower()}_derivative"}


def falsehoods(mistake: Mistake, run: Any) -> list[str]:
    """The hints, bodies and lines in a report that are not this mistake's."""
    files = apply(mistake, SOLUTION)
    wrong = {name: data[len(SOLUTION[name]) :].count(b"\n") for name, data in files.items()}
    classes = {target.partition(".")[0] for target in mistake.code}
    faults = [verdict for verdict in run.verdicts.values() if verdict.status != "passed" and not verdict.behind]
    false = []
    for hint in [hint for part in [*faults, *run.findings] for hint in part.hints]:
        if hint.text not in {other.hint for other in MISTAKES if other.key in alike(mistake)}:
            false.append(hint.text)
    for finding in run.findings:
        named = set(re.findall(r"\w+", finding.title)) & {*FILES, "network"}
        if not named & {*classes, "network"}:
            false.append(finding.title)
    for text in [part.reason for part in [*faults, *run.findings]]:
        places = re.findall(r"([\w/]+\.py), line (\d+)", text) + [
            (file, line) for line, file in re.findall(r"line (\d+) of ([\w/]+\.py)", text)
        ]
        lengths = {name: data.count(b"\n") for name, data in SOLUTION.items()}
        if places and not any(wrong[file] and int(line) > lengths[file] for file, line in places):
            false.append(text)
    return false


def alike(mistake: Mistake) -> set[str]:
    return next((keys for keys, _ in SAME_NUMBERS if mistake.key in keys), {mistake.key})


def test_every_mistake_has_a_key_of_its_own() -> None:
    assert len(BY_KEY) == len(MISTAKES) > 150


def test_mistakes_with_the_same_numbers_are_listed_and_share_a_hint() -> None:
    signatures = CATALOGUE.signatures
    groups: dict[int, set[str]] = {}
    for number, mistake in enumerate(MISTAKES):
        alike = next(
            (
                other
                for other in groups
                if signatures[other].keys() == signatures[number].keys()
                and all(CATALOGUE.gives(other, key, signature) for key, signature in signatures[number].items())
            ),
            number,
        )
        groups.setdefault(alike, set()).add(mistake.key)
    same = [group for group in groups.values() if len(group) > 1]
    assert same == [group for group, _ in SAME_NUMBERS]
    for group in same:
        assert len({BY_KEY[key].hint for key in group}) == 1


def test_no_hint_gives_the_line_away() -> None:
    for mistake in MISTAKES:
        assert not re.search(r" = |@|\*\*|keepdims=|axis=\d", mistake.hint), mistake.hint
        assert mistake.section
        assert all(target.partition(".")[0] in FILES for target in mistake.code)


def test_in_unfinished_files_only_what_is_written_is_changed() -> None:
    mistake = Mistake("", "", "", {"MLP.step": "def step(self):\n    pass", "MLP.train": "def train(self):\n    pass"})
    changed = apply(mistake, SOLUTION, written={"MLP.train"})
    assert changed == {**SOLUTION, "hw1/hw1.py": changed["hw1/hw1.py"]}
    added = changed["hw1/hw1.py"][len(SOLUTION["hw1/hw1.py"]) :].decode()
    assert added == "\n\ndef _variant_2(self):\n    pass\n\n\nMLP.train = _variant_2\n"


@pytest.mark.parametrize(
    ("keys", "leaders"),
    [
        (("tanh_derivative_not_squared", "momentum_ignored"), ["tanh_derivative", "momentum"]),
        (("dW_summed", "sigmoid_sign"), ["sigmoid_forward", "linear_backward"]),
        (("alpha_swapped", "relu_derivative_at_zero"), ["relu_derivative", "batchnorm_inference"]),
        (("loss_sign", "dgamma_averaged", "db_row"), ["loss_forward", "linear_backward"]),
    ],
)
def test_several_mistakes_are_each_named_once(keys: tuple[str, ...], leaders: list[str], grade: Grade) -> None:
    run = grade(*keys)
    faults = [v for v in run.verdicts.values() if v.status != "passed" and not v.behind]
    assert [fault.problem.key for fault in faults][: len(leaders)] == leaders
    hints = {mistake.hint for mistake in MISTAKES if mistake.key in keys}
    for fault in faults[: len(leaders)]:
        assert {hint.text for hint in fault.hints} <= hints
        assert fault.hints, fault


def test_a_hint_is_withheld_where_a_passed_problem_speaks_against_it() -> None:
    number = [mistake.key for mistake in MISTAKES].index("dW_summed")
    signature = CATALOGUE.signatures[number]["linear_backward"]
    assert number in CATALOGUE.candidates("linear_backward", signature, set())
    assert number not in CATALOGUE.candidates("linear_backward", signature, {"classifier_backward"})


def test_against_a_solution_the_hints_are_the_same(grade: Grade) -> None:
    fresh = grade("dgamma_averaged", against=str(ROOT), seed=3)
    fault = first_fault(fresh)
    assert fault is not None
    assert "BatchNorm by itself: dgamma is 1/11 of the expected" in fault.reason
    assert [hint.section for hint in fault.hints] == ["eq. 35"]


def test_the_solution_brings_no_hint(grade: Grade) -> None:
    run = grade()
    assert (run.total, run.findings, first_fault(run)) == (MAX_TOTAL, [], None)


def test_references_are_never_printed(grade: Grade, capsys: pytest.CaptureFixture[str]) -> None:
    run = grade("loss_of_logits", "dx_without_mean")
    table.table(run, sys.stdout)
    shown = capsys.readouterr().out
    file = np.load(REFERENCES, allow_pickle=False)
    for key in ("loss_forward", "batchnorm_train"):
        for name in [name for name in file.files if name.startswith(f"{key}/out/") and file[name].dtype.kind == "f"]:
            for text in (f"{number:.4g}"[:6] for number in file[name].flat[:3]):
                assert text not in shown or len(text) < 5, (name, text)  # shorter ones are part of other words


def test_every_numeric_problem_has_a_mistake() -> None:
    shown = {key for signatures in CATALOGUE.signatures for key in signatures}
    assert {problem.key for problem in PROBLEMS} - shown == {"multiple_choice"}
