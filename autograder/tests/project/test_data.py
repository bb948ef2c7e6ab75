"""What lies in `data`, and the checksums beside it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from homework import stored

DATA = Path(__file__).resolve().parents[3] / "data"
CHECKSUMS = stored.checksums(str(DATA))


def test_every_archive_has_its_checksum() -> None:
    assert set(CHECKSUMS) == {path.name for path in DATA.glob("*.npz")}


@pytest.mark.parametrize("name", sorted(CHECKSUMS))
def test_the_checksum_is_that_of_the_file(name: str) -> None:
    assert hashlib.sha256((DATA / name).read_bytes()).hexdigest() == CHECKSUMS[name]


def test_nothing_else_is_there() -> None:
    assert {path.name for path in DATA.iterdir()} == {*CHECKSUMS, stored.CHECKSUMS, "README.md", "expected_plots"}
