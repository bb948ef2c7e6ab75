"""The stored numbers of the catalogue's mistakes are those that the mistakes give."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from catalogue import BY_KEY, MISTAKES
from grading.settings import MISTAKES as STORED
from handins import CATALOGUE, solution
from references import fingerprints

NUMBERS = {mistake.key: number for number, mistake in enumerate(MISTAKES)}


def test_the_hints_are_those_of_the_catalogue_in_its_order() -> None:
    assert [*CATALOGUE.hints] == [(mistake.hint, mistake.section, mistake.key) for mistake in MISTAKES]


@pytest.mark.parametrize("key", ["relu_in_place", "std_for_var", "zero_grads_clears_weights", "stats_no_shuffling"])
def test_a_mistake_gives_the_stored_numbers(key: str) -> None:
    made = fingerprints.signatures(BY_KEY[key], solution())
    assert made.keys() == CATALOGUE.signatures[NUMBERS[key]].keys()
    assert all(CATALOGUE.gives(NUMBERS[key], name, signature) for name, signature in made.items())


def test_a_mistake_that_nothing_shows_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    right = BY_KEY["dW_summed"]._replace(key="right", code={})
    monkeypatch.setattr(fingerprints, "MISTAKES", (right, BY_KEY["dW_summed"]))
    columns = fingerprints.fingerprints()
    assert capsys.readouterr().out == "right: nothing shows it\n"
    assert [*columns["hints"][:, 2]] == ["right", "dW_summed"]
    assert {*columns["mistake"]} == {1}


def test_the_file_is_small_and_holds_no_code() -> None:
    path = Path(STORED)
    assert path.stat().st_size < 1 << 20
    with np.load(path, allow_pickle=False) as file:
        texts = {str(text) for name in ("hints", "names") for text in file[name].flat}
    code = re.compile(r"self\.\w+ = |return \w+ [*/@]|lambda|np\.\w+\(")
    assert [text for text in texts if code.search(text)] == []
