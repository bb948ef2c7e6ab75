"""Every way of getting `get_training_stats` wrong brings its finding, with a sentence that names the rule."""

from __future__ import annotations

from pathlib import Path

import pytest
from handins import MAX_TOTAL, Edit, Files, body, changed, grade, solution, write

FILE = "hw1/hw1.py"
TITLE = "get_training_stats breaks a rule of section 3.6"
BATCHES = "for start in range(0, len(order), batch_size):"
VALIDATION = "for start in range(0, len(val_x), batch_size):"
FORWARD = "mlp.forward(val_x[start : start + batch_size])"
FIGURES = "(means over all examples of an epoch) is wrong at"


def both(*edits: Edit) -> Edit:
    def edit(files: Files) -> None:
        for one in edits:
            one(files)

    return edit


def without_train(files: Files) -> None:
    files[FILE] = files[FILE].replace(b"        mlp.train()\n", b"")


MISTAKES = {
    "no train() after validation": (without_train, "training is in training mode, after a validation too is"),
    "x shuffled without its labels": (
        changed(FILE, "labels = train_labels[batch]", "labels = train_labels[start : start + batch_size]"),
        "each batch takes its labels along",
    ),
    "totals not reset": (
        changed(
            FILE, "    training_losses /= len(train_x)", "    training_losses = training_losses.cumsum() / len(train_x)"
        ),
        f"training_losses {FIGURES} [1]",
    ),
    "divided by batches": (
        changed(FILE, "    validation_losses /= len(val_x)", "    validation_losses /= -(-len(val_x) // batch_size)"),
        f"validation_losses {FIGURES} [0]",
    ),
    "errors divided by batches": (
        changed(FILE, "    training_errors /= len(train_x)", "    training_errors /= -(-len(train_x) // batch_size)"),
        f"training_errors {FIGURES} [0]",
    ),
    "the mean of the batches' means": (
        both(
            changed(
                FILE,
                "training_losses[epoch] += mlp.total_loss(labels)",
                "training_losses[epoch] += mlp.total_loss(labels) / len(labels)",
            ),
            changed(
                FILE, "    training_losses /= len(train_x)", "    training_losses /= -(-len(train_x) // batch_size)"
            ),
        ),
        f"training_losses {FIGURES} [0]",
    ),
    "last short batch dropped": (
        changed(FILE, BATCHES, "for start in range(0, len(order) - batch_size + 1, batch_size):"),
        "each epoch trains on every row once, a short last batch included",
    ),
    "last short batch of the validation dropped": (
        changed(FILE, VALIDATION, "for start in range(0, len(val_x) - batch_size + 1, batch_size):"),
        "each epoch validates on every validation row once",
    ),
    "a step on validation data": (
        changed(FILE, FORWARD, f"{FORWARD}; mlp.backward(labels); mlp.step()"),
        "validation calls neither backward nor step",
    ),
    "the caller's arrays shuffled": (
        changed(
            FILE,
            "np.random.shuffle(order)",
            "np.random.shuffle(order); train_x[:], train_labels[:] = train_x[order], train_labels[order]",
        ),
        "the data set's arrays stay as they are",
    ),
    "no shuffling": (changed(FILE, "np.random.shuffle(order)", "pass"), "the training rows are shuffled"),
    "shuffled once": (
        changed(FILE, "np.random.shuffle(order)", "epoch or np.random.shuffle(order)"),
        "each epoch shuffles anew",
    ),
    "validated on the test set": (
        changed(FILE, "(val_x, val_labels) = dset[:2]", "_, (val_x, val_labels) = dset"),
        "the test set is left alone",
    ),
    "trained on the validation set as well": (
        changed(FILE, "mlp.eval()", "mlp.forward(val_x); mlp.backward(val_labels); mlp.eval()"),
        "validation calls neither backward nor step",
    ),
    "no zero_grads": (
        changed(FILE, "            mlp.zero_grads()\n", ""),
        "each training batch calls zero_grads, forward",
    ),
    "no step": (changed(FILE, "            mlp.step()\n", ""), "each training batch calls zero_grads, forward"),
    "gradients zeroed before the step": (
        changed(FILE, "            mlp.step()\n", "            mlp.zero_grads(); mlp.step()\n"),
        "each training batch calls zero_grads, forward",
    ),
    "validated in training mode": (changed(FILE, "        mlp.eval()\n", ""), "validation is in inference mode"),
    "lists of another length": (
        changed(
            FILE, "    training_losses /= len(train_x)", "    training_losses = training_losses[:1] / len(train_x)"
        ),
        "has the shape (1,), expected (3,)",
    ),
    "an exception": (body("get_training_stats", "raise ValueError('no')"), "ValueError: no"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_costs_nothing_and_brings_the_sentence_that_names_it(mistake: str, tmp_path: Path) -> None:
    edit, sentence = MISTAKES[mistake]
    files = solution()
    edit(files)
    result = grade(write(files, tmp_path))
    assert result.score == MAX_TOTAL
    assert [finding.title for finding in result.findings] == [TITLE]
    assert sentence in result.findings[0].reason


RIGHT = {
    "not written yet": body("get_training_stats", "raise NotImplementedError"),
    "gradients zeroed after the step": both(
        changed(FILE, "            mlp.zero_grads()\n", ""),
        changed(FILE, "mlp.step()\n", "mlp.step(); mlp.zero_grads()\n"),
    ),
    "gradients zeroed after forward": both(
        changed(FILE, "            mlp.zero_grads()\n", ""),
        changed(FILE, "mlp.forward(train_x[batch])", "mlp.forward(train_x[batch]); mlp.zero_grads()"),
    ),
    "validated in one pass": both(
        changed(FILE, VALIDATION, "for _ in range(1):"),
        changed(FILE, FORWARD, "mlp.forward(val_x)"),
        changed(FILE, "labels = val_labels[start : start + batch_size]", "labels = val_labels"),
    ),
    "figures from the network's output": changed(
        FILE,
        "training_losses[epoch] += mlp.total_loss(labels)",
        "training_losses[epoch] += mlp.criterion(mlp.output, labels).sum()",
    ),
    "all three partitions unpacked": changed(
        FILE,
        "(train_x, train_labels), (val_x, val_labels) = dset[:2]",
        "(train_x, train_labels), (val_x, val_labels), (a, b) = dset",
    ),
    "train and validation called by call": changed(FILE, FORWARD, "mlp(val_x[start : start + batch_size])"),
}


@pytest.mark.parametrize("variant", RIGHT)
def test_another_right_way_brings_no_finding(variant: str, tmp_path: Path) -> None:
    files = solution()
    RIGHT[variant](files)
    result = grade(write(files, tmp_path))
    assert [(finding.title, finding.reason) for finding in result.findings] == []
    assert result.score == MAX_TOTAL
