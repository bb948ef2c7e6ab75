"""Watches `get_training_stats` on a slice of MNIST, and answers what those who grade it by hand ask."""

from __future__ import annotations

import os

import numpy as np

from diagnosis import exceptions
from diagnosis.compare import array_of
from grading import training_rules
from grading.judges import Arrays, blobs
from grading.settings import MNIST, Settings
from sandbox import submission
from sandbox.process import GraderError
from sandbox.workplace import Workplace

ROWS = {"train": 600, "val": 150, "test": 50}  # images of MNIST; the last batch of an epoch is a short one
SETTINGS = {"hidden": 24, "lr": 0.2, "nepochs": 4, "batch_size": 64}
RUN = f"{ROWS['train']} images of MNIST, {SETTINGS['nepochs']} epochs, batches of {SETTINGS['batch_size']}"


def inputs(path: str) -> Arrays:
    """Return a slice of MNIST and the settings of the run."""
    arrays = {name: np.array(value) for name, value in SETTINGS.items()}
    try:
        with np.load(path, allow_pickle=False) as mnist:
            for name, count in ROWS.items():
                arrays[f"{name}_x"] = mnist[f"{name}_data"][:count] / 255.0
                arrays[f"{name}_y"] = np.eye(10)[mnist[f"{name}_labels"][:count]]
    except (OSError, ValueError, KeyError) as error:
        raise GraderError(f"{os.path.basename(path)} can't be read ({error})") from error
    return arrays


def watch(settings: Settings, workplace: Workplace) -> dict[str, str]:
    """Run the submission's get_training_stats on a slice of MNIST, and say of each rule what is wrong, or nothing.

    Raises NoSubmission or GraderError if it can't be run.
    """
    files = submission.read(settings.submission)
    sandbox, given = workplace.lay_out(files), inputs(MNIST)
    outcome = training_rules.read(sandbox.run("training_log", blobs(given), settings.deadline), given)
    if outcome.ended == "returned":
        return {title: str(array_of(blob)) for title, blob in outcome.blobs.items()}
    if exceptions.unstarted(outcome, files):
        reason = f"still to be written: {' '.join(outcome.raised['message'].split())[:200]}"
    elif outcome.ended == "raised":
        reason = exceptions.exception(outcome, files)
    else:
        reason = exceptions.ending(outcome, settings.deadline)
    return {"get_training_stats runs to its end": reason}
