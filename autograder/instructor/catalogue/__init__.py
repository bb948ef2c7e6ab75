"""The catalogue of mistakes: small wrong variants of the solution, each with the hint that it deserves.

A file for each layer, one for the network, one for the training statistics. After a change,
`make_references.py mistakes` grades every variant and stores a few numbers of each wrong result.
"""

from __future__ import annotations

from catalogue import activation, batchnorm, linear, loss, network, training
from catalogue.mistake import FILES, Mistake, apply

MISTAKES: tuple[Mistake, ...] = (
    *activation.MISTAKES,
    *loss.MISTAKES,
    *linear.MISTAKES,
    *network.MISTAKES,
    *batchnorm.MISTAKES,
    *training.MISTAKES,
)
BY_KEY = {mistake.key: mistake for mistake in MISTAKES}

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

__all__ = ["BY_KEY", "FILES", "MISTAKES", "SAME_NUMBERS", "Mistake", "apply"]
