"""What met where an exception arose, in words: names, shapes and types of the values in the expression."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np

from diagnosis.compare import article
from diagnosis.names import Explanation
from diagnosis.source import made
from sandbox.submission import Submission
from sandbox.wire import Operand, Raised

Shape = tuple[int, ...]
Arrays = dict[str, np.ndarray]
REDUCTIONS = re.compile(r"\b(?:sum|mean|a?max|a?min|var|std|prod|norm)\(")
FULL = re.compile(r"\((?:\d+,?)*\)")


def met(raised: Raised, code: str) -> str:
    """One clause on the values in the expression: "in `x - a`, x is (13, 10) and a is (13,)"; nothing if none tells."""
    parts = []
    operands = _operands(raised)
    plain = {kind for _, kind, shape in operands if shape is not None} <= {"", "float64"}
    for text, kind, shape in operands:
        if shape is not None:
            parts.append(f"{text} is {shape}" + ("" if plain or not kind else f" of {kind}"))
        elif _tells(kind, raised):
            parts.append(f"{text} is {kind if _number(kind) else _described(kind)}")
    if not parts:
        return ""
    expression = raised.expression
    where = f"in `{expression}`, " if expression and expression != code else "there "
    return where + (" and ".join(parts) if len(parts) < 3 else f"{', '.join(parts[:-1])} and {parts[-1]}")


def clash(raised: Raised, submission: Submission, inputs: Arrays | None) -> Explanation | None:
    """Why two shapes can't meet, as far as they themselves show it."""
    operands = _operands(raised)
    pair = [(text, shape) for text, _, shape in operands if shape is not None][:2]
    if len(operands) == len(pair) == 1:  # one array met itself
        pair *= 2
    if len(pair) < 2 or not raised.expression:
        pair = []
    for pattern, rule in CLASHES:
        if re.search(pattern, raised.message):
            return Explanation(rule(pair, inputs, lambda text: made(text, raised.frames, submission)))
    return None


Pair = list[tuple[str, Shape]]  # the two arrays that met, if they are known
Made = Callable[[str], str]  # gives the code that a value is made by


def _in_place(pair: Pair, inputs: Arrays | None, made: Made) -> str:
    return "an update in place keeps the shape of what stands on the left"


def _too_few_axes(pair: Pair, inputs: Arrays | None, made: Made) -> str:
    return "a matrix product needs arrays of one axis or more, and one of the two is a single number or no array"


def _product(pair: Pair, inputs: Arrays | None, made: Made) -> str:
    rule = "a matrix product (n, k) @ (k, m) needs the two k to agree"
    if not pair:
        return rule
    left, right = pair[0][1], pair[1][1]
    if left == right:
        return "a matrix product needs the two inner sizes to agree; arrays of one shape meet entry by entry with `*`"
    if len(left) == len(right) == 2:
        return f"{rule}: here {left[1]} and {right[0]}" + widths((left[1], right[0]), inputs)
    return rule


def _entry_by_entry(pair: Pair, inputs: Arrays | None, made: Made) -> str:
    if not pair:
        return "entry by entry, sizes have to be equal or 1, counted from the last"
    (a, short), (b, long) = sorted(pair, key=lambda part: len(part[1]))
    if len(short) == 1 and len(long) == 2 and short[0] == long[0]:
        text, code = f"`{a}` has one number for each row of `{b}` and no second axis", made(a)
        dropped = REDUCTIONS.search(code) and "keepdims" not in code
        return f"{text}: `{code}` has dropped it (keepdims keeps it)" if dropped else text
    if len(short) == 2 and short == long[::-1]:
        return "each has the other's shape transposed"
    if len(short) == len(long) == 2:
        apart = [size for sizes in zip(short, long) if len({*sizes, 1}) == 3 for size in sizes]
        return f"entry by entry, sizes have to be equal or 1{widths(tuple(apart), inputs)}"
    return _entry_by_entry([], inputs, made)


CLASHES: tuple[tuple[str, Callable[[Pair, Arrays | None, Made], str]], ...] = (
    ("output operand", _in_place),
    ("enough dimensions", _too_few_axes),
    ("matmul|not aligned", _product),
    ("broadcast", _entry_by_entry),
)


def widths(sizes: tuple[int, ...], inputs: Arrays | None) -> str:
    """Whose widths in the exercise's network these sizes are, where each is one layer's alone."""
    known = layers(inputs or {})
    texts = [f"{size} is {known[size]}" for size in dict.fromkeys(sizes) if size in known]
    return f"; {', '.join(texts)}" if texts else ""


def layers(inputs: Arrays) -> dict[int, str]:
    """What a size is the width of, for every size that only one layer of the exercise's network has."""
    shapes = [inputs[f"W{i}"].shape for i in range(len(inputs)) if f"W{i}" in inputs]
    if not shapes:
        return {}
    named = [(shapes[0][0], "the input's width")]
    named += [(shape[1], f"the width of hidden layer {i}") for i, shape in enumerate(shapes[:-1], 1)]
    named.append((shapes[-1][1], "the output's width"))
    sizes = [size for size, _ in named]
    rows = {len(inputs["x"])} if "x" in inputs else set()
    return {size: text for size, text in named if sizes.count(size) == 1 and size not in rows}


def _operands(raised: Raised) -> list[Operand]:
    """The values that met; where two shapes of the message are those of two operands, unknown ones get theirs."""
    operands = list(raised.values)
    shapes = [tuple(map(int, re.findall(r"\d+", text))) for text in FULL.findall(raised.message)]
    two = len(shapes) == 2 and len(operands) >= 2 and re.search(r"shapes? \(", raised.message)
    if two and all(kind == "" or shape == other for (_, kind, shape), other in zip(operands, shapes)):
        return [Operand(text, kind, shape) for (text, kind, _), shape in zip(operands, shapes)]
    return operands


def _described(kind: str) -> str:
    return f"an empty {kind.partition(' ')[0]}" if kind.endswith(" of 0") else article(kind)


def _number(kind: str) -> bool:
    return bool(re.fullmatch(r"-?[\d.e+-]+|True|False|inf|nan", kind))


def _tells(kind: str, raised: Raised) -> bool:
    """Whether a value that is no array has to do with the message."""
    message = raised.message
    if _number(kind):
        return "index" in message or "broadcast" in message or "shape" in message
    if kind.startswith(("list of", "tuple of", "dict of")):
        return not re.search(r"has no attribute|import", message)
    return bool(kind) and kind != "NoneType" and f"'{kind.partition(' ')[0]}'" in message and "attribute" not in message
