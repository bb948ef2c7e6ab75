"""Whatever a submission leaves behind is removed."""

from __future__ import annotations

import os
from pathlib import Path

from handins import write
from sandbox import cleaning


def test_whatever_is_left_behind_is_removed(tmp_path: Path) -> None:
    folder, here = tmp_path / "folder", os.getcwd()
    folder.mkdir()
    try:
        os.chdir(folder)
        for _ in range(1200):  # deeper than a recursion goes, and longer than a path may be
            os.mkdir("long")
            os.chdir("long")
        Path("file").touch()
    finally:
        os.chdir(here)
    write({"b/c/x.py": b"", "b/y.py": b""}, folder)
    (folder / "b" / "link").symlink_to("/etc")
    (folder / "b" / "nowhere").symlink_to("/nowhere")
    (folder / "b" / "c").chmod(0)
    cleaning.remove(str(folder))
    assert list(tmp_path.iterdir()) == []
    cleaning.remove(str(folder))
