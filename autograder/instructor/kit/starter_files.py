"""The starter that students get: this project without what they have to write, and without the staff's tools.

`TO_WRITE` in homework/problems.py lists those bodies, and `COPIED` below what is copied. The starter's README is
starter.md.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from grading import settings
from homework.plots import PLOTS
from homework.problems import TO_WRITE
from homework.stored import CHECKSUMS
from kit.bodies import NoBody, emptied
from kit.leaks import leaks
from sandbox import ending
from sandbox.submission import REQUIRED

ROOT = Path(settings.ROOT)
PAGE = ROOT / "autograder" / "instructor" / "starter.md"
ARCHIVES = (settings.MNIST, settings.REFERENCES, settings.TRACES, settings.MISTAKES)
# What a student gets.
COPIED = (
    *(".gitattributes", ".gitignore", "create_tarball.sh", "setup.py"),
    *("mytorch/__init__.py", "mytorch/py.typed", *REQUIRED),
    *("data/README.md", f"data/{CHECKSUMS}", *(f"data/{os.path.basename(archive)}" for archive in ARCHIVES)),
    *(f"data/expected_plots/{plot.file}" for plot in PLOTS),
    *("autograder/hw1_autograder/*.py", "autograder/hw1_autograder/*/*.py"),
)
FOLDERS = ("mytorch", "hw1", "data", "autograder/hw1_autograder")  # nothing else may be in them
IGNORED = {f"hw1/{plot.file}" for plot in PLOTS}  # and caches, and whatever begins with a dot
STAFF_BEGIN, STAFF_END = "<!-- staff: begin -->", "<!-- staff: end -->"  # around what a page says to the staff alone


class NoStarter(Exception):
    """There will be no starter; the message says why."""


def starter() -> dict[str, bytes]:
    """Return the starter's files by path."""
    files = given()
    files.update(unwritten())
    files["data/README.md"] = without_staff_notes(files["data/README.md"].decode()).encode()
    # A checkout may have other line ends, which sh does not take.
    files["create_tarball.sh"] = files["create_tarball.sh"].replace(b"\r\n", b"\n")
    files["README.md"] = PAGE.read_bytes()
    return files


def given() -> dict[str, bytes]:
    """Return the files of the table, as they are; raise NoStarter if one is missing, or another is there."""
    files: dict[str, bytes] = {}
    for pattern in COPIED:
        paths = sorted(ROOT.glob(pattern))
        if not paths:
            raise NoStarter(f"{pattern} is missing")
        files.update((path.relative_to(ROOT).as_posix(), path.read_bytes()) for path in paths)
    strangers = [name for folder in FOLDERS for name in names_in(folder) if name not in IGNORED | files.keys()]
    if strangers:
        listed = ", ".join(strangers)
        raise NoStarter(f"not known, move it away or name it in COPIED: {listed}; nothing was written")
    return files


def names_in(folder: str) -> list[str]:
    """The files below a folder of the project, caches and hidden ones left out."""
    names = (path.relative_to(ROOT) for path in sorted((ROOT / folder).rglob("*")) if path.is_file())
    seen = [name for name in names if not any(part.startswith((".", "__pycache__")) for part in name.parts)]
    return [name.as_posix() for name in seen if name.suffix != ".pyc"]


def unwritten(bodies: Iterable[str] = TO_WRITE) -> dict[str, bytes]:
    """Return the solution's six files by path, these bodies removed from them."""
    removed: dict[str, list[str]] = {name: [] for name in REQUIRED}
    for body in bodies:
        file, name = body.split(":", 1)
        if file not in removed:
            raise NoStarter(f"problems.py names {file}, which is no file of the homework")
        removed[file].append(name)
    sources = {file: (ROOT / file).read_bytes() for file in REQUIRED}
    try:
        return {
            file: emptied(file, source.decode(), removed[file]).encode() if removed[file] else source
            for file, source in sources.items()
        }
    except NoBody as error:
        raise NoStarter(str(error)) from None


def without_staff_notes(text: str) -> str:
    while STAFF_BEGIN in text:
        before, _, rest = text.partition(STAFF_BEGIN)
        text = before.rstrip() + "\n\n" + rest.partition(STAFF_END)[2].lstrip()
    return text


def write(folder: Path, files: dict[str, bytes]) -> None:
    """Write the files below a folder that does not exist or is empty: all of them, or nothing.

    Nothing is written either where one of them gives a body away.
    """
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise NoStarter(f"{folder} is not an empty folder: nothing was written")
    leaked = leaks(files)
    if leaked:
        raise NoStarter("\n  ".join(["it would give away, so nothing was written:", *leaked]))
    folder.parent.mkdir(parents=True, exist_ok=True)
    with ending.folder(str(folder.parent), ".starter-") as begun:
        part = Path(begun)
        for name, content in files.items():
            path = part / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        part.chmod(0o755)
        if folder.is_dir():
            folder.rmdir()
        os.replace(part, folder)
