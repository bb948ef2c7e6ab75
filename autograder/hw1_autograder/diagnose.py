"""A wrong result in words: what is wrong with it, where in the student's file, and what that points at.

Everything said here is read off the numbers or the exception; causes are named by the catalogue (recognise.py).
References are never printed.
"""

from __future__ import annotations

import difflib
import linecache
import os
import re
import sys
from typing import Any, NamedTuple

import numpy as np
from compare import RTOL, Mismatch, close, first
from sandbox import Outcome
from submission import Submission

Arrays = dict[str, np.ndarray]
HERE = os.path.dirname(os.path.abspath(__file__))
OWN_MODULES = dict.fromkeys(("activation", "loss", "linear", "batchnorm"), "mytorch") | {"hw1": "hw1", "mc": "hw1"}

# ---------------------------------------------------------------- exercises that gave no values

NOT_IMPLEMENTED = "NotImplemented is no exception (NotImplementedError is), and the body is still to be written"

# exception type, a pattern of its message, and what it comes from
KNOWN_EXCEPTIONS = (
    ("TypeError", r"exceptions must derive from BaseException", NOT_IMPLEMENTED),
    (
        "TypeError",
        r"cannot be interpreted as an integer|Use \(\) not None",
        "None stands where a shape is needed: np.zeros(None) in a starter is a place to be filled in",
    ),
    (
        "ValueError",
        r"matmul: .*mismatch|shapes .* not aligned",
        "a matrix product (n, k) @ (k, m) needs the two k to agree: write down the shapes of both factors, one may "
        "have to be transposed, or to be multiplied entry by entry",
    ),
    (
        "ValueError",
        r"could not be broadcast",
        "these shapes can't meet entry by entry: has a sum or mean lost its axis (keepdims, question 1), or do the "
        "arrays belong to different layers?",
    ),
    (
        "ValueError",
        r"truth value of an array",
        "an `if`, `and` or `max` asks for one answer of a whole array: np.where, np.maximum or a comparison works "
        "entry by entry",
    ),
    (
        "TypeError",
        r"only .* arrays can be converted",
        "the functions of the module math take one number, those of NumPy whole arrays",
    ),
    ("AttributeError", r"'NoneType' object has no attribute", "something is still None: was it set, and returned?"),
    ("AttributeError", r"has no attribute", "is the attribute set, under this very name, before it is read?"),
    ("TypeError", r"'NoneType' object is not", "something is still None: was it set, and returned?"),
    ("TypeError", r"unsupported operand.*'NoneType'|NoneType", "something is still None: was it set, and returned?"),
    ("TypeError", r"positional argument|unexpected keyword", "the arguments don't fit the signature in the starter"),
    ("TypeError", r"is not callable", "something is called that is no function: is a pair of brackets too many?"),
    ("IndexError", r"index.* out of (range|bounds)", "a list or an array is shorter than the index needs it to be"),
    ("NameError", r"", "the name is not defined there: is it misspelled, not imported, or is `self.` missing?"),
    ("UnboundLocalError", r"", "the name is read before it is set in this function"),
    ("RecursionError", r"", "a function calls itself without end"),
    ("MemoryError", r"", "more memory was asked for than a submission has"),
    ("ZeroDivisionError", r"", "a count is zero there"),
    (
        r"_?UFuncTypeError|UFuncOutputCastingError|_UFuncOutputCastingError",
        r"",
        "an array of integers is updated in place with floating-point numbers",
    ),
    ("EOFError", r"", "nobody answers while you are graded"),
    ("SystemExit", r"", "a file that ends the program can't be imported"),
    ("SyntaxError|ValueError", r"null bytes", "a file is not saved as UTF-8 (as UTF-16, perhaps): save it anew"),
    ("SyntaxError", r"", "the file can't be read as Python up to this line"),
    ("IndentationError|TabError", r"", "the file can't be read as Python: look at the indentation"),
)


def unstarted(outcome: Outcome, submission: Submission) -> bool:
    """Whether the exercise met a body that says that it is still to be written."""
    if outcome.ended != "raised":
        return False
    code = code_of(outcome, submission)
    return "NotImplementedError" in outcome.raised["bases"] or bool(re.match(r"raise NotImplemented\b", code))


def ending(outcome: Outcome, deadline: float) -> str:
    """Why an exercise gave no values: the process hung, ended or broke the channel."""
    where = f" while it imported {outcome.stage[len('import ') :]}" if outcome.stage.startswith("import ") else ""
    if outcome.ended == "timeout":
        at = f", at {outcome.detail}: does a loop there ever end?" if outcome.detail else ""
        return f"still running after {deadline:.3g} s{where}{at}"
    if outcome.ended == "died":
        return f"the process ended{where}: {outcome.detail}"
    return f"the process sent something that is no answer{where}"


