"""Names in an exception's words: what is not there and whose it is, what is None and which line would have set it."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from diagnosis import source
from diagnosis.compare import article
from diagnosis.source import Setter
from sandbox.layers import FILES, LAYERS, Quantity
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
PLACEHOLDERS = {"NotImplementedType": "NotImplemented", "ellipsis": "..."}  # by their types
# Names that are not defined while a submission is graded, and why.
UNDEFINED = {
    **{name: f"`{name}()` ends the whole program: remove it" for name in ("exit", "quit")},
    **{name: f"`{name}` is there in a notebook only: remove the line" for name in ("get_ipython", "display")},
    "np": "NumPy is not imported in this file: `import numpy as np`",
}
# What left NumPy (most of it in 2.0), and what does the same.
RENAMED = {
    "in1d": "isin",
    "row_stack": "vstack",
    "trapz": "trapezoid",
    "product": "prod",
    "cumproduct": "cumprod",
    "sometrue": "any",
    "alltrue": "all",
    "round_": "round",
    "msort": "sort",
    "infty": "inf",
    "Inf": "inf",
    "PINF": "inf",
    "NaN": "nan",
    "float_": "float64",
    "complex_": "complex128",
    "unicode_": "str_",
    "string_": "bytes_",
    "mat": "asmatrix",
    "asfarray": "asarray",
    "find_common_type": "result_type",
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


def _well_known(raised: Raised, submission: Submission) -> Explanation | None:
    text = UNDEFINED.get(raised.missing.name, "") if raised.missing.kind == "name" else ""
    return Explanation(text) if text else None


def _not_defined(raised: Raised, submission: Submission) -> Explanation | None:
    if raised.missing.kind != "name":
        return None
    file, _ = source.definition("class", raised.missing.name, submission)
    if file and raised.frames and file != raised.frames[-1].file:
        return Explanation(f"{raised.missing.name} is in {file}: is it imported?")
    otherwise = "No such name is defined there. Is it misspelled, not imported, or is `self.` missing?"
    return Explanation(_meant(raised.near) or otherwise)


def _not_in_a_file(raised: Raised, submission: Submission) -> Explanation | None:
    name, module = raised.missing.name, raised.missing.of.rpartition(".")[2]
    if raised.missing.whose != "student" or raised.missing.kind != "module":
        return None
    file = source.file_of(module, submission) or module
    place = "" if raised.frames else file
    lines = submission.source(file)
    if not any(line.partition("#")[0].strip() for line in lines):
        return Explanation(f"{file} is empty", place)
    for number, line in enumerate(lines, 1):
        if re.match(rf"\s+(?:def|class) +{re.escape(name)}\b", line):
            text = f"line {number} of {file} has it, but indented: it belongs to what is above it"
            return Explanation(text, place)
    text = f"{file} has no {name}"
    hides = file != FILES.get(module, file)
    text += f", and it hides {FILES[module]}, since `import {module}` finds it first: rename it" if hides else ""
    return Explanation(" ".join(filter(None, (f"{text}.", _meant(raised.near)))), place)


def _not_in_a_class(raised: Raised, submission: Submission) -> Explanation | None:
    missing, name, owner = raised.missing, raised.missing.name, raised.missing.of
    if missing.whose != "student":
        return None
    file, _ = source.definition("class", owner, submission)
    lines = source.setters(submission, f"self.{name}", owner) if file else []
    lines = [line for line in lines if not line.to_none]
    place = f"{file}, class {owner}" if file and not raised.frames else ""
    if missing.kind == "class" and (lines or source.method(owner, name, submission)):
        text = f"`{owner}` is the class there, and `{name}` belongs to its objects: call it on one of them"
        return Explanation(
            text if not lines else f"{text.partition(':')[0]} (line {lines[0].line} of {lines[0].file} sets it)"
        )
    near = [] if any(line.function == "__init__" for line in lines) else list(raised.near)
    texts = [f"line {line.line} of {line.file} sets it{_reached(line)}" for line in lines[:1]]
    if not lines and file:
        methods = [layer.methods for layer in LAYERS] + [("step", "zero_grads")]
        method = any(name in names for names in methods) or f"{name}()" in raised.statement
        texts = [f"{owner} has no method `{name}`." if method else f"no line of {owner}'s sets `self.{name}`."]
    texts += [_meant(near)] if near else []
    return Explanation(
        " ".join(text[:1].upper() + text[1:] if text[:2] in ("no", "li") else text for text in texts), place
    )


def _explained_by_the_message(raised: Raised, submission: Submission) -> Explanation | None:
    enough = any(word in raised.message for word in ("deprecated", "removed", "Did you mean"))
    return Explanation("") if enough else None


def _not_of_a_function(raised: Raised, submission: Submission) -> Explanation | None:
    if raised.missing.of not in ("method", "function", "builtin_function_or_method"):
        return None
    base = raised.values[0].text if raised.values else "it"
    return Explanation(f"`{base}` is a {raised.missing.of.partition('_')[0]}: are its brackets missing?")


def _renamed_in_numpy(raised: Raised, submission: Submission) -> Explanation | None:
    successor = RENAMED.get(raised.missing.name) if raised.missing.whose == "numpy" else None
    return Explanation(f"NumPy {np.__version__} has `{successor}` in its place") if successor else None


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
    return Explanation(_meant(raised.near) or f"{thing} has no {raised.missing.name}")


ABSENT: tuple[Callable[[Raised, Submission], Explanation | None], ...] = (
    _well_known,
    _not_defined,
    _not_in_a_file,
    _not_in_a_class,
    _renamed_in_numpy,
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


def _meant(near: Sequence[str]) -> str:
    return f"Did you mean `{near[0]}`?" if near else ""


# ---------------------------------------------------------------- arguments that don't fit


def called(raised: Raised, submission: Submission) -> Explanation | None:
    """For arguments that don't fit: the function's place if it is the student's, and its signature if it is not."""
    match, call = SIGNATURE.search(raised.message), raised.call
    if not match or raised.type != "TypeError":
        return None
    if call.whose in ("numpy", "python"):
        owner = "NumPy's" if call.whose == "numpy" else "Python's"
        return Explanation(f"`{call.function}` is {owner}" + (f": {call.signature}" if call.signature else ""))
    owner, _, name = call.function.rpartition(".")
    if owner and source.definition("class", owner, submission)[0] and match[2] == name:
        return Explanation(f"`{owner}` is the class there: call `{name}` on an object of it")
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


