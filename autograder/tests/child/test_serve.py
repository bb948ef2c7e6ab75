"""The process that runs a submission: what it finds there, what becomes of its values and prints, whose names win."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import faults
from faults import RELU, Fault
from grading.grade import opened
from grading.run import Verdict
from grading.settings import Settings
from handins import GRADER, MAX_TOTAL, Files, body, edited, grade, report, solution, write
from homework.problems import BY_KEY
from machine import LIMIT
from sandbox.workplace import Workplace

# What ReLU.derivative returns in place of the right array, and words of the verdict; none where it passes.
VALUES = {
    "None": ("None", "is None, expected"),
    "a list": ("right.tolist()", "is a list"),
    "a generator": ("(row for row in right)", "is a generator"),
    "a function": ("lambda: right", "is a function"),
    "a number": ("1.0", "is a float"),
    "a text": ("'right'", "is a str, expected a numpy.ndarray of shape"),
    "an array of objects": ("right.astype(object)", "ndarray of object"),
    "an array of texts": ("right.astype(str)", "is an array of <U32"),
    "one text": ("np.array('right')", "derivative() is 'right'"),
    "an array of dates": ("right.astype('M8[s]')", "ndarray of datetime64"),
    "records": ("right.astype([('x', float)])", "ndarray of"),
    "integers": ("right.astype(int)", "dtype int64"),
    "booleans": ("right.astype(bool)", "dtype bool"),
    "float32": ("right.astype('f4')", "dtype float32"),
    "long doubles": ("right.astype(np.longdouble)", "ndarray of"),
    "the other byte order": ("right.astype('>f8')", "dtype >f8"),
    "complex numbers": ("right + 0j", "dtype complex128"),
    "NaN": ("right * np.nan", "entries not finite"),
    "infinity": ("np.where(right > 0, np.inf, right)", "entries not finite"),
    "huge numbers": ("right * 1e300", "1e+300 times"),
    "one entry off": ("right + 1e-3 * (np.arange(right.size).reshape(right.shape) == 5)", "1 of"),
    "an axis too many": ("right[None]", "has the shape"),
    "no rows": ("right[:0]", "has the shape"),
    "no rows of a million columns": ("np.zeros((0, 10**6, 10**6))", "has the shape"),
    "a view of 8 TB": ("np.broadcast_to(right[0], (10**11, right.shape[1]))", "bytes"),
    "22 axes without end": ("np.ndarray((7,) * 22, '<U0', b'')", "shape (7, 7,"),
    "9 axes of booleans": ("np.zeros((6,) * 9, bool)", "10,077,696 bytes"),
    "30 axes of one": ("np.zeros((1,) * 30)", "shape (1, 1,"),
    "texts that are no characters": ("np.frombuffer(b'\\xff' * 40, 'U1')", "of <U1"),
    "a text that is no character": ("np.ndarray((), '<U1', b'\\xff' * 4)", "of <U1"),
    "texts of the other byte order": ("np.array(['a', 'b'], '>U1')", "is an array of >U1"),
    "a matrix": ("np.matrix(right)", "numpy.matrix"),
    "a masked array": ("np.ma.array(right, mask=True)", "MaskedArray"),
    "a memory map": ("right.view(np.memmap)", "numpy.memmap"),
    "an array that equals everything": ("right.view(type('A', (np.ndarray,), {'__eq__': lambda a, b: True}))", "A"),
    "an object that equals everything": ("type('A', (), {'__eq__': lambda a, b: True})()", "A, expected"),
    "an object that turns into arrays": ("type('A', (), {'__array__': lambda *a, **k: right})()", "A, expected"),
    "an object of a lying class": ("type('A', (), {'__class__': np.ndarray})()", "A, expected"),
    "a class that calls itself numpy.ndarray": (
        "type('ndarray', (np.float64,), {'__module__': 'numpy'})(1)",
        "has the shape ()",
    ),
    "a type with a strange name": ("type('a: b\\n\\x1b[31m' * 99, (), {})()", "a: b ?[31m"),
    "Fortran's order": ("np.asfortranarray(right)", ""),
    "a reversed view": ("right[::-1].copy()[::-1]", ""),
}


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Verdict]:
    """The verdicts on all of these values, by one process: a question asked in between goes on to the next."""
    derivative = body("ReLU.derivative", "import numpy as np\nright = original(*args)\nreturn eval(VALUES[0])")
    question = body("question_3", "import activation\ndel activation.VALUES[0]\nreturn original()")
    codes = [code for code, _ in VALUES.values()]

    def listed(files: Files) -> None:
        files["mytorch/activation.py"] += f"\n\nVALUES = {['right', *codes]!r}\n".encode()

    handin = edited(tmp_path_factory.mktemp("values"), derivative, question, listed)
    found = {}
    with Workplace() as workplace:
        grading = opened(Settings(str(handin)), workplace)
        for name in VALUES:
            grading.results.clear()
            assert grading.grade(BY_KEY["multiple_choice"]).status == "passed"
            found[name] = grading.grade(BY_KEY[RELU])
    return found


@pytest.mark.parametrize("name", VALUES)
def test_what_is_no_right_array_fails_with_what_it_is(name: str, verdicts: dict[str, Verdict]) -> None:
    words, verdict = VALUES[name][1], verdicts[name]
    assert verdict.status == ("failed" if words else "passed")
    assert words in verdict.reason
    assert verdict.reason.isprintable()


EXERCISES = "import sys\nframe = sys._getframe()\nwhile 'EXERCISES' not in frame.f_globals: frame = frame.f_back\n"
PATCHES = {
    "np.allclose": "import numpy as np\nnp.allclose = np.array_equal = lambda *a, **k: True",
    "np.testing": "import numpy as np\nnp.testing.assert_allclose = lambda *a, **k: None",
    "the exercises": f"{EXERCISES}frame.f_globals['EXERCISES']['activation_derivative'].__doc__ = 'passed'",
    "its modules": "import sys\nsys.modules['compare'] = sys.modules['grading'] = sys",
}


@pytest.mark.parametrize("name", PATCHES)
def test_what_it_patches_judges_nothing(name: str, outside: Path) -> None:
    wrong = body("ReLU.derivative", f"{PATCHES[name]}\nreturn 2 * original(*args)")
    faults.check(Fault(wrong, {RELU: "failed"}, "2 times"), outside)


def test_an_exercise_that_it_replaces_gives_nothing_to_be_right(outside: Path) -> None:
    replaced = f"{EXERCISES}frame.f_globals['gradients'] = lambda *_: {{'passed': True}}\nreturn original(*args)"
    backward = [key for key in faults.NEEDS_HW1 if "backward" in key or key == "batchnorm_train"]
    unpassed = {**dict.fromkeys(backward, "waiting"), "classifier_backward": "failed"}
    faults.check(Fault(body("ReLU.derivative", replaced), unpassed, "missing"), outside)


def test_what_a_submission_prints_stays_with_the_problem_that_printed_it(outside: Path) -> None:
    code = "import os, sys\nprint('one')\nprint('two', file=sys.stderr)\nos.write(1, b'three\\n')\nreturn original()"
    result = grade(edited(outside / "handin", body("question_3", code)))
    printed = {key: verdict.printed for key, verdict in result.verdicts.items() if verdict.printed}
    assert printed == {"multiple_choice": "one\ntwo\nthree\n"}


# Where it runs, and what it finds there


@pytest.fixture
def printed(outside: Path) -> Callable[..., str]:
    """Runs code in a right submission, and returns what it printed; it costs no points."""

    def run(code: str, target: str = "question_3", problem: str = "multiple_choice") -> str:
        result = grade(edited(outside / "handin", body(target, f"import os, sys\n{code}\nreturn original(*args)")))
        assert result.unpassed == {}
        return result.verdicts[problem].printed.strip()

    return run


def test_it_runs_elsewhere_from_a_copy(printed: Callable[..., str], outside: Path) -> None:
    code = "import mc\nprint(os.getpid(), sorted(os.listdir(os.path.dirname(mc.__file__))), mc.__file__)"
    pid, one, two, file = printed(code).split(" ", 3)
    assert int(pid) != os.getpid()
    assert one + two == "['hw1.py','mc.py']"
    assert Path(file).is_relative_to((outside / "temporary").resolve())


def test_it_is_given_inputs_alone(printed: Callable[..., str]) -> None:
    code = """
