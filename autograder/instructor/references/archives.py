"""Writes the archives in `data`: only where an array has changed, and with their checksums beside them."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import numpy as np

from homework import stored
from sandbox.ending import write_whole

Arrays = dict[str, np.ndarray]


def holds(path: Path, arrays: Arrays) -> bool:
    """Whether the archive has these arrays: another zlib writes other bytes, and another BLAS other last digits."""
    try:
        content = stored.read(str(path))
    except (OSError, ValueError):  # missing, or not the file that was written
        return False
    with np.load(io.BytesIO(content), allow_pickle=False) as old:
        return set(old.files) == set(arrays) and all(_same(old[name], array) for name, array in arrays.items())


def _same(old: np.ndarray, new: np.ndarray) -> bool:
    if (old.dtype, old.shape) != (new.dtype, new.shape):
        return False
    if new.dtype.kind == "f":
        return bool(np.allclose(old, new, rtol=1e-9, atol=1e-12, equal_nan=True))
    return bool(np.array_equal(old, new))


def write(path: Path, arrays: Arrays) -> str:
    """Write an archive, whole or not at all, unless it holds these arrays already; return a line on what was done."""
    if holds(path, arrays):
        return f"{path}: unchanged"
    packed = io.BytesIO()
    np.savez_compressed(packed, **arrays)  # type: ignore[arg-type]  # its stub takes every name for allow_pickle
    content = packed.getvalue()
    checksum, sums = hashlib.sha256(content).hexdigest(), path.parent / stored.CHECKSUMS
    known = stored.checksums(str(path.parent)) if sums.exists() else {}
    lines = [f"{other}  {name}\n" for name, other in sorted({**known, path.name: checksum}.items())]
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, content)
    write_whole(sums, "".join(lines).encode())
    return f"{path}: {len(content):,} bytes, SHA-256 {checksum}"
