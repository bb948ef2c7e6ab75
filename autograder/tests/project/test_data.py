"""What lies in `data`, and the checksums beside it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

import archives
from homework import stored

DATA = Path(__file__).resolve().parents[3] / "data"
CHECKSUMS = stored.checksums(str(DATA))


def test_every_archive_has_its_checksum() -> None:
    assert set(CHECKSUMS) == {path.name for path in DATA.glob("*.npz")}


@pytest.mark.parametrize("name", sorted(CHECKSUMS))
def test_the_checksum_is_that_of_the_file(name: str) -> None:
    assert hashlib.sha256((DATA / name).read_bytes()).hexdigest() == CHECKSUMS[name]


def test_nothing_else_lies_there() -> None:
    assert {path.name for path in DATA.iterdir()} == {*CHECKSUMS, stored.CHECKSUMS, "README.md", "expected_plots"}


def test_an_archive_is_written_only_where_a_number_has_changed(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    (tmp_path / stored.CHECKSUMS).write_text(f"{'0' * 64}  b.npz\n")
    arrays = {"x": np.arange(3.0), "name": np.array(["one", "two"])}
    assert "SHA-256" in archives.write(path, arrays)
    first = path.read_bytes()
    assert stored.checksums(str(tmp_path)) == {"a.npz": hashlib.sha256(first).hexdigest(), "b.npz": "0" * 64}
    assert "unchanged" in archives.write(path, {**arrays, "x": arrays["x"] + 1e-15})
    assert path.read_bytes() == first
    for changed in ({"x": arrays["x"] + 1e-3}, {"x": arrays["x"][:2]}, {"name": np.array(["one", "too"])}):
        assert "SHA-256" in archives.write(path, {**arrays, **changed})
        assert stored.read(str(path)) == path.read_bytes()
