"""The rooms of the grader and the doors between them: which file may import which, read from the sources."""

from __future__ import annotations

import ast
import sys
from functools import cache
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import pytest

from handins import ROOT

# Room: the rooms, or files of them, that it may import. What a type checker alone needs counts as well.
DOORS: dict[str, tuple[str, ...]] = {
    "homework": (),
    "sandbox": (),
    "child": ("sandbox/wire", "sandbox/layers"),
    "diagnosis": ("homework", "sandbox"),
    "grading": ("diagnosis", "homework", "sandbox"),
    "report": ("grading", "diagnosis", "homework", "sandbox"),
}
OUTSIDE = tuple(room for room in DOORS if room != "child")  # what commands, the staff's tools and tests may import
# The staff's rooms, and the others of them that each may import.
STAFF: dict[str, tuple[str, ...]] = {
    "catalogue": (),
    "kit": (),
    "references": ("catalogue",),
    "classroom": ("kit",),
    "proofs": ("catalogue", "kit"),
}
COMMANDS = {  # and the tests of each, which alone may import it
    "gradcheck": ("tests/commands/test_gradcheck",),
    "runner": ("tests/commands/test_runner", "tests/commands/test_server"),
    "test": (),
}
SUBMISSION = ("activation", "batchnorm", "hw1", "linear", "loss", "mc", "mytorch")


class Import(NamedTuple):
    """One import of one of the grader's or the staff's files, or of a module of the submission's."""

    place: str  # file:line
    file: str  # `grading/judges`, `runner`, `tests/support/handins`
    target: str  # the same, or `mytorch`


def files(autograder: Path) -> dict[str, Path]:
    """Every Python file by its name: rooms and commands without the folder that holds them."""
    found: dict[str, Path] = {}
    for folder in (autograder / "hw1_autograder", autograder):
        for path in sorted(folder.rglob("*.py")):
            name = path.relative_to(folder).with_suffix("").as_posix()
            if not name.startswith("hw1_autograder"):
                found.setdefault(name[: -len("/__init__")] if name.endswith("/__init__") else name, path)
    return found


KNOWN = files(ROOT / "autograder")
SOURCES = {file: path.read_text(encoding="utf-8") for file, path in KNOWN.items()}


@cache
def imports(file: str, source: str) -> tuple[Import, ...]:
    """Every import of a file, those within functions too."""
    found = []
    for node in ast.walk(ast.parse(source)):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            if target := _target(name.split(".")):
                found.append(Import(f"{KNOWN[file].name}:{getattr(node, 'lineno', 0)}", file, target))
    return tuple(found)


def _target(parts: list[str]) -> str:
    """The file that an import of this dotted name reads, or nothing if it is another's."""
    for length in range(len(parts), 0, -1):
        path = "/".join(parts[:length])
        for name in (path, f"instructor/{path}", f"tests/support/{path}"):
            if name in KNOWN:
                return name
    return parts[0] if parts[0] in SUBMISSION else ""


def trespasses(sources: dict[str, str]) -> list[str]:
    """The imports that go through no door, each with its line, and the circles."""
    found = []
    reads: dict[str, set[str]] = {}
    for place, file, target in chain.from_iterable(imports(*item) for item in sources.items()):
        reads.setdefault(file, set()).add(target)
        room, other = file.partition("/")[0], target.partition("/")[0]
        if target in COMMANDS:
            if file not in COMMANDS[target]:
                found.append(f"{place}: {file} imports the command {target}")
        elif other in SUBMISSION:
            if room in DOORS or file in COMMANDS:
                found.append(f"{place}: {file} imports {target} of a submission")
        elif room in DOORS or other in DOORS:
            doors = DOORS.get(room, OUTSIDE)
            if other != room and target not in doors and other not in doors:
                found.append(f"{place}: {file} may not enter {target}")
        elif not between_staff(file, target):
            found.append(f"{place}: {file} may not enter {target}")
    return found + circles(reads)


def between_staff(file: str, target: str) -> bool:
    """Whether one of the staff's files may import another: a room through its doors, a command no command."""
    folder, room, *_ = [*file.split("/"), ""]
    other = target.split("/")[1] if target.startswith("instructor/") else ""
    if folder != "instructor" or not other:
        return True
    if other not in STAFF:
        return other == "startup" and room not in STAFF
    return room not in STAFF or other == room or other in STAFF[room]


