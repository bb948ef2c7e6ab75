"""Looks for what students are to write in files that are to be given to them."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "autograder" / "hw1_autograder"))

from homework.problems import TO_WRITE  # noqa: E402

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
    """Say which file has which statement of a removed body, as code or, for all but the shortest, in any text."""
    removed = {*removed_statements()} - {*COMMON}
    anywhere = re.compile("|".join(anyhow_spaced(text) for text in sorted(removed) if len(text) >= SHORTEST))
    found = []
    for name, content in files.items():
        if name.endswith(TEXTS):
            text = content.decode("utf-8", "replace")
            shown = {match.group() for match in anywhere.finditer(text)}
            if name.endswith(".py"):
                nodes = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.stmt))
                shown |= removed & {ast.unparse(node) for node in nodes}
            found += [f"{name}: {' '.join(statement.split())}" for statement in sorted(shown)]
    return found


def removed_statements() -> Iterator[str]:
    """Every simple statement of what students write and of what goes with it, found without handout.py."""
    for body in [*TO_WRITE, "mytorch/linear.py:Linear.gradients"]:
        file, path, *attribute = body.split(":")
        node: ast.AST = ast.parse((ROOT / file).read_text(encoding="utf-8"))
        for part in path.split("."):
            node = next(child for child in ast.iter_child_nodes(node) if getattr(child, "name", None) == part)
        assert isinstance(node, ast.FunctionDef)
        statements = node.body
        if attribute:
            start = next(i for i, s in enumerate(statements) if f"self.{attribute[0]} =" in ast.unparse(s))
            statements = statements[start:]
        for statement in statements:
            for part_of in ast.walk(statement):
                if isinstance(part_of, ast.stmt) and not hasattr(part_of, "body") and not _is_text(part_of):
                    yield ast.unparse(part_of)


def anyhow_spaced(statement: str) -> str:
    """A pattern for the statement with any white space between its tokens."""
    tokens = re.findall(r"\w+|[^\w\s]", statement)
    return r"(?<!\w)" + r"\s*".join(map(re.escape, tokens)) + r"(?!\w)"


def _is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
