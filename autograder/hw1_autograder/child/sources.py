"""The sources of a submission's files, and of the exercises that run them, as trees."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from functools import cache
from typing import Any

HERE = os.path.dirname(os.path.abspath(__file__))


def _read(file: str) -> str:
    with open(file, encoding="utf-8", errors="replace") as opened:
        return opened.read()


OURS = {  # the files of this folder, read before the fences close
    path: _read(path) for path in (os.path.join(HERE, name) for name in os.listdir(HERE)) if path.endswith(".py")
}


@cache
def parsed(file: str) -> tuple[list[bytes], list[ast.AST]]:
    """The lines of a file, and the nodes of its tree: many exercises may raise in it."""
    source = OURS[file] if file in OURS else _read(file)
    return source.encode().split(b"\n"), list(ast.walk(ast.parse(source)))


def statement(file: str, line: int) -> str:
    """The simple statement of an exercise on this line, or nothing for a file that is none of this folder's."""
    nodes = parsed(file)[1] if file in OURS else []
    simple = [node for node in nodes if isinstance(node, ast.stmt) and not hasattr(node, "body")]
    return next((ast.unparse(node) for node in simple if node.lineno <= line <= (node.end_lineno or 0)), "")


def extent(node: Any) -> tuple[int, int, int, int]:
    """The first line and column of a node, and the last."""
    return node.lineno, node.col_offset, node.end_lineno or 0, node.end_col_offset or 0


def text(node: ast.AST, lines: list[bytes]) -> str:
    """The source of a node, in one line."""
    if not hasattr(node, "lineno"):
        return ""
    first, start, last, end = extent(node)
    lines = lines[first - 1 : last]
    lines[-1] = lines[-1][:end]
    lines[0] = lines[0][start:]
    return " ".join(b"\n".join(lines).decode("utf-8", "replace").split())


def within(node: ast.AST) -> Iterator[ast.AST]:
    """The node and the expressions below it; of a compound statement, those of its head."""
    yield node
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, (ast.stmt, ast.ExceptHandler)):
            yield from within(child)
