"""Reads a submission's objects without running a line of its own: no __repr__, __getattr__ or property is called.

Only exact NumPy and Python types are looked at, and attributes that are in an object's dictionary.
"""

from __future__ import annotations

import difflib
import inspect
import re
import sys
from collections.abc import Iterable
from itertools import islice
from types import (
    BuiltinFunctionType,
    FunctionType,
    GetSetDescriptorType,
    MappingProxyType,
    MemberDescriptorType,
    MethodType,
    ModuleType,
)
from typing import Any

import numpy as np

from sandbox.wire import MAX_AXES

MAX_TEXT = 100
UNKNOWN = object()
METHOD = object()  # a function of an object's class
MOST_NAMES = 3000  # of an object that are compared with one that it lacks
ALIKE, LONG = 0.7, 5  # names are near that share so much of their letters, or so many at the beginning
OF_LIBRARY = 0.8  # of NumPy's names, which are many
COUNTERPARTS = {"backward": "derivative", "derivative": "backward"}
PLACEHOLDERS = {NotImplemented: "NotImplemented", ...: "...", None: "None"}
PLAIN = (np.ndarray, list, tuple, int, float, str, bool, type(None))


def attribute(thing: Any, name: str) -> Any:
    """An attribute that is in a thing's or its class's dictionary, METHOD for a function of its class, or UNKNOWN."""
    if thing is UNKNOWN or thing is METHOD:
        return UNKNOWN
    if type(thing) is np.ndarray:
        return getattr(thing, name) if name in ("T", "shape", "ndim", "size") else UNKNOWN
    of_class = next((names[name] for names in map(_dictionary, _bases(type(thing))) if name in names), UNKNOWN)
    if type(of_class) is property:
        return UNKNOWN
    names = attributes(thing)
    if name in names:
        return names[name]
    if type(of_class) is MemberDescriptorType and type(thing) is not ModuleType:  # an entry of __slots__
        try:
            return of_class.__get__(thing)
        except AttributeError:
            return UNKNOWN
    if type(of_class) is FunctionType:
        return METHOD
    return of_class if type(of_class) in PLAIN else UNKNOWN


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


def names_of(thing: Any) -> list[str]:
    """The names of a thing's attributes, without what every object has."""
    bases = _bases(thing) if isinstance(thing, type) else _bases(type(thing))
    inherited = [] if type(thing) is ModuleType else [name for base in bases[:-1] for name in _dictionary(base)]
    return [*attributes(thing), *inherited]


def own_names(kind: type) -> list[Any]:
    """The names in a class's own body."""
    return [*_dictionary(kind)]


def near(name: str, names: Iterable[Any], students: bool) -> tuple[str, ...]:
    """The names most like one: in most letters; of a student's also with the same beginning, or a part of it."""
    ranked = []
    matcher = difflib.SequenceMatcher(None, "", name.lower())
    for other in islice(names, MOST_NAMES):
        if type(other) is not str or other == name or (other[:1] == "_" and name[:1] != "_"):
            continue
        matcher.set_seq1(other[:MAX_TEXT].lower())
        alike = matcher.ratio() if matcher.real_quick_ratio() >= ALIKE else 0.0
        if other == f"self.{name}" or sorted(other.lower()) == sorted(name.lower()):
            alike = 1.0
        begins = len(name) > LONG and other.startswith(name[:LONG])
        part = (len(other) > 2 and name.startswith(other)) or (len(other) > LONG and name.endswith(other))
        if alike >= (ALIKE if students else OF_LIBRARY) or (
            students and (begins or part or COUNTERPARTS.get(name) == other)
        ):
            ranked.append((-alike, other[:MAX_TEXT]))
    return tuple(other for _, other in sorted(set(ranked))[:2])


def object_of(value: Any) -> str:
    """What stands where a list or a layer is due: a placeholder, a class, or an object of some type."""
    for placeholder, text in PLACEHOLDERS.items():
        if value is placeholder:
            return text if value is None else f"the placeholder `{text}`"
    if isinstance(value, type):
        return f"the class {class_name(value)}, not an object of it"
    return f"of type {class_name(type(value))}"


def class_name(kind: type) -> str:
    return str(vars(type)["__name__"].__get__(kind))[:MAX_TEXT]


def owner(thing: Any, root: str) -> str:
    """Whose a module, class or function is: "student" if its file is below `root`, "grader", "numpy" or "python"."""
    name = attributes(thing).get("__name__") if type(thing) is ModuleType else None
    if isinstance(thing, type):
        name = vars(type)["__module__"].__get__(thing)
    elif type(thing) in (FunctionType, BuiltinFunctionType):
        name = thing.__module__
    if type(name) is not str:
        return "python"
    file = attributes(sys.modules.get(name)).get("__file__")
    if type(file) is str and file.startswith(root):
        return "student"
    return {"numpy": "numpy", "child": "grader"}.get(name.partition(".")[0], "python")


def summary(value: Any) -> tuple[str, tuple[int, ...] | None]:
    """What a value is, in a word or a number, and its shape if it is an array."""
    kind = type(value)
    if value is UNKNOWN:
        return "", None
    if value is METHOD or kind is MethodType:
        return "method", None
    if kind is np.ndarray:
        return str(value.dtype)[:20], value.shape[:MAX_AXES]
    if kind in (bool, int, float) and abs(value) < 1e9:
        return f"{value:.6g}" if kind is float else str(value), None
    if kind in (list, tuple, dict):
        return f"{kind.__name__} of {len(value)}", None
    return class_name(kind), None


def signature(function: Any, name: str) -> str:
    """The names of a library function's arguments, as Python or its own documentation has them, or nothing."""
    try:
        arguments = ", ".join(inspect.signature(function).parameters)
        return f"{name}({arguments})"[:200]
    except (TypeError, ValueError):
        doc = getattr(function, "__doc__", None)
        lines = doc.strip().splitlines() if type(doc) is str else []
        return lines[0].strip()[:200] if lines and re.match(rf"(?:\w+\.)?{name.rpartition('.')[2]}\(", lines[0]) else ""


def _bases(kind: type) -> tuple[type, ...]:
    return vars(type)["__mro__"].__get__(kind)  # type: ignore[no-any-return]


def _dictionary(kind: type) -> Any:
    return vars(type)["__dict__"].__get__(kind)
