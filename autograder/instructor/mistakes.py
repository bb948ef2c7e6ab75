"""The catalogue of mistakes: each a small wrong variant of the solution, with the hint that it deserves.

To add one, add an entry and run `python3 autograder/instructor/fingerprints.py`, which grades every variant and
stores a few numbers of each wrong result, so that the student's grader can recognise it.
"""

from __future__ import annotations

import textwrap
from collections.abc import Container
from typing import NamedTuple

FILES = {
    "Identity": "mytorch/activation.py",
    "Sigmoid": "mytorch/activation.py",
    "Tanh": "mytorch/activation.py",
    "ReLU": "mytorch/activation.py",
    "SoftmaxCrossEntropy": "mytorch/loss.py",
    "Linear": "mytorch/linear.py",
    "BatchNorm": "mytorch/batchnorm.py",
    "MLP": "hw1/hw1.py",
    "get_training_stats": "hw1/hw1.py",
    **{f"question_{i}": "hw1/mc.py" for i in range(1, 6)},
}


class Mistake(NamedTuple):
    """One mistake: what to say about it, where to read again, and the code that makes it.

    `code` holds functions by the name of what they replace; `finding` is the key of the probe that shows the
    mistake where it costs no points.
    """

    key: str
    section: str  # of the writeup, or its equations
    hint: str  # what the student did, said so that it is clear where to look; never the right line of code
    code: dict[str, str]
    finding: str = ""


# Layers' mistakes are seen through the simplest network: one that calls every layer's own methods.
PLAIN = {
    "MLP.backward": """
        def backward(self, labels):
            self.criterion(self.output, labels)
            delta = self.criterion.derivative()
            for i in reversed(range(self.nlayers)):
                delta = delta * self.activations[i].derivative()
                if i < self.num_bn_layers:
                    delta = self.bn_layers[i].backward(delta)
                delta = self.linear_layers[i].backward(delta)
    """,
}


def apply(mistake: Mistake, files: dict[str, bytes], written: Container[str] | None = None) -> dict[str, bytes]:
    """Return the solution's files with the mistake in them: each wrong function is appended and put in place.

    In unfinished files, `written` names the bodies that are there.
    """
    files = dict(files)
    code = {**PLAIN, **mistake.code}
    for number, (target, source) in enumerate(code.items()):
        if written is not None and target not in written:
            continue
        name = target.rpartition(".")[2]
        file = FILES[target.partition(".")[0]]
        # A name of its own for each, so that one function replaced does not hide another of the same name.
        wrong = textwrap.dedent(source).strip().replace(f"def {name}(", f"def _variant_{number}(", 1)
        files[file] = files[file] + f"\n\n{wrong}\n\n\n{target} = _variant_{number}\n".encode()
    return files


def _activation(name: str, forward: str = "", derivative: str = "") -> dict[str, str]:
    code = {}
    if forward:
        code[f"{name}.forward"] = f"def forward(self, x):\n    {forward}\n    return self.state"
    if derivative:
        code[f"{name}.derivative"] = f"def derivative(self):\n    return {derivative}"
    return code


def _loss(forward: str = "", derivative: str = "") -> dict[str, str]:
    """Wrong variants of SoftmaxCrossEntropy: lines that set self.softmax and self.loss, and a returned expression."""
    code = {}
    if forward:
        lines = "\n".join(f"    {line.strip()}" for line in forward.strip().splitlines())
        code["SoftmaxCrossEntropy.forward"] = (
            f"def forward(self, x, y):\n    self.logits, self.labels = x, y\n{lines}\n    return self.loss"
        )
    if derivative:
        code["SoftmaxCrossEntropy.derivative"] = f"def derivative(self):\n    return {derivative}"
    return code


SHIFTED = "e = np.exp(x - x.max(axis=1, keepdims=True))\nself.softmax = e / e.sum(axis=1, keepdims=True)\n"
RIGHT_LOSS = "self.loss = -(y * np.log(self.softmax)).sum(axis=1)"


def _linear_backward(
    dW: str = "self.x.T @ delta / len(delta)",
    db: str = "delta.mean(axis=0, keepdims=True)",
    dx: str = "delta @ self.W.T",
    assign: str = "=",
) -> dict[str, str]:
    return {
        "Linear.backward": f"""
            def backward(self, delta):
                self.dW {assign} {dW}
                self.db {assign} {db}
                return {dx}
        """
    }


def _batchnorm_forward(
    mean: str = "x.mean(axis=0, keepdims=True)",
    var: str = "x.var(axis=0, keepdims=True)",
    norm: str = "(x - self.mean) / np.sqrt(self.var + self.eps)",
    out: str = "self.gamma * self.norm + self.beta",
    running_mean: str = "self.alpha * self.running_mean + (1 - self.alpha) * self.mean",
    running_var: str = "self.alpha * self.running_var + (1 - self.alpha) * self.var",
    inference: str = "self.gamma * (x - self.running_mean) / np.sqrt(self.running_var + self.eps) + self.beta",
    before: str = "pass",
) -> dict[str, str]:
    return {
        "BatchNorm.forward": f"""
            def forward(self, x, eval=False):
                {before}
                if eval:
                    return {inference}
                self.x = x
                self.mean = {mean}
                self.var = {var}
                self.norm = {norm}
                self.out = {out}
                self.running_mean = {running_mean}
                self.running_var = {running_var}
                return self.out
        """
    }


def _batchnorm_backward(
    dgamma: str = "(delta * self.norm).sum(axis=0, keepdims=True)",
    dbeta: str = "delta.sum(axis=0, keepdims=True)",
    dnorm: str = "delta * self.gamma",
    dvar: str = "-0.5 * (dnorm * centred * std ** -3).sum(axis=0, keepdims=True)",
    dmean: str = "-(dnorm / std).sum(axis=0, keepdims=True) - 2 / m * dvar * centred.sum(axis=0, keepdims=True)",
    dx: str = "dnorm / std + dvar * 2 / m * centred + dmean / m",
    assign: str = "=",
    m: str = "len(delta)",
) -> dict[str, str]:
    return {
        "BatchNorm.backward": f"""
            def backward(self, delta):
                m = {m}
                centred = self.x - self.mean
                std = np.sqrt(self.var + self.eps)
                self.dgamma {assign} {dgamma}
                self.dbeta {assign} {dbeta}
                dnorm = {dnorm}
                dvar = {dvar}
                dmean = {dmean}
                return {dx}
        """
    }


def _mlp_forward(layer: str, after: str = "self.output = x\n    return x") -> dict[str, str]:
    """A wrong loop over the layers; `layer` is its body, in terms of i, linear, activation and x."""
    lines = "\n".join(f"        {line}" for line in textwrap.dedent(layer).strip().splitlines())
    return {
        "MLP.forward": f"def forward(self, x):\n    inputs = x\n    for i in range(self.nlayers):\n"
        f"        linear, activation = self.linear_layers[i], self.activations[i]\n{lines}\n    {after}"
    }


BATCH_NORM = "if i < self.num_bn_layers:\n    x = self.bn_layers[i](x, not self.train_mode)"


def _mlp_backward(layer: str, start: str = "self.criterion.derivative()") -> dict[str, str]:
    lines = "\n".join(f"        {line}" for line in textwrap.dedent(layer).strip().splitlines())
    return {
        "MLP.backward": f"def backward(self, labels):\n    self.criterion(self.output, labels)\n    delta = {start}\n"
        f"    for i in reversed(range(self.nlayers)):\n"
        f"        linear, activation = self.linear_layers[i], self.activations[i]\n{lines}"
    }


