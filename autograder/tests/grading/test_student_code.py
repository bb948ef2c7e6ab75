"""Real student code: what is said of it is true, names the student's own line, and is said once."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import students
from handins import MAX_TOTAL, ROOT, report, solution
from homework.problems import TO_WRITE
from kit.starter_files import unwritten
from report import table
from samples import sample

# ruff: noqa: E501  (a slip stands in one line)

ACTIVATION, LOSS, LINEAR, BATCHNORM, HW1, MC = students.PLAIN

Grade = Callable[..., Any]


class Slip(NamedTuple):
    """What a student did to the plain solution, and the first problem that shows it, with words of what is said."""

    name: str
    leader: str
    status: str
    words: str
    changes: list[tuple[str, str, str]]  # file, and what stands there instead of what


# fmt: off
SLIPS = (
    Slip('raise_notimpl_tanh', 'tanh_forward', 'not started', 'in forward. NotImplemented is no exception', [(ACTIVATION, '        self.state = np.tanh(x)\n        return self.state\n', '        raise NotImplemented\n'), (ACTIVATION, '        return 1 - self.state ** 2\n', '        raise NotImplemented\n')]),
    Slip('zeros_none', 'linear_forward', 'error', 'A shape is needed there, not None', [(LINEAR, 'self.dW = np.zeros(self.W.shape)', 'self.dW = np.zeros((None, None))'), (LINEAR, 'self.db = np.zeros(self.b.shape)', 'self.db = np.zeros((None, None))')]),
    Slip('linear_layers_none', 'classifier_forward', 'error', '`None` is a placeholder to be filled in', [(HW1, 'self.linear_layers = [Linear(sizes[i], sizes[i + 1], weight_init_fn, bias_init_fn) for i in range(len(sizes) - 1)]', 'self.linear_layers = None')]),
    Slip('bn_layers_none', 'batchnorm_train', 'error', '`None` is a placeholder to be filled in', [(HW1, 'self.bn_layers = [BatchNorm(sizes[i + 1]) for i in range(num_bn_layers)]', 'self.bn_layers = None')]),
    Slip('bn_forward_starter', 'batchnorm_train', 'not started', 'in forward', [(BATCHNORM, '        if eval:\n            self.norm = (x - self.running_mean) / np.sqrt(self.running_var + self.eps)\n            self.out = self.gamma * self.norm + self.beta\n            return self.out\n\n        self.x = x\n        self.mean = np.mean(x, axis=0, keepdims=True)\n        self.var = np.var(x, axis=0, keepdims=True)\n        self.norm = (x - self.mean) / np.sqrt(self.var + self.eps)\n        self.out = self.gamma * self.norm + self.beta\n\n        # moving averages\n        self.running_mean = self.alpha * self.running_mean + (1 - self.alpha) * self.mean\n        self.running_var = self.alpha * self.running_var + (1 - self.alpha) * self.var\n        return self.out\n\n', '        # if eval:\n        #    # ???\n\n        self.x = x\n\n        # self.mean = # ???\n        # self.var = # ???\n        # self.norm = # ???\n        # self.out = # ???\n\n        # moving averages\n        # self.running_mean = # ???\n        # self.running_var = # ???\n\n        # ...\n\n        raise NotImplemented\n\n'), (BATCHNORM, '        m = delta.shape[0]\n        self.dbeta = np.sum(delta, axis=0, keepdims=True)\n        self.dgamma = np.sum(delta * self.norm, axis=0, keepdims=True)\n        dnorm = delta * self.gamma\n        sqrt = np.sqrt(self.var + self.eps)\n        dvar = -0.5 * np.sum(dnorm * (self.x - self.mean) / sqrt ** 3, axis=0, keepdims=True)\n        dmean = -np.sum(dnorm / sqrt, axis=0, keepdims=True) - 2 / m * dvar * np.sum(self.x - self.mean, axis=0, keepdims=True)\n        return dnorm / sqrt + dvar * (2 / m * (self.x - self.mean)) + dmean / m\n', '        raise NotImplemented\n')]),
    Slip('pass_bodies', 'classifier_backward', 'not started', 'MLP.backward does nothing yet', [(HW1, '        self.criterion.forward(self.output, labels)\n        delta = self.criterion.derivative()\n        for i in range(len(self.linear_layers) - 1, -1, -1):\n            delta = delta * self.activations[i].derivative()\n            if i < self.num_bn_layers:\n                delta = self.bn_layers[i].backward(delta)\n            delta = self.linear_layers[i].backward(delta)\n', '        # TODO\n        pass\n')]),
    Slip('step_pass', 'classifier_step', 'not started', 'MLP.step does nothing yet', [(HW1, '        for i in range(len(self.linear_layers)):\n            layer = self.linear_layers[i]\n            layer.momentum_W = self.momentum * layer.momentum_W - self.lr * layer.dW\n            layer.momentum_b = self.momentum * layer.momentum_b - self.lr * layer.db\n            layer.W += layer.momentum_W\n            layer.b += layer.momentum_b\n        if self.bn:\n            for bn in self.bn_layers:\n                bn.gamma = bn.gamma - self.lr * bn.dgamma\n                bn.beta = bn.beta - self.lr * bn.dbeta\n\n', '        pass\n\n')]),
    Slip('forward_pass', 'classifier_forward', 'not started', 'MLP.forward does nothing yet', [(HW1, '        out = x\n        for i in range(len(self.linear_layers)):\n            out = self.linear_layers[i](out)\n            if i < self.num_bn_layers:\n                out = self.bn_layers[i](out, not self.train_mode)\n            out = self.activations[i](out)\n        self.output = out\n        return out\n\n', '        pass\n\n')]),
    Slip('mc_starter', 'multiple_choice', 'failed', "question_1 returns ''", [(MC, "return 'b'", "return ''")]),
    Slip('mc_int', 'multiple_choice', 'failed', 'question_1 returns an int', [(MC, "return 'b'", 'return 2')]),
    Slip('mc_none', 'multiple_choice', 'not started', 'question_1 does nothing yet', [(MC, "return 'b'", 'pass')]),
    Slip('undefined_name', 'linear_forward', 'error', 'Did you mean `self.W`', [(LINEAR, 'np.dot(x, self.W)', 'np.dot(x, W)')]),
    Slip('typo_np', 'tanh_forward', 'error', '`self.state = nump.tanh(x)`: NameError', [(ACTIVATION, 'np.tanh(x)', 'nump.tanh(x)')]),
    Slip('foward_linear', 'linear_forward', 'error', 'Did you mean `foward`', [(LINEAR, 'def forward(self, x)', 'def foward(self, x)')]),
    Slip('foward_act', 'tanh_forward', 'error', 'Did you mean `foward`', [(ACTIVATION, '    def forward(self, x):\n        self.state = np.tanh', '    def foward(self, x):\n        self.state = np.tanh')]),
    Slip('derivitive', 'tanh_derivative', 'error', 'Tanh has no method `derivative`. Did you mean `derivitive`', [(ACTIVATION, '    def derivative(self):\n        return 1 - self', '    def derivitive(self):\n        return 1 - self')]),
    Slip('backwards', 'linear_backward', 'error', '(when `backward(delta)` was called). Linear has no method `backward`. Did you mean `backwards`', [(LINEAR, 'def backward(', 'def backwards(')]),
    Slip('no_x', 'linear_backward', 'error', "has no attribute 'x'. No line of Linear's sets `self.x`", [(LINEAR, '        self.x = x\n', '')]),
    Slip('class_renamed', 'tanh_forward', 'error', 'Did you mean `TanH`', [(ACTIVATION, 'class Tanh(', 'class TanH('), (ACTIVATION, 'super(Tanh', 'super(TanH')]),
    Slip('mlp_lower', 'classifier_forward', 'error', 'Did you mean `Mlp`', [(HW1, 'class MLP(', 'class Mlp(')]),
    Slip('dw_name', 'linear_backward', 'error', "(when `dW` was read). No line of Linear's sets `self.dW`. Did you mean `dw`", [(LINEAR, 'self.dW = np.zeros', 'self.dw = np.zeros'), (LINEAR, 'self.dW = np.dot', 'self.dw = np.dot')]),
    Slip('dw_name_local', 'linear_backward', 'failed', 'dW is all zeros (likewise db); right: backward(delta)', [(LINEAR, 'self.dW = np.dot', 'dW = np.dot'), (LINEAR, 'self.db = np.sum', 'db = np.sum')]),
    Slip('missing_self', 'linear_forward', 'error', 'has no `self`', [(LINEAR, 'def forward(self, x)', 'def forward(x)')]),
    Slip('missing_self_step', 'classifier_step', 'error', 'has no `self`', [(HW1, 'def step(self)', 'def step()')]),
    Slip('extra_arg', 'tanh_derivative', 'error', '(when `derivative()` was called)', [(ACTIVATION, '    def derivative(self):\n        return 1 - self', '    def derivative(self, x):\n        return 1 - self')]),
    Slip('init_sig', 'classifier_forward', 'error', '(when `MLP(…)` was called)', [(HW1, 'criterion, lr, momentum=0.0, num_bn_layers=0', 'criterion, lr, num_bn_layers=0'), (HW1, 'self.momentum = momentum', 'self.momentum = 0.0')]),
    Slip('no_return_linear', 'linear_forward', 'failed', 'Linear.forward (mytorch/linear.py, line 27) has no return with a value', [(LINEAR, '        return np.dot(x, self.W) + self.b', '        self.out = np.dot(x, self.W) + self.b')]),
    Slip('no_return_dx', 'linear_backward', 'failed', 'Linear.backward (mytorch/linear.py, line 31) has no return with a value', [(LINEAR, '        return np.dot(delta, self.W.T)', '        dx = np.dot(delta, self.W.T)')]),
    Slip('return_tuple', 'loss_forward', 'failed', 'forward(x, y) is a tuple', [(LOSS, '        return self.loss\n', '        return self.loss, self.sm\n')]),
    Slip('mean_loss', 'loss_forward', 'failed', 'forward(x, y) is a float', [(LOSS, '        return self.loss\n', '        return float(np.mean(self.loss))\n')]),
    Slip('matrix', 'linear_forward', 'failed', 'is a numpy.matrix', [(LINEAR, '        self.x = x\n        return np.dot(x, self.W) + self.b', '        self.x = np.matrix(x)\n        return self.x * np.matrix(self.W) + self.b')]),
    Slip('hiddens_empty', 'classifier_forward', 'error', 'here input_size=12, output_size=10, hiddens=[]', [(HW1, 'sizes = [input_size] + list(hiddens) + [output_size]\n        self.linear_layers = [Linear(sizes[i], sizes[i + 1], weight_init_fn, bias_init_fn) for i in range(len(sizes) - 1)]', 'sizes = hiddens\n        self.linear_layers = [Linear(input_size, hiddens[0], weight_init_fn, bias_init_fn)]\n        for i in range(len(hiddens) - 1):\n            self.linear_layers.append(Linear(hiddens[i], hiddens[i + 1], weight_init_fn, bias_init_fn))\n        self.linear_layers.append(Linear(hiddens[-1], output_size, weight_init_fn, bias_init_fn))\n        sizes = [input_size] + hiddens + [output_size]')]),
    Slip('one_layer_short', 'classifier_forward', 'error', 'is empty, expected a list of 1', [(HW1, 'for i in range(len(sizes) - 1)]', 'for i in range(len(sizes) - 2)]')]),
    Slip('linear_only', 'single_forward', 'error', 'has the length 1, expected a list of 2; here input_size=12, output_size=10, hiddens=[8]', [(HW1, 'sizes = [input_size] + list(hiddens) + [output_size]', 'sizes = [input_size, output_size]')]),
    Slip('no_advance', 'single_forward', 'error', '`out = self.linear_layers[i](x)`', [(HW1, 'out = self.linear_layers[i](out)', 'out = self.linear_layers[i](x)')]),
    Slip('no_advance2', 'single_forward', 'failed', "hands linear_layers[0]'s output to linear_layers[1], where activations[0]'s output is due", [(HW1, '            out = self.activations[i](out)\n        self.output', '            self.activations[i](out)\n        self.output')]),
    Slip('reversed_layers', 'hidden1_forward', 'error', 'linear_layers[0].W has the shape (9, 6), expected (9, 8)', [(HW1, 'sizes = [input_size] + list(hiddens) + [output_size]', 'sizes = [input_size] + list(hiddens)[::-1] + [output_size]')]),
    Slip('loop_off', 'classifier_forward', 'failed', 'MLP.forward calls no layer and returns the network\'s input', [(HW1, '        out = x\n        for i in range(len(self.linear_layers)):', '        out = x\n        for i in range(self.nlayers - 1):')]),
    Slip('loop_over', 'classifier_forward', 'error', 'self.linear_layers is a list of 1 and i is 1', [(HW1, '        out = x\n        for i in range(len(self.linear_layers)):', '        out = x\n        for i in range(self.nlayers + 1):')]),
    Slip('bn_all', 'batchnorm_train', 'error', 'hiddens=[8, 7], num_bn_layers=2', [(HW1, '            if i < self.num_bn_layers:\n                out', '            if self.bn:\n                out')]),
    Slip('bn_le', 'classifier_forward', 'error', 'sets it: was that line reached before?', [(HW1, '            if i < self.num_bn_layers:\n                out', '            if i <= self.num_bn_layers:\n                out')]),
    Slip('bn_sizes', 'batchnorm_train', 'error', '(called at hw1/hw1.py, line', [(HW1, 'BatchNorm(sizes[i + 1])', 'BatchNorm(sizes[i])')]),
    Slip('softmax_forward', 'classifier_forward', 'failed', 'the network does not', [(HW1, '        self.output = out\n', '        out = np.exp(out) / np.sum(np.exp(out), axis=1, keepdims=True)\n        self.output = out\n')]),
    Slip('loop_forever', 'classifier_forward', 'timeout', 'in forward: does a loop there ever end?', [(HW1, '        out = x\n        for i in range(len(self.linear_layers)):', '        out = x\n        i = 0\n        while i < len(self.linear_layers):\n            pass\n        for i in range(len(self.linear_layers)):')]),
    Slip('while_true_import', 'classifier_forward', 'timeout', 'while it imported hw1, at hw1/hw1.py, line', [(HW1, 'class MLP(', 'while True:\n    pass\n\nclass MLP(')]),
    Slip('prints_wrong', 'classifier_backward', 'error', 'self.activations[i].derivative is a method', [(HW1, 'delta = delta * self.activations[i].derivative()', "print('delta', delta.shape)\n            delta = delta * self.activations[i].derivative")]),
    Slip('tabs_mix', 'sigmoid_forward', 'error', 'TabError', [(ACTIVATION, '    def forward(self, x):\n        self.state = np.tanh(x)\n        return self.state', '    def forward(self, x):\n        self.state = np.tanh(x)\n\treturn self.state')]),
    Slip('missing_colon', 'linear_forward', 'error', '`def forward(self, x)`: SyntaxError', [(LINEAR, 'def forward(self, x):', 'def forward(self, x)')]),
    Slip('import_scipy', 'sigmoid_forward', 'error', 'only NumPy and the standard library', [(ACTIVATION, 'import os', 'from scipy.special import expit')]),
    Slip('main_code', 'classifier_forward', 'error', 'FileNotFoundError', [(HW1, 'class MLP(', "data = np.load('data/train.npy')\nclass MLP(")]),
    Slip('sys_exit', 'classifier_forward', 'error', 'ends the program, and nothing after it is run', [(HW1, 'class MLP(', 'sys.exit(0)\n\nclass MLP(')]),
    Slip('recursion', 'linear_forward', 'error', 'calls itself without end', [(LINEAR, '        return self.forward(x)', '        return self(x)')]),
    Slip('float32', 'linear_forward', 'failed', 'dtype float32, expected float64, with the right numbers', [(LINEAR, 'self.W = weight_init_fn(in_feature, out_feature)', 'self.W = weight_init_fn(in_feature, out_feature).astype(np.float32)'), (LINEAR, 'return np.dot(x, self.W) + self.b', 'return (np.dot(x, self.W) + self.b).astype(np.float32)')]),
    Slip('class_list', 'classifier_backward', 'error', 'the very list of an earlier network', [(HW1, '    def __init__(self, input', '    linear_layers = []\n\n    def __init__(self, input'), (HW1, 'self.linear_layers = [Linear(sizes[i], sizes[i + 1], weight_init_fn, bias_init_fn) for i in range(len(sizes) - 1)]', 'for i in range(len(sizes) - 1):\n            self.linear_layers.append(Linear(sizes[i], sizes[i + 1], weight_init_fn, bias_init_fn))')]),
    Slip('global_state', 'single_backward', 'failed', 'linear_layers[0].dW has the shape (8, 8)', [(LINEAR, '        self.x = x\n        return', '        global X\n        X = x\n        return'), (LINEAR, 'self.x.T', 'X.T')]),
    Slip('momentum_sign', 'classifier_step', 'failed', 'the step has the wrong sign', [(HW1, '            layer.W += layer.momentum_W\n', '            layer.W -= layer.momentum_W\n')]),
    Slip('momentum_b_forgot', 'momentum', 'failed', 'only W has momentum', [(HW1, '            layer.b += layer.momentum_b\n', '            layer.b -= self.lr * layer.db\n')]),
    Slip('update_copies', 'classifier_step', 'failed', 'the step is all zeros', [(HW1, '            layer.W += layer.momentum_W\n            layer.b += layer.momentum_b\n', '            W, b = layer.W.copy(), layer.b.copy()\n            W += layer.momentum_W\n            b += layer.momentum_b\n')]),
    Slip('backward_no_bn', 'batchnorm_train', 'failed', 'leaves out the batch norm layers', [(HW1, '            if i < self.num_bn_layers:\n                delta = self.bn_layers[i].backward(delta)\n', '')]),
    Slip('backward_off', 'classifier_backward', 'failed', 'MLP.backward never calls linear_layers[0].backward', [(HW1, 'range(len(self.linear_layers) - 1, -1, -1)', 'range(len(self.linear_layers) - 1, 0, -1)')]),
    Slip('backward_labels_only', 'classifier_backward', 'error', '`delta = self.criterion.derivative()`', [(HW1, '        self.criterion.forward(self.output, labels)\n', '')]),
    Slip('backward_wrongact', 'single_backward', 'error', 'delta is (13, 10) and self.activations[i - 1].derivative() is (13, 8)', [(HW1, 'delta * self.activations[i].derivative()', 'delta * self.activations[i - 1].derivative()')]),
    Slip('act_matmul', 'single_backward', 'error', 'arrays of one shape meet entry by entry', [(HW1, 'delta * self.activations[i].derivative()', 'np.dot(delta, self.activations[i].derivative())')]),
    Slip('bn_axis1', 'batchnorm_train', 'failed', 'BatchNorm by itself: norm is wrong at', [(BATCHNORM, 'np.mean(x, axis=0, keepdims=True)', 'np.mean(x, axis=1, keepdims=True)')]),
    Slip('bn_eval_missing', 'batchnorm_inference', 'failed', 'takes no notice of eval', [(BATCHNORM, '        if eval:\n', '        if False:\n')]),
    Slip('bn_eval_swapped', 'batchnorm_train', 'error', 'MLP.forward passes eval=True to bn_layers[0] while it trains', [(HW1, '(out, not self.train_mode)', '(out, self.train_mode)')]),
    Slip('relu_max', 'relu_forward', 'error', 'np.maximum', [(ACTIVATION, 'self.state = np.maximum(x, 0)', 'self.state = max(0, x)')]),
    Slip('sigmoid_scalar', 'sigmoid_forward', 'error', 'math.exp(-x)`, x is (11, 7). One number is needed there', [(ACTIVATION, '        self.state = 1 / (1 + np.exp(-x))\n        return self.state', '        import math\n        self.state = 1 / (1 + math.exp(-x))\n        return self.state')]),
    Slip('tanh_exp', 'tanh_forward', 'failed', 'It first goes wrong in mytorch/activation.py, line', [(ACTIVATION, 'self.state = np.tanh(x)', 'self.state = (np.exp(x) + np.exp(-x)) / (np.exp(x) - np.exp(-x))')]),
    Slip('sigmoid_no_state', 'sigmoid_forward', 'failed', 'does not store its output', [(ACTIVATION, '        self.state = 1 / (1 + np.exp(-x))\n        return self.state', '        return 1 / (1 + np.exp(-x))')]),
    Slip('other_hw', 'classifier_forward', 'error', "'MLP' object has no attribute 'linear_layers'", [(HW1, '        sizes = [input_size] + list(hiddens) + [output_size]\n        self.linear_layers = [Linear(sizes[i], sizes[i + 1], weight_init_fn, bias_init_fn) for i in range(len(sizes) - 1)]\n\n', '        self.layers = []\n        sizes = [input_size] + hiddens + [output_size]\n        for i in range(len(sizes) - 1):\n            self.layers.append(Linear(sizes[i], sizes[i + 1], weight_init_fn, bias_init_fn))\n            self.layers.append(activations[i])\n')]),
    Slip('other_hw2', 'classifier_forward', 'error', 'MLP.linear_layers has the length 2, expected a list of 1', [(HW1, '        sizes = [input_size] + list(hiddens) + [output_size]\n        self.linear_layers = [Linear(sizes[i], sizes[i + 1], weight_init_fn, bias_init_fn) for i in range(len(sizes) - 1)]\n\n', '        sizes = [input_size] + hiddens + [output_size]\n        self.linear_layers = []\n        for i in range(len(sizes) - 1):\n            self.linear_layers.append(Linear(sizes[i], sizes[i + 1], weight_init_fn, bias_init_fn))\n            self.linear_layers.append(activations[i])\n')]),
    Slip('matrices_instead', 'classifier_forward', 'error', 'of type ndarray, which has no W', [(HW1, '        sizes = [input_size] + list(hiddens) + [output_size]\n        self.linear_layers = [Linear(sizes[i], sizes[i + 1], weight_init_fn, bias_init_fn) for i in range(len(sizes) - 1)]\n\n', '        sizes = [input_size] + hiddens + [output_size]\n        self.linear_layers = [weight_init_fn(sizes[i], sizes[i + 1]) for i in range(len(sizes) - 1)]\n')]),
)
# fmt: on
# Before Python 3.11 an exception has no columns, and before 3.10 its message no class: less can be said.
FROM_3_11 = ("missing_self", "missing_self_step", "init_sig", "backward_wrongact", "sigmoid_scalar")
IN_TWO_WAYS = ("bn_le", "linear_only")  # networks with batch norm and those without raise different exceptions there


@pytest.fixture
def grade(tmp_path: Path) -> Grade:
    """Grade files, and return the run and the screen as one line."""

    def graded(files: dict[str, str], **settings: Any) -> tuple[Any, str]:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())
        run = report(tmp_path, **settings)
        out = io.StringIO()
        table.table(run, out, whole=True)
        return run, out.getvalue()

    return graded


def flat(text: str) -> str:
    return " ".join(text.split())


def test_the_starters_plain_style_has_full_points_and_true_findings(grade: Grade) -> None:
    run, _ = grade(students.PLAIN)
    assert run.total == MAX_TOTAL
    assert [finding.title for finding in run.findings] == [
        "MLP.zero_grads leaves gradients behind",
        "a float32 network does not stay float32",
    ]


@pytest.mark.parametrize("slip", sample(SLIPS, 2), ids=lambda slip: slip.name)
def test_a_slip_is_said_once_and_truly(slip: Slip, grade: Grade) -> None:
    files = dict(students.PLAIN)
    for file, old, new in slip.changes:
        assert old in files[file]
        files[file] = files[file].replace(old, new, 1)
    run, text = grade(files, deadline=0.7 if slip.status == "timeout" else 10)
    wrong = [verdict for verdict in run.verdicts.values() if verdict.status != "passed"]
    leaders = [v for v in wrong if not v.behind and v.status != "not started"]
    assert (wrong[0].problem.key, wrong[0].status) == (slip.leader, slip.status)
    if sys.version_info >= (3, 11) or slip.name not in FROM_3_11:
        assert flat(slip.words) in flat(text).replace("non- ", "non-")
    if slip.name not in IN_TWO_WAYS:
        assert leaders in ([], [wrong[0]]), "one slip, but several faults"
    assert max(map(len, text.splitlines()[1:])) <= 80  # the first line holds a path
    for own in ("Traceback", "exercises.py", "serve.py", str(ROOT)):
        assert own not in text


@pytest.mark.parametrize(
    ("written", "points", "following"),
    [
        (
            [],
            0,
            "Sigmoid Non-Linearity (forward), 2 points, section 3.1.1 of the writeup. Still to be written: mytorch/",
        ),
        (["hw1/mc.py"], 5, "Sigmoid Non-Linearity (forward)"),
        (["hw1/mc.py", "Sigmoid.forward"], 7, "Sigmoid Non-Linearity (derivative)"),
        (["mytorch/activation.py", "hw1/mc.py"], 17, "Softmax Cross Entropy (forward)"),
        (["mytorch", "hw1/mc.py"], 25, "Linear Classifier (forward)"),
        (["mytorch", "hw1/mc.py", "MLP.__init__", "MLP.forward"], 47, "Linear Classifier (backward)"),
    ],
)
def test_partial_progress_is_no_fault(written: list[str], points: int, following: str, grade: Grade) -> None:
    bodies = [body for body in TO_WRITE if not any(part in body for part in written)]
    files = {name: data.decode() for name, data in unwritten(bodies).items()}
    run, text = grade(files)
    assert run.total == points
    assert {verdict.status for verdict in run.verdicts.values()} <= {"passed", "not started"}
    if not written:
        assert run.findings == []
    assert flat(f"Next: {following}") in flat(text)


# The solution with one thing changed: what the first fault says, and whether the catalogue names a cause.
MUTANTS = [
    (
        "mytorch/batchnorm.py",
        "self.dbeta = delta.sum(axis=0, keepdims=True)",
        "self.dbeta = delta.sum(axis=0)",
        "BatchNorm by itself: dbeta has the shape (4,), expected (1, 4)",
        0,
    ),
    (
        "mytorch/batchnorm.py",
        "self.mean = x.sum(axis=0",
        "self.mean = x.sum(axis=1",
        "BatchNorm by itself: var is wrong at",
        0,
    ),
    (
        "mytorch/batchnorm.py",
        "(delta * self.norm).sum(",
        "(delta * self.norm).mean(",
        "BatchNorm by itself: dgamma is 1/11 of the expected",
        0,
    ),
    ("mytorch/batchnorm.py", "        if eval:\n", "        if False:\n", "takes no notice of eval", 1),
    (
        "hw1/hw1.py",
        "linear.W = linear.W + linear.momentum_W\n            linear.b = linear.b + linear.momentum_b",
        "linear.W = linear.W - linear.momentum_W\n            linear.b = linear.b - linear.momentum_b",
        "the step has the wrong sign",
        0,  # of gamma and beta it has not: no mistake of the catalogue's
    ),
    (
        "hw1/hw1.py",
        "                delta = self.bn_layers[i].backward(delta)\n",
        "                pass\n",
        "leaves out the batch norm layers",
        1,
    ),
    (
        "hw1/hw1.py",
        "float(self.lr)  #",
        "float(self.lr); self.momentum = 0.0  #",
        "the velocity of the last step is lost",
        1,
    ),
    ("hw1/hw1.py", "from linear import Linear\n", "", "Linear is in mytorch/linear.py: is it imported?", 0),
    ("hw1/hw1.py", "self.activations: list[Activation] = []", "pass", "'MLP' object has no attribute 'activations'", 0),
    (
        "mytorch/linear.py",
        "return delta @ self.W.T",
        "return delta * self.W.T",
        "operands could not be broadcast together",
        0,
    ),
    (
        "mytorch/linear.py",
        "mean_delta = delta / len(delta)",
        "mean_delta = delta",
        "dW is 13 times the expected, and the batch has 13 rows (likewise db)",
        1,
    ),
    ("mytorch/loss.py", "self.softmax = exp / sums", "self.softmax = exp * sums", "derivative() is wrong at", 0),
    ("mytorch/activation.py", "(state > 0).astype", "(state > 1).astype", "derivative() is wrong at", 0),
]


@pytest.mark.parametrize(("file", "old", "new", "words", "hints"), MUTANTS, ids=lambda value: str(value)[:40])
def test_what_is_said_of_a_mutant_is_true_of_it(
    file: str, old: str, new: str, words: str, hints: int, grade: Grade
) -> None:
    files = {name: data.decode() for name, data in solution().items()}
    assert files[file].count(old) == 1
    files[file] = files[file].replace(old, new)
    run, text = grade(files)
    first = next(verdict for verdict in run.verdicts.values() if verdict.status != "passed")
    assert flat(words) in flat(text)
    assert len(first.hints) == hints


def test_three_mistakes_are_three_paragraphs(grade: Grade) -> None:
    files = students.replaced(
        students.PLAIN,
        ("        return 1 - self.state ** 2", "        return 1 - self.state"),
        (
            "        self.x = x\n        return np.dot(x, self.W) + self.b",
            "        self.x = x\n        return np.dot(x, self.w) + self.b",
        ),
        ("return 'c'", "return 'c)'"),
    )
    _, text = grade(files)
    assert [line for line in text.splitlines() if ", section " in line and not line.startswith(" ")][:3] == [
        "Linear Layer (forward), section 3.4.1, 2 points and 72 behind it",
        "Multiple Choice Questions, section 2, 5 points",
        "Tanh Non-Linearity (derivative), section 3.1.4, 2 points",
    ]
    assert flat("Hint: Tanh.derivative is 1 - tanh(z): the square is missing") in flat(text)
    assert flat("Did you mean `W`") in flat(text)
