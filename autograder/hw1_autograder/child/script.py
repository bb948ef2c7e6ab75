"""Prints an exercise as a Python file that runs as it is: its own statements, between its inputs and its values.

The report runs this in a process of its own: `script.py CASE EXERCISE SUBMISSION REFERENCES`.
"""

from __future__ import annotations

import ast
import inspect
import os
import re
import sys
import textwrap

GRADER = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
if GRADER not in sys.path:
    sys.path.insert(0, GRADER)

import numpy as np  # noqa: E402

from child import exercises  # noqa: E402

BEGINNING = """\
import sys

import numpy as np

sys.path.insert(0, {grader!r})
from child.exercises import {functions}

del sys.path[0]
sys.path += {folders!r}
course = Course()  # has your modules, each imported when it is first read"""

END = """\
for name, value in values.items():
    print(f"{name} =", value, sep="\\n")"""


def script(case: str, exercise: str, submission: str, references: str) -> str:
    """The exercise on the stored inputs of a case, run on the code below the submission's folder."""
    source = inspect.getsource(exercises.EXERCISES[exercise])
    function = ast.parse(source).body[0]
    assert isinstance(function, ast.FunctionDef)
    body = function.body[1:] if ast.get_docstring(function) else function.body
    statements = textwrap.dedent("\n".join(source.splitlines()[body[0].lineno - 1 :]))
    statements = re.sub(r"(?m)^return ", "values = ", statements.replace("\nreturn values", ""))
    read = {node.id for statement in body for node in ast.walk(statement) if isinstance(node, ast.Name)}
    helpers = {name for name, _ in inspect.getmembers(exercises, inspect.isfunction)}
    beginning = BEGINNING.format(
        grader=GRADER,
        functions=", ".join(["Course", *sorted(read & helpers)]),
        folders=[os.path.join(submission, name) for name in ("mytorch", "hw1")],
    )
    settings = "\n".join(inputs(function.args, f"{case}/in/", references))
    return "\n\n".join(part for part in (beginning, settings, statements, END) if part)


def inputs(arguments: ast.arguments, prefix: str, references: str) -> list[str]:
    """Lines that set the exercise's arguments: arrays from the references, what is small as it is."""
    with np.load(references) as stored:
        given = {name[len(prefix) :]: stored[name] for name in stored.files if name.startswith(prefix)}

    def setting(name: str, start: str, end: str = "") -> str:
        value = given.pop(name)
        if value.ndim and value.dtype.kind == "f":
            return f'{start}stored["{prefix}{name}"]{end}  # {value.shape}'
        return f"{start}{value.tolist()!r}{end}"

    lines = [f"stored = np.load({references!r})"] if given else []
    lines += [setting(name, f"{name} = ") for name in (argument.arg for argument in arguments.args) if name in given]
    if arguments.kwarg:
        entries = [setting(name, f'    "{name}": ', ",") for name in [*given]]
        lines += [f"{arguments.kwarg.arg} = {{", *entries, "}"]
    return lines


if __name__ == "__main__":
    print(script(*sys.argv[1:]))
