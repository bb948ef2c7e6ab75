"""The four plots of a training run (writeup, 3.6)."""

from __future__ import annotations

from typing import NamedTuple


class Plot(NamedTuple):
    """One plot: its file, its title, and the label of its y axis."""

    file: str
    title: str
    unit: str


# In the order in which get_training_stats returns the statistics.
PLOTS = (
    Plot("train_loss.png", "Training loss", "cross entropy, mean per example"),
    Plot("train_error.png", "Training error", "share of wrong predictions"),
    Plot("val_loss.png", "Validation loss", "cross entropy, mean per example"),
    Plot("val_error.png", "Validation error", "share of wrong predictions"),
)
