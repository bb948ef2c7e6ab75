"""A class on paper, from the JSON report of each handin: scores.csv, and overview.md with a plot beside it."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from statistics import mean, median
from typing import Any

from homework.problems import MAX_TOTAL, PROBLEMS
from sandbox.ending import write_whole

Reports = dict[str, dict[str, Any]]  # by the handin's id
GROUPS = {"passed": "#4c9f70", "not started": "#d0d0d0", "failed": "#d1495b"}  # of the statuses, for table and plot


def read(folder: Path) -> Reports:
    """Return the reports of a run; one that is no report is left out, as if it had never been made."""
    if not folder.is_dir():
        raise OSError(f"{folder}: no such folder; give the --out of an earlier run")
    reports = {}
    for path in sorted(folder.glob("*.json")):
        try:
            report = json.loads(path.read_bytes())
            if {"scores", "problems", "findings", "graded"} <= report.keys():
                reports[path.stem] = report
        except (ValueError, AttributeError):
            continue
    return reports


def write(folder: Path, reports: Reports, before: Reports | None) -> None:
    """Write scores.csv, overview.md, and overview.png where matplotlib is installed."""
    drawn = draw(reports)
    if drawn:
        write_whole(folder / "overview.png", drawn)
    else:
        print("the plot is left out: matplotlib is not installed", file=sys.stderr)
    write_whole(folder / "scores.csv", scores(reports).encode(errors="replace"))
    text = "\n".join(overview(reports, before, bool(drawn))) + "\n"
    write_whole(folder / "overview.md", text.encode(errors="replace"))


def scores(reports: Reports) -> str:
    """A row a handin: its id, total, a column a problem, whether it was graded, seconds, the grader's version."""
    text = io.StringIO()
    names = [problem.name for problem in PROBLEMS]
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["id", "total", *names, "status", "seconds", "grader"])
    for key, report in reports.items():
        points = [report["scores"][name] for name in names]
        status = "graded" if report["graded"] else "not graded"
        table.writerow([key, report["total"], *points, status, report["seconds"], report["grader"]])
    return text.getvalue()


def overview(reports: Reports, before: Reports | None, drawn: bool) -> Iterator[str]:
    """The lines of overview.md."""
    totals = [report["total"] for report in reports.values() if report["graded"]]
    yield f"# {len(reports)} handins, {len(totals)} of them graded"
    yield ""
    if totals:
        figures = f"mean {mean(totals):.1f}, median {median(totals):g}, {totals.count(MAX_TOTAL)} have all"
        yield f"Of {MAX_TOTAL} points: {figures}."
    yield f"Graded by {', '.join(sorted({report['grader'] for report in reports.values()}))}."
    yield from section("Problems", ["problem", "points", *GROUPS], problems(reports))
    if drawn:
        yield from ["", "![how many passed each problem](overview.png)"]
    yield from section("Mistakes", ["mistake", "what it is", "handins", "which"], mistakes(reports))
    yield from section("Findings, without points", ["finding", "handins", "which"], findings(reports))
    yield from section("No points", ["handin", "why"], without_points(reports))
    if before is not None:
        yield from changes(before, reports)


def problems(reports: Reports) -> list[list[Any]]:
    counted = counts(reports)
    return [[p.name, p.points, *(counted[p.name][group] for group in GROUPS)] for p in PROBLEMS]


def counts(reports: Reports) -> dict[str, Counter[str]]:
    """How many of the handins that were graded passed, have not started and have failed each problem."""
    counted: dict[str, Counter[str]] = {problem.name: Counter() for problem in PROBLEMS}
    for report in reports.values():
        for problem in report["problems"] if report["graded"] else []:
            counted[problem["name"]][problem["status"] if problem["status"] in GROUPS else "failed"] += 1
    return counted


def mistakes(reports: Reports) -> list[list[Any]]:
    """The mistakes that the reports name, the most frequent first."""
    texts: dict[str, str] = {}
    handins: dict[str, list[str]] = {}
    for key, report in reports.items():
        hints = [hint for part in (*report["problems"], *report["findings"]) for hint in part["hints"]]
        for hint in {hint["mistake"]: hint for hint in hints}.values():
            texts[hint["mistake"]] = f"{hint['text']} ({hint['section']})"
            handins.setdefault(hint["mistake"], []).append(key)
    return [[name, texts[name], len(keys), ids(keys)] for name, keys in most_first(handins)]


