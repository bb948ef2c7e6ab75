"""Names in an exception's words: whose a missing one is, what is None and why, what is called and can't be."""

from __future__ import annotations

# ruff: noqa: E501  (a change stands in one line)
from pathlib import Path
from typing import NamedTuple

import pytest

import students
from grading import grade as grades
from grading.run import Verdict
from grading.settings import Settings
from handins import write
from homework.problems import BY_KEY
from sandbox.workplace import Workplace

ACTIVATION, LOSS, LINEAR, BATCHNORM, HW1, MC = students.PLAIN
LAYERS = "[Linear(sizes[i], sizes[i + 1], weight_init_fn, bias_init_fn) for i in range(len(sizes) - 1)]"
NORMS = "[BatchNorm(sizes[i + 1]) for i in range(num_bn_layers)]"
SIGMOID = "    def derivative(self):\n        return self.state * (1 - self.state)"

Change = tuple[str, str, str]


def verdict(folder: Path, key: str, changes: list[Change], added: dict[str, str] | None = None) -> Verdict:
    """The verdict on one problem of the plain solution with these texts in the place of others."""
    files = {**students.PLAIN, **(added or {})}
    for file, old, new in changes:
        assert old in files[file], old
        files[file] = files[file].replace(old, new, 1)
    write({name: text.encode() for name, text in files.items()}, folder)
    with Workplace() as workplace:
        return grades.opened(Settings(str(folder), deadline=5), workplace).grade(BY_KEY[key])


class Case(NamedTuple):
    """Changes of the plain solution, the problem that shows them, and what has to be reported and what may not."""

    name: str
    problem: str
    changes: list[Change]
    words: tuple[str, ...]
    never: tuple[str, ...] = ()


