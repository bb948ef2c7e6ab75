"""A file of the homework's that is missing: what is there in its place is named, in the fault and in the notes."""

from __future__ import annotations

from pathlib import Path

import pytest

import students
from handins import page, report, write

ACTIVATION, LOSS, LINEAR, BATCHNORM, HW1, MC = students.PLAIN


@pytest.mark.parametrize(
    ("missing", "instead"),
    [
        (LOSS, "mytorch/loss.py.txt"),
        (LINEAR, "mytorch/Linear.py"),
        (HW1, "hw1/hw1.ipynb"),
        (HW1, "hw1/hw1/hw1.py"),
    ],
)
def test_what_is_there_in_place_of_a_missing_file_is_named(missing: str, instead: str, tmp_path: Path) -> None:
    files = {name: text.encode() for name, text in students.PLAIN.items()}
    files[instead] = files.pop(missing)
    text = " ".join(page(report(write(files, tmp_path))).split())
    assert text.count(f"{missing} is missing: {instead} is there instead") == 1
    assert f"missing: {missing}: {instead} is there instead" in text


def test_a_file_that_hides_the_network_is_named(tmp_path: Path) -> None:
    files = {name: text.encode() for name, text in students.PLAIN.items()}
    files["mytorch/hw1.py"] = b"x = 1\n"
    text = " ".join(page(report(write(files, tmp_path))).split())
    assert "mytorch/hw1.py has no MLP, and it hides hw1/hw1.py" in text
    assert "mytorch/hw1.py hides hw1/hw1.py: give it another name" in text


def test_a_missing_file_leads_what_only_other_layers_would_show(tmp_path: Path) -> None:
    files = {name: text.encode() for name, text in students.PLAIN.items()}
    del files[LINEAR]
    files[HW1] = files[HW1].replace(b"[i].backward(delta)", b"[i].own_backward(delta)")
    run = report(write(files, tmp_path))
    assert "own_backward" not in page(run, whole=True)
    assert run.verdicts["classifier_backward"].behind == "linear_forward"
