"""Writes the starter that students get: this project without what they have to write, and without the staff's tools.

Which bodies those are says `TO_WRITE` in homework/problems.py; the starter's README is starter.md, beside this file.
"""

from __future__ import annotations

import argparse
import ast
import os
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "autograder" / "hw1_autograder"))

from homework.problems import TO_WRITE  # noqa: E402

# What a student gets; whatever else lies about in the project stays there.
FILES = (
    "create_tarball.sh",
    "setup.py",
    "mytorch/*.py",
    "mytorch/py.typed",
    "hw1/*.py",
    "data/*.npz",
    "data/SHA256SUMS",
    "data/README.md",
    "data/expected_plots/*.png",
    "autograder/hw1_autograder/**/*.py",
)
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
    paths = sorted({path for pattern in FILES for path in ROOT.glob(pattern)})
    files = {path.relative_to(ROOT).as_posix(): path.read_bytes() for path in paths}
    removed: dict[str, list[str]] = {}
    for body in bodies:
        file, name = body.split(":", 1)
        removed.setdefault(file, []).append(name)
    for file, names in removed.items():
        if file not in files:
            raise HandoutError(f"problems.py names {file}, which does not exist")
        files[file] = emptied(file, files[file].decode(), names).encode()
    files["data/README.md"] = without_staff_notes(files["data/README.md"].decode()).encode()
    files["README.md"] = (HERE / "starter.md").read_bytes()
    return files


def emptied(file: str, source: str, names: list[str]) -> str:
    """Return the source without these bodies, nor what nothing but them used: helpers of the solution's, imports."""
    tree, lines = ast.parse(source), source.splitlines(keepends=True)
    lines = spliced(lines, [body_cut(file, tree, lines, name) for name in names])
    used_before = used_names(tree)
    while True:
        tree = ast.parse("".join(lines))
        cuts = list(unused(tree, lines, used_before - used_names(tree)))
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


def unused(tree: ast.Module, lines: list[str], dropped: set[str]) -> Iterator[Cut]:
    """Yield the solution's own functions and constants, and the imports, of names that only removed code used."""
    blocks = [tree.body, *(node.body for node in tree.body if isinstance(node, ast.ClassDef))]
    for node in (node for block in blocks for node in block):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            module = node.module if isinstance(node, ast.ImportFrom) else node.names[0].name
            names = {alias.asname or alias.name for alias in node.names}
            if module not in KEPT_IMPORTS and names <= dropped:
                yield Cut(node.lineno - 1, int(node.end_lineno or 0), [])
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
    """Write the files below a folder that does not exist or is empty: all of them, or nothing."""
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise HandoutError(f"{folder} is not an empty folder: nothing was written")
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}-"))
    try:
        for name, content in files.items():
            path = part / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        part.chmod(0o755)
        if folder.is_dir():
            folder.rmdir()
        os.replace(part, folder)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise


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
    sys.exit(main())
