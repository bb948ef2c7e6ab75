"""What lies in `data`, and what its README says of it."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

DATA = Path(__file__).resolve().parents[2] / "data"
CHECKSUMS = dict(re.findall(r"\| `(\w+\.npz)` \|[^|]*\| `([0-9a-f]{64})` \|", (DATA / "README.md").read_text()))


def test_every_archive_has_its_checksum() -> None:
    assert set(CHECKSUMS) == {path.name for path in DATA.glob("*.npz")}


@pytest.mark.parametrize("name", sorted(CHECKSUMS))
def test_the_checksum_is_that_of_the_file(name: str) -> None:
    assert hashlib.sha256((DATA / name).read_bytes()).hexdigest() == CHECKSUMS[name]


def test_nothing_else_lies_there() -> None:
    assert {path.name for path in DATA.iterdir()} == {*CHECKSUMS, "README.md", "expected_plots"}
