"""Training takes little memory beside the data set, and no more with more epochs."""

from __future__ import annotations

from pathlib import Path

import pytest

from proofs import memory

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak is read from /proc")


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_training_neither_copies_the_data_set_nor_grows(dtype: str) -> None:
    first, more = memory.memory(dtype, 6_000, 500)
    assert first < 10  # MB, beside a data set of 20 or 40
    assert more < 2


def test_a_second_copy_of_the_data_set_would_be_seen() -> None:
    code = (
        "from proofs import memory, peers; train = peers.nn.get_training_stats; "
        "peers.nn.get_training_stats = lambda mlp, data, *rest: (data[0][0].copy(), train(mlp, data, *rest))[1]; "
        "print(*memory.peaks('float64', 6_000, 100))"
    )
    before, one, _ = (float(value) for value in memory.in_subprocess(code).split())
    assert one - before > 35  # MB
