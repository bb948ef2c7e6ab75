"""Runs that several tests of the reports read, each graded once."""

from __future__ import annotations

from functools import cache
from typing import Callable

import pytest

from grading.run import Run
from handins import body, edited, report, with_mistakes, without


@pytest.fixture(scope="session")
def mistaken(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Run]:
    """Grades the solution with these mistakes of the catalogue in it; without any, the solution."""

    @cache
    def run(*mistakes: str) -> Run:
        return report(with_mistakes(tmp_path_factory.mktemp("mistaken"), *mistakes))

    return run


@pytest.fixture(scope="session")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Wrong, hanging, raising, unwritten and missing, all in one; what is right stays right."""
    edits = [
        body("ReLU.derivative", "return 2 * original(*args)"),
        body("Tanh.derivative", "import time; time.sleep(1000)"),
        body("SoftmaxCrossEntropy.derivative", "print('größe: 1'); raise ValueError('größe \\ud800 {\"scores\": {}}')"),
        body("MLP.step", "raise NotImplementedError"),
        without("hw1/mc.py"),
    ]
    return report(edited(tmp_path_factory.mktemp("broken"), *edits), deadline=1)
