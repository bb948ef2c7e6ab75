"""Typical exceptions, raised in each layer and the network: the place, what met, and whose it is, on every Python.

Each line is put at the beginning of a body. `z` is an argument of that body; its shape there is in the table of places.
"""

from __future__ import annotations

# ruff: noqa: E501  (a change stands in one line)
import re
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

import students
from diagnosis import exceptions
from grading import grade as grades
from grading.run import Verdict
from grading.settings import Settings
from handins import write
from homework.problems import BY_KEY
from samples import sample
from sandbox.answers import Outcome
from sandbox.submission import Submission
from sandbox.wire import Frame, Raised
from sandbox.workplace import Workplace

ACTIVATION, LOSS, LINEAR, BATCHNORM, HW1, MC = students.PLAIN


def verdict(folder: Path, key: str, *changes: tuple[str, str, str]) -> Verdict:
    """The verdict on one problem of the plain solution with these texts put in the place of others."""
    files = dict(students.PLAIN)
    for file, old, new in changes:
        assert old in files[file], old
        files[file] = files[file].replace(old, new, 1)
    write({name: text.encode() for name, text in files.items()}, folder)
    with Workplace() as workplace:
        return grades.opened(Settings(str(folder), deadline=5), workplace).grade(BY_KEY[key])


def needs(version: str) -> None:
    if np.lib.NumpyVersion(np.__version__) < version:
        pytest.skip(f"NumPy {np.__version__} has it")


class Place(NamedTuple):
    """A body: its file, the line that it starts at, the problem that runs it, and its argument's name and shape."""

    file: str
    start: str
    problem: str
    argument: str
    shape: tuple[int, int]


PLACES = {
    "Tanh.forward": Place(ACTIVATION, "        self.state = np.tanh(x)\n", "tanh_forward", "x", (11, 7)),
    "SoftmaxCrossEntropy.forward": Place(LOSS, "        self.logits = x\n", "loss_forward", "x", (13, 10)),
    "Linear.backward": Place(LINEAR, "        batch_size = delta.shape[0]\n", "linear_backward", "delta", (13, 5)),
    "BatchNorm.forward": Place(BATCHNORM, "        self.x = x\n", "batchnorm_train", "x", (19, 8)),
    "MLP.forward": Place(HW1, "        out = x\n", "classifier_forward", "x", (11, 12)),
}


class Slip(NamedTuple):
    """A line, and words that have to be said of it; `{z}` stands for the argument, `{n}` and `{d}` for its sizes."""

    code: str
    words: tuple[str, ...]
    since: str = "1.23.0"  # the NumPy from which it raises


