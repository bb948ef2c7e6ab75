"""The starter holds nothing of what students write, grades 0 points, and grows into the solution body by body."""

from __future__ import annotations

import ast
import difflib
import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

import handout
from grading.verdicts import CHOICES, Grading
from handins import JUDGE, report
from homework.problems import BY_HAND, BY_KEY, MAX_TOTAL, PROBLEMS, TO_WRITE, Problem
from leaks import COMMON, leaks, removed_statements
from sandbox.submission import Submission
from sandbox.workplace import Workplace

ROOT = Path(__file__).resolve().parents[3]
SOURCES = sorted({body.partition(":")[0] for body in TO_WRITE})


@pytest.fixture(scope="module")
def starter() -> dict[str, bytes]:
    return handout.starter()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The starter, as the command writes it."""
    path = tmp_path_factory.mktemp("out") / "my starter"
    assert handout.main(["--out", str(path)]) == 0
    return path


# ---------------------------------------------------------------- nothing leaks


def test_no_statement_of_a_removed_body_occurs_in_it(starter: dict[str, bytes]) -> None:
    assert len({*removed_statements()} - {*COMMON}) > 80
    assert leaks(starter) == []


PLANTED = {
    "a statement": ("autograder/hw1_autograder/report/table.py", "def f(self):\n    {}\n"),
    "a short one": ("mytorch/linear.py", "def f(y):\n    y += self.b\n"),
    "a comment": ("hw1/mc.py", "# {}\n"),
    "a docstring": ("mytorch/batchnorm.py", 'def f():\n    """Do  {}\n    then."""\n'),
    "the page": ("README.md", "as in `{}`\n"),
    "another page": ("data/README.md", "{}"),
}


@pytest.mark.parametrize("where", PLANTED)
def test_one_that_does_is_named_with_its_file_and_nothing_is_left(
    where: str, starter: dict[str, bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, text = PLANTED[where]
    statement = max(({*removed_statements()} - {*COMMON}), key=len)
    planted = {**starter, file: starter[file] + text.replace("{}", statement).encode()}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(handout, "starter", lambda: planted)
        assert handout.main(["--out", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert "it would give away, so nothing is left of it" in said
    assert f"\n  {file}: " in said
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("file", SOURCES)
def test_a_source_differs_from_the_solution_by_removed_lines_and_one_raise_a_body(
    starter: dict[str, bytes], file: str
) -> None:
    solution = (ROOT / file).read_text().splitlines(keepends=True)
    given = starter[file].decode().splitlines(keepends=True)
    put_back = []
    for kind, i, j, k, m in difflib.SequenceMatcher(None, given, solution, autojunk=False).get_opcodes():
        raises = [line for line in given[i:j] if line.strip()]
        assert kind == "equal" or all(line.lstrip().startswith("raise NotImplementedError(") for line in raises)
        put_back += solution[k:m]
    assert put_back == solution
    bodies = [body for body in TO_WRITE if body.startswith(f"{file}:")]
    assert len(re.findall(r"raise NotImplementedError\(\".+: writeup \d[\d.]*\"\)", "".join(given))) == len(bodies)


def test_with_no_body_removed_it_is_the_solution_byte_for_byte(starter: dict[str, bytes]) -> None:
    whole = handout.starter([])
    assert whole.keys() == starter.keys()
    for file in SOURCES:
        assert whole[file] == (ROOT / file).read_bytes()
        assert starter[file] != whole[file]


@pytest.mark.parametrize("file", SOURCES)
def test_nothing_private_is_left_that_nothing_uses(starter: dict[str, bytes], file: str) -> None:
    text = starter[file].decode()
    private = set(re.findall(r"^ *(?:def )?(_[a-z]\w*)(?:\(| =)", text, re.M))
    for name in private | imported(text):
        assert len(re.findall(rf"\b{name}\b", text)) > 1, name
    for name in handout.SOLUTIONS_OWN:
        assert not re.search(rf"\b{name}\(", text), name


def imported(text: str) -> set[str]:
    """The names that a source imports, apart from what every student needs."""
    statements = [node for node in ast.parse(text).body if isinstance(node, (ast.Import, ast.ImportFrom))]
    return {
        alias.asname or alias.name
        for statement in statements
        if getattr(statement, "module", statement.names[0].name) not in handout.KEPT_IMPORTS
        for alias in statement.names
    }


def test_what_the_solution_has_beside_the_homework_is_in_its_sources() -> None:
    text = "".join((ROOT / file).read_text() for file in SOURCES)
    assert all(f"def {name}(" in text for name in handout.SOLUTIONS_OWN)


@pytest.mark.parametrize("file", SOURCES)
def test_every_signature_keeps_its_types(starter: dict[str, bytes], file: str) -> None:
    functions = [node for node in ast.walk(ast.parse(starter[file])) if isinstance(node, ast.FunctionDef)]
    assert functions
    for function in functions:
        parameters = [*function.args.args, *function.args.kwonlyargs]
        assert all(parameter.annotation for parameter in parameters if parameter.arg != "self"), function.name
        assert function.returns, function.name
    assert "mytorch/py.typed" in starter


def test_what_is_given_stays(starter: dict[str, bytes]) -> None:
    hw1 = starter["hw1/hw1.py"].decode()
    for name in ("train", "eval", "error", "total_loss", "__call__", "__repr__"):
        part = hw1[hw1.index(f"def {name}(") :].split("\n    def ")[0]
        assert "NotImplementedError" not in part
    attributes = re.findall(r"self\.(\w+)(?:: .+)? = ", hw1)
    assert {"train_mode", "num_bn_layers", "bn", "nlayers", "input_size", "output_size"} <= set(attributes)
    assert {"activations", "criterion", "lr", "momentum", "output"} <= set(attributes)
    assert "linear_layers, bn_layers" in hw1


def test_nothing_of_the_staff_is_in_it(starter: dict[str, bytes]) -> None:
    assert {name.split("/")[0] for name in starter} == {
        *(
            ".gitattributes",
            ".gitignore",
            "README.md",
            "autograder",
            "create_tarball.sh",
            "data",
            "hw1",
            "mytorch",
            "setup.py",
        )
    }
    for name, content in starter.items():
        assert not name.startswith(("autograder/instructor", "autograder/tests"))
        if name.endswith((".py", ".md", ".sh")):
            assert b"instructor" not in content, name
            assert b"staff:" not in content, name


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of what a starter is made from, which handout.py takes for the project."""
    root = tmp_path / "project"
    for name, content in handout.given().items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    monkeypatch.setattr(handout, "ROOT", root)
    return root


