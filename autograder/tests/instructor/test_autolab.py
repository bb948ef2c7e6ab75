"""The command that writes Autolab's files."""

from __future__ import annotations

from pathlib import Path

import pytest

import autolab
from homework.problems import BY_HAND, MAX_TOTAL
from kit import autolab_package


def test_it_writes_the_package_to_a_new_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "new" / "folder"
    assert autolab.main(["--out", str(folder)]) == 0
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == autolab_package.package()
    assert f"25 problems, {MAX_TOTAL} points and {BY_HAND} by hand" in capsys.readouterr().out


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert autolab.main(["--out", str(tmp_path / "file")]) == 2
    assert capsys.readouterr().err.startswith("autolab.py: ")