SLIPS = (
    Slip("a = np.tahn({z})", ("has no attribute 'tahn'", "Did you mean `tanh`")),
    Slip("a = np.sqroot({z})", ("has no attribute 'sqroot'", "Did you mean `sqrt`")),
    Slip("a = {z}.shpae", ("has no attribute 'shpae'", "Did you mean `shape`")),
    Slip("a = self.__clas__", ("has no attribute '__clas__'",)),
    Slip("a = np.dot({z})", ("{z} is ({n}, {d})", "`np.dot` is NumPy's")),
    Slip("a = np.sum({z}, axes=0)", ("'axes'", "`np.sum` is NumPy's: np.sum(a, axis, ")),
    Slip("a = {z} @ {z}", ("{z} is ({n}, {d})", "the two inner sizes to agree", "`*`")),
    Slip("a = np.dot({z}, {z})", ("{z} is ({n}, {d})", "needs the two inner sizes to agree")),
    Slip("a = {z} - np.arange({n}.0)", ("{z} is ({n}, {d})", "is ({n},)", "no second axis")),
    Slip("s = {z}.sum(axis=1); a = {z} / s", ("s is ({n},)", "has dropped it (keepdims keeps it)")),
    Slip("a = {z} * {z}.T", ("{z} is ({n}, {d})", "{z}.T is ({d}, {n})", "transposed")),
    Slip(
        "a = np.zeros((1, {d})); a += {z}", ("a is (1, {d})", "{z} is ({n}, {d})", "An update in place keeps the shape")
    ),
    Slip("a = np.ones({d}, int); a -= 0.5", ("a is ({d},) of int", "whole numbers is updated in place")),
    Slip("a = {z}[0, {d}]", ("index {d} is out of bounds", "{z} is ({n}, {d})")),
    Slip("a = [1, 2]; i = 2; a = a[i]", ("a is a list of 2", "i is 2", "past the last entry")),
    Slip("a = max(0, {z})", ("{z} is ({n}, {d})", "one answer of a whole array")),
    Slip("import math; a = math.exp({z})", ("{z} is ({n}, {d})", "One number is needed there, and an array came")),
    Slip("a = np.zeros({z})", ("{z} is ({n}, {d})", "A whole number, or a shape of them, is needed")),
    Slip("a = np.zeros(2, 3)", ("Cannot interpret '3' as a data type", "several sizes go together")),
    Slip("a = {z} ^ 2", ("{z} is ({n}, {d})", "a power is written `**`")),
    Slip("a = {z} * self.forward", ("self.forward is a method", "without its brackets")),
    Slip(
        "a = {z}(2)",
        ("'numpy.ndarray' object is not callable", "{z} is ({n}, {d})", "only functions and classes can be called"),
    ),
    Slip("missing = None; a = {z} * missing", ("`missing` is None",)),
    Slip("missing = None; a = missing.shape", ("`missing` is None",)),
    Slip("a = nothing_of_that_name", ("name 'nothing_of_that_name' is not defined",)),
    Slip("a = nmpy.exp({z})", ("name 'nmpy' is not defined",)),
    Slip("import torch", ("imports torch, but only NumPy and the standard library",)),
    Slip("import numppy", ("there is no numppy. Did you mean `numpy`?",)),
    Slip("from numpy import tahn", ("cannot import name 'tahn'", "Did you mean `tanh`")),
    Slip("from numpy.core.umath_tests import inner1d", ("that part of NumPy is gone",), "2.0.0"),
    Slip("a = np.max({z}, axes=0)", ("max() got an unexpected keyword argument 'axes'", "`np.max` is NumPy's")),
    Slip("a = {z}.sum(axes=0)", ("'axes'", "`{z}.sum` is NumPy's")),
    Slip(
        "a = np.expand_dims({z})", ("expand_dims() missing 1 required", "`np.expand_dims` is NumPy's: np.expand_dims(")
    ),
    Slip("a = 1 / 0", ("ZeroDivisionError", "What is divided by is zero")),
    Slip("breakpoint()", ("BdbQuit", "stops for a debugger")),
    Slip("a = np.concatenate([{z}, np.ones((3, {d}))], axis=1)", ("{z} is ({n}, {d})",)),
    Slip("a = np.array([[1, 2], [3]], float)", ("have different lengths or shapes",)),
)


@pytest.mark.parametrize("slip", sample(SLIPS, 2), ids=lambda slip: slip.code)
@pytest.mark.parametrize("name", PLACES)
def test_an_exception_has_its_place_its_values_and_its_owner(name: str, slip: Slip, tmp_path: Path) -> None:
    needs(slip.since)
    place = PLACES[name]
    names = {"z": place.argument, "n": place.shape[0], "d": place.shape[1]}
    code = slip.code.format(**names)
    lines = students.PLAIN[place.file].partition(place.start)[0].count("\n") + 1
    said = verdict(tmp_path, place.problem, (place.file, place.start, f"        {code}\n{place.start}"))
    at = re.match(rf"{place.file}, line (\d+): ", said.reason)
    assert at, said.reason
    assert int(at[1]) - lines in ((0, 1) if "breakpoint" in code else (0,))
    for words in slip.words:
        assert words.format(**names) in said.reason, said.reason
    assert "gufunc" not in said.reason
    assert "exercises.py" not in said.reason


class Case(NamedTuple):
    """Changes of the plain solution, the problem that shows them, and what has to be said and what may not."""

    name: str
    problem: str
    changes: list[tuple[str, str, str]]
    words: tuple[str, ...]
    never: tuple[str, ...] = ()
    since: str = "1.23.0"


BACK = "            delta = self.linear_layers[i].backward(delta)\n"
DELTA = "delta = delta * self.activations[i].derivative()"
CRITERION = "        self.criterion.forward(self.output, labels)\n"

