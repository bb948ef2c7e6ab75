"""The starter has nothing of what students write nor of the staff's, and grows into the solution body by body."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from grading.verdicts import CHOICES, Grading
from handins import JUDGE, ROOT, solution
from homework.problems import BY_HAND, BY_KEY, PROBLEMS, TO_WRITE, Problem
from kit import starter_files
from samples import sample
from sandbox.submission import REQUIRED, Submission
from sandbox.workplace import Workplace


@pytest.fixture(scope="session")
def starter() -> dict[str, bytes]:
    return starter_files.starter()


# ---------------------------------------------------------------- what is in it


def test_it_has_the_students_files_and_none_of_the_staffs(starter: dict[str, bytes]) -> None:
    folders = {"autograder", "data", "hw1", "mytorch"}
    files = {".gitattributes", ".gitignore", "README.md", "create_tarball.sh", "setup.py"}
    assert {name.split("/")[0] for name in starter} == folders | files
    assert {*REQUIRED, "mytorch/__init__.py", "mytorch/py.typed", "data/SHA256SUMS"} < starter.keys()
    assert len([name for name in starter if name.startswith("data/expected_plots/")]) == 4
    for name, content in starter.items():
        assert not name.startswith(("autograder/instructor", "autograder/tests"))
        if name.endswith((".py", ".md", ".sh")):
            assert b"instructor" not in content, name
            assert b"staff:" not in content, name


def test_the_grader_is_in_it_as_it_is(starter: dict[str, bytes]) -> None:
    grader = ROOT / "autograder" / "hw1_autograder"
    files = {path.relative_to(ROOT).as_posix(): path.read_bytes() for path in grader.rglob("*.py")}
    assert {name: data for name, data in starter.items() if name.startswith("autograder/")} == files


def test_what_the_pages_say_to_the_staff_is_cut_out_between_two_blank_lines() -> None:
    begin, end = starter_files.STAFF_BEGIN, starter_files.STAFF_END
    text = f"a\n{begin}\nb\n{end}\n\nc\n\n{begin}\nd\n{end}\ne\n"
    assert starter_files.without_staff_notes(text) == "a\n\nc\n\ne\n"


def test_what_is_made_anew_is_kept_out_of_a_repository(starter: dict[str, bytes]) -> None:
    ignored = starter[".gitignore"].decode().splitlines()
    assert {"__pycache__/", ".venv/", "/handin.tar", "/hw1/*.png"} <= {*ignored}


def test_its_script_has_the_line_ends_that_sh_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    files = starter_files.given()
    script = files["create_tarball.sh"]
    monkeypatch.setattr(starter_files, "given", lambda: {**files, "create_tarball.sh": script.replace(b"\n", b"\r\n")})
    assert starter_files.starter()["create_tarball.sh"] == script


def test_with_no_body_removed_it_is_the_solution_byte_for_byte(starter: dict[str, bytes]) -> None:
    whole = starter_files.unwritten([])
    assert whole == {file: solution()[file] for file in REQUIRED}
    assert all(starter[file] != whole[file] for file in REQUIRED)


def test_what_is_given_stays(starter: dict[str, bytes]) -> None:
    hw1 = starter["hw1/hw1.py"].decode()
    for name in ("train", "eval", "error", "total_loss", "__call__", "__repr__"):
        part = hw1[hw1.index(f"def {name}(") :].split("\n    def ")[0]
        assert "NotImplementedError" not in part
    attributes = re.findall(r"self\.(\w+)(?:: .+)? = ", hw1)
    assert {"train_mode", "num_bn_layers", "bn", "nlayers", "input_size", "output_size"} <= set(attributes)
    assert {"activations", "criterion", "lr", "momentum", "output"} <= set(attributes)
    assert "linear_layers, bn_layers" in hw1


def test_the_questions_are_in_their_file_with_the_letters_that_the_grader_takes(starter: dict[str, bytes]) -> None:
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


# ---------------------------------------------------------------- what it is made from


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of what a starter is made from, but for MNIST, taken for the project."""
    root = tmp_path / "project"
    for name, content in starter_files.given().items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"" if name.endswith("mnist.npz") else content)
    monkeypatch.setattr(starter_files, "ROOT", root)
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
def test_a_file_that_it_does_not_know_is_refused_by_name(stray: str, project: Path) -> None:
    (project / stray).parent.mkdir(exist_ok=True)
    (project / stray).write_text("")
    with pytest.raises(starter_files.NoStarter, match=re.escape(f": {stray}; nothing was written")):
        starter_files.starter()


