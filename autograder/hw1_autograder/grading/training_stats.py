"""Watches `get_training_stats` on a slice of MNIST, and answers what those who grade it by hand ask."""

from __future__ import annotations

import numpy as np

from diagnosis import exceptions
from grading import training_rules
from grading.judges import Arrays, blobs
from grading.settings import MNIST, Settings
from grading.training_rules import DASH, ONCE, Answer
from homework import mnist
from sandbox import submission
from sandbox.answers import Outcome
from sandbox.process import GraderError
from sandbox.workplace import Workplace

ROWS = {"train": 240, "val": 60, "test": 50}  # images of MNIST
EVEN, SHORT = 20, 28  # batch sizes: one that divides the rows, as the homework's does, and one that does not
SETTINGS = {"hidden": 12, "lr": 0.2, "nepochs": 3}
RUN = f"{ROWS['train']} images of MNIST, {SETTINGS['nepochs']} epochs, batches of {EVEN}"
LAST = f"a short last batch is taken as well (batches of {SHORT})"


def inputs(path: str, batch_size: int) -> Arrays:
    """Return a slice of MNIST and the settings of the run."""
    arrays = {name: np.array(value) for name, value in {**SETTINGS, "batch_size": batch_size}.items()}
    try:
        images = mnist.read(path)
    except mnist.NoData as error:
        raise GraderError(str(error)) from error
    for name, count in ROWS.items():
        arrays[f"{name}_x"] = images[f"{name}_data"][:count] / 255.0
        arrays[f"{name}_y"] = np.eye(mnist.CLASSES)[images[f"{name}_labels"][:count]]
    return arrays


def watch(settings: Settings, workplace: Workplace) -> dict[str, Answer]:
    """Run the submission's get_training_stats on a slice of MNIST, and answer each rule.

    Where batches divide the rows, every rule is judged. A second run, where they do not, shows whether the last rows
    are taken as well, and by how much the statistics are off. Raises NoSubmission or GraderError if nothing can be run.
    """
    files = submission.read(settings.submission)
    sandbox = workplace.lay_out(files)

    def run(batch_size: int) -> tuple[Outcome, Arrays]:
        given = inputs(MNIST, batch_size)
        return sandbox.run("training_log", blobs(given), settings.deadline), given

    def ended(outcome: Outcome) -> str:
        if exceptions.unstarted(outcome, files):
            return f"not started: {' '.join(outcome.raised.message.split())[:200]}"
        if outcome.ended == "raised":
            return exceptions.exception(outcome, files)
        return exceptions.ending(outcome, settings.deadline)

    outcome, given = run(EVEN)
    found = training_rules.answers(outcome, given) if outcome.ended == "returned" else {}
    if not found:
        said = DASH if exceptions.unstarted(outcome, files) else "no"
        return {"get_training_stats runs to its end": Answer(said, ended(training_rules.read(outcome, given)))}
    outcome, given = run(SHORT)
    short = training_rules.answers(outcome, given) if outcome.ended == "returned" else {}
    if short:
        found[LAST] = next((short[title] for title in ONCE if short[title].said != "yes"), Answer("yes"))
    else:
        found[LAST] = Answer(DASH, ended(training_rules.read(outcome, given)))
    for title, off in (training_rules.errors(outcome, given) if short else {}).items():
        if found[title].said == "yes" and short[title].said == "no":
            found[title] = Answer("yes", f"with a short last batch they are off by up to {100 * off:.1f} %")
    return found