# fmt: off
CASES = (
    Case(
        "delta is not passed on",
        "single_backward",
        [(HW1, BACK, BACK.replace("delta = ", ""))],
        ("delta is (13, 10)", "is (13, 8)", "8 is the width of hidden layer 1"),
        ("another layer's activation", "first to the last"),
    ),
    Case(
        "zeros of an array",
        "classifier_step",
        [(HW1, "            layer.dW.fill(0.0)\n", "            layer.dW = np.zeros(layer.dW)\n")],
        ("layer.dW is (8, 10)", "A whole number, or a shape of them, is needed there, and an array came"),
        ("math",),
    ),
    Case(
        "keepdims forgotten on the maximum",
        "loss_forward",
        [(LOSS, "a = np.max(x, axis=1, keepdims=True)", "a = np.max(x, axis=1)")],
        ("In `x - a`, x is (13, 10) and a is (13,)", "`a = np.max(x, axis=1)` has dropped it"),
        ("sum over the classes", "divided"),
    ),
    Case(
        "an alias that NumPy dropped, with NumPy's own advice whole",
        "tanh_forward",
        [(ACTIVATION, "np.tanh(x)", "np.array(x, np.float)")],
        ("use `float` by itself",),
        ("Is the attribute set", "Did you mean"),
        "1.24.0",
    ),
    Case(
        "a function that left the library",
        "linear_forward",
        [(LINEAR, "import math\n", "import time\ntime.clock()\n")],
        ("module 'time' has no attribute 'clock'. That left the standard library in Python 3.8",),
    ),
    Case(
        "insert on a tuple",
        "single_forward",
        [(HW1, "sizes = [input_size] + list(hiddens)", "hiddens = tuple(hiddens)\n        hiddens.insert(0, 1)\n        sizes = [input_size] + list(hiddens)")],
        ("'tuple' object has no attribute 'insert'", "A tuple can't be changed"),
    ),
    Case(
        "a function that is missing",
        "multiple_choice",
        [(MC, "def question_3", "def qestion_3")],
        ("hw1/mc.py: ", "Did you mean `qestion_3`?"),
    ),
    Case(
        "a function that is indented",
        "multiple_choice",
        [(MC, "    return 'a'\n\n# Question 3\ndef question_3():\n    return 'a'\n", "    return 'a'\n\n    def question_3():\n        return 'a'\n")],
        ("hw1/mc.py", "Line 11 of hw1/mc.py has it, but indented"),
        ("Is the attribute set",),
    ),
    Case("an empty file", "linear_forward", [(LINEAR, students.LINEAR, "# to do\n")], ("mytorch/linear.py is empty",)),
    Case(
        "the writeup's other spelling of a file",
        "classifier_forward",
        [(HW1, "from activation import *", "from activations import *")],
        ("mytorch/activation.py, which is imported as activation",),
        ("only NumPy and the standard library",),
    ),
    Case(
        "train_mode under another name",
        "batchnorm_train",
        [(HW1, "self.train_mode = True\n        self.num", "self.training = True\n        self.num")],
        ("has no attribute 'train_mode'", "Did you mean `training`"),
    ),
    Case("self.w", "linear_forward", [(LINEAR, "np.dot(x, self.W)", "np.dot(x, self.w)")], ("Did you mean `W`",)),
    Case(
        "self.sate",
        "tanh_forward",
        [(ACTIVATION, "        self.state = np.tanh(x)\n        return self.state", "        self.sate = np.tanh(x)\n        return self.sate")],
        ("state is None", "no line of Tanh's sets self.state, but one sets self.sate"),
    ),
    Case(
        "the criterion is never called in backward",
        "classifier_backward",
        [(HW1, CRITERION, "")],
        ("`self.sm` and `self.labels` are None: SoftmaxCrossEntropy.forward sets that", "was it called before?"),
    ),
    Case(
        "the loss in its derivative's place",
        "single_backward",
        [(HW1, "        delta = self.criterion.derivative()\n", "        delta = self.criterion.loss\n")],
        ("delta is (13,) and self.W.T is (10, 8)",),
        ("keepdims",),
    ),
    Case(
        "x is never updated",
        "single_forward",
        [(HW1, "out = self.linear_layers[i](out)", "out = self.linear_layers[i](x)")],
        ("x is (11, 12)", "self.W is (8, 10)", "12 is the input's width, 8 is the width of hidden layer 1", "linear_layers[i](x)"),
    ),
    Case(
        "the linear layer before the activation's derivative",
        "single_backward",
        [(HW1, DELTA, f"delta = self.linear_layers[i].backward(delta); {DELTA}")],
        ("delta is (13, 8) and self.W.T is (10, 8)", "8 is the width of hidden layer 1, 10 is the output's width"),
    ),
    Case(
        "one step too many",
        "classifier_backward",
        [(HW1, "range(len(self.linear_layers) - 1, -1, -1)", "range(len(self.linear_layers), 0, -1)")],
        ("self.activations is a list of 1 and i is 1", "past the last entry"),
    ),
    Case(
        "eval the wrong way round",
        "batchnorm_train",
        [(BATCHNORM, "        if eval:\n", "        if not eval:\n")],
        ("`self.x` is None: BatchNorm.forward sets that",),
    ),
    Case(
        "batch norm for every layer",
        "batchnorm_train",
        [(HW1, "            if i < self.num_bn_layers:\n                out", "            if self.bn:\n                out")],
        ("self.bn_layers is a list of 2 and i is 2",),
    ),
    Case(
        "a layer in a size's place",
        "batchnorm_train",
        [(HW1, "BatchNorm(sizes[i + 1])", "BatchNorm(self.linear_layers[i])")],
        ("in_feature is a Linear", "called at hw1/hw1.py"),
    ),
    Case(
        "no brackets after derivative",
        "classifier_backward",
        [(HW1, DELTA, DELTA[:-2])],
        ("self.activations[i].derivative is a method", "without its brackets"),
    ),
    Case(
        "a layer's backward that returns nothing",
        "single_backward",
        [
            (LINEAR, "        return np.dot(delta, self.W.T)", "        dx = np.dot(delta, self.W.T)"),
            (LINEAR, "        batch_size = delta.shape[0]\n", "        batch_size = len(self.x)\n"),
            (LINEAR, "np.dot(self.x.T, delta)", "self.x.T @ delta"),
            (HW1, DELTA, "pass"),
        ],
        ("(has 0, needs 1)", "`delta` is None: line", "Linear.backward has no return with a value"),
    ),
    Case(
        "a velocity of W's in b's line",
        "classifier_step",
        [(HW1, "layer.b += layer.momentum_b", "layer.b += layer.momentum_W")],
        ("layer.b is (1, 10) and layer.momentum_W is (8, 10)", "An update in place keeps the shape"),
    ),
    Case(
        "an init function called with one size",
        "linear_forward",
        [(LINEAR, "bias_init_fn(out_feature)", "bias_init_fn(1, out_feature)")],
        ("bias_init_fn() takes 1 positional argument but 2 were given", "bias_init_fn is called as bias_init_fn(out_feature)"),
        ("lambda",),
    ),
    Case(
        "a missing method is the homework's call",
        "linear_backward",
        [(LINEAR, "def backward(", "def backwards(")],
        ("mytorch/linear.py, class Linear", "(when `backward(delta)` was called)", "Did you mean `backwards`"),
        ("layer.backward", "the grader"),
    ),
    Case(
        "a name that only another module has",
        "classifier_forward",
        [(HW1, "from linear import *", "from linear import linear")],
        ("cannot import name 'linear' from 'linear'", "Did you mean `Linear`"),
        ("/tmp",),
    ),
    Case(
        "a package's import",
        "linear_forward",
        [(LINEAR, "import math\n", "from .activation import *\n")],
        ("by name alone, without the dot",),
    ),
)
# fmt: on


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_case_from_practice_is_told_as_it_is(case: Case, tmp_path: Path) -> None:
    needs(case.since)
    said = verdict(tmp_path, case.problem, *case.changes)
    assert said.status != "passed"
    for words in case.words:
        assert words in said.reason, said.reason
    for words in case.never:
        assert words not in said.reason, said.reason


