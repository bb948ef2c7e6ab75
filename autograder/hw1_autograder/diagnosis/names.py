"""Names in an exception's words: what is not there and whose it is, what is None and which line would have set it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from diagnosis.compare import article
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


class Setter(NamedTuple):
    """A line of the submission that sets a name, and the function that it stands in."""

    file: str
    line: int
    function: str
    code: str


def absent(raised: Raised, submission: Submission) -> tuple[str, str]:
    """For a name that is not there: the place that should have it, and what is known of it."""
    missing, message = raised.missing, raised.message
    if not missing.name:
        return "", ""
    name, of, whose, near = missing.name, missing.of, missing.whose, list(raised.near)
    if missing.kind == "name":
        return "", _undefined(name, near, raised, submission)
    if whose == "student" and missing.kind == "module":
        module = of.rpartition(".")[2]
        file = FILES.get(module, module)
        return ("" if raised.frames else file), _not_at_top(name, file, near, submission)
    if whose == "student":
        file, _ = definition("class", of, submission)
        place = f"{file}, class {of}" if file and not raised.frames else ""
        lines = setters(submission, f"self.{name}", of) if file else []
        later = [line for line in lines if not line.code.endswith("= None")]
        if later and any(line.function == "__init__" for line in later):
            near = []
        elif not later:
            near = near or _written(name, of, submission)
        said = [f"line {line.line} of {line.file} sets it{_reached(line)}" for line in later[:1]]
        said += [_meant(f"the {missing.kind} has", near)] if near else []
        if not said and file and missing.kind == "object" and not raised.statement:
            said = [f"no line of {of}'s sets `self.{name}`"]
        return place, " ".join(text[:1].upper() + text[1:] for text in said)
    if "deprecated" in message or "removed" in message or "Did you mean" in message:
        return "", ""  # NumPy and Python say what to do
    if of in ("method", "function", "builtin_function_or_method"):
        base = raised.values[0].text if raised.values else "it"
        return "", f"`{base}` is a {of.partition('_')[0]}: are its brackets missing?"
    if of == "tuple" and hasattr(list, name):
        return "", "a tuple can't be changed; a list made of it can"
    if version := GONE.get(f"{of}.{name}"):
        return "", f"that left the standard library in Python {version}"
    if missing.kind == "module":
        library = "NumPy" if whose == "numpy" else f"the standard library's {of}"
        return "", _meant(f"{library} has", near) or f"{library} has no {name}"
    thing = "a NumPy array" if of == "ndarray" else article(of)
    return "", _meant(f"{thing} has", near) or f"{thing} has no {name}"


def _reached(line: Setter) -> str:
    if line.function == "__init__":
        return ": was that line reached before?"
    return f", in {line.function}: was that called before?"


def called(raised: Raised, submission: Submission) -> tuple[str, str]:
    """For arguments that don't fit: the function's place if it is the student's, and its signature if it is not."""
    match, call = SIGNATURE.search(raised.message), raised.call
    if not match:
        return "", ""
    if call.whose in ("numpy", "python"):
        owner = "NumPy's" if call.whose == "numpy" else "Python's"
        return "", f"`{call.function}` is {owner}" + (f": {call.signature}" if call.signature else "")
    init = next((name for name in INIT_FUNCTIONS if call.function.endswith(name)), "")
    if init:
        return "", f"{init} is called as {init}{INIT_FUNCTIONS[init]}"
    if not match[2]:
        return "", ""
    owner = (match[1] or "").rpartition(".")[2]
    file, number = definition("def", match[2], submission, owner)
    if not file:  # before Python 3.10 the message does not say whose method it is
        file, number = definition("def", match[2], submission, signature=r"\((?!self\b)")
    code = submission.source(file)[number - 1].strip()[:100] if file else ""
    if not file:
        return "", ""
    head = " ".join(submission.source(file)[number - 1 : number + 3])
    without_self = owner and not re.search(rf"def {match[2]}\(\s*self\b", head)
    return (
        f"{file}, line {number}: `{code}`",
        f"`{code}` in {file}, line {number}, has no `self`" if without_self else "",
    )


