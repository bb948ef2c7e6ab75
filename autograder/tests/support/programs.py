"""Every right program of the tests, by its name: the solution, rewrites of its bodies, submissions in other styles."""

from __future__ import annotations

import textwrap

import rewrites
import students
import styles
from catalogue import Mistake, apply
from handins import Files, solution


def rewritten(bodies: dict[str, str]) -> Files:
    code = {name: textwrap.dedent(body) for name, body in bodies.items()}
    return apply(Mistake("", "", "", code), solution())


PROGRAMS: dict[str, Files] = {
    "the solution": solution(),
    **{name: rewritten(bodies) for name, bodies in rewrites.REWRITES.items()},
    **{
        name: {file: text.encode() for file, text in texts.items()}
        for name, texts in {**students.RIGHT, **styles.RIGHT}.items()
    },
}
