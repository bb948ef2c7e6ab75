"""A class at once: what the command writes is what single runs say, and what is not graded is named."""

from __future__ import annotations

import csv
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

import grade_class
import handins
from classroom import collect, regrade
from handins import MAX_TOTAL, ROOT, Files, body, solution, tar_of, write
from kit.starter_files import unwritten
from report.formats import as_json


def raising() -> Files:
    files = solution()
    body("Tanh.forward", "raise ValueError('| ` <b> [x](y) \\n\\x1b[31m')")(files)
    return files


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A class of six: full points, one mistake, two, an exception, begun, damaged; in each server's layout."""
    folder = tmp_path_factory.mktemp("class")
    tars = {
        "anna@cs.edu_3_handin.tar": tar_of(solution()),
        "anna@cs.edu_1_handin.tar": b"older",
        "ben.tar": tar_of(handins.mistaken("dW_summed")),
        "submission_1/handin.tar": tar_of(raising()),
        "eve.tar": tar_of(solution())[:700] + b"sorry",
    }
    write(tars, folder)
    write(handins.mistaken("dgamma_averaged", "softmax_no_shift"), folder / "carl")
    write(unwritten(), folder / "dora")
    (folder / "submission_metadata.yml").write_text("---\n")
    return folder


@pytest.fixture(scope="module")
def graded(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("out") / "new" / "folder"
    assert grade_class.main([str(folder), "--out", str(out)]) == 0
    return out


def rows(out: Path) -> dict[str, dict[str, str]]:
    with open(out / "scores.csv", encoding="utf-8", newline="") as file:
        return {row.pop("id"): row for row in csv.DictReader(file)}


def test_the_reports_and_the_scores_are_those_of_single_runs(graded: Path, folder: Path) -> None:
    paths, _ = collect.handins(folder, graded)
    assert rows(graded).keys() == {"anna@cs.edu", "ben", "carl", "dora", "eve", "submission_1"} == paths.keys()
    for key, path in paths.items():
        found = json.loads((graded / "reports" / f"{key}.json").read_bytes())
        row = rows(graded)[key]
        if key == "eve":
            assert (found["graded"], row["total"], row["status"]) == (False, "0", "not graded")
            continue
        single = as_json(handins.report(path, against=str(ROOT), seed="handin"))
        for name in ("handin", "grader", "judge", "seed", "total", "scores"):
            assert found[name] == single[name], name
        for ours, theirs in zip(found["problems"], single["problems"]):
            assert (ours["status"], ours["hints"]) == (theirs["status"], theirs["hints"])
        assert {name: int(row[name]) for name in single["scores"]} == single["scores"]
        assert (int(row["total"]), row["status"]) == (single["total"], "graded")


def test_the_class_is_of_many_kinds(graded: Path) -> None:
    totals = {key: int(row["total"]) for key, row in rows(graded).items()}
    assert (totals["anna@cs.edu"], totals["dora"], totals["eve"]) == (MAX_TOTAL, 0, 0)
    assert all(0 < totals[key] < MAX_TOTAL for key in ("ben", "carl", "submission_1"))
    text = (graded / "overview.md").read_text(encoding="utf-8")
    assert text.startswith("# 6 handins, 5 of them graded\n")
    assert "| dora | nothing is written yet |" in text


@pytest.mark.usefixtures("graded")
def test_a_second_run_grades_nothing_and_says_what_it_left_out(
    graded: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, fewer = shutil.copytree(graded, tmp_path / "out"), shutil.copytree(folder, tmp_path / "handins")
    (fewer / "eve.tar").unlink()  # what could not be graded would be tried again
    assert grade_class.main([str(fewer), "--out", str(out), "--before", str(graded)]) == 0
    said = capsys.readouterr().out.splitlines()
    assert {*said[:-1]} == {"left out: anna@cs.edu_1_handin.tar", "left out: submission_metadata.yml"}
    assert said[-1] == f"{out}: 5 handins, 0 of them graded now; scores.csv, overview.md"
    text = (out / "overview.md").read_text(encoding="utf-8")
    assert text.endswith("\n## Changes since the earlier run\n\nNone.\n\n5 unchanged.\nGone: eve.\n")


def test_without_tqdm_there_is_no_bar_and_a_line_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "tqdm", None)
    assert [*regrade.progress(iter("ab"), 2)] == ["a", "b"]
    assert capsys.readouterr().err == "2 handins; tqdm is not installed, so there is no bar\n"


@pytest.mark.parametrize(
    ("folder_name", "arguments", "words"),
    [
        ("none", (), "no such folder"),
        ("empty", (), "holds no tar and no folder"),
        ("handins", ("--before", "none"), "no such folder; give the --out of an earlier run"),
    ],
)
def test_where_there_is_no_class_a_line_says_so(
    folder_name: str, arguments: tuple[Any, ...], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    write({"anna.tar": b""}, tmp_path / "handins")
    assert grade_class.main([str(tmp_path / folder_name), "--out", str(tmp_path / "out"), *arguments]) == 2
    out, err = capsys.readouterr()
    assert (out, len(err.splitlines())) == ("", 1)
    assert err.startswith("grade_class.py: ")
    assert words in err
