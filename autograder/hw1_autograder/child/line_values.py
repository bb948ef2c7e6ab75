"""What met in the line that raised: which expression it is, the values in it, a name that it lacks, what it calls."""

from __future__ import annotations

import ast
import builtins
import re
import sys
from collections.abc import Iterator
from itertools import islice
from types import FrameType, FunctionType, ModuleType, TracebackType
from typing import Any, Callable

import numpy as np

from child import sources
from child.reading import (
    MAX_TEXT,
    METHOD,
    UNKNOWN,
    attribute,
    class_name,
    names_of,
    near,
    own_names,
    owner,
    signature,
    summary,
)
from child.reading import attributes as attributes_of
from sandbox.layers import BY_ATTRIBUTE, GRADIENTS, KEPT, LAYERS, PARAMETERS
from sandbox.wire import Callee, Missing, Operand, Raised

MOST_VALUES = 8
SHAPES = re.compile(r"\((?:\d+,?)*\)")
LACKS = re.compile(r"has no attribute '(\w+)'|cannot import name '(\w+)'|name '(\w+)' is not defined")
METHODS = {method for layer in LAYERS for method in layer.methods} | {"step", "zero_grads", "train", "eval"}
ARRAYS = {*PARAMETERS, *GRADIENTS, *KEPT, "state", "output"}
OPERATORS: dict[str, type[ast.operator]] = {
    "+": ast.Add,
    "-": ast.Sub,
    "*": ast.Mult,
    "/": ast.Div,
    "//": ast.FloorDiv,
    "@": ast.MatMult,
    "^": ast.BitXor,
    "** or pow()": ast.Pow,
}


