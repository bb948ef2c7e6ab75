"""A server gets the grader and the solution, and nothing of the staff's."""

from __future__ import annotations

from handins import ROOT, solution
from kit import bundle


def test_a_server_gets_the_grader_with_its_data_and_the_solution() -> None:
    files = bundle.files()
    grader = set((ROOT / "autograder" / "hw1_autograder").rglob("*.py"))
    data = {path for path in (ROOT / "data").iterdir() if path.name.startswith("hw1_") or path.name == "SHA256SUMS"}
    assert files == {
        **{f"grader/{path.relative_to(ROOT).as_posix()}": path.read_bytes() for path in grader | data},
        **{f"solution/{name}": content for name, content in solution().items()},
    }
