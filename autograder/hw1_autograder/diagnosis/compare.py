"""A returned value against its reference: type, dtype, shape, finite, close. Both are data; nothing runs here."""

from __future__ import annotations

from typing import NamedTuple, Optional

import numpy as np

from sandbox import wire
from sandbox.answers import Outcome
from sandbox.layers import NETWORK, Quantity, quantity

RTOL = 1e-5  # of the largest entry: correct code never fails on an entry near zero
FLOOR = 1e-6  # stands for the largest entry where that is smaller: a bias below batch norm has the gradient 0


Difference = Optional[tuple[str, str]]  # its kind, and the end of a sentence that begins with the quantity


class Mismatch(NamedTuple):
    """How a value differs from its reference: the kind of difference, and a short sentence without the reference."""

    quantity: Quantity
    kind: str  # type, dtype, shape, finite or value
    sentence: str
    type: str
    value: np.ndarray | None
    expected: np.ndarray


def array_of(blob: wire.Blob) -> np.ndarray:
    return np.ndarray(blob.shape, blob.dtype, bytearray(blob.data))


def text_of(blob: wire.Blob) -> str:
    """The one text that an array holds, or nothing if it holds anything else."""
    return str(array_of(blob).item()) if "U" in blob.dtype and blob.shape == () else ""


def blob_of(array: np.ndarray) -> wire.Blob:
    return wire.Blob(array.dtype.str, array.shape, array.tobytes())


def compare_all(outcome: Outcome, expected: dict[str, np.ndarray], asked: str = NETWORK) -> list[Mismatch]:
    """Every quantity that differs from its expected value, in the order in which the exercise returned them.

    What a layer keeps for its own use is judged by nobody: it counts only where the output is wrong that is made of it.
    """
    names = [name for name in outcome.types if name in expected]
    names += [name for name in expected if name not in outcome.types and not quantity(name).kept]
    mismatches = []
    for name in names:
        blob = outcome.blobs.get(name)
        value = None if blob is None else array_of(blob)
        mismatch = compare(quantity(name, asked), outcome.types.get(name, ""), value, expected[name])
        if mismatch:
            mismatches.append(mismatch)
    return [m for m in mismatches if output_wrong(mismatches) or not m.quantity.kept]


def output_wrong(mismatches: list[Mismatch]) -> bool:
    return any(mismatch.quantity.call == "forward" for mismatch in mismatches)


def compare(name: Quantity, kind: str, value: np.ndarray | None, expected: np.ndarray) -> Mismatch | None:
    """Return the first way in which the value differs from the reference, or None if it is correct.

    `kind` is the name of the value's type; `value` is None if it came as no array, number or text. Where a
    single number or text is expected, any numeric or text type will do.
    """
    difference: Difference
    if value is None or (expected.ndim and kind != "numpy.ndarray"):
        difference = "type", f" is {article(kind)}, expected {_wanted(expected)}"
    elif expected.dtype.kind == "U" or value.dtype.kind in "US":
        difference = _texts(value, expected)
    else:
        difference = _forms(value, expected) or _numbers(value.astype(np.float64), expected)
    return Mismatch(name, difference[0], f"{name}{difference[1]}", kind, value, expected) if difference else None


def _texts(value: np.ndarray, expected: np.ndarray) -> Difference:
    if value.dtype.kind == expected.dtype.kind and np.array_equal(value, expected):
        return None
    silent = expected.ndim == 0 and str(expected) == ""
    return "value", f": {_text(value)}" if silent else f" is {_shown(value)}"


def _forms(value: np.ndarray, expected: np.ndarray) -> Difference:
    other_type = "dtype", f" has the dtype {value.dtype}, expected {expected.dtype}"
    if expected.ndim and value.dtype != expected.dtype and expected.dtype.kind == "f":
        return other_type
    if value.shape != expected.shape:
        return "shape", f" has the shape {value.shape}, expected {expected.shape}"
    return other_type if value.dtype.kind == "c" else None


def _numbers(value: np.ndarray, expected: np.ndarray) -> Difference:
    finite = np.isfinite(value)
    if not finite.all() and np.isfinite(expected).all():
        where, count = first(~finite), f"{(~finite).sum()} of {value.size} entries not finite"
        return "finite", f" is {value[where]} at {index(where)} ({count})"
    wrong = ~close(value, expected)
    if not wrong.any():
        return None
    where = first(wrong)
    if not where:
        return "value", f" is wrong: {value:.6g}"
    count = f"{wrong.sum()} of {value.size} entries wrong"
    return "value", f" is wrong at {index(where)}, where it is {value[where]:.6g} ({count})"


def _wanted(expected: np.ndarray) -> str:
    if expected.ndim:
        return f"a numpy.ndarray of shape {expected.shape}"
    return "a text" if expected.dtype.kind == "U" else "a number"


def close(value: np.ndarray, expected: np.ndarray, rtol: float = RTOL) -> np.ndarray:
    """Whether each entry is within rtol of the reference, relative to the reference's largest entry."""
    scale = float(np.abs(expected).max(initial=0.0))
    with np.errstate(all="ignore"):
        return np.abs(value - expected) <= rtol * max(scale, FLOOR)


def first(mask: np.ndarray) -> tuple[int, ...]:
    """The index of the first true entry."""
    return tuple(int(i) for i in np.unravel_index(int(mask.argmax()), mask.shape))


def index(where: tuple[int, ...]) -> str:
    return f"[{', '.join(map(str, where))}]"


def article(kind: str) -> str:
    return {"NoneType": "None", "": "missing"}.get(kind, f"{'an' if kind[:1] in 'aeiouAEIO' else 'a'} {kind}")


def _shown(value: np.ndarray) -> str:
    text = _text(value)[:40]
    return f"'{text}'" if value.dtype.kind == "U" and value.size == 1 else text


def _text(value: np.ndarray) -> str:
    text = str(value.item()) if value.size == 1 else f"an array of {value.dtype}"
    return "".join(c if c.isprintable() else "?" for c in text[:160])
