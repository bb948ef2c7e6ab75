"""Names in an exception's words: what is not there and whose it is, what is None and which line would have set it."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from diagnosis import source
from diagnosis.compare import article
from diagnosis.source import Setter
from sandbox.layers import FILES, Quantity
from sandbox.submission import Submission
from sandbox.wire import Frame, Raised

INIT_FUNCTIONS = {"weight_init_fn": "(in_feature, out_feature)", "bias_init_fn": "(out_feature)"}
SIGNATURE = re.compile(r"(?:([\w.<>]+)\.)?([\w<>]+)\(\) (?:takes|missing|got)|function missing required argument")
# What left a module of the standard library, and in which version.
GONE = {
    "time.clock": "3.8",
    "fractions.gcd": "3.9",
    **dict.fromkeys((f"collections.{name}" for name in ("Callable", "Iterable", "Mapping", "Sequence")), "3.10"),
    "inspect.getargspec": "3.11",
}
MISSING = re.compile(r"has no attribute '(\w+)'|cannot import name '(\w+)'")


class Explanation(NamedTuple):
    """What follows from an exception's facts, and the place in the submission that should have what is not there."""

    text: str
    place: str = ""


# ---------------------------------------------------------------- a name that is not there


def absent(raised: Raised, submission: Submission) -> Explanation | None:
    """What is known of a name that is not there, by the first rule that applies."""
    if not raised.missing.name:
        return None
    explanation = next(filter(None, (rule(raised, submission) for rule in ABSENT)))
    return explanation if any(explanation) else None


def _not_defined(raised: Raised, submission: Submission) -> Explanation | None:
    if raised.missing.kind != "name":
        return None
    file, _ = source.definition("class", raised.missing.name, submission)
    if file and raised.frames and file != raised.frames[-1].file:
        return Explanation(f"{raised.missing.name} is in {file}: is it imported?")
    otherwise = "the name is not defined there: is it misspelled, not imported, or is `self.` missing?"
    return Explanation(_meant("there is", raised.near) or otherwise)


def _not_in_a_file(raised: Raised, submission: Submission) -> Explanation | None:
    name, module = raised.missing.name, raised.missing.of.rpartition(".")[2]
    if raised.missing.whose != "student" or raised.missing.kind != "module":
        return None
    file = FILES.get(module, module)
    place = "" if raised.frames else file
    lines = submission.source(file)
    if not any(line.partition("#")[0].strip() for line in lines):
        return Explanation(f"{file} is empty", place)
    for number, line in enumerate(lines, 1):
        if re.match(rf"\s+(?:def|class) +{re.escape(name)}\b", line):
            text = f"line {number} of {file} has it, but indented: it belongs to what stands above it"
            return Explanation(text, place)
    otherwise = f"{file} has no {name}: is it written, under this very name?"
    return Explanation(_meant("the file has", raised.near) or otherwise, place)


def _not_in_a_class(raised: Raised, submission: Submission) -> Explanation | None:
    missing, name, owner = raised.missing, raised.missing.name, raised.missing.of
    if missing.whose != "student":
        return None
    file, _ = source.definition("class", owner, submission)
    lines = source.setters(submission, f"self.{name}", owner) if file else []
    lines = [line for line in lines if not line.to_none]
    near = list(raised.near) or ([] if lines else source.similar(name, owner, submission))
    if any(line.function == "__init__" for line in lines):
        near = []
    texts = [f"line {line.line} of {line.file} sets it{_reached(line)}" for line in lines[:1]]
    texts += [_meant(f"the {missing.kind} has", near)] if near else []
    if not texts and file and missing.kind == "object" and not raised.statement:
        texts = [f"no line of {owner}'s sets `self.{name}`"]
    place = f"{file}, class {owner}" if file and not raised.frames else ""
    return Explanation(" ".join(text[:1].upper() + text[1:] for text in texts), place)


def _explained_by_the_message(raised: Raised, submission: Submission) -> Explanation | None:
    enough = any(word in raised.message for word in ("deprecated", "removed", "Did you mean"))
    return Explanation("") if enough else None


