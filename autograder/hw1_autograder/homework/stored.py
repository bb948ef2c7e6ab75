"""The archives in `data`, as bytes that are what they were when they were made: their checksums lie beside them."""

from __future__ import annotations

import hashlib
import os

CHECKSUMS = "SHA256SUMS"  # a line an archive, as `sha256sum -c` reads it


def read(path: str) -> bytes:
    """Return the bytes of an archive; raise OSError or ValueError if it can't be read or is not the one it was."""
    folder, name = os.path.split(path)
    with open(path, "rb") as file:
        data = file.read()
    if checksums(folder).get(name) != hashlib.sha256(data).hexdigest():
        raise ValueError(f"damaged: not the file whose checksum is in {CHECKSUMS}")
    return data


def checksums(folder: str) -> dict[str, str]:
    """The SHA-256 of each archive of a folder, by name."""
    with open(os.path.join(folder, CHECKSUMS), encoding="utf-8") as file:
        return {name: checksum for checksum, name in (line.split() for line in file)}
