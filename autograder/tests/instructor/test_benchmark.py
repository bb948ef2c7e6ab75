"""The command that times training: it prints the report, or says at once that there is no data."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import benchmark
from proofs import speed


@pytest.mark.parametrize(
    ("arguments", "asked"),
    [([], (55_000, 5_000, 9)), (["--repeats", "2"], (55_000, 5_000, 2)), (["--quick"], (5_500, 500, 3))],
)
def test_it_prints_the_report(
    arguments: list[str],
    asked: tuple[int, ...],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def report(*sizes: int) -> Iterator[str]:
        assert sizes == asked
        yield from ("a table", "")

    monkeypatch.setattr(speed, "report", report)
    monkeypatch.setattr("homework.mnist.read", lambda path: {})
    assert benchmark.main(arguments) == 0
    assert capsys.readouterr().out == "a table\n\n"


def test_without_mnist_a_line_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(benchmark, "MNIST", str(tmp_path / "mnist.npz"))
    assert benchmark.main(["--quick"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"benchmark.py: {tmp_path}")
    assert "is missing: copy it from the handout" in line
