"""An activation that the grader brings along, so that a network meets one that its author did not write."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np


def softsign(activation: ModuleType) -> Any:
    """Return a new activation x / (1 + |x|), of the kind of those in the module.

    Its `state` s is its last output, and its derivative (1 - |s|)^2.
    """

    class Softsign(getattr(activation, "Activation", object)):  # type: ignore[misc]
        def __init__(self) -> None:
            self.state: Any = None

        def __call__(self, x: np.ndarray) -> np.ndarray:
            return self.forward(x)

        def forward(self, x: np.ndarray) -> np.ndarray:
            self.state = x / (1 + np.abs(x))
            return self.state

        def derivative(self, state: Any = None) -> Any:
            return (1 - np.abs(self.state if state is None else state)) ** 2

    return Softsign()
