"""The overview counts what the reports show, and says of each handin without points why it has none."""

from __future__ import annotations

import csv
import io
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import handins
from classroom import overview
from classroom.overview import Reports
from grading.run import not_graded
from handins import MAX_TOTAL, PROBLEMS, Files, body, solution, write
from kit.starter_files import unwritten
from report.formats import as_json

NAMES = [problem.name for problem in PROBLEMS]


def changed(*edits: Callable[[Files], None]) -> Files:
    files = solution()
    for edit in edits:
        edit(files)
    return files


RELU = body("ReLU.derivative", "return 0 * original(*args)")
CLASS: dict[str, Files] = {
    "anna": solution(),
    "ben": changed(RELU),
    "carl": handins.mistaken("dW_summed", "relu_in_place"),
    "dora": handins.mistaken("dW_summed"),
    "eve": unwritten(),
    "fred": dict.fromkeys(solution(), b"1 +\n"),
}


@pytest.fixture(scope="session")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Reports:
    """The report of each of the class, and of a handin that could not be graded."""
    graded = {}
    for key, files in CLASS.items():
        folder = write(files, tmp_path_factory.mktemp("handin") / key)
        graded[key] = as_json(handins.report(folder, against=str(handins.ROOT), seed="handin"))
    return {**graded, "zoe": as_json(not_graded("zoe.tar", "zoe.tar: is | a `zip`"))}


def text_of(reports: Reports, before: Reports | None = None, drawn: bool = False) -> str:
    return "\n".join(overview.overview(reports, before, drawn))


def table(text: str, title: str) -> list[list[str]]:
    """The rows of the table below this title."""
    part = text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    lines = [line for line in part.splitlines() if line.startswith("| ")]
    return [line.strip("| ").split(" | ") for line in lines[1:]]


def test_the_head_counts_handins_and_totals(reports: Reports) -> None:
    totals = sorted(report["total"] for key, report in reports.items() if key != "zoe")
    lines = text_of(reports).splitlines()
    assert lines[0] == "# 7 handins, 6 of them graded"
    assert lines[2] == (
        f"Of {MAX_TOTAL} points: mean {sum(totals) / 6:.1f}, median {sum(totals[2:4]) / 2:g}, 1 have all."
    )
    assert lines[3] == f"Graded by {reports['anna']['grader']}."
    assert lines[4] == ""


def test_of_nobody_graded_there_is_no_mean(reports: Reports) -> None:
    assert "points: mean" not in text_of({"zoe": reports["zoe"]})


def test_each_problem_has_how_many_passed_have_not_started_and_failed_it(reports: Reports) -> None:
    text = text_of(reports)
    assert "\n| problem | points | passed | not started | failed |\n|---|---|---|---|---|\n" in text
    rows = {name: counts for name, *counts in table(text, "Problems")}
    points = {problem.name: problem.points for problem in PROBLEMS}
    assert [*rows] == NAMES
    for name, counts in rows.items():
        statuses = [
            problem["status"]
            for report in reports.values()
            for problem in report["problems"]
            if report["graded"] and problem["name"] == name
        ]
        passed, unstarted = statuses.count("passed"), statuses.count("not started")
        assert [*map(int, counts)] == [points[name], passed, unstarted, len(statuses) - passed - unstarted]
    assert rows["ReLU Non-Linearity (derivative)"] == ["2", "3", "1", "2"]


def test_mistakes_and_findings_are_counted_the_most_frequent_first(reports: Reports) -> None:
    text = text_of(reports)
    assert [(row[0], *row[2:]) for row in table(text, "Mistakes")] == [
        ("dW_summed", "2", "carl, dora"),
        ("relu_in_place", "1", "carl"),
    ]
    assert table(text, "Mistakes")[0][1] == "dW is summed over the batch: it should be averaged (3.4.2)"
    assert [row[1:] for row in table(text, "Findings, without points")] == [["1", "carl"]]


def test_why_somebody_has_no_points_is_said(reports: Reports) -> None:
    rows = dict(table(text_of(reports), "No points"))
    assert rows.keys() == {"eve", "fred", "zoe"}
    assert rows["eve"] == "nothing is written yet"
    assert rows["zoe"] == "zoe.tar: is &#124; a &#96;zip&#96;"
    assert re.fullmatch(r"\w+: \S+\.py, line 1: .*SyntaxError.* \(\d+ of 25 problems\)", rows["fred"])