class Step:
    """The step of a traceback at which the submission raised, or called what raised."""

    def __init__(self, step: TracebackType | None, last: FrameType | None, message: str, root: str) -> None:
        self.message, self.root = message, root
        self.last = last  # of the traceback, which may be the grader's
        self.frame: FrameType | None = step.tb_frame if step else None
        self.lines: list[bytes] = []
        self.nodes: list[ast.AST] = []
        self.node: ast.AST | None = None
        self.exact = False  # whether the node is the very expression, and not the statement around it
        if step is not None:
            self.lines, self.nodes = sources.parsed(step.tb_frame.f_code.co_filename)
            self.find(step)

    def facts(self, error: BaseException, raised: Raised) -> Raised:
        """Add the expression that raised, what met in it, the name that is not there, and the function it calls."""
        values = [Operand(self.text(node), *summary(value)) for node, value in islice(self.values(), MOST_VALUES)]
        missing, names = self.missing(error) or (Missing(), [])
        return raised._replace(
            expression=self.text(self.node) if self.exact and self.node is not None else "",
            values=tuple(values),
            missing=missing,
            near=near(missing.name, names, missing.whose != "numpy") if missing.name else (),
            call=self.call(),
        )

    def text(self, node: ast.AST) -> str:
        return sources.text(node, self.lines)[:MAX_TEXT]

    # Which expression.

    def find(self, step: TracebackType) -> None:
        """Find the expression: by its columns where Python knows them, or as the only one that the message fits."""
        code, line = step.tb_frame.f_code, step.tb_lineno or 0
        if hasattr(code, "co_positions"):
            first, last, start, end = next(islice(code.co_positions(), step.tb_lasti // 2, None))
            for node in self.nodes:
                if isinstance(node, (ast.expr, ast.AugAssign)) and (first, start, last, end) == sources.extent(node):
                    self.node, self.exact = node, True
                    return
        statements = [node for node in self.nodes if isinstance(node, ast.stmt)]
        around = [node for node in statements if node.lineno <= line <= sources.extent(node)[2]]
        if around:
            self.node = max(around, key=sources.extent)
            suspects = [node for node in sources.within(self.node) if self.fits(node)]
            if len(suspects) == 1:
                self.node, self.exact = suspects[0], True

    def fits(self, node: ast.AST) -> bool:
        """Whether the message can be about this expression."""
        for nodes, pattern, fits in RULES:
            if isinstance(node, nodes) and (match := re.search(pattern, self.message)):
                return fits(self, node, match)
        return False

    # What met.

    def values(self) -> Iterator[tuple[ast.AST, Any]]:
        """What met in the expression: its operands first, unknown ones too, then what those are made of."""
        level = self.operands(self.node) if self.node is not None else []
        seen: set[str] = set()
        first = self.exact
        while level:
            below: list[ast.AST] = []
            for node in level:
                value, text = self.value(node), self.text(node)
                if value is UNKNOWN:
                    below += self.operands(node)
                known = value is not UNKNOWN and not isinstance(node, ast.Constant)
                if text not in seen and (known or (first and value is UNKNOWN)):
                    seen.add(text)
                    yield node, value
            level, first = below, False

    def operands(self, node: ast.AST) -> list[ast.AST]:
        """The expressions that meet in one; of a call its arguments, and what is called if it is no function."""
        if isinstance(node, ast.AugAssign):
            return [node.target, node.value]
        if isinstance(node, ast.Call):
            callee = self.value(node.func)
            base = [node.func.value] if isinstance(node.func, ast.Attribute) else []
            if callee is not METHOD and callee is not UNKNOWN:
                base = [] if callable(callee) else [node.func]
            return [*base, *node.args, *(keyword.value for keyword in node.keywords)]
        if isinstance(node, ast.Assign):
            return [node.value]
        return [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)]

    def value(self, node: ast.AST) -> Any:
        """The value of a name, an attribute or an entry of a list, where that can be read without running code."""
        if self.frame is None:
            return UNKNOWN
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, ast.Name):
            for names in (self.frame.f_locals, self.frame.f_globals, vars(builtins)):
                if node.id in names:
                    return names[node.id]
        if isinstance(node, ast.Attribute):
            return attribute(self.value(node.value), node.attr)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            value = self.value(node.operand)
            return -value if type(value) in (int, float) else UNKNOWN
        if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub)):
            return _sum(self.value(node.left), self.value(node.right), isinstance(node.op, ast.Add))
        if isinstance(node, ast.Subscript):
            return _entry(self.value(node.value), self.value(node.slice))
        return UNKNOWN

    # What is not there, and what was called.

    def missing(self, error: BaseException) -> tuple[Missing, list[Any]] | None:
        """The name that is not there, of what and whose that is; and the names that are there and fit."""
        name = LACKS.search(self.message)
        if isinstance(error, NotImplementedError) or "derive from BaseException" in self.message:
            return self.overridden()
        thing = UNKNOWN
        if isinstance(error, AttributeError):
            thing = vars(AttributeError)["obj"].__get__(error) if "obj" in vars(AttributeError) else None
            if thing is None:
                thing = self.value(self.node.value) if isinstance(self.node, ast.Attribute) else self.named()
        elif isinstance(error, ImportError):
            thing = sys.modules.get(str(error.name), UNKNOWN)
        elif isinstance(error, NameError) and name and self.frame is not None:
            names = [*self.frame.f_locals, *self.frame.f_globals, *vars(builtins)]
            if name[3] in names_of(self.frame.f_locals.get("self")):
                names.insert(0, f"self.{name[3]}")
            return Missing(name[3], kind="name"), names
        if not name or thing is UNKNOWN or thing is METHOD or thing is None:
            return None
        names = names_of(thing)
        if type(thing) is not ModuleType and not isinstance(thing, type) and type(thing) is not np.ndarray:
            names = [other for other in names if self.fits_in(thing, name[1], other)]
        return Missing(name[1] or name[2], *self.what(thing)), names

    def overridden(self) -> tuple[Missing, list[Any]] | None:
        """The method of a base class that was reached, if the object's own class has none of that name."""
        if self.frame is None:
            return None
        kind, name = type(self.frame.f_locals.get("self")), self.frame.f_code.co_name
        if owner(kind, self.root) != "student" or name in own_names(kind):
            return None
        return Missing(name, class_name(kind), "object", "student"), own_names(kind)

    def fits_in(self, thing: Any, name: str, other: Any) -> bool:
        """Whether an attribute that is there fits where one is missing: a method where it is called, arrays, layers."""
        value: Any = attribute(thing, other) if type(other) is str else UNKNOWN
        called = any(isinstance(node, ast.Call) and node.func is self.node for node in self.nodes)
        if called or name in METHODS:
            return value is METHOD or callable(value)
        if value is METHOD:
            return False
        if name in BY_ATTRIBUTE:
            return type(value) in (list, tuple) and any(
                class_name(type(item)) == BY_ATTRIBUTE[name].class_name for item in value
            )
        return name not in ARRAYS or type(value) in (np.ndarray, type(None))

    def named(self) -> Any:
        """The module or object that a message names, where Python itself does not keep it (before 3.10)."""
        if match := re.match(r"module '([\w.]+)' has no attribute", self.message):
            return sys.modules.get(match[1], UNKNOWN)
        match = re.match(r"'(\w+)' object has no attribute", self.message)
        things = self.last.f_locals.values() if match and self.last else ()
        return next((thing for thing in things if match and class_name(type(thing)) == match[1]), UNKNOWN)

    def call(self) -> Callee:
        """The function that the expression calls: its name there, whose it is, and its signature if known."""
        if not isinstance(self.node, ast.Call):
            return Callee()
        function, callee = self.value(self.node.func), self.node.func
        base = self.value(callee.value) if isinstance(callee, ast.Attribute) else UNKNOWN
        if function is METHOD:
            whose = "student"
        elif type(base) is np.ndarray and isinstance(callee, ast.Attribute):
            function, whose = vars(np.ndarray).get(callee.attr, UNKNOWN), "numpy"
        else:
            whose = owner(base if type(base) is ModuleType else function, self.root)
        if function is UNKNOWN:
            return Callee()
        known = signature(function, self.text(callee)) if whose in ("numpy", "python") else ""
        return Callee(self.text(callee), whose, known)

    def what(self, thing: Any) -> tuple[str, str, str]:
        """What a thing is called, of which kind it is, and whose."""
        if type(thing) is ModuleType:
            return str(attributes_of(thing).get("__name__")), "module", owner(thing, self.root)
        kind = thing if isinstance(thing, type) else type(thing)
        return class_name(kind), "class" if kind is thing else "object", owner(kind, self.root)


