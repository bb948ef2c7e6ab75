"""An archive is written with its checksum, and only where a number has changed."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from homework import stored
from references import archives

ARRAYS: dict[str, Any] = {"x": np.arange(3.0), "name": np.array(["one", "two"])}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / stored.CHECKSUMS).write_text(f"{'0' * 64}  b.npz\n")
    assert "SHA-256" in archives.write(tmp_path / "a.npz", ARRAYS)
    return tmp_path / "a.npz"


def test_the_checksum_joins_those_of_the_others(path: Path) -> None:
    checksum = hashlib.sha256(path.read_bytes()).hexdigest()
    assert stored.checksums(str(path.parent)) == {"a.npz": checksum, "b.npz": "0" * 64}
    assert {file.name for file in path.parent.iterdir()} == {"a.npz", stored.CHECKSUMS}


def test_last_digits_are_no_change(path: Path) -> None:
    before = path.read_bytes()
    assert archives.write(path, {**ARRAYS, "x": ARRAYS["x"] + 1e-15}) == f"{path}: unchanged"
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "changed",
    [
        {"x": ARRAYS["x"] + 1e-3},
        {"x": ARRAYS["x"][:2]},
        {"x": ARRAYS["x"].astype("float32")},
        {"name": np.array(["one", "too"])},
        {"more": np.zeros(1)},
    ],
)
def test_another_number_shape_dtype_or_name_is_one(changed: dict[str, Any], path: Path) -> None:
    assert "SHA-256" in archives.write(path, {**ARRAYS, **changed})
    assert stored.read(str(path)) == path.read_bytes()


def test_a_damaged_archive_is_replaced(path: Path) -> None:
    before = path.read_bytes()
    path.write_bytes(b"damaged")
    assert "SHA-256" in archives.write(path, ARRAYS)
    assert path.read_bytes() == before


def test_a_new_folder_is_made(tmp_path: Path) -> None:
    archives.write(tmp_path / "new" / "folder" / "a.npz", ARRAYS)
    assert {path.name for path in (tmp_path / "new" / "folder").iterdir()} == {"a.npz", stored.CHECKSUMS}
