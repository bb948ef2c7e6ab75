"""Wrong values in words: which quantity went wrong first, and how its numbers are related to the right ones.

Everything said here is read off the numbers; causes are named by the catalogue (recognise.py). Of the references one
entry is told, by `entry`.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np

from diagnosis import shapes
from diagnosis.compare import RTOL, Mismatch, close, first

Arrays = dict[str, np.ndarray]
MOST_NAMED = 4  # quantities of one list


class Known(NamedTuple):
    """Something that a wrong value may be equal to, or a factor that it may differ by, with the words for it."""

    value: np.ndarray | float
    text: str


def in_order(mismatches: list[Mismatch]) -> list[Mismatch]:
    """The mismatches in the order in which the quantities are computed: forward up the layers, backward down.

    Right numbers in a wrong shape or of a wrong type come after wrong numbers.
    """
    return sorted(mismatches, key=lambda mismatch: (_right_numbers(mismatch), _moment(mismatch.quantity)))


def _right_numbers(mismatch: Mismatch) -> bool:
    """Whether a value's numbers are right, and only its shape or its type is not."""
    value, reference = mismatch.value, mismatch.expected
    if value is None or mismatch.kind not in ("shape", "dtype") or value.dtype.kind not in "biuf":
        return False
    return value.size == reference.size and bool(close(value.astype(float).reshape(reference.shape), reference).all())


def _moment(quantity: str) -> tuple[float, ...]:
    layer = int(match[1]) if (match := re.search(r"\[(\d+)\]", quantity)) else 0
    if match := re.search(r"after step (\d+)", quantity):
        return 0, int(match[1]), layer, ".b" in quantity
    name = quantity.rpartition(".")[2]
    forward = ("mean", "var", "norm", "out", "running_mean", "running_var", "gamma", "beta")
    if name in forward:
        return 0, layer, forward.index(name)
    if "forward" in name or quantity.startswith("forward"):
        return 1, 0
    backward = ("dgamma", "dbeta", "dW", "db")
    return (2, -layer, backward.index(name)) if name in backward else (3, 0)


def evidence(mismatches: list[Mismatch], right: list[str], inputs: Arrays, expected: Arrays) -> str:
    """What the wrong values of one exercise show, beginning with the first that was computed."""
    lead, *others = in_order(mismatches)
    said = _one(lead, inputs, expected)
    alike = []
    if said != lead.sentence:  # something is known of the numbers, and may hold for others as well
        relation = said[len(lead.quantity) :]
        alike = [m.quantity for m in others if _one(m, inputs, expected) == m.quantity + relation]
    if alike:
        said += f" (likewise {_listed(alike)})"
    steps = [int(match[1]) for m in mismatches if (match := re.search(r"after step (\d+)", m.quantity))]
    if steps and min(steps) > 1:
        return f"{said}; everything is right up to step {min(steps) - 1}: what a step hands to the next is the velocity"
    rest = [m.quantity for m in others if m.quantity not in alike]
    right = [name for name in right if not name.endswith("after the calls")]  # the arguments, which are no result
    before = [name for name in right if _moment(name) < _moment(lead.quantity)]
    if shown := before if rest or len(right) > MOST_NAMED else right:
        said += f"; right: {_listed(sorted(shown, key=_moment))}"
    if rest:
        said += (
            f"; also wrong: {_listed(rest)}" if len(rest) <= MOST_NAMED else f"; {len(rest)} others are wrong as well"
        )
    return said


def entry(mismatch: Mismatch) -> str:
    """The first wrong entry beside the expected one; nothing where no numbers of the right shape came."""
    value, reference = mismatch.value, mismatch.expected
    numbers = value is not None and value.dtype.kind in "biuf" and reference.dtype.kind in "biuf"
    if value is None or not numbers or value.shape != reference.shape:
        return ""
    wrong = ~close(value.astype(np.float64), reference)
    if not wrong.any():  # of another type alone
        return ""
    where = first(wrong)
    place = f"[{', '.join(map(str, where))}]" if where else ""
    count = f" ({wrong.sum()} of {wrong.size} entries wrong)" if where else ""
    return f"{mismatch.quantity}{place} is {value[where]:.10g}, expected {reference[where]:.10g}{count}"


