"""What is said of wrong numbers and in findings: only what was seen, the first wrong quantity, and no body that is right."""

from __future__ import annotations

# ruff: noqa: E501  (a change stands in one line)
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import students
from handins import MAX_TOTAL, report, solution, write
from proofs import survey
from proofs.mutants import Mutant

ACTIVATION, LOSS, LINEAR, BATCHNORM, HW1, MC = students.PLAIN
Change = tuple[str, str, str]
Grade = Callable[..., Any]


@pytest.fixture
def grade(tmp_path: Path) -> Grade:
    """Grade the plain solution with these texts put in the place of others."""

    def graded(*changes: Change, **settings: Any) -> Any:
        files = dict(students.PLAIN)
        for file, old, new in changes:
            assert old in files[file], old
            files[file] = files[file].replace(old, new, 1)
        return report(write({name: text.encode() for name, text in files.items()}, tmp_path), **settings)

    return graded


def hints(run: Any) -> set[str]:
    return {hint.text for said in [*run.verdicts.values(), *run.findings] for hint in said.hints}


def titles(run: Any) -> list[str]:
    return [finding.title for finding in run.findings]


NORM = "self.norm = (x - self.mean) / np.sqrt(self.var + self.eps)"
OUT = "        self.out = self.gamma * self.norm + self.beta\n\n        # moving"


class Row(NamedTuple):
    """Changes of the plain solution, a problem, and words that its reason begins with, holds, and may not hold."""

    name: str
    problem: str
    changes: tuple[Change, ...]
    leads: str
    words: tuple[str, ...] = ()
    never: tuple[str, ...] = ()


ROWS = (
    Row(
        "norm by the variance, though mean and var are right",
        "batchnorm_train",
        (
            (BATCHNORM, NORM, "self.norm = (x - self.mean) / np.sqrt(self.var ** 2 + self.eps)"),
            (BATCHNORM, "sqrt ** 3", "(self.mean + self.eps) ** 1.5"),
        ),
        "BatchNorm by itself: norm is",
        ("right: mean, var",),
        ("first goes wrong",),
    ),
    Row(
        "a cached mean of another shape beside a wrong norm",
        "batchnorm_train",
        (
            (BATCHNORM, "np.mean(x, axis=0, keepdims=True)", "np.mean(x, axis=0)"),
            (BATCHNORM, NORM, "self.norm = (x - self.mean) / (self.var + self.eps)"),
        ),
        "BatchNorm by itself: norm is",
        ("right: mean, var",),
        ("has the shape",),
    ),
    Row(
        "wrong numbers before a wrong shape",
        "linear_backward",
        (
            (LINEAR, "np.dot(self.x.T, delta) / batch_size", "(np.dot(self.x.T, delta) / batch_size)[None]"),
            (LINEAR, "np.sum(delta, axis=0, keepdims=True)", "2 * np.sum(delta, axis=0, keepdims=True)"),
        ),
        "db is 2 times the expected",
        ("also wrong: dW",),
    ),
    Row(
        "return inside the loop",
        "hidden1_forward",
        ((HW1, "            out = self.activations[i](out)\n", "            out = self.activations[i](out)\n            return out\n"),),
        "forward(x) has the shape (13, 8), expected (13, 10); 8 is the width of hidden layer 1",
    ),
    Row(
        "two layers alone",
        "hidden2_forward",
        ((HW1, "for i in range(len(self.linear_layers)):\n            out", "for i in range(min(2, len(self.linear_layers))):\n            out"),),
        "forward(x) has the shape (11, 5), expected (11, 10); 5 is the width of hidden layer 2",
    ),
    Row(
        "no return",
        "tanh_forward",
        ((ACTIVATION, "np.tanh(x)\n        return self.state", "np.tanh(x)"),),
        "forward(x) is None",
        ("right: state", "Tanh.forward (mytorch/activation.py, line 59) has no return with a value"),
    ),
)  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_the_first_wrong_quantity_leads(row: Row, grade: Grade) -> None:
    reason = grade(*row.changes).verdicts[row.problem].reason
    assert reason.startswith(row.leads), reason
    assert all(words in reason for words in row.words), reason
    assert not any(words in reason for words in row.never), reason


