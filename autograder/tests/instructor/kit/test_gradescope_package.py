"""The Gradescope zip, run in a folder laid out like Gradescope's: submission in, results.json out."""

from __future__ import annotations

import gzip
import io
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from handins import MAX_TOTAL, PROBLEMS, ROOT, files_of, tar_of, write
from kit import gradescope_package
from report.formats import VISIBILITIES

needs_bash = pytest.mark.skipif(shutil.which("bash") is None, reason="Gradescope's scripts are for bash")


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """Gradescope's /autograder: the zip unpacked in `source`, and an empty submission."""
    base = tmp_path / "autograder"
    write(gradescope_package.package("hidden"), base / "source")
    (base / "submission").mkdir()
    return base


def bash(script: Path, base: Path, commands: dict[str, str]) -> str:
    """Run a script of the package's as Gradescope does, with these commands in the place of the system's."""
    folder = base.parent / "bin"
    folder.mkdir()
    for name, line in commands.items():
        (folder / name).write_text(f"#!/bin/sh\n{line}\n", encoding="utf-8")
        (folder / name).chmod(0o755)
    environment = {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}", "AUTOGRADER_BASE": str(base)}
    done = subprocess.run(["bash", script], cwd=base, env=environment, capture_output=True, timeout=170)
    assert (done.returncode, done.stdout) == (0, b"")
    return done.stderr.decode()


@needs_bash
def test_a_full_submission_gets_full_points(base: Path) -> None:
    write({"handin.tgz": gzip.compress(tar_of(files_of()))}, base / "submission")
    assert bash(base / "source" / "run_autograder", base, {"python3": f'exec {shlex.quote(sys.executable)} "$@"'}) == ""
    results = json.loads((base / "results" / "results.json").read_text(encoding="utf-8"))
    assert results["output"] == "" or re.fullmatch("this system can't enforce a limit on .*", results["output"])
    assert results["visibility"] == "hidden"
    assert [(test["name"], test["max_score"]) for test in results["tests"]] == [(p.name, p.points) for p in PROBLEMS]
    assert sum(test["score"] for test in results["tests"]) == MAX_TOTAL


@needs_bash
@pytest.mark.parametrize(
    ("submission", "graded"),
    [
        (["handin.tar"], "handin.tar"),
        (["handin.tar.gz"], "handin.tar.gz"),
        (["my handin.tgz", "README.md"], "my handin.tgz"),
        (["hw1/hw1.py", "mytorch/linear.py"], ""),
        ([], ""),
    ],
)
def test_what_is_graded_is_the_tar_or_the_folder(submission: list[str], graded: str, base: Path) -> None:
    write(dict.fromkeys(submission, b""), base / "submission")
    bash(base / "source" / "run_autograder", base, {"python3": 'printf "%s\\n" "$@" >arguments'})
    assert (base / "arguments").read_text(encoding="utf-8").splitlines() == [
        str(base / "source" / "grader" / "autograder" / "hw1_autograder" / "runner.py"),
        *("--submission", os.path.join(base, "submission", graded).rstrip(os.sep)),
        *("--against", str(base / "source" / "solution"), "--seed", "handin"),
        *("--format", "gradescope", "--visibility", "hidden", "--out", str(base / "results" / "results.json")),
    ]


@pytest.mark.parametrize("visibility", VISIBILITIES)
def test_the_tests_are_as_visible_as_the_package_was_asked_for(visibility: str) -> None:
    script = gradescope_package.package(visibility)["run_autograder"].decode()
    assert f"--format gradescope --visibility {visibility} " in script
    assert "{" not in script.replace("${", "")


@needs_bash
@pytest.mark.parametrize("old_pip", [True, False])
def test_setup_installs_what_the_grader_needs(old_pip: bool, base: Path) -> None:
    refuses = "" if old_pip else '\n[ "$2" = --break-system-packages ]'
    commands = {"apt-get": 'echo "apt-get $*" >>log', "pip3": f'echo "pip3 $*" >>log{refuses}'}
    assert bash(base / "source" / "setup.sh", base, commands) == ""
    requirements = base / "source" / "requirements.txt"
    lines = ["apt-get update", "apt-get install -y python3 python3-pip", f"pip3 install -r {requirements}"]
    again = [] if old_pip else [f"pip3 install --break-system-packages -r {requirements}"]
    assert (base / "log").read_text(encoding="utf-8").splitlines() == lines + again


def test_what_it_installs_is_what_the_project_needs() -> None:
    setup = (ROOT / "setup.py").read_text(encoding="utf-8")
    assert all(f'"{line}"' in setup for line in gradescope_package.REQUIREMENTS.splitlines())


def test_the_zip_holds_the_files_its_scripts_can_be_run_and_it_is_the_same_each_time() -> None:
    files: dict[str, Any] = gradescope_package.package("visible")
    packed = gradescope_package.archive(files)
    with zipfile.ZipFile(io.BytesIO(packed)) as zipped:
        assert {name: zipped.read(name) for name in zipped.namelist()} == files
        modes = {name: zipped.getinfo(name).external_attr >> 16 & 0o777 for name in zipped.namelist()}
    assert {name for name, mode in modes.items() if mode == 0o755} == {"setup.sh", "run_autograder"}
    assert {*modes.values()} == {0o755, 0o644}
    assert gradescope_package.archive(gradescope_package.package("visible")) == packed
