"""Finds the handins of a class in a folder, as Autolab and Gradescope export them."""

from __future__ import annotations

import re
from pathlib import Path

from sandbox.submission import FOLDERS

AUTOLAB = re.compile(r"(.+)_(\d+)_handin(\..+)?")  # user_version_handin.tar
ENDING = re.compile(r"(\.tar)?(\.\w{1,4})?$")
ARCHIVES = ("*.tar", "*.tar.gz", "*.tgz")
BESIDE = (".csv", ".json", ".md", ".txt", ".yaml", ".yml")  # what exports hold beside the handins


class NoClass(Exception):
    """There are no handins to grade; the message says what is there."""


def handins(folder: Path, out: Path) -> tuple[dict[str, Path], list[str]]:
    """Return every handin by its id, which is Autolab's user or the name without its ending; and what was left out.

    Of Autolab's several versions of one user's the last one counts.
    """
    if not folder.is_dir():
        raise NoClass(f"{folder}: no such folder; give one that holds a tar or a folder for each handin")
    paths: dict[str, Path] = {}
    left_out = []
    for path in sorted(folder.iterdir(), key=lambda path: (_version(path), path.name)):
        if path.name.startswith(".") or path.resolve() == out.resolve():
            continue
        if path.suffix in BESIDE and not path.is_dir():
            left_out.append(path.name)
            continue
        named = AUTOLAB.fullmatch(path.name)
        key = named[1] if named else path.name if path.is_dir() else ENDING.sub("", path.name)
        if key in paths and named:
            left_out.append(paths[key].name)
        elif key in paths:
            key = path.name
        paths[key] = path
    if not paths:
        raise NoClass(f"{folder}: holds no tar and no folder")
    return {_short(key): _within(path) for key, path in sorted(paths.items())}, left_out


def _version(path: Path) -> int:
    named = AUTOLAB.fullmatch(path.name)
    return int(named[2]) if named else 0


def _short(key: str) -> str:
    """The id, short enough for a file's name to be made of it."""
    return key.encode(errors="replace")[:200].decode(errors="replace")


def _within(path: Path) -> Path:
    """The handin itself: Gradescope keeps a file that was handed in within a folder."""
    if path.is_dir() and not any((path / name).is_dir() for name in FOLDERS):
        return max((file for pattern in ARCHIVES for file in path.glob(pattern)), default=path)
    return path
