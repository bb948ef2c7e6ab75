"""Makes mutants of a source: one operator, constant, axis or statement changed at a time."""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Iterator
from typing import Any, Callable, NamedTuple

SWAPS: dict[type, tuple[type, ...]] = {
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Div,),
    ast.Div: (ast.Mult,),
    ast.MatMult: (ast.Mult,),
    ast.Pow: (ast.Mult,),
    ast.Mod: (ast.Mult,),
    ast.FloorDiv: (ast.Mult,),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.And: (ast.Or,),
    ast.Or: (ast.And,),
}


class Mutant(NamedTuple):
    """One change: where, the statement before and after it, and the changed module's source."""

    file: str
    place: str  # class and function
    before: str
    after: str
    source: str
    guard: bool  # within an `if` that does nothing but raise

    @property
    def name(self) -> str:
        return f"{self.file} {self.place}: {self.before} -> {self.after}"


PLACES = ("copy", "order")  # say where an array's numbers lie, not what they are
OTHER_NAMES = {"sum": "mean", "mean": "sum", "max": "min", "argmax": "argmin", "maximum": "minimum"}
OTHER_NAMES |= {
    "zeros": "ones",
    "ones": "zeros",
    "zeros_like": "ones_like",
    "ones_like": "zeros_like",
    "sqrt": "square",
}


def other_constants(value: Any) -> list[Any]:
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1, 0] if value > 1 else [1 - value]
    if isinstance(value, float):
        return [value * 2, 0.0] if value else [0.5]
    if isinstance(value, str):
        return [value + "x"] if len(value) > 1 else [chr(ord(value) + 1)] if value else []
    return []


# What takes the place of an expression, by its kind.


def changed(node: Any, **fields: Any) -> Any:
    other = copy.copy(node)
    for name, value in fields.items():
        setattr(other, name, value)
    return other


def other_operators(node: ast.BinOp | ast.BoolOp) -> Iterator[ast.AST]:
    return (changed(node, op=swap()) for swap in SWAPS[type(node.op)])


def other_comparisons(node: ast.Compare) -> Iterator[ast.AST]:
    for k, op in enumerate(node.ops):
        for swap in SWAPS[type(op)]:
            yield changed(node, ops=[*node.ops[:k], swap(), *node.ops[k + 1 :]])


def other_attributes(node: ast.Attribute) -> Iterator[ast.AST]:
    if node.attr == "T":
        yield node.value
    elif node.attr in OTHER_NAMES:
        yield changed(node, attr=OTHER_NAMES[node.attr])


def other_calls(node: ast.Call) -> Iterator[ast.AST]:
    for k, keyword in enumerate(node.keywords):
        if keyword.arg not in PLACES:
            yield changed(node, keywords=node.keywords[:k] + node.keywords[k + 1 :])
    if isinstance(node.func, ast.Name) and node.func.id in ("reversed", "sorted", "list") and len(node.args) == 1:
        yield node.args[0]


REPLACEMENTS: dict[type, Callable[[Any], Iterator[ast.AST]]] = {
    ast.BinOp: other_operators,
    ast.BoolOp: other_operators,
    ast.Compare: other_comparisons,
    ast.UnaryOp: lambda node: iter([node.operand]),
    ast.Attribute: other_attributes,
    ast.Constant: lambda node: map(ast.Constant, other_constants(node.value)),
    ast.IfExp: lambda node: iter([node.body, node.orelse]),
    ast.Call: other_calls,
}


def mutants(file: str, source: str, every: int = 1) -> Iterator[Mutant]:
    """Yield every n-th mutant of a file: its expressions changed, then its statements left out."""
    tree = ast.parse(source)
    for number, (place, before, after, guard) in enumerate(changed_in_turn(tree)):
        if number % every == 0:
            yield Mutant(file, place, before, after, ast.unparse(ast.fix_missing_locations(tree)), guard)


