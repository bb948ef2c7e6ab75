"""Handins as files: what is taken from a tar or a folder, what is left out with a line, and what broken files cost."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import tarfile
import tracemalloc
import unicodedata
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import faults
from faults import CHOICES, NEEDS_HW1, POINTS, Fault, harmless, question
from handins import MAX_TOTAL, Edit, changed, content, grade, solution, top, without, write
from sandbox import submission

Tar = tarfile.TarFile


def add(tar: Tar, name: str, data: bytes = b"x = 1\n", kind: bytes = tarfile.REGTYPE, **fields: Any) -> None:
    member = tarfile.TarInfo(name)
    member.type, member.size = kind, len(data) if kind == tarfile.REGTYPE else 0
    for field, value in fields.items():
        setattr(member, field, value)
    tar.addfile(member, io.BytesIO(data))


def packed(
    *extra: Callable[[Tar], None],
    prefix: str = "",
    mode: str = "w",
    before: bool = False,
    name_of: Callable[[str], str] = str,
) -> bytes:
    """The solution as a tar, with other members after it."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode, format=tarfile.PAX_FORMAT) as tar:  # type: ignore[call-overload]
        for put in extra if before else ():
            put(tar)
        for name, data in solution().items():
            add(tar, prefix + name_of(name), data)
        for put in () if before else extra:
            put(tar)
    return out.getvalue()


def member(name: str, **fields: Any) -> Callable[[Tar], None]:
    return lambda tar: add(tar, name, **fields)


def at(tmp_path: Path, data: bytes) -> str:
    path = tmp_path / "handin.tar"
    path.write_bytes(data)
    return str(path)


LEFT_OUT = "left out, not a regular .py file of hw1/ or mytorch/: "
NO_NAME = "left out, for a name that not every system can hold: "

# Members beside the solution's own: the line that says what became of them, or nothing where there is no need to.
MEMBERS: dict[str, tuple[Callable[[Tar], None], str]] = {
    "an absolute path": (member("/etc/evil.py"), f"{LEFT_OUT}/etc/evil.py"),
    "an absolute path that ends well": (member("/hw1/evil.py"), f"{LEFT_OUT}/hw1/evil.py"),
    "a path upwards": (member("../evil.py"), f"{LEFT_OUT}../evil.py"),
    "a path upwards from within": (member("hw1/../../evil.py"), f"{LEFT_OUT}hw1/../../evil.py"),
    "another folder": (member("autograder/hw1_autograder/runner.py"), f"{LEFT_OUT}autograder/hw1_autograder/runner.py"),
    "a file at the top": (member("numpy.py"), f"{LEFT_OUT}numpy.py"),
    "a symbolic link": (member("hw1/evil.py", kind=tarfile.SYMTYPE, linkname="/etc/passwd"), f"{LEFT_OUT}hw1/evil.py"),
    "a hard link": (member("hw1/evil.py", kind=tarfile.LNKTYPE, linkname="/etc/passwd"), f"{LEFT_OUT}hw1/evil.py"),
    "a linked folder": (member("hw1/sub", kind=tarfile.SYMTYPE, linkname="/etc"), f"{LEFT_OUT}hw1/sub"),
    "a character device": (member("hw1/evil.py", kind=tarfile.CHRTYPE), f"{LEFT_OUT}hw1/evil.py"),
    "a block device": (member("hw1/evil.py", kind=tarfile.BLKTYPE), f"{LEFT_OUT}hw1/evil.py"),
    "a FIFO": (member("hw1/evil.py", kind=tarfile.FIFOTYPE), f"{LEFT_OUT}hw1/evil.py"),
    "an unknown type": (member("hw1/evil.so", kind=tarfile.REGTYPE), f"{LEFT_OUT}hw1/evil.so"),
    "a file below a file": (member("hw1/hw1.py/evil.py"), f"{LEFT_OUT}hw1/hw1.py/evil.py"),
    "folders without end": (member("hw1/" + "a/" * 40 + "evil.py"), LEFT_OUT),
    "a name of more bytes than a name may have": (member(f"hw1/{'ß' * 150}.py"), f"{LEFT_OUT}hw1/ßßß"),
    "a line break in the name": (member("hw1/a\nb.py"), f"{LEFT_OUT}hw1/a?b.py"),
    "a terminal's control characters": (member("hw1/\x1b[2J.py"), f"{LEFT_OUT}hw1/?[2J.py"),
    "a name that is not UTF-8": (member(b"hw1/\xff.py".decode("utf-8", "surrogateescape")), f"{LEFT_OUT}hw1/?.py"),
    "a Windows path": (member("hw1/C:\\evil.py"), f"{NO_NAME}hw1/C:\\evil.py"),
    "a large file": (member("hw1/large.py", data=b"#" * (2 << 20)), "left out, larger than 1024 KiB: hw1/large.py"),
    "plots": (member("hw1/train_loss.png"), ""),
    "what macOS adds": (member("hw1/._hw1.py"), ""),
    "a cache": (member("mytorch/__pycache__/linear.cpython-39.pyc"), ""),
    "a folder": (member("hw1/", kind=tarfile.DIRTYPE), ""),
    "a file of one's own": (member("hw1/helper.py"), ""),
    "a name in another script": (member("hw1/größe.py"), ""),
}


