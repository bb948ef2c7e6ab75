"""A class at once: its table is that of single runs, its overview counts right, and a killed run is completed.

A class of 12 by default, of any other size by `CLASS=60 python3 -m pytest autograder/tests/test_regrade.py`.
"""

from __future__ import annotations

import csv
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import handout
import overview
import regrade
from handins import MAX_TOTAL, PROBLEMS, ROOT, Files, body, command, content, solution, top, without, write
from mistakes import MISTAKES, apply

SIZE = int(os.environ.get("CLASS", "12"))
REGRADE = ROOT / "autograder" / "instructor" / "regrade.py"
NAMES = [problem.name for problem in PROBLEMS]

# Each takes the solution's files and changes them.
HOSTILE: list[Callable[[Files], None]] = [
    top("hw1/hw1.py", "import os\nos._exit(0)"),
    body("Sigmoid.forward", "print('{\"scores\": {}}')\nreturn args[0].sigmoid(args[1])"),
    body("Tanh.forward", "raise ValueError('| ` <b> [x](y) \\n\\x1b[31m')"),
    body("question_2", "return __import__('sys').exit(3)"),
    body("ReLU.derivative", "return ReLU.derivative(*args)"),
    content("mytorch/linear.py", b"\x00\xff"),
    without("hw1/hw1.py"),
]