BATCH_NORM_BACK = "if i < self.num_bn_layers:\n    delta = self.bn_layers[i].backward(delta)"


def _step(linear: str, bn: str = "p -= self.lr * g") -> dict[str, str]:
    """A wrong update of one parameter p with gradient g and velocity v (lines), and of batch norm's p with g."""
    lines = "\n".join(f"            {line}" for line in textwrap.dedent(linear).strip().splitlines())
    return {
        "MLP.step": "def step(self):\n    for layer in self.linear_layers:\n"
        "        for p, g, v in [(layer.W, layer.dW, layer.momentum_W), (layer.b, layer.db, layer.momentum_b)]:\n"
        f"{lines}\n    for bn in self.bn_layers:\n"
        f"        for p, g in [(bn.gamma, bn.dgamma), (bn.beta, bn.dbeta)]:\n            {bn}"
    }


STEP = "v *= self.momentum\nv -= self.lr * g\np += v"


def _training_stats(
    start: str = "mlp.train()",
    shuffle: str = "np.random.shuffle(order)",
    batches: str = "range(0, len(order), batch_size)",
    gather: str = "x, y = train_x[order[s:s + batch_size]], train_y[order[s:s + batch_size]]",
    train: str = "mlp.zero_grads(); mlp.forward(x); mlp.backward(y); mlp.step()",
    evaluate: str = "mlp.eval()",
    validate: str = "pass",
    partition: str = "dset[1]",
    reset: str = "pass",
    before: str = "pass",
    means: str = "losses / len(train_x), errors / len(train_x), val_losses / len(val_x), val_errors / len(val_x)",
    end: str = "mlp.train()",
) -> dict[str, str]:
    return {
        "get_training_stats": f"""
            def get_training_stats(mlp, dset, nepochs, batch_size):
                (train_x, train_y), (val_x, val_y) = dset[0], {partition}
                losses, errors, val_losses, val_errors = np.zeros((4, nepochs))
                order = np.arange(len(train_x))
                {before}
                for e in range(nepochs):
                    {start}
                    {shuffle}
                    for s in {batches}:
                        {gather}
                        {train}
                        losses[e] += mlp.total_loss(y)
                        errors[e] += mlp.error(y)
                    {evaluate}
                    for s in range(0, len(val_x), batch_size):
                        x, y = val_x[s:s + batch_size], val_y[s:s + batch_size]
                        mlp.forward(x)
                        {validate}
                        val_losses[e] += mlp.total_loss(y)
                        val_errors[e] += mlp.error(y)
                    {end}
                    {reset}
                return {means}
        """
    }


# Groups that no exercise can tell apart, and why; they share one hint.
SAME_NUMBERS = (
    (
        {"momentum_ignored", "velocity_not_kept"},
        "a velocity that MLP.step loses between two steps moves no parameter, whichever way it was lost",
    ),
    (
        {"stats_no_train_mode", "train_sets_no_mode"},
        "the log shows the mode that a batch is trained in, and that is the same",
    ),
)