@pytest.mark.parametrize("name", MEMBERS)
def test_only_regular_py_files_of_the_two_folders_are_taken(name: str, tmp_path: Path) -> None:
    put, line = MEMBERS[name]
    read = submission.read(at(tmp_path, packed(put)))
    kept = {"a file of one's own": {"hw1/helper.py"}, "a name in another script": {"hw1/größe.py"}}
    assert set(read.files) == set(solution()) | kept.get(name, set())
    assert len(read.remarks) == bool(line)
    assert not line or read.remarks[0].startswith(line)


@pytest.mark.parametrize("prefix", ["", "./", "././"])
@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_a_leading_dot_and_gzip_are_fine(prefix: str, mode: str, tmp_path: Path) -> None:
    read = submission.read(at(tmp_path, packed(prefix=prefix, mode=mode)))
    assert (read.files, read.remarks, read.missing) == (solution(), [], [])


def test_the_last_of_several_members_of_one_name_counts_as_when_tar_unpacks(tmp_path: Path) -> None:
    read = submission.read(at(tmp_path, packed(member("./hw1/mc.py", data=b"last"), member("hw1/hw1.py", data=b"1"))))
    assert (read.files["hw1/mc.py"], read.files["hw1/hw1.py"]) == (b"last", b"1")


def cut(data: bytes, share: float) -> bytes:
    return data[: int(len(data) * share)]


def with_negative_size() -> bytes:
    """A header that leads a careless reader backwards, again and again."""
    data = bytearray(packed())
    data[124:136] = b"\xff" * 11 + b"\x00"
    data[148:156] = b" " * 8
    data[148:156] = b"%06o\0 " % sum(data[:512])
    return bytes(data)


def sparse() -> bytes:
    """A member of a terabyte, of which nothing is there."""
    header = tarfile.TarInfo("hw1/terabyte.py")
    header.size = 1 << 40
    return header.tobuf(tarfile.GNU_FORMAT) + packed()


def zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