def code_of(outcome: Outcome, submission: Submission) -> str:
    """The student's line that raised, or nothing."""
    if not outcome.raised.get("frames"):
        return ""
    file, number, _ = outcome.raised["frames"][-1]
    lines = submission.source(file)
    return lines[number - 1].strip()[:100] if 0 < number <= len(lines) else ""


def exception(outcome: Outcome, submission: Submission, inputs: Arrays | None = None) -> str:
    """One line for an exception: the student's file, line and code, its type and message, and what that comes from.

    With the inputs of an exercise that builds a network, its constructor call is told where the sizes matter.
    """
    raised = outcome.raised
    kind, message = raised["type"], " ".join(raised["message"].split())[:200]
    place = ""
    if raised["frames"]:
        file, number, _ = raised["frames"][-1]
        code = code_of(outcome, submission)
        place = f"{file}, line {number}: " + (f"`{code}`: " if code else "")
    if kind == "Broken":
        return f"{_file(message)} can't be imported: see the problem above that first needed it"
    if kind == "ModuleNotFoundError" and raised["module"]:
        name = raised["module"].partition(".")[0]
        if name in OWN_MODULES:
            return f"{place}{_file(name)} is missing"
        return f"{place}imports {name}, but only NumPy and the standard library are there when you are graded"
    if kind == "NotBuilt":
        return message + _constructed(inputs)
    known = next(
        (text for name, pattern, text in KNOWN_EXCEPTIONS if re.fullmatch(name, kind) and re.search(pattern, message)),
        "",
    )
    said = f"{kind}: {message}" if message else kind
    owner, named = _named(kind, message, raised, submission)
    if named:
        known = named
    if not place and owner:
        place = f"{owner}: "
    if (line := _driver_line(raised.get("driver", []))) and not message.startswith("module"):
        said += f" (where the grader runs `{line}`)"
    if line := _caller(raised["frames"], submission):
        said += f" (called at {line})"
    if kind == "SyntaxError" and "null bytes" not in message:
        known += f" (Python {sys.version_info[0]}.{sys.version_info[1]} here)"
    if kind == "IndexError":
        known += _constructed(inputs)
    return f"{place}{said}. {known[0].upper()}{known[1:]}" if known else f"{place}{said}"


def _named(kind: str, message: str, raised: dict[str, Any], submission: Submission) -> tuple[str, str]:
    """What the files say of the name that an exception is about: where it belongs, and what may be meant."""
    if match := re.search(r"module '(\w+)' has no attribute '(\w+)'", message):
        if match[1] not in OWN_MODULES:
            return "", ""
        file = _file(match[1])
        return file, _similar(match[2], submission.source(file), r"(?:class|def) +(\w+)")
    if match := re.search(r"'(\w+)' object has no attribute '(\w+)'", message):
        file, number = _definition("class", match[1], submission)
        if not file:
            return "", ""
        lines = submission.source(file)
        for later, line in enumerate(lines[number:], number + 1):
            if re.match(r"class\b", line):
                break
            if re.match(rf"\s*self\.{match[2]}\s*=[^=]", line):
                return f"{file}, class {match[1]}", f"line {later} of {file} sets it: was that line reached before?"
        names = r"(?:\bdef +|\bself\.)(\w+)"
        return f"{file}, class {match[1]}", _similar(match[2], lines[number:], names)
    if kind == "NameError" and raised["frames"] and (match := re.search(r"name '(\w+)' is not defined", message)):
        lines = submission.source(raised["frames"][-1][0])
        if any(re.search(rf"\bself\.{match[1]}\b", line) for line in lines):
            return "", f"the file has `self.{match[1]}`: is that the one that is meant?"
        file, _ = _definition("class", match[1], submission)
        if file and file != raised["frames"][-1][0]:
            return "", f"{match[1]} is in {file}: is it imported?"
        lines = [re.sub(r".*\bas +|.*\bimport +", "", line) for line in lines]  # of an import, the name that it sets
        return "", _similar(match[1], lines, r"(?<![.\w])([A-Za-z_]\w*)")
    if match := re.match(r"(?:(\w+)\.)?(\w+)\(\) (?:takes|missing|got)", message):
        file, number = _definition("def", match[2], submission, match[1] or "")
        if not file:  # before Python 3.10 the message does not say whose method it is
            file, number = _definition("def", match[2], submission, signature=r"\((?!self\b)")
        code = submission.source(file)[number - 1].strip() if file else ""
        without_self = not re.search(r"\bself\b", code)
        return (
            f"{file}, line {number}: `{code[:100]}`" if file else "",
            f"`{code[:100]}` in {file}, line {number}, has no `self`" if file and without_self else "",
        )
    return "", ""


