"""Faults that no problem looks at: reported without points, because they hurt later.

A finding is an exercise like any other; it is run once the problems that it builds on are passed. The weightiest come
first: what costs points given by hand, wrong numbers, what accumulates, what changes others' arrays, the rest.
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
    unless: tuple[str, ...] = ()  # cases and titles of findings that say the same already
    raising: bool = False  # whether the title says as much where an exception came and no values


AFTER_BN = ("batchnorm_train",)
CHANGED, GREW = ("changed",), ("after a second call",)
ACTIVATIONS = {name: f"{name} changes its argument or its state" for name in ("Sigmoid", "Tanh", "ReLU")}
LOSS_CHANGES = "SoftmaxCrossEntropy changes its arguments or its own cache"

PROBES: tuple[Probe, ...] = (
    Probe(
        "mlp_figures",
        ("hidden1_forward", "loss_forward"),
        "MLP.error or MLP.total_loss does not work",
        "get_training_stats is built on them",
        raising=True,
    ),
    Probe(
        "training_stats",
        ("loss_forward", "single_backward", "classifier_step"),
        "the network's training breaks a rule of section 3.6",
        "its 5 points are given by hand, for what your code does and for the plots",
        unless=("mlp_figures",),
        raising=True,
    ),
    Probe(
        "training_short",
        ("loss_forward", "single_backward", "classifier_step"),
        "the network's training breaks a rule of section 3.6 where the last batch is a short one",
        "its 5 points are given by hand, for what your code does and for the plots",
        ("once an epoch", "not trained on"),
        unless=("mlp_figures", "training_stats"),
    ),
    *(
        Probe(
            f"{name.lower()}_large",
            (f"{name.lower()}_forward", f"{name.lower()}_derivative"),
            f"{name} is wrong for large inputs",
            "training meets such inputs sooner or later",
            ("forward(x)", "derivative()"),
        )
        for name in ACTIVATIONS
    ),
    Probe(
        "loss_large",
        ("loss_forward", "loss_derivative"),
        "SoftmaxCrossEntropy is wrong for large logits",
        "an overflow ends a training run, and a capped loss hides mistakes (writeup, appendix B)",
        ("forward(x, y)", "derivative()"),
    ),
    Probe(
        "batchnorm_alone",
        ("batchnorm_inference",),
        "BatchNorm on its own differs from BatchNorm in a network",
        "later homeworks use the layer by itself",
    ),
    Probe(
        "batchnorm_small",
        AFTER_BN,
        "BatchNorm is wrong for units of tiny variance",
        "epsilon decides there: it is 1e-8, and stands inside the root (writeup, eq. 31)",
        unless=("batchnorm_alone",),
    ),
    Probe(
        "batchnorm_eval_small",
        ("batchnorm_inference",),
        "BatchNorm is wrong in inference for units of tiny variance",
        "epsilon decides there: it is 1e-8, and stands inside the root (writeup, eq. 31)",
        unless=("batchnorm_alone", "batchnorm_small"),
    ),
    Probe(
        "mlp_all_bn",
        AFTER_BN,
        "MLP fails with batch norm on every layer",
        "num_bn_layers may be as large as the number of layers, the output layer included",
        unless=("batchnorm_alone", "batchnorm_small"),
        raising=True,
    ),
    Probe(
        "mlp_bn_momentum",
        ("batchnorm_inference", "momentum"),
        "gamma and beta do not take plain steps beside momentum",
        "only W and b have a velocity (writeup, 3.5.3); a network with batch norm trains otherwise than expected",
    ),
    Probe(
        "linear_twice",
        ("linear_backward",),
        "Linear.backward accumulates",
        "a second call without zero_grads would train on the old batch as well",
    ),
    Probe(
        "batchnorm_twice",
        AFTER_BN,
        "BatchNorm.backward accumulates",
        "a second call without zero_grads would train on the old batch as well",
    ),
    Probe(
        "mlp_twice",
        AFTER_BN,
        "MLP.backward accumulates",
        "a second call without zero_grads would train on the old batch as well",
        GREW,
        unless=("linear_twice", "batchnorm_twice"),
    ),
    Probe(
        "mlp_zero_grads",
        AFTER_BN,
        "MLP.zero_grads leaves gradients behind",
        "a layer that accumulates would train on old batches",
    ),
    *(
        Probe(
            f"{name.lower()}_large",
            (f"{name.lower()}_forward", f"{name.lower()}_derivative"),
            title,
            "the layer before still needs these numbers, and a second derivative() would be wrong",
            CHANGED,
        )
        for name, title in ACTIVATIONS.items()
    ),
    Probe(
        "mlp_activations",
        (
            "hidden3_backward",
            "single_backward",
            *(f"{name}_{part}" for name in ("tanh", "relu") for part in ("forward", "derivative")),
        ),
        "a network with Tanh and ReLU is wrong",
        "the homework's layers are to be combined in any order (writeup, 3.5.2)",
        unless=tuple(ACTIVATIONS.values()),
        raising=True,
    ),
    Probe(
        "loss_large",
        ("loss_forward", "loss_derivative"),
        LOSS_CHANGES,
        "the caller's logits and labels are still in use, and a second derivative() would be wrong",
        CHANGED,
    ),
    Probe(
        "linear_arguments",
        ("linear_backward",),
        "Linear changes its arguments or its own arrays",
        "x and delta belong to the layers beside it, which still use them",
    ),
    Probe(
        "batchnorm_arguments",
        AFTER_BN,
        "BatchNorm changes its arguments or its own arrays",
        "x and delta belong to the layers beside it, which still use them",
    ),
    Probe(
        "mlp_twice",
        AFTER_BN,
        "MLP changes the batch or the labels",
        "the caller still uses them",
        CHANGED,
        unless=("linear_arguments", LOSS_CHANGES),
    ),
    Probe(
        "mlp_init",
        ("single_forward",),
        "MLP does not call each init function once for every layer, in their order, with its sizes",
        "a second call draws other numbers, and all the weights of a seeded run differ",
        ("calls",),
    ),
    Probe(
        "mlp_init",
        ("single_forward",),
        "MLP draws from NumPy's random generator, or seeds it",
        "the caller's seed no longer decides what the init functions draw",
        ("generator",),
    ),
    Probe(
        "mlp_list",
        ("hidden1_forward",),
        "MLP changes the list of hiddens that it is given",
        "the caller's next network would have other sizes",
    ),
    Probe(
        "mlp_dtype",
        (*AFTER_BN, "momentum", "relu_derivative"),
        "a float32 network does not stay float32",
        "in float64 it takes twice the memory, and about twice the time",
    ),
)