@pytest.mark.skipif(sys.version_info < (3, 12), reason="the module is there")
def test_a_module_that_left_the_library_is_told(tmp_path: Path) -> None:
    said = verdict(tmp_path, "linear_forward", (LINEAR, "import math\n", "import imp\n"))
    assert "imp left the standard library in Python 3.12" in said.reason


def test_a_name_that_left_numpy_is_told(tmp_path: Path) -> None:
    needs("2.0.0")
    said = verdict(tmp_path, "tanh_forward", (ACTIVATION, "np.tanh(x)", "np.product(x)"))
    assert "has `prod` in its place" in said.reason


HOSTILE = """
class Trap:
    def __getattribute__(self, name):
        raise SystemExit
    __repr__ = __len__ = __eq__ = __getattribute__
    __hash__ = None

class Meta(type):
    def __getattribute__(cls, name):
        raise SystemExit

class Odd(metaclass=Meta):
    @property
    def shape(self):
        raise SystemExit
"""


@pytest.mark.parametrize(
    "made", ["Trap()", "Odd()", "Odd", "[Trap()] * 3", "{'a': Odd()}", "type('n' * 10 ** 6, (), {})()"]
)
def test_no_code_of_an_object_is_run_to_describe_it(made: str, tmp_path: Path) -> None:
    lines = f"        trap = {made}; self.trap = trap; a = x - np.ones(3) * (trap is not None)\n"
    changes = [
        (ACTIVATION, "import numpy as np\n", f"import numpy as np\n{HOSTILE}"),
        (ACTIVATION, "        self.state = np.tanh(x)\n", lines),
    ]
    said = verdict(tmp_path, "tanh_forward", *changes)
    assert "could not be broadcast" in said.reason
    assert "x is (11, 7)" in said.reason
    assert len(said.reason) < 2000