def findings(reports: Reports) -> list[list[Any]]:
    handins: dict[str, list[str]] = {}
    for key, report in reports.items():
        for title in dict.fromkeys(finding["title"] for finding in report["findings"]):
            handins.setdefault(title, []).append(key)
    return [[title, len(keys), ids(keys)] for title, keys in most_first(handins)]


def most_first(handins: dict[str, list[str]]) -> list[tuple[str, list[str]]]:
    return sorted(handins.items(), key=lambda item: (-len(item[1]), item[0]))


def without_points(reports: Reports) -> list[list[Any]]:
    """Who got no point, and why: what kept it from being graded, or what most problems say."""
    rows = []
    for key, report in reports.items():
        if report["total"]:
            continue
        reasons = Counter(f"{problem['status']}: {problem['reason']}" for problem in report["problems"])
        reason, count = reasons.most_common(1)[0]
        begun = any(problem["status"] != "not started" for problem in report["problems"])
        why = f"{reason} ({count} of {len(PROBLEMS)} problems)" if begun else "nothing is written yet"
        rows.append([key, report["failure"] or why])
    return rows


def changes(before: Reports, after: Reports) -> Iterator[str]:
    """What differs from an earlier run: totals and problems of those in both, who is new, and who is gone."""
    rows = []
    for key in (key for key in after if key in before):
        old, new = before[key]["scores"], after[key]["scores"]
        parts = [f"{name} {old.get(name, 0)} → {new.get(name, 0)}" for name in {**old, **new}]
        differ = [part for part, name in zip(parts, {**old, **new}) if old.get(name) != new.get(name)]
        if differ:
            rows.append([key, before[key]["total"], after[key]["total"], ", ".join(differ)])
    yield from section("Changes since the earlier run", ["handin", "before", "now", "what"], rows)
    yield ""
    yield f"{sum(key in before for key in after) - len(rows)} unchanged."
    for word, keys in (("New", after.keys() - before.keys()), ("Gone", before.keys() - after.keys())):
        if keys:
            yield f"{word}: {cell(ids(sorted(keys)))}."


def section(title: str, heads: list[str], rows: list[list[Any]]) -> Iterator[str]:
    """A title, and a table below it."""
    yield from ["", f"## {title}", ""]
    if not rows:
        yield "None."
        return
    yield f"| {' | '.join(heads)} |"
    yield "|---" * len(heads) + "|"
    for row in rows:
        yield f"| {' | '.join(cell(value) for value in row)} |"


def cell(value: Any) -> str:
    """A text of anybody's as one cell of a table."""
    text = " ".join("".join(c if c.isprintable() else " " for c in str(value)).split())
    for c, name in (("&", "&amp;"), ("<", "&lt;"), ("|", "&#124;"), ("`", "&#96;"), ("[", "&#91;")):
        text = text.replace(c, name)
    return text


def ids(keys: Iterable[str]) -> str:
    return ", ".join(keys)


def draw(reports: Reports) -> bytes:
    """A bar a problem: how many passed, have not started and have failed it. Nothing without matplotlib."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return b""
    counted = counts(reports)
    figure = Figure(figsize=(9, 0.3 * len(counted) + 1.2), layout="constrained")
    axes = figure.add_subplot()
    left = [0] * len(counted)
    for group, colour in GROUPS.items():
        widths = [counted[name][group] for name in counted]
        bars = axes.barh(list(counted), widths, left=left, color=colour, label=group)
        axes.bar_label(bars, [str(width or "") for width in widths], label_type="center", fontsize="small")
        left = [a + b for a, b in zip(left, widths)]
    axes.invert_yaxis()
    axes.margins(x=0, y=0.01)
    axes.set_xlabel("handins")
    figure.legend(loc="outside upper center", ncols=len(GROUPS), frameon=False)
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=120)
    return content.getvalue()
