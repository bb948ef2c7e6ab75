"""Submissions with several faults, as students leave them: each fault in its own words, and nothing behind another's."""

from __future__ import annotations

# ruff: noqa: E501  (a student's lines are as long as they are)
from pathlib import Path
from typing import NamedTuple

import pytest

import students
from handins import report, write

ACTIVATION, LOSS, LINEAR, BATCHNORM, HW1, MC = students.PLAIN


def between(text: str, start: str, end: str) -> str:
    return text[text.index(start) : text.index(end)]


FORWARD = between(students.HW1, "        out = x\n", "    def zero_grads")
STEP = between(
    students.HW1,
    "        for i in range(len(self.linear_layers)):\n            layer =",
    "        if self.bn:\n            for bn",
)
BACKWARD = between(students.HW1, "        self.criterion.forward(self.output", "    def error")
LAYERS = between(students.HW1, "        sizes =", "        # and the batch norms")
BN_BODIES = students.BATCHNORM[students.BATCHNORM.index("        if eval:\n") :]
NORM = "        self.norm = (x - self.mean) / np.sqrt(self.var + self.eps)\n"
SIGMOID, TANH = "return self.state * (1 - self.state)", "return 1 - self.state ** 2"
COLON = "def forward(self, x, y):\n        self.logits"


class Doubled(NamedTuple):
    """Changes of the plain solution; words for each problem that shows a fault first, and some that stand behind them."""

    name: str
    changes: tuple[tuple[str, str, str], ...]
    said: dict[str, tuple[str, ...]]
    behind: dict[str, str]
    never: tuple[str, ...] = ()


