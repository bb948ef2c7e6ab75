"""The command that checks the grader: what it prints of mutants and of pairs."""

from __future__ import annotations

from contextlib import nullcontext
from types import SimpleNamespace

import pytest

import check_grader
from proofs import survey
from proofs.mutants import Mutant
from proofs.pairs import Naming

MUTANT = Mutant("hw1/mc.py", "question_1", "return 'b'", "return 'c'", "", guard=False)


@pytest.mark.parametrize(("surviving", "status"), [([], 0), ([MUTANT], 1)])
def test_what_survives_is_listed_and_counted(
    surviving: list[Mutant], status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[int] = []

    def surveyed(every: int, progress: bool) -> survey.Survey:
        asked.append(every)
        return survey.Survey(10, [MUTANT], [MUTANT, MUTANT], surviving)

    monkeypatch.setattr(survey, "survey", surveyed)
    assert check_grader.main(["mutants", "--every", "7"]) == status
    assert asked == [7]
    *names, summary = capsys.readouterr().out.splitlines()
    assert names == [mutant.name for mutant in surviving]
    assert summary == (
        f"10 mutants: {7 - len(surviving)} lose points or bring a finding, 1 change what is raised for invalid input, "
        f"2 are proved equivalent, {len(surviving)} survive"
    )


def test_what_is_not_named_is_shown_with_the_reasons(capsys: pytest.CaptureFixture[str]) -> None:
    check_grader.show(
        "of 2 mistakes",
        [
            Naming(("a", "b"), (), [], ["hidden"]),
            Naming(("c", "d"), ("d",), [], ["momentum: wrong"]),
            Naming(("e", "f"), (), ["x behind y", "z behind y"], []),
        ],
    )
    assert capsys.readouterr().out.splitlines() == [
        "of 2 mistakes: 2 of 3 named in full; 2 wrongly behind another",
        "  c, d: unnamed d ",
        "      momentum: wrong",
        "  e, f: unnamed none x behind y; z behind y",
    ]


def test_pairs_triples_and_unfinished_work_are_graded(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pool = SimpleNamespace(map=lambda function, rows, chunksize: map(function, rows))  # in this process
    monkeypatch.setattr(check_grader, "ProcessPoolExecutor", lambda count: nullcontext(pool))
    assert check_grader.main(["pairs", "--pairs", "1", "--triples", "0", "--unfinished", "0", "--seed", "3"]) == 0
    titles = [line.partition(":")[0] for line in capsys.readouterr().out.splitlines()]
    assert titles == ["of 2 mistakes", "of 3 mistakes", "unfinished"]
