"""What a submission's files say by themselves: which lines set a name, where a class or a function is defined."""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sandbox.layers import NETWORK
from sandbox.submission import Submission
from sandbox.wire import Frame

NOTHING = ("return", "return None")


class Setter(NamedTuple):
    """A line of the submission that sets a name, and the class and the function that it is in."""

    file: str
    line: int
    owner: str
    function: str
    code: str

    @property
    def to_none(self) -> bool:
        return self.code.endswith("= None")


class Statement(NamedTuple):
    """A statement, and the class and the function around it."""

    node: ast.stmt
    owner: str
    function: str


def statements(file: str, submission: Submission) -> Iterator[Statement]:
    """Every statement of a file."""
    try:
        tree = ast.parse(submission.files.get(file, b""))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    todo: list[tuple[ast.AST, str, str]] = [(tree, "", "")]
    while todo:
        node, owner, function = todo.pop(0)
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.ClassDef):
                todo.append((child, child.name, function))
            elif isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
                todo.append((child, owner, child.name))
            else:
                if isinstance(child, ast.stmt):
                    yield Statement(child, owner, function)
                todo.append((child, owner, function))


def of_method(owner: str, method: str, submission: Submission) -> Iterator[ast.stmt]:
    """Every statement of a class's method, or of all of its methods if none is named."""
    for file in submission.files:
        for node, inside, function in statements(file, submission):
            if inside == owner and method in ("", function):
                yield node


def setters(submission: Submission, target: str, owner: str = "", file: str = "") -> list[Setter]:
    """The lines that assign to a name or an attribute of self, of that class and file if they are given."""
    lines = []
    for name in [file] if file else submission.files:
        for node, inside, function in statements(name, submission):
            if isinstance(node, (ast.Assign, ast.AnnAssign)) and owner in ("", inside):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                flat = [part for t in targets for part in (t.elts if isinstance(t, ast.Tuple) else [t])]
                if target in map(ast.unparse, flat):
                    code = submission.line(name, node.lineno)
                    lines.append(Setter(name, node.lineno, inside, function, code))
    return lines


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


def class_at(file: str, line: int, submission: Submission) -> str:
    """The class that a line is in."""
    around = [
        statement.owner
        for statement in statements(file, submission)
        if statement.node.lineno <= line <= (statement.node.end_lineno or 0)
    ]
    return around[-1] if around else ""


def similar(name: str, owner: str, submission: Submission) -> list[str]:
    """Attributes that a class's methods set, of nearly that name."""
    nodes = (node for statement in of_method(owner, "", submission) for node in ast.walk(statement))
    names = {n.attr for n in nodes if isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Store)}
    low = {word.lower(): word for word in names - {name}}
    return [low[word] for word in difflib.get_close_matches(name.lower(), [*low], 1, 0.75)]


def made(text: str, frames: Sequence[Frame], submission: Submission) -> str:
    """The code that a value is made by: the one line that sets a local name, or the expression itself."""
    if not text.isidentifier() or not frames:
        return text
    lines = [s for s in setters(submission, text, file=frames[-1].file) if s.function == frames[-1].function]
    return lines[0].code if len(lines) == 1 else text


def returning_nothing(code: str, submission: Submission) -> str:
    """The method that a line calls and that has no return with a value, as `Linear.backward`, or nothing."""
    for called in re.findall(r"\.(\w+)\(", code):
        gives: dict[str, bool] = {}
        for file in submission.files:
            for node, owner, function in statements(file, submission):
                if function == called and owner:
                    value = isinstance(node, (ast.Raise, ast.Return)) and ast.unparse(node) not in NOTHING
                    gives[owner] = gives.get(owner, False) or value
        if silent := [owner for owner, value in gives.items() if not value and owner != NETWORK]:
            return " or ".join(f"{owner}.{called}" for owner in silent[:2])
    return ""