def test_no_hint_about_batchnorm_comes_out_of_a_network_whose_batchnorm_is_right(grade: Grade) -> None:
    run = grade(
        (HW1, "delta = self.criterion.derivative()", "delta = self.criterion.derivative() / len(labels)"),
        (LINEAR, "delta) / batch_size", "delta)"),
    )
    assert not run.verdicts["batchnorm_train"].score
    assert not any("dgamma" in hint or "dbeta" in hint for hint in hints(run))


def test_an_exception_has_its_shapes_and_no_hint_from_numbers(grade: Grade) -> None:
    line = "delta = self.linear_layers[i].backward(delta)"
    run = grade((HW1, line, line.partition("= ")[2]))
    assert not run.verdicts["single_backward"].score
    assert hints(run) == set()


def test_a_part_of_the_problems_gives_no_hint_that_another_would_refute(grade: Grade) -> None:
    step = students.HW1.partition("    def step(self):\n")[2].partition("\n\n")[0]
    outside = step.replace("            layer", "        layer").replace("        layer = ", "            layer = ", 1)
    run = grade((HW1, step, outside), words=("momentum",))
    assert not run.verdicts["momentum"].score
    assert not any("MLP.backward" in hint for hint in hints(run))
    assert [hint.text for hint in grade((HW1, step, outside)).verdicts["momentum"].hints] == [
        "MLP.step updates the last layer only"
    ]


def test_an_averaged_delta_in_place_changes_the_argument_and_accumulates_nothing(grade: Grade) -> None:
    old = students.LINEAR.partition("        batch_size")[2]
    new = " = delta.shape[0]\n        dx = np.dot(delta, self.W.T)\n        delta /= batch_size\n"
    new += "        self.dW = np.dot(self.x.T, delta)\n        self.db = np.sum(delta, axis=0, keepdims=True)\n"
    run = grade((LINEAR, old, new + "        return dx\n"))
    assert run.total == MAX_TOTAL
    found = titles(run)
    assert any(title.startswith("Linear changes its arguments") for title in found)
    assert not any("accumulates" in title for title in found)


def test_one_finding_of_a_case_does_not_hide_another(grade: Grade) -> None:
    run = grade(
        (LOSS, "        a = np.max(x, axis=1, keepdims=True)\n", "        x -= np.max(x); a = 0\n"),
        (LOSS, "lse = a + np.log(np.sum(e, axis=1, keepdims=True))", "lse = np.log(np.sum(e, axis=1, keepdims=True))"),
    )
    assert [title for title in titles(run) if "SoftmaxCrossEntropy" in title] == [
        "SoftmaxCrossEntropy is wrong for large logits",
        "SoftmaxCrossEntropy changes its arguments or its own cache",
    ]


TANH, TANH_DERIVATIVE = "self.state = np.tanh(x)", "return 1 - self.state ** 2"
STEP_OF_GAMMA = "bn.gamma = bn.gamma - self.lr * bn.dgamma"
LAYERS = "Linear(sizes[i], sizes[i + 1], weight_init_fn, bias_init_fn) for i in range("
BACKWARD = "            delta = self.linear_layers[i].backward(delta)\n"

