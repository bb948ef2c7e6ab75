"""Looks for what students are to write in files that are to be given to them."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator

from grading.settings import ROOT
from homework.problems import TO_WRITE

# Statements of removed bodies that stand elsewhere too, and give nothing away.
COMMON = {
    "return self.state": "Identity, which is given",
    "x = np.asarray(x)": "the conversion of arguments, which is given",
    "self._check(labels)": "error and total_loss, which are given",
    "self.criterion(self.output, labels)": "total_loss, which is given",
    "mlp.zero_grads()": "the calls of one training step, in the writeup's order: the grader makes them",
    "mlp.backward(labels)": "the same",
    "mlp.step()": "the same",
    "mlp.eval()": "the same, before inference",
    "mlp.train()": "the same, after it",
}
SHORTEST = 13  # characters of a statement that is looked for in comments and pages as well
TEXTS = (".py", ".md", ".sh", ".txt", ".ipynb")


def leaks(files: dict[str, bytes]) -> list[str]:
    """Name each file that has a statement of a removed body: as code or, for all but the shortest, in any text."""
    removed = {*removed_statements()} - {*COMMON}
    sought = {statement: tokens(statement) for statement in removed if len(statement) >= SHORTEST}
    lines = []
    for name, content in files.items():
        if name.endswith(TEXTS):
            text = content.decode("utf-8", "replace")
            within = tokens(text)
            shown = {statement for statement in sought if sought[statement] in within}
            if name.endswith(".py"):
                shown |= removed & {*simple_statements(ast.parse(text))}
            lines += [f"{name}: {statement}" for statement in sorted(shown)]
    return lines


def removed_statements() -> Iterator[str]:
    """Every simple statement of what students write and of what goes with it, found without bodies.py."""
    for body in [*TO_WRITE, "mytorch/linear.py:Linear.gradients"]:
        file, path, *attribute = body.split(":")
        with open(os.path.join(ROOT, file), encoding="utf-8") as source:
            node: ast.AST = ast.parse(source.read())
        for part in path.split("."):
            node = next(child for child in ast.iter_child_nodes(node) if getattr(child, "name", None) == part)
        assert isinstance(node, ast.FunctionDef)
        statements = node.body
        if attribute:
            start = next(i for i, s in enumerate(statements) if f"self.{attribute[0]} =" in ast.unparse(s))
            statements = statements[start:]
        for statement in statements:
            yield from simple_statements(statement)


def simple_statements(tree: ast.AST) -> Iterator[str]:
    """The statements that hold no others, texts apart."""
    for node in ast.walk(tree):
        is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if isinstance(node, ast.stmt) and not hasattr(node, "body") and not is_text:
            yield ast.unparse(node)


def tokens(text: str) -> str:
    """The words and signs of a text, a line each: the same whatever white space is between them."""
    return "\n".join(["", *re.findall(r"\w+|[^\w\s]", text), ""])