def nothing(raised: Raised, submission: Submission) -> str:
    """For an exception about None: what is None, and which lines of the student's would have set it."""
    if "None" not in raised.message and "gufunc core" not in raised.message:
        return ""
    values = raised.values
    found = [text for text, kind, _ in values if kind == "NoneType"]
    unknown = [text for text, kind, _ in values if not kind]
    if not found and len(unknown) == 1 and re.match(r"[\w.\[\]]+\(", unknown[0]) and raised.expression:
        return f"`{unknown[0]}` is None: what is called there returns nothing"
    if not found or not raised.frames:
        return ""
    said: dict[str, list[str]] = {}
    for text in dict.fromkeys(found[:2]):
        said.setdefault(_since(text, raised.frames, submission), []).append(f"`{text}`")
    return "; ".join(f"{' and '.join(t)} {'is' if len(t) == 1 else 'are'} None{since}" for since, t in said.items())


def _since(text: str, frames: Sequence[Frame], submission: Submission) -> str:
    """Where what is None would have been set, or nothing."""
    file, line, function = frames[-1]
    owner, _, attribute = re.sub(r"\[.*\]$", "", text).rpartition(".")
    if owner:
        within = _class_at(file, line, submission) if owner == "self" else ""
        lines = setters(submission, f"self.{attribute}", within)
    else:
        lines = [s for s in setters(submission, attribute, file=file) if s.function == function]
    real = [s for s in lines if not s.code.endswith("= None")]
    if owner and real:
        within = _class_at(real[0].file, real[0].line, submission)
        if real[0].function == "__init__":
            return f": line {real[0].line} of {real[0].file} sets it{_reached(real[0])}"
        return f": {within}.{real[0].function} sets that, in {real[0].file}; was it called before?"
    if owner:
        return f": only line {lines[0].line} of {lines[0].file} sets it, to None" if lines else ""
    for setter in real:
        if found := returning_nothing(setter.code, submission):
            return f": line {setter.line} of {file} sets it, `{setter.code}`, and {found} returns nothing"
    where = " and ".join(f"line {s.line}" for s in real[:2])
    if real:
        return f": {where} of {file} set{'s' if len(real) == 1 else ''} it"
    callers = frames[:-1] if len(frames) > 1 and frames[-2][2] != "__call__" else frames[:-2]
    handed = _handed(attribute, callers, submission) if callers else ""
    return _since(handed, callers, submission) if handed else ""


def _handed(name: str, callers: Sequence[Frame], submission: Submission) -> str:
    """The caller's own name for an argument, where its line hands over one of the same name."""
    file, line, _ = callers[-1]
    code = submission.source(file)[line - 1] if 0 < line <= len(submission.source(file)) else ""
    return name if re.search(rf"\(.*\b{re.escape(name)}\b.*\)", code) else ""


def made(text: str, frames: Sequence[Frame], submission: Submission) -> str:
    """The code that a value is made by: the one line that sets a local name, or the expression itself."""
    if not text.isidentifier() or not frames:
        return text
    lines = [s for s in setters(submission, text, file=frames[-1][0]) if s.function == frames[-1][2]]
    return lines[0].code if len(lines) == 1 else text


def unset(quantity: Quantity, submission: Submission) -> str:
    """Why a quantity is None, as `forward(x)` or `state`: no return with a value, or an attribute never set."""
    owner, method, attribute = quantity.owner, quantity.call, quantity.name
    if method:
        returned = [
            node.value
            for file in submission.files
            for node, inside, function in _statements(file, submission)
            if inside == owner and function == method and isinstance(node, ast.Return) and node.value is not None
        ]
        if not returned:
            return f"{owner}.{method} has no return with a value"
        text = ast.unparse(returned[-1])
        if not re.fullmatch(r"self\.\w+", text):
            return ""
        attribute = text[len("self.") :]
    lines = [s for s in setters(submission, f"self.{attribute}", owner) if not s.code.endswith("= None")]
    if lines:
        return ""
    near = _written(attribute, owner, submission)
    return f"no line of {owner}'s sets self.{attribute}" + (f", but one sets self.{near[0]}" if near else "")


