"""Mistakes in the training statistics (writeup, section 3.6)."""

from __future__ import annotations

from catalogue.mistake import Mistake


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


MISTAKES = (
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
