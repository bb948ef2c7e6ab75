"""The shipped MNIST is the official one in the course's split, and the script that builds it takes nothing else."""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
import struct
from pathlib import Path
from typing import Callable

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[3]
DATA = ROOT / "data" / "mnist.npz"

spec = importlib.util.spec_from_file_location("mnist", ROOT / "autograder" / "instructor" / "mnist.py")
assert spec is not None
assert spec.loader is not None
mnist = importlib.util.module_from_spec(spec)
spec.loader.exec_module(mnist)

# The checksums as they were published, and not as the script has them.
OFFICIAL_MD5 = {
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}
SHAPES = {
    "train_data": (55_000, 784),
    "train_labels": (55_000,),
    "val_data": (5_000, 784),
    "val_labels": (5_000,),
    "test_data": (10_000, 784),
    "test_labels": (10_000,),
}


def images_idx(images: np.ndarray) -> bytes:
    return struct.pack(">4I", 0x803, len(images), 28, 28) + images.tobytes()


def labels_idx(labels: np.ndarray) -> bytes:
    return struct.pack(">2I", 0x801, len(labels)) + labels.tobytes()


@pytest.fixture(scope="module")
def shipped() -> dict[str, np.ndarray]:
    with np.load(DATA, allow_pickle=False) as file:
        return dict(file)


def test_the_shipped_arrays_are_uint8_in_the_courses_split(shipped: dict[str, np.ndarray]) -> None:
    assert {name: array.shape for name, array in shipped.items()} == SHAPES
    assert {array.dtype for array in shipped.values()} == {np.dtype(np.uint8)}


def test_the_shipped_arrays_encoded_as_idx_have_the_official_md5(shipped: dict[str, np.ndarray]) -> None:
    files = {
        "train-images-idx3-ubyte": images_idx(np.concatenate([shipped["train_data"], shipped["val_data"]])),
        "train-labels-idx1-ubyte": labels_idx(np.concatenate([shipped["train_labels"], shipped["val_labels"]])),
        "t10k-images-idx3-ubyte": images_idx(shipped["test_data"]),
        "t10k-labels-idx1-ubyte": labels_idx(shipped["test_labels"]),
    }
    assert {name: hashlib.md5(content).hexdigest() for name, content in files.items()} == OFFICIAL_MD5


def test_the_script_takes_the_official_md5s() -> None:
    assert mnist.MD5 == OFFICIAL_MD5


# From here on: four small files that stand for the official ones, with a script that takes them for those.


@pytest.fixture
def fakes(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    random = np.random.RandomState(0)
    files = {}
    for part, count in [("train", 12), ("t10k", 5)]:
        files[f"{part}-images-idx3-ubyte"] = images_idx(random.randint(0, 256, (count, 784)).astype(np.uint8))
        files[f"{part}-labels-idx1-ubyte"] = labels_idx(random.randint(0, 10, count).astype(np.uint8))
    monkeypatch.setattr(mnist, "MD5", {name: hashlib.md5(content).hexdigest() for name, content in files.items()})
    monkeypatch.setattr(mnist, "TRAINING", 8)
    return files


def plain(name: str, content: bytes) -> tuple[str, bytes]:
    return name, content


def gzipped(name: str, content: bytes) -> tuple[str, bytes]:
    return name + ".gz", gzip.compress(content)


def gzipped_without_suffix(name: str, content: bytes) -> tuple[str, bytes]:
    return name, gzip.compress(content)


def plain_with_suffix(name: str, content: bytes) -> tuple[str, bytes]:
    return name + ".gz", content


def dotted(name: str, content: bytes) -> tuple[str, bytes]:
    return name.replace("-idx", ".idx"), content


def dotted_and_gzipped(name: str, content: bytes) -> tuple[str, bytes]:
    return gzipped(*dotted(name, content))


@pytest.mark.parametrize(
    "form", [plain, gzipped, gzipped_without_suffix, plain_with_suffix, dotted, dotted_and_gzipped]
)
def test_the_script_reads_files(
    form: Callable[[str, bytes], tuple[str, bytes]], fakes: dict[str, bytes], tmp_path: Path
) -> None:
    for name, content in fakes.items():
        path, content = form(name, content)
        (tmp_path / path).write_bytes(content)
    out = tmp_path / "new folder" / "out.npz"

    assert mnist.main([str(tmp_path), "--out", str(out)]) == 0

    with np.load(out, allow_pickle=False) as arrays:
        assert {name: arrays[name].shape for name in arrays.files} == {
            "train_data": (8, 784),
            "train_labels": (8,),
            "val_data": (4, 784),
            "val_labels": (4,),
            "test_data": (5, 784),
            "test_labels": (5,),
        }
        images = np.concatenate([arrays["train_data"], arrays["val_data"]])
        assert images_idx(images) == fakes["train-images-idx3-ubyte"]
        assert labels_idx(arrays["test_labels"]) == fakes["t10k-labels-idx1-ubyte"]
    assert [path.name for path in out.parent.iterdir()] == ["out.npz"]


def absent(path: Path) -> None:
    path.unlink()


def one_byte_changed(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))


def empty(path: Path) -> None:
    path.write_bytes(b"")


def cut_gzip(path: Path) -> None:
    path.write_bytes(gzip.compress(path.read_bytes())[:-20])


def damaged_gzip(path: Path) -> None:
    content = bytearray(gzip.compress(path.read_bytes()))
    content[12] ^= 0xFF
    path.write_bytes(content)


@pytest.mark.parametrize("name", OFFICIAL_MD5)
@pytest.mark.parametrize(
    ("harm", "says"),
    [
        (absent, "is missing"),
        (one_byte_changed, "not the official file"),
        (empty, "not the official file"),
        (cut_gzip, "cannot be read"),
        (damaged_gzip, ""),
    ],
)
def test_the_script_names_the_one_bad_file_and_writes_nothing(
    harm: Callable[[Path], None],
    says: str,
    name: str,
    fakes: dict[str, bytes],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder, out = tmp_path / "idx", tmp_path / "out.npz"
    folder.mkdir()
    for other, content in fakes.items():
        (folder / other).write_bytes(content)
    harm(folder / name)
    out.write_bytes(b"older")

    assert mnist.main([str(folder), "--out", str(out)]) == 2

    (line,) = capsys.readouterr().err.splitlines()
    assert name in line
    assert says in line
    assert out.read_bytes() == b"older"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["idx", "out.npz"]


def test_the_script_names_every_bad_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert mnist.main([str(tmp_path / "nowhere"), "--out", str(tmp_path / "out.npz")]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert [name for name, line in zip(OFFICIAL_MD5, lines) if name in line] == list(OFFICIAL_MD5)
    assert not list(tmp_path.iterdir())