def breakpoints(submission: Submission) -> str:
    """The lines that stop for a debugger."""
    pattern = re.compile(r"^[^#'\"]*\b(?:breakpoint|set_trace)\(")
    lines = [
        f"line {number} of {file}"
        for file in submission.files
        for number, line in enumerate(submission.source(file), 1)
        if pattern.match(line)
    ]
    return f"{' and '.join(lines[:2])} stops for a debugger, and there is none while you are graded" if lines else ""


def returning_nothing(code: str, submission: Submission) -> str:
    """The method that a line calls and that has no return with a value, as `Linear.backward`, or nothing."""
    for called in re.findall(r"\.(\w+)\(", code):
        returns: dict[str, bool] = {}
        for file in submission.files:
            for node, inside, function in _statements(file, submission):
                if function == called and inside:
                    gives = isinstance(node, (ast.Raise, ast.Return)) and ast.unparse(node) not in (
                        "return",
                        "return None",
                    )
                    returns[inside] = returns.get(inside, False) or gives
        if silent := [owner for owner, gives in returns.items() if not gives and owner != "MLP"]:
            return " or ".join(f"{owner}.{called}" for owner in silent[:2])
    return ""


def setters(submission: Submission, target: str, owner: str = "", file: str = "") -> list[Setter]:
    """The lines that assign to a name or an attribute of self, of that class and file if they are given."""
    found = []
    for name in [file] if file else submission.files:
        for node, inside, function in _statements(name, submission):
            if isinstance(node, (ast.Assign, ast.AnnAssign)) and owner in ("", inside):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                flat = [part for t in targets for part in (t.elts if isinstance(t, ast.Tuple) else [t])]
                if target in map(ast.unparse, flat):
                    code = submission.source(name)[node.lineno - 1].strip()[:100]
                    found.append(Setter(name, node.lineno, function, code))
    return found


def definition(
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


def _statements(file: str, submission: Submission) -> Iterator[tuple[ast.stmt, str, str]]:
    """Every statement of a file, with the class and the function around it."""
    try:
        tree = ast.parse(submission.files.get(file, b""))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    todo: list[tuple[ast.AST, str, str]] = [(tree, "", "")]
    while todo:
        node, inside, function = todo.pop(0)
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.ClassDef):
                todo.append((child, child.name, function))
            elif isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
                todo.append((child, inside, child.name))
            else:
                if isinstance(child, ast.stmt):
                    yield child, inside, function
                todo.append((child, inside, function))


def _class_at(file: str, line: int, submission: Submission) -> str:
    """The class that a line stands in."""
    around = [
        inside for node, inside, _ in _statements(file, submission) if node.lineno <= line <= (node.end_lineno or 0)
    ]
    return around[-1] if around else ""


def _undefined(name: str, near: list[str], raised: Raised, submission: Submission) -> str:
    file, _ = definition("class", name, submission)
    if file and raised.frames and file != raised.frames[-1].file:
        return f"{name} is in {file}: is it imported?"
    if near:
        return _meant("there is", near)
    return "the name is not defined there: is it misspelled, not imported, or is `self.` missing?"


def _not_at_top(name: str, file: str, near: list[str], submission: Submission) -> str:
    lines = submission.source(file)
    if not any(line.partition("#")[0].strip() for line in lines):
        return f"{file} is empty"
    for number, line in enumerate(lines, 1):
        if re.match(rf"\s+(?:def|class) +{re.escape(name)}\b", line):
            return f"line {number} of {file} has it, but indented: it belongs to what stands above it"
    return _meant("the file has", near) or f"{file} has no {name}: is it written, under this very name?"


def _written(name: str, owner: str, submission: Submission) -> list[str]:
    """Attributes that a class's methods set, of nearly that name."""
    import difflib

    names = set()
    for file in submission.files:
        for node, inside, _ in _statements(file, submission):
            if inside == owner:
                names |= {
                    n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Store)
                }
    low = {word.lower(): word for word in names - {name}}
    return [low[word] for word in difflib.get_close_matches(name.lower(), [*low], 1, 0.75)]


def _meant(has: str, near: list[str]) -> str:
    return f"{has} `{near[0]}`: is that the one that is meant?" if near else ""
