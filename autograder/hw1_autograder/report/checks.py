"""What the checks without points found, a line each: the rules of section 3.6, and the gradients.

Each function prints, and returns the exit status: 0 if all is as it should be, 1 if not.
"""

from __future__ import annotations

import math
import textwrap
from typing import TYPE_CHECKING, TextIO

from report.text import filled, width_of

if TYPE_CHECKING:
    from grading.gradient_check import Checked
    from grading.training_rules import Answer


UNJUDGED = ("not started", "not comparable")  # how the fault of a gradient begins that is not called wrong


def rules(found: dict[str, Answer], run: str, out: TextIO) -> int:
    """Print the rules for get_training_stats, and under each what is wrong, or to be known."""
    print(textwrap.fill(f"get_training_stats on {run}", width_of(out)), end="\n\n", file=out)
    for title, answer in found.items():
        _row(f"  {answer.said:<3}  ", title, out)
        _below(answer.why, 9, out)
    kept = sum(answer.said == "yes" for answer in found.values())
    print(f"\n{kept} of {len(found)} as they should be (section 3.6; no points)", file=out)
    return int(not kept or any(answer.said == "no" for answer in found.values()))


def gradients(checked: list[Checked], out: TextIO) -> int:
    """Print a row a gradient, with its largest error beside the largest entry, and below it what is wrong with it."""
    print(f"{'layer':<15}{'gradient':<22}{'error':<9}", file=out)
    shown = ""
    states = []
    for row in checked:
        error = "" if math.isnan(row.error) else f"{row.error:.1e}"
        state = next((state for state in UNJUDGED if row.fault.startswith(state)), "WRONG" if row.fault else "ok")
        states.append(state)
        print(f"{row.layer:<15}{row.quantity:<22}{error:<9}{state}", file=out)
        if row.fault not in (state, shown):
            _below(row.fault, 4, out)
            shown = row.fault
    right = states.count("ok")
    judged = [row for row, state in zip(checked, states) if state not in UNJUDGED and row.quantity]
    summary = f"{right} of {len(judged)} gradients that were checked are right"
    layers = {
        "not checked": [row.layer for row, state in zip(checked, states) if state == "WRONG" and not row.quantity],
        **{name: [row.layer for row, state in zip(checked, states) if state == name] for name in UNJUDGED},
    }
    summary += "".join(f"; {state}: {', '.join(dict.fromkeys(names))}" for state, names in layers.items() if names)
    print(file=out)
    print(textwrap.fill(summary, width_of(out)), file=out)
    return 0 if right == len(checked) else 1


def _row(state: str, text: str, out: TextIO) -> None:
    print(textwrap.fill(text, width_of(out), initial_indent=state, subsequent_indent=" " * len(state)), file=out)


def _below(text: str, indent: int, out: TextIO) -> None:
    if text:
        print(filled(text, width_of(out), " " * indent), file=out)