# Changes of the plain solution that cost no points, and all findings that come with them: one each.
ALONE: dict[str, tuple[tuple[Change, ...], str, str]] = {
    "raw exponentials": (((ACTIVATION, TANH, "self.state = (np.exp(x) - np.exp(-x)) / (np.exp(x) + np.exp(-x))"),), "Tanh is wrong for large inputs", "forward(x) is nan"),
    "exp(2x)": (((ACTIVATION, TANH, "self.state = (np.exp(2 * x) - 1) / (np.exp(2 * x) + 1)"),), "Tanh is wrong for large inputs", "forward(x) is nan"),
    "a clip": (((ACTIVATION, TANH, "self.state = np.tanh(np.clip(x, -4, 4))"),), "Tanh is wrong for large inputs", "forward(x) is wrong"),
    "softmax without the shift": (((LOSS, "np.max(x, axis=1, keepdims=True)", "0"),), "SoftmaxCrossEntropy is wrong for large logits", "forward(x, y) is nan"),
    "a capped loss": (((LOSS, "np.sum(y * (x - lse), axis=1)", "np.sum(y * np.log(np.clip(self.sm, 1e-12, 1)), axis=1)"),), "SoftmaxCrossEntropy is wrong for large logits", "forward(x, y) is wrong"),
    "state written to": (((ACTIVATION, TANH_DERIVATIVE, "self.state *= self.state\n        return 1 - self.state"),), "Tanh changes its argument or its state", "changed: state, by derivative()"),
    "another second derivative": (((ACTIVATION, TANH_DERIVATIVE, "self.n = getattr(self, 'n', 0) + 1\n        return (1 - self.state ** 2) / self.n"),), "Tanh changes its argument or its state", "changed: what derivative() returns, in a second call"),
    "an argument written to": (((ACTIVATION, "self.state = np.maximum(x, 0)", "x[x < 0] = 0\n        self.state = x"),), "ReLU changes its argument or its state", "changed: x, by forward(x)"),
    "delta written to": (((BATCHNORM, "dnorm = delta * self.gamma", "delta *= self.gamma; dnorm = delta"),), "BatchNorm changes its arguments or its own arrays", "changed: delta, by backward(delta)"),
    "another epsilon": (((BATCHNORM, "self.eps = 1e-8", "self.eps = 1e-7"),), "BatchNorm is wrong for units of tiny variance", "norm is wrong"),
    "gamma with momentum": (((HW1, STEP_OF_GAMMA, "bn.v = self.momentum * getattr(bn, 'v', 0) - self.lr * bn.dgamma; bn.gamma = bn.gamma + bn.v"),), "gamma and beta do not take plain steps beside momentum", "the first that does not: bn_layers[0].gamma after step 2"),
    "a network that accumulates": (((HW1, BACKWARD, "            old = self.linear_layers[i].db * (i == 1)\n" + BACKWARD + "            self.linear_layers[i].db += old.astype('f')\n"),), "MLP.backward accumulates", "after a second call: linear_layers[1].db is 2 times as large"),
    "the layers from the last to the first": (((HW1, f"[{LAYERS}len(sizes) - 1)]", f"[{LAYERS}len(sizes) - 2, -1, -1)][::-1]"),), "MLP does not call each init function once for every layer, in their order, with its sizes", "weight_init_fn calls"),
    "a number drawn": (((HW1, "        sizes = [input", "        np.random.rand()\n        sizes = [input"),), "MLP draws from NumPy's random generator, or seeds it", "NumPy's generator: drawn from"),
    "a derivative that is always float64": (((ACTIVATION, "np.where(self.state > 0, 1.0, 0.0)", "(self.state > 0) * np.float64([1])"),), "a float32 network does not stay float32", "is float64"),
}  # fmt: skip
CLEARED = "            layer.db.fill(0.0)\n"
# What the plain solution itself is found to do: zero_grads skips batch norm, and ReLU's derivative is float64.
CLEAN: tuple[Change, ...] = (
    (HW1, CLEARED, CLEARED + "        for bn in self.bn_layers if self.bn else []:\n            bn.dgamma.fill(0.0)\n            bn.dbeta.fill(0.0)\n"),
    (ACTIVATION, "np.where(self.state > 0, 1.0, 0.0)", "(self.state > 0).astype(self.state.dtype)"),
)  # fmt: skip


@pytest.mark.parametrize("name", ALONE)
def test_one_cause_brings_one_finding_of_what_was_seen(name: str, grade: Grade) -> None:
    changes, title, words = ALONE[name]
    clean = [change for change in CLEAN if change[1] not in [old for _, old, _ in changes]]
    run = grade(*changes, *clean)
    assert run.total == MAX_TOTAL
    assert titles(run) == [title]
    assert words in run.findings[0].reason