def _not_of_a_function(raised: Raised, submission: Submission) -> Explanation | None:
    if raised.missing.of not in ("method", "function", "builtin_function_or_method"):
        return None
    base = raised.values[0].text if raised.values else "it"
    return Explanation(f"`{base}` is a {raised.missing.of.partition('_')[0]}: are its brackets missing?")


def _not_of_a_tuple(raised: Raised, submission: Submission) -> Explanation | None:
    lists = raised.missing.of == "tuple" and hasattr(list, raised.missing.name)
    return Explanation("a tuple can't be changed; a list made of it can") if lists else None


def _no_longer_there(raised: Raised, submission: Submission) -> Explanation | None:
    version = GONE.get(f"{raised.missing.of}.{raised.missing.name}")
    return Explanation(f"that left the standard library in Python {version}") if version else None


def _not_of_a_thing(raised: Raised, submission: Submission) -> Explanation | None:
    of, thing = raised.missing.of, article(raised.missing.of)
    if raised.missing.kind == "module":
        thing = "NumPy" if raised.missing.whose == "numpy" else f"the standard library's {of}"
    elif of == "ndarray":
        thing = "a NumPy array"
    return Explanation(_meant(f"{thing} has", raised.near) or f"{thing} has no {raised.missing.name}")


ABSENT: tuple[Callable[[Raised, Submission], Explanation | None], ...] = (
    _not_defined,
    _not_in_a_file,
    _not_in_a_class,
    _explained_by_the_message,
    _not_of_a_function,
    _not_of_a_tuple,
    _no_longer_there,
    _not_of_a_thing,
)


def _reached(line: Setter) -> str:
    if line.function == "__init__":
        return ": was that line reached before?"
    return f", in {line.function}: was that called before?"


def _meant(has: str, near: Sequence[str]) -> str:
    return f"{has} `{near[0]}`: is that the one that is meant?" if near else ""


# ---------------------------------------------------------------- arguments that don't fit


def called(raised: Raised, submission: Submission) -> Explanation | None:
    """For arguments that don't fit: the function's place if it is the student's, and its signature if it is not."""
    match, call = SIGNATURE.search(raised.message), raised.call
    if not match or raised.type != "TypeError":
        return None
    if call.whose in ("numpy", "python"):
        owner = "NumPy's" if call.whose == "numpy" else "Python's"
        return Explanation(f"`{call.function}` is {owner}" + (f": {call.signature}" if call.signature else ""))
    init = next((name for name in INIT_FUNCTIONS if call.function.endswith(name)), "")
    if init:
        return Explanation(f"{init} is called as {init}{INIT_FUNCTIONS[init]}")
    return _called_here(match[2], (match[1] or "").rpartition(".")[2], raised, submission) if match[2] else None


def _called_here(name: str, owner: str, raised: Raised, submission: Submission) -> Explanation | None:
    file, number = source.definition("def", name, submission, owner)
    if not file:  # before Python 3.10 the message does not say whose method it is
        file, number = source.definition("def", name, submission, signature=r"\((?!self\b)")
    if not file:
        return None
    code = submission.line(file, number)
    head = " ".join(submission.source(file)[number - 1 : number + 3])
    without_self = owner and not re.search(rf"def {name}\(\s*self\b", head)
    text = f"`{code}` in {file}, line {number}, has no `self`" if without_self else ""
    return Explanation(text, "" if raised.frames else f"{file}, line {number}: `{code}`")


# ---------------------------------------------------------------- None


