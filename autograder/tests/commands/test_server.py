"""The server's form of a run: every handin leaves all scores within the time, and has earned them by its own code.

Handins here do what a whole run has to stand, and so does the grader: its own faults cost what they touch, no more.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from grading.grade import opened
from grading.judges import blobs
from grading.settings import Settings
from handins import (
    GRADER,
    JUDGE,
    MAX_TOTAL,
    PROBLEMS,
    ROOT,
    body,
    command,
    grade,
    processes,
    report,
    solution,
    top,
    write,
)
from homework import cases
from sandbox import cleaning, process, submission
from sandbox.process import GraderError
from sandbox.submission import Submission
from sandbox.workplace import Workplace

LIMIT = 30  # seconds for one run: guards against a hang, and is no measure of speed
POINTS = {problem.key: problem.points for problem in PROBLEMS}
SERVER = ("--against", str(ROOT), "--seed", "handin")
MYTORCH = sum(points for key, points in POINTS.items() if re.match("sigmoid|tanh|relu|loss|linear", key))


def linked(*names: str) -> Callable[[Path], None]:
    """Put links to the project's own files and folders in the place of the handin's."""

    def make(root: Path) -> None:
        for name in names:
            (shutil.rmtree if (root / name).is_dir() else os.remove)(root / name)
            (root / name).symlink_to(ROOT / name)

    return make


def with_link(name: str, target: str) -> Callable[[Path], None]:
    return lambda root: (root / name).symlink_to(target)


def replayed(root: Path) -> None:
    """A handin that gives what the references hold for the references' own inputs, whoever asks."""
    known = {}
    for key in cases.CASES:
        given, expected = JUDGE.case(key)
        if "digest" not in expected and cases.CASES[key][0] != "training_log":
            known[asked(given)] = {
                name: (array.dtype.str, array.shape, array.tobytes()) for name, array in expected.items()
            }
    code = f"""
        import hashlib, sys
        import numpy as np
        KNOWN = {known!r}
        def answer(exercise, course, given):
            text = b''.join(name.encode() + given[name].tobytes() for name in sorted(given))
            found = KNOWN.get(hashlib.sha256(text).hexdigest())
            if found is None:
                return run(exercise, course, given)
            return {{name: np.ndarray(shape, kind, data)[()] for name, (kind, shape, data) in found.items()}}
        frame = sys._getframe()
        while 'exercises' not in frame.f_locals: frame = frame.f_back
        exercises = frame.f_locals['exercises']
        run, exercises.run = exercises.run, answer
        return original()
    """
    files = solution()
    files.update({f"mytorch/{name}.py": b"" for name in ("activation", "loss", "linear", "batchnorm")})
    files["hw1/hw1.py"] = b""
    body("question_1", code)(files)
    write(files, root)


def asked(given: dict[str, np.ndarray]) -> str:
    return hashlib.sha256(b"".join(name.encode() + given[name].tobytes() for name in sorted(given))).hexdigest()


class Row(NamedTuple):
    make: Callable[[Path], None]
    score: int
    status: int
    words: str  # in the remarks


LEFT_OUT = "left out, a link to outside of the submission: "
ROWS = {
    "both folders are links to the solution": Row(linked("hw1", "mytorch"), 0, 2, f"{LEFT_OUT}mytorch; {LEFT_OUT}hw1"),
    "hw1 is a link to the solution": Row(linked("hw1"), MYTORCH, 1, f"{LEFT_OUT}hw1"),
    "a layer is a link to the solution's": Row(
        linked("mytorch/loss.py", "hw1/mc.py", "hw1/hw1.py"), MYTORCH - 4, 1, f"{LEFT_OUT}mytorch/loss.py"
    ),
    "a link to a file of the machine": Row(with_link("hw1/x.py", "/etc/passwd"), MAX_TOTAL, 0, f"{LEFT_OUT}hw1/x.py"),
    "a link to a folder of the machine": Row(with_link("hw1/sub", "/etc"), MAX_TOTAL, 0, f"{LEFT_OUT}hw1/sub"),
    "a link upwards": Row(with_link("hw1/up.py", "../../target.py"), MAX_TOTAL, 0, f"{LEFT_OUT}hw1/up.py"),
    "a link within": Row(with_link("hw1/within.py", "../mytorch/loss.py"), MAX_TOTAL, 0, ""),
    "links in a circle": Row(with_link("hw1/round", "."), MAX_TOTAL, 0, "left out, too many folders deep"),
    "answers from the references": Row(replayed, POINTS["multiple_choice"], 1, ""),
}


