"""An exercise that gave no values, in words: the student's file, line and code, and what the exception comes from.

Everything said here is read off the exception and the submission's files.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Sequence
from contextlib import suppress

import numpy as np

from diagnosis import modules, names, shapes
from diagnosis.names import Explanation
from sandbox.answers import Outcome
from sandbox.layers import FILES
from sandbox.submission import Submission
from sandbox.wire import Frame, Raised

Arrays = dict[str, np.ndarray]

NOT_IMPLEMENTED = "NotImplemented is no exception (NotImplementedError is), and the body is still to be written"

# Exception type, a pattern of its message, and what follows from those two.
KNOWN_EXCEPTIONS = (
    ("TypeError", r"exceptions must derive from BaseException", NOT_IMPLEMENTED),
    (
        "TypeError",
        r"'NoneType' object cannot be interpreted as an integer|Use \(\) not None",
        "a shape is needed there, not None: np.zeros(None) in a starter is a place to be filled in",
    ),
    (
        "TypeError",
        r"Cannot interpret '.*' as a data type",
        "the argument after the shape is the dtype: several sizes go together, in one tuple",
    ),
    (
        "TypeError",
        r"converted to a scalar index",
        "a whole number, or a shape of them, is needed there, and an array came",
    ),
    (
        "TypeError",
        r"only .* arrays can be converted to Python scalars",
        "one number is needed there, and an array came: the functions of NumPy take whole arrays, those of math do not",
    ),
    (
        "ValueError",
        r"truth value of an array",
        "an `if`, `and` or `max` asks for one answer of a whole array: np.where, np.maximum or a comparison works "
        "entry by entry",
    ),
    (
        "TypeError",
        r"bitwise_xor|for \^=?: '",
        "`^` is the exclusive or of whole numbers in Python: a power is written `**`",
    ),
    ("TypeError", r"'(builtin_function_or_)?method'", "a method is there without its brackets: it is not called"),
    (
        "TypeError|AttributeError",
        r"'NoneType'",
        "something is None there. Was it assigned? Does the function return it?",
    ),
    ("IndexError", r"(list|tuple) index out of range", "the index is past the last entry"),
    ("UnboundLocalError", r"", "the name is read before it is assigned in this function"),
    ("RecursionError", r"", "a function calls itself without end"),
    ("MemoryError", r"", "more memory was asked for than a submission has"),
    ("ZeroDivisionError", r"", "what is divided by is zero there"),
    (
        r"_?UFunc\w*Error",
        r"from dtype\('float\d+'\) to dtype\('u?int",
        "an array of whole numbers is updated in place with floating-point numbers",
    ),
    (
        "ValueError",
        r"inhomogeneous shape",
        "the rows there have different lengths or shapes, and make no array together",
    ),
    ("ImportError", r"attempted relative import", "the files import each other by name alone, without the dot"),
    ("EOFError", r"", "nobody answers while you are graded"),
    ("SystemExit", r"", "it ends the program, and nothing after it is run"),
    ("SyntaxError|ValueError", r"null bytes", "a file is not saved as UTF-8 (as UTF-16, perhaps): save it anew"),
    ("SyntaxError", r"", "Python can't read the file beyond this line"),
    ("IndentationError|TabError", r"", "the file can't be read as Python: look at the indentation"),
)
# What the grader's exercises call an object of the submission's, and the writeup's name for an argument of theirs.
ARGUMENTS = {"batch_x": "x", "batch_y": "labels", "x_eval": "x"}


def unstarted(outcome: Outcome, submission: Submission) -> bool:
    """Whether the exercise met a body that says that it is still to be written."""
    if outcome.ended != "raised" or (outcome.raised.missing.name and outcome.raised.near):
        return False  # what is due is there, under another name
    code = code_of(outcome, submission)
    return "NotImplementedError" in outcome.raised.bases or bool(re.match(r"raise NotImplemented\b", code))


def of_a_file(outcome: Outcome) -> bool:
    """Whether a file of the homework's is missing, does not load, or has none of the names that are due there."""
    raised = outcome.raised
    bases = {"SyntaxError", "ImportError", "Broken"} & {raised.type, *raised.bases}
    return bool(bases) or (raised.missing.kind == "module" and raised.missing.whose == "student")


def while_built(outcome: Outcome) -> bool:
    """Whether a constructor of the submission's raised, before any other body was reached."""
    frames = outcome.raised.frames
    return bool(frames) and frames[0].function == "__init__" and "NotImplementedError" not in outcome.raised.bases


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
    frames = outcome.raised.frames
    return submission.line(frames[-1].file, frames[-1].line) if frames else ""


def exception(outcome: Outcome, submission: Submission, inputs: Arrays | None = None) -> str:
    """One line for an exception: the student's file, line and code, its type and message, what met, and what follows.

    With the inputs of an exercise that builds a network, its constructor call is told where the sizes matter.
    """
    raised, code = outcome.raised, code_of(outcome, submission)
    place = ""
    if raised.frames:
        file, number, _ = raised.frames[-1]
        place = f"{file}, line {number}: " + (f"`{code}`: " if code else "")
    if raised.type == "Broken":
        return (
            f"{FILES.get(raised.message, raised.message)} can't be imported: see the problem above that first needed it"
        )
    if raised.type == "ModuleNotFoundError" and raised.module:
        return place + modules.unknown(raised, submission)
    if raised.type == "NotBuilt":
        text, place = names.not_built(raised, submission)
        built = _constructed(inputs) if "expected" in raised.message else ""
        message = f"{place}: {raised.message}" if place else raised.message
        return ". ".join(filter(None, (message + ("" if text else built), _capital(text))))
    by_name = next(filter(None, (rule(raised, submission) for rule in RULES)), None)
    explanation = by_name or shapes.clash(raised, submission, inputs) or _known(raised)
    if not place and explanation.place:
        place = f"{explanation.place}: "
    met = shapes.met(raised, code) if raised.frames else ""
    sentences = [met, explanation.text + _circumstances(raised, submission, inputs)]
    if by_name:  # what met explains shapes; of a name it only adds to what is known
        sentences.reverse()
    return ". ".join(
        [f"{place}{_raised(raised, submission)}".rstrip("."), *(_capital(text) for text in sentences if text)]
    )