def circles(reads: dict[str, set[str]]) -> list[str]:
    found: list[str] = []
    done: set[str] = set()

    def visit(file: str, path: list[str]) -> None:
        if file in path:
            found.append(f"a circle: {' -> '.join([*path[path.index(file) :], file])}")
        elif file not in done:
            for target in sorted(reads.get(file, ())):
                visit(target, [*path, file])
            done.add(file)

    for file in sorted(reads):
        visit(file, [])
    return found


def test_every_import_goes_through_a_door_and_no_circle_closes() -> None:
    assert sum(len(imports(*file)) for file in SOURCES.items()) > 200
    assert trespasses(SOURCES) == []


WRONG = {
    "homework/cases": ("from sandbox import wire", "homework/cases may not enter sandbox/wire"),
    "sandbox/process": ("from homework.problems import PROBLEMS", "sandbox/process may not enter homework/problems"),
    "child/probes": ("from homework import cases", "child/probes may not enter homework/cases"),
    "child/guard": ("import sandbox.submission", "child/guard may not enter sandbox/submission"),
    "diagnosis/compare": ("from grading.run import Run", "diagnosis/compare may not enter grading/run"),
    "grading/verdicts": ("from report import table", "grading/verdicts may not enter report/table"),
    "grading/judges": ("from child.exercises import exercise", "grading/judges may not enter child/exercises"),
    "report/table": ("def f():\n    import runner", "report/table imports the command runner"),
    "report/watch": ("import child", "report/watch may not enter child"),
    "grading/run": ("import activation", "grading/run imports activation of a submission"),
    "gradcheck": ("import runner", "gradcheck imports the command runner"),
    "sandbox/wire": ("if TYPE_CHECKING:\n    from sandbox import process", "a circle: "),
    "instructor/kit/bundle": ("from child import probes", "instructor/kit/bundle may not enter child/probes"),
    "instructor/autolab": ("import gradcheck", "instructor/autolab imports the command gradcheck"),
    "instructor/gradescope": ("import autolab", "instructor/gradescope may not enter instructor/autolab"),
    "instructor/kit/leaks": ("import startup", "instructor/kit/leaks may not enter instructor/startup"),
    "instructor/catalogue/mistake": (
        "from references import oracle",
        "instructor/catalogue/mistake may not enter instructor/references/oracle",
    ),
    "instructor/proofs/pairs": (
        "import classroom",
        "instructor/proofs/pairs may not enter instructor/classroom",
    ),
    "tests/support/handins": ("from runner import main", "tests/support/handins imports the command runner"),
}


@pytest.mark.parametrize("file", WRONG)
def test_a_wrong_import_is_named_with_its_line(file: str) -> None:
    code, words = WRONG[file]
    source = f"{SOURCES[file]}{code}\n"
    found = trespasses({**SOURCES, file: source})
    assert any(words in text for text in found), found
    line = f"{KNOWN[file].name}:{source.count(chr(10))}: "
    assert words.startswith("a circle") or any(line in text for text in found), found


def test_every_room_says_what_it_is_for_and_who_may_enter() -> None:
    grader, staff = ROOT / "autograder" / "hw1_autograder", ROOT / "autograder" / "instructor"
    for room in [*(grader / room for room in DOORS), *(staff / room for room in STAFF)]:
        text = ast.get_docstring(ast.parse((room / "__init__.py").read_text()))
        assert text
        assert len(text.replace("\n", " ").split(". ")) <= 3, room
    assert {path.name for path in staff.iterdir() if path.is_dir()} - {"__pycache__"} == {*STAFF}
    top = {path.name for path in grader.iterdir() if path.name != "__pycache__"}
    assert top == {*DOORS, *(f"{command}.py" for command in COMMANDS), "tests"}


def test_the_oracle_has_its_mathematics_from_pytorch_alone() -> None:
    source = SOURCES["instructor/references/oracle"]
    reads = {target for _, _, target in imports("instructor/references/oracle", source)}
    assert reads == {"homework/cases", "grading/training_rules"}
    if sys.version_info >= (3, 10):
        statements = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Import)]
        names = {alias.name.split(".")[0] for statement in statements for alias in statement.names}
        assert names <= {"torch", "numpy", *sys.stdlib_module_names}


def test_no_file_of_the_child_names_the_references() -> None:
    child = {file: source for file, source in SOURCES.items() if file.startswith("child/")}
    assert len(child) > 5
    assert [file for file, source in child.items() if ".npz" in source] == []
