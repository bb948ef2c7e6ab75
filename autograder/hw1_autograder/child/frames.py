"""An exception of a submission as facts: its text, its frames, the expression that raised and the values in it.

Only what can be read without running a line of the submission's is looked at: exact NumPy and Python types, and
attributes that lie in an object's dictionary; no __repr__, __getattr__ or property is ever called.
"""

from __future__ import annotations

import ast
import builtins
import difflib
import inspect
import os
import re
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import islice
from types import (
    BuiltinFunctionType,
    FrameType,
    FunctionType,
    GetSetDescriptorType,
    MappingProxyType,
    MemberDescriptorType,
    MethodType,
    ModuleType,
    TracebackType,
)
from typing import Any

import numpy as np

from sandbox import wire

HERE = os.path.dirname(os.path.abspath(__file__))
MOST_VALUES = 8
MOST_NAMES = 3000  # of an object that are compared with one that it lacks
MAX_TEXT = 100
ALIKE, LONG = 0.7, 5  # names are near that share so much of their letters, or so many at the beginning
UNKNOWN = object()
METHOD = object()  # a function of an object's class
DISPATCHER = re.compile(r"\b_(?:a(?=max|min))?(\w+)_dispatcher\(\)")  # NumPy before 2 calls np.sum so in its messages
SHAPES = re.compile(r"\((?:\d+,?)*\)")
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


