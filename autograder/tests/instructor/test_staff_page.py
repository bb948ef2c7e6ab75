"""The course is changed as the staff's README says, on a copy of the project, and its commands are run there."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from handins import MAX_TOTAL, PROBLEMS, ROOT, solution, tar_of, write
from homework.problems import BY_HAND
from kit import starter_files

PAGES = ("README.md", "autograder/instructor/README.md", "autograder/instructor/starter.md")
PAGE = (ROOT / "autograder" / "instructor" / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^```sh\n(.+?)^```", PAGE, re.M | re.S)
# What takes an environment of its own, or minutes: the gate makes the one, other tests run the others.
ELSEWHERE = ("-m venv", "benchmark.py")

# file, what is there, what takes its place
POINTS = [("autograder/hw1_autograder/homework/problems.py", r'("Momentum", )10\b', r"\g<1>12")]
PROBLEM = [
    (
        "autograder/hw1_autograder/homework/problems.py",
        r'(?=    Problem\(\n        "batchnorm_train")',
        '    Problem("again", "Momentum (again)", 3, "3.5.4", "mlp_steps", (), ("momentum",)),\n',
    ),
    # its inputs are another drawing of another problem's
    (
        "autograder/hw1_autograder/homework/cases.py",
        r'    "momentum": ((?:.|\n)+?\n)(?=    ["#*])',
        r'\g<0>    "again": \1',
    ),
]
# Problems on a layer that has none, and on an activation of their own, by itself and in a network.
GRADER, TABLES = "autograder/hw1_autograder", "autograder/hw1_autograder/homework"
SOLUTION = """

class LeakyReLU(Activation):
    '''A ReLU that lets a hundredth of what is negative through.'''

    def forward(self, x):
        '''Compute x where it is positive, and x / 100 elsewhere.'''
        self.state = np.where(x > 0, x, 0.01 * x)
        return self.state

    def derivative(self):
        '''Return 1 where x was positive, and 0.01 elsewhere.'''
        return np.where(self.state > 0, 1.0, 0.01)
"""
LAYER = [
    ("mytorch/activation.py", r"\Z", SOLUTION),
    (f"{GRADER}/sandbox/layers.py", r'( +Layer\(")ReLU(".+\n)', r"\g<0>\1LeakyReLU\2"),
    (
        f"{TABLES}/problems.py",
        r' +\*_activation\("ReLU", 5\),\n',
        r'\g<0>    *_activation("Identity", 7),\n    *_activation("LeakyReLU", 9),\n'
        r'    Problem("leaky", "Leaky Hidden Layer", 4, "3.5.2", "mlp_backward", (), ("leakyrelu_derivative",)),\n',
    ),
    (
        f"{TABLES}/cases.py",
        r'(?=    "loss_forward": )',
        """    "identity_forward": ("activation_forward", activation_inputs("Identity", 11, 7)),
    "identity_derivative": ("activation_derivative", activation_inputs("Identity", 13, 6)),
    "leakyrelu_forward": ("activation_forward", activation_inputs("LeakyReLU", 11, 7)),
    "leakyrelu_derivative": ("activation_derivative", activation_inputs("LeakyReLU", 13, 6)),
    "leaky": ("mlp_backward", mlp_inputs([9, 8, 10], "LeakyReLU Identity", [13])),
""",
    ),
    ("autograder/instructor/references/oracle.py", r'( +")ReLU": torch.relu,\n', r'\g<0>\1LeakyReLU": F.leaky_relu,\n'),
]
CONVENTION = [
    ("mytorch/linear.py", r"delta / len\(delta\)", "delta"),
    ("autograder/instructor/references/oracle.py", r"numpy\((dW|db)\) / len\(x\)", r"numpy(\1)"),
    ("autograder/instructor/references/oracle.py", r" +parameter\.grad /= len\(y\)\n", ""),
    (
        "autograder/hw1_autograder/child/gradients.py",
        r" / n(?=,|\n)",
        "",
    ),
]
# A part of the catalogue will do for a trial: all of it takes half a minute.
FEW = [
    (
        "autograder/instructor/catalogue/__init__.py",
        r"(?=BY_KEY = )",
        'MISTAKES = tuple(m for m in MISTAKES if m.key in ("dW_summed", "dW_db_summed", "momentum_ignored"))\n',
    )
]
NEW_PROBLEMS = {
    "Momentum (again)": 3,
    **{f"{name} Non-Linearity ({part})": 2 for name in ("Identity", "LeakyReLU") for part in ("forward", "derivative")},
    "Leaky Hidden Layer": 4,
}
NEW_TOTAL = MAX_TOTAL + 2 + sum(NEW_PROBLEMS.values())


def copied(folder: Path, *edits: tuple[str, str, str]) -> Path:
    """Write a copy of the project without what is not part of it, and make these edits."""
    away = shutil.ignore_patterns(".git", ".venv", "build", "*.egg-info", "__pycache__", ".*_cache", "*.png.*")
    shutil.copytree(ROOT, folder, ignore=away)
    for file, old, new in edits:
        text, count = re.subn(old, new, (folder / file).read_text(encoding="utf-8"))
        assert count, f"{file} has nothing like {old}"
        (folder / file).write_text(text, encoding="utf-8")
    return folder


def python(folder: Path, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, f"autograder/{script}.py", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, encoding="utf-8", timeout=300)


def graded(folder: Path, *arguments: str) -> dict[str, Any]:
    return json.loads(python(folder, "hw1_autograder/runner", "--format", "json", *arguments).stdout)


def version(folder: Path) -> str:
    return python(folder, "hw1_autograder/runner", "--version").stdout


def listed(text: str) -> dict[str, float]:
    """The problems of an assessment's YAML, and their points."""
    return {name: float(points) for name, points in re.findall(r'name: "(.+)"\n.+\n  max_score: (.+)\n', text)}


