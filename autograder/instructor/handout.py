"""Writes the starter that students get: this project without what they have to write, and without the staff's tools.

Which bodies those are says `TO_WRITE` in homework/problems.py; what is copied says `FILES` below. The starter's README
is starter.md, beside this file. A docstring's section `Notes` stays in the library: it holds what students derive.
"""

from __future__ import annotations

import argparse
import ast
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "autograder" / "hw1_autograder"))

from homework.problems import TO_WRITE  # noqa: E402
from leaks import leaks  # noqa: E402
from sandbox import ending  # noqa: E402

PLOTS = tuple(f"{part}_{what}.png" for part in ("train", "val") for what in ("loss", "error"))
# What a student gets, by folder. In the folders below the top nothing else may lie, and is asked for.
FILES = {
    ".": (".gitattributes", ".gitignore", "create_tarball.sh", "setup.py"),
    "mytorch": ("__init__.py", "py.typed", "activation.py", "batchnorm.py", "linear.py", "loss.py"),
    "hw1": ("hw1.py", "mc.py"),
    "data": ("README.md", "SHA256SUMS", "mnist.npz", "hw1_reference.npz", "hw1_traces.npz", "hw1_mistakes.npz"),
    "data/expected_plots": PLOTS,
    "autograder/hw1_autograder": ("*.py", "*/*.py"),
}
IGNORED = {f"hw1/{plot}" for plot in PLOTS}  # and caches, and whatever begins with a dot
STAFF_BEGIN, STAFF_END = "<!-- staff: begin -->", "<!-- staff: end -->"  # around what a page says to the staff alone
KEPT_IMPORTS = ("numpy", "activation", "batchnorm", "linear", "loss")  # a student needs them, the given code or not
SOLUTIONS_OWN = ("gradients",)  # public here, but no part of the homework: it goes with the body that calls it

Function = (ast.FunctionDef, ast.AsyncFunctionDef)


class HandoutError(Exception):
    """There will be no starter; the message says why."""


class Cut(NamedTuple):
    """Lines `first` up to, not including, `last` (counted from 0), and what stands in their place."""

    first: int
    last: int
    text: list[str]


def starter(bodies: Iterable[str] = TO_WRITE) -> dict[str, bytes]:
    """Return the starter's files by path, these bodies removed from them."""
    files = given()
    removed: dict[str, list[str]] = {}
    for body in bodies:
        file, name = body.split(":", 1)
        removed.setdefault(file, []).append(name)
    for file, names in removed.items():
        if file not in files:
            raise HandoutError(f"problems.py names {file}, which does not exist")
        files[file] = emptied(file, files[file].decode(), names).encode()
    files["data/README.md"] = without_staff_notes(files["data/README.md"].decode()).encode()
    ignored = files[".gitignore"].decode().splitlines(keepends=True)
    files[".gitignore"] = "".join(line for line in ignored if "instructor" not in line).encode()
    # A checkout may have other line ends, which sh does not take.
    files["create_tarball.sh"] = files["create_tarball.sh"].replace(b"\r\n", b"\n")
    files["README.md"] = (HERE / "starter.md").read_bytes()
    return files


def given() -> dict[str, bytes]:
    """Return the files that the table names, as they are; raise HandoutError if one is missing, or another is there."""
    found: dict[str, bytes] = {}
    for folder, names in FILES.items():
        for name in names:
            paths = sorted((ROOT / folder).glob(name))
            if not paths:
                raise HandoutError(f"{folder}/{name} is missing")
            found.update((path.relative_to(ROOT).as_posix(), path.read_bytes()) for path in paths)
    strangers = []
    for folder in (folder for folder in FILES if folder != "."):
        for path in sorted((ROOT / folder).rglob("*")):
            file = path.relative_to(ROOT)
            cached = any(part.startswith(".") or part == "__pycache__" for part in file.parts) or file.suffix == ".pyc"
            if path.is_file() and not cached and file.as_posix() not in IGNORED | found.keys():
                strangers.append(file.as_posix())
    if strangers:
        listed = ", ".join(dict.fromkeys(strangers))
        raise HandoutError(f"not known, move it away or name it in FILES: {listed}; nothing was written")
    return found


def emptied(file: str, source: str, names: list[str]) -> str:
    """Return the source without these bodies, what nothing but them used, and what its docstrings note for the staff.

    What nothing but them used are helpers of the solution's and imports; so are imports that nothing uses at all.
    """
    tree, lines = ast.parse(source), source.splitlines(keepends=True)
    lines = spliced(lines, [body_cut(file, tree, lines, name) for name in names])
    lines = spliced(lines, list(notes(ast.parse("".join(lines)), lines)))
    used_before = used_names(tree)
    while True:
        tree = ast.parse("".join(lines))
        used = used_names(tree)
        cuts = list(unused(tree, lines, used_before - used, used))
        if not cuts:
            return "".join(lines)
        lines = spliced(lines, cuts)


def spliced(lines: list[str], cuts: list[Cut]) -> list[str]:
    lines = list(lines)
    for cut in sorted(cuts, reverse=True):
        lines[cut.first : cut.last] = cut.text
    return lines


