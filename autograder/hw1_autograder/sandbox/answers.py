"""What an exercise came to, from the header that a submission's process sent: nothing in it is taken on trust.

wire.py declares what a header may hold; here texts and lists are cut to that, and what is of another type is dropped.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from sandbox import wire


@dataclass
class Outcome:
    """What became of one exercise.

    `ended` is "returned", "raised", "timeout", "died" (the process ended) or "garbled" (it sent no message).
    """

    ended: str
    types: dict[str, str] = field(default_factory=dict)
    blobs: dict[str, wire.Blob] = field(default_factory=dict)
    raised: wire.Raised = wire.Raised()  # noqa: RUF009  (nothing can change it)
    log: wire.Log = wire.Log()  # noqa: RUF009
    detail: str = ""
    stage: str = ""
    printed: str = ""
    seconds: float = 0.0


class Misfit(Exception):
    """A part of a header is not what it is declared to be."""


def understood(message: Any) -> Outcome | str | None:
    """Return what a message says: an outcome, the name of a stage, or None if it says nothing known."""
    if not isinstance(message, wire.Message):
        return None
    header = message.header
    try:
        if "stage" in header:
            return str(fitted(header["stage"], wire.Word))
        log = fitted(header["log"], wire.Log) if "log" in header else wire.Log()
        if "raised" in header:
            return Outcome("raised", raised=fitted(header["raised"], wire.Raised), log=log)
        types = _types(header.get("values"))
    except Misfit:
        return None
    if _named(message.blobs) and all(map(wire.fits, message.blobs.values())):
        return Outcome("returned", types=types, blobs=message.blobs, log=log)
    return None


def fitted(value: Any, kind: Any) -> Any:
    """Return a part of a header as what it is declared to be; raise Misfit if it is something else.

    What is too long is cut. Of a list, what does not fit is left out; a field of a record takes its default then.
    """
    most = 0
    if get_origin(kind) is Annotated:
        kind, most = get_args(kind)
    if get_origin(kind) is Union:  # Optional
        return None if value is None else fitted(value, get_args(kind)[0])
    if kind is str and isinstance(value, str):
        return shown(value, most)
    if kind is int and type(value) is int and 0 <= value < most:
        return value
    if get_origin(kind) is tuple and isinstance(value, list):
        return tuple(_fitting(value[:most], get_args(kind)[0]))
    if hasattr(kind, "_fields") and isinstance(value, list) and len(value) == len(kind._fields):
        return kind(**dict(_fields(value, kind)))
    raise Misfit


def _fitting(values: list[Any], kind: Any) -> Iterator[Any]:
    for value in values:
        try:
            yield fitted(value, kind)
        except Misfit:
            continue


def _fields(values: list[Any], record: Any) -> Iterator[tuple[str, Any]]:
    for (name, kind), value in zip(_hints(record).items(), values):
        try:
            yield name, fitted(value, kind)
        except Misfit:
            if name not in record._field_defaults:
                raise


@cache
def _hints(record: Any) -> dict[str, Any]:
    return get_type_hints(record, include_extras=True)


def _types(types: Any) -> dict[str, str]:
    if not isinstance(types, dict) or len(types) > wire.MAX_ARRAYS or not _named(types):
        raise Misfit
    return {name: fitted(kind, wire.Text) for name, kind in types.items()}


def _named(things: dict[str, Any]) -> bool:
    """Whether the names are such as quantities have: they are looked up and shown as they are."""
    return all(name.isprintable() and len(name) < 200 for name in things)


def shown(text: str, length: int) -> str:
    """The beginning of a text, without what a terminal or an encoder would stumble over."""
    return "".join(c if c.isprintable() else " " if c.isspace() else "?" for c in text[:length])
