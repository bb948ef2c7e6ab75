"""Messages between the grader and the process that runs a submission: a JSON header and the bytes of arrays.

Nothing is pickled, and every size is checked against a cap before a byte of it is read: what comes from a
submission's process is data to be judged, whatever that process tries to send. answers.py checks the headers.
"""

from __future__ import annotations

import json
import math
import re
import struct
import sys
from collections.abc import Mapping
from typing import IO, Annotated, Any, NamedTuple, Optional, TypedDict

MAX_HEADER = 1 << 20
MAX_BODY = 16 << 20
MAX_ARRAYS = 1000  # of a message
MAX_AXES = 8
MAX_CALLS = 1000  # of a network that is watched
MAX_VALUE = 1 << 20  # bytes of an array in an answer; the largest correct one has a few thousand
MAX_ENTRIES = MAX_VALUE // 8  # of an array in an answer
BY_DIFFERENCES = " by differences"  # ends the name of what a quantity is by central differences

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
    """A header of JSON values, one of the five below, and named arrays."""

    header: Any
    blobs: dict[str, Blob]


# What the headers hold. The number in an annotation is the most characters of a text, or entries of a list, that the
# grader reads; a whole number is smaller than it, and not negative.

Word = Annotated[str, 100]
Text = Annotated[str, 200]
Line = Annotated[int, 10**6]
Shape = Optional[Annotated[tuple[Annotated[int, 10**9], ...], MAX_AXES]]  # None for what is no array


class Frame(NamedTuple):
    """A step of a traceback that is in the submission: `hw1/hw1.py`, the line, and the function's name."""

    file: Text
    line: Line
    function: Word


class Operand(NamedTuple):
    """A part of the expression that raised: its source, its type or value (empty if unknown), the shape of an array."""

    text: Word
    kind: Word
    shape: Shape


class Missing(NamedTuple):
    """A name that is not there: what lacks it, of which kind that is, and whose: the student's, NumPy's, Python's."""

    name: Text = ""
    of: Text = ""
    kind: Text = ""  # "module", "class", "object", or "name" for one that is not defined
    whose: Text = ""


class Callee(NamedTuple):
    """The function that the expression calls: its source, whose it is, and its arguments where it is a library's."""

    function: Text = ""
    whose: Text = ""
    signature: Text = ""


class Raised(NamedTuple):
    """An exception that ended an exercise, with what met where it arose."""

    type: Word = ""
    message: Annotated[str, 2000] = ""
    bases: Annotated[tuple[Word, ...], 20] = ()
    frames: Annotated[tuple[Frame, ...], 16] = ()
    statement: Annotated[str, 1000] = ""  # of the exercise, if a line of its own raised
    module: Word = ""  # that can't be imported
    expression: Word = ""
    values: Annotated[tuple[Operand, ...], 8] = ()
    missing: Missing = Missing()
    near: Annotated[tuple[Word, ...], 2] = ()  # names that are there, and like the missing one
    call: Callee = Callee()


class Entry(NamedTuple):
    """A call of a watched network, and the names of what it was handed; or what else the network did, as such a call.

    The others are "raised" and "return", "mode" (the flag of a network in the wrong mode), "keeps" and "moves" (a
    parameter that a step leaves otherwise than it should), "clears" and "changes" (what zero_grads has no business in).
    """

    number: Annotated[int, 1000]  # of the forward pass
    stage: Word  # the network's method that runs, or "outside"
    call: Word
    handed: Annotated[tuple[Word, ...], 3]
    file: Text  # of the line of the submission that calls, if one does
    line: Line

    @property
    def place(self) -> str:
        return f"{self.file}:{self.line}" if self.file else ""


class Difference(NamedTuple):
    """What a layer's own method did otherwise, run on what it was due to be handed."""

    number: Annotated[int, 1000]
    call: Word
    quantity: Word  # an attribute that it set, the name of an exception, or nothing for what it returned


class Log(NamedTuple):
    """What became of a watched network."""

    calls: Annotated[tuple[Entry, ...], MAX_CALLS] = ()
    differences: Annotated[tuple[Difference, ...], 50] = ()


class Folders(TypedDict):
    """The grader's first message: the submission's folder, the one it may write to, and files for what it prints."""

    root: str
    work: str
    log: str
    stack: str  # where Python writes down what it is doing, when asked


class Ready(TypedDict):
    """The answer to that: the limits that the process has set itself."""

    ready: list[str]


class Request(TypedDict):
    """Asks for an exercise; its inputs are the message's arrays."""

    id: str  # the answer bears it: one that was forged beforehand does not
    exercise: str
    broken: dict[str, str]  # modules whose import ended an earlier process, and how
    strict: bool  # the first overflow, division by zero or invalid operation raises


class Stage(TypedDict):
    """What the process is about to do, in case that ends it: "import hw1", or nothing in particular."""

    stage: Word


class Answer(TypedDict, total=False):
    """What became of a request: the types of the values, which are the message's arrays if they can be, or `raised`."""

    id: str
    values: dict[str, Text]
    raised: Raised
    log: Log


def send(stream: IO[bytes], header: Mapping[str, Any], blobs: dict[str, Blob]) -> None:
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