def changed_in_turn(tree: ast.Module) -> Iterator[tuple[str, str, str, bool]]:
    """Change one thing of a tree after another, which is so while each is yielded: its place, before, after, guard."""
    for place, statement, guard in statements(tree.body):
        if not isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
            for before, after in changes(statement):
                yield place, before, after, guard
    for place, body, k, guard in bodies(tree):
        kept = body[k]
        body[k] = ast.copy_location(ast.Pass(), kept)
        yield place, headline(kept), "pass", guard
        body[k] = kept


def changes(statement: ast.stmt) -> Iterator[tuple[str, str]]:
    """Change one expression of a statement after another, which is so while each is yielded."""
    before = headline(statement)
    for parent, field, index, node in expressions(statement):
        for other in REPLACEMENTS.get(type(node), lambda _: iter(()))(node):
            put(parent, field, index, ast.copy_location(other, node))
            yield before, headline(statement)
            put(parent, field, index, node)
    if isinstance(statement, ast.AugAssign):
        kept = statement.op
        for swap in SWAPS[type(kept)]:
            statement.op = swap()
            yield before, headline(statement)
        statement.op = kept


def expressions(node: ast.AST) -> Iterator[tuple[ast.AST, str, int | None, ast.AST]]:
    """Yield every expression of a statement with the place where it stands; statements below and types are left out."""
    for field, value in ast.iter_fields(node):
        if field == "annotation":
            continue
        for index, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if isinstance(child, ast.keyword) and child.arg in PLACES:
                continue
            if isinstance(child, (ast.expr, ast.keyword, ast.comprehension, ast.arguments, ast.slice)):
                if isinstance(child, ast.expr):
                    yield node, field, index, child
                yield from expressions(child)


def put(parent: ast.AST, field: str, index: int | None, node: ast.AST) -> None:
    if index is None:
        setattr(parent, field, node)
    else:
        getattr(parent, field)[index] = node


def statements(body: list[ast.stmt]) -> Iterator[tuple[str, ast.stmt, bool]]:
    for place, within, k, guard in _bodies(body, "", False):
        yield place, within[k], guard or is_guard(within[k])


def bodies(tree: ast.Module) -> Iterator[tuple[str, list[ast.stmt], int, bool]]:
    for place, body, k, inside in _bodies(tree.body, "", False):
        if not isinstance(body[k], (ast.FunctionDef, ast.ClassDef, ast.Pass)):
            yield place, body, k, inside or is_guard(body[k])


def _bodies(body: list[ast.stmt], place: str, guard: bool) -> Iterator[tuple[str, list[ast.stmt], int, bool]]:
    """Yield every statement as its body and its position there; docstrings are left out."""
    for k, statement in enumerate(body):
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
            continue
        yield place, body, k, guard
        inner = place
        if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
            inner = f"{place}.{statement.name}" if place else statement.name
        for field in ("body", "orelse"):
            yield from _bodies(getattr(statement, field, []), inner, guard or is_guard(statement))


def is_guard(statement: ast.stmt) -> bool:
    """Whether a statement does nothing but raise."""
    if isinstance(statement, (ast.If, ast.For)) and not statement.orelse:
        *others, last = statement.body
        ends = isinstance(last, ast.Raise) or is_guard(last)
        return ends and all(isinstance(other, ast.Assign) for other in others)
    return ast.unparse(statement).startswith("self._check(")


def headline(statement: ast.stmt) -> str:
    """The statement on one line, a compound one without its body."""
    if hasattr(statement, "body"):
        short: Any = copy.copy(statement)
        short.body, short.orelse = [ast.Pass()], []
        statement = short
    line = re.sub(r"\s+", " ", ast.unparse(ast.fix_missing_locations(statement))).removesuffix(": pass")
    return re.sub(r"^\(([^()]+)\) = ", r"\1 = ", line)  # Python 3.9 puts brackets around several targets
