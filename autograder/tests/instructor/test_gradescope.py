"""The command that writes Gradescope's zip."""

from __future__ import annotations

from pathlib import Path

import pytest

import gradescope
from kit import gradescope_package


def test_it_writes_the_zip_with_the_visibility_that_was_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "new" / "hw1.zip"
    assert gradescope.main(["--out", str(path), "--visibility", "after_due_date"]) == 0
    assert path.read_bytes() == gradescope_package.archive(gradescope_package.package("after_due_date"))
    assert gradescope.main(["--out", str(path)]) == 0
    assert path.read_bytes() == gradescope_package.archive(gradescope_package.package("visible"))


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert gradescope.main(["--out", str(tmp_path / "file" / "hw1.zip")]) == 2
    assert capsys.readouterr().err.startswith("gradescope.py: ")
