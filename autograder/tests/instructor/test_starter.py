"""The command that writes the starter, and the starter in use."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

import starter
from handins import MAX_TOTAL, PROBLEMS, report
from homework.problems import TO_WRITE


def test_it_grades_0_points_all_not_started(starter_folder: Path) -> None:
    run = report(starter_folder)
    assert (run.total, run.max_total, run.findings) == (0, MAX_TOTAL, [])
    assert [verdict.status for verdict in run.verdicts.values()] == ["not started"] * len(PROBLEMS)


def test_its_own_grader_runs_and_names_the_first_problem(starter_folder: Path) -> None:
    command = [sys.executable, "-B", "autograder/hw1_autograder/runner.py"]
    done = subprocess.run(command, cwd=starter_folder, capture_output=True, encoding="utf-8", timeout=120)
    assert (done.returncode, done.stderr) == (1, "")
    assert f"0 / {MAX_TOTAL}" in done.stdout
    assert "Next: Sigmoid Non-Linearity (forward), 2 points, section 3.1.1" in done.stdout


@pytest.mark.skipif(not (shutil.which("sh") and shutil.which("tar")), reason="it packs with sh and tar")
def test_its_create_tarball_packs_it(starter_folder: Path, tmp_path: Path) -> None:
    for name in ("hw1", "mytorch"):
        shutil.copytree(starter_folder / name, tmp_path / name)
    shutil.copy(starter_folder / "create_tarball.sh", tmp_path)
    subprocess.run(["sh", "create_tarball.sh"], cwd=tmp_path, check=True, capture_output=True, timeout=60)
    with tarfile.open(tmp_path / "handin.tar") as tar:
        assert len(tar.getnames()) == 7


def test_it_is_small_and_the_command_says_what_it_wrote(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert starter.main(["--out", str(tmp_path / "out")]) == 0
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 14e6
    line = capsys.readouterr().out
    assert re.search(rf": {len(files)} files, 1[0-3]\.\d MB; {len(TO_WRITE)} bodies to write$", line)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_why_there_is_no_starter_is_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    assert starter.main(["--out", str(tmp_path)]) == 2
    assert capsys.readouterr().err == f"starter.py: {tmp_path} is not an empty folder: nothing was written\n"
    assert starter.main(["--out", str(tmp_path / "mine.txt" / "below")]) == 2
    assert capsys.readouterr().err.startswith("starter.py: ")
    assert os.listdir(tmp_path) == ["mine.txt"]