def _sum(left: Any, right: Any, plus: bool) -> Any:
    """The sum or the difference of two whole numbers, as they stand in an index."""
    if type(left) is not int or type(right) is not int:
        return UNKNOWN
    return left + right if plus else left - right


def _entry(base: Any, index: Any) -> Any:
    known = type(base) in (list, tuple) and type(index) is int and -len(base) <= index < len(base)
    return base[index] if known else UNKNOWN


# Which expressions a message can be about, where Python does not know the columns (before 3.11).


def _operator_is(_: Step, node: Any, match: re.Match[str]) -> bool:
    return isinstance(node.op, OPERATORS.get(match[1], ast.LShift))


def _shapes_are(step: Step, node: Any, _: re.Match[str]) -> bool:
    shapes = [tuple(map(int, re.findall(r"\d+", text))) for text in SHAPES.findall(step.message)]
    values = [step.value(operand) for operand in step.operands(node)]
    fit = all(type(value) is not np.ndarray or value.shape == shape for value, shape in zip(values, shapes))
    return fit and len(shapes) == 2 and not isinstance(node.op, ast.MatMult)


def _is_no_container(step: Step, node: ast.Subscript, _: re.Match[str]) -> bool:
    value = step.value(node.value)
    return value is None or value is METHOD


def _index_is_out(step: Step, node: ast.Subscript, _: re.Match[str]) -> bool:
    base, index = step.value(node.value), step.value(node.slice)
    return type(base) in (list, tuple) and type(index) is int and not -len(base) <= index < len(base)


def _function_is(step: Step, node: ast.Call, match: re.Match[str]) -> bool:
    name, value = step.text(node.func).rpartition(".")[2], step.value(node.func)
    made = type(value) is FunctionType and value.__name__ == match[1]
    return made or match[1] in (name, f"_{name}") or (match[1] == "__init__" and isinstance(value, type))


def _is_no_function(step: Step, node: ast.Call, _: re.Match[str]) -> bool:
    value = step.value(node.func)
    return value is not METHOD and not callable(value) and value is not UNKNOWN


OPERATION = (ast.BinOp, ast.AugAssign)
RULES: tuple[tuple[Any, str, Callable[[Step, Any, re.Match[str]], bool]], ...] = (  # the first that applies decides
    (OPERATION, r"unsupported operand type\(s\) for (.+?)=?: '", _operator_is),
    (OPERATION, r"matmul", lambda step, node, match: isinstance(node.op, ast.MatMult)),
    (OPERATION, r"broadcast", _shapes_are),
    (ast.Attribute, r"has no attribute '(\w+)'", lambda step, node, match: match[1] == node.attr),
    (ast.Subscript, r"not subscriptable", _is_no_container),
    (ast.Subscript, r"index out of range", _index_is_out),
    (ast.Call, r"^(?:[\w.<>]*\.)?([\w<>]+)\(\) (?:takes|missing|got)", _function_is),
    (ast.Call, r"not callable", _is_no_function),
    (ast.Call, r"not aligned", lambda step, node, match: step.text(node.func).rpartition(".")[2] == "dot"),
)