@pytest.mark.parametrize("name", ROWS)
def test_a_handin_gets_what_its_own_code_earns(name: str, outside: Path) -> None:
    row = ROWS[name]
    root = write(solution(), outside / "handin")
    (outside / "target.py").write_text("x = 1\n")
    row.make(root)
    start = time.monotonic()
    result = command("--submission", str(root), *SERVER, "--format", "json")
    assert time.monotonic() - start < LIMIT
    told = json.loads(result.stdout)
    assert (told["total"], result.returncode) == (row.score, row.status), told
    assert row.words in result.stderr if row.status == 2 else row.words in "\n".join(told["remarks"])
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("form", ["table", "json", "autolab", "gradescope"])
@pytest.mark.parametrize("answers", [replayed, lambda root: None], ids=["from the references", "of its own"])
def test_where_the_solution_cannot_run_nobody_gets_points(
    answers: Callable[[Path], None], form: str, outside: Path
) -> None:
    root, files = write(solution(), outside / "handin"), solution()
    answers(root)
    top("mytorch/linear.py", "raise SystemExit\n")(files)
    server = ("--against", str(write(files, outside / "solution")), *SERVER[2:])
    result = command("--submission", str(root), *server, "--format", form)
    why = "the solution gave no values for linear_forward: SystemExit"
    assert (result.returncode, result.stderr) == (2, f"nothing could be graded: {why}\n")
    if form in ("table", "autolab"):
        assert result.stdout == "", "Autolab keeps earlier scores where the output has none"
    else:
        told = json.loads(result.stdout)
        assert why in told["failure" if form == "json" else "output"]
        assert sum(problem["score"] for problem in told["problems" if form == "json" else "tests"]) == 0