def uncallable(raised: Raised, submission: Submission) -> Explanation | None:
    """For a call of what can't be called: a layer without `__call__`, an array where a function is due, a list …"""
    match = re.search(r"'([\w.]+)' object is not callable", raised.message)
    if not match:
        return None
    file, _ = source.definition("class", match[1].rpartition(".")[2], submission)
    if file:
        place = "" if raised.frames else f"{file}, class {match[1]}"
        return Explanation(f"{match[1]} has no method `__call__`, and its base classes have none", place)
    callee = next((value.text for value in raised.values if raised.expression.startswith(f"{value.text}(")), "")
    for frame in reversed(raised.frames):
        code = source.code_at(frame.file, frame.line, submission)
        for name in filter(str.isidentifier, (callee, *INIT_FUNCTIONS)):
            if re.search(rf"\w\(.*[(,=]\s*{name}\(", code):
                where = f"line {frame.line} of {frame.file}"
                text = f"passes the result of `{name}(…)` where the function `{name}` itself is due"
                return Explanation(f"{where} {text}")
    return Explanation(
        f"`{callee}` is {article(match[1])}, and only functions and classes can be called" if callee else ""
    )


# ---------------------------------------------------------------- placeholders and None


def placeholder(raised: Raised, submission: Submission) -> Explanation | None:
    """For an exception about a place to be filled in, `...` or `NotImplemented`: what still holds it, and its line."""
    for value in raised.values:
        if value.kind in PLACEHOLDERS and value.text not in PLACEHOLDERS.values():
            since = _since(value.text, raised.frames, submission) or ", a placeholder to be filled in"
            return Explanation(f"`{value.text}` is `{PLACEHOLDERS[value.kind]}`{since}")
    return None


def not_built(raised: Raised, submission: Submission) -> Explanation:
    """Where the list of a network's layers that is not as it should be is set, and what that line does instead."""
    lines = source.setters(submission, f"self.{raised.missing.name}", raised.missing.of)
    if not lines or len({line.function for line in lines}) > 1:
        return Explanation("")
    codes = {line: source.code_at(line.file, line.line, submission) for line in lines}
    reasons = {line: source.gives_none(code, submission, line.owner) for line, code in codes.items()}
    line = next((line for line in reversed(lines) if reasons[line]), lines[-1])
    counted = re.search(r"range\((self\.\w+)\)", codes[line])
    truth = counted and any(re.search(r"[<>]|True|False", flag.code) for flag in source.setters(submission, counted[1]))
    count = f"`{counted[1]}` is True or False, and counts as 1 or 0" if counted and truth else ""
    return Explanation(reasons[line] or count, f"{line.file}, line {line.line}: `{codes[line][:100]}`")