# Archives that give nothing, and the words that say why.
REFUSED = {
    "empty": (b"", "empty file"),
    "a single .py file": (solution()["hw1/hw1.py"], "is a single file of text, such as one .py file, not a tar"),
    "a single .py file by gzip": (gzip.compress(solution()["hw1/mc.py"]), "is a single file of text"),
    "a zip": (zipped(solution()), "is a zip, not a tar: hand in the handin.tar that create_tarball.sh makes"),
    "xz": (lzma.compress(packed()), "is compressed by xz, not a tar"),
    "HW1 and MyTorch": (
        packed(name_of=lambda name: name.replace("hw1/", "HW1/").replace("mytorch/", "MyTorch/")),
        "left out: MyTorch/, which has to be named mytorch/, in lower case; left out: HW1/, which",
    ),
    "a tar of nothing": (bytes(10240), "holds no .py file"),
    "random numbers": (bytes(i * i % 251 for i in range(5000)), "damaged or cut off"),
    "gzip of nothing": (gzip.compress(b""), "empty file"),
    "gzip cut off": (gzip.compress(packed())[:40], "damaged or cut off"),
    "gzip's header alone": (b"\x1f\x8b", "damaged or cut off"),
    "bzip2": (bz2.compress(packed()), "is compressed by bzip2, not a tar"),
    "cut off in the first member": (packed()[:600], "damaged or cut off"),
    "a bomb": (gzip.compress(bytes(1 << 26)), "larger than 32 MiB"),
    "a negative size": (with_negative_size(), ""),
    "a terabyte first": (sparse(), "left out, larger than 1024 KiB: hw1/terabyte.py"),
    "wrapped in a folder": (
        packed(prefix="handin/"),
        "hw1/ and mytorch/ lie in handin/ there, and have to be at the top",
    ),
    "wrapped in two": (packed(prefix="./a/b/"), "lie in ./a/b/ there"),
    "links alone": (
        packed(member("hw1/a.py", kind=tarfile.SYMTYPE), prefix="x"),
        "holds no .py file in hw1/ or mytorch/",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_an_archive_without_a_submission_is_refused_in_one_line(name: str, tmp_path: Path) -> None:
    data, words = REFUSED[name]
    tracemalloc.start()
    try:
        with pytest.raises(submission.NoSubmission) as refusal:
            submission.read(at(tmp_path, data))
        assert tracemalloc.get_traced_memory()[1] < 4 * submission.MAX_ARCHIVE
    finally:
        tracemalloc.stop()
    assert words in str(refusal.value)
    assert str(refusal.value).isprintable()


@pytest.mark.parametrize("suffix", [".tar.gz", ".tgz", ".tar"])
def test_a_tar_by_gzip_is_taken_whatever_its_name(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"handin{suffix}"
    path.write_bytes(gzip.compress(packed()))
    assert submission.read(str(path)).files == solution()


def test_one_folder_in_capitals_is_said_and_the_other_taken(tmp_path: Path) -> None:
    read = submission.read(at(tmp_path, packed(name_of=lambda name: name.replace("hw1/", "Hw1/"))))
    assert {name.partition("/")[0] for name in read.files} == {"mytorch"}
    assert read.remarks == ["left out: Hw1/, which has to be named hw1/, in lower case"]


def test_a_folder_in_capitals_is_said_of_a_folder_too(tmp_path: Path) -> None:
    write({name.replace("hw1/", "HW1/"): data for name, data in solution().items()}, tmp_path)
    remarks = [] if (tmp_path / "hw1").is_dir() else ["left out: HW1/, which has to be named hw1/, in lower case"]
    assert submission.read(str(tmp_path)).remarks == remarks


def test_of_an_archive_that_is_cut_off_the_whole_files_are_graded(tmp_path: Path) -> None:
    data = packed()
    names = list(solution())
    end = data.index(b"hw1/hw1.py") + 600  # within its first block of data
    result = grade(at(tmp_path, data[:end]))
    assert names.index("hw1/hw1.py") < names.index("hw1/mc.py")
    assert result.statuses["multiple_choice"] == "error"
    assert "missing" in result.verdicts["multiple_choice"].reason
    assert result.statuses["linear_backward"] == "passed"
    read = submission.read(at(tmp_path, data[:end]))
    assert read.missing == ["hw1/hw1.py", "hw1/mc.py"]
    assert read.remarks[0].startswith("the archive is damaged or cut off")


def test_members_without_end_are_looked_at_up_to_a_cap(tmp_path: Path) -> None:
    def many(tar: Tar) -> None:
        for number in range(submission.MAX_MEMBERS):
            tar.fileobj.write(tarfile.TarInfo(f"{number}.txt").tobuf(tarfile.USTAR_FORMAT))  # type: ignore[union-attr]
            tar.offset += tarfile.BLOCKSIZE

    read = submission.read(at(tmp_path, packed(many)))
    assert read.remarks == [f"the rest is left out: more than {submission.MAX_MEMBERS} members"]
    assert set(read.files) == set(solution())


def test_files_without_end_are_taken_up_to_a_cap(tmp_path: Path) -> None:
    read = submission.read(at(tmp_path, packed(*(member(f"hw1/_{number}.py") for number in range(300)))))
    assert len(read.files) == submission.MAX_FILES
    assert len(read.remarks) == 10


def test_a_hostile_tar_costs_nothing(outside: Path) -> None:
    assert grade(at(outside, packed(*(put for put, _ in MEMBERS.values())))).score == MAX_TOTAL


# Folders


def folder(tmp_path: Path) -> Path:
    return write(solution(), tmp_path / "work")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no FIFOs")
def test_a_folder_is_read_without_waiting_for_fifos_or_following_what_is_hidden(tmp_path: Path) -> None:
    root = folder(tmp_path)
    os.mkfifo(root / "hw1" / "fifo.py")
    (root / "hw1" / "dangling.py").symlink_to("/nowhere")
    write({"hw1/.hidden.py": b"1", "hw1/.git/x.py": b"1", "hw1/__pycache__/x.py": b"1", "hw1/a.txt": b""}, root)
    write({"hw1/large.py": b"#" * (2 << 20), "data/x.py": b"1"}, root)
    read = submission.read(str(root))
    assert read.files == solution()
    assert read.remarks == [
        "left out, not a regular file: hw1/dangling.py",
        "left out, not a regular file: hw1/fifo.py",
        "left out, larger than 1024 KiB: hw1/large.py",
    ]


def test_a_folder_is_taken_as_a_tar_of_it_would_be(tmp_path: Path) -> None:
    root = folder(tmp_path)
    write({"hw1/a/b/c/x.py": b"1", "hw1/a/b/c/d/x.py": b"1", f"hw1/{'ß' * 99}.py": b"1", "hw1/C:x.py": b"1"}, root)
    read = submission.read(str(root))
    assert read.files == {**solution(), "hw1/a/b/c/x.py": b"1"}
    assert [remark[:40] for remark in read.remarks] == [
        f"{NO_NAME}hw1/C:x.py"[:40],
        f"left out, for its name: hw1/{'ß' * 99}"[:40],
        "left out, too many folders deep: hw1/a/b",
    ]


# Names that Windows or macOS can't hold, and what is said of them; None where the name is fine.
NAMES = {
    "hw1/con.py": NO_NAME,
    "hw1/AUX.py": NO_NAME,
    "hw1/nul.tar.py": NO_NAME,
    "hw1/com1.py": NO_NAME,
    "hw1/lpt9/x.py": NO_NAME,
    "hw1/a?.py": NO_NAME,
    "hw1/a*.py": NO_NAME,
    "hw1/<a>.py": NO_NAME,
    "hw1/a|b.py": NO_NAME,
    'hw1/"a".py': NO_NAME,
    "hw1/a./x.py": NO_NAME,
    "hw1/a /x.py": NO_NAME,
    "hw1/MC.py": "left out, on some systems the same file as hw1/mc.py: ",
    "mytorch/Linear.py": "left out, on some systems the same file as mytorch/linear.py: ",
    "hw1/console.py": None,
    "hw1/com10.py": None,
    "hw1/auxiliary.py": None,
    "hw1/a b.py": None,
    "hw1/[a].py": None,
    "hw1/.hidden/x.py": "",
    "hw1/__pycache__/x.py": "",
}


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_another_system_can_t_hold_is_left_out_of_folder_and_tar_alike(name: str, tmp_path: Path) -> None:
    words = NAMES[name]
    root = write({name: b"1"}, folder(tmp_path))
    if Path(name).name not in os.listdir((root / name).parent):
        pytest.skip("this system can't hold it either")
    reads = [submission.read(str(root)), submission.read(at(tmp_path, packed(member(name, data=b"1"))))]
    assert reads[0] == reads[1]
    assert reads[0].files == (solution() if words is not None else {**solution(), name: b"1"})
    assert reads[0].remarks == ([words + name] if words else [])


def test_two_forms_of_one_name_are_one_file(tmp_path: Path) -> None:
    forms = [unicodedata.normalize(form, "hw1/größe.py") for form in ("NFC", "NFD")]
    read = submission.read(at(tmp_path, packed(*(member(name, data=b"1") for name in forms))))
    assert len(read.files.keys() & set(forms)) == len(read.remarks) == 1


@pytest.mark.parametrize(
    ("place", "words"),
    [
        (".", "hw1/ and mytorch/ lie in work/ there"),
        ("work/hw1", "holds no .py file in hw1/ or mytorch/"),
        ("nowhere", "no such folder or file"),
        ("work/hw1/mc.py", "is a single file of text"),
    ],
)
def test_another_path_is_refused_in_one_line(place: str, words: str, tmp_path: Path) -> None:
    folder(tmp_path)
    with pytest.raises(submission.NoSubmission, match=words):
        submission.read(str(tmp_path / place))


def test_of_a_folder_on_its_own_machine_links_are_followed(tmp_path: Path) -> None:
    root = folder(tmp_path)
    write({"code/sub/helper.py": b"x = 1\n", "code/mc.py": (root / "hw1" / "mc.py").read_bytes()}, tmp_path)
    (root / "hw1" / "mc.py").unlink()
    (root / "hw1" / "mc.py").symlink_to(tmp_path / "code" / "mc.py")
    (root / "hw1" / "sub").symlink_to(tmp_path / "code" / "sub")
    read = submission.read(str(root))
    assert (read.files, read.remarks) == ({**solution(), "hw1/sub/helper.py": b"x = 1\n"}, [])


def test_a_folder_that_may_not_be_read_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root, scan = folder(tmp_path), os.scandir

    def refused(path: str) -> object:  # as for whoever is not root
        if path == str(root / "hw1"):
            raise PermissionError(13, "Permission denied", path)
        return scan(path)

    monkeypatch.setattr(os, "scandir", refused)
    assert submission.read(str(root)).remarks == ["can't be read: hw1/ (Permission denied)"]


# What broken files cost, and which oddities cost nothing.

ACTIVATIONS = [key for key in POINTS if key.startswith(("sigmoid", "tanh", "relu"))]
CHOICES_LOST = {CHOICES: "error"}
HW1_LOST = {**dict.fromkeys(NEEDS_HW1, "waiting"), NEEDS_HW1[0]: "error"}
LINEAR_LOST = {"linear_forward": "error", "linear_backward": "waiting", **dict.fromkeys(NEEDS_HW1, "waiting")}


def all_files(change: Callable[[bytes], bytes]) -> Edit:
    return lambda files: files.update({name: change(data) for name, data in files.items()})


FILES = {
    "mc.py is missing": Fault(without("hw1/mc.py"), CHOICES_LOST, "hw1/mc.py is missing"),
    "mc.py is empty": Fault(content("hw1/mc.py", b""), CHOICES_LOST, "question_1"),
    "mc.py does not parse": Fault(top("hw1/mc.py", "def f(:\n"), CHOICES_LOST, "hw1/mc.py, line 1"),
    "mc.py has a NUL": Fault(top("hw1/mc.py", "\0\n"), CHOICES_LOST, "null bytes"),
    "mc.py is not UTF-8": Fault(content("hw1/mc.py", b"LETTER = '\xff'\n"), CHOICES_LOST, "hw1/mc.py"),
    "mc.py is UTF-16": Fault(
        lambda files: files.update({"hw1/mc.py": files["hw1/mc.py"].decode().encode("utf-16")}), CHOICES_LOST, "mc.py"
    ),
    "activation.py does not parse": Fault(
        top("mytorch/activation.py", "class:\n"),
        {**{key: "error" if key.endswith("forward") else "waiting" for key in ACTIVATIONS}, **HW1_LOST},
        "SyntaxError",
    ),
    "loss.py is missing": Fault(
        without("mytorch/loss.py"),
        {"loss_forward": "error", "loss_derivative": "waiting", **HW1_LOST},
        "mytorch/loss.py is missing",
    ),
    "hw1.py is missing": Fault(without("hw1/hw1.py"), HW1_LOST, "hw1/hw1.py is missing"),
    **{
        f"imports {name}": Fault(
            top("mytorch/linear.py", f"import {name}\n"),
            LINEAR_LOST,
            f"mytorch/linear.py, line 1: `import {name}`: imports {name}, but only NumPy",
        )
        for name in ("scipy", "torch", "pandas", "pytest")
    },
    "finds the way to other packages": question(
        "import sys, os, numpy\nsys.path.append(os.path.dirname(os.path.dirname(numpy.__file__)))\nimport pytest", ""
    ),
    "byte order marks and CRLF": harmless(all_files(lambda data: b"\xef\xbb\xbf" + data.replace(b"\n", b"\r\n"))),
    "the course's own sys.path line": harmless(
        changed(
            "hw1/hw1.py",
            'sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "mytorch"))',
            "sys.path.append('mytorch')",
        )
    ),
    "star imports of the package": harmless(
        top("hw1/hw1.py", "from mytorch.activation import *\nfrom mytorch import loss\n")
    ),
    "a helper file of its own": harmless(
        lambda files: files.update(
            {"hw1/helper.py": b"LETTER = 'a'\n", "hw1/mc.py": files["hw1/mc.py"] + b"\nfrom helper import LETTER\n"}
        )
    ),
    "the standard library": harmless(
        top(
            "mytorch/linear.py",
            "import abc, collections, dataclasses, functools, math, random, subprocess, threading, typing\n",
        )
    ),
    "warnings as errors": harmless(top("mytorch/activation.py", "import warnings; warnings.simplefilter('error')\n")),
}


@pytest.mark.parametrize("name", FILES)
def test_a_broken_file_costs_what_needs_it(name: str, outside: Path) -> None:
    faults.check(FILES[name], outside)
