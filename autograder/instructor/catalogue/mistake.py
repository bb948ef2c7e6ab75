"""What a mistake is, and how a solution is changed so that it makes one."""

from __future__ import annotations

import textwrap
from collections.abc import Container
from typing import NamedTuple

from homework.problems import TO_WRITE
from sandbox import layers

# The file of each class and function that a mistake may change: of those that students write, and of every layer.
FILES = {body.split(":")[1].partition(".")[0]: body.split(":")[0] for body in TO_WRITE}
FILES |= {layer.class_name: layers.FILES[layer.module] for layer in layers.LAYERS}


class Mistake(NamedTuple):
    """One mistake: what to say about it, where to read again, and the code that makes it.

    `code` holds functions by the name of what they replace; `finding` is the key of the probe that shows the
    mistake where it costs no points.
    """

    key: str
    section: str  # of the writeup, or its equations
    hint: str  # what the student did, said so that it is clear where to look; never the right line of code
    code: dict[str, str]
    finding: str = ""


# Layers' mistakes are seen through the simplest network: one that calls every layer's own methods.
PLAIN = {
    "MLP.backward": """
        def backward(self, labels):
            self.criterion(self.output, labels)
            delta = self.criterion.derivative()
            for i in reversed(range(self.nlayers)):
                delta = delta * self.activations[i].derivative()
                if i < self.num_bn_layers:
                    delta = self.bn_layers[i].backward(delta)
                delta = self.linear_layers[i].backward(delta)
    """,
}


def apply(mistake: Mistake, files: dict[str, bytes], written: Container[str] | None = None) -> dict[str, bytes]:
    """Return the solution's files with the mistake in them: each wrong function is appended and put in place.

    In unfinished files, `written` names the bodies that are there.
    """
    files = dict(files)
    code = {**PLAIN, **mistake.code}
    for number, (target, source) in enumerate(code.items()):
        if written is not None and target not in written:
            continue
        name = target.rpartition(".")[2]
        file = FILES[target.partition(".")[0]]
        # A name of its own for each, so that one function replaced does not hide another of the same name.
        wrong = textwrap.dedent(source).strip().replace(f"def {name}(", f"def _variant_{number}(", 1)
        files[file] = files[file] + f"\n\n{wrong}\n\n\n{target} = _variant_{number}\n".encode()
    return files


def indented(code: str, columns: int) -> str:
    """The lines of a piece of code, to stand so far to the right in a function."""
    return textwrap.indent(textwrap.dedent(code).strip(), " " * columns)
