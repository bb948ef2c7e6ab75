"""What several tests of the staff's folder need, made once."""

from __future__ import annotations

from pathlib import Path

import pytest

import starter


@pytest.fixture(scope="session")
def starter_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The starter as the command writes it; no test changes it."""
    folder = tmp_path_factory.mktemp("starter") / "my starter"
    assert starter.main(["--out", str(folder)]) == 0
    return folder