def test_who_has_begun_and_has_no_points_is_not_said_to_have_written_nothing(reports: Reports) -> None:
    problems = [dict(problem) for problem in reports["eve"]["problems"]]
    problems[3].update(status="failed", reason="forward(x) is None")
    begun = {"eve": {**reports["eve"], "problems": problems}}
    ((_, why),) = table(text_of(begun), "No points")
    assert why.startswith("not started: ")
    assert why.endswith(" of 25 problems)")


def test_a_class_of_full_points_has_none_of_these(reports: Reports) -> None:
    text = text_of({"anna": reports["anna"]})
    for title in ("Mistakes", "Findings, without points", "No points"):
        assert f"\n## {title}\n\nNone.\n" in f"{text}\n", title
    assert "Changes" not in text


def test_the_plot_is_shown_where_there_is_one(reports: Reports) -> None:
    assert "(overview.png)" not in text_of(reports)
    assert "(overview.png)" in text_of(reports, drawn=True)


def test_changes_since_an_earlier_run_are_listed(reports: Reports) -> None:
    before = {"anna": reports["anna"], "ben": reports["anna"], "gone": reports["eve"], "lost": reports["eve"]}
    after = {key: reports[key] for key in ("anna", "ben", "dora")}
    text = text_of(after, before)
    ((key, old, new, what),) = table(text, "Changes since the earlier run")
    assert (key, int(old), int(new)) == ("ben", MAX_TOTAL, reports["ben"]["total"])
    assert "ReLU Non-Linearity (derivative) 2 → 0" in what
    assert text.endswith("\n1 unchanged.\nNew: dora.\nGone: gone, lost.")


def test_a_problem_that_is_new_counts_as_0_before(reports: Reports) -> None:
    scores = {name: score for name, score in reports["anna"]["scores"].items() if name != "Momentum"}
    text = text_of({"anna": reports["anna"]}, {"anna": {**reports["anna"], "scores": scores}})
    assert table(text, "Changes since the earlier run")[0][3] == "Momentum 0 → 10"


def test_the_scores_are_a_row_a_handin(reports: Reports) -> None:
    rows = {row.pop("id"): row for row in csv.DictReader(io.StringIO(overview.scores(reports)))}
    assert rows.keys() == reports.keys()
    for key, report in reports.items():
        row = rows[key]
        assert [*row] == ["total", *NAMES, "status", "seconds", "grader"]
        assert int(row["total"]) == report["total"]
        assert {name: int(row[name]) for name in NAMES} == report["scores"]
        assert row["status"] == ("not graded" if key == "zoe" else "graded")
        assert (float(row["seconds"]), row["grader"]) == (report["seconds"], report["grader"])


def test_what_a_handin_says_stays_in_its_cell() -> None:
    assert overview.cell("a | b\n## <b> `c` [d](e)\x1b & f") == "a &#124; b ## &lt;b> &#96;c&#96; &#91;d](e) &amp; f"


def test_reports_are_read_back_and_what_is_none_is_left_out(reports: Reports, tmp_path: Path) -> None:
    (tmp_path / "anna.json").write_text(json.dumps(reports["anna"]), encoding="utf-8")
    for name, text in {"ben.json": "{", "carl.json": "{}", "dora.json": "[]", "notes.txt": "{}"}.items():
        (tmp_path / name).write_text(text)
    assert overview.read(tmp_path) == {"anna": reports["anna"]}
    with pytest.raises(OSError, match="no such folder; give the --out of an earlier run"):
        overview.read(tmp_path / "none")


def test_without_matplotlib_the_plot_is_left_out_with_a_line(
    reports: Reports, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("matplotlib", "matplotlib.figure"):
        monkeypatch.setitem(sys.modules, name, None)
    overview.write(tmp_path, reports, None)
    assert {path.name for path in tmp_path.iterdir()} == {"scores.csv", "overview.md"}
    assert capsys.readouterr().err == "the plot is left out: matplotlib is not installed\n"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # between matplotlib and its dependencies
def test_with_matplotlib_there_is_a_plot(reports: Reports, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib, which draws it, is not installed")
    overview.write(tmp_path, reports, None)
    assert (tmp_path / "overview.png").read_bytes().startswith(b"\x89PNG")
    assert "(overview.png)" in (tmp_path / "overview.md").read_text(encoding="utf-8")