MISTAKES: tuple[Mistake, ...] = (
    # ------------------------------------------------------------ section 3.1, activations
    Mistake(
        "relu_in_place",
        "3.1.5",
        "ReLU.forward writes into the array that it is given: the layer before still needs those numbers",
        _activation("ReLU", "x[x < 0] = 0; self.state = x"),
        "relu_large",
    ),
    Mistake(
        "relu_derivative_in_state",
        "3.1.6",
        "ReLU.derivative writes into self.state: a second call reads what the first one left",
        {
            "ReLU.derivative": """
                def derivative(self):
                    self.state[self.state > 0] = 1
                    return self.state
            """
        },
        "relu_large",
    ),
    Mistake(
        "relu_derivative_bool",
        "3.1.6",
        "ReLU.derivative returns truth values: make them floating-point numbers",
        _activation("ReLU", derivative="self.state > 0"),
    ),
    Mistake(
        "relu_derivative_int",
        "3.1.6",
        "ReLU.derivative returns integers: make them floating-point numbers",
        _activation("ReLU", derivative="(self.state > 0).astype(int)"),
    ),
    Mistake(
        "relu_derivative_at_zero",
        "3.1.6",
        "ReLU's derivative is 0 where its input is 0: the condition there is strict",
        _activation("ReLU", derivative="(self.state >= 0).astype(float)"),
    ),
    Mistake(
        "relu_identity",
        "3.1.5",
        "ReLU.forward returns its input: negative entries should become 0",
        _activation("ReLU", "self.state = x.copy()"),
    ),
    Mistake(
        "relu_absolute",
        "3.1.5",
        "ReLU.forward takes the absolute value: negative entries should become 0",
        _activation("ReLU", "self.state = np.abs(x)"),
    ),
    Mistake(
        "sigmoid_derivative_twice",
        "3.1.2",
        "Sigmoid.derivative applies the sigmoid again: self.state already is S(z)",
        _activation("Sigmoid", derivative="(lambda s: s * (1 - s))(1 / (1 + np.exp(-self.state)))"),
    ),
    Mistake(
        "tanh_derivative_twice",
        "3.1.4",
        "Tanh.derivative applies tanh again: self.state already is tanh(z)",
        _activation("Tanh", derivative="1 - np.tanh(self.state) ** 2"),
    ),
    *(
        Mistake(
            f"{name.lower()}_state_is_input",
            "3.1",
            f"{name}.forward stores its input in self.state, not its output",
            {f"{name}.forward": f"def forward(self, x):\n    self.state = x\n    return {value}"},
        )
        for name, value in [("Sigmoid", "1 / (1 + np.exp(-x))"), ("Tanh", "np.tanh(x)"), ("ReLU", "np.maximum(x, 0)")]
    ),
    *(
        Mistake(
            f"{name.lower()}_state_not_set",
            "3.1",
            f"{name}.forward does not store its output in self.state",
            {f"{name}.forward": f"def forward(self, x):\n    return {value}"},
        )
        for name, value in [("Sigmoid", "1 / (1 + np.exp(-x))"), ("Tanh", "np.tanh(x)"), ("ReLU", "np.maximum(x, 0)")]
    ),
    Mistake(
        "sigmoid_sign",
        "3.1.1",
        "Sigmoid.forward comes out as 1 - S(z): look at the sign in the exponent",
        _activation("Sigmoid", "self.state = 1 / (1 + np.exp(x))"),
    ),
    Mistake(
        "sigmoid_derivative_no_product",
        "3.1.2",
        "Sigmoid.derivative is 1 - S(z): the factor S(z) is missing",
        _activation("Sigmoid", derivative="1 - self.state"),
    ),
    Mistake(
        "tanh_derivative_not_squared",
        "3.1.4",
        "Tanh.derivative is 1 - tanh(z): the square is missing",
        _activation("Tanh", derivative="1 - self.state"),
    ),
    Mistake(
        "tanh_derivative_sign",
        "3.1.4",
        "Tanh.derivative is tanh(z)^2 - 1: the signs are the other way round",
        _activation("Tanh", derivative="self.state ** 2 - 1"),
    ),
    Mistake(
        "tanh_raw",
        "3.1.3",
        "Tanh.forward takes raw exponentials, which overflow: numpy has a tanh of its own",
        _activation("Tanh", "p, m = np.exp(x), np.exp(-x); self.state = (p - m) / (p + m)"),
        "tanh_large",
    ),
    Mistake(
        "identity_derivative_zero",
        "3.1",
        "Identity.derivative is 0: the derivative of z is 1",
        _activation("Identity", derivative="0 * self.state"),
    ),
    Mistake(
        "sigmoid_twice",
        "3.1.1",
        "Sigmoid.forward applies the sigmoid twice",
        _activation("Sigmoid", "s = 1 / (1 + np.exp(-x)); self.state = 1 / (1 + np.exp(-s))"),
    ),
    Mistake(
        "sigmoid_brackets",
        "3.1.1",
        "Sigmoid.forward comes out as 1 + exp(-z): the division takes in the 1 alone, for want of brackets",
        _activation("Sigmoid", "self.state = 1 / 1 + np.exp(-x)"),
    ),
    Mistake(
        "sigmoid_derivative_of_tanh",
        "3.1.2",
        "Sigmoid.derivative is 1 - S(z)^2, which is the formula of tanh",
        _activation("Sigmoid", derivative="1 - self.state ** 2"),
    ),
    Mistake(
        "tanh_is_tan",
        "3.1.3",
        "Tanh.forward is the tangent, not the hyperbolic one",
        _activation("Tanh", "self.state = np.tan(x)"),
    ),
    Mistake(
        "tanh_brackets",
        "3.1.3",
        "Tanh.forward divides exp(-z) alone by the sum: the difference above the line wants brackets",
        _activation("Tanh", "self.state = np.exp(x) - np.exp(-x) / (np.exp(x) + np.exp(-x))"),
    ),
    Mistake(
        "tanh_derivative_square_alone",
        "3.1.4",
        "Tanh.derivative is tanh(z)^2: it is not subtracted from 1",
        _activation("Tanh", derivative="self.state ** 2"),
    ),
    Mistake(
        "tanh_derivative_of_sigmoid",
        "3.1.4",
        "Tanh.derivative is tanh(z) (1 - tanh(z)), which is the formula of the sigmoid",
        _activation("Tanh", derivative="self.state * (1 - self.state)"),
    ),
    Mistake(
        "relu_max",
        "3.1.5",
        "ReLU.forward takes the largest entry of each column: the second argument of np.max is an axis",
        _activation("ReLU", "self.state = np.max(x, 0)"),
    ),
    Mistake(
        "relu_derivative_min",
        "3.1.6",
        "ReLU.derivative is the state cut off at 1: it is 1 wherever the state is positive",
        _activation("ReLU", derivative="np.minimum(self.state, 1)"),
    ),
    Mistake(
        "relu_derivative_is_state",
        "3.1.6",
        "ReLU.derivative returns the state itself: it is 1 wherever the state is positive",
        _activation("ReLU", derivative="self.state.copy()"),
    ),
    Mistake(
        "relu_derivative_float64",
        "3.1.6",
        "ReLU.derivative is float64 whatever its input is, and turns a float32 network",
        _activation("ReLU", derivative="(self.state > 0).astype(float)"),
        "mlp_dtype",
    ),
    # ------------------------------------------------------------ section 3.2, loss
    Mistake(
        "softmax_no_shift",
        "appendix B",
        "the exponentials overflow: softmax needs the shift of the LogSumExp trick",
        _loss("e = np.exp(x)\nself.softmax = e / e.sum(axis=1, keepdims=True)\n" + RIGHT_LOSS),
        "loss_large",
    ),
    Mistake(
        "softmax_one_shift",
        "appendix B",
        "the logits are shifted by one maximum for the whole batch: each row needs its own",
        _loss("e = np.exp(x - x.max())\nself.softmax = e / e.sum(axis=1, keepdims=True)\n" + RIGHT_LOSS),
        "loss_large",
    ),
    Mistake(
        "softmax_axis_0",
        "appendix A",
        "the softmax is normalised over the batch (its columns sum to 1), not over the classes",
        _loss("e = np.exp(x)\nself.softmax = e / e.sum(axis=0, keepdims=True)\n" + RIGHT_LOSS),
    ),
    Mistake(
        "softmax_no_keepdims",
        "appendix A",
        "the sum over the classes has lost its axis, and (N, C) can't be divided by (N,): keepdims keeps it",
        _loss("e = np.exp(x)\nself.softmax = e / e.sum(axis=1)\n" + RIGHT_LOSS),
    ),
    Mistake(
        "softmax_whole_matrix",
        "appendix A",
        "the softmax is normalised over the whole matrix: every row should sum to 1",
        _loss("e = np.exp(x)\nself.softmax = e / e.sum()\n" + RIGHT_LOSS),
    ),
    Mistake(
        "loss_scalar",
        "3.2.1",
        "the loss is averaged over the batch: forward should return one loss for each example, of shape (N,)",
        _loss(SHIFTED + "self.loss = -(y * np.log(self.softmax)).sum(axis=1).mean()")
        | {"MLP.total_loss": "def total_loss(self, labels):\n    return self.criterion(self.output, labels)"},
    ),
    Mistake(
        "loss_summed",
        "3.2.1",
        "the loss is summed over the batch: forward should return one loss for each example, of shape (N,)",
        _loss(SHIFTED + "self.loss = -(y * np.log(self.softmax)).sum()"),
    ),
    Mistake(
        "loss_column",
        "3.2.1",
        "the loss keeps the axis of the classes: its shape should be (N,)",
        _loss(SHIFTED + "self.loss = -(y * np.log(self.softmax)).sum(axis=1, keepdims=True)"),
    ),
    Mistake(
        "loss_mean_over_classes",
        "appendix A",
        "the loss is averaged over the classes: the cross entropy is their sum",
        _loss(SHIFTED + "self.loss = -(y * np.log(self.softmax)).mean(axis=1)"),
    ),
    Mistake(
        "loss_sign",
        "appendix A",
        "the loss has the wrong sign: a cross entropy is never negative",
        _loss(SHIFTED + "self.loss = (y * np.log(self.softmax)).sum(axis=1)"),
    ),
    Mistake(
        "loss_log_of_one_minus",
        "appendix A",
        "the loss is that of the softmax of the other classes, log(1 - p): it should be the true class's",
        _loss(SHIFTED + "self.loss = -(y * np.log(1 - self.softmax)).sum(axis=1)"),
    ),
    Mistake(
        "loss_of_logits",
        "appendix A",
        "the loss is taken from the logits without the log-sum-exp term",
        _loss(SHIFTED + "self.loss = -(y * x).sum(axis=1)"),
    ),
    Mistake(
        "loss_of_shifted_logits",
        "appendix B",
        "the maximum is not added back after the log-sum-exp",
        _loss(SHIFTED + "self.loss = np.log(e.sum(axis=1)) - (y * x).sum(axis=1)"),
    ),
    Mistake(
        "loss_labels_swapped",
        "appendix A",
        "labels and probabilities are swapped in the sum: the logarithm is the softmax's",
        _loss(SHIFTED + "self.loss = -(self.softmax * np.log(y + 1e-10)).sum(axis=1)"),
    ),
    Mistake(
        "loss_capped",
        "appendix B",
        "a small number is added in the logarithm, which caps the loss: log-softmax needs none",
        _loss(SHIFTED + "self.loss = -(y * np.log(self.softmax + 1e-8)).sum(axis=1)"),
        "loss_large",
    ),
    Mistake(
        "loss_derivative_averaged",
        "3.2.2",
        "the criterion's derivative is divided by the batch: Linear.backward averages, the criterion does not",
        _loss(derivative="(self.softmax - self.labels) / len(self.labels)"),
    ),
    Mistake(
        "loss_derivative_sign",
        "3.2.2",
        "the criterion's derivative is labels minus probabilities: it is the other way round",
        _loss(derivative="self.labels - self.softmax"),
    ),
    Mistake(
        "loss_derivative_of_logits",
        "3.2.2",
        "the criterion's derivative is taken from the logits: the softmax of them is missing",
        _loss(derivative="self.logits - self.labels"),
    ),
    Mistake(
        "loss_derivative_no_labels",
        "3.2.2",
        "the criterion's derivative is the softmax alone: the labels are not subtracted",
        _loss(derivative="self.softmax.copy()"),
    ),
    Mistake(
        "loss_derivative_of_softmax",
        "3.2.2",
        "the criterion's derivative has the factor p (1 - p), as if the softmax were an activation of its own",
        _loss(derivative="(self.softmax - self.labels) * self.softmax * (1 - self.softmax)"),
    ),
    Mistake(
        "loss_is_softmax",
        "3.2.1",
        "SoftmaxCrossEntropy.forward returns the softmax, not the loss",
        _loss(SHIFTED + "self.loss = self.softmax"),
    ),
    *(
        Mistake(
            f"loss_log{base}",
            "appendix A",
            f"the logarithm of the loss has the base {base}: the cross entropy takes the natural one",
            _loss(SHIFTED + f"self.loss = -(y * np.log{base}(self.softmax)).sum(axis=1)"),
        )
        for base in (2, 10)
    ),
    Mistake(
        "softmax_floor_division",
        "appendix A",
        "the softmax is divided with //, which cuts off everything below 1",
        _loss("e = np.exp(x)\nself.softmax = e // e.sum(axis=1, keepdims=True)\n" + RIGHT_LOSS),
    ),
    # ------------------------------------------------------------ section 3.4, linear layer
    Mistake(
        "linear_no_bias",
        "3.4.1",
        "the bias is left out of Linear.forward",
        {"Linear.forward": "def forward(self, x):\n    self.x = x\n    return x @ self.W"},
    ),
    Mistake(
        "linear_bias_subtracted",
        "3.4.1",
        "the bias is subtracted in Linear.forward",
        {"Linear.forward": "def forward(self, x):\n    self.x = x\n    return x @ self.W - self.b"},
    ),
    Mistake(
        "dW_summed", "3.4.2", "dW is summed over the batch: it should be averaged", _linear_backward("self.x.T @ delta")
    ),
    Mistake(
        "db_summed",
        "3.4.2",
        "db is summed over the batch: it should be averaged",
        _linear_backward(db="delta.sum(axis=0, keepdims=True)"),
    ),
    Mistake(
        "dW_db_summed",
        "3.4.2",
        "dW and db are summed over the batch: they should be averaged",
        _linear_backward("self.x.T @ delta", "delta.sum(axis=0, keepdims=True)"),
    ),
    Mistake(
        "db_row",
        "3.4.2",
        "db has lost its axis: it should have b's shape (1, out), which keepdims keeps",
        _linear_backward(db="delta.mean(axis=0)"),
    ),
    Mistake(
        "db_not_reduced",
        "3.4.2",
        "db is delta itself, one row for each example: it should be averaged over the batch",
        _linear_backward(db="delta"),
    ),
    Mistake(
        "db_over_features",
        "3.4.2",
        "db is averaged over the units, not over the batch",
        _linear_backward(db="delta.mean(axis=1, keepdims=True)"),
    ),
    Mistake(
        "dW_transposed",
        "3.4.2",
        "dW is transposed: it should have W's shape",
        _linear_backward("delta.T @ self.x / len(delta)"),
    ),
    Mistake(
        "dx_averaged",
        "3.4.2",
        "dx is divided by the batch: only dW and db are averaged",
        _linear_backward(dx="delta @ self.W.T / len(delta)"),
    ),
    Mistake(
        "dW_over_features",
        "3.4.2",
        "dW is divided by the number of input features, not by that of the batch's rows",
        _linear_backward("self.x.T @ delta / self.x.shape[1]"),
    ),
    Mistake(
        "dW_db_over_outputs",
        "3.4.2",
        "dW and db are divided by the number of outputs, not by that of the batch's rows",
        _linear_backward("self.x.T @ delta / delta.shape[1]", "delta.sum(axis=0, keepdims=True) / delta.shape[1]"),
    ),
    Mistake(
        "linear_accumulates",
        "3.4.2",
        "Linear.backward adds to the old gradients: it should replace them",
        _linear_backward(assign="+="),
        "linear_twice",
    ),
    Mistake("linear_dx_sign", "3.4.2", "dx has the wrong sign", _linear_backward(dx="-delta @ self.W.T")),
    Mistake(
        "linear_gradients_local",
        "3.4.2",
        "dW and db stay zero: Linear.backward does not store them in the layer",
        {
            "Linear.backward": """
                def backward(self, delta):
                    dW, db = self.x.T @ delta / len(delta), delta.mean(axis=0, keepdims=True)
                    return delta @ self.W.T
            """
        },
    ),
    Mistake(
        "dW_not_stored",
        "3.4.2",
        "dW stays zero: Linear.backward does not store it in the layer",
        _linear_backward("self.dW"),
    ),
    Mistake(
        "db_not_stored",
        "3.4.2",
        "db stays zero: Linear.backward does not store it in the layer",
        _linear_backward(db="self.db"),
    ),
    Mistake(
        "linear_floor_division",
        "3.4.2",
        "dW and db are divided with //, which cuts off the fractions",
        _linear_backward("self.x.T @ delta // len(delta)", "delta.sum(axis=0, keepdims=True) // len(delta)"),
    ),
    Mistake(
        "dW_floor_division",
        "3.4.2",
        "dW is divided with //, which cuts off the fractions",
        _linear_backward("self.x.T @ delta // len(delta)"),
    ),
    # ------------------------------------------------------------ section 3.5, the network
    Mistake(
        "layers_built_twice",
        "3.5",
        "the layers are built twice: every init function is called twice as often, and all weights differ",
        {
            "MLP.__init__": """
                def __init__(self, *args, _init=MLP.__init__, **kwargs):
                    _init(self, *args, **kwargs)
                    _init(self, *args, **kwargs)
            """
        },
        "mlp_init",
    ),
    Mistake(
        "generator_seeded_anew",
        "3.5",
        "the constructor seeds numpy's generator: two networks built in a row get the same weights",
        {
            "MLP.__init__": """
                def __init__(self, *args, _init=MLP.__init__, **kwargs):
                    np.random.seed(0)
                    _init(self, *args, **kwargs)
            """
        },
        "mlp_init",
    ),
    Mistake(
        "derivative_skipped",
        "3.5.2",
        "the activations' derivatives are left out of MLP.backward",
        _mlp_backward(f"{BATCH_NORM_BACK}\ndelta = linear.backward(delta)"),
    ),
    Mistake(
        "hidden_derivative_skipped",
        "3.5.2",
        "only the output layer's activation takes part in MLP.backward: the hidden layers' derivatives are left out",
        _mlp_backward(
            f"if i == self.nlayers - 1:\n    delta = delta * activation.derivative()\n"
            f"{BATCH_NORM_BACK}\ndelta = linear.backward(delta)"
        ),
    ),
    Mistake(
        "derivative_matrix_product",
        "3.5.2",
        "delta and the activation's derivative are multiplied as matrices: the chain rule goes entry by entry",
        _mlp_backward(f"delta = delta @ activation.derivative()\n{BATCH_NORM_BACK}\ndelta = linear.backward(delta)"),
    ),
    Mistake(
        "derivative_of_layer_below",
        "3.5.2",
        "MLP.backward takes each activation's derivative after the linear layer, not before it",
        _mlp_backward(
            f"{BATCH_NORM_BACK}\ndelta = linear.backward(delta)\n"
            "if i:\n    delta = delta * self.activations[i - 1].derivative() ** 2"
        ),
    ),
    Mistake(
        "first_activation_everywhere",
        "3.5.2",
        "the first activation serves every layer: activations[i] belongs to layer i",
        {
            **_mlp_forward(f"x = linear(x)\n{BATCH_NORM}\nx = self.activations[0](x)"),
            **_mlp_backward(
                f"delta = delta * self.activations[0].derivative()\n{BATCH_NORM_BACK}\ndelta = linear.backward(delta)"
            ),
        },
    ),
    Mistake(
        "first_derivative_everywhere",
        "3.5.2",
        "MLP.backward takes the first layer's activation for every layer's derivative",
        _mlp_backward(
            "d = self.activations[0].derivative()\n"
            "delta = delta * (d if d.shape == delta.shape else activation.derivative())\n"
            f"{BATCH_NORM_BACK}\ndelta = linear.backward(delta)"
        ),
    ),
    Mistake(
        "last_activation_skipped",
        "3.5.2",
        "the output layer's activation is left out of MLP.forward",
        _mlp_forward(
            f"x = linear(x)\n{BATCH_NORM}\nif i < self.nlayers - 1:\n    x = activation(x)\nelse:\n    activation(x)"
        ),
    ),
    Mistake(
        "hidden_activation_skipped",
        "3.5.2",
        "the hidden layers' activations are left out of MLP.forward",
        _mlp_forward(f"x = linear(x)\n{BATCH_NORM}\ny = activation(x)\nif i == self.nlayers - 1:\n    x = y"),
    ),
    Mistake(
        "softmax_in_forward",
        "3.5.1",
        "MLP.forward returns probabilities (its rows sum to 1): the criterion takes the softmax, the network does not",
        _mlp_forward(
            f"x = linear(x)\n{BATCH_NORM}\nx = activation(x)",
            "e = np.exp(x - x.max(axis=1, keepdims=True))\n    self.output = e / e.sum(axis=1, keepdims=True)\n"
            "    return self.output",
        ),
    ),
    Mistake(
        "forward_never_advances",
        "3.5.2",
        "every layer is given the network's input: each should take what the layer before returned",
        _mlp_forward("x = activation(linear(inputs))"),
    ),
    Mistake(
        "backward_wrong_order",
        "3.5.2",
        "MLP.backward goes through the layers from the first to the last: it should go from the last to the first",
        {
            "MLP.backward": """
                def backward(self, labels):
                    self.criterion(self.output, labels)
                    delta = self.criterion.derivative()
                    for linear, activation in zip(self.linear_layers, self.activations):
                        delta = linear.backward(delta * activation.derivative())
            """
        },
    ),
    Mistake(
        "backward_activation_below",
        "3.5.2",
        "MLP.backward multiplies by the derivative of another layer's activation: activations[i] belongs to layer i",
        _mlp_backward(
            "delta = delta * self.activations[i - 1].derivative()\n"
            + BATCH_NORM_BACK
            + "\ndelta = linear.backward(delta)"
        ),
    ),
    Mistake(
        "backward_last_layer_only",
        "3.5.2",
        "MLP.backward stops at the output layer: the layers below get no gradient",
        _mlp_backward("delta = linear.backward(delta * activation.derivative())\nbreak"),
    ),
    Mistake(
        "forward_returns_early",
        "3.5.2",
        "MLP.forward returns what the first layer gives: its return stands inside the loop",
        _mlp_forward(f"x = linear(x)\n{BATCH_NORM}\nx = activation(x)\nself.output = x\nreturn x"),
    ),
    Mistake(
        "activation_before_linear",
        "3.5.2",
        "MLP.forward applies each activation before its linear layer: it comes after it",
        {
            **_mlp_forward(f"x = activation(x)\nx = linear(x)\n{BATCH_NORM}"),
            **_mlp_backward(
                f"{BATCH_NORM_BACK}\ndelta = linear.backward(delta)\ndelta = delta * activation.derivative()"
            ),
        },
    ),
    Mistake(
        "forward_activation_below",
        "3.5.2",
        "MLP.forward applies the activation of the layer below: activations[i] belongs to layer i",
        _mlp_forward(f"x = linear(x)\n{BATCH_NORM}\nx = self.activations[i - 1](x)"),
    ),
    Mistake(
        "criterion_swapped",
        "3.5.2",
        "MLP.backward calls the criterion with labels and output the wrong way round",
        {
            "MLP.backward": PLAIN["MLP.backward"].replace(
                "self.criterion(self.output, labels)", "self.criterion(labels, self.output)"
            )
        },
    ),
    Mistake(
        "backward_without_softmax",
        "3.5.2",
        "MLP.backward starts from output minus labels: the criterion's derivative has the softmax of the output there",
        _mlp_backward(
            f"delta = delta * activation.derivative()\n{BATCH_NORM_BACK}\ndelta = linear.backward(delta)",
            "self.output - labels",
        ),
    ),
    Mistake(
        "delta_averaged_in_network",
        "3.5.2",
        "MLP.backward divides the criterion's derivative by the batch: Linear.backward averages, nothing else does",
        _mlp_backward(
            f"delta = delta * activation.derivative()\n{BATCH_NORM_BACK}\ndelta = linear.backward(delta)",
            "self.criterion.derivative() / len(labels)",
        ),
    ),
    Mistake(
        "backward_skips_first_layer",
        "3.5.2",
        "MLP.backward ends before the first layer, which gets no gradient",
        _mlp_backward(
            "if i == 0:\n    break\ndelta = delta * activation.derivative()\n"
            f"{BATCH_NORM_BACK}\ndelta = linear.backward(delta)"
        ),
    ),
    Mistake(
        "lists_reversed",
        "3.5.2",
        "MLP.backward reverses the network's own list of layers: it stays reversed afterwards",
        {
            "MLP.backward": """
                def backward(self, labels):
                    self.criterion(self.output, labels)
                    delta = self.criterion.derivative()
                    self.linear_layers.reverse()
                    self.activations.reverse()
                    for k, linear in enumerate(self.linear_layers):
                        delta = delta * self.activations[k].derivative()
                        i = self.nlayers - 1 - k
                        if i < self.num_bn_layers:
                            delta = self.bn_layers[i].backward(delta)
                        delta = linear.backward(delta)
            """
        },
    ),
    Mistake(
        "zero_grads_clears_weights",
        "3.5.1",
        "MLP.zero_grads sets the parameters themselves to zero, not their gradients",
        {
            "MLP.zero_grads": """
                def zero_grads(self):
                    for layer in self.linear_layers:
                        layer.W.fill(0)
                        layer.b.fill(0)
            """
        },
    ),
    Mistake(
        "step_replaces",
        "3.5.1",
        "MLP.step puts the velocity in the parameter's place: it is to be added to it",
        _step("v *= self.momentum\nv -= self.lr * g\np[...] = v"),
    ),
    Mistake(
        "step_last_layer_only",
        "3.5.2",
        "MLP.step updates the last layer only",
        {
            "MLP.step": """
                def step(self):
                    for layer in self.linear_layers[-1:]:
                        layer.momentum_W = self.momentum * layer.momentum_W - self.lr * layer.dW
                        layer.momentum_b = self.momentum * layer.momentum_b - self.lr * layer.db
                        layer.W = layer.W + layer.momentum_W
                        layer.b = layer.b + layer.momentum_b
            """
        },
    ),
    Mistake(
        "step_adds",
        "3.5.1",
        "MLP.step moves up the gradient: the step is minus lr times the gradient",
        _step("v *= self.momentum\nv += self.lr * g\np += v", "p += self.lr * g"),
    ),
    Mistake(
        "step_without_lr",
        "3.5.1",
        "MLP.step leaves out the learning rate",
        _step("v *= self.momentum\nv -= g\np += v", "p -= g"),
    ),
    Mistake(
        "step_first_layer_only",
        "3.5.2",
        "MLP.step updates one layer only",
        {
            "MLP.step": "def step(self):\n    layer = self.linear_layers[0]\n"
            "    layer.W -= self.lr * layer.dW\n    layer.b -= self.lr * layer.db"
        },
    ),
    Mistake(
        "step_skips_bias",
        "3.5.1",
        "MLP.step updates W only: b is a parameter as well",
        _step("if p.shape[0] > 1:\n    v *= self.momentum\n    v -= self.lr * g\n    p += v"),
    ),
    Mistake(
        "momentum_averaging",
        "3.5.3",
        "the gradient is weighted by 1 - momentum: the writeup's velocity is a sum, not an average",
        _step("v *= self.momentum\nv -= (1 - self.momentum) * self.lr * g\np += v"),
    ),
    Mistake(
        "momentum_ignored",
        "3.5.3",
        "the velocity of the last step is lost: momentum is not used, or the velocity is not stored, or it is cleared "
        "(zero_grads sets gradients to zero, not velocities)",
        _step("p -= self.lr * g"),
    ),
    Mistake(
        "velocity_not_kept",
        "3.5.3",
        "the velocity of the last step is lost: momentum is not used, or the velocity is not stored, or it is cleared "
        "(zero_grads sets gradients to zero, not velocities)",
        _step("v = self.momentum * v - self.lr * g\np += v"),
    ),
    Mistake(
        "velocity_cleared",
        "3.5.3",
        "MLP.zero_grads clears the velocities as well: only gradients are to be zero",
        {
            "MLP.zero_grads": """
                def zero_grads(self):
                    for layer in self.linear_layers:
                        for array in (layer.dW, layer.db, layer.momentum_W, layer.momentum_b):
                            array.fill(0)
                    for bn in self.bn_layers:
                        bn.dgamma.fill(0)
                        bn.dbeta.fill(0)
            """
        },
    ),
    Mistake(
        "momentum_nesterov",
        "3.5.3",
        "the step looks ahead, which is Nesterov's momentum: the writeup adds the velocity alone",
        _step("v *= self.momentum\nv -= self.lr * g\np += self.momentum * v - self.lr * g"),
    ),
    Mistake(
        "momentum_weights_only",
        "3.5.3",
        "only W has momentum: b has a velocity too",
        _step("v *= self.momentum if p.shape[0] > 1 else 0\nv -= self.lr * g\np += v"),
    ),
    Mistake(
        "momentum_after",
        "3.5.3",
        "the parameters move by the velocity before it takes in the new gradient",
        _step("p += v\nv *= self.momentum\nv -= self.lr * g"),
    ),
    Mistake(
        "momentum_twice_lr",
        "3.5.3",
        "the velocity is multiplied by the learning rate a second time",
        _step("v *= self.momentum\nv -= self.lr * g\np += self.lr * v", "p -= self.lr * g"),
    ),
    Mistake(
        "zero_grads_skips_batchnorm",
        "3.5",
        "MLP.zero_grads skips the batch norm layers",
        {
            "MLP.zero_grads": """
                def zero_grads(self):
                    for layer in self.linear_layers:
                        layer.dW.fill(0)
                        layer.db.fill(0)
            """
        },
        "mlp_zero_grads",
    ),
    Mistake(
        "zero_grads_skips_a_layer",
        "3.5",
        "MLP.zero_grads skips some layers",
        {
            "MLP.zero_grads": """
                def zero_grads(self):
                    for layer in self.linear_layers[1:]:
                        layer.dW.fill(0)
                        layer.db.fill(0)
                    for bn in self.bn_layers:
                        bn.dgamma.fill(0)
                        bn.dbeta.fill(0)
            """
        },
        "mlp_zero_grads",
    ),
    Mistake(
        "not_implemented_left",
        "3.5.1",
        "NotImplemented is no exception (NotImplementedError is), and the body is still to be written",
        {"MLP.step": "def step(self):\n    raise NotImplemented"},
    ),
    Mistake(
        "output_not_kept",
        "3.5",
        "error and total_loss read an attribute that forward never sets",
        {
            "MLP.error": """
                def error(self, labels):
                    return (self.outputs.argmax(axis=1) != labels.argmax(axis=1)).sum()
            """
        },
        "mlp_figures",
    ),
    # ------------------------------------------------------------ section 3.3, batch normalisation
    Mistake(
        "var_unbiased",
        "eq. 30",
        "the batch's variance is divided by N - 1: it should be divided by N",
        _batchnorm_forward(var="x.var(axis=0, keepdims=True, ddof=1)"),
    ),
    Mistake(
        "running_var_unbiased",
        "eq. 39",
        "the running variance takes in the unbiased variance (divided by N - 1): it should take in the batch's own",
        _batchnorm_forward(
            running_var="self.alpha * self.running_var + (1 - self.alpha) * x.var(axis=0, keepdims=True, ddof=1)"
        ),
    ),
    Mistake(
        "std_for_var",
        "eq. 30",
        "the standard deviation is stored as the variance: the root is taken once too often",
        _batchnorm_forward(var="x.std(axis=0, keepdims=True)"),
    ),
    Mistake(
        "norm_without_root",
        "eq. 31",
        "the input is divided by the variance: the square root is missing",
        _batchnorm_forward(norm="(x - self.mean) / (self.var + self.eps)"),
    ),
    Mistake(
        "statistics_over_units",
        "eq. 29, 30",
        "mean and variance are taken over each example: they should be taken over the batch, see question 2",
        _batchnorm_forward("x.mean(axis=1, keepdims=True)", "x.var(axis=1, keepdims=True)"),
    ),
    Mistake(
        "gamma_not_used",
        "eq. 32",
        "gamma is left out of the output",
        _batchnorm_forward(out="self.norm + self.beta"),
    ),
    Mistake(
        "beta_not_used",
        "eq. 32",
        "beta is left out of the output",
        _batchnorm_forward(out="self.gamma * self.norm"),
    ),
    Mistake(
        "dgamma_dbeta_averaged",
        "eq. 34, 35",
        "dgamma and dbeta are averaged over the batch: they should be summed",
        _batchnorm_backward("(delta * self.norm).mean(axis=0, keepdims=True)", "delta.mean(axis=0, keepdims=True)"),
    ),
    Mistake(
        "dgamma_averaged",
        "eq. 35",
        "dgamma is averaged over the batch: it should be summed",
        _batchnorm_backward("(delta * self.norm).mean(axis=0, keepdims=True)"),
    ),
    Mistake(
        "dbeta_averaged",
        "eq. 34",
        "dbeta is averaged over the batch: it should be summed",
        _batchnorm_backward(dbeta="delta.mean(axis=0, keepdims=True)"),
    ),
    Mistake(
        "dgamma_from_output",
        "eq. 35",
        "dgamma is taken from the layer's output: it should be taken from norm",
        _batchnorm_backward("(delta * self.out).sum(axis=0, keepdims=True)"),
    ),
    Mistake(
        "dgamma_from_input",
        "eq. 35",
        "dgamma is taken from the layer's input: it should be taken from norm",
        _batchnorm_backward("(delta * self.x).sum(axis=0, keepdims=True)"),
    ),
    Mistake(
        "dnorm_without_gamma",
        "eq. 33",
        "gamma is left out of the derivative by norm",
        _batchnorm_backward(dnorm="delta"),
    ),
    Mistake(
        "dx_without_mean",
        "eq. 17, 27",
        "dx leaves out the path through the mean",
        _batchnorm_backward(dx="dnorm / std + dvar * 2 / m * centred"),
    ),
    Mistake(
        "dx_without_var",
        "eq. 10, 27",
        "dx leaves out the path through the variance",
        _batchnorm_backward(dx="dnorm / std + dmean / m"),
    ),
    Mistake(
        "dx_direct_only",
        "eq. 27",
        "dx leaves out the paths through the mean and the variance",
        _batchnorm_backward(dx="dnorm / std"),
    ),
    Mistake(
        "dvar_power",
        "eq. 10",
        "the derivative by the variance has the power -1/2: it should have -3/2",
        _batchnorm_backward(dvar="-0.5 * (dnorm * centred / std).sum(axis=0, keepdims=True)"),
    ),
    Mistake(
        "dvar_sign",
        "eq. 10",
        "the derivative by the variance has the wrong sign",
        _batchnorm_backward(dvar="0.5 * (dnorm * centred * std ** -3).sum(axis=0, keepdims=True)"),
    ),
    Mistake(
        "dvar_factor",
        "eq. 10",
        "the derivative by the variance lacks its factor 1/2",
        _batchnorm_backward(dvar="-(dnorm * centred * std ** -3).sum(axis=0, keepdims=True)"),
    ),
    Mistake(
        "dmean_sign",
        "eq. 17",
        "the derivative by the mean has the wrong sign",
        _batchnorm_backward(dmean="(dnorm / std).sum(axis=0, keepdims=True)"),
    ),
    Mistake(
        "dmean_not_divided",
        "eq. 27",
        "in dx, the derivative by the mean is not divided by the batch's size",
        _batchnorm_backward(dx="dnorm / std + dvar * 2 / m * centred + dmean"),
    ),
    Mistake(
        "dvar_not_divided",
        "eq. 27",
        "in dx, the derivative by the variance is not divided by the batch's size",
        _batchnorm_backward(dx="dnorm / std + dvar * 2 * centred + dmean / m"),
    ),
    Mistake(
        "batchnorm_accumulates",
        "eq. 34, 35",
        "BatchNorm.backward adds to the old gradients: it should replace them",
        _batchnorm_backward(assign="+="),
        "batchnorm_twice",
    ),
    Mistake(
        "alpha_swapped",
        "eq. 38, 39",
        "alpha and 1 - alpha are swapped in the running averages",
        _batchnorm_forward(
            running_mean="(1 - self.alpha) * self.running_mean + self.alpha * self.mean",
            running_var="(1 - self.alpha) * self.running_var + self.alpha * self.var",
        ),
    ),
    Mistake(
        "running_not_updated",
        "eq. 38, 39",
        "the running averages never move: every training batch should move them",
        _batchnorm_forward(running_mean="self.running_mean", running_var="self.running_var"),
    ),
    Mistake(
        "running_replaced",
        "eq. 38, 39",
        "the running averages hold the last batch's statistics: they should be averaged with alpha",
        _batchnorm_forward(running_mean="self.mean", running_var="self.var"),
    ),
    Mistake(
        "inference_batch_statistics",
        "appendix C",
        "inference takes the batch's own statistics: it should take the running averages, see question 3",
        _batchnorm_forward(
            inference="self.gamma * (x - x.mean(axis=0, keepdims=True)) / "
            "np.sqrt(x.var(axis=0, keepdims=True) + self.eps) + self.beta"
        ),
    ),
    Mistake(
        "inference_last_batch",
        "appendix C",
        "inference takes the last training batch's statistics: it should take the running averages, see question 3",
        _batchnorm_forward(inference="self.gamma * (x - self.mean) / np.sqrt(self.var + self.eps) + self.beta"),
    ),
    Mistake(
        "inference_without_gamma_beta",
        "eq. 32",
        "inference leaves out gamma and beta",
        _batchnorm_forward(inference="(x - self.running_mean) / np.sqrt(self.running_var + self.eps)"),
    ),
    Mistake(
        "inference_moves_running",
        "appendix C",
        "the running averages move in inference: only training batches should move them",
        {
            "BatchNorm.forward": """
                def forward(self, x, eval=False):
                    mean, var = x.mean(axis=0, keepdims=True), x.var(axis=0, keepdims=True)
                    if not eval:
                        self.x, self.mean, self.var = x, mean, var
                        self.norm = (x - mean) / np.sqrt(var + self.eps)
                        self.out = out = self.gamma * self.norm + self.beta
                    else:
                        out = (x - self.running_mean) / np.sqrt(self.running_var + self.eps)
                        out = self.gamma * out + self.beta
                    self.running_mean = self.alpha * self.running_mean + (1 - self.alpha) * mean
                    self.running_var = self.alpha * self.running_var + (1 - self.alpha) * var
                    return out
            """
        },
    ),
    Mistake(
        "eval_flag_not_passed",
        "3.3",
        "MLP.forward does not pass its mode on to batch norm: in inference, eval is true",
        _mlp_forward("x = linear(x)\nif i < self.num_bn_layers:\n    x = self.bn_layers[i](x)\nx = activation(x)"),
    ),
    Mistake(
        "eval_not_looked_at",
        "3.3",
        "BatchNorm.forward takes no notice of eval: inference takes the running averages",
        _batchnorm_forward(before="eval = False"),
    ),
    Mistake(
        "eval_flag_inverted",
        "3.3",
        "MLP.forward passes its mode to batch norm the wrong way round: eval is the opposite of train_mode",
        _mlp_forward(
            "x = linear(x)\nif i < self.num_bn_layers:\n    x = self.bn_layers[i](x, self.train_mode)\n"
            "x = activation(x)"
        ),
    ),
    Mistake(
        "batchnorm_after_activation",
        "3.5.2",
        "batch norm comes after the activation: the order is linear, batch norm, activation",
        {
            **_mlp_forward("x = linear(x)\nx = activation(x)\n" + BATCH_NORM),
            **_mlp_backward(
                f"{BATCH_NORM_BACK}\ndelta = delta * activation.derivative()\ndelta = linear.backward(delta)"
            ),
        },
    ),
    Mistake(
        "batchnorm_back_wrong_order",
        "3.5.2",
        "MLP.backward goes through batch norm before the activation: backward, the activation comes first",
        _mlp_backward(f"{BATCH_NORM_BACK}\ndelta = delta * activation.derivative()\ndelta = linear.backward(delta)"),
    ),
    Mistake(
        "batchnorm_back_skipped",
        "3.5.2",
        "MLP.backward leaves out the batch norm layers",
        _mlp_backward("delta = delta * activation.derivative()\ndelta = linear.backward(delta)"),
    ),
    Mistake(
        "batchnorm_everywhere",
        "3.5.2",
        "every layer is batch-normalised: only the first num_bn_layers should be",
        {
            "MLP.__init__": """
                def __init__(self, *args, _init=MLP.__init__, **kwargs):
                    _init(self, *args, **kwargs)
                    if self.num_bn_layers:
                        self.num_bn_layers = self.nlayers
                        self.bn_layers = [BatchNorm(layer.W.shape[1]) for layer in self.linear_layers]
            """
        },
    ),
    Mistake(
        "gamma_beta_not_stepped",
        "3.5",
        "MLP.step leaves out gamma and beta",
        _step(STEP, "pass"),
    ),
    Mistake(
        "gamma_beta_averaged_step",
        "3.5",
        "MLP.step moves gamma and beta up their gradients",
        _step(STEP, "p += self.lr * g"),
    ),
    Mistake(
        "eps_outside_root",
        "eq. 31",
        "epsilon is added outside the square root",
        _batchnorm_forward(norm="(x - self.mean) / (np.sqrt(self.var) + self.eps)"),
        "batchnorm_small",
    ),
    Mistake(
        "statistics_over_everything",
        "eq. 29, 30",
        "mean and variance are taken over the whole array: each unit has its own, over the batch",
        _batchnorm_forward("np.full((1, x.shape[1]), x.mean())", "np.full((1, x.shape[1]), x.var())"),
    ),
    Mistake(
        "var_summed",
        "eq. 30",
        "the variance is summed over the batch: it should be averaged",
        _batchnorm_forward(var="((x - self.mean) ** 2).sum(axis=0, keepdims=True)"),
    ),
    Mistake(
        "output_of_input",
        "eq. 32",
        "gamma is multiplied with the layer's input: it belongs to norm",
        _batchnorm_forward(out="self.gamma * x + self.beta"),
    ),
    Mistake(
        "gamma_beta_not_used",
        "eq. 32",
        "gamma and beta are left out of the output",
        _batchnorm_forward(out="self.norm"),
    ),
    Mistake(
        "dvar_power_of_std",
        "eq. 10",
        "the derivative by the variance has the standard deviation to the power -3/2: that power is the variance's",
        _batchnorm_backward(dvar="-0.5 * (dnorm * centred * std ** -1.5).sum(axis=0, keepdims=True)"),
    ),
    Mistake(
        "dvar_without_gamma",
        "eq. 10",
        "the derivative by the variance is taken from delta: it should be taken from the derivative by norm",
        _batchnorm_backward(dvar="-0.5 * (delta * centred * std ** -3).sum(axis=0, keepdims=True)"),
    ),
    Mistake(
        "dmean_without_gamma",
        "eq. 17",
        "the derivative by the mean is taken from delta: it should be taken from the derivative by norm",
        _batchnorm_backward(dmean="-(delta / std).sum(axis=0, keepdims=True)"),
    ),
    Mistake(
        "batch_size_is_width",
        "eq. 27",
        "BatchNorm.backward divides by the number of units: it should divide by that of the batch's rows",
        _batchnorm_backward(m="delta.shape[1]"),
    ),
    Mistake(
        "dgamma_dbeta_swapped",
        "eq. 34, 35",
        "dgamma and dbeta are swapped",
        _batchnorm_backward(
            "delta.sum(axis=0, keepdims=True)",
            "(delta * self.norm).sum(axis=0, keepdims=True)",
        ),
    ),
    Mistake(
        "running_var_not_updated",
        "eq. 39",
        "the running variance never moves: every training batch should move it",
        _batchnorm_forward(running_var="self.running_var"),
    ),
    Mistake(
        "inference_batch_mean",
        "appendix C",
        "inference takes the batch's own mean: it should take the running one, see question 3",
        _batchnorm_forward(
            inference="self.gamma * (x - x.mean(axis=0, keepdims=True)) / "
            "np.sqrt(self.running_var + self.eps) + self.beta"
        ),
    ),
    Mistake(
        "inference_without_root",
        "eq. 31",
        "inference divides by the running variance: the square root is missing",
        _batchnorm_forward(
            inference="self.gamma * (x - self.running_mean) / (self.running_var + self.eps) + self.beta"
        ),
    ),
    Mistake(
        "batchnorm_never_called",
        "3.5.2",
        "the batch norm layers are made and never called",
        {
            **_mlp_forward("x = activation(linear(x))"),
            **_mlp_backward("delta = linear.backward(delta * activation.derivative())"),
        },
    ),
    Mistake(
        "gamma_beta_without_lr",
        "3.5",
        "MLP.step leaves out the learning rate for gamma and beta",
        _step(STEP, "p -= g"),
    ),
    Mistake(
        "eps_missing",
        "eq. 31",
        "epsilon is left out under the square root",
        _batchnorm_forward(norm="(x - self.mean) / np.sqrt(self.var)"),
        "batchnorm_small",
    ),
    # ------------------------------------------------------------ section 3.6, training statistics
    Mistake(
        "stats_no_train_mode",
        "3.6",
        "after validation, batches are trained on in inference mode: train() is not called again, or sets no mode",
        _training_stats(start="pass", end="pass"),
        "training_stats",
    ),
    Mistake(
        "train_sets_no_mode",
        "3.6",
        "after validation, batches are trained on in inference mode: train() is not called again, or sets no mode",
        {"MLP.train": "def train(self):\n    pass"},
        "training_stats",
    ),
    Mistake(
        "stats_x_without_y",
        "3.6",
        "the examples are shuffled without their labels",
        _training_stats(gather="x, y = train_x[order[s:s + batch_size]], train_y[s:s + batch_size]"),
        "training_stats",
    ),
    Mistake(
        "stats_totals_not_reset",
        "3.6",
        "the totals are not reset between epochs",
        _training_stats(
            reset="losses[e + 1:e + 2] += losses[e]; errors[e + 1:e + 2] += errors[e]; "
            "val_losses[e + 1:e + 2] += val_losses[e]; val_errors[e + 1:e + 2] += val_errors[e]"
        ),
        "training_stats",
    ),
    Mistake(
        "stats_divided_by_batches",
        "3.6",
        "the totals are divided by the number of batches, not of examples",
        _training_stats(
            means="losses / -(-len(train_x) // batch_size), errors / -(-len(train_x) // batch_size), "
            "val_losses / -(-len(val_x) // batch_size), val_errors / -(-len(val_x) // batch_size)"
        ),
        "training_stats",
    ),
    Mistake(
        "stats_short_batch_dropped",
        "3.6",
        "the last, short batch is dropped",
        _training_stats(batches="range(0, len(order) - batch_size + 1, batch_size)"),
        "training_short",
    ),
    Mistake(
        "stats_step_on_validation",
        "3.6",
        "the network is trained on the validation data",
        _training_stats(evaluate="pass", validate="mlp.backward(y); mlp.step()"),
        "training_stats",
    ),
    Mistake(
        "stats_shuffled_in_place",
        "3.6",
        "the caller's arrays are shuffled in place",
        _training_stats(
            shuffle="np.random.shuffle(order); train_x[:], train_y[:] = train_x[order], train_y[order]",
            gather="x, y = train_x[s:s + batch_size], train_y[s:s + batch_size]",
        ),
        "training_stats",
    ),
    Mistake(
        "stats_no_shuffling",
        "3.6",
        "the training set is not shuffled",
        _training_stats(shuffle="pass"),
        "training_stats",
    ),
    Mistake(
        "stats_shuffled_once",
        "3.6",
        "the training set is shuffled once, not before every epoch",
        _training_stats(shuffle="pass", before="np.random.shuffle(order)"),
        "training_stats",
    ),
    Mistake(
        "stats_test_set_used",
        "3.6",
        "the test set is used for validation",
        _training_stats(partition="dset[2]"),
        "training_stats",
    ),
    Mistake(
        "stats_no_zero_grads",
        "3.6",
        "zero_grads is not called before each batch",
        _training_stats(train="mlp.forward(x); mlp.backward(y); mlp.step()"),
        "training_stats",
    ),
    Mistake(
        "stats_step_before_backward",
        "3.6",
        "step is called before backward: it applies the gradients of the batch before",
        _training_stats(train="mlp.zero_grads(); mlp.forward(x); mlp.step(); mlp.backward(y)"),
        "training_stats",
    ),
    Mistake(
        "stats_no_eval_mode",
        "3.6",
        "inference runs in training mode: eval() is not called before it, or sets no mode",
        _training_stats(evaluate="pass"),
        "training_stats",
    ),
    Mistake(
        "eval_sets_no_mode",
        "3.6",
        "inference runs in training mode: eval() is not called before it, or sets no mode",
        {"MLP.eval": "def eval(self):\n    self.train_mode = True"},
    ),
)