# Exceptions as facts, without a submission that raises them.

FILE = Submission({"hw1/hw1.py": b"import numpy as np\n\ndef f():\n    raise NotImplemented\n"})


def raised(kind: str, message: str, line: int = 3, module: str = "") -> Outcome:
    frames = (Frame("hw1/hw1.py", line, "f"),)
    return Outcome("raised", raised=Raised(kind, message, (kind,), frames, module=module))


@pytest.mark.parametrize(
    ("kind", "message", "words"),
    [
        ("TypeError", "Use () not None as shape arguments", "np.zeros(None)"),
        ("ValueError", "matmul: Input operand 1 has a mismatch in its core dimension 0", "(n, k) @ (k, m)"),
        ("ValueError", "operands could not be broadcast together with shapes (3,2) (3,)", "equal or 1"),
        ("AttributeError", "'NoneType' object has no attribute 'shape'", "Something is None"),
        ("IndexError", "list index out of range", "past the last entry"),
        ("UnboundLocalError", "local variable 'x' referenced before assignment", "before it is assigned"),
        ("RecursionError", "maximum recursion depth exceeded", "without end"),
        (
            "UFuncTypeError",
            "Cannot cast ufunc 'subtract' output from dtype('float64') to dtype('int64')",
            "whole numbers is updated",
        ),
    ],
)
def test_a_known_exception_is_explained(kind: str, message: str, words: str) -> None:
    text = exceptions.exception(raised(kind, message), FILE)
    assert text.startswith("hw1/hw1.py, line 3: `def f():`: ")
    assert message in text
    assert words in text


def test_an_unknown_exception_is_quoted_alone() -> None:
    text = exceptions.exception(raised("OSError", "odd"), FILE)
    assert text == "hw1/hw1.py, line 3: `def f():`: OSError: odd"


def test_raise_not_implemented_without_error_is_unfinished() -> None:
    outcome = raised("TypeError", "exceptions must derive from BaseException", 4)
    assert exceptions.unstarted(outcome, FILE)
    assert not exceptions.unstarted(raised("TypeError", "exceptions must derive from BaseException", 3), FILE)


def test_a_missing_or_foreign_module_is_named() -> None:
    text = exceptions.exception(raised("ModuleNotFoundError", "No module named 'scipy'", module="scipy.stats"), FILE)
    assert "imports scipy, but only NumPy" in text
    text = exceptions.exception(raised("ModuleNotFoundError", "No module named 'loss'", module="loss"), FILE)
    assert text.endswith("mytorch/loss.py is missing")


def test_every_pattern_of_the_table_compiles_and_is_reached() -> None:
    seen = set()
    for name, pattern, text in exceptions.KNOWN_EXCEPTIONS:
        re.compile(name)
        re.compile(pattern)
        assert (name, pattern) not in seen
        seen.add((name, pattern))
        assert text
