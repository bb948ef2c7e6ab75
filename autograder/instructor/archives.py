"""Writes the archives in `data`: only where an array has changed, and with their checksum in data/README.md."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import numpy as np

Arrays = dict[str, np.ndarray]


def holds(path: Path, arrays: Arrays) -> bool:
    """Whether the archive has these arrays: another zlib writes other bytes, and another BLAS other last digits."""
    if not path.exists():
        return False
    with np.load(path, allow_pickle=False) as old:
        return set(old.files) == set(arrays) and all(_same(old[name], array) for name, array in arrays.items())


def _same(old: np.ndarray, new: np.ndarray) -> bool:
    if (old.dtype, old.shape) != (new.dtype, new.shape):
        return False
    if new.dtype.kind == "f":
        return bool(np.allclose(old, new, rtol=1e-9, atol=1e-12, equal_nan=True))
    return bool(np.array_equal(old, new))


def write(path: Path, arrays: Arrays) -> str:
    """Write an archive unless it holds these arrays already; return what was done, in a line."""
    if holds(path, arrays):
        return f"{path}: unchanged"
    np.savez_compressed(path, **arrays)  # type: ignore[arg-type]  # its stub takes every name for allow_pickle
    checksum, readme = hashlib.sha256(path.read_bytes()).hexdigest(), path.parent / "README.md"
    if readme.exists():
        row = re.compile(rf"(\| `{re.escape(path.name)}` \|[^|]*\|)[^|]*\|")
        readme.write_text(row.sub(rf"\1 `{checksum}` |", readme.read_text(encoding="utf-8")), encoding="utf-8")
    return f"{path}: {path.stat().st_size:,} bytes, SHA-256 {checksum}"
