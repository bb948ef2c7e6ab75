"""An exercise that gave no values, in words: the student's file, line and code, and what the exception comes from.

Everything said here is read off the exception and the submission's files.
"""

from __future__ import annotations

import difflib
import linecache
import os
import re
import sys
from typing import Any

import numpy as np

from sandbox.process import Outcome
from sandbox.submission import Submission

Arrays = dict[str, np.ndarray]
CHILD = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "child")
OWN_MODULES = dict.fromkeys(("activation", "loss", "linear", "batchnorm"), "mytorch") | {"hw1": "hw1", "mc": "hw1"}

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
    line = linecache.getline(os.path.join(CHILD, driver[0]), driver[1]).strip()
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
