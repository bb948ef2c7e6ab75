"""Wrong values in words: which quantity went wrong first, and how its numbers are related to the expected ones.

All of it is read off the numbers; causes are named by the catalogue (recognise.py). Of the references one entry is
shown, by `entry`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from diagnosis import shapes
from diagnosis.compare import RTOL, Mismatch, close, first, index
from sandbox.layers import GRADIENTS, KEPT, PARAMETERS, Quantity

Arrays = dict[str, np.ndarray]
MOST_NAMED = 4  # quantities of one list


class Known(NamedTuple):
    """Something that a wrong value may be equal to, or a factor that it may differ by, with the words for it."""

    value: np.ndarray | float
    text: str


def in_order(mismatches: list[Mismatch]) -> list[Mismatch]:
    """The mismatches in the order in which the quantities are computed: forward up the layers, backward down.

    Correct numbers in a wrong shape or of a wrong type come after wrong numbers.
    """
    return sorted(mismatches, key=lambda mismatch: (_correct_numbers(mismatch), _moment(mismatch.quantity)))


def _correct_numbers(mismatch: Mismatch) -> bool:
    """Whether a value's numbers are correct, and only its shape or its type is not."""
    value, reference = mismatch.value, mismatch.expected
    if value is None or mismatch.kind not in ("shape", "dtype") or value.dtype.kind not in "biuf":
        return False
    return value.size == reference.size and bool(close(value.astype(float).reshape(reference.shape), reference).all())


def _moment(quantity: Quantity) -> tuple[int, ...]:
    """When a quantity is computed, to sort by."""
    layer = quantity.index or 0
    if quantity.step:
        return 0, quantity.step, layer, PARAMETERS.index(quantity.name)
    if quantity.kept:
        return 0, layer, KEPT.index(quantity.name)
    if quantity.call == "forward":
        return 1, 0
    return (2, -layer, GRADIENTS.index(quantity.name)) if quantity.name in GRADIENTS else (3, 0)


def evidence(mismatches: list[Mismatch], correct: list[Quantity], inputs: Arrays, expected: Arrays) -> str:
    """What the wrong values of one exercise show, beginning with the first that was computed."""
    lead, *others = in_order(mismatches)
    relation = _relation(lead, inputs, expected)
    text = f"{lead.quantity}{relation}" if relation else lead.sentence
    alike = [m.quantity for m in others if relation and _relation(m, inputs, expected) == relation]
    if alike:
        text += f" (likewise {_listed(alike)})"
    steps = [m.quantity.step for m in mismatches if m.quantity.step]
    if steps and min(steps) > 1:
        return f"{text}; everything is right up to step {min(steps) - 1}"
    rest = [m.quantity for m in others if m.quantity not in alike]
    before = [quantity for quantity in correct if _moment(quantity) < _moment(lead.quantity)]
    if shown := before if rest or len(correct) > MOST_NAMED else correct:
        text += f"; right: {_listed(sorted(shown, key=_moment))}"
    if len(rest) > MOST_NAMED:
        return f"{text}; {len(rest)} others are wrong as well"
    return f"{text}; also wrong: {_listed(rest)}" if rest else text


def entry(mismatch: Mismatch) -> str:
    """The first wrong entry beside the expected one; nothing where no numbers of the expected shape came."""
    value, reference = mismatch.value, mismatch.expected
    numbers = value is not None and value.dtype.kind in "biuf" and reference.dtype.kind in "biuf"
    if value is None or not numbers or value.shape != reference.shape:
        return ""
    wrong = ~close(value.astype(np.float64), reference)
    if not wrong.any():  # of another type alone
        return ""
    where = first(wrong)
    place, count = (index(where), f" ({wrong.sum()} of {wrong.size} entries wrong)") if where else ("", "")
    return f"{mismatch.quantity}{place} is {value[where]:.10g}, expected {reference[where]:.10g}{count}"


