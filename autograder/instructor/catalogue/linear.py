"""Mistakes in the linear layer (writeup, section 3.4)."""

from __future__ import annotations

from catalogue.mistake import Mistake


def _linear_backward(
    dW: str = "self.x.T @ delta / len(delta)",
    db: str = "delta.mean(axis=0, keepdims=True)",
    dx: str = "delta @ self.W.T",
    assign: str = "=",
) -> dict[str, str]:
    return {
        "Linear.backward": f"""
            def backward(self, delta):
                self.dW {assign} {dW}
                self.db {assign} {db}
                return {dx}
        """
    }


MISTAKES = (
    Mistake(
        "linear_no_bias",
        "3.4.1",
        "the bias is left out of Linear.forward",
        {"Linear.forward": "def forward(self, x):\n    self.x = x\n    return x @ self.W"},
    ),
    Mistake(
        "linear_bias_subtracted",
        "3.4.1",
        "the bias is subtracted in Linear.forward",
        {"Linear.forward": "def forward(self, x):\n    self.x = x\n    return x @ self.W - self.b"},
    ),
    Mistake(
        "dW_summed", "3.4.2", "dW is summed over the batch: it should be averaged", _linear_backward("self.x.T @ delta")
    ),
    Mistake(
        "db_summed",
        "3.4.2",
        "db is summed over the batch: it should be averaged",
        _linear_backward(db="delta.sum(axis=0, keepdims=True)"),
    ),
    Mistake(
        "dW_db_summed",
        "3.4.2",
        "dW and db are summed over the batch: they should be averaged",
        _linear_backward("self.x.T @ delta", "delta.sum(axis=0, keepdims=True)"),
    ),
    Mistake(
        "db_row",
        "3.4.2",
        "db has lost its axis: it should have b's shape (1, out), which keepdims keeps",
        _linear_backward(db="delta.mean(axis=0)"),
    ),
    Mistake(
        "db_not_reduced",
        "3.4.2",
        "db is delta itself, one row for each example: it should be averaged over the batch",
        _linear_backward(db="delta"),
    ),
    Mistake(
        "db_over_features",
        "3.4.2",
        "db is averaged over the units, not over the batch",
        _linear_backward(db="delta.mean(axis=1, keepdims=True)"),
    ),
    Mistake(
        "dW_transposed",
        "3.4.2",
        "dW is transposed: it should have W's shape",
        _linear_backward("delta.T @ self.x / len(delta)"),
    ),
    Mistake(
        "dx_averaged",
        "3.4.2",
        "dx is divided by the batch: only dW and db are averaged",
        _linear_backward(dx="delta @ self.W.T / len(delta)"),
    ),
    Mistake(
        "dW_over_features",
        "3.4.2",
        "dW is divided by the number of input features, not by that of the batch's rows",
        _linear_backward("self.x.T @ delta / self.x.shape[1]"),
    ),
    Mistake(
        "dW_db_over_outputs",
        "3.4.2",
        "dW and db are divided by the number of outputs, not by that of the batch's rows",
        _linear_backward("self.x.T @ delta / delta.shape[1]", "delta.sum(axis=0, keepdims=True) / delta.shape[1]"),
    ),
    Mistake(
        "linear_accumulates",
        "3.4.2",
        "Linear.backward adds to the old gradients: it should replace them",
        _linear_backward(assign="+="),
        "linear_twice",
    ),
    Mistake("linear_dx_sign", "3.4.2", "dx has the wrong sign", _linear_backward(dx="-delta @ self.W.T")),
    Mistake(
        "linear_gradients_local",
        "3.4.2",
        "dW and db stay zero: Linear.backward does not store them in the layer",
        {
            "Linear.backward": """
                def backward(self, delta):
                    dW, db = self.x.T @ delta / len(delta), delta.mean(axis=0, keepdims=True)
                    return delta @ self.W.T
            """
        },
    ),
    Mistake(
        "dW_not_stored",
        "3.4.2",
        "dW stays zero: Linear.backward does not store it in the layer",
        _linear_backward("self.dW"),
    ),
    Mistake(
        "db_not_stored",
        "3.4.2",
        "db stays zero: Linear.backward does not store it in the layer",
        _linear_backward(db="self.db"),
    ),
    Mistake(
        "linear_floor_division",
        "3.4.2",
        "dW and db are divided with //, which cuts off the fractions",
        _linear_backward("self.x.T @ delta // len(delta)", "delta.sum(axis=0, keepdims=True) // len(delta)"),
    ),
    Mistake(
        "dW_floor_division",
        "3.4.2",
        "dW is divided with //, which cuts off the fractions",
        _linear_backward("self.x.T @ delta // len(delta)"),
    ),
)