@pytest.mark.parametrize("failing", [(2,), (2, 3)])
def test_the_start_of_the_solution_s_process_is_tried_again(
    failing: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first process to be started is the handin's, which waits; then comes the solution's."""
    real, number = process.start, itertools.count(1)

    def start(memory: int) -> subprocess.Popen[bytes]:
        if next(number) not in failing:
            return real(memory)
        ends_at_once = [sys.executable, "-S", "-c", "raise SystemExit('no memory')"]
        pipe = subprocess.PIPE
        return subprocess.Popen(ends_at_once, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True)

    monkeypatch.setattr(process, "start", start)
    against = {"against": str(ROOT), "seed": 1}
    if len(failing) == process.STARTS:
        with pytest.raises(GraderError, match="did not start: exit status 1: no memory"):
            report(ROOT, **against)
    else:
        assert report(ROOT, **against).total == MAX_TOTAL


def test_answers_from_the_references_are_no_answers_to_other_inputs(outside: Path) -> None:
    replayed(outside / "handin")
    assert grade(outside / "handin").score == MAX_TOTAL, "the row above would prove nothing"


def test_a_folder_that_is_a_link_itself_is_the_submission(outside: Path) -> None:
    (outside / "link").symlink_to(write(solution(), outside / "handin"))
    assert grade(outside / "link", against=str(ROOT), seed=1).score == MAX_TOTAL


def test_on_its_own_machine_a_project_is_what_its_links_point_to(tmp_path: Path) -> None:
    root = write(solution(), tmp_path / "handin")
    write({"code/sub/helper.py": b"x = 1\n", "code/mc.py": (root / "hw1" / "mc.py").read_bytes()}, tmp_path)
    (root / "hw1" / "mc.py").unlink()
    (root / "hw1" / "mc.py").symlink_to(tmp_path / "code" / "mc.py")
    (root / "hw1" / "sub").symlink_to(tmp_path / "code" / "sub")
    shutil.copy(ROOT / "create_tarball.sh", root)
    subprocess.run(["sh", "create_tarball.sh"], cwd=root, check=True, capture_output=True)
    folder, tar = (submission.read(str(path)) for path in (root, root / "handin.tar"))
    assert folder.files == tar.files == {**solution(), "hw1/sub/helper.py": b"x = 1\n"}
    assert (folder.remarks, tar.remarks) == ([], [])


ENDS = [body("question_3", "import os; os._exit(0)"), top("mytorch/loss.py", "while True: pass\n")]


@pytest.mark.parametrize("edit", ENDS, ids=["exits", "hangs"])
def test_the_solution_answers_before_the_first_line_of_the_handin_runs(edit: Any, outside: Path) -> None:
    """One that can't run ends the grading; one that can is gone, process and files, when the handin begins."""
    files = solution()
    edit(files)
    with pytest.raises(GraderError, match="the solution gave no values for"):
        report(ROOT, against=str(write(files, outside / "solution")), seed=1, deadline=0.7)

    with Workplace() as workplace:
        grading = opened(Settings(str(ROOT), against=str(ROOT), seed=1), workplace)
        assert len(list((outside / "temporary").iterdir())) == 1, "the solution's files are gone"
        assert all(grading.judge.case(key)[1] for key in cases.CASES)
        assert len(processes(str(outside / "temporary"))) == 1, "and so is its process"


def test_a_solution_that_lacks_what_no_problem_asks_for_still_judges(outside: Path) -> None:
    files = solution()
    files["hw1/hw1.py"] += b"\n\ndef get_training_stats(*args):\n    raise NotImplementedError\n"
    run = report(ROOT, against=str(write(files, outside / "solution")), seed=1)
    assert (run.total, run.findings, run.remarks) == (MAX_TOTAL, [], [])


class Start(NamedTuple):
    script: str
    score: int
    words: str


FIRST_FAILS = f"""
import os, sys
here = os.path.join(os.environ["TMPDIR"], "tried")
if not os.path.exists(here):
    open(here, "w").close()
    sys.exit("not this time")
os.remove(here)
os.execv(sys.executable, [sys.executable, "-I", "-S", {os.path.join(GRADER, "child", "serve.py")!r}, *sys.argv[1:]])
"""
STARTS = {
    "once": Start(FIRST_FAILS, MAX_TOTAL, ""),
    "never": Start("import sys; sys.exit('no \\x1b[31m memory')", 0, "did not start: exit status 1: no ?[31m memory"),
    "killed": Start("import os; os.kill(os.getpid(), 9)", 0, "did not start: signal SIGKILL"),
    "silent": Start("import time; time.sleep(100)", 0, "did not start: it was not ready after 1 s"),
}


@pytest.mark.parametrize("name", STARTS)
def test_a_process_that_does_not_start_is_tried_once_more_and_its_end_is_told(
    name: str, outside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = STARTS[name]
    (outside / "serve.py").write_text(row.script)
    monkeypatch.setattr(process, "SERVE", str(outside / "serve.py"))
    monkeypatch.setattr(process, "START_DEADLINE", 1.0 if name == "silent" else 25.0)
    start = time.monotonic()
    run = report(ROOT)
    assert time.monotonic() - start < LIMIT
    assert run.total == row.score
    assert row.words in run.failure


def test_a_process_that_does_not_read_holds_up_nobody() -> None:
    files = solution()
    body(
        "question_3",
        """
        import sys
        frame = sys._getframe()
        while "answers" not in frame.f_locals: frame = frame.f_back
        answers, request, wire = (frame.f_locals[name] for name in ("answers", "request", "wire"))
        wire.send(answers, {"id": request.header["id"], "values": {}}, {})
        while True: pass
        """,
    )(files)
    with Workplace() as workplace:
        sandbox = workplace.lay_out(Submission(files))
        assert sandbox.run("multiple_choice", {}, 10).ended == "returned"
        start = time.monotonic()
        large = blobs({"name": np.array("ReLU"), "x": np.zeros(1 << 20)})
        assert sandbox.run("activation_forward", large, 0.5).ended == "timeout"
        assert time.monotonic() - start < 10
        assert (
            sandbox.run("activation_forward", blobs({"name": np.array("ReLU"), "x": np.zeros(3)}), 10).ended
            == "returned"
        )


def test_a_limit_that_the_server_has_lowered_leaves_the_others(outside: Path) -> None:
    files = solution()
    code = "for name in 'AS', 'CPU', 'FSIZE', 'CORE': print(resource.getrlimit(getattr(resource, f'RLIMIT_{name}')))"
    body("question_3", f"import resource\n{code}\nreturn original()")(files)
    write(files, outside / "handin")
    line = [sys.executable, str(GRADER / "runner.py"), "--submission", str(outside / "handin"), "--format", "json"]
    lowered = "import os, resource, sys; resource.setrlimit(resource.RLIMIT_CPU, (100, 100))"
    lowered += "; os.execv(sys.argv[1], sys.argv[1:])"
    result = subprocess.run([sys.executable, "-c", lowered, *line], capture_output=True, text=True, timeout=LIMIT)
    printed = json.loads(result.stdout)["problems"][0]["printed"].splitlines()
    assert printed == ["(2147483648, 2147483648)", "(100, 100)", "(1048576, 1048576)", "(0, 0)"]


def test_whatever_is_left_behind_is_removed(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    here = os.getcwd()
    try:
        os.chdir(folder)
        for _ in range(3000):  # deeper than a recursion goes, and longer than a path may be
            os.mkdir("a")
            os.chdir("a")
        Path("file").touch()
    finally:
        os.chdir(here)
    write({"b/c/x.py": b"", "b/y.py": b""}, folder)
    (folder / "b" / "link").symlink_to("/etc")
    (folder / "b" / "nowhere").symlink_to("/nowhere")
    (folder / "b" / "c").chmod(0)
    cleaning.remove(str(folder))
    assert list(tmp_path.iterdir()) == []
    cleaning.remove(str(folder))


# Damaged data


def project(tmp_path: Path, damaged: str) -> Path:
    """A copy of grader and data, with one bit of one archive's directory flipped."""
    grader = tmp_path / "project" / "autograder" / "hw1_autograder"
    shutil.copytree(GRADER, grader, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "data", tmp_path / "project" / "data", ignore=shutil.ignore_patterns("mnist*", "*plots"))
    archive = tmp_path / "project" / "data" / damaged
    data = bytearray(archive.read_bytes())
    data[data.rindex(b"PK\x01\x02") + 60] ^= 1
    archive.write_bytes(data)
    return grader


def told(grader: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    result = command(*arguments, "--format", "json", grader=grader)
    assert "Traceback" not in result.stderr
    return result.returncode, json.loads(result.stdout)


def test_damaged_references_grade_nobody(tmp_path: Path) -> None:
    grader = project(tmp_path, "hw1_reference.npz")
    status, run = told(grader, "--submission", str(ROOT))
    assert (status, run["total"]) == (2, 0)
    assert "damaged" in run["failure"]
    status, run = told(grader, "--submission", str(ROOT), *SERVER)
    assert (status, run["total"]) == (0, MAX_TOTAL)
    assert ["damaged" in remark for remark in run["remarks"]] == [True]


def test_damaged_hints_cost_hints_alone(tmp_path: Path) -> None:
    grader = project(tmp_path, "hw1_mistakes.npz")
    files = solution()
    body("Linear.backward", "args[0].dW = 0 * args[0].W; return original(*args) * 2")(files)
    handin = str(write(files, tmp_path / "handin"))
    expected = report(handin)
    status, run = told(grader, "--submission", handin)
    assert (status, run["total"]) == (1, expected.total)
    assert [remark[:19] for remark in run["remarks"]] == ["there are no hints:"]
    assert [bool(problem["hints"]) for problem in run["problems"]] == [False] * len(PROBLEMS)


def test_references_that_lack_a_problem_grade_the_others(tmp_path: Path) -> None:
    with np.load(ROOT / "data" / "hw1_reference.npz") as file:
        kept = {name: file[name] for name in file.files if not name.startswith("momentum/out")}
    np.savez(tmp_path / "old.npz", **kept)  # type: ignore[arg-type]
    data = (tmp_path / "old.npz").read_bytes()
    grader = project(tmp_path, "hw1_reference.npz")
    sums = f"{hashlib.sha256(data).hexdigest()}  hw1_reference.npz\n".encode()
    write({"data/hw1_reference.npz": data, "data/SHA256SUMS": sums}, tmp_path / "project")
    status, run = told(grader, "--submission", str(ROOT))
    assert (status, run["total"]) == (2, MAX_TOTAL - POINTS["momentum"])
    reasons = [problem["reason"] for problem in run["problems"] if problem["reason"]]
    assert reasons == ["not graded: the references hold nothing for momentum: they are older than this grader"]


def test_a_grader_error_is_no_reason_to_grade_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grading.grade.REFERENCES", "/nowhere")
    with pytest.raises(GraderError, match="the references can't be read"):
        report(ROOT)