def _listed(quantities: list[Quantity]) -> str:
    shown = quantities if len(quantities) <= MOST_NAMED else quantities[: MOST_NAMED - 1]
    more = len(quantities) - len(shown)
    return ", ".join(map(str, shown)) + (f" and {more} more" if more else "")


def _relation(mismatch: Mismatch, inputs: Arrays, expected: Arrays) -> str:
    """What is known of one wrong quantity's numbers, as the end of a sentence that begins with its name, or nothing."""
    value, reference, quantity = mismatch.value, mismatch.expected, mismatch.quantity
    if value is None or value.dtype.kind not in "biuf" or mismatch.kind in ("type", "finite"):
        return ""
    value = value.astype(np.float64)
    if mismatch.kind == "shape":
        more = _reshaped(value, reference) or _widths(value, reference, inputs)
    elif mismatch.kind == "dtype":
        same = value.shape == reference.shape and bool(close(value, reference).all())
        more = ", with the right numbers" if same else ""
    elif reference.ndim == 0:
        more = ""
    else:
        before = _before(quantity, inputs, expected)
        if before is not None:
            related = _related(value - before, reference - before, _factors(inputs, quantity.step), [])
            return f": the step {related}" if related else ""
        related = _related(value, reference, _factors(inputs), _knowns(quantity, reference, inputs, expected))
        if related:
            return f" {related}"
        more = _pattern(value, reference)
    return mismatch.sentence[len(str(quantity)) :] + more if more else ""


def _before(quantity: Quantity, inputs: Arrays, expected: Arrays) -> np.ndarray | None:
    """The correct value of a parameter before its step: the exercise's input, or that after the step before."""
    if quantity.step > 1:
        return expected.get(str(quantity._replace(step=quantity.step - 1)))
    return inputs.get(f"{quantity.name}{quantity.index}") if quantity.step else None


# ---------------------------------------------------------------- factors, and other arrays


def _counts(inputs: Arrays, step: int) -> Iterator[tuple[float, str]]:
    """The numbers of an exercise that a result is likely to be off by, and what to say of them."""
    x, y = inputs.get("x"), inputs.get("y", inputs.get("delta"))
    if x is not None and x.ndim == 2:
        rows = int(inputs["rows"][step - 1]) if step and "rows" in inputs else len(x)
        yield rows, f"the batch has {rows} rows"
        if "W" in inputs:
            yield x.shape[1], f"there are {x.shape[1]} inputs"
        if rows > 1 and not step:
            yield rows / (rows - 1), f"{rows}/{rows - 1} is the batch's size over its size less one"
    if y is not None and y.ndim == 2 and not step:
        yield y.shape[1], f"there are {y.shape[1]} {'classes' if 'y' in inputs else 'outputs'}"
    for name in ("lr", "momentum"):
        if name in inputs and 0 < float(inputs[name]) != 1:
            yield float(inputs[name]), f"{name} is {float(inputs[name]):g}"
    if "momentum" in inputs and 0 < float(inputs["momentum"]) < 1:
        rest = 1 - float(inputs["momentum"])
        yield rest, f"1 - momentum is {rest:.3g}"


def _factors(inputs: Arrays, step: int = 0) -> list[Known]:
    """The factors by which a result is likely to be off, and what to say of each."""
    counts = list(_counts(inputs, step))
    knowns = [Known(-1.0, "has the wrong sign")]
    for count, text in counts:
        for sign, minus in ((1, ""), (-1, ", with the wrong sign")):
            up, down = f"{count:.4g} times", f"1/{count:.4g} of"
            knowns.append(Known(sign * count, f"is {up} the expected{minus}, and {text}"))
            knowns.append(Known(sign / count, f"is {down} the expected{minus}, and {text}"))
    for (a, text), (b, other) in [(p, q) for p in counts[:3] for q in counts[:3] if p is not q]:
        knowns.append(Known(a / b, f"is {a:.4g}/{b:.4g} of the expected: {text}, and {other}"))
    return knowns