# fmt: off
CASES = (
    Case("MLP.forward without return", "classifier_forward", [(HW1, "        self.output = out\n        return out\n", "        self.output = out\n")], ("forward(x) is None", "MLP.forward (hw1/hw1.py, line 47) has no return with a value")),
    Case("an activation's __call__ without return", "tanh_forward", [(ACTIVATION, "return self.forward(x)", "self.forward(x)")], ("Activation.__call__ (mytorch/activation.py, line 16) has no return with a value", "right: state"), ("Tanh.forward",)),
    Case("a layer's __call__ without return", "linear_forward", [(LINEAR, "return self.forward(x)", "self.forward(x)")], ("Linear.__call__", "has no return with a value"), ("Linear.forward",)),
    Case("the result of append", "classifier_forward", [(HW1, f"self.linear_layers = {LAYERS}", "self.linear_layers = []\n        for i in range(len(sizes) - 1):\n            self.linear_layers = self.linear_layers.append(Linear(sizes[i], sizes[i + 1], weight_init_fn, bias_init_fn))")], ("hw1/hw1.py, line 43", "MLP.linear_layers is None", "changes the list and returns None"), ("still to be written",)),
    Case("append, and its result not kept", "single_backward", [(HW1, f"self.linear_layers = {LAYERS}", "self.linear_layers = []\n        for i in range(len(sizes) - 2):\n            self.linear_layers.append(Linear(sizes[i], sizes[i + 1], weight_init_fn, bias_init_fn))")], ("has the length 1, expected a list of 2",), ("returns None",)),
    Case("a helper without return", "classifier_forward", [(HW1, LAYERS, "self.make(sizes)"), (HW1, "    def zero_grads", "    def make(self, sizes):\n        layers = sizes\n\n    def zero_grads")], ("MLP.make has no return with a value",)),
    Case("exit", "linear_backward", [(LINEAR, "        batch_size = delta.shape[0]\n", "        exit()\n")], ("`exit()` ends the whole program",), ("Did you mean", "next")),
    Case("a misspelled name is no exit", "linear_backward", [(LINEAR, "        batch_size = delta.shape[0]\n", "        batch_size = dleta.shape[0]\n")], ("Did you mean `delta`?",), ("whole program",)),
    Case("NumPy without an import", "linear_forward", [(LINEAR, "import numpy as np\n", "")], ("NumPy is not imported in this file",), ("misspelled",)),
    Case("a notebook's name", "tanh_forward", [(ACTIVATION, "import os\n", "get_ipython().run_line_magic('time', '1')\n")], ("`get_ipython` is there in a notebook only",)),
    Case("a notebook's line", "tanh_forward", [(ACTIVATION, "import os\n", "%matplotlib inline\n")], ("A line of a notebook is no Python",), ("Python can't read",)),
    Case("a syntax error is no notebook", "tanh_forward", [(ACTIVATION, "import os\n", "import os os\n")], ("Python can't read the file beyond this line",), ("notebook",)),
    Case("an array for weight_init_fn", "classifier_forward", [(HW1, "sizes[i + 1], weight_init_fn", "sizes[i + 1], weight_init_fn(sizes[i], sizes[i + 1])")], ("where the function `weight_init_fn` itself is due", "Line 41 of hw1/hw1.py")),
    Case("another array that is called", "linear_forward", [(LINEAR, "np.dot(x, self.W)", "self.W(x)")], ("`self.W` is a numpy.ndarray, and only functions and classes can be called",), ("itself is due",)),
    Case("no __call__", "linear_forward", [(LINEAR, "    def __call__(self, x):\n        return self.forward(x)\n", "")], ("mytorch/linear.py, class Linear: ", "Linear has no method `__call__`", "`linear(x)` was called"), ("make_linear", "course")),
    Case("an attribute that is never set", "batchnorm_train", [(HW1, f"self.bn_layers = {NORMS}", "pass")], ("No line of MLP's sets `self.bn_layers`",), ("Did you mean", "still to be written")),
    Case("an empty list", "batchnorm_train", [(HW1, NORMS, "[]")], ("MLP.bn_layers is empty, expected a list of 2",), ("None", "none")),
    Case("a list of None", "batchnorm_train", [(HW1, NORMS, "[None] * num_bn_layers")], ("MLP.bn_layers[0] is None", "hw1/hw1.py, line 45"), ("empty",)),
    Case("a bool as a count", "batchnorm_train", [(HW1, "range(num_bn_layers)", "range(self.bn)")], ("has the length 1, expected a list of 2", "`self.bn` is True or False, and counts as 1 or 0")),
    Case("a count that is one too small", "batchnorm_train", [(HW1, "range(num_bn_layers)", "range(self.num_bn_layers - 1)")], ("has the length 1, expected a list of 2",), ("True or False",)),
    Case("the placeholder of a list", "classifier_forward", [(HW1, LAYERS, "NotImplemented")], ("MLP.linear_layers is the placeholder `NotImplemented`",), ("earlier network", "NotImplementedType")),
    Case("three dots", "classifier_forward", [(HW1, LAYERS, "...")], ("MLP.linear_layers is the placeholder `...`",), ("ellipsis",)),
    Case("a returned placeholder", "tanh_derivative", [(ACTIVATION, "return 1 - self.state ** 2", "return ...")], ("derivative() is still the placeholder `...` (line 64 of mytorch/activation.py)",)),
    Case("a placeholder in a sum", "linear_forward", [(LINEAR, "return np.dot(x, self.W) + self.b", "out = ...\n        return out + self.b")], ("`out` is `...`: line 29 of mytorch/linear.py sets it",)),
    Case("a list of classes", "batchnorm_train", [(HW1, NORMS, "[BatchNorm] * num_bn_layers")], ("MLP.bn_layers[0] is the class BatchNorm, not an object of it",), ("of type type",)),
    Case("an attribute of the class", "classifier_step", [(HW1, "layer.dW.fill(0.0)", "Linear.dW.fill(0)")], ("`Linear` is the class there, and `dW` belongs to its objects",), ("was that line reached",)),
    Case("a method of the class", "classifier_backward", [(HW1, "self.linear_layers[i].backward(delta)", "Linear.backward(delta)")], ("`Linear` is the class there: call `backward` on an object of it",)),
    Case("backward for derivative, which the base class has", "sigmoid_derivative", [(ACTIVATION, SIGMOID, SIGMOID.replace("derivative", "backward"))], ("Did you mean `backward`?",), ("still to be written", "is the class there")),
    Case("no derivative at all", "sigmoid_derivative", [(ACTIVATION, SIGMOID, "")], ("still to be written",), ("Did you mean",)),
    Case("the output under another name", "classifier_backward", [(HW1, "self.output = out\n", "self.out = out\n")], ("Did you mean `out`?",), ("output_size",)),
    Case("linear_layers under another name", "classifier_forward", [(HW1, f"self.linear_layers = {LAYERS}", "self.list_layers = [1, 2]")], ("No line of MLP's sets `self.linear_layers`",), ("nlayers", "Did you mean")),
    Case("a misspelled running mean", "batchnorm_train", [(BATCHNORM, "self.alpha * self.running_mean", "self.alpha * self.runing_mean")], ("Did you mean `running_mean`?",)),
    Case("dw in dW's place", "linear_backward", [(LINEAR, "self.dW = np.dot", "self.dw = np.dot")], ("line 33 of mytorch/linear.py sets self.dw in its place",)),
    Case("dW that is zero", "linear_backward", [(LINEAR, "self.dW = np.dot(", "self.dW = 0 * np.dot(")], ("dW is all zeros",), ("in its place",)),
    Case("the method self.eval as the mode", "batchnorm_train", [(HW1, "(out, not self.train_mode)", "(out, self.eval)")], ("passes the method `self.eval`, which counts as True",)),
    Case("a name that NumPy has not", "tanh_forward", [(ACTIVATION, "np.tanh(x)", "np.softmax(x)")], ("NumPy has no softmax",), ("Did you mean", "fmax")),
    Case("a name near one of NumPy's", "tanh_forward", [(ACTIVATION, "np.tanh(x)", "np.tahn(x)")], ("Did you mean `tanh`?",)),
)
# fmt: on


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_name_is_explained_by_what_it_is(case: Case, tmp_path: Path) -> None:
    outcome = verdict(tmp_path, case.problem, case.changes)
    assert outcome.status != "passed"
    for words in case.words:
        assert words in outcome.reason, outcome.reason
    for words in case.never:
        assert words not in outcome.reason, outcome.reason


