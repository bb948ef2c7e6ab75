"""MNIST from its four official IDX files, in the course's partitions of 55,000, 5,000 and 10,000.

The files may be in any folder, gzipped or not; their MD5 decides whether they are the right ones. Arrays are
uint8, images (N, 784) and labels (N,).
"""

from __future__ import annotations

import gzip
import hashlib
import zlib
from pathlib import Path

import numpy as np

from homework.mnist import PIXELS

# Of the uncompressed bytes: a gzip file's own checksum depends on who packed it, and when.
MD5 = {
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}
TRAINING = 55_000  # of the official training file's 60,000; the rest validates


class DataError(Exception):
    """A file is missing, or not the official one; the message names it."""


def read(folder: Path, name: str) -> bytes:
    """Return the uncompressed bytes of the IDX file `name`, under any of the names it is passed around with."""
    dotted = name.replace("-idx", ".idx")
    candidates = [folder / (spelling + suffix) for spelling in (name, dotted) for suffix in ("", ".gz")]
    path = next((path for path in candidates if path.is_file()), None)
    if path is None:
        raise DataError(f"{folder}: {name} is missing (looked for {', '.join(path.name for path in candidates)})")
    try:
        content = path.read_bytes()
        if content[:2] == b"\x1f\x8b":  # by content: some servers unpack a file and leave the .gz in its name
            content = gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path}: cannot be read ({error})") from None
    md5 = hashlib.md5(content).hexdigest()
    if md5 != MD5[name]:
        raise DataError(f"{path}: not the official file: its MD5 is {md5} instead of {MD5[name]}")
    return content


def partitions(folder: Path) -> dict[str, np.ndarray]:
    """Return the six arrays of data/mnist.npz by name; raise DataError naming every file that is wrong or missing."""
    files, problems = {}, []
    for name in MD5:
        try:
            files[name] = read(folder, name)
        except DataError as error:
            problems.append(str(error))
    if problems:
        raise DataError("\n".join(problems))

    def images(name: str) -> np.ndarray:
        return np.frombuffer(files[name], np.uint8, offset=16).reshape(-1, PIXELS)  # after 4 numbers of 4 bytes

    def labels(name: str) -> np.ndarray:
        return np.frombuffer(files[name], np.uint8, offset=8)  # after 2 numbers of 4 bytes

    train_data, train_labels = images("train-images-idx3-ubyte"), labels("train-labels-idx1-ubyte")
    return {
        "train_data": train_data[:TRAINING],
        "train_labels": train_labels[:TRAINING],
        "val_data": train_data[TRAINING:],
        "val_labels": train_labels[TRAINING:],
        "test_data": images("t10k-images-idx3-ubyte"),
        "test_labels": labels("t10k-labels-idx1-ubyte"),
    }