def _similar(name: str, lines: list[str], pattern: str) -> str:
    """A question about the name in these lines that is most like the one that was not found, or nothing."""
    found = {word.lower(): word for line in lines for word in re.findall(pattern, line.partition("#")[0])}
    found = {low: word for low, word in found.items() if word != name}
    close_ones = difflib.get_close_matches(name.lower(), [*found], 1, 0.8)
    return f"the file has `{found[close_ones[0]]}`: is that the one that is meant?" if close_ones else ""


def _definition(
    keyword: str, name: str, submission: Submission, owner: str = "", signature: str = r"\b"
) -> tuple[str, int]:
    """The file and line of a class or a function, of that class if one is given; nothing unless it is the only one."""
    places = []
    for file in submission.files:
        inside = ""
        for number, line in enumerate(submission.source(file), 1):
            if match := re.match(r"class +(\w+)", line):
                inside = match[1]
            if re.match(rf"\s*{keyword} +{re.escape(name)}{signature}", line) and owner in ("", inside):
                places.append((file, number))
    return places[0] if len(places) == 1 else ("", 0)


def _caller(frames: list[list[Any]], submission: Submission) -> str:
    """The line of another file from which the file that raised was called, or nothing."""
    files = [file for file, _, _ in frames]
    outer = next((frame for frame in reversed(frames) if frame[0] != files[-1]), None)
    if outer is None or outer[2] == "<module>":
        return ""
    lines = submission.source(outer[0])
    code = lines[outer[1] - 1].strip()[:100] if 0 < outer[1] <= len(lines) else ""
    return f"{outer[0]}, line {outer[1]}: `{code}`"


def _driver_line(driver: list[Any]) -> str:
    """The line of an exercise at which the submission's object failed it, without the name of the value."""
    if not driver or driver[0] not in ("exercises.py", "probes.py", "gradients.py", "importers.py"):
        return ""
    line = linecache.getline(os.path.join(HERE, driver[0]), driver[1]).strip()
    if "getattr(" in line:  # the message has the name already
        return ""
    return re.sub(r"^(values\[.*\] = |return )|\($", "", line)[:100]


def _constructed(inputs: Arrays | None) -> str:
    """The constructor call of an exercise's network, or nothing."""
    widths = [array.shape for name, array in (inputs or {}).items() if re.fullmatch(r"W\d+", name)]
    if not inputs or not widths or "activations" not in inputs:
        return ""
    hiddens = [width for _, width in widths[:-1]]
    bn = sum(name.startswith("gamma") for name in inputs)
    return f"; here input_size={widths[0][0]}, output_size={widths[-1][1]}, hiddens={hiddens}, num_bn_layers={bn}"


def _file(module: str) -> str:
    return f"{OWN_MODULES[module]}/{module}.py" if module in OWN_MODULES else module


# ---------------------------------------------------------------- wrong values


class Known(NamedTuple):
    """Something that a wrong value may be equal to, or a factor that it may differ by, with the words for it."""

    value: np.ndarray | float
    text: str


def in_order(mismatches: list[Mismatch]) -> list[Mismatch]:
    """The mismatches in the order in which the quantities are computed: forward up the layers, backward down."""
    return sorted(mismatches, key=lambda mismatch: _moment(mismatch.quantity))


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
    if rest:
        said += f"; also wrong: {_listed(rest)}"
    elif 0 < len(right) <= 4:
        said += f"; right: {_listed(right)}"
    return said


def _listed(names: list[str], most: int = 4) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def _one(mismatch: Mismatch, inputs: Arrays, expected: Arrays) -> str:
    """One sentence on one wrong quantity."""
    value, reference, name = mismatch.value, mismatch.expected, mismatch.quantity
    if mismatch.type == "NoneType" and name.endswith(")"):
        return f"{mismatch.sentence}: is there a return?"
    if value is None or value.dtype.kind not in "biuf" or mismatch.kind in ("type", "finite"):
        return mismatch.sentence
    value = value.astype(np.float64)
    if mismatch.kind == "shape":
        return mismatch.sentence + _reshaped(value, reference)
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
        return f": the numbers are right, but an axis is {'lost (keepdims, question 1)' if lost else 'too many'}"
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