def test_other_points_are_one_number(tmp_path: Path) -> None:
    course = copied(tmp_path / "course", *POINTS)
    report = graded(course)
    assert (report["total"], report["max_total"], report["scores"]["Momentum"]) == (MAX_TOTAL + 2, MAX_TOTAL + 2, 12)
    assert python(course, "instructor/autolab", "--out", "build").returncode == 0
    assert listed((course / "build" / "hw1p1.yml").read_text())["Momentum"] == 12
    assert python(course, "instructor/starter", "--out", "starter").returncode == 0
    assert (graded(course / "starter")["total"], graded(course / "starter")["max_total"]) == (0, MAX_TOTAL + 2)


@pytest.fixture(scope="module")
def course(torch: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A course of other points, a problem more and another convention, after the page's commands; what they said."""
    for tool in ("sh", "make", "tar"):
        if shutil.which(tool) is None:
            pytest.skip(f"the page's commands are for a shell with make and tar, and there is no {tool}")
    folder = copied(tmp_path_factory.mktemp("copy") / "course", *POINTS, *PROBLEM, *LAYER, *CONVENTION, *FEW)
    write(solution(), folder / "handins" / "ben")
    files = {name: (folder / name).read_bytes() for name in solution()}
    (folder / "handins" / "anna_1_handin.tar").write_bytes(tar_of(files))
    shim = folder.parent / "bin" / "python3"
    shim.parent.mkdir()
    shim.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n', encoding="utf-8")
    shim.chmod(0o755)
    environment = {**os.environ, "PATH": f"{shim.parent}{os.pathsep}{os.environ['PATH']}", "AUTOLAB": ""}
    said = ""
    for command in commands():
        done = subprocess.run(
            ["sh", "-eu", "-c", command],
            cwd=folder,
            env=environment,
            capture_output=True,
            encoding="utf-8",
            timeout=600,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        said += f"$ {command}{done.stdout}"
    return folder, said


def commands() -> list[str]:
    """The page's blocks of commands: the references first, as after any change, and the others in the page's order."""
    found = [command for command in COMMANDS if not any(word in command for word in ELSEWHERE)]
    found = [command for command in found if not any(command in other for other in found if other != command)]
    return sorted(found, key=lambda command: "make_references.py" not in command)


def test_every_command_of_the_page_was_run_or_is_run_elsewhere() -> None:
    scripts = {path.name for path in (ROOT / "autograder" / "instructor").glob("*.py")} - {"startup.py"}
    assert all(f"autograder/instructor/{name}" in PAGE for name in scripts), scripts
    assert len(commands()) >= 7


def test_the_solution_has_all_points_of_the_changed_course(course: tuple[Path, str]) -> None:
    report = graded(course[0])
    assert (report["total"], report["max_total"], report["findings"]) == (NEW_TOTAL, NEW_TOTAL, [])
    assert report["scores"]["Momentum (again)"] == 3
    assert python(course[0], "hw1_autograder/gradcheck").returncode == 0


LEAKY = ("Leaky Hidden Layer",)
ON_NETWORKS = [problem.name for problem in PROBLEMS if problem.section[:3] in ("3.3", "3.5")]


@pytest.mark.parametrize(
    ("correct", "wrong", "problem", "built"),
    [
        ("np.where(x > 0, x, 0.01 * x)", "np.where(x > 0, x, 0.1 * x)", "LeakyReLU Non-Linearity (forward)", LEAKY),
        ("self.state > 0, 1.0, 0.01", "self.state > 0, 1.0, 0.1", "LeakyReLU Non-Linearity (derivative)", LEAKY),
        (
            'itself (any shape)."""\n        self.state = _floating(x)',
            'itself (any shape)."""\n        self.state = 2 * _floating(x)',
            "Identity Non-Linearity (forward)",
            (*ON_NETWORKS, "Momentum (again)", *LEAKY),
        ),
    ],
)
def test_a_wrong_layer_of_the_changed_course_is_named_and_what_is_built_of_it_is_behind_it(
    correct: str, wrong: str, problem: str, built: tuple[str, ...], course: tuple[Path, str], tmp_path: Path
) -> None:
    files = {name: (course[0] / name).read_bytes() for name in solution()}
    assert files["mytorch/activation.py"].count(correct.encode()) == 1
    files["mytorch/activation.py"] = files["mytorch/activation.py"].replace(correct.encode(), wrong.encode())
    report = graded(course[0], "--submission", str(write(files, tmp_path)))
    failed = {row["name"]: row["same_fault_as"] for row in report["problems"] if row["status"] != "passed"}
    assert failed == {problem: None, **dict.fromkeys(built, problem)}
    assert report["total"] == NEW_TOTAL - sum(row["max_score"] for row in report["problems"] if row["name"] in failed)


def test_what_was_right_before_is_wrong_by_the_new_convention(course: tuple[Path, str]) -> None:
    scores = graded(course[0], "--submission", str(ROOT))["scores"]
    assert (scores["Linear Layer (forward)"], scores["Linear Layer (backward)"]) == (2, 0)
    assert "dW_db_summed: nothing shows it" in course[1]
    assert "momentum_ignored: nothing shows it" not in course[1]


def test_the_starter_and_both_servers_know_the_new_problem(course: tuple[Path, str]) -> None:
    folder, said = course
    report = graded(folder / "build" / "hw1_starter")
    assert [problem["status"] for problem in report["problems"]] == ["not started"] * (
        len(PROBLEMS) + len(NEW_PROBLEMS)
    )
    found = listed((folder / "build" / "autolab" / "hw1p1.yml").read_text())
    assert (found["Momentum (again)"], found["Momentum"], sum(found.values())) == (3, 12, NEW_TOTAL + BY_HAND)
    scores = json.loads(re.findall(r"^\{.scores.+", said, re.M)[0])["scores"]
    assert (sum(scores.values()), scores["Momentum (again)"]) == (NEW_TOTAL, 3)


def test_the_class_is_graded_by_it(course: tuple[Path, str]) -> None:
    for name in ("class", "class_now"):
        table = (course[0] / "build" / name / "scores.csv").read_text()
        assert re.search(rf"^anna,{NEW_TOTAL},", table, re.M)
        assert not re.search(rf"^ben,{NEW_TOTAL},", table, re.M)
    assert "\n2 unchanged." in (course[0] / "build" / "class_now" / "overview.md").read_text()


def test_a_starter_that_is_out_is_brought_up_to_date(course: tuple[Path, str], tmp_path: Path) -> None:
    old, new = tmp_path / "work", course[0] / "build" / "hw1_update"
    starter_files.write(old, starter_files.starter())
    (old / "hw1" / "mc.py").write_bytes((ROOT / "hw1" / "mc.py").read_bytes())
    assert version(old) == version(ROOT) != version(course[0])
    (copying,) = re.findall(r"`(cp -R .+? \.)`", PAGE)
    command = copying.replace("hw1_update/", f"{shlex.quote(str(new))}/")
    subprocess.run(["sh", "-euc", command], cwd=old, check=True, timeout=60)
    assert version(old) == version(course[0]) == version(new)
    report = graded(old)
    given = 2 * 2  # for Identity, which the old starter has
    assert (report["total"], report["max_total"]) == (PROBLEMS[0].points + given, NEW_TOTAL)


# ---------------------------------------------------------------- the pages

FIGURES = {
    r"\b(\d\d) problems": len(PROBLEMS),
    r"\b(\d\d)\s+points": MAX_TOTAL,
    r"\b(\d\d) autograder points": MAX_TOTAL,
    r"\b(\d) points, by hand": BY_HAND,
    r"a question of (\d) points": BY_HAND,
    r"\b0 of (\d+)": MAX_TOTAL,
}


@pytest.mark.parametrize("page", PAGES)
def test_the_figures_in_the_pages_are_those_of_the_table(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    found = [(pattern, int(n)) for pattern in FIGURES for n in re.findall(pattern, text)]
    assert [(pattern, n) for pattern, n in found if n != FIGURES[pattern]] == []
    assert {len(PROBLEMS), MAX_TOTAL} <= {n for _, n in found}


@pytest.mark.parametrize("page", PAGES)
def test_every_link_of_a_page_leads_somewhere(page: str) -> None:
    path = ROOT / page
    text = path.read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)\s]+)\)", text)
    for file, _, anchor in (link.partition("#") for link in links if not link.startswith("http")):
        target = (path.parent / file).resolve() if file else path
        assert target.exists(), f"{page}: {file}"
        titles = re.findall(r"^#+ (.+)$", target.read_text(encoding="utf-8"), re.M) if anchor else []
        anchors = {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
        assert not anchor or anchor in anchors, f"{page}: {file}#{anchor}"
