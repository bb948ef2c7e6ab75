"""Mistakes in the loss (writeup, section 3.2)."""

from __future__ import annotations

from catalogue.mistake import Mistake, indented


def _loss(forward: str = "", derivative: str = "") -> dict[str, str]:
    """Wrong variants of SoftmaxCrossEntropy: lines that set self.softmax and self.loss, and a returned expression."""
    code = {}
    if forward:
        code["SoftmaxCrossEntropy.forward"] = (
            "def forward(self, x, y):\n    self.logits, self.labels = x, y\n"
            f"{indented(forward, 4)}\n    return self.loss"
        )
    if derivative:
        code["SoftmaxCrossEntropy.derivative"] = f"def derivative(self):\n    return {derivative}"
    return code


SHIFTED = "e = np.exp(x - x.max(axis=1, keepdims=True))\nself.softmax = e / e.sum(axis=1, keepdims=True)\n"
RIGHT_LOSS = "self.loss = -(y * np.log(self.softmax)).sum(axis=1)"


MISTAKES = (
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
)