def nothing(raised: Raised, submission: Submission) -> Explanation | None:
    """For an exception about None: what is None, and which lines of the student's would have set it."""
    if "None" not in raised.message and "gufunc core" not in raised.message:
        return None
    none = [value.text for value in raised.values if value.kind == "NoneType"]
    unknown = [value.text for value in raised.values if not value.kind]
    if not none and len(unknown) == 1 and re.match(r"[\w.\[\]]+\(", unknown[0]) and raised.expression:
        return Explanation(f"`{unknown[0]}` is None: what is called there returns nothing")
    if not none or not raised.frames:
        return None
    texts: dict[str, list[str]] = {}
    for text in dict.fromkeys(none[:2]):
        texts.setdefault(_since(text, raised.frames, submission), []).append(f"`{text}`")
    return Explanation(
        "; ".join(f"{' and '.join(t)} {'is' if len(t) == 1 else 'are'} None{since}" for since, t in texts.items())
    )


def _since(text: str, frames: Sequence[Frame], submission: Submission) -> str:
    """Where what is None would have been set, or nothing."""
    owner, _, attribute = re.sub(r"\[.*\]$", "", text).rpartition(".")
    if owner:
        return _attribute_since(owner, attribute, frames[-1], submission)
    return _name_since(attribute, frames, submission)


def _attribute_since(owner: str, attribute: str, frame: Frame, submission: Submission) -> str:
    within = source.class_at(frame.file, frame.line, submission) if owner == "self" else ""
    lines = source.setters(submission, f"self.{attribute}", within)
    first = next((line for line in lines if not line.to_none), None)
    if first and first.function == "__init__":
        return f": line {first.line} of {first.file} sets it{_reached(first)}"
    if first:
        return f": {first.owner}.{first.function} sets that, in {first.file}; was it called before?"
    return f": only line {lines[0].line} of {lines[0].file} sets it, to None" if lines else ""


def _name_since(name: str, frames: Sequence[Frame], submission: Submission) -> str:
    file, _, function = frames[-1]
    lines = source.setters(submission, name, file=file)
    lines = [line for line in lines if line.function == function and not line.to_none]
    for line in lines:
        if method := source.returning_nothing(line.code, submission):
            return f": line {line.line} of {file} sets it, `{line.code}`, and {method} returns nothing"
    if lines:
        where = " and ".join(f"line {line.line}" for line in lines[:2])
        return f": {where} of {file} set{'s' if len(lines) == 1 else ''} it"
    callers = frames[:-1] if len(frames) > 1 and frames[-2].function != "__call__" else frames[:-2]
    return _since(name, callers, submission) if callers and _hands_on(name, callers[-1], submission) else ""


def _hands_on(name: str, frame: Frame, submission: Submission) -> bool:
    """Whether the caller's line hands over an argument of the same name."""
    lines = submission.source(frame.file)
    code = lines[frame.line - 1] if 0 < frame.line <= len(lines) else ""
    return bool(re.search(rf"\(.*\b{re.escape(name)}\b.*\)", code))


def unset(quantity: Quantity, submission: Submission) -> str:
    """Why a quantity is None, as `forward(x)` or `state`: no return with a value, or an attribute never set."""
    owner, attribute = quantity.owner, quantity.name
    if quantity.call:
        body = source.of_method(owner, quantity.call, submission)
        returned = [node.value for node in body if isinstance(node, ast.Return) and node.value is not None]
        if not returned:
            return f"{owner}.{quantity.call} has no return with a value"
        text = ast.unparse(returned[-1])
        if not re.fullmatch(r"self\.\w+", text):
            return ""
        attribute = text[len("self.") :]
    if any(not line.to_none for line in source.setters(submission, f"self.{attribute}", owner)):
        return ""
    near = source.similar(attribute, owner, submission)
    return f"no line of {owner}'s sets self.{attribute}" + (f", but one sets self.{near[0]}" if near else "")


def breakpoints(raised: Raised, submission: Submission) -> Explanation | None:
    """The lines that stop for a debugger."""
    if raised.type != "BdbQuit":
        return None
    pattern = re.compile(r"^[^#'\"]*\b(?:breakpoint|set_trace)\(")
    lines = [
        f"line {number} of {file}"
        for file in submission.files
        for number, line in enumerate(submission.source(file), 1)
        if pattern.match(line)
    ]
    stops = f"{' and '.join(lines[:2])} stops for a debugger, and there is none while you are graded"
    return Explanation(stops if lines else "")
