"""The grader's version names the code and the data that decide a report, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from grading import version


def test_the_version_follows_the_grader_and_its_data_and_not_the_submission(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(version, "ROOT", str(tmp_path))
    files = ["autograder/hw1_autograder/runner.py", "autograder/hw1_autograder/homework/cases.py"]
    files += ["data/hw1_mistakes.npz", "data/mnist.npz", "mytorch/linear.py", "hw1/hw1.py"]
    seen = []
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"1")
        seen.append(version.version())
    assert len(set(seen)) == len(set(seen[:3])) == 3
    (tmp_path / files[1]).write_bytes(b"2")
    assert version.version() not in seen
    assert all(re.fullmatch(r"1\.\d-[0-9a-f]{8}", text) for text in seen)
