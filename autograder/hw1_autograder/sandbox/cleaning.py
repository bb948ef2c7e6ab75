"""Removes what a submission has left behind, whatever that is: nothing in here raises."""

from __future__ import annotations

import os
from contextlib import suppress


def remove(folder: str) -> None:
    """Remove a folder and all below it.

    What lies deeper is moved to the top first: nested folders can be made deeper than a recursion goes and longer than
    a path may be.
    """
    waiting = [folder]
    while waiting:
        place = waiting.pop()
        for entry in _entries(place):
            with suppress(OSError):
                if entry.is_dir(follow_symlinks=False):
                    os.chmod(entry.path, 0o700)  # or it can't be moved, nor read
                    moved = entry.path if place == folder else os.path.join(folder, os.urandom(8).hex())
                    os.rename(entry.path, moved)
                    waiting.append(moved)
                else:
                    os.unlink(entry.path)
        if place != folder:
            with suppress(OSError):
                os.rmdir(place)
    with suppress(OSError):
        os.rmdir(folder)


def _entries(place: str) -> list[os.DirEntry[str]]:
    with suppress(OSError), os.scandir(place) as entries:
        return list(entries)
    return []