def _listed(names: list[str]) -> str:
    shown = names if len(names) <= MOST_NAMED else names[: MOST_NAMED - 1]
    return ", ".join(shown) + (f" and {len(names) - len(shown)} more" if len(names) > len(shown) else "")


def _one(mismatch: Mismatch, inputs: Arrays, expected: Arrays) -> str:
    """One sentence on one wrong quantity."""
    value, reference, name = mismatch.value, mismatch.expected, mismatch.quantity
    if value is None or value.dtype.kind not in "biuf" or mismatch.kind in ("type", "finite"):
        return mismatch.sentence
    value = value.astype(np.float64)
    if mismatch.kind == "shape":
        apart = [n for n, m in zip(value.shape, reference.shape) if n != m] if value.ndim == reference.ndim else []
        return mismatch.sentence + (_reshaped(value, reference) or shapes.widths(tuple(apart), inputs))
    if mismatch.kind == "dtype":
        right = value.shape == reference.shape and bool(close(value, reference).all())
        return mismatch.sentence + (", with the right numbers" if right else "")
    if reference.ndim == 0:
        return mismatch.sentence
    if step := re.search(r"(.*) after step (\d+)", name):
        before = _before(step[1], int(step[2]), inputs, expected)
        if before is not None:
            found = _related(value - before, reference - before, _factors(inputs, int(step[2])), [])
            return f"{name}: the step {found}" if found else mismatch.sentence
    knowns = _knowns(name, reference, inputs, expected)
    found = _related(value, reference, _factors(inputs), knowns)
    return f"{name} {found}" if found else mismatch.sentence + _pattern(value, reference)


def _before(parameter: str, step: int, inputs: Arrays, expected: Arrays) -> np.ndarray | None:
    """The right value of a parameter before a step: the exercise's input, or the reference after the step before."""
    if step > 1:
        return expected.get(f"{parameter} after step {step - 1}")
    match = re.fullmatch(r"linear_layers\[(\d+)\]\.([Wb])", parameter)
    return inputs.get(f"{match[2]}{match[1]}") if match else None


def _factors(inputs: Arrays, step: int = 0) -> list[Known]:
    """The numbers of an exercise that a result is likely to be off by, and what to say of them."""
    counts: list[tuple[float, str]] = []
    x = inputs.get("x")
    if x is not None and x.ndim == 2:
        rows = int(inputs["rows"][step - 1]) if step and "rows" in inputs else len(x)
        counts.append((rows, f"the batch has {rows} rows"))
        if "W" in inputs:
            counts.append((x.shape[1], f"there are {x.shape[1]} inputs"))
        if rows > 1 and not step:
            counts.append((rows / (rows - 1), f"{rows}/{rows - 1} is the batch's size over its size less one"))
    y = inputs.get("y", inputs.get("delta"))
    if y is not None and y.ndim == 2 and not step:
        counts.append((y.shape[1], f"there are {y.shape[1]} {'classes' if 'y' in inputs else 'outputs'}"))
    for name in ("lr", "momentum"):
        if name in inputs and 0 < float(inputs[name]) != 1:
            counts.append((float(inputs[name]), f"{name} is {float(inputs[name]):g}"))
    if "momentum" in inputs and 0 < float(inputs["momentum"]) < 1:
        rest = 1 - float(inputs["momentum"])
        counts.append((rest, f"1 - momentum is {rest:.3g}"))
    knowns = [Known(-1.0, "has the wrong sign")]
    for count, text in counts:
        for sign, minus in ((1, ""), (-1, ", with the wrong sign")):
            up, down = f"{count:.4g} times", f"1/{count:.4g} of"
            knowns.append(Known(sign * count, f"is {up} the expected{minus}, and {text}"))
            knowns.append(Known(sign / count, f"is {down} the expected{minus}, and {text}"))
    for (a, text), (b, other) in [(p, q) for p in counts[:3] for q in counts[:3] if p is not q]:
        knowns.append(Known(a / b, f"is {a:.4g}/{b:.4g} of the expected: {text}, and {other}"))
    return knowns


