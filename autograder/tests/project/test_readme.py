"""The README's marked blocks run as they are, in a copy of the project; the others are no test's business."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from handins import MAX_TOTAL, ROOT
from homework.plots import PLOTS
from projects import block, copied, run, with_environment, with_small_mnist

README, STARTER = "README.md", "autograder/instructor/starter.md"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if os.name != "posix":
        pytest.skip("the commands are for a POSIX shell")
    return with_environment(with_small_mnist(copied(tmp_path_factory.mktemp("readme") / "a project")))


def test_the_main_command_grades_the_project(project: Path) -> None:
    assert f"{MAX_TOTAL} / {MAX_TOTAL}" in run(block(README, "main"), project)


def test_the_training_command_saves_the_plots(project: Path) -> None:
    pytest.importorskip("matplotlib")
    pytest.importorskip("tqdm")
    run(block(README, "train"), project)
    assert all((project / "hw1" / plot.file).read_bytes().startswith(b"\x89PNG") for plot in PLOTS)


NETWORK = """
import numpy as np
def network(seed):
    random = np.random.RandomState(seed)
    mlp = nn.MLP(7, 4, [6], [nn.Tanh(), nn.Identity()], lambda i, o: random.randn(i, o), lambda o: random.randn(1, o),
        nn.SoftmaxCrossEntropy(), 0.1, momentum=0.5, num_bn_layers=1)
    for _ in range(3):
        mlp(random.randn(5, 7)); mlp.backward(np.eye(5, 4)); mlp.step()
    mlp.eval()
    return mlp
mlp, new = network(1), network(2)
x = np.ones((3, 7))
assert not np.allclose(mlp(x), new(x))
"""


def test_a_network_is_saved_and_loaded_and_imported_as_the_page_says(project: Path) -> None:
    after = "assert (mlp(x) == new(x)).all(); print(Linear is nn.Linear)\n"
    (project / "next.py").write_text(block(README, "path") + NETWORK + block(README, "save") + after, encoding="utf-8")
    assert run("python3 next.py", project) == "True\n"


def test_students_and_readers_have_the_same_commands_for_windows() -> None:
    pages = [(ROOT / page).read_text(encoding="utf-8") for page in (README, STARTER)]
    first, second = (re.findall(r"^```bat\n(.+?)^```", page, re.MULTILINE | re.DOTALL) for page in pages)
    assert first == second != []
    for line in "".join(first).splitlines():
        assert not re.search(r"&&|;|/|\$|'", line), f"not for PowerShell 5 and the command prompt alike: {line}"
