"""Long tables run in samples, and in full where WHOLE is set: `WHOLE=1 python3 -m pytest`."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TypeVar

Row = TypeVar("Row")
WHOLE = bool(os.environ.get("WHOLE"))


def sample(rows: Iterable[Row], every: int) -> list[Row]:
    """Every n-th row of a table, or all of them."""
    return [*rows][:: 1 if WHOLE else every]
