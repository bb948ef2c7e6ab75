"""Takes a submission from a folder or a handin.tar, as data, and lays out a clean copy to run.

Only regular `.py` files under `hw1/` and `mytorch/` are taken, at most so many and so large. Everything else that a
tar can hold (absolute paths, `..`, links, devices, a terabyte) is left out, with a remark.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import sys
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.machinery import PathFinder
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import tarfile

from sandbox.layers import FILES

FOLDERS = ("mytorch", "hw1")
REQUIRED = tuple(FILES.values())
MAX_FILES = 200
MAX_FILE = 1 << 20  # bytes
MAX_ARCHIVE = 32 << 20  # bytes of a tar, unpacked by gzip
MAX_FOLDERS = 4  # one in another
HAND_IN = "hand in the handin.tar that create_tarball.sh makes"
OTHER_KINDS = {  # by the bytes that a file begins with
    b"PK\x03\x04": "a zip",
    b"PK\x05\x06": "an empty zip",
    b"BZh": "compressed by bzip2",
    b"\xfd7zXZ\0": "compressed by xz",
    b"7z\xbc\xaf": "a 7z archive",
    b"Rar!": "a rar archive",
    b"\x28\xb5\x2f\xfd": "compressed by zstd",
}
# What Windows takes in no name, and the names of its devices, whatever their ending.
UNPORTABLE = set('\\:*?"<>|')
DEVICE = re.compile(r"(?i)(con|prn|aux|nul|conin\$|conout\$|com[1-9]|lpt[1-9])\s*(\.|$)")
MAX_MEMBERS = 20_000  # of a tar that are looked at
HARMLESS = ("py.typed", ".png", ".pyc", ".pyo", ".md", ".txt", ".npy", ".npz", ".jpg", ".pdf", ".ipynb")


class NoSubmission(Exception):
    """There is nothing to grade at the path; the message says what was needed and what is there."""


@dataclass
class Submission:
    """The files of a submission by path (`hw1/hw1.py`), and what was left out, in a line each."""

    files: dict[str, bytes] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    beside: list[str] = field(default_factory=list)  # files that were left out, as far as their names may explain
    wrapped: str = ""  # the folder within that hw1/ and mytorch/ are in, where it is not the top

    @property
    def missing(self) -> list[str]:
        return [name for name in REQUIRED if name not in self.files]

    @property
    def shadowing(self) -> list[tuple[str, str]]:
        """The files that the import of one of the homework's finds first, and the homework's."""
        others = [
            (f"{FOLDERS[0]}/{name.rpartition('/')[2]}", name) for name in REQUIRED if not name.startswith(FOLDERS[0])
        ]
        return [(other, name) for other, name in others if other in self.files]

    def note(self, name: str) -> None:
        """Keep the name of a file that is left out, if it may have been meant for one of the homework's."""
        if len(self.beside) < MAX_FILES and _shown(name) == name and name.endswith((".py", ".txt", ".ipynb")):
            self.beside.append(name)

    @property
    def hidden(self) -> list[str]:
        """The files that are not what their name imports, since the standard library has a module of that name."""
        names = []
        for name in self.files:
            module, inner = name.partition("/")[2][: -len(".py")], name.count("/") > 1
            if not inner and module.isidentifier() and _in_standard_library(module):
                imports = re.compile(rf"\s*(?:from\s+{module}\s+import\b|import\s+(?:.*,\s*)?{module}\b)")
                if any(imports.match(line) for file in self.files for line in self.source(file)):
                    names.append(name)
        return names

    @property
    def digest(self) -> str:
        """SHA-256 of the files, by name and content: the same for a tar and for the folder that it holds."""
        return hashlib.sha256(repr(sorted(self.files.items())).encode()).hexdigest()

    def source(self, file: str) -> list[str]:
        """The lines of a file, as well as they can be decoded."""
        return self.files.get(file, b"").decode("utf-8", "replace").splitlines()

    def line(self, file: str, number: int) -> str:
        """A line of a file as it is quoted: cut, and without its indentation; nothing if there is none."""
        lines = self.source(file)
        return lines[number - 1].strip()[:100] if 0 < number <= len(lines) else ""

    def lay_out(self, root: str) -> None:
        """Write the files below a new folder."""
        for folder in FOLDERS:
            os.makedirs(os.path.join(root, folder), exist_ok=True)
        for name, data in self.files.items():
            path = os.path.join(root, *name.split("/"))
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(data)

    def take(self, name: str, size: int) -> bool:
        """Whether a file of that name and size may be taken; remarks on it if not."""
        if len(self.files) >= MAX_FILES:
            self.remark(f"left out, more than {MAX_FILES} files: {name}")
        elif size > MAX_FILE:
            self.remark(f"left out, larger than {MAX_FILE >> 10} KiB: {name}")
        else:
            return True
        return False

    def drop_doubles(self) -> None:
        """Leave out what is the same name to some disks, capitals or accents apart; the one in lower case stays."""
        kept: dict[str, str] = {}
        for name in sorted(self.files, reverse=True):
            other = kept.setdefault(unicodedata.normalize("NFC", name).casefold(), name)
            if other != name:
                del self.files[name]
                self.remark(f"left out, on some systems the same file as {other}: {name}")

    def portable(self, name: str) -> bool:
        """Whether every system can hold a file of that name; remarks on it if not."""
        parts = name.split("/")
        if not any(set(part) & UNPORTABLE or part[-1:] in (" ", ".") or DEVICE.match(part) for part in parts):
            return True
        self.remark(f"left out, for a name that not every system can hold: {name}")
        return False

    def misnamed(self, path: str) -> bool:
        """Whether a path begins with a folder that differs from hw1 or mytorch in its capitals alone; remarks on it."""
        top = path.removeprefix("./").partition("/")[0]
        if top in FOLDERS or top.lower() not in FOLDERS:
            return False
        self.remark(f"left out: {top}/, which has to be named {top.lower()}/, in lower case")
        return True

    def remark(self, line: str) -> None:
        line = _shown(line)
        if len(self.remarks) < 10 and line not in self.remarks:
            self.remarks.append(line)


