"""Every correct program of the tests, by its name: the solution, rewrites of its bodies, submissions in other styles.

A file of tests/programs holds what it changes of another program, file by file: functions and methods take the place of
those of the same name, all other statements of a file or a class come before the first of them.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

from handins import Files, solution
from students import FOLDER, PLAIN, Texts

SECTION = re.compile(r"^# file: ([\w/]+\.py)(, in full)?\n", re.MULTILINE)
Definition = (ast.FunctionDef, ast.ClassDef)


def changed(texts: Texts, path: Path) -> Texts:
    """The program with the changes that a file of tests/programs holds."""
    texts = dict(texts)
    sections = SECTION.split(path.read_text(encoding="utf-8"))[1:]
    for file, in_full, code in zip(*[iter(sections)] * 3):
        texts[file] = code.lstrip("\n") if in_full or file not in texts else merged(texts[file], code)
    return texts


def merged(text: str, changes: str) -> str:
    """The text of a module with these statements, functions and methods in it."""
    lines, new = text.splitlines(), changes.splitlines()
    there = dict(_definitions(ast.parse(text)))
    edits: list[tuple[int, int, list[str]]] = []  # from this line to that one, these lines
    for name, node in _definitions(ast.parse(changes)):
        code = new[_start(node) : node.end_lineno]
        within = there.get(name.rpartition(".")[0])
        if name in there and isinstance(node, ast.FunctionDef):
            edits.append((_start(there[name]), there[name].end_lineno or 0, code))
        elif name in there:  # a class, of whose own statements here are more
            place, own = _start(_methods(there[name])[0]), [n for n in node.body if not isinstance(n, ast.FunctionDef)]
            edits.append((place, place, [line for n in own for line in (*new[_start(n) : n.end_lineno], "")]))
        elif within is not None:  # a method more
            edits.append((within.end_lineno or 0, within.end_lineno or 0, ["", *code]))
    others = [node for node in ast.parse(changes).body if not isinstance(node, Definition) or node.name not in there]
    first = min(_start(node) for node in ast.parse(text).body if isinstance(node, Definition))
    edits.append((first, first, [line for node in others for line in (*new[_start(node) : node.end_lineno], "")]))
    for start, end, code in sorted(edits, key=lambda edit: edit[:2], reverse=True):
        lines[start:end] = code
    return "\n".join(lines) + "\n"


def _definitions(tree: ast.Module) -> list[tuple[str, ast.FunctionDef | ast.ClassDef]]:
    """The module's functions and methods, and its classes, by their names."""
    found: list[tuple[str, ast.FunctionDef | ast.ClassDef]] = []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            found.append((node.name, node))
        elif isinstance(node, ast.ClassDef):
            found.append((node.name, node))
            found += [(f"{node.name}.{method.name}", method) for method in _methods(node)]
    return found


def _methods(node: ast.AST) -> list[ast.FunctionDef]:
    return [part for part in getattr(node, "body", []) if isinstance(part, ast.FunctionDef)]


def _start(node: ast.stmt) -> int:
    decorators = getattr(node, "decorator_list", [])
    return min([node.lineno, *(decorator.lineno for decorator in decorators)]) - 1


def tabbed(text: str) -> str:
    """The text with tabs for indentation, Windows line endings and a byte order mark."""
    lines = []
    for line in text.splitlines():
        bare = line.lstrip(" ")
        lines.append("\t" * ((len(line) - len(bare)) // 4) + " " * ((len(line) - len(bare)) % 4) + bare)
    return "\ufeff" + "".join(f"{line}\r\n" for line in lines)


BASES = {"of_solution": "the solution", "of_plain": "plain", "of_careful": "careful", "of_tidy": "tidy"}  # in order


def _all() -> dict[str, Texts]:
    texts = {"the solution": {file: data.decode() for file, data in solution().items()}, "plain": PLAIN}
    for folder, base in (
        ("of_solution", "the solution"),
        ("of_plain", "plain"),
        ("of_careful", "careful"),
        ("of_tidy", "tidy"),
    ):
        for path in sorted((FOLDER / folder).glob("*.py")):
            texts[path.stem] = changed(texts[base], path)
    texts["another editor"] = {file: tabbed(text) for file, text in texts["careful"].items()}
    del texts["plain"]  # which has findings
    return texts


PROGRAMS: dict[str, Files] = {
    name: {file: text.encode() for file, text in texts.items()} for name, texts in _all().items()
}
