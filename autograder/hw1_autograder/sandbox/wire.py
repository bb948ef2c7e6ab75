"""Messages between the grader and the process that runs a submission: a JSON header and the bytes of arrays.

Nothing is pickled, and every size is checked against a cap before a byte of it is read: what comes from a
submission's process is data to be judged, whatever that process tries to send.
"""

from __future__ import annotations

import json
import math
import re
import struct
import sys
from typing import IO, Any, NamedTuple

MAX_HEADER = 1 << 18
MAX_BODY = 16 << 20
MAX_ARRAYS = 1000  # of a message
MAX_AXES = 8
MAX_VALUE = 1 << 20  # bytes of an array in an answer; the largest right one has a few thousand
MAX_ENTRIES = MAX_VALUE // 8  # of an array in an answer
BY_DIFFERENCES = " by differences"  # ends the name of what a quantity is by central differences
KEPT = ("mean", "var", "norm", "out", "running_mean", "running_var", "gamma", "beta")

_LENGTH = struct.Struct("<I")
_DTYPE = re.compile(r"[<>|=]?(?:\?|b1|[iu][1248]|f[248]|c(?:8|16)|[US][1-9]\d{0,5})")


class WireError(Exception):
    """The other side sent something that is no message."""


class Blob(NamedTuple):
    """An array as data: numpy's dtype string, the shape, and the bytes in C order."""

    dtype: str
    shape: tuple[int, ...]
    data: bytes


class Message(NamedTuple):
    """A header of JSON values, and named arrays."""

    header: dict[str, Any]
    blobs: dict[str, Blob]


def is_kept(quantity: str) -> bool:
    """Whether it is what a batch norm keeps for its own use: sent where it is there, for explanations alone."""
    return quantity.rpartition(".")[2] in KEPT


def send(stream: IO[bytes], header: dict[str, Any], blobs: dict[str, Blob]) -> None:
    """Write one message: length of the head, the head as JSON, then the arrays' bytes in the head's order."""
    arrays = [[name, blob.dtype, list(blob.shape), len(blob.data)] for name, blob in blobs.items()]
    head = json.dumps({"header": header, "arrays": arrays}).encode()
    stream.write(b"".join([_LENGTH.pack(len(head)), head, *(blob.data for blob in blobs.values())]))
    stream.flush()


def receive(stream: IO[bytes]) -> Message | None:
    """Read one message, or None at the end of the stream; raise WireError for anything else."""
    prefix = stream.read(_LENGTH.size)
    if not prefix:
        return None
    try:
        size = _LENGTH.unpack(prefix)[0]
        if size > MAX_HEADER:
            raise WireError(f"a header of {size} bytes")
        head = json.loads(_read(stream, size), parse_int=_integer)
        header, arrays = head["header"], head["arrays"]
        if not isinstance(header, dict) or len(arrays) > MAX_ARRAYS:
            raise WireError("a malformed header, or too many arrays")
        if sum(_checked_size(array) for array in arrays) > MAX_BODY:
            raise WireError("too many bytes")
        blobs = {name: Blob(dtype, tuple(shape), _read(stream, n)) for name, dtype, shape, n in arrays}
    except (ValueError, TypeError, KeyError, RecursionError, struct.error) as error:
        raise WireError(str(error)) from error
    return Message(header, blobs)


def fits(blob: Blob) -> bool:
    """Whether an answer's array is of a size that is looked at and can be sent, and its texts are characters."""
    if len(blob.data) > MAX_VALUE or len(blob.shape) > MAX_AXES or math.prod(blob.shape) > MAX_ENTRIES:
        return False
    if not _DTYPE.fullmatch(blob.dtype):
        return False
    try:
        if "U" in blob.dtype:
            big = blob.dtype[0] == ">" or (blob.dtype[0] != "<" and sys.byteorder == "big")
            blob.data.decode("utf-32-be" if big else "utf-32-le", "surrogatepass")
    except UnicodeDecodeError:
        return False
    return True


def _integer(digits: str) -> int:
    if len(digits) > 20:  # some versions of Python take minutes for a million digits
        raise WireError(f"a number of {len(digits)} digits")
    return int(digits)


def _checked_size(array: Any) -> int:
    """Return the byte count that an array's description announces; raise WireError if it is not consistent."""
    name, dtype, shape, size = array
    if not (isinstance(name, str) and isinstance(dtype, str) and _DTYPE.fullmatch(dtype)):
        raise WireError("an array without a name or with a strange dtype")
    if not (isinstance(shape, list) and len(shape) <= MAX_AXES and all(type(n) is int and n >= 0 for n in shape)):
        raise WireError("an array of a strange shape")
    kind, _, width = dtype.lstrip("<>|=").partition("U")
    expected = 4 * int(width) if width else 1 if kind in ("?", "b1") else int(kind[1:])
    extent = expected or 1  # without the zeros: numpy refuses an empty array of other axes that are too long
    for n in shape:
        expected *= n
        extent *= n or 1
    if type(size) is not int or size != expected or extent >= 1 << 62:
        raise WireError(f"an array whose {size} bytes don't fit its shape and dtype")
    return size


def _read(stream: IO[bytes], size: int) -> bytes:
    data = stream.read(size)
    if len(data) != size:
        raise WireError("the stream ended within a message")
    return data