UTILS = {"mytorch/utils.py": "def add(a, b):\n    return a + b\n"}
# fmt: off
IMPORTS: tuple[tuple[str, dict[str, str], str, str], ...] = (
    ("from utils import addd", UTILS, "mytorch/utils.py has no addd. Did you mean `add`?", "empty"),
    ("from utils import subtract", UTILS, "mytorch/utils.py has no subtract.", "Did you mean"),
    ("from mytorch.nn.linear import Linear", {}, "mytorch is there, but not mytorch.nn", "standard library"),
    ("import mytorch.linears", {}, "Did you mean `mytorch.linear`?", "standard library"),
    ("import helper", {"helper.py": "x = 1\n"}, "helper.py is not in hw1/ or mytorch/", "standard library"),
    ("import helper", {}, "only NumPy and the standard library", "helper.py"),
)
# fmt: on


@pytest.mark.parametrize(("line", "added", "words", "never"), IMPORTS, ids=lambda part: str(part)[:40])
def test_an_import_is_explained_by_the_files(
    line: str, added: dict[str, str], words: str, never: str, tmp_path: Path
) -> None:
    outcome = verdict(tmp_path, "linear_forward", [(LINEAR, "import math\n", f"{line}\n")], added)
    assert words in outcome.reason
    assert never not in outcome.reason