def made_class(folder: Path, size: int) -> None:
    """Write a class by a fixed seed: right, begun, wrong in one or two ways, hostile and damaged; in three layouts."""
    draw = random.Random(size)
    kinds = ["right", "mistake", "pair", "hostile", "damaged", "mistake", "starter", "mistake", "pair"]
    for i in range(size):
        kind, files = kinds[i % len(kinds)], solution()
        if kind == "starter":
            files = {name: data for name, data in handout.starter().items() if name.startswith(("hw1/", "mytorch/"))}
        for mistake in draw.sample(MISTAKES, {"mistake": 1, "pair": 2}.get(kind, 0)):
            files = apply(mistake, files)
        if kind == "hostile":
            HOSTILE[i // len(kinds) % len(HOSTILE)](files)
        hand_in(files, folder, f"student{i:02}", ("autolab", "tar.gz", "folder", "gradescope")[i % 4])
        if kind == "damaged":
            damage(next(folder.glob(f"*student{i:02}*")), i // len(kinds))
    (folder / "submission_metadata.yml").write_text("---\n")


def hand_in(files: Files, folder: Path, name: str, layout: str) -> None:
    if layout == "folder":
        write(files, folder / name)
        return
    path = {
        "autolab": folder / f"{name}@cs.edu_3_handin.tar",
        "tar.gz": folder / f"{name}.tar.gz",
        "gradescope": folder / f"submission_{name}" / "handin.tar",
    }[layout]
    source = write(files, folder / f".{name}")
    path.parent.mkdir(exist_ok=True)
    with tarfile.open(path, "w:gz" if layout == "tar.gz" else "w") as tar:
        for part in ("hw1", "mytorch"):
            tar.add(source / part, part)
    shutil.rmtree(source)


def damage(path: Path, way: int) -> None:
    """Cut a handin off, or leave nothing of it."""
    if path.is_dir():
        shutil.rmtree(path)
        path.mkdir()
    else:
        data = path.read_bytes()
        path.write_bytes(data[: len(data) // 2] if way % 2 else b"sorry")


def run(folder: Path, out: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return command(
        str(folder), "--out", str(out), *arguments, name="regrade.py", grader=REGRADE.parent, python=(), **environment
    )


def rows(out: Path) -> dict[str, dict[str, str]]:
    with open(out / "scores.csv", encoding="utf-8", newline="") as file:
        return {row.pop("id"): row for row in csv.DictReader(file)}


def without_times(out: Path) -> dict[str, dict[str, str]]:
    return {key: {name: value for name, value in row.items() if name != "seconds"} for key, row in rows(out).items()}


def table(out: Path, title: str) -> list[list[str]]:
    """The rows of the table below this title of the overview."""
    part = (out / "overview.md").read_text(encoding="utf-8").partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    lines = [line for line in part.splitlines() if line.startswith("| ")]
    return [line.strip("| ").split(" | ") for line in lines[1:]]


@pytest.fixture(scope="module")
def handins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("class")
    made_class(folder, SIZE)
    return folder


@pytest.fixture(scope="module")
def graded(handins: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("out") / "new" / "folder"
    done = run(handins, out)
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, "left out: submission_metadata.yml")
    assert f"{SIZE} handins, {SIZE} of them graded now" in done.stdout
    return out


@pytest.fixture(scope="module")
def single(handins: Path) -> dict[str, dict[str, Any]]:
    """The JSON report of each handin, by a run of its own."""
    found = {}
    for key, path in regrade.handins(handins, handins)[0].items():
        options = ["--against", str(ROOT), "--seed", "handin", "--format", "json"]
        found[key] = json.loads(command("--submission", str(path), *options).stdout)
    return found


def test_every_kind_is_in_the_class(single: dict[str, dict[str, Any]]) -> None:
    assert len(single) == SIZE
    totals = [report["total"] for report in single.values()]
    assert MAX_TOTAL in totals
    assert any(not report["graded"] for report in single.values())
    assert any(problem["hints"] for report in single.values() for problem in report["problems"])
    assert 0 < sum(totals) < SIZE * MAX_TOTAL


def test_the_table_has_the_scores_of_single_runs(graded: Path, single: dict[str, dict[str, Any]]) -> None:
    found = rows(graded)
    assert found.keys() == single.keys()
    for key, report in single.items():
        row = found[key]
        assert list(row) == ["total", *NAMES, "status", "seconds", "grader"]
        assert int(row["total"]) == report["total"]
        assert {name: int(row[name]) for name in NAMES} == report["scores"]
        assert row["status"] == ("graded" if report["graded"] else "not graded")
        assert (row["grader"], float(row["seconds"]) > 0) == (report["grader"], report["graded"])


def test_the_reports_are_those_of_single_runs(graded: Path, single: dict[str, dict[str, Any]]) -> None:
    for key, report in single.items():
        found = json.loads((graded / "reports" / f"{key}.json").read_text())
        assert (found["handin"], found["seed"]) == (report["handin"], report["seed"])
        for one, other in zip(found["problems"], report["problems"]):
            assert (one["status"], one["hints"]) == (other["status"], other["hints"])


def test_the_overview_counts_what_single_runs_show(graded: Path, single: dict[str, dict[str, Any]]) -> None:
    problems = [problem for report in single.values() if report["graded"] for problem in report["problems"]]
    passed = Counter(problem["name"] for problem in problems if problem["status"] == "passed")
    unstarted = Counter(problem["name"] for problem in problems if problem["status"] == "not started")
    count = len(problems) // len(PROBLEMS)
    first = (graded / "overview.md").read_text(encoding="utf-8").splitlines()[0]
    assert first == f"# {SIZE} handins, {count} of them graded"
    for name, points, right, unbegun, wrong in table(graded, "Problems"):
        assert int(points) == next(problem.points for problem in PROBLEMS if problem.name == name)
        assert (int(right), int(unbegun)) == (passed[name], unstarted[name])
        assert int(right) + int(unbegun) + int(wrong) == count
    shown: dict[str, set[str]] = {}
    for key, report in single.items():
        for part in (*report["problems"], *report["findings"]):
            for hint in part["hints"]:
                shown.setdefault(hint["mistake"], set()).add(key)
    listed = table(graded, "Mistakes")
    assert {row[0]: set(row[3].split(", ")) for row in listed} == shown
    assert [int(row[2]) for row in listed] == sorted((len(keys) for keys in shown.values()), reverse=True)
    nothing = {key for key, report in single.items() if report["total"] == 0}
    assert {row[0] for row in table(graded, "No points")} == nothing
    assert all(why for _, why in table(graded, "No points"))


def test_what_a_handin_says_stays_in_its_cell() -> None:
    assert overview.cell("a | b\n## <b> `c` [d](e)\x1b") == "a &#124; b ## &lt;b> &#96;c&#96; &#91;d](e)"


def test_a_run_killed_in_the_middle_is_completed_by_a_second(handins: Path, graded: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    process = subprocess.Popen([sys.executable, str(REGRADE), str(handins), "--out", str(out)], start_new_session=True)
    end = time.monotonic() + 60
    while len(list(out.glob("reports/*.json"))) < 3 and time.monotonic() < end:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(timeout=20)
    assert not (out / "scores.csv").exists()
    done = run(handins, out)
    counted = re.search(rf"{SIZE} handins, (\d+) of them graded now", done.stdout)
    assert counted
    assert int(counted[1]) <= SIZE - 3 + sum(row["status"] != "graded" for row in rows(out).values())
    assert without_times(out) == without_times(graded)


def test_an_interrupted_run_says_that_it_can_go_on(handins: Path, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, str(REGRADE), str(handins), "--out", str(tmp_path)],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    end = time.monotonic() + 60
    while not list(tmp_path.glob("reports/*.json")) and time.monotonic() < end:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)
    assert process.communicate(timeout=60)[1].endswith("interrupted: start it again, and it goes on from here\n")
    assert process.returncode == 130


@pytest.fixture
def pair(tmp_path: Path) -> Path:
    folder = tmp_path / "handins"
    for name in ("anna", "ben"):
        hand_in(solution(), folder, name, "folder")
    return folder


def test_only_what_has_changed_is_graded_again_and_the_changes_are_told(pair: Path, tmp_path: Path) -> None:
    assert "2 of them graded now" in run(pair, tmp_path / "first").stdout
    assert "0 of them graded now" in run(pair, tmp_path / "first").stdout
    shutil.copytree(tmp_path / "first", tmp_path / "second")
    files = solution()
    body("ReLU.derivative", "return 0 * original(*args)")(files)
    write(files, pair / "ben")
    hand_in(solution(), pair, "carl", "tar.gz")
    done = run(pair, tmp_path / "second", "--before", str(tmp_path / "first"))
    assert "2 of them graded now" in done.stdout
    text = (tmp_path / "second" / "overview.md").read_text(encoding="utf-8")
    (changed,) = table(tmp_path / "second", "Changes since the earlier run")
    report = json.loads((tmp_path / "second" / "reports" / "ben.json").read_text())
    assert changed[:3] == ["ben", str(MAX_TOTAL), str(report["total"])]
    assert "ReLU Non-Linearity (derivative) 2 → 0" in changed[3]
    assert "\n1 unchanged.\nNew: carl.\n" in text
    shutil.rmtree(pair / "ben")
    run(pair, tmp_path / "third", "--before", str(tmp_path / "second"))
    assert "Gone: ben." in (tmp_path / "third" / "overview.md").read_text(encoding="utf-8")


def test_reports_that_are_out_of_date_are_made_anew(pair: Path, tmp_path: Path) -> None:
    for name in ("carl", "dora"):
        hand_in(solution(), pair, name, "folder")
    run(pair, tmp_path / "out")
    reports = {path.stem: (path, path.read_text()) for path in (tmp_path / "out" / "reports").iterdir()}
    outdated: dict[str, dict[str, Any]] = {"anna": {"grader": "0.9"}, "ben": {"seed": 1}, "carl": {}}
    for name, found in outdated.items():
        path, text = reports[name]
        path.write_text(json.dumps({**json.loads(text), **found}) if found else "{")
    assert "4 handins, 3 of them graded now" in run(pair, tmp_path / "out").stdout
    for name in ("anna", "ben", "carl"):
        path, text = reports[name]
        assert json.loads(path.read_text())["scores"] == json.loads(text)["scores"], name


NAMED = {
    "anna@cs.edu_2_handin.tar": "",
    "anna@cs.edu_10_handin.tar": "anna@cs.edu",
    "anna@cs.edu_9_handin.tar": "",
    "b_c_1_handin.tar.gz": "b_c",
    "d.tar": "d",
    "d.tar.gz": "d.tar.gz",
    "e.f.tgz": "e.f",
    "g.zip": "g",
    "submission_17/": "submission_17",
    ".DS_Store": "",
    "grades.csv": "",
    f"{'x' * 240}.tar": "x" * 200,
}


def test_ids_come_from_the_names_that_servers_give(tmp_path: Path) -> None:
    for name in NAMED:
        if name.endswith("/"):
            (tmp_path / name).mkdir()
        else:
            (tmp_path / name).write_bytes(b"")
    found, left_out = regrade.handins(tmp_path, tmp_path / "out")
    assert {key: path.name for key, path in found.items()} == {v: k.rstrip("/") for k, v in NAMED.items() if v}
    assert sorted(left_out) == ["anna@cs.edu_2_handin.tar", "anna@cs.edu_9_handin.tar", "grades.csv"]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import sys; sys.exit('Bus error')", "the grader ended with status 1: Bus error"),
        ("import time; time.sleep(60)", "the grader did not end within 1 s"),
        ("import os; os.kill(os.getpid(), 9)", "the grader ended with status -9"),
    ],
)
def test_a_grader_that_fails_costs_that_handins_row(
    code: str, words: str, pair: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = tmp_path / "runner.py"
    real = regrade.RUNNER
    runner.write_text(
        f"import sys\nif 'ben' in ' '.join(sys.argv):\n    {code}\n"
        f"import subprocess\nsubprocess.run([sys.executable, {str(real)!r}, *sys.argv[1:]])\n"
    )
    monkeypatch.setattr(regrade, "RUNNER", runner)
    monkeypatch.setattr(regrade, "TIMEOUT", 1 if "sleep" in code else 100)
    if "sleep" in code:
        shutil.rmtree(pair / "anna")
    assert regrade.main([str(pair), "--out", str(tmp_path / "out")]) == 0
    found = rows(tmp_path / "out")
    assert (found["ben"]["total"], found["ben"]["status"]) == ("0", "not graded")
    assert "anna" not in found or found["anna"]["total"] == str(MAX_TOTAL)
    ((_, why),) = table(tmp_path / "out", "No points")
    assert why.startswith(words)


def test_without_matplotlib_and_tqdm_it_says_what_is_left_out(pair: Path, tmp_path: Path) -> None:
    for name in ("matplotlib", "tqdm"):
        write({"__init__.py": b"raise ImportError"}, tmp_path / "path" / name)
    done = run(pair, tmp_path / "out", PYTHONPATH=str(tmp_path / "path"))
    assert done.returncode == 0
    assert done.stderr.splitlines() == [
        "2 handins; tqdm is not installed, so there is no bar",
        "the plot is left out: matplotlib is not installed",
    ]
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"reports", "scores.csv", "overview.md"}


def test_with_matplotlib_there_is_a_plot(graded: Path) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    assert (graded / "overview.png").read_bytes().startswith(b"\x89PNG")
    assert "(overview.png)" in (graded / "overview.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("folder", "arguments", "words"),
    [
        ("none", (), "no such folder"),
        ("empty", (), "holds no tar and no folder"),
        ("handins", ("--before", "none"), "no such folder; give the --out of an earlier run"),
    ],
)
def test_where_there_is_no_class_a_line_says_so(
    folder: str, arguments: tuple[str, ...], words: str, pair: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    done = run(tmp_path / folder, tmp_path / "out", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("regrade.py: ")
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1
