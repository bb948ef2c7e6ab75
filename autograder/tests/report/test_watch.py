"""Watch mode shows what a change has changed, a line for each fault, and then the page."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Callable

import pytest

from grading.run import Run
from handins import report, solution, with_mistakes
from report import watch
from sandbox.process import GraderError


def test_a_file_that_cannot_be_read_is_one_line(mistaken: Callable[..., Run], tmp_path: Path) -> None:
    before = mistaken()
    (with_mistakes(tmp_path) / "mytorch" / "loss.py").write_text("def broken(:\n")
    after = report(tmp_path)
    ((line, status),) = watch.changes(after, before)
    assert re.fullmatch(r".* and 15 more: passed -> error", line)
    assert status == "error"
    ((line, status),) = watch.changes(before, after)
    assert line.endswith(" and 15 more: error -> passed")
    assert watch.changes(before, before) == []


def test_after_a_change_the_points_and_the_changes_are_shown_and_no_table(mistaken: Callable[..., Run]) -> None:
    out = io.StringIO()
    watch.show(mistaken(), mistaken("tanh_derivative_sign"), out, whole=False)
    watch.show(mistaken(), mistaken(), out, whole=False)
    first, _, second = out.getvalue().partition("All points.")
    assert re.search(r"\d\d:\d\d:\d\d  95 of 95 points, \+2 since the last time\n", first)
    assert "\n  Tanh Non-Linearity (derivative): failed -> passed\n" in first
    assert "  95 of 95 points, +0 since the last time\n\n  No problem changed its status.\n" in second
    assert "Total" not in out.getvalue()


@pytest.mark.parametrize("whole", [False, True])
def test_it_says_at_once_that_it_grades_and_honours_v(
    whole: bool, mistaken: Callable[..., Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "PAUSE", 0.001)
    out, file, seen = io.StringIO(), tmp_path / "hw1" / "mc.py", []
    file.parent.mkdir()

    def grade() -> Run:
        seen.append(out.getvalue())
        file.write_bytes(b"\n" * len(seen))
        if len(seen) == 2:
            raise GraderError("the references can't be read")
        if len(seen) == 3:
            raise KeyboardInterrupt
        return mistaken("dW_summed")

    with pytest.raises(KeyboardInterrupt):
        watch.watch(str(tmp_path), grade, whole, out)
    assert all(text.endswith(f"Grading {tmp_path} …\n") for text in seen)
    assert ("# The exercise" in out.getvalue()) == whole
    assert "nothing could be graded: the references can't be read\n" in out.getvalue()
    assert out.getvalue().count(f"Watching {tmp_path} (Ctrl-C ends it) …") == 2


def test_a_change_of_any_file_of_the_submission_is_seen_and_of_no_other(tmp_path: Path) -> None:
    with_mistakes(tmp_path)
    before = watch.stamps(str(tmp_path))
    assert len(before) == len(solution())
    for name in ("hw1/notes.txt", "hw1/__pycache__/x.py", "hw1/.hidden/x.py", "data/x.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"1")
    assert watch.stamps(str(tmp_path)) == before
    (tmp_path / "mytorch" / "helper.py").write_bytes(b"1")
    assert watch.stamps(str(tmp_path)) != before
    assert len(watch.stamps(str(tmp_path / "mytorch" / "helper.py"))) == 1, "a tar is one file"
