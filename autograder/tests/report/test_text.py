"""Columns and colours: what a terminal shows fits into it, and a file or a pipe gets neither colours nor long lines."""

from __future__ import annotations

import io
import re
from typing import Callable

import pytest

from grading.run import Run, Verdict
from homework.problems import PROBLEMS
from report import table, text, watch


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def run(mistaken: Callable[..., Run]) -> Run:
    """Faults, a run of many problems behind them, and problems that pass."""
    return mistaken("softmax_no_keepdims", "db_row", "tanh_derivative_sign", "forward_never_advances")


@pytest.mark.parametrize(("columns", "width"), [("20", 40), ("60", 60), ("80", 80), ("300", 100)])
def test_every_line_fits_into_the_terminal(
    columns: str, width: int, run: Run, mistaken: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setenv("NO_COLOR", "1")
    shown = Terminal()
    table.table(run, shown)
    watch.show(run, mistaken(), shown, whole=False)
    page = re.sub(r"\033\[\w+", "", shown.getvalue())  # what empties the screen
    lines = [line for line in page.splitlines() if not line.startswith("Grading ")]  # which is a path
    assert max(map(len, lines)) <= width
    assert sum(len(line) > width - 12 for line in lines) > 5, "and it is used"


def test_every_line_of_a_file_fits_into_80_columns(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    shown = io.StringIO()
    table.table(run, shown)
    lines = [line for line in shown.getvalue().splitlines() if not line.startswith("Grading ")]
    assert 60 < max(map(len, lines)) <= 80
    assert "\033" not in shown.getvalue()


def test_on_a_terminal_a_status_has_its_colour(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    colours = {"passed": 32, "waiting": 33, "not started": 90, "failed": 31, "error": 31, "timeout": 31}
    shown = Terminal()
    table.table(run, shown)
    assert "\033[31mTanh Non-Linearity (derivative), section" in shown.getvalue()
    before = Run("", {problem.key: Verdict(problem, "") for problem in PROBLEMS})
    after = Run("", {problem.key: Verdict(problem, status) for problem, status in zip(PROBLEMS, colours)})
    watch.show(after, None, shown, whole=False)
    watch.show(after, before, shown, whole=False)
    for problem, (status, colour) in zip(PROBLEMS, colours.items()):
        row = rf"^  {re.escape(problem.name)} +\d+ / \d+ +\033\[{colour}m{status}\033\[0m$"
        assert re.search(row, shown.getvalue(), re.MULTILINE), status
        assert f"  {problem.name}:  -> \033[{colour}m{status}\033[0m\n" in shown.getvalue()


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_who_wants_no_colours_gets_none(name: str, value: str, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv(name, value)
    shown = Terminal()
    table.table(run, shown)
    assert "\033" not in shown.getvalue()


@pytest.mark.parametrize(
    ("count", "shown"),
    [(1, "| 1"), (5, "| 1 2 3 4 5"), (8, "| 1 2 3 4 5 … 3 more lines")],
)
def test_of_what_is_printed_a_few_lines_are_kept(count: int, shown: str) -> None:
    assert " ".join(["|", *text.excerpt("".join(f"{line}\n" for line in range(1, count + 1)))]) == shown


def test_a_text_is_cut_after_whole_parts_and_the_first_of_several_gets_what_the_others_leave() -> None:
    parts = [f"part {number} of it says a little more than the others do; " * 2 for number in range(9)]
    assert text.fitting("".join(parts).rstrip("; "), 2).endswith("the others do.")
    assert text.lines(text.fitting("".join(parts), 2)) == 2
    assert text.fitting("word " * 99, 2).endswith(" …")
    long, short = "".join(parts), "A short one."
    assert text.shortened([long, short], 4) == [text.fitting(long, 3), short]
    assert text.shortened([short, long], 4) == [short, text.fitting(long, 3)]
