"""Watches `get_training_stats` on a slice of MNIST, and answers what those who grade it by hand ask."""

from __future__ import annotations

import os
from typing import TextIO

import diagnose
import numpy as np
import training_rules
from compare import array_of
from judges import Arrays, blobs
from sandbox import GraderError, Sandbox
from submission import Submission

ROWS = {"train": 600, "val": 150, "test": 50}  # images of MNIST; the last batch of an epoch is a short one
SETTINGS = {"hidden": 24, "lr": 0.2, "nepochs": 4, "batch_size": 64}


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


def watch(sandbox: Sandbox, submission: Submission, mnist: str, deadline: float) -> dict[str, str]:
    """Run the submission's get_training_stats on a slice of MNIST, and say of each rule what is wrong, or nothing."""
    given = inputs(mnist)
    outcome = training_rules.read(sandbox.run("training_log", blobs(given), deadline), given)
    if outcome.ended == "returned":
        return {title: str(array_of(blob)) for title, blob in outcome.blobs.items()}
    if diagnose.unstarted(outcome, submission):
        reason = f"still to be written: {' '.join(outcome.raised['message'].split())[:200]}"
    elif outcome.ended == "raised":
        reason = diagnose.exception(outcome, submission)
    else:
        reason = diagnose.ending(outcome, deadline)
    return {"get_training_stats runs to its end": reason}


def show(found: dict[str, str], out: TextIO) -> None:
    """Print the answers, a line each, and under it what is wrong."""
    run = f"{ROWS['train']} images of MNIST, {SETTINGS['nepochs']} epochs, batches of {SETTINGS['batch_size']}"
    print(f"get_training_stats on {run}\n", file=out)
    for title, fault in found.items():
        print(f"  {'no ' if fault else 'yes'}  {title}", file=out)
        if fault:
            print(f"         {fault}", file=out)
    kept = sum(not fault for fault in found.values())
    print(f"\n{kept} of {len(found)} as they should be (writeup, section 3.6; no points)", file=out)