ROWS = (
    Doubled(
        "one layer for all, and a constructor that takes hiddens for a list with something in it",
        (
            (HW1, LAYERS, """
        self.linear_layers = [Linear(input_size, hiddens[0], weight_init_fn, bias_init_fn)]
        for i in range(1, len(hiddens)):
            self.linear_layers.append(Linear(hiddens[i - 1], hiddens[i], weight_init_fn, bias_init_fn))
        self.linear_layers.append(Linear(hiddens[-1], output_size, weight_init_fn, bias_init_fn))
        sizes = [input_size] + hiddens + [output_size]
"""),
            (HW1, "        for i in range(len(self.linear_layers)):\n            out", "        i = 0\n        for act in self.activations:\n            out"),
        ),
        {
            "classifier_forward": ("hiddens is an empty list", "hiddens=[]"),
            "single_forward": ("MLP.forward calls linear_layers[0] a second time, where linear_layers[1] is due",),
        },
        {"classifier_step": "classifier_forward", "single_backward": "single_forward", "momentum": "single_forward", "batchnorm_train": "single_forward"},
    ),
    Doubled(
        "db without its axis, and a misspelled velocity",
        (
            (LINEAR, "np.sum(delta, axis=0, keepdims=True)", "np.sum(delta, axis=0)"),
            (HW1, "self.momentum * layer.momentum_b", "self.momentum * layer.momentm_b"),
        ),
        {
            "linear_backward": ("an axis is lost (keepdims keeps it)", "db has lost its axis"),
            "classifier_step": ("has no attribute 'momentm_b'. No line of Linear's sets `self.momentm_b`. Did you mean `momentum_b`",),
        },
        {"classifier_backward": "linear_backward", "momentum": "classifier_step", "batchnorm_inference": "classifier_step"},
    ),
    Doubled(
        "a file that can't be read, and a derivative that no network of the graded ones takes",
        ((LOSS, COLON, COLON.replace(":", "", 1)), (ACTIVATION, TANH, "return 1 - self.state")),
        {"tanh_derivative": ("the square is missing",), "loss_forward": ("SyntaxError",)},
        {"loss_derivative": "loss_forward", "classifier_forward": "loss_forward", "single_backward": "loss_forward", "momentum": "loss_forward"},
    ),
    Doubled(
        "a file that can't be read, and a derivative that the networks take",
        ((LOSS, COLON, COLON.replace(":", "", 1)), (ACTIVATION, SIGMOID, "return self.state * (1 + self.state)")),
        {"sigmoid_derivative": ("derivative() is wrong",), "loss_forward": ("SyntaxError",)},
        {"classifier_forward": "loss_forward", "single_backward": "loss_forward", "batchnorm_train": "loss_forward"},
    ),
    Doubled(
        "a backward that ends before the first layer, and norm by the variance",
        (
            (HW1, "range(len(self.linear_layers) - 1, -1, -1)", "range(len(self.linear_layers) - 1, 0, -1)"),
            (BATCHNORM, NORM, NORM.replace("self.var", "self.var ** 2")),
            (BATCHNORM, "sqrt ** 3", "(self.mean + self.eps) ** 1.5"),
        ),
        {
            "classifier_backward": ("MLP.backward never calls linear_layers[0].backward",),
            "batchnorm_train": ("BatchNorm by itself: norm is", "right: mean, var", "Besides: BatchNorm by itself: backward(delta) is"),
        },
        {"classifier_step": "classifier_backward", "single_backward": "classifier_backward"},
        ("first goes wrong in", "right: forward(x)"),
    ),
    Doubled(
        "no file of batch norm",
        ((BATCHNORM, students.BATCHNORM, ""),),
        {"classifier_forward": ("mytorch/batchnorm.py is missing",)},
        {"classifier_step": "classifier_forward", "momentum": "classifier_forward", "batchnorm_inference": "classifier_forward"},
        ("gamma",),
    ),
    Doubled(
        "bn_layers is not set without batch norm, and the loss's derivative is averaged",
        (
            (HW1, "if i < self.num_bn_layers:\n                out", "if i < len(self.bn_layers):\n                out"),
            (LOSS, "return self.sm - self.labels", "return (self.sm - self.labels) / len(self.labels)"),
        ),
        {
            "loss_derivative": ("the criterion's derivative is divided by the batch",),
            "classifier_forward": ("has no attribute 'bn_layers'", "is not set where there is no batch norm (num_bn_layers=0): with an empty list this line runs"),
        },
        {"single_forward": "classifier_forward", "momentum": "classifier_forward", "batchnorm_train": "loss_derivative"},
    ),
    Doubled(
        "batch norm is called where there is none",
        ((HW1, "if i < self.num_bn_layers:\n                out", "if i < len(self.linear_layers):\n                out"),),
        {
            "classifier_forward": ("Batch norm is called where there is none (num_bn_layers=0)",),
            "batchnorm_train": ("self.bn_layers is a list of 2 and i is 2",),
        },
        {"single_forward": "classifier_forward", "momentum": "classifier_forward", "batchnorm_inference": "batchnorm_train"},
        ("is not set where",),
    ),
    Doubled(
        "a backward for the classifier alone",
        ((HW1, BACKWARD[BACKWARD.index("        for i in range") :], "        self.linear_layers[0].backward(delta * self.activations[0].derivative())\n\n"),),
        {
            "single_backward": ("MLP.backward asks for activations[0]'s derivative, where activations[1]'s derivative is due",),
            "hidden3_backward": ("MLP.backward calls linear_layers[0].backward, where linear_layers[4].backward is due",),
        },
        {"hidden1_backward": "single_backward", "momentum": "single_backward"},
        ("from the first to the last",),
    ),
    Doubled(
        "velocities cleared in zero_grads, and a step up the gradient",
        (
            (HW1, "            layer.dW.fill(0.0)\n", "            layer.dW.fill(0.0)\n            layer.momentum_W.fill(0.0)\n"),
            (HW1, "layer.W += layer.momentum_W", "layer.W -= layer.momentum_W"),
        ),
        {
            "classifier_step": ("linear_layers[0].W after step 1: the step has the wrong sign",),
            "momentum": ("MLP.zero_grads sets linear_layers[0].momentum_W to zero",),
        },
        {"batchnorm_inference": "classifier_step"},
    ),
    Doubled(
        "reversed lists: batch norm counted from the front, and db without its axis",
        (
            (LINEAR, "np.sum(delta, axis=0, keepdims=True) / batch_size", "delta.mean(axis=0)"),
            (HW1, BACKWARD, """
        self.criterion(self.output, labels)
        d = self.criterion.derivative()
        for i, (lin, act) in enumerate(zip(self.linear_layers[::-1], self.activations[::-1])):
            d = d * act.derivative()
            if i < self.num_bn_layers:
                d = self.bn_layers[i].backward(d)
            d = lin.backward(d)

"""),
        ),
        {
            "linear_backward": ("db has lost its axis",),
            "batchnorm_train": ("MLP.backward calls bn_layers[0].backward, where linear_layers[2].backward is due",),
        },
        {"single_backward": "linear_backward", "batchnorm_inference": "batchnorm_train"},
    ),
    Doubled(
        "lists of arrays: outputs in the inputs' place, a velocity that averages, batch norm not begun",
        (
            (BATCHNORM, BN_BODIES, "        raise NotImplemented\n\n    def backward(self, delta):\n        raise NotImplemented\n"),
            (HW1, "[BatchNorm(sizes[i + 1]) for i in range(num_bn_layers)]", "[]  # TODO"),
            (HW1, FORWARD, """
        self.zs, self.outs = [], []
        for i in range(self.nlayers):
            self.zs.append(self.linear_layers[i](self.outs[-1] if i else x))
            self.outs.append(self.activations[i](self.zs[-1]))
        self.output = self.outs[-1]
        return self.output

"""),
            (HW1, STEP, """
        for l in self.linear_layers:
            l.momentum_W = self.momentum * l.momentum_W + (1 - self.momentum) * self.lr * l.dW
            l.momentum_b = self.momentum * l.momentum_b + (1 - self.momentum) * self.lr * l.db
            l.W = l.W - l.momentum_W
            l.b = l.b - l.momentum_b
"""),
            (HW1, BACKWARD, """
        self.criterion(self.outs[-1], labels)
        grads = [self.criterion.derivative()]
        for i in range(self.nlayers - 1, -1, -1):
            dz = grads[-1] * self.activations[i].derivative()
            l = self.linear_layers[i]
            l.dW = np.dot(self.outs[i].T, dz) / len(labels)
            l.db = np.sum(dz, axis=0, keepdims=True) / len(labels)
            grads.append(np.dot(dz, l.W.T))

"""),
        ),
        {
            "classifier_backward": ("linear_layers[0].dW has the shape (10, 10), expected (11, 10)",),
            "momentum": ("the step is 0.2 times the expected, and 1 - momentum is 0.2", "the gradient is weighted by 1 - momentum"),
        },
        {"classifier_step": "classifier_backward", "hidden3_backward": "classifier_backward"},
        ("never calls", "bn_layers has the length"),
    ),
    Doubled(
        "batch norm: swapped alpha and averaged gradients; gamma moved by beta's; a derivative that squashes again",
        (
            (ACTIVATION, SIGMOID, "return np.exp(-self.state) / (1 + np.exp(-self.state)) ** 2"),
            (BATCHNORM, "self.alpha * self.running_mean + (1 - self.alpha)", "(1 - self.alpha) * self.running_mean + self.alpha"),
            (BATCHNORM, "self.alpha * self.running_var + (1 - self.alpha)", "(1 - self.alpha) * self.running_var + self.alpha"),
            (BATCHNORM, "self.dbeta = np.sum(", "self.dbeta = np.mean("),
            (BATCHNORM, "self.dgamma = np.sum(", "self.dgamma = np.mean("),
            (HW1, "self.lr * bn.dgamma", "self.lr * bn.dbeta"),
        ),
        {
            "sigmoid_derivative": ("Sigmoid.derivative applies the sigmoid again",),
            "batchnorm_train": ("dgamma is 1/11 of the expected", "dgamma and dbeta are averaged", "alpha and 1 - alpha are swapped"),
            "batchnorm_inference": ("MLP.step leaves another bn_layers[0].gamma than it should",),
        },
        {"single_backward": "sigmoid_derivative", "momentum": "sigmoid_derivative"},
    ),
    Doubled(
        "the loss's average and Linear's sums cancel",
        (
            (LOSS, "return self.sm - self.labels", "return (self.sm - self.labels) / len(self.labels)"),
            (LINEAR, "/ batch_size\n        self.db", "\n        self.db"),
            (LINEAR, "keepdims=True) / batch_size", "keepdims=True)"),
        ),
        {
            "loss_derivative": ("in Linear Classifier (backward), which passes, another fault cancels it", "divided by the batch"),
            "linear_backward": ("in Linear Classifier (backward), which passes, another fault cancels it", "dW and db are summed over the batch"),
        },
        {"batchnorm_train": "loss_derivative"},
        ("dgamma",),
    ),
)  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_each_of_several_faults_is_told_where_it_shows_and_nothing_stands_behind_another(
    row: Doubled, tmp_path: Path
) -> None:
    files = dict(students.PLAIN)
    for file, old, new in row.changes:
        assert old in files[file], old
        files[file] = files[file].replace(old, new, 1)
    run = report(write({name: text.encode() for name, text in files.items() if text}, tmp_path))
    wrong = {key: v for key, v in run.verdicts.items() if v.status not in ("passed", "not started")}
    told = {key: f"{v.reason}. {' '.join(hint.text for hint in v.hints)}" for key, v in wrong.items() if not v.behind}
    assert told.keys() == row.said.keys(), told
    for key, words in row.said.items():
        assert [word for word in words if word not in told[key]] == [], told[key]
    assert {key: wrong[key].behind for key in row.behind} == row.behind
    assert [word for word in row.never if any(word in text for text in told.values())] == []
