"""Takes the bodies that students write out of a source, and what nothing else there uses.

Docstrings stay, but for their section `Notes`: it has what students are to derive.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

from homework.problems import TO_WRITE

KEPT_IMPORTS = ("numpy", "activation", "batchnorm", "linear", "loss")  # a student needs them, the given code or not
SOLUTIONS_OWN = ("gradients",)  # public here, but no part of the homework: it goes with the body that calls it


class NoBody(Exception):
    """A body of the table is not in its file; the message says what is."""


class Cut(NamedTuple):
    """Lines `first` up to, not including, `last` (counted from 0), and what takes their place."""

    first: int
    last: int
    text: list[str]


def emptied(file: str, source: str, names: list[str]) -> str:
    """Return the source without these bodies, what nothing but them used, and what its docstrings note for the staff.

    What nothing but them used are helpers of the solution's and imports; so are imports that nothing uses at all.
    """
    tree, lines = ast.parse(source), source.splitlines(keepends=True)
    lines = spliced(lines, [body_cut(file, tree, lines, name) for name in names])
    lines = spliced(lines, list(notes(ast.parse("".join(lines)), lines)))
    used_before = used_names(tree)
    while True:
        tree = ast.parse("".join(lines))
        used = used_names(tree)
        cuts = list(unused(tree, lines, used_before - used, used))
        if not cuts:
            return "".join(lines)
        lines = spliced(lines, cuts)


def spliced(lines: list[str], cuts: list[Cut]) -> list[str]:
    lines = list(lines)
    for cut in sorted(cuts, reverse=True):
        lines[cut.first : cut.last] = cut.text
    return lines


# ---------------------------------------------------------------- a body


def body_cut(file: str, tree: ast.Module, lines: list[str], name: str) -> Cut:
    """The body of `Class.method`, docstring apart, or its part from the assignment to `Class.method:attribute` on."""
    path, _, attribute = name.partition(":")
    node = function(file, tree, path)
    what = path
    if attribute:
        assignment = next((statement for statement in node.body if attribute in attributes([statement])), None)
        if assignment is None:
            raise NoBody(f"problems.py names {file}:{name}, but nothing is assigned to that attribute")
        first = with_comments(lines, assignment.lineno - 1)
        what += f", {' and '.join(attributes(node.body[node.body.index(assignment) :]))}"
    elif ast.get_docstring(node) is None:
        raise NoBody(f"{file}: {path} has no docstring, so the starter would not say what it has to do")
    else:
        first = end(node.body[0])
    last, column = end(node), node.body[0].col_offset
    while last < len(lines) and is_comment_of(lines[last], column):
        last += 1
    section = TO_WRITE.get(f"{file}:{name}", "")
    return Cut(first, last, [f'{" " * column}raise NotImplementedError("{what}: writeup {section}")\n'])


def function(file: str, tree: ast.Module, path: str) -> ast.FunctionDef:
    """The function `Class.method` of a module."""
    node: ast.AST = tree
    for part in path.split("."):
        children = [child for child in getattr(node, "body", []) if getattr(child, "name", None) == part]
        if not children:
            raise NoBody(f"problems.py names {file}:{path}, but there is no {part}")
        node = children[0]
    if not isinstance(node, ast.FunctionDef):
        raise NoBody(f"problems.py names {file}:{path}, which is no function")
    return node


def attributes(statements: list[ast.stmt]) -> list[str]:
    """The attributes that the statements assign, in order."""
    targets = [target for s in statements if isinstance(s, ast.Assign) for target in s.targets]
    return list(dict.fromkeys(target.attr for target in targets if isinstance(target, ast.Attribute)))


def is_comment_of(line: str, column: int) -> bool:
    """Whether a line is a comment of a body that begins in this column."""
    text = line.lstrip()
    return text.startswith("#") and len(line) - len(text) >= column


# ---------------------------------------------------------------- notes for the staff


def notes(tree: ast.Module, lines: list[str]) -> Iterator[Cut]:
    """Yield the sections `Notes` of the docstrings: up to the next section, or the docstring's end."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node) is not None:
            first, last = node.body[0].lineno - 1, end(node.body[0])
            heads = [number for number in range(first, last - 1) if is_underlined(lines, number)]
            for head, following in zip(heads, [*heads[1:], last]):
                if lines[head].strip() == "Notes":
                    # With the last section goes the blank line before it, and the quotes below stay.
                    yield Cut(head - 1, last - 1, []) if following == last else Cut(head, following, [])


def is_underlined(lines: list[str], number: int) -> bool:
    return bool(lines[number].strip()) and set(lines[number + 1].strip()) == {"-"}


# ---------------------------------------------------------------- what nothing uses any more


def unused(tree: ast.Module, lines: list[str], dropped: set[str], used: set[str]) -> Iterator[Cut]:
    """Yield the solution's own functions and constants that only removed code used, and imports that no code uses."""
    blocks = [tree.body, *(node.body for node in tree.body if isinstance(node, ast.ClassDef))]
    for node in (node for block in blocks for node in block):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            if not is_needed(node, used):
                yield import_cut(node, lines)
        elif any(name in dropped and (name.startswith("_") or name in SOLUTIONS_OWN) for name in defined(node)):
            yield definition_cut(node, lines)


def used_names(tree: ast.AST) -> set[str]:
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    return names | {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}


def is_needed(node: ast.Import | ast.ImportFrom, used: set[str]) -> bool:
    module = node.module if isinstance(node, ast.ImportFrom) else node.names[0].name
    return module in KEPT_IMPORTS or bool({alias.asname or alias.name for alias in node.names} & used)


def import_cut(node: ast.stmt, lines: list[str]) -> Cut:
    """An import with the comment right above it, and one of two blank lines around it."""
    first, last = with_comments(lines, node.lineno - 1), end(node)
    if first and lines[first - 1].isspace() and lines[last : last + 1] == ["\n"]:
        last += 1
    return Cut(first, last, [])


def definition_cut(node: ast.stmt, lines: list[str]) -> Cut:
    """A definition with its decorators, and the comments and blank lines above it."""
    first = min([node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", []))]) - 1
    while first and (lines[first - 1].isspace() or lines[first - 1].lstrip().startswith("#")):
        first -= 1
    return Cut(first, end(node), [])


def defined(node: ast.stmt) -> list[str]:
    """The names that a function or an assignment defines."""
    if isinstance(node, ast.FunctionDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else []
    return [target.id for target in targets if isinstance(target, ast.Name)]


def with_comments(lines: list[str], first: int) -> int:
    """The number of the first of the comment lines right above a line, or its own."""
    while first and lines[first - 1].lstrip().startswith("#"):
        first -= 1
    return first


def end(node: ast.stmt) -> int:
    return int(node.end_lineno or 0)
