"""Handins are found by the names that servers give them."""

from __future__ import annotations

from pathlib import Path

import pytest

from classroom.collect import NoClass, handins

NAMED = {
    "anna@cs.edu_2_handin.tar": "",
    "anna@cs.edu_10_handin.tar": "anna@cs.edu",
    "anna@cs.edu_9_handin.tar": "",
    "b_c_1_handin.tar.gz": "b_c",
    "d.tar": "d",
    "d.tar.gz": "d.tar.gz",
    "e.f.tgz": "e.f",
    "g.zip": "g",
    "submission_17/": "submission_17",
    ".DS_Store": "",
    "grades.csv": "",
    "out/": "",
    f"{'x' * 240}.tar": "x" * 200,
}


def laid_out(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir() if name.endswith("/") else path.write_bytes(b"")
    return folder


def test_ids_come_from_the_names_that_servers_give(tmp_path: Path) -> None:
    paths, left_out = handins(laid_out(tmp_path, *NAMED), tmp_path / "out")
    assert {key: path.name for key, path in paths.items()} == {v: k.rstrip("/") for k, v in NAMED.items() if v}
    assert [*paths] == sorted(paths)
    assert sorted(left_out) == ["anna@cs.edu_2_handin.tar", "anna@cs.edu_9_handin.tar", "grades.csv"]


@pytest.mark.parametrize(
    ("files", "handin"),
    [
        (["submission_1/handin.tar"], "handin.tar"),
        (["submission_1/a.tgz", "submission_1/b.tar.gz", "submission_1/notes.md"], "b.tar.gz"),
        (["submission_1/hw1/hw1.py", "submission_1/handin.tar"], "submission_1"),
        (["submission_1/hw1.zip"], "submission_1"),
    ],
)
def test_gradescope_keeps_a_handin_in_a_folder(files: list[str], handin: str, tmp_path: Path) -> None:
    paths, left_out = handins(laid_out(tmp_path, *files), tmp_path / "out")
    assert {key: path.name for key, path in paths.items()} == {"submission_1": handin}
    assert left_out == []


@pytest.mark.parametrize(
    ("folder", "words"), [("none", "no such folder"), ("empty", "holds no tar and no folder"), ("f", "no such folder")]
)
def test_where_there_is_no_class_the_message_says_so(folder: str, words: str, tmp_path: Path) -> None:
    laid_out(tmp_path, "empty/", "f")
    with pytest.raises(NoClass, match=words):
        handins(tmp_path / folder, tmp_path / "out")
