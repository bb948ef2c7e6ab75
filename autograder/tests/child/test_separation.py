"""What the README says of the separation: where a submission runs, and what it can reach there."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from handins import GRADER, ROOT, Edit, body, grade, kernel_fences, report, solution, write
from sandbox import system, wire


@pytest.fixture
def said(outside: Path) -> Callable[[str], str]:
    """Runs code in a right submission, and returns what it printed; it costs no points."""

    def run(code: str, target: str = "question_3", problem: str = "multiple_choice") -> str:
        edit: Edit = body(target, f"import os, sys\nimport numpy as np\n{code}\nreturn original(*args)")
        files = solution()
        edit(files)
        result = grade(write(files, outside / "handin"))
        assert result.unpassed == {}
        return result.verdicts[problem].printed.strip()

    return run


def test_it_runs_elsewhere_from_a_copy(said: Callable[[str], str], outside: Path) -> None:
    pid, file, others = said(
        "import mc\nprint(os.getpid(), mc.__file__, os.listdir(os.path.dirname(mc.__file__)))"
    ).split(" ", 2)
    assert int(pid) != os.getpid()
    assert not Path(file).is_relative_to(outside / "handin")
    assert Path(file).is_relative_to(outside / "temporary")
    assert set(eval(others)) == {"hw1.py", "mc.py"}


def test_it_is_told_inputs_alone(said: Callable[..., str]) -> None:
    code = """
frame = sys._getframe()
while 'request' not in frame.f_locals: frame = frame.f_back
graders = ('grading', 'diagnosis', 'report', 'homework', 'pytest')
names = [name for name in sys.modules if name.partition('.')[0] in graders]
print(sorted(frame.f_locals['request'].blobs), sorted(frame.f_locals['request'].header), names)
"""
    printed = said(code, "ReLU.derivative", "relu_derivative")
    assert printed == "['name', 'x'] ['broken', 'exercise', 'id', 'strict'] []"


def test_what_is_too_large_is_not_read() -> None:
    for data in (
        b"\xff\xff\xff\x7f",
        _announced('["x", "<f8", [2, 4194304], 67108864]'),
        _announced('["x", "|b1", [1,1,1,1,1,1,1,1,1], 1]'),
    ):
        stream = io.BytesIO(data + bytes(1 << 20))
        with pytest.raises(wire.WireError):
            wire.receive(stream)
        assert stream.tell() == len(data), "nothing of it is read"
    assert not wire.fits(wire.Blob("|b1", (wire.MAX_ENTRIES + 1,), bytes(wire.MAX_ENTRIES + 1)))


def _announced(array: str) -> bytes:
    head = f'{{"header": {{}}, "arrays": [{array}]}}'.encode()
    return len(head).to_bytes(4, "little") + head


def test_it_finds_numpy_and_the_standard_library(said: Callable[[str], str]) -> None:
    code = """
for name in ('numpy', 'numpy.linalg', 'json', 'decimal', 'pytest', 'pip', 'setuptools', 'torch', 'homework', 'sandbox'):
    try: __import__(name); print(name, end=' ')
    except ImportError: pass
"""
    assert said(code).split() == ["numpy", "numpy.linalg", "json", "decimal"]


def test_it_opens_its_own_files_and_python_s_and_no_other(said: Callable[[str], str], outside: Path) -> None:
    (outside / "secret").write_text("x")
    others = ["/etc/passwd", "/proc/self/environ", outside / "secret", outside / "handin/hw1/mc.py", pytest.__file__]
    others += [ROOT / "data/hw1_reference.npz", GRADER / "runner.py"]
    code = f"""
import mc
for path in (mc.__file__, os.__file__, np.__file__, *{[str(path) for path in others]}):
    try: open(path, 'rb').close(); print('yes', end=' ')
    except PermissionError: print('no', end=' ')
"""
    assert said(code).split() == ["yes"] * 3 + ["no"] * 7


def test_it_writes_in_its_folder_up_to_a_cap(said: Callable[[str], str], outside: Path) -> None:
    code = f"""
def fits(path, size):
    try: return open(path, 'wb', 0).write(bytes(size)) == size
    except OSError: return False
print(fits('mine', 1 << 20), fits('large', (1 << 20) + 1), fits({str(outside / "theirs")!r}, 1), fits('/dev/shm/x', 1))
print(sum(fits(str(number), 1) for number in range(1000)))
"""
    assert said(code).splitlines() == ["True False False False", "498"]


def test_numpy_reads_and_writes_any_memory_of_the_process(said: Callable[[str], str]) -> None:
    code = """
text = bytes(bytearray(b'as it was'))
class Text:
    place = id(text) + bytes.__basicsize__ - 1
    __array_interface__ = {'shape': (1,), 'typestr': '|u1', 'data': (place, False), 'version': 3}
np.asarray(Text())[0] = ord('i')
print(text)
"""
    assert said(code) == "b'is it was'"


FENCE = "other files, other processes and the network"
ENFORCED = {  # system, what the child could set there, and what the report says of it
    "Linux": ("linux", ["RLIMIT_CORE", "RLIMIT_FSIZE", "RLIMIT_CPU", "RLIMIT_AS", "Landlock", "seccomp"], ""),
    "Linux without the kernel's fence": ("linux", ["RLIMIT_FSIZE", "RLIMIT_CPU", "RLIMIT_AS"], FENCE),
    "macOS": ("darwin", ["RLIMIT_FSIZE", "RLIMIT_CPU", "RLIMIT_AS"], f"memory, {FENCE}"),
    "Windows": ("win32", [], f"memory, processor time, the size of files, {FENCE}"),
}


@pytest.mark.parametrize("name", ENFORCED)
def test_the_report_says_what_can_t_be_enforced(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    platform, means, said = ENFORCED[name]
    found = system.not_enforced(means, platform)
    assert ", ".join(found) == said
    monkeypatch.setattr(system, "not_enforced", lambda _: found)
    assert report(ROOT).remarks == ([f"this system can't enforce a limit on {said}"] if said else [])


@pytest.mark.skipif(not kernel_fences(), reason="this kernel has no Landlock")
def test_linux_enforces_them_all() -> None:
    assert report(ROOT).remarks == []