def _raised(raised: Raised, submission: Submission) -> str:
    """Type and message, what the homework had asked for, and the line of another file that called."""
    text = ": ".join(filter(None, (raised.type, _message(raised))))
    if asked := _asked(raised):
        text += f" (when `{asked}` was called)" if asked.endswith(")") else f" (when `{asked}` was read)"
    if line := _caller(raised.frames, submission):
        text += f" (called at {line})"
    return text


def _circumstances(raised: Raised, submission: Submission, inputs: Arrays | None) -> str:
    if raised.type == "SyntaxError" and "null bytes" not in raised.message and not _of_a_notebook(raised, submission):
        return f" (Python {sys.version_info[0]}.{sys.version_info[1]} here)"
    return _constructed(inputs) if raised.type == "IndexError" else ""


def _capital(text: str) -> str:
    """A sentence with a capital, unless it begins with a name."""
    return text[:1].upper() + text[1:] if text.partition(" ")[0].isalpha() else text


def _message(raised: Raised) -> str:
    """The message without NumPy's signatures of ufuncs; a function of the grader's under the name that it was given."""
    message = re.sub(r",? with gufunc signature \S+(?= )", "", raised.message)
    message = re.sub(r"gufunc core with signature \S+ requires", "needs", message)
    if name := raised.call.function:
        message = re.sub(r"(?:[\w.<>]*<locals>\.[\w<>]+|<lambda>)\(\)", lambda _: f"{name}()", message)
    return " ".join(message.split())[:600]


def _of_a_notebook(raised: Raised, submission: Submission) -> Explanation | None:
    """For a line that only a notebook understands."""
    line = submission.line(*raised.frames[-1][:2]) if raised.frames and raised.type == "SyntaxError" else ""
    return Explanation("a line of a notebook is no Python: remove it") if line[:1] in ("%", "!") and line else None


RULES = (
    names.absent,
    names.placeholder,
    names.mode_method,
    names.nothing,
    names.uncallable,
    names.called,
    names.breakpoints,
    _of_a_notebook,
)


def _known(raised: Raised) -> Explanation:
    rows = (row for row in KNOWN_EXCEPTIONS if re.fullmatch(row[0], raised.type))
    return Explanation(next((text for _, pattern, text in rows if re.search(pattern, raised.message)), ""))


def _caller(frames: Sequence[Frame], submission: Submission) -> str:
    """The line of another file from which the file that raised was called, or nothing."""
    outer = next((frame for frame in reversed(frames) if frame.file != frames[-1].file), None)
    if outer is None or outer.function == "<module>":
        return ""
    return f"{outer.file}, line {outer.line}: `{submission.line(outer.file, outer.line)}`"


def _asked(raised: Raised) -> str:
    """What the homework asked of the submission's object when it failed: `backward(delta)`, `dW`, or nothing."""
    if not raised.statement or raised.frames or raised.message.startswith("module"):
        return ""
    with suppress(SyntaxError, ValueError, RecursionError, MemoryError):  # the submission's process may send any text
        calls = [node for node in ast.walk(ast.parse(raised.statement)) if isinstance(node, ast.Call)]
        return _asked_by(calls, raised.message)
    return ""


def _asked_by(calls: list[ast.Call], message: str) -> str:
    missing, signature = names.MISSING.search(message), names.SIGNATURE.search(message)
    known = [missing[1]] if missing else [signature[2], (signature[1] or "").rpartition(".")[2]] if signature else []
    for call in calls:
        if isinstance(call.func, ast.Attribute) and call.func.attr in known:
            return _rewritten(call.func.attr, call)
        if isinstance(call.func, ast.Name) and "not callable" in message:
            return _rewritten(call.func.id, call)
    return (missing[1] or "") if missing else ""


def _rewritten(name: str, call: ast.Call) -> str:
    """A call of an exercise as the homework has it: without the object, the arguments under the writeup's names."""
    simple = all(isinstance(argument, (ast.Name, ast.Constant)) for argument in call.args)
    if not simple or (call.keywords and name[:1].isupper()):
        return f"{name}(…)"
    given = [ast.unparse(argument) for argument in call.args]
    given += [f"{keyword.arg}={ast.unparse(keyword.value)}" for keyword in call.keywords]
    words = {**ARGUMENTS, "y": "labels"} if name == "backward" else ARGUMENTS
    return f"{name}({', '.join(words.get(word, word) for word in given)})"


def _constructed(inputs: Arrays | None) -> str:
    """The constructor call of an exercise's network, or nothing."""
    widths = [array.shape for name, array in (inputs or {}).items() if re.fullmatch(r"W\d+", name)]
    if not inputs or not widths or "activations" not in inputs:
        return ""
    hiddens = [width for _, width in widths[:-1]]
    bn = sum(name.startswith("gamma") for name in inputs)
    return f"; here input_size={widths[0][0]}, output_size={widths[-1][1]}, hiddens={hiddens}, num_bn_layers={bn}"