def _in_standard_library(module: str) -> bool:
    folders = [os.path.dirname(os.__file__), *(path for path in sys.path if path.endswith("lib-dynload"))]
    return module in sys.builtin_module_names or PathFinder.find_spec(module, folders) is not None


def _shown(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text[:200])


def seed(*submissions: Submission) -> int:
    """A number that follows from the files: with the solution's among them, nobody else can foresee it."""
    files = [sorted(submission.files.items()) for submission in submissions]
    return int.from_bytes(hashlib.sha256(repr(files).encode()).digest()[:4], "little")


def read(path: str, links: bool = True) -> Submission:
    """Read the submission at a folder or a tar; raise NoSubmission if there is none.

    Without `links`, what symbolic links of a folder have outside of it is left out, for it is not the submission's.
    """
    if os.path.isdir(path):
        submission = _from_folder(path, links)
    elif os.path.isfile(path):
        submission = _from_tar(path)
    else:
        raise NoSubmission(f"{path}: no such folder or file; give a folder with hw1/ and mytorch/, or a handin.tar")
    submission.drop_doubles()
    if not submission.files and submission.wrapped:
        raise NoSubmission(f"{path}: hw1/ and mytorch/ lie in {submission.wrapped}/ there, and have to be at the top")
    if not submission.files:
        remarks = "".join(f"; {remark}" for remark in submission.remarks)
        raise NoSubmission(f"{path}: holds no .py file in hw1/ or mytorch/{remarks}")
    return submission


def _from_folder(path: str, links: bool) -> Submission:
    folder = _Folder(path, links, Submission())
    try:
        names = sorted(os.listdir(path))
    except OSError as error:
        raise NoSubmission(f"{path}: can't be read ({error.strerror})") from error
    folder.look_around(names)
    for file in folder.files():
        folder.take(file)
    return folder.submission


@dataclass
class _Folder:
    """A folder that a submission is read from."""

    path: str
    links: bool  # whether those that lead out of it are followed
    submission: Submission

    def look_around(self, names: list[str]) -> None:
        """Remark on folders at the top that may have been meant for hw1/ and mytorch/, or to hold them."""
        complete = all(os.path.isdir(os.path.join(self.path, folder)) for folder in FOLDERS)
        for name in names:
            if os.path.isfile(os.path.join(self.path, name)):
                self.submission.note(name)
            if any(os.path.isdir(os.path.join(self.path, name, folder)) for folder in FOLDERS):
                self.submission.wrapped = _shown(name)
            if not complete:  # capitals are the same on some disks
                self.submission.misnamed(name)

    def files(self) -> Iterator[str]:
        """The `.py` files in and below the two folders, without hidden ones and caches."""
        for top in FOLDERS:
            if not self.inside(os.path.join(self.path, top)):
                continue
            for place, folders, files in os.walk(os.path.join(self.path, top), onerror=self.unread, followlinks=True):
                seen = sorted(name for name in folders if not name.startswith(".") and name != "__pycache__")
                folders[:] = [name for name in seen if self.inside(os.path.join(place, name))]
                if folders and self.name(place).count("/") >= MAX_FOLDERS - 1:
                    self.submission.remark(f"left out, too many folders deep: {self.name(place)}/{folders[0]}")
                    folders.clear()
                for name in sorted(files):
                    if name.endswith(".py") and not name.startswith("."):
                        yield os.path.join(place, name)
                    else:
                        self.submission.note(self.name(os.path.join(place, name)))

    def take(self, file: str) -> None:
        name, submission = self.name(file), self.submission
        try:
            if not os.path.isfile(file):
                submission.remark(f"left out, not a regular file: {name}")
            elif not submission.portable(name):
                return
            elif not _acceptable(name):
                submission.remark(f"left out, for its name: {name}")
            elif self.inside(file) and submission.take(name, os.path.getsize(file)):
                with open(file, "rb") as opened:
                    submission.files[name] = opened.read(MAX_FILE)
        except OSError as error:
            submission.remark(f"can't be read: {name} ({error.strerror})")

    def inside(self, place: str) -> bool:
        """Whether what is there, links followed, may be read; remarks on it if not."""
        if self.links or os.path.realpath(place).startswith(os.path.join(os.path.realpath(self.path), "")):
            return True
        self.submission.remark(f"left out, a link to outside of the submission: {self.name(place)}")
        return False

    def unread(self, error: OSError) -> None:
        if os.path.isdir(error.filename):
            self.submission.remark(f"can't be read: {self.name(error.filename)}/ ({error.strerror})")

    def name(self, place: str) -> str:
        return os.path.relpath(place, self.path).replace(os.sep, "/")


