"""The plain program, a whole submission in the style of the course's starter: texts that tests change."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "programs"
Texts = dict[str, str]

NAMES = ("mytorch/activation", "mytorch/loss", "mytorch/linear", "mytorch/batchnorm", "hw1/hw1", "hw1/mc")
PLAIN: Texts = {f"{name}.py": (FOLDER / "plain" / f"{name}.py").read_text(encoding="utf-8") for name in NAMES}
ACTIVATION, LOSS, LINEAR, BATCHNORM, HW1, MC = PLAIN.values()


def replaced(texts: Texts, *changes: tuple[str, str]) -> Texts:
    """Replace texts, each of which is in exactly one file, once."""
    texts = dict(texts)
    for old, new in changes:
        places = [file for file, text in texts.items() if old in text]
        assert len(places) == 1, (old, places)
        assert texts[places[0]].count(old) == 1, old
        texts[places[0]] = texts[places[0]].replace(old, new)
    return texts