def test_caches_and_the_four_plots_are_ignored(project: Path) -> None:
    before = starter_files.given()
    for name in ("hw1/train_loss.png", "hw1/__pycache__/hw1.pyc", "mytorch/.DS_Store", "mytorch/linear.pyc"):
        (project / name).parent.mkdir(exist_ok=True)
        (project / name).write_text("")
    assert starter_files.given() == before


@pytest.mark.parametrize("name", ["hw1/mc.py", ".gitignore", "data/mnist.npz"])
def test_a_file_that_is_missing_is_named(name: str, project: Path) -> None:
    (project / name).unlink()
    with pytest.raises(starter_files.NoStarter, match=f"{name} is missing"):
        starter_files.starter()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("mytorch/none.py:f", "mytorch/none.py, which is no file of the homework"),
        ("mytorch/linear.py:Linear.nothing", "there is no nothing"),
    ],
)
def test_a_body_that_is_not_there_is_named(body: str, words: str) -> None:
    with pytest.raises(starter_files.NoStarter, match=words):
        starter_files.unwritten([body])


# ---------------------------------------------------------------- body by body


def needed(problem: Problem) -> set[str]:
    """The bodies of a problem and of all that it builds on."""
    return set(problem.bodies).union(*(needed(BY_KEY[key]) for key in problem.waits_for))


def grading_of(bodies: set[str], workplace: Workplace) -> Grading:
    """A grading of the starter with these bodies put back."""
    submission = Submission(starter_files.unwritten(body for body in TO_WRITE if body not in bodies))
    return Grading(workplace.lay_out(submission), JUDGE, submission, 10, 120)


def test_in_order_each_problem_passes_from_the_moment_its_bodies_are_back() -> None:
    back: set[str] = set()
    for asks in [problem for problem in PROBLEMS if problem.bodies]:
        back |= set(asks.bodies)
        with Workplace() as workplace:
            grading = grading_of(back, workplace)
            passed = {problem.key for problem in PROBLEMS if grading.grade(problem).status == "passed"}
        assert passed == {problem.key for problem in PROBLEMS if needed(problem) <= back}, asks.name


@pytest.mark.parametrize("problem", sample(PROBLEMS, 3), ids=lambda problem: problem.key)
def test_a_problem_needs_its_own_bodies_and_those_it_builds_on_and_no_others(problem: Problem) -> None:
    with Workplace() as workplace:
        verdict = grading_of(needed(problem), workplace).grade(problem)
    assert (verdict.status, verdict.reason) == ("passed", "")


# ---------------------------------------------------------------- writing it


def test_a_folder_that_is_not_empty_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(starter_files.NoStarter, match="is not an empty folder: nothing was written"):
        starter_files.write(tmp_path, {"README.md": b""})
    assert os.listdir(tmp_path) == ["mine.txt"]


@pytest.mark.parametrize("place", ["empty", "new/and/deep/folder"])
def test_an_empty_or_a_new_folder_is_filled(place: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    starter_files.write(tmp_path / place, {"README.md": b"a", "hw1/mc.py": b"b"})
    assert (tmp_path / place / "README.md").read_bytes() == b"a"
    assert (tmp_path / place / "hw1" / "mc.py").read_bytes() == b"b"
    assert list(tmp_path.rglob(".*")) == []


def test_a_failure_while_writing_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="README"):
        starter_files.write(tmp_path / "out", {"README.md": b"", "README.md/below": b"a file is no folder"})
    assert os.listdir(tmp_path) == []


def test_what_gives_a_body_away_is_named_and_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(starter_files.NoStarter) as error:
        starter_files.write(
            tmp_path / "out",
            {"hw1/mc.py": b"# self.W.T"} | {"README.md": b"`delta @ self.W.T`: return delta @ self.W.T"},
        )
    assert str(error.value).splitlines() == [
        "it would give away, so nothing was written:",
        "  README.md: return delta @ self.W.T",
    ]
    assert os.listdir(tmp_path) == []