def _knowns(name: str, reference: np.ndarray, inputs: Arrays, expected: Arrays) -> list[Known]:
    """The other arrays of an exercise that have the quantity's shape."""
    named = [(f"the input {key}", array) for key, array in inputs.items()]
    named += [(f"what {key} should be", array) for key, array in expected.items() if key != name]
    return [
        Known(array, f"is {text}")
        for text, array in named
        if array.shape == reference.shape and array.dtype.kind == "f" and not close(array, reference).all()
    ]


def _related(value: np.ndarray, reference: np.ndarray, factors: list[Known], knowns: list[Known]) -> str:
    """How a whole array is related to its reference or to another array, or nothing."""
    size = float(np.abs(reference).max(initial=0.0))
    if not np.abs(value).max(initial=0.0):
        return "is all zeros"
    if not size:
        return "should be all zeros"
    factor = float((value * reference).sum() / (reference * reference).sum())
    if value.size > 1 and close(value, factor * reference).all() and abs(factor) > 1e-9:
        texts = [known.text for known in factors if abs(factor / float(known.value) - 1) < 10 * RTOL]
        return " or ".join(dict.fromkeys(texts)) or f"is {factor:.4g} times the expected, in every entry"
    for known in knowns:
        if close(value, np.asarray(known.value)).all():
            return known.text
    flipped = close(np.abs(value), np.abs(reference))
    if flipped.all():
        return f"has the wrong sign in {int((~close(value, reference)).sum())} of {value.size} entries"
    if value.ndim == 2 and len(set(value.shape)) == 1 and close(value.T, reference).all():
        return "is transposed"
    if value.size > 2 and close(np.sort(value, axis=None), np.sort(reference, axis=None)).all():
        return "has the right numbers in the wrong places"
    offset = float((value - reference).mean())
    if value.size > 2 and close(value - offset, reference).all():
        return f"is off by {offset:.4g} in every entry"
    if value.ndim == 2 and min(value.shape) > 1:
        for axis, what in ((0, "row"), (1, "column")):
            shift = (value - reference).mean(axis=axis, keepdims=True)
            if close(value - shift, reference).all():
                return f"is off by the same amounts in every {what}"
            ratio = (value * reference).sum(axis=axis) / np.maximum((reference * reference).sum(axis=axis), 1e-300)
            if close(value, np.expand_dims(ratio, axis) * reference).all():
                return f"is off by one factor for every {'column' if axis == 0 else 'row'}"
    return ""


def _reshaped(value: np.ndarray, reference: np.ndarray) -> str:
    """What a value of the wrong shape holds, or nothing."""
    if value.ndim == 2 and value.T.shape == reference.shape:
        return ": it is transposed" if close(value.T, reference).all() else ""
    if value.size == reference.size and close(value.reshape(reference.shape), reference).all():
        lost = value.ndim < reference.ndim
        return f": the numbers are right, but an axis is {'lost (keepdims keeps it)' if lost else 'too many'}"
    if value.ndim == 0 and close(value, reference.mean()).all():
        return ": it is the mean of what is expected"
    if value.ndim == 0 and close(value, reference.sum()).all():
        return ": it is the sum of what is expected"
    return ""


def _pattern(value: np.ndarray, reference: np.ndarray) -> str:
    """Along which axis the wrong entries lie, if along one."""
    wrong = ~close(value, reference)
    if wrong.ndim == 2 and not wrong.all() and min(wrong.shape) > 1:
        for axis, what in ((1, "row"), (0, "column")):
            lines = np.asarray(wrong.any(axis=axis))
            if lines.sum() == 1:
                return f", all in {what} {first(lines)[0]}"
    return ""
