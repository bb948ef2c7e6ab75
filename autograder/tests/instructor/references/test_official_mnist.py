"""The shipped MNIST is the official one in the course's split, and nothing else is taken for it."""

from __future__ import annotations

import gzip
import hashlib
import struct
from pathlib import Path
from typing import Callable

import numpy as np
import pytest

from grading.settings import MNIST
from references import official_mnist

# The checksums as they were published, and not as the module has them.
OFFICIAL_MD5 = {
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}
PARTS = ("train", "val", "test")


def shapes(arrays: dict[str, np.ndarray]) -> list[tuple[int, ...]]:
    """The shapes of images and labels, part by part."""
    assert len(arrays) == 2 * len(PARTS)
    return [arrays[f"{part}_{what}"].shape for part in PARTS for what in ("data", "labels")]


def encoded(arrays: dict[str, np.ndarray]) -> dict[str, bytes]:
    """The four official files that hold these arrays."""
    files = {}
    for file, parts in (("train", PARTS[:2]), ("t10k", PARTS[2:])):
        images = np.concatenate([arrays[f"{part}_data"] for part in parts])
        labels = np.concatenate([arrays[f"{part}_labels"] for part in parts])
        files[f"{file}-images-idx3-ubyte"] = struct.pack(">4I", 0x803, len(images), 28, 28) + images.tobytes()
        files[f"{file}-labels-idx1-ubyte"] = struct.pack(">2I", 0x801, len(labels)) + labels.tobytes()
    return files


def md5(files: dict[str, bytes]) -> dict[str, str]:
    return {name: hashlib.md5(content).hexdigest() for name, content in files.items()}


def test_the_shipped_arrays_are_the_official_ones_in_the_courses_split() -> None:
    with np.load(MNIST, allow_pickle=False) as file:
        arrays = dict(file)
    assert shapes(arrays) == [(55_000, 784), (55_000,), (5_000, 784), (5_000,), (10_000, 784), (10_000,)]
    assert {array.dtype for array in arrays.values()} == {np.dtype(np.uint8)}
    assert md5(encoded(arrays)) == OFFICIAL_MD5 == official_mnist.MD5


# From here on: four small files that are taken for the official ones.


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    random = np.random.RandomState(0)
    arrays = {}
    for part, count in zip(PARTS, (8, 4, 5)):
        arrays[f"{part}_data"] = random.randint(0, 256, (count, 784)).astype(np.uint8)
        arrays[f"{part}_labels"] = random.randint(0, 10, count).astype(np.uint8)
    files = encoded(arrays)
    monkeypatch.setattr(official_mnist, "MD5", md5(files))
    monkeypatch.setattr(official_mnist, "TRAINING", 8)
    return files


FORMS: dict[str, Callable[[str, bytes], tuple[str, bytes]]] = {
    "plain": lambda name, content: (name, content),
    "gzipped": lambda name, content: (f"{name}.gz", gzip.compress(content)),
    "gzipped, without its ending": lambda name, content: (name, gzip.compress(content)),
    "plain, with the ending": lambda name, content: (f"{name}.gz", content),
    "dotted": lambda name, content: (name.replace("-idx", ".idx"), content),
    "dotted and gzipped": lambda name, content: (f"{name.replace('-idx', '.idx')}.gz", gzip.compress(content)),
}


@pytest.mark.parametrize("form", FORMS)
def test_the_files_are_read_in_any_form(form: str, files: dict[str, bytes], tmp_path: Path) -> None:
    for name, content in files.items():
        path, content = FORMS[form](name, content)
        (tmp_path / path).write_bytes(content)
    arrays = official_mnist.partitions(tmp_path)
    assert shapes(arrays) == [(8, 784), (8,), (4, 784), (4,), (5, 784), (5,)]
    assert encoded(arrays) == files


HARMS: dict[str, Callable[[bytes], bytes]] = {
    "not the official file": lambda content: content[:-1] + bytes([content[-1] ^ 1]),
    "not the official file: its MD5 is d41d8cd98f00b204e9800998ecf8427e": lambda content: b"",
    "cannot be read": lambda content: gzip.compress(content)[:-20],
    "cannot be read (Error -3": lambda content: gzip.compress(content)[:10] + b"\xff" * 30,
}


@pytest.mark.parametrize("name", OFFICIAL_MD5)
@pytest.mark.parametrize("words", HARMS)
def test_the_one_bad_file_is_named(words: str, name: str, files: dict[str, bytes], tmp_path: Path) -> None:
    for other, content in files.items():
        (tmp_path / other).write_bytes(HARMS[words](content) if other == name else content)
    with pytest.raises(official_mnist.DataError) as error:
        official_mnist.partitions(tmp_path)
    (line,) = str(error.value).splitlines()
    assert line.startswith(f"{tmp_path / name}: {words}")


def test_every_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(official_mnist.DataError) as error:
        official_mnist.partitions(tmp_path / "nowhere")
    lines = str(error.value).splitlines()
    assert [line.split(" is missing")[0] for line in lines] == [f"{tmp_path / 'nowhere'}: {n}" for n in OFFICIAL_MD5]
