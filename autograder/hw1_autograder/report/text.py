"""Words and widths of the page: a verdict as a sentence, what fits into a paragraph, the columns and colours."""

from __future__ import annotations

import os
import re
import shutil
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TextIO

from homework.problems import BY_KEY

if TYPE_CHECKING:
    from diagnosis.recognise import Hint
    from grading.run import Verdict

COLOURS = {"passed": 32, "not started": 90, "waiting": 33}
RED = 31
COLUMNS = 80  # of a file or a pipe, and those that a paragraph's lines are counted in
INDENT = "    "


def reason(verdict: Verdict) -> str:
    """The verdict's reason as a sentence, and the problem that it waits for."""
    text = verdict.reason
    if text.partition(" ")[0].isalpha() and not verdict.details:  # the name of a quantity stays as it is
        text = text[:1].upper() + text[1:]
    text = sentence(text)
    return f"{text} Waits for: {BY_KEY[verdict.waits_for].name}." if verdict.waits_for else text


def sentence(text: str) -> str:
    return text if text.endswith((".", "?")) else text + "."


def clause(text: str) -> str:
    """What a reason says first."""
    return re.split(r"; |\. | \(likewise", text, maxsplit=1)[0].rstrip(".")


def hint_lines(hints: list[Hint], section: str = "") -> list[str]:
    """What the numbers point at: one cause, or the two that give the same numbers; without a section that is known."""
    said = []
    for hint in hints:
        place = f" ({'' if hint.section.startswith(('eq', 'app')) else 'section '}{hint.section})"
        said.append(hint.text + (place if hint.section != section else ""))
    if len(said) < 2:
        return [f"Hint: {text}." for text in said]
    return [f"Hint: either {said[0]}, or {said[1]}; the numbers are the same."]


def shortened(texts: list[str], most: int) -> list[str]:
    """The texts in at most so many lines of a paragraph: the first has what the others leave, but a line at least."""
    kept: list[str] = []
    for text in texts[:0:-1]:
        kept.insert(0, fitting(text, most - sum(map(lines, kept)) - len(texts) + len(kept) + 1))
    return [fitting(texts[0], most - sum(map(lines, kept))), *kept]


def fitting(text: str, most: int) -> str:
    """As many whole parts of a text as fit into so many lines, or else its beginning."""
    parts = re.split(r"(?<=[.?]) (?=[A-Z])|(?<=;) | (?=\(likewise)", text)
    for count in range(len(parts), 0, -1):
        kept = sentence(" ".join(parts[:count]).rstrip(";"))
        if lines(kept) <= most:
            return kept
    return " ".join(textwrap.wrap(text, COLUMNS - len(INDENT), max_lines=most, placeholder=" …"))


def lines(text: str) -> int:
    """How many lines of a paragraph a text takes."""
    return len(textwrap.wrap(text, COLUMNS - len(INDENT)))


def listed(start: str, names: Sequence[str], most: int = 1) -> str:
    """So many lines that begin so, with as many of the problems' names as they hold."""
    heads = [name.partition(" (")[0] for name in names]
    short = [n[len(h) + 1 :] if h == before else n for n, h, before in zip(names, heads, ["", *heads])]
    for count in range(len(names), 0, -1):
        rest = len(names) - count
        text = start + ", ".join(short[:count]) + (f" and {rest} more." if rest else ".")
        if lines(text) <= most:
            break
    return text


def excerpt(printed: str, most: int = 5) -> list[str]:
    """The first few lines of what a submission printed, each of them once, without control characters."""
    shown = ["".join(c if c.isprintable() else " " for c in line) for line in dict.fromkeys(printed.splitlines())]
    return shown[:most] + ([f"… {len(shown) - most} more lines"] if len(shown) > most else [])


def points(count: int) -> str:
    return f"{count} {'point' if count == 1 else 'points'}"


def filled(text: str, width: int, indent: str = INDENT) -> str:
    return textwrap.fill(text, width, initial_indent=indent, subsequent_indent=indent)


def width_of(out: TextIO) -> int:
    """The columns to write in: the terminal's, within reason, and 80 for a file or a pipe."""
    return max(40, min(shutil.get_terminal_size((COLUMNS, 24)).columns, 100)) if out.isatty() else COLUMNS


def painter(out: TextIO) -> Any:
    """A function that colours a text by a status, on a terminal that wants it."""
    if not out.isatty() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return lambda text, status: text
    return lambda text, status: f"\033[{COLOURS.get(status, RED)}m{text}\033[0m"