def body_cut(file: str, tree: ast.Module, lines: list[str], name: str) -> Cut:
    """The body of `Class.method`, docstring apart, or its part from the assignment to `Class.method:attribute` on."""
    path, _, attribute = name.partition(":")
    node: ast.AST = tree
    for part in path.split("."):
        found = [child for child in getattr(node, "body", []) if getattr(child, "name", None) == part]
        if not found:
            raise HandoutError(f"problems.py names {file}:{name}, but there is no {part}")
        node = found[0]
    if not isinstance(node, Function):
        raise HandoutError(f"problems.py names {file}:{name}, which is no function")
    if attribute:
        assignment = next((s for s in node.body if attribute in attributes([s])), None)
        if assignment is None:
            raise HandoutError(f"problems.py names {file}:{name}, but nothing is assigned to that attribute")
        own = attributes(node.body[node.body.index(assignment) :])
        first = assignment.lineno - 1
        while lines[first - 1].lstrip().startswith("#"):
            first -= 1
    elif ast.get_docstring(node) is None:
        raise HandoutError(f"{file}: {path} has no docstring, so the starter would not say what it has to do")
    else:
        first = int(node.body[0].end_lineno or 0)
    last = int(node.end_lineno or 0)
    while last < len(lines) and is_comment_of(lines[last], node.body[0].col_offset):
        last += 1
    what = f"{path}, {' and '.join(own)}" if attribute else path
    indent = " " * node.body[0].col_offset
    section = TO_WRITE.get(f"{file}:{name}", "")
    return Cut(first, last, [f'{indent}raise NotImplementedError("{what}: writeup {section}")\n'])


def notes(tree: ast.Module, lines: list[str]) -> Iterator[Cut]:
    """Yield the sections `Notes` of the docstrings: up to the next section, or the docstring's end."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, *Function)) and ast.get_docstring(node) is not None:
            first, last = node.body[0].lineno - 1, int(node.body[0].end_lineno or 0)
            heads = [place for place in range(first, last - 1) if is_underlined(lines, place)]
            for head, following in zip(heads, [*heads[1:], last]):
                if lines[head].strip() == "Notes":
                    # With the last section goes the blank line before it, and the quotes below stay.
                    yield Cut(head - 1, last - 1, []) if following == last else Cut(head, following, [])


def is_underlined(lines: list[str], place: int) -> bool:
    return bool(lines[place].strip()) and set(lines[place + 1].strip()) == {"-"}


def attributes(statements: list[ast.stmt]) -> list[str]:
    """The attributes that the statements assign, in order."""
    targets = [target for s in statements if isinstance(s, ast.Assign) for target in s.targets]
    return list(dict.fromkeys(target.attr for target in targets if isinstance(target, ast.Attribute)))


def is_comment_of(line: str, indent: int) -> bool:
    text = line.lstrip()
    return text.startswith("#") and len(line) - len(text) >= indent


def used_names(tree: ast.AST) -> set[str]:
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    return names | {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}


def unused(tree: ast.Module, lines: list[str], dropped: set[str], used: set[str]) -> Iterator[Cut]:
    """Yield the solution's own functions and constants that only removed code used, and imports that no code uses.

    With an import goes the comment right above it.
    """
    blocks = [tree.body, *(node.body for node in tree.body if isinstance(node, ast.ClassDef))]
    for node in (node for block in blocks for node in block):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            module = node.module if isinstance(node, ast.ImportFrom) else node.names[0].name
            names = {alias.asname or alias.name for alias in node.names}
            if module not in KEPT_IMPORTS and not names & used:
                first, last = node.lineno - 1, int(node.end_lineno or 0)
                while first and lines[first - 1].lstrip().startswith("#"):
                    first -= 1
                if first and lines[first - 1].isspace() and lines[last : last + 1] == ["\n"]:
                    last += 1
                yield Cut(first, last, [])
        elif any(name in dropped and (name.startswith("_") or name in SOLUTIONS_OWN) for name in defined(node)):
            first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))]) - 1
            while first and (lines[first - 1].isspace() or lines[first - 1].lstrip().startswith("#")):
                first -= 1
            yield Cut(first, int(node.end_lineno or 0), [])


def defined(node: ast.stmt) -> list[str]:
    """The names that a function or an assignment defines."""
    if isinstance(node, Function):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else []
    return [target.id for target in targets if isinstance(target, ast.Name)]


def without_staff_notes(text: str) -> str:
    while STAFF_BEGIN in text:
        before, _, rest = text.partition(STAFF_BEGIN)
        text = before.rstrip() + "\n\n" + rest.partition(STAFF_END)[2].lstrip()
    return text


def write(folder: Path, files: dict[str, bytes]) -> None:
    """Write the files below a folder that does not exist or is empty: all of them, or nothing.

    Nothing is left either where what was written gives a body away.
    """
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise HandoutError(f"{folder} is not an empty folder: nothing was written")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with ending.folder(str(folder.parent), ".starter-") as begun:
        part = Path(begun)
        for name, content in files.items():
            path = part / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        written = {path.relative_to(part).as_posix(): path for path in part.rglob("*") if path.is_file()}
        found = leaks({name: path.read_bytes() for name, path in written.items()})
        if found:
            raise HandoutError("\n  ".join(["it would give away, so nothing is left of it:", *found]))
        part.chmod(0o755)
        if folder.is_dir():
            folder.rmdir()
        os.replace(part, folder)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Write the folder that a student starts from.")
    parser.add_argument("--out", metavar="DIR", required=True, type=Path, help="a new or empty folder")
    folder = parser.parse_args(argv).out.absolute()
    try:
        files = starter()
        write(folder, files)
    except (HandoutError, OSError) as error:
        print(f"handout.py: {error}", file=sys.stderr)
        return 2
    size = sum(len(content) for content in files.values())
    print(f"{folder}: {len(files)} files, {size / 1e6:.1f} MB; {len(TO_WRITE)} bodies to write")
    return 0


if __name__ == "__main__":
    ending.begin()
    sys.exit(ending.run(main))
