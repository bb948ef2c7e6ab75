"""A file of any name is found as plain Python finds it, with the two folders at the end of the path."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from handins import GRADER, MAX_TOTAL, Files, grade, report, solution, write

# fmt: off
LIBRARY = [  # loaded before a submission is, by NumPy, by the grader, or by nobody
    "abc", "argparse", "array", "ast", "base64", "bisect", "calendar", "cmath", "code", "codecs", "collections", "copy",
    "csv", "datetime", "decimal", "difflib", "dis", "enum", "fractions", "functools", "glob", "hashlib", "heapq", "io",
    "inspect", "itertools", "json", "keyword", "linecache", "logging", "math", "numbers", "operator", "os", "pathlib",
    "pickle", "platform", "pprint", "queue", "random", "re", "secrets", "shutil", "signal", "statistics", "string",
    "struct", "sys", "tempfile", "test", "textwrap", "threading", "time", "token", "types", "typing", "warnings",
]
# fmt: on
ROOMS = sorted(path.name for path in GRADER.iterdir() if (path / "__init__.py").exists())
OURS = sorted({path.stem for path in GRADER.rglob("*.py")} - {"__init__", "test"} | {*ROOMS})
OTHERS = ["helper", "utils", "layers", "numpy", "pytest", "gradescope"]
NAMES = [*LIBRARY, *OURS, *OTHERS]


def with_files(content: str) -> Files:
    """The solution with a file of every name, in the one folder or the other."""
    folders = ("mytorch", "hw1")
    return {**solution(), **{f"{folders[i % 2]}/{name}.py": content.encode() for i, name in enumerate(NAMES)}}


def test_there_are_fifty_of_the_librarys_and_all_of_the_graders() -> None:
    assert len(LIBRARY) >= 50
    assert {"gradients", "exercises", "wire", "guard", "child", "grading", "homework", "report", "serve"} <= {*OURS}


def test_files_of_these_names_cost_nothing(tmp_path: Path) -> None:
    run = report(write(with_files("1 / 0\n"), tmp_path))
    assert (run.total, run.findings) == (MAX_TOTAL, [])


WHERE = """
import importlib


def question_3():
    found = {}
    for name in NAMES:
        try:
            found[name] = hasattr(importlib.import_module(name), "MINE")
        except Exception as error:
            found[name] = type(error).__name__
    print("".join("m" if found[name] is True else "." if found[name] is False else "!" for name in NAMES))
    return "a"
"""


@pytest.mark.parametrize("order", ["as listed", "reversed"])
def test_each_is_found_as_by_plain_python(order: str, tmp_path: Path) -> None:
    names = NAMES if order == "as listed" else NAMES[::-1]
    files = with_files("MINE = True\n")
    files["hw1/mc.py"] += f"\n\nNAMES = {names!r}\n{WHERE}".encode()
    root = write(files, tmp_path)
    plain = f"import sys; sys.path += [{str(root / 'mytorch')!r}, {str(root / 'hw1')!r}]; import mc; mc.question_3()"
    done = subprocess.run([sys.executable, "-I", "-c", plain], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    expected = dict(zip(names, done.stdout.strip()))
    expected["pytest"] = "m"  # which a submission does not have, unless it brings it along
    printed = grade(root).verdicts["multiple_choice"].printed.strip()
    assert dict(zip(names, printed)) == expected
    assert all(expected[name] == "m" for name in OURS)
    assert not any(expected[name] == "m" for name in LIBRARY)


def test_a_helper_of_any_name_that_the_library_lacks_may_be_used(tmp_path: Path) -> None:
    files = with_files("VALUE = 0\n")
    imports = "".join(f"from {name} import VALUE as {name}_value\n" for name in OURS)
    for file in ("mytorch/linear.py", "hw1/hw1.py", "hw1/mc.py"):
        files[file] += imports.encode()
    result = grade(write(files, tmp_path))
    assert (result.score, result.findings) == (MAX_TOTAL, [])


@pytest.mark.parametrize(
    "line", ["import random", "from random import seed", "import os, random", "    import random as r"]
)
def test_a_file_that_hides_behind_the_librarys_is_told(line: str, tmp_path: Path) -> None:
    files = {**solution(), "mytorch/random.py": b"def seed(): pass\n", "hw1/bisect.py": b""}
    files["mytorch/linear.py"] += f"\n\nif True:\n    pass\n{'if True:' if line[0] == ' ' else ''}\n{line}\n".encode()
    run = report(write(files, tmp_path))
    assert run.total == MAX_TOTAL
    told = [remark for remark in run.remarks if "standard library" in remark]
    assert told == ["`import random` finds the standard library's random: give mytorch/random.py another name"]
