"""The problems of the homework: names and points as the course's Autolab knows them, and what each is about.

A pure table, in the writeup's order: every other module asks here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple


class Problem(NamedTuple):
    """One row of the score table."""

    key: str
    name: str
    points: int
    section: str  # of the writeup
    exercise: str  # in exercises.py
    bodies: tuple[str, ...]  # file:function that this problem, first of all, asks to be written (see TO_WRITE)
    waits_for: tuple[str, ...] = ()  # keys of the problems that it builds on

    @property
    def functions(self) -> list[str]:
        """The bodies without their files: `Linear.forward`, `question_1`."""
        return [body.split(":")[1] for body in self.bodies]


def _activation(name: str, section: int) -> list[Problem]:
    """The forward and the derivative problem of one activation, of 2 points each."""
    title, key, file = f"{name} Non-Linearity", name.lower(), "mytorch/activation.py"
    forward, derivative = f"{key}_forward", f"{key}_derivative"
    return [
        Problem(forward, f"{title} (forward)", 2, f"3.1.{section}", "activation_forward", (f"{file}:{name}.forward",)),
        Problem(
            derivative,
            f"{title} (derivative)",
            2,
            f"3.1.{section + 1}",
            "activation_derivative",
            (f"{file}:{name}.derivative",),
            (forward,),
        ),
    ]


SECTIONS = {
    "2": "Multiple Choice",
    "3.1": "Activations",
    "3.2": "Loss",
    "3.3": "Batch Normalization",
    "3.4": "Linear Layer",
    "3.5": "Multi-Layer Perceptron",
}
LOSS, LINEAR, BATCHNORM = (
    "mytorch/loss.py:SoftmaxCrossEntropy",
    "mytorch/linear.py:Linear",
    "mytorch/batchnorm.py:BatchNorm",
)
MLP = "hw1/hw1.py:MLP"

PROBLEMS: tuple[Problem, ...] = (
    Problem(
        "multiple_choice",
        "Multiple Choice Questions",
        5,
        "2",
        "multiple_choice",
        tuple(f"hw1/mc.py:question_{i}" for i in range(1, 6)),
    ),
    *_activation("Sigmoid", 1),
    *_activation("Tanh", 3),
    *_activation("ReLU", 5),
    Problem("loss_forward", "Softmax Cross Entropy (forward)", 2, "3.2.1", "loss_forward", (f"{LOSS}.forward",)),
    Problem(
        "loss_derivative",
        "Softmax Cross Entropy (derivative)",
        2,
        "3.2.2",
        "loss_derivative",
        (f"{LOSS}.derivative",),
        ("loss_forward",),
    ),
    Problem("linear_forward", "Linear Layer (forward)", 2, "3.4.1", "linear_forward", (f"{LINEAR}.forward",)),
    Problem(
        "linear_backward",
        "Linear Layer (backward)",
        2,
        "3.4.2",
        "linear_backward",
        (f"{LINEAR}.backward",),
        ("linear_forward",),
    ),
    Problem(
        "classifier_forward",
        "Linear Classifier (forward)",
        2,
        "3.5.1",
        "mlp_forward",
        (f"{MLP}.__init__:linear_layers", f"{MLP}.forward"),
        ("linear_forward",),
    ),
    Problem(
        "classifier_backward",
        "Linear Classifier (backward)",
        2,
        "3.5.1",
        "mlp_backward",
        (f"{MLP}.backward",),
        ("classifier_forward", "loss_derivative", "linear_backward"),
    ),
    Problem(
        "classifier_step",
        "Linear Classifier (step)",
        1,
        "3.5.1",
        "mlp_steps",
        (f"{MLP}.zero_grads", f"{MLP}.step"),
        ("classifier_backward",),
    ),
    Problem(
        "single_forward",
        "Single Hidden Layer (forward)",
        5,
        "3.5.2",
        "mlp_forward",
        (),
        ("classifier_forward", "sigmoid_forward"),
    ),
    Problem(
        "single_backward",
        "Single Hidden Layer (backward)",
        5,
        "3.5.2",
        "mlp_backward",
        (),
        ("single_forward", "classifier_backward", "sigmoid_derivative"),
    ),
    Problem(
        "hidden1_forward",
        "N Hidden Layer (forward) 1",
        5,
        "3.5.2",
        "mlp_forward",
        (),
        ("single_forward",),
    ),
    Problem(
        "hidden2_forward",
        "N Hidden Layer (forward) 2",
        5,
        "3.5.2",
        "mlp_forward",
        (),
        ("single_forward",),
    ),
    Problem(
        "hidden3_forward",
        "N Hidden Layer (forward) 3",
        5,
        "3.5.2",
        "mlp_forward",
        (),
        ("single_forward",),
    ),
    Problem(
        "hidden1_backward",
        "N Hidden Layer (backward) 1",
        5,
        "3.5.2",
        "mlp_backward",
        (),
        ("hidden1_forward", "single_backward"),
    ),
    Problem(
        "hidden2_backward",
        "N Hidden Layer (backward) 2",
        5,
        "3.5.2",
        "mlp_backward",
        (),
        ("hidden2_forward", "single_backward"),
    ),
    Problem(
        "hidden3_backward",
        "N Hidden Layer (backward) 3",
        5,
        "3.5.2",
        "mlp_backward",
        (),
        ("hidden3_forward", "single_backward"),
    ),
    Problem("momentum", "Momentum", 10, "3.5.3", "mlp_steps", (), ("classifier_step", "single_backward")),
    Problem(
        "batchnorm_train",
        "Batch Normalization (training time)",
        10,
        "3.3",
        "batchnorm_train",
        (f"{BATCHNORM}.forward", f"{BATCHNORM}.backward"),
        ("single_backward",),
    ),
    Problem(
        "batchnorm_inference",
        "Batch Normalization (inference time)",
        5,
        "3.3",
        "batchnorm_inference",
        (),
        ("batchnorm_train", "classifier_step"),
    ),
)

BY_KEY = {problem.key: problem for problem in PROBLEMS}
MAX_TOTAL = sum(problem.points for problem in PROBLEMS)
BY_HAND = 5  # more points, which the staff give for get_training_stats and the plots (writeup, 3.6)

# Every body that a student writes, and the section of the writeup that first asks for it. After a second colon
# stands the attribute from whose assignment on the body is the student's; what lies before that is given.
TO_WRITE = {body: problem.section for problem in PROBLEMS for body in problem.bodies}
TO_WRITE["hw1/hw1.py:get_training_stats"] = "3.6"  # graded by hand


def builds_on(problem: Problem) -> list[str]:
    """The keys of all problems that this one builds on, directly or not, in the writeup's order."""
    keys: set[str] = set()
    todo = list(problem.waits_for)
    while todo:
        key = todo.pop()
        if key not in keys:
            keys.add(key)
            todo += BY_KEY[key].waits_for
    return [key for key in BY_KEY if key in keys]


def selected(words: Iterable[str]) -> list[Problem]:
    """The problems whose name has all these words, or words that begin so."""

    def has(name: str, word: str) -> bool:
        return any(part.startswith(word) for part in re.split(r"[\s()]+", name.lower()))

    sought = " ".join(words).lower().split()
    return [problem for problem in PROBLEMS if all(has(problem.name, word) for word in sought)]


def section_title(section: str) -> str:
    """The title of a section of the writeup, or of the one that it is part of."""
    whole = section
    while section and section not in SECTIONS:
        section = section.rpartition(".")[0]
    return SECTIONS.get(section, f"Section {whole}")
