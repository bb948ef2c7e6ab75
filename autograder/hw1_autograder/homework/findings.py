"""Faults that no problem looks at: reported without points, because they hurt later.

A finding is an exercise like any other; it is run once the problems that it builds on are passed.
"""

from __future__ import annotations

from typing import NamedTuple


class Probe(NamedTuple):
    """One exercise of probes.py and what a wrong value of it means, by a word of the quantity's name."""

    key: str
    after: tuple[str, ...]  # problems that must be passed for the probe to mean anything
    title: str
    why: str
    only: tuple[str, ...] = ()  # the quantities that this row is about, by the ends of their names; all if none
    unless: tuple[str, ...] = ()  # cases whose finding says the same already


AFTER_MLP = ("hidden1_forward",)
AFTER_BN = ("batchnorm_train",)
AFTER_TANH_BN = ("batchnorm_train", "hidden1_backward")
CHANGES = ("after the calls",)

PROBES: tuple[Probe, ...] = (
    *(
        Probe(f"{name.lower()}_large", (f"{name.lower()}_forward", f"{name.lower()}_derivative"), title, why, only)
        for name in ("Sigmoid", "Tanh", "ReLU")
        for title, why, only in [
            (
                f"{name} fails for large or three-dimensional inputs",
                "training meets such inputs sooner or later, and one NaN spreads to every weight",
                ("forward(x)", "derivative()", "warnings"),
            ),
            (
                f"{name} changes its argument or its state",
                "the layer before still needs these numbers, and a second derivative() would be wrong",
                (*CHANGES, "derivative() again"),
            ),
        ]
    ),
    *(
        Probe(key, ("loss_forward", "loss_derivative"), title, why, only)
        for key, title, why, only in [
            (
                "loss_large",
                "SoftmaxCrossEntropy fails for large logits",
                "overflow ends a training run with NaN, and a capped loss hides mistakes (writeup, appendix B)",
                ("forward(x, y)", "derivative()", "warnings"),
            ),
            (
                "loss_large",
                "SoftmaxCrossEntropy changes its arguments or its own cache",
                "the caller's logits and labels are still in use, and a second derivative() would be wrong",
                (*CHANGES, "derivative() again"),
            ),
            (
                "loss_soft",
                "SoftmaxCrossEntropy fails for labels that are not one-hot",
                "smoothed or mixed labels come in later homeworks; the derivative is softmax(x) - y for any y",
                ("forward(x, y)", "derivative()"),
            ),
            (
                "loss_attributes",
                "SoftmaxCrossEntropy does not keep logits, labels and loss",
                "graders and later homeworks read these attributes",
                (),
            ),
        ]
    ),
    Probe(
        "linear_arguments",
        ("linear_backward",),
        "Linear changes its arguments or its own arrays",
        "x and delta belong to the layers beside it, which still use them",
    ),
    Probe(
        "linear_twice",
        ("linear_backward",),
        "Linear.backward accumulates",
        "a second call without zero_grads would train on the old batch as well",
    ),
    Probe(
        "linear_start",
        ("linear_backward",),
        "Linear does not start with zero gradients and velocities of its parameters' shapes",
        "the first step with momentum starts from them",
    ),
    Probe(
        "linear_bias_row",
        ("linear_backward",),
        "Linear does not take a bias of shape (out,)",
        "later homeworks' init functions return such biases",
    ),
    Probe(
        "batchnorm_small",
        AFTER_BN,
        "BatchNorm's epsilon is not inside the root, or not 1e-8",
        "units of tiny variance come out several times too large or too small (writeup, eq. 31)",
        ("forward(x)", "norm", "backward(delta)", "dgamma", "warnings"),
    ),
    Probe(
        "batchnorm_gamma",
        (),
        "BatchNorm's gradient for gamma is taken from the output, not from norm",
        "the two agree only while gamma is 1 and beta 0, that is, until the first step (writeup, eq. 35)",
    ),
    Probe(
        "batchnorm_layer",
        ("batchnorm_inference",),
        "BatchNorm on its own differs from BatchNorm in a network",
        "later homeworks use the layer by itself",
        ("forward(x)", "backward(delta)", "dgamma", "dbeta", "mean", "var"),
    ),
    Probe(
        "batchnorm_layer",
        AFTER_BN,
        "BatchNorm changes its arguments",
        "x and delta belong to the layers beside it, which still use them",
        CHANGES,
    ),
    Probe(
        "batchnorm_twice",
        AFTER_BN,
        "BatchNorm.backward accumulates",
        "a second call without zero_grads would train on the old batch as well",
        ("dgamma", "dbeta"),
    ),
    Probe(
        "batchnorm_start",
        AFTER_BN,
        "BatchNorm does not start as the writeup says",
        "gamma and running_var start at 1, beta, running_mean and the gradients at 0, alpha is 0.9 and eps 1e-8",
    ),
    Probe(
        "batchnorm_eval",
        ("batchnorm_inference",),
        "BatchNorm's inference moves its running averages",
        "validating twice would give two different answers",
        ("forward(x, eval=True)", "forward(x, eval=True) again", "running_mean", "running_var"),
    ),
    Probe(
        "batchnorm_eval",
        ("batchnorm_inference",),
        "BatchNorm's epsilon is not inside the root in inference, or not 1e-8",
        "units of tiny variance come out several times too large or too small (writeup, eq. 31)",
        ("forward(x, eval=True) where running_var is tiny",),
    ),
    Probe(
        "batchnorm_layer",
        AFTER_BN,
        "BatchNorm does not keep its input in x",
        "graders and later homeworks read this attribute",
        ("x",),
    ),
    Probe(
        "mlp_bn_momentum",
        ("batchnorm_inference", "momentum"),
        "gamma and beta do not take plain steps beside momentum",
        "only W and b have a velocity (writeup, 3.5.3); a network with batch norm trains otherwise than expected",
    ),
    Probe(
        "mlp_init",
        ("single_forward",),
        "MLP does not call each init function once for every layer, with its sizes",
        "a second call draws other numbers, and all the weights of a seeded run differ",
    ),
    Probe(
        "mlp_attributes",
        ("batchnorm_train",),
        "MLP's attributes are not what the homework names",
        "graders and later homeworks read them",
    ),
    Probe("mlp_tuple", AFTER_MLP, "MLP does not take hiddens as a tuple", "any sequence of sizes is a fair argument"),
    Probe(
        "mlp_list",
        AFTER_MLP,
        "MLP changes the list of hiddens that it is given",
        "the caller's next network would have other sizes",
    ),
    Probe(
        "mlp_all_bn",
        AFTER_TANH_BN,
        "MLP fails with batch norm on every layer",
        "num_bn_layers may be as large as the number of layers, the output layer included",
    ),
    Probe(
        "mlp_bias_row",
        ("momentum", "linear_backward"),
        "MLP does not train with biases of shape (out,)",
        "later homeworks' init functions return such biases",
    ),
    Probe(
        "hw1_names",
        AFTER_MLP,
        "hw1.py does not hand on the layers' names",
        "course code writes `import hw1 as nn` and then nn.Sigmoid() or nn.Linear()",
    ),
    Probe(
        "mlp_figures",
        ("hidden1_forward", "loss_forward"),
        "MLP.error, MLP.total_loss or MLP.output does not work",
        "get_training_stats is built on them",
    ),
    Probe(
        "mlp_zero_grads",
        AFTER_TANH_BN,
        "MLP.zero_grads leaves gradients behind",
        "a layer that accumulates would train on old batches",
    ),
    Probe(
        "mlp_twice",
        AFTER_TANH_BN,
        "MLP.backward accumulates, or changes the batch",
        "a second call without zero_grads would train on the old batch as well",
        unless=("linear_twice", "batchnorm_twice"),
    ),
    Probe(
        "mlp_dtype",
        ("batchnorm_inference", "hidden2_backward"),
        "a float32 network turns into float64",
        "it then takes twice the memory, and about twice the time",
    ),
    Probe(
        "training_stats",
        ("loss_forward", "single_backward", "classifier_step"),
        "get_training_stats breaks a rule of section 3.6",
        "its 5 points are given by hand, for what your code does and for the plots",
        unless=("mlp_figures",),
    ),
)