@pytest.mark.parametrize(
    "stray",
    [
        "hw1/hw1_backup.py",
        "mytorch/linear_old.py",
        "hw1/solution.ipynb",
        "hw1/hw1.py~",
        "hw1/old/hw1.py",
        "data/solution.npz",
        "data/expected_plots/notes.txt",
        "autograder/hw1_autograder/grading/notes.md",
        "autograder/hw1_autograder/grading/old/judges.py",
    ],
)
def test_a_file_that_it_does_not_know_is_refused_by_name(
    stray: str, project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / stray).parent.mkdir(exist_ok=True)
    (project / stray).write_text("")
    assert handout.main(["--out", str(tmp_path / "out")]) == 2
    assert stray in capsys.readouterr().err
    assert os.listdir(tmp_path) == ["project"]


def test_caches_and_the_four_plots_are_ignored(project: Path) -> None:
    before = handout.given()
    for name in ("hw1/train_loss.png", "hw1/__pycache__/hw1.pyc", "mytorch/.DS_Store", "mytorch/linear.pyc"):
        (project / name).parent.mkdir(exist_ok=True)
        (project / name).write_text("")
    assert handout.given() == before


@pytest.mark.parametrize("name", ["hw1/mc.py", ".gitignore", "data/mnist.npz"])
def test_a_file_that_is_missing_is_named(name: str, project: Path) -> None:
    (project / name).unlink()
    with pytest.raises(handout.HandoutError, match=f"{name} is missing"):
        handout.given()


NOTED = '''
"""Module."""

import os  # noqa: F401

import numpy as np


class Layer:
    """A layer.

    Notes
    -----
    All of it.
    """

    def backward(self, delta):
        """Set dW, and return dx.

        Parameters
        ----------
        delta : array (N, O)

        Notes
        -----
        dW = x^T delta.

        dx = delta W^T.

        Raises
        ------
        ValueError
            Never.
        """
        return np.dot(delta, self.W.T)
'''

LEFT = '''
"""Module."""

import numpy as np


class Layer:
    """A layer.
    """

    def backward(self, delta):
        """Set dW, and return dx.

        Parameters
        ----------
        delta : array (N, O)

        Raises
        ------
        ValueError
            Never.
        """
        raise NotImplementedError("Layer.backward: writeup ")
'''


def test_notes_and_what_is_imported_for_another_homework_stay_in_the_library() -> None:
    assert handout.emptied("made_up.py", NOTED, ["Layer.backward"]) == LEFT


def test_it_is_kept_out_of_a_repository_what_is_made_anew(starter: dict[str, bytes]) -> None:
    ignored = starter[".gitignore"].decode().splitlines()
    assert {"__pycache__/", ".venv/", "/handin.tar", "/hw1/*.png"} <= {*ignored}


def test_the_questions_stand_in_their_file_with_the_letters_that_the_grader_takes(starter: dict[str, bytes]) -> None:
    questions = starter["hw1/mc.py"].decode().split("def question_")[1:]
    for number, text in enumerate(questions, 1):
        letters = re.findall(r"^ +\(([a-d])\) \S", text, re.M)
        assert "".join(letters) == CHOICES[f"question_{number}"]


def test_the_training_docstring_says_what_an_epoch_is_made_of(starter: dict[str, bytes]) -> None:
    text = starter["hw1/hw1.py"].decode().partition("def get_training_stats(")[2]
    order = ["shuffle", "zero_grads", "forward", "backward", "step"]
    places = [text.index(word) for word in order]
    assert places == sorted(places)
    assert "`train`" in text
    assert "`eval`" in text


