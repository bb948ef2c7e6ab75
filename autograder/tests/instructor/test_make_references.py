"""The command that makes the archives: each part by what makes it, and MNIST from the official files."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import make_references
from homework import stored
from references import official_mnist


@pytest.fixture
def parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Have small arrays made in the place of the real ones; return the parts that were made."""
    made: list[str] = []

    def part(name: str) -> Any:
        def make() -> Any:
            made.append(name)
            return {"x": np.zeros(3)}

        return str(tmp_path / f"{name}.npz"), make

    monkeypatch.setattr(make_references, "PARTS", {name: part(name) for name in ("references", "traces", "mistakes")})
    return made


def test_all_parts_are_made_in_their_order_and_what_is_there_is_left(
    parts: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert make_references.main([]) == 0
    assert parts == ["references", "traces", "mistakes"]
    assert stored.checksums(str(tmp_path)).keys() == {f"{part}.npz" for part in parts}
    capsys.readouterr()
    assert make_references.main([]) == 0
    assert capsys.readouterr().out.count(": unchanged\n") == 3


def test_some_parts_are_made_alone_in_the_same_order(parts: list[str], tmp_path: Path) -> None:
    assert make_references.main(["--only", "mistakes", "traces"]) == 0
    assert parts == ["traces", "mistakes"]
    assert {path.name for path in tmp_path.glob("*.npz")} == {"traces.npz", "mistakes.npz"}


def test_the_known_mistakes_are_those_of_the_catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    from references import fingerprints

    monkeypatch.setattr(fingerprints, "MISTAKES", fingerprints.MISTAKES[:1])
    arrays = make_references.PARTS["mistakes"][1]()
    assert [*arrays["hints"][:, 2]] == ["relu_in_place"]


def test_pytorch_makes_the_others(torch: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from references import oracle, traces

    monkeypatch.setattr(oracle, "reference", lambda: {"expected": torch.ones(1).numpy()})
    monkeypatch.setattr(traces, "traces", lambda: {"traced": torch.ones(1).numpy()})
    assert [[*make_references.PARTS[part][1]()] for part in ("references", "traces")] == [["expected"], ["traced"]]


def test_without_pytorch_a_line_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(SystemExit) as ended:
        make_references.main(["--only", "traces"])
    assert ended.value.code == 2
    assert "torch" in capsys.readouterr().err


def test_mnist_is_made_from_the_official_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(make_references.settings, "MNIST", str(tmp_path / "new" / "mnist.npz"))
    monkeypatch.setattr(official_mnist, "partitions", lambda folder: {"from": np.array(folder.name)})
    assert make_references.main(["--mnist", "official"]) == 0
    with np.load(tmp_path / "new" / "mnist.npz") as file:
        assert str(file["from"]) == "official"
    assert "SHA-256" in capsys.readouterr().out


def test_files_that_are_not_the_official_ones_are_named_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(make_references.settings, "MNIST", str(tmp_path / "mnist.npz"))
    (tmp_path / "mnist.npz").write_bytes(b"older")
    assert make_references.main(["--mnist", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith(f"make_references.py: {tmp_path}: train-images-idx3-ubyte is missing")
    assert [path.name for path in tmp_path.iterdir()] == ["mnist.npz"]
    assert (tmp_path / "mnist.npz").read_bytes() == b"older"