def _knowns(quantity: Quantity, reference: np.ndarray, inputs: Arrays, expected: Arrays) -> list[Known]:
    """The other arrays of an exercise that have the quantity's shape."""
    named = [(f"the input {key}", array) for key, array in inputs.items()]
    named += [(f"what {key} should be", array) for key, array in expected.items() if key != str(quantity)]
    return [
        Known(array, f"is {text}")
        for text, array in named
        if array.shape == reference.shape and array.dtype.kind == "f" and not close(array, reference).all()
    ]


def _related(value: np.ndarray, reference: np.ndarray, factors: list[Known], knowns: list[Known]) -> str:
    """How a whole array is related to its reference or to another array, or nothing: the first relation that holds."""
    if not np.abs(value).max(initial=0.0):
        return "is all zeros"
    if not np.abs(reference).max(initial=0.0):
        return "should be all zeros"
    if text := _by_a_factor(value, reference, factors):
        return text
    if text := next((known.text for known in knowns if close(value, np.asarray(known.value)).all()), ""):
        return text
    return next(filter(None, (relation(value, reference) for relation in RELATIONS)), "")


def _by_a_factor(value: np.ndarray, reference: np.ndarray, factors: list[Known]) -> str:
    factor = float((value * reference).sum() / (reference * reference).sum())
    if value.size < 2 or abs(factor) <= 1e-9 or not close(value, factor * reference).all():
        return ""
    texts = [known.text for known in factors if abs(factor / float(known.value) - 1) < 10 * RTOL]
    return " or ".join(dict.fromkeys(texts)) or f"is {factor:.4g} times the expected, in every entry"


def _by_signs(value: np.ndarray, reference: np.ndarray) -> str:
    wrong = int((~close(value, reference)).sum())
    flipped = bool(close(np.abs(value), np.abs(reference)).all())
    return f"has the wrong sign in {wrong} of {value.size} entries" if flipped else ""


def _transposed(value: np.ndarray, reference: np.ndarray) -> str:
    square = value.ndim == 2 and len(set(value.shape)) == 1
    return "is transposed" if square and close(value.T, reference).all() else ""


def _in_other_places(value: np.ndarray, reference: np.ndarray) -> str:
    same = value.size > 2 and close(np.sort(value, axis=None), np.sort(reference, axis=None)).all()
    return "has the right numbers in the wrong places" if same else ""


def _by_an_offset(value: np.ndarray, reference: np.ndarray) -> str:
    offset = float((value - reference).mean())
    same = value.size > 2 and close(value - offset, reference).all()
    return f"is off by {offset:.4g} in every entry" if same else ""


def _by_rows_or_columns(value: np.ndarray, reference: np.ndarray) -> str:
    for axis, line, other in ((0, "row", "column"), (1, "column", "row")) if _is_table(value) else ():
        shift = (value - reference).mean(axis=axis, keepdims=True)
        if close(value - shift, reference).all():
            return f"is off by the same amounts in every {line}"
        ratio = (value * reference).sum(axis=axis) / np.maximum((reference * reference).sum(axis=axis), 1e-300)
        if close(value, np.expand_dims(ratio, axis) * reference).all():
            return f"is off by one factor for every {other}"
    return ""


RELATIONS: tuple[Callable[[np.ndarray, np.ndarray], str], ...] = (
    _by_signs,
    _transposed,
    _in_other_places,
    _by_an_offset,
    _by_rows_or_columns,
)


def _is_table(array: np.ndarray) -> bool:
    return array.ndim == 2 and min(array.shape) > 1


def _widths(value: np.ndarray, reference: np.ndarray, inputs: Arrays) -> str:
    apart = [n for n, m in zip(value.shape, reference.shape) if n != m] if value.ndim == reference.ndim else []
    return shapes.widths(tuple(apart), inputs)


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
    for axis, line in ((1, "row"), (0, "column")) if _is_table(wrong) and not wrong.all() else ():
        lines = np.asarray(wrong.any(axis=axis))
        if lines.sum() == 1:
            return f", all in {line} {first(lines)[0]}"
    return ""