def nothing(raised: Raised, submission: Submission) -> Explanation | None:
    """For an exception about None: what is None, and which lines of the student's would have set it."""
    if "None" not in raised.message and "gufunc core" not in raised.message:
        return None
    none = [value.text for value in raised.values if value.kind == "NoneType"]
    unknown = [value.text for value in raised.values if not value.kind]
    if not none and len(unknown) == 1 and re.match(r"[\w.\[\]]+\(", unknown[0]) and raised.expression:
        silent = source.returning_nothing(f".{unknown[0].rpartition('.')[2]}", submission)
        return Explanation(f"`{unknown[0]}` is None" + (f": {silent} has no return with a value" if silent else ""))
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
    for line in lines:
        code = source.code_at(line.file, line.line, submission)
        if not line.to_none and (why := source.gives_none(code, submission, line.owner)):
            here = (line.file, line.line) == (frame.file, frame.line)
            where = "" if here else f"line {line.line} of {line.file} sets it, `{line.code}`, and "
            return f": {where}{why}"
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
        if why := source.gives_none(source.code_at(file, line.line, submission), submission, line.owner):
            return f": line {line.line} of {file} sets it, `{line.code}`, and {why}"
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


def still_a_placeholder(quantity: Quantity, kind: str, submission: Submission) -> str:
    """The line that leaves a quantity a placeholder, or that returns one."""
    name = PLACEHOLDERS[kind]
    lines = [
        f"line {node.lineno} of {file}"
        for file in submission.files
        for node, owner, _ in source.statements(file, submission)
        if isinstance(node, (ast.Return, ast.Assign)) and node.value and ast.unparse(node.value) == name
        if owner in (quantity.owner, "")
    ]
    return f"{quantity.name} is still the placeholder `{name}`" + (f" ({lines[0]})" if lines else "")


def without_value(owner: str, name: str, submission: Submission) -> str:
    """The method of that name, or the `__call__` that leads to forward, if it has no return with a value."""
    for called in ("__call__", name) if name == "forward" else (name,):
        method = source.method(owner, called, submission)
        if method and not method.returned:
            return f"{method.owner}.{called} ({method.file}, line {method.tree.lineno}) has no return with a value"
    return ""


def unset(quantity: Quantity, submission: Submission) -> str:
    """Why a quantity is None, as `forward(x)` or `state`: no return with a value, or an attribute never set."""
    owner, attribute = quantity.owner, quantity.name
    if quantity.call:
        if silent := without_value(owner, quantity.call, submission):
            return silent
        method = source.method(owner, quantity.call, submission)
        text = ast.unparse(method.returned[-1]) if method else ""
        if not re.fullmatch(r"self\.\w+", text):
            return ""
        attribute = text[len("self.") :]
    if any(not line.to_none for line in source.setters(submission, f"self.{attribute}", owner)):
        return ""
    near = source.similar(attribute, owner, submission)
    return f"no line of {owner}'s sets self.{attribute}" + (f", but one sets self.{near[0]}" if near else "")


def misspelled(quantity: Quantity, submission: Submission) -> str:
    """The attribute of nearly the same name that a class's methods set in an attribute's place, or nothing."""
    owner, name = quantity.owner, quantity.name
    if quantity.call or any(line.function != "__init__" for line in source.setters(submission, f"self.{name}", owner)):
        return ""
    near = source.similar(name, owner, submission)
    lines = source.setters(submission, f"self.{near[0]}", owner) if near else []
    lines = [line for line in lines if line.function != "__init__"]
    return f"line {lines[0].line} of {lines[0].file} sets self.{near[0]} in its place" if lines else ""


def mode_method(raised: Raised, submission: Submission) -> Explanation | None:
    """For None in BatchNorm: the line that passes the method `self.eval` as the mode."""
    file, line, _ = raised.frames[-1] if raised.frames else Frame("", 0, "")
    if "None" not in raised.message or source.class_at(file, line, submission) != "BatchNorm":
        return None
    for name in submission.files:
        for node in (node for statement, *_ in source.statements(name, submission) for node in ast.walk(statement)):
            if isinstance(node, ast.Call):
                for argument in [*node.args, *(keyword.value for keyword in node.keywords)]:
                    if (text := ast.unparse(argument)) in ("self.eval", "self.train"):
                        passes = f"line {node.lineno} of {name} passes the method `{text}`, which counts as True"
                        return Explanation(f"{passes}: the flag is `self.train_mode`")
    return None


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