def _from_tar(path: str) -> Submission:
    import tarfile

    submission = Submission()
    try:
        with tarfile.open(fileobj=_archive(path), mode="r:", errorlevel=0) as tar:
            for count, member in enumerate(tar):
                if count >= MAX_MEMBERS:
                    submission.remark(f"the rest is left out: more than {MAX_MEMBERS} members")
                    break
                if _wanted(member, submission):
                    file = tar.extractfile(member)
                    data = file.read(MAX_FILE + 1) if file else b""
                    if len(data) != member.size:
                        raise tarfile.ReadError("unexpected end of data")
                    submission.files[_plain(member.name)] = data
    except NoSubmission:
        raise
    except Exception as error:  # zlib's and tarfile's errors have no base of their own, and hostile headers find more
        submission.remark(f"the archive is damaged or cut off ({type(error).__name__}: {error})")
    return submission


def _wanted(member: tarfile.TarInfo, submission: Submission) -> bool:
    """Whether a member is to be taken; remarks on it if not, where that may matter to somebody."""
    if member.isdir() or _unseen(member.name):
        return False
    if member.isreg() and _in_place(member.name) and not submission.portable(_plain(member.name)):
        return False
    if member.isreg() and _acceptable(member.name):
        return submission.take(_plain(member.name), member.size)
    submission.note(_plain(member.name))
    submission.wrapped = submission.wrapped or _shown(_above(member.name))
    if not submission.misnamed(member.name) and not member.name.endswith(HARMLESS):
        submission.remark(f"left out, not a regular .py file of hw1/ or mytorch/: {member.name}")
    return False


def _archive(path: str) -> io.BytesIO:
    """The tar, unpacked if it is compressed by gzip; never more of it than the cap."""
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_ARCHIVE + 1)
    except OSError as error:
        raise NoSubmission(f"{path}: can't be read ({error.strerror})") from error
    for start, kind in OTHER_KINDS.items():
        if data.startswith(start):
            raise NoSubmission(f"{path}: is {kind}, not a tar: {HAND_IN}")
    if data[:2] == b"\x1f\x8b":
        import zlib

        data = zlib.decompressobj(wbits=31).decompress(data, MAX_ARCHIVE + 1)
    if len(data) > MAX_ARCHIVE:
        raise NoSubmission(f"{path}: larger than {MAX_ARCHIVE >> 20} MiB; the course takes handins of up to 2 MB")
    text = data[:512].decode("utf-8", "replace")
    if len(data) > 64 and "\0" not in text and text.count("\ufffd") < 2:  # a tar's first block ends in zeros
        raise NoSubmission(f"{path}: is a single file of text, such as one .py file, not a tar: {HAND_IN}")
    return io.BytesIO(data)


def _acceptable(name: str) -> bool:
    """Whether it is `hw1/….py` or `mytorch/….py`, not too deep, and a name that can be shown."""
    *folders, file = _plain(name).split("/")
    if not name.isprintable() or len(name.encode()) >= 200 or not file.endswith(".py"):
        return False
    if not 1 <= len(folders) <= MAX_FOLDERS or folders[0] not in FOLDERS:
        return False
    return not any(part in ("", ".", "..") or part.endswith(".py") for part in folders)  # nor a folder like a file


def _plain(name: str) -> str:
    """The member's name without a leading `./`."""
    parts = name.split("/")
    while parts[0] == "." and len(parts) > 1:
        del parts[0]
    return "/".join(parts)


def _in_place(name: str) -> bool:
    """Whether a member is a `.py` file in or below one of the two folders, as far as its name goes."""
    parts = _plain(name).split("/")
    return parts[0] in FOLDERS and name.endswith(".py") and not {"", ".", ".."} & set(parts)


def _unseen(name: str) -> bool:
    """Whether a member is hidden, or a cache: in a folder nobody looks at those either."""
    return any((part[:1] == "." and part not in (".", "..")) or part == "__pycache__" for part in name.split("/"))


def _above(name: str) -> str:
    """The folder that holds hw1/ or mytorch/ in this path, if it is not the top."""
    for folder in FOLDERS:
        above, below, _ = name.partition(f"/{folder}/")
        if below:
            return above
    return ""
