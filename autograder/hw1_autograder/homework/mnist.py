"""MNIST as it lies in `data`: arrays that are what data/README.md says, or one sentence on what is wrong with them."""

from __future__ import annotations

import os
import zipfile
import zlib

import numpy as np

PIXELS, CLASSES = 784, 10


class NoData(Exception):
    """The file is missing or damaged; the message says which, and what to do."""


def read(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """Return images (N, 784) and labels (N,) of `train`, `val` and `test`, all uint8; raise NoData if that can't be."""
    arrays = {}
    try:
        # Opened here, since np.load leaves open what it finds to be no archive.
        with open(path, "rb") as opened, np.load(opened, allow_pickle=False) as file:
            for name in ("train", "val", "test"):
                images, labels = file[f"{name}_data"], file[f"{name}_labels"]
                fits = images.dtype == labels.dtype == np.uint8 and images.shape == (len(labels), PIXELS)
                if not fits or not len(labels) or labels.max() >= CLASSES:
                    raise ValueError(f"{name}: not {PIXELS} pixels and one label from 0 to {CLASSES - 1} an example")
                arrays[f"{name}_data"], arrays[f"{name}_labels"] = images, labels
    except FileNotFoundError:
        raise NoData(f"{path} is missing: copy it from the handout") from None
    except (
        OSError,
        EOFError,
        MemoryError,
        NotImplementedError,
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        raise NoData(f"{path} is damaged ({' '.join(str(error).split())}): copy it from the handout again") from None
    return arrays