frame = sys._getframe()
while 'request' not in frame.f_locals: frame = frame.f_back
graders = ('grading', 'diagnosis', 'report', 'homework', 'pytest')
names = [name for name in sys.modules if name.partition('.')[0] in graders]
print(sorted(frame.f_locals['request'].blobs), sorted(frame.f_locals['request'].header), names)
"""
    assert printed(code, "ReLU.derivative", RELU) == "['name', 'x'] ['broken', 'exercise', 'id', 'strict'] []"


@pytest.mark.cold
def test_it_finds_numpy_and_the_standard_library(printed: Callable[..., str]) -> None:
    code = """
for name in ('numpy', 'numpy.linalg', 'json', 'decimal', 'pytest', 'pip', 'setuptools', 'torch', 'homework', 'sandbox'):
    try: __import__(name); print(name, end=' ')
    except ImportError: pass
"""
    assert printed(code).split() == ["numpy", "numpy.linalg", "json", "decimal"]


@pytest.mark.skipif(os.name != "posix", reason="there are no such limits")
def test_a_limit_that_the_server_has_lowered_leaves_the_others(outside: Path) -> None:
    code = "for name in 'AS', 'CPU', 'FSIZE', 'CORE': print(resource.getrlimit(getattr(resource, f'RLIMIT_{name}')))"
    handin = edited(outside / "handin", body("question_3", f"import resource\n{code}\nreturn original()"))
    lowered = "import os, resource, sys; resource.setrlimit(resource.RLIMIT_CPU, (100, 100))"
    lowered += "; os.execv(sys.argv[1], sys.argv[1:])"
    runner = [sys.executable, str(GRADER / "runner.py"), "--submission", str(handin), "--format", "json"]
    done = subprocess.run([sys.executable, "-c", lowered, *runner], capture_output=True, text=True, timeout=LIMIT)
    lines = json.loads(done.stdout)["problems"][0]["printed"].splitlines()
    assert lines == ["(2147483648, 2147483648)", "(100, 100)", "(1048576, 1048576)", "(0, 0)"]


# A file of any name is found as plain Python finds it, with the two folders at the end of the path.

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
