"""Messages are of bounded size: what announces more is not read."""

from __future__ import annotations

import io

import pytest

from sandbox import wire


def announced(array: str) -> bytes:
    head = f'{{"header": {{}}, "arrays": [{array}]}}'.encode()
    return len(head).to_bytes(4, "little") + head


TOO_LARGE = {
    "a head of 2 GiB": b"\xff\xff\xff\x7f",
    "an array of 64 MiB": announced('["x", "<f8", [2, 4194304], 67108864]'),
    "nine axes": announced('["x", "|b1", [1,1,1,1,1,1,1,1,1], 1]'),
}


@pytest.mark.parametrize("name", TOO_LARGE)
def test_what_is_too_large_is_not_read(name: str) -> None:
    stream = io.BytesIO(TOO_LARGE[name] + bytes(1 << 20))
    with pytest.raises(wire.WireError):
        wire.receive(stream)
    assert stream.tell() == len(TOO_LARGE[name]), "nothing of it is read"


def test_an_array_of_too_many_entries_does_not_fit() -> None:
    assert wire.fits(wire.Blob("|b1", (wire.MAX_ENTRIES,), bytes(wire.MAX_ENTRIES)))
    assert not wire.fits(wire.Blob("|b1", (wire.MAX_ENTRIES + 1,), bytes(wire.MAX_ENTRIES + 1)))