def describe(error: BaseException, root: str, importing: str) -> wire.Raised:
    """Return an exception as data: what it says, where in the submission below `root`, and what met there."""
    frames: list[wire.Frame] = []
    statement = ""
    last: TracebackType | None = None  # the last step that lies in the submission
    traceback: TracebackType | None = error.__traceback__
    frame: FrameType | None = None
    while traceback is not None:
        frame = traceback.tb_frame
        code = frame.f_code
        statement = _statement(code.co_filename, traceback.tb_lineno or 0) if traceback.tb_next is None else ""
        if code.co_filename.startswith(root):
            file = os.path.relpath(code.co_filename, root).replace(os.sep, "/")
            frames.append(wire.Frame(file, traceback.tb_lineno or 0, code.co_name))
            last = traceback
        traceback = traceback.tb_next
    if isinstance(error, SyntaxError) and str(error.filename).startswith(root):
        frames.append(
            wire.Frame(os.path.relpath(str(error.filename), root).replace(os.sep, "/"), error.lineno or 0, "")
        )
    try:
        message = error.msg if isinstance(error, SyntaxError) else str(error)
    except BaseException:
        message = "(its message can't be shown)"
    if importing and not frames and not isinstance(error, ImportError):  # a file that is no Python text at all
        message = f"{importing}.py: {message}"
    module = getattr(error, "name", None) if isinstance(error, ImportError) else None
    message = DISPATCHER.sub(r"\1()", str(message).replace(root + os.sep, "")[:2000])
    raised = wire.Raised(
        type=type(error).__name__[:MAX_TEXT],
        message=message,
        bases=tuple(base.__name__[:MAX_TEXT] for base in type(error).__mro__[:20]),
        frames=(*frames[:8], *frames[8:][-8:]),
        statement=statement,
        module=module[:MAX_TEXT] if isinstance(module, str) else "",
    )
    try:
        return Step(last, frame, message, root).facts(error, raised)
    except Exception:  # an explanation less, whatever stands in the submission's frames
        return raised


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
            self.lines, self.nodes = _parsed(step.tb_frame.f_code.co_filename)
            self.find(step)

    def facts(self, error: BaseException, raised: wire.Raised) -> wire.Raised:
        """Add the expression that raised, what met in it, the name that is not there, and the function it calls."""
        values = [wire.Operand(self.text(node), *_shown(value)) for node, value in islice(self.values(), MOST_VALUES)]
        missing, names = self.missing(error) or (wire.Missing(), [])
        return raised._replace(
            expression=self.text(self.node) if self.exact and self.node is not None else "",
            values=tuple(values),
            missing=missing,
            near=near(missing.name, names, missing.whose == "student") if missing.name else (),
            call=self.call(),
        )

    def text(self, node: ast.AST) -> str:
        if not hasattr(node, "lineno"):
            return ""
        first, start, last, end = _place(node)
        lines = self.lines[first - 1 : last]
        lines[-1] = lines[-1][:end]
        lines[0] = lines[0][start:]
        return " ".join(b"\n".join(lines).decode("utf-8", "replace").split())[:MAX_TEXT]

    # Which expression.

    def find(self, step: TracebackType) -> None:
        """Find the expression: by its columns where Python knows them, or as the only one that the message fits."""
        code, line = step.tb_frame.f_code, step.tb_lineno or 0
        if hasattr(code, "co_positions"):
            first, last, start, end = next(islice(code.co_positions(), step.tb_lasti // 2, None))
            for node in self.nodes:
                if isinstance(node, (ast.expr, ast.AugAssign)) and (first, start, last, end) == _place(node):
                    self.node, self.exact = node, True
                    return
        around = [node for node in self.nodes if isinstance(node, ast.stmt) and node.lineno <= line <= _place(node)[2]]
        if around:
            self.node = max(around, key=_place)
            suspects = [node for node in _within(self.node) if self.fits(node)]
            if len(suspects) == 1:
                self.node, self.exact = suspects[0], True

    def fits(self, node: ast.AST) -> bool:
        """Whether the message can be about this expression."""
        message = self.message
        if isinstance(node, (ast.BinOp, ast.AugAssign)):
            if match := re.search(r"unsupported operand type\(s\) for (.+?)=?: '", message):
                return isinstance(node.op, OPERATORS.get(match[1], ast.LShift))
            if "matmul" in message:
                return isinstance(node.op, ast.MatMult)
            if "broadcast" in message and not isinstance(node.op, ast.MatMult):
                shapes = [tuple(map(int, re.findall(r"\d+", text))) for text in SHAPES.findall(message)]
                known = [self.value(operand) for operand in self.operands(node)]
                alike = [type(a) is not np.ndarray or a.shape == shape for a, shape in zip(known, shapes)]
                return len(shapes) == 2 and all(alike)
        if isinstance(node, ast.Attribute):
            match = re.search(r"has no attribute '(\w+)'", message)
            return bool(match and match[1] == node.attr)
        if isinstance(node, ast.Subscript):
            value, index = self.value(node.value), self.value(node.slice)
            if "not subscriptable" in message:
                return value is None or value is METHOD
            if "index out of range" in message and type(value) in (list, tuple) and type(index) is int:
                return not -len(value) <= index < len(value)
        if isinstance(node, ast.Call):
            name, value = self.text(node.func).rpartition(".")[2], self.value(node.func)
            if match := re.match(r"(?:[\w.<>]*\.)?([\w<>]+)\(\) (?:takes|missing|got)", message):
                made = type(value) is FunctionType and value.__name__ == match[1]
                return made or match[1] in (name, f"_{name}") or (match[1] == "__init__" and isinstance(value, type))
            if "not callable" in message:
                return value is not METHOD and not callable(value) and value is not UNKNOWN
            return "not aligned" in message and name == "dot"
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
            owner = [node.func.value] if isinstance(node.func, ast.Attribute) else []
            if callee is not METHOD and callee is not UNKNOWN:
                owner = [] if callable(callee) else [node.func]
            return [*owner, *node.args, *(keyword.value for keyword in node.keywords)]
        children = ast.iter_child_nodes(node)
        if isinstance(node, ast.Assign):
            return [node.value]
        return [child for child in children if isinstance(child, ast.expr)]

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
            left, right = self.value(node.left), self.value(node.right)
            if type(left) is int and type(right) is int:
                return left + right if isinstance(node.op, ast.Add) else left - right
        if isinstance(node, ast.Subscript):
            base, index = self.value(node.value), self.value(node.slice)
            if type(base) in (list, tuple) and type(index) is int and -len(base) <= index < len(base):
                return base[index]
        return UNKNOWN

    # What is not there, and what was called.

    def missing(self, error: BaseException) -> tuple[wire.Missing, list[Any]] | None:
        """The name that is not there, of what and whose that is; and the names that are there."""
        name = re.search(
            r"has no attribute '(\w+)'|cannot import name '(\w+)'|name '(\w+)' is not defined", self.message
        )
        thing = UNKNOWN
        if isinstance(error, AttributeError):
            thing = vars(AttributeError)["obj"].__get__(error) if "obj" in vars(AttributeError) else None
            if thing is None:
                thing = self.value(self.node.value) if isinstance(self.node, ast.Attribute) else self.named()
        elif isinstance(error, ImportError):
            thing = sys.modules.get(str(error.name), UNKNOWN)
        elif isinstance(error, NameError) and name and self.frame is not None:
            names = [*self.frame.f_locals, *self.frame.f_globals, *vars(builtins)]
            if name[3] in _names(self.frame.f_locals.get("self")):
                names.insert(0, f"self.{name[3]}")
            return wire.Missing(name[3], kind="name"), names
        if not name or thing is UNKNOWN or thing is METHOD or thing is None:
            return None
        return wire.Missing(name[1] or name[2], *self.what(thing)), _names(thing)

    def named(self) -> Any:
        """The module or object that a message names, where Python itself does not keep it (before 3.10)."""
        if match := re.match(r"module '([\w.]+)' has no attribute", self.message):
            return sys.modules.get(match[1], UNKNOWN)
        match = re.match(r"'(\w+)' object has no attribute", self.message)
        things = self.last.f_locals.values() if match and self.last else ()
        return next((thing for thing in things if match and _name(type(thing)) == match[1]), UNKNOWN)

    def call(self) -> wire.Callee:
        """The function that the expression calls: its name there, whose it is, and its signature if known."""
        if not isinstance(self.node, ast.Call):
            return wire.Callee()
        function, callee = self.value(self.node.func), self.node.func
        base = self.value(callee.value) if isinstance(callee, ast.Attribute) else UNKNOWN
        if function is METHOD:
            whose = "student"
        elif type(base) is np.ndarray and isinstance(callee, ast.Attribute):
            function, whose = vars(np.ndarray).get(callee.attr, UNKNOWN), "numpy"
        else:
            whose = self.owner(base if type(base) is ModuleType else function)
        if function is UNKNOWN:
            return wire.Callee()
        signature = _signature(function, self.text(callee)) if whose in ("numpy", "python") else ""
        return wire.Callee(self.text(callee), whose, signature)

    def what(self, thing: Any) -> tuple[str, str, str]:
        """What a thing is called, of which kind it is, and whose."""
        if type(thing) is ModuleType:
            return str(attributes(thing).get("__name__")), "module", self.owner(thing)
        kind = thing if isinstance(thing, type) else type(thing)
        return _name(kind), "class" if kind is thing else "object", self.owner(kind)

    def owner(self, thing: Any) -> str:
        """Whose a module, class or function is: the student's, the grader's, NumPy's or Python's."""
        name = attributes(thing).get("__name__") if type(thing) is ModuleType else None
        if isinstance(thing, type):
            name = vars(type)["__module__"].__get__(thing)
        elif type(thing) in (FunctionType, BuiltinFunctionType):
            name = thing.__module__
        top = name.partition(".")[0] if type(name) is str else ""
        file = attributes(sys.modules.get(name)).get("__file__") if type(name) is str else None
        if type(file) is str and file.startswith(self.root):
            return "student"
        return {"numpy": "numpy", "child": "grader"}.get(top, "python")


def attribute(thing: Any, name: str) -> Any:
    """An attribute that lies in a thing's or its class's dictionary, METHOD for a function of its class, or UNKNOWN."""
    if thing is UNKNOWN or thing is METHOD:
        return UNKNOWN
    if type(thing) is np.ndarray:
        return getattr(thing, name) if name in ("T", "shape", "ndim", "size") else UNKNOWN
    found = next((names[name] for names in map(_dictionary, _bases(type(thing))) if name in names), UNKNOWN)
    if type(found) is property:
        return UNKNOWN
    own = attributes(thing)
    if name in own:
        return own[name]
    if type(found) is MemberDescriptorType and type(thing) is not ModuleType:  # an entry of __slots__
        try:
            return found.__get__(thing)
        except AttributeError:
            return UNKNOWN
    if type(found) is FunctionType:
        return METHOD
    return found if type(found) in (np.ndarray, list, tuple, int, float, str, bool, type(None)) else UNKNOWN


def attributes(thing: Any) -> Any:
    """The dictionary of a module's, class's or object's attributes, or an empty one."""
    for base in _bases(type(thing)):
        slot = _dictionary(base).get("__dict__")
        if slot is not None:
            if type(slot) not in (GetSetDescriptorType, MemberDescriptorType):
                return {}
            names = slot.__get__(thing)
            return names if type(names) in (dict, MappingProxyType) else {}
    return {}


def near(name: str, names: Iterable[Any], beginning: bool) -> tuple[str, ...]:
    """The names that are most like one: alike in most letters or, if that is to count, with the same beginning."""
    found = []
    matcher = difflib.SequenceMatcher(None, "", name.lower())
    for other in islice(names, MOST_NAMES):
        if type(other) is not str or other == name or (other[:1] == "_" and name[:1] != "_"):
            continue
        matcher.set_seq1(other[:MAX_TEXT].lower())
        alike = matcher.ratio() if matcher.real_quick_ratio() >= ALIKE else 0.0
        if other == f"self.{name}" or sorted(other.lower()) == sorted(name.lower()):
            alike = 1.0
        if alike >= ALIKE or (beginning and len(name) > LONG and other.startswith(name[:LONG])):
            found.append((-alike, other[:MAX_TEXT]))
    return tuple(other for _, other in sorted(set(found))[:2])


def _signature(function: Any, name: str) -> str:
    """The names of a function's arguments, as Python or its own documentation has them, or nothing."""
    try:
        arguments = ", ".join(inspect.signature(function).parameters)
        return f"{name}({arguments})"[:200]
    except (TypeError, ValueError):
        doc = getattr(function, "__doc__", None)
        lines = doc.strip().splitlines() if type(doc) is str else []
        return lines[0].strip()[:200] if lines and re.match(rf"(?:\w+\.)?{name.rpartition('.')[2]}\(", lines[0]) else ""


def _names(thing: Any) -> list[str]:
    """The names of a thing's attributes, without what every object has."""
    bases = _bases(thing) if isinstance(thing, type) else _bases(type(thing))
    inherited = [] if type(thing) is ModuleType else [name for base in bases[:-1] for name in _dictionary(base)]
    return [*attributes(thing), *inherited]


def _bases(kind: type) -> tuple[type, ...]:
    return vars(type)["__mro__"].__get__(kind)  # type: ignore[no-any-return]


def _dictionary(kind: type) -> Any:
    return vars(type)["__dict__"].__get__(kind)


def _name(kind: type) -> str:
    return str(vars(type)["__name__"].__get__(kind))[:MAX_TEXT]


def _source(file: str) -> str:
    with open(file, encoding="utf-8", errors="replace") as opened:
        return opened.read()


SOURCES = {  # of the exercises, read before the fences close
    path: _source(path) for path in (os.path.join(HERE, name) for name in os.listdir(HERE)) if path.endswith(".py")
}


@cache
def _parsed(file: str) -> tuple[list[bytes], list[ast.AST]]:
    """The lines of a file, and the nodes of its tree: many exercises may raise in it."""
    source = SOURCES[file] if file in SOURCES else _source(file)
    return source.encode().split(b"\n"), list(ast.walk(ast.parse(source)))


def _statement(file: str, line: int) -> str:
    """The statement on this line of a file of this folder's, or nothing."""
    nodes = _parsed(file)[1] if file in SOURCES else []
    simple = [node for node in nodes if isinstance(node, ast.stmt) and not hasattr(node, "body")]
    return next((ast.unparse(node) for node in simple if node.lineno <= line <= (node.end_lineno or 0)), "")


def _place(node: Any) -> tuple[int, int, int, int]:
    return node.lineno, node.col_offset, node.end_lineno or 0, node.end_col_offset or 0


def _within(node: ast.AST) -> Iterator[ast.AST]:
    """The node and the expressions below it; of a compound statement, those of its head."""
    yield node
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, (ast.stmt, ast.ExceptHandler)):
            yield from _within(child)


def _shown(value: Any) -> tuple[str, tuple[int, ...] | None]:
    """What a value is, in a word or a number, and its shape if it is an array."""
    kind = type(value)
    if value is UNKNOWN:
        return "", None
    if value is METHOD or kind is MethodType:
        return "method", None
    if kind is np.ndarray:
        return str(value.dtype)[:20], value.shape[:MOST_VALUES]
    if kind in (bool, int, float) and abs(value) < 1e9:
        return f"{value:.6g}" if kind is float else str(value), None
    if kind in (list, tuple, dict):
        return f"{kind.__name__} of {len(value)}", None
    return _name(kind), None