# ---------------------------------------------------------------- it is usable


def test_it_grades_0_points_all_not_started(folder: Path) -> None:
    run = report(folder)
    assert (run.total, run.max_total, run.findings) == (0, MAX_TOTAL, [])
    assert [verdict.status for verdict in run.verdicts.values()] == ["not started"] * len(PROBLEMS)


def test_its_own_grader_runs_and_names_the_first_problem(folder: Path) -> None:
    command = [sys.executable, "-W", "ignore", "autograder/hw1_autograder/runner.py"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (1, "")
    assert f"0 / {MAX_TOTAL}" in done.stdout
    assert "Next: Sigmoid Non-Linearity (forward), 2 points, section 3.1.1" in done.stdout


def test_its_create_tarball_packs_it(folder: Path) -> None:
    subprocess.run(["sh", "create_tarball.sh"], cwd=folder, check=True, capture_output=True, timeout=60)
    with tarfile.open(folder / "handin.tar") as tar:
        assert len(tar.getnames()) == 7
    (folder / "handin.tar").unlink()


def test_its_page_names_every_body_and_the_points_of_every_section(starter: dict[str, bytes]) -> None:
    page = starter["README.md"].decode()
    rows = dict(re.findall(r"^\| (\d[\d.]*) .*? \| (\d+)\S* .*\|$", page, re.M))
    points: dict[str, int] = {}
    for problem in PROBLEMS:
        section = problem.section if problem.section.startswith("3.5") else ".".join(problem.section.split(".")[:2])
        points[section] = points.get(section, 0) + problem.points
    assert {section: int(number) for section, number in rows.items()} == {**points, "3.6": BY_HAND}
    for body in TO_WRITE:
        _, path, *_ = body.split(":")
        assert path.startswith("question_") or path.rpartition(".")[2] in page


def test_it_is_small(folder: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) < 14e6
    handout.main(["--out", str(tmp_path / "again")])
    assert re.search(r"\d+ files, 1[0-3]\.\d MB", capsys.readouterr().out)


# ---------------------------------------------------------------- body by body


def needed(problem: Problem) -> set[str]:
    """The bodies of a problem and of all that it builds on."""
    return set(problem.bodies).union(*(needed(BY_KEY[key]) for key in problem.waits_for))


def grading_of(bodies: set[str], workplace: Workplace) -> Grading:
    """A grading of the starter with these bodies put back."""
    files = handout.starter([body for body in TO_WRITE if body not in bodies])
    submission = Submission({name: data for name, data in files.items() if name.startswith(("hw1/", "mytorch/"))})
    return Grading(workplace.lay_out(submission), JUDGE, submission, 10, 120)


def test_in_order_each_problem_passes_from_the_moment_its_bodies_are_back() -> None:
    back: set[str] = set()
    for asks in [problem for problem in PROBLEMS if problem.bodies]:
        back |= set(asks.bodies)
        with Workplace() as workplace:
            grading = grading_of(back, workplace)
            passed = {problem.key for problem in PROBLEMS if grading.grade(problem).status == "passed"}
        assert passed == {problem.key for problem in PROBLEMS if needed(problem) <= back}, asks.name


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.key)
def test_a_problem_needs_its_own_bodies_and_those_it_builds_on_and_no_others(problem: Problem) -> None:
    with Workplace() as workplace:
        verdict = grading_of(needed(problem), workplace).grade(problem)
    assert (verdict.status, verdict.reason) == ("passed", "")


# ---------------------------------------------------------------- writing it


def test_a_folder_that_is_not_empty_is_refused_and_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    assert handout.main(["--out", str(tmp_path)]) == 2
    assert "not an empty folder: nothing was written" in capsys.readouterr().err
    assert os.listdir(tmp_path) == ["mine.txt"]


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert handout.main(["--out", str(tmp_path / "empty")]) == 0
    assert os.listdir(tmp_path) == ["empty"]


def test_a_failure_while_writing_leaves_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(handout, "starter", lambda: {"README.md": b"", "README.md/below": b"a file is no folder"})
        assert handout.main(["--out", str(tmp_path / "out")]) == 2
    assert "handout.py: " in capsys.readouterr().err
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("mytorch/none.py:f", "mytorch/none.py, which does not exist"),
        ("mytorch/linear.py:Linear.nothing", "there is no nothing"),
        ("mytorch/linear.py:Linear", "which is no function"),
        ("mytorch/linear.py:Linear.__init__", "no docstring"),
        ("hw1/hw1.py:MLP.__init__:nothing", "nothing is assigned"),
    ],
)
def test_a_body_that_is_not_there_is_named(body: str, words: str) -> None:
    with pytest.raises(handout.HandoutError, match=words):
        handout.starter([body])


def test_its_script_has_the_line_ends_that_sh_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    found = handout.given()
    script = found["create_tarball.sh"]
    monkeypatch.setattr(handout, "given", lambda: {**found, "create_tarball.sh": script.replace(b"\n", b"\r\n")})
    assert handout.starter()["create_tarball.sh"] == script