def test_what_changes_a_parameter_accumulates_nothing(grade: Grade) -> None:
    old = "        return np.dot(delta, self.W.T)"
    run = grade(
        (LINEAR, old, f"        dx = np.dot(delta, self.W.T)\n        self.W = self.W - self.dW\n{old[:15]} dx"), *CLEAN
    )
    [finding] = run.findings
    assert (finding.title, finding.reason) == (
        "Linear changes its arguments or its own arrays",
        "changed: W, by backward(delta)",
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ((HW1, "        out = x\n", "        out = x.copy()\n        x *= 0\n"), "changed: x, by forward(x)"),
        ((HW1, "        delta = self.criterion.derivative()\n", "        delta = self.criterion.derivative()\n        labels *= 1.5\n"), "changed: labels, by backward(labels)"),
    ],
    ids=["the batch", "the labels"],
)  # fmt: skip
def test_a_network_that_changes_what_it_is_given_accumulates_nothing(change: Change, words: str, grade: Grade) -> None:
    reasons = {finding.title: finding.reason for finding in grade(change).findings}
    assert reasons["MLP changes the batch or the labels"] == words
    assert "MLP.backward accumulates" not in reasons


@pytest.mark.parametrize(
    "changes",
    [
        [(BATCHNORM, "        m = delta.shape[0]\n", "        raise NotImplementedError\n")],
        [(BATCHNORM, "        m = delta.shape[0]\n", "        m = delta.shpae[0]\n")],
        [(BATCHNORM, "        if eval:\n", "        raise NotImplementedError\n        if eval:\n")],
        [(BATCHNORM, "def forward(self, x, eval=False)", "def forward(self, x, evaluate=False)"), (BATCHNORM, "if eval:", "if evaluate:"), (BATCHNORM, "__call__(self, x, eval=False)", "__call__(self, x, evaluate=False)"), (BATCHNORM, "self.forward(x, eval)", "self.forward(x, evaluate)")],
    ],
    ids=["not written", "raises", "forward not written", "another name for the flag"],
)  # fmt: skip
def test_a_probe_that_could_not_run_says_nothing(changes: list[Change], grade: Grade) -> None:
    assert not any("BatchNorm" in title for title in titles(grade(*changes)))


def test_gamma_and_beta_left_out_are_said_once(grade: Grade) -> None:
    run = grade((BATCHNORM, OUT, OUT.replace("self.gamma * self.norm + self.beta", "self.norm")))
    assert hints(run) == {"gamma and beta are left out of the output"}
    assert titles(run) == []


def test_the_quantity_that_turned_first_is_told(grade: Grade) -> None:
    run = grade((ACTIVATION, "np.where(self.state > 0, 1.0, 0.0)", "(self.state > 0).astype(float)"))
    [finding] = [finding for finding in run.findings if "float32" in finding.title]
    assert finding.reason == "the first that turns: bn_layers[1].dgamma is float64"
    assert [hint.section for hint in finding.hints] == ["3.1.6"]


# A mutant's report may blame the body that was changed, and no other.
EVERY = 1 if os.environ.get("WHOLE") else 47


@pytest.mark.parametrize("mutant", survey.everything(EVERY), ids=lambda mutant: mutant.name[:70])
def test_nothing_that_is_right_is_blamed_for_a_mutant(mutant: Mutant, tmp_path: Path) -> None:
    run = report(write({**solution(), mutant.file: mutant.source.encode()}, tmp_path), deadline=2)
    assert survey.false_claims(mutant, run) == []


def test_a_false_claim_is_seen(grade: Grade) -> None:
    run = grade((LINEAR, "np.dot(self.x.T, delta) / batch_size", "np.dot(self.x.T, delta)"))
    elsewhere = next(mutant for mutant in survey.everything() if mutant.place == "Tanh.forward")
    assert survey.false_claims(elsewhere, run) == ["dW is summed over the batch: it should be averaged"]
    assert survey.false_claims(elsewhere._replace(place="Linear.backward"), run) == []
