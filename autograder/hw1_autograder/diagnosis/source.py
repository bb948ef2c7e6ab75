"""What a submission's files say by themselves: which lines set a name, where a class or a function is defined."""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sandbox.layers import FILES, NETWORK
from sandbox.submission import FOLDERS, Submission
from sandbox.wire import Frame


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


def parsed(file: str, submission: Submission) -> ast.Module:
    """The tree of a file; an empty one where it can't be read as Python."""
    try:
        return ast.parse(submission.files.get(file, b""))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ast.Module([], [])


def file_of(module: str, submission: Submission) -> str:
    """The file that a module is imported from, or where it is due."""
    files = [f"{folder}/{module.replace('.', '/')}.py" for folder in FOLDERS]
    return next((file for file in files if file in submission.files), FILES.get(module, ""))


def statements(file: str, submission: Submission) -> Iterator[Statement]:
    """Every statement of a file."""
    todo: list[tuple[ast.AST, str, str]] = [(parsed(file, submission), "", "")]
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


class Method(NamedTuple):
    """A method as it is written: the class that defines it, its file, and its tree."""

    owner: str
    file: str
    tree: ast.FunctionDef

    @property
    def returned(self) -> list[ast.expr]:
        """The values that it returns."""
        nodes = (node for node in ast.walk(self.tree) if isinstance(node, ast.Return))
        return [node.value for node in nodes if node.value is not None and ast.unparse(node.value) != "None"]

    @property
    def gives_nothing(self) -> bool:
        return not self.returned and not any(isinstance(node, (ast.Raise, ast.Yield)) for node in ast.walk(self.tree))


def method(owner: str, name: str, submission: Submission) -> Method | None:
    """The method that an object of a class has: the class's own, or that of the first base of the submission's."""
    classes = {
        node.name: (file, node)
        for file in submission.files
        for node in ast.walk(parsed(file, submission))
        if isinstance(node, ast.ClassDef)
    }
    while owner in classes:
        file, node = classes.pop(owner)  # a class is its own base in no program that runs
        for child in node.body:
            if isinstance(child, ast.FunctionDef) and child.name == name:
                return Method(owner, file, child)
        owner = next((base.id for base in node.bases if isinstance(base, ast.Name)), "")
    return None


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


def code_at(file: str, line: int, submission: Submission) -> str:
    """The simple statement at a line, in one line; of a compound one, the line itself."""
    nodes = [s.node for s in statements(file, submission) if s.node.lineno <= line <= (s.node.end_lineno or 0)]
    simple = [node for node in nodes if not hasattr(node, "body")]
    return ast.unparse(simple[-1]) if simple else submission.line(file, line)


def returning_nothing(code: str, submission: Submission, owner: str = "") -> str:
    """The method that a line calls and that has no return with a value, as `Linear.backward`, or nothing.

    A method of the network's own counts only where the line is in that class.
    """
    owners = dict.fromkeys(s.owner for file in submission.files for s in statements(file, submission) if s.owner)
    for called in re.findall(r"\.(\w+)\(", code):
        known = [(name, source) for name in owners if (source := method(name, called, submission))]
        networks_own = owner == NETWORK and f"self.{called}(" in code
        silent = [name for name, source in known if source.gives_nothing and (name != NETWORK or networks_own)]
        if silent:
            return " or ".join(f"{name}.{called}" for name in silent[:2])
    return ""


def gives_none(code: str, submission: Submission, owner: str = "") -> str:
    """Why an assignment gives None: a placeholder, a method of lists, or a method without a value; or nothing."""
    if match := re.search(r"= *(None|NotImplemented|\.\.\.)$", code):
        return f"`{match[1]}` is a placeholder to be filled in"
    if match := re.match(r"(.+?) = .*\.(append|extend|insert|sort|reverse|clear)\(.*\)$", code):
        return f"`.{match[2]}(…)` changes the list and returns None: leave out `{match[1]} =`"
    silent = returning_nothing(code, submission, owner)
    return f"{silent} has no return with a value" if silent else ""
