"""create_tarball.sh packs what is to be handed in, from any folder, or says what is missing and changes nothing."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from handins import MAX_TOTAL, report, solution, write

ROOT = Path(__file__).resolve().parents[3]
REQUIRED = [
    "hw1/hw1.py",
    "hw1/mc.py",
    "mytorch/activation.py",
    "mytorch/batchnorm.py",
    "mytorch/linear.py",
    "mytorch/loss.py",
]
SHELLS = ["sh", "dash", "bash", "zsh", "busybox sh"]
TARS = ["tar", "bsdtar", "busybox tar"]

pytestmark = pytest.mark.skipif(
    any(shutil.which(program) is None for program in ("sh", "tar")), reason="there is no POSIX shell, or no tar"
)
NO_PLOTS = (
    "create_tarball.sh: note: the plots are not all there; autograder/hw1_autograder/test.py --outpath hw1 makes them"
)


def installed(command: str) -> str:
    """Return the command with its program's full path; skip the test where it is not installed."""
    program, *arguments = command.split()
    path = shutil.which(program)
    if path is None:
        pytest.skip(f"{program} is not installed")
    return " ".join([path, *arguments])


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A small project, in a folder whose name a careless script trips over."""
    root = tmp_path / "my  $HOME 'hw'"
    for name in [*REQUIRED, "mytorch/__init__.py"]:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"# {name}\n")
    shutil.copy(ROOT / "create_tarball.sh", root)
    return root


def pack(project: Path, shell: str = "sh", **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*installed(shell).split(), str(project / "create_tarball.sh")],
        cwd=project.parent,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


def members(project: Path) -> list[str]:
    with tarfile.open(project / "handin.tar") as tar:
        assert all(member.isfile() for member in tar)
        return sorted(tar.getnames())


def test_nothing_is_noted_where_all_plots_are(project: Path) -> None:
    for plot in ("train_loss", "train_error", "val_loss", "val_error"):
        (project / "hw1" / f"{plot}.png").write_bytes(b"plot")
    assert pack(project).stderr == ""


@pytest.mark.parametrize("shell", SHELLS)
def test_it_packs_the_project_it_lies_in_with_shell(project: Path, shell: str) -> None:
    done = pack(project, shell)
    assert done.returncode == 0
    assert done.stderr.splitlines() == [NO_PLOTS]
    assert members(project) == sorted([*REQUIRED, "mytorch/__init__.py"])
    with tarfile.open(project / "handin.tar") as tar:
        file = tar.extractfile("hw1/mc.py")
        assert file is not None
        assert file.read() == b"# hw1/mc.py\n"


@pytest.mark.parametrize("tar", TARS)
def test_it_packs_with_tar(project: Path, tmp_path: Path, tar: str) -> None:
    wrapper = tmp_path / "bin" / "tar"
    wrapper.parent.mkdir()
    wrapper.write_text(f'#!/bin/sh\nexec {installed(tar)} "$@"\n')
    wrapper.chmod(0o755)
    done = pack(project, PATH=f"{wrapper.parent}{os.pathsep}{os.environ['PATH']}")
    assert done.returncode == 0
    assert done.stderr.splitlines() == [NO_PLOTS]
    assert members(project) == sorted([*REQUIRED, "mytorch/__init__.py"])


def test_it_works_from_its_own_folder_and_by_a_relative_path(project: Path) -> None:
    for cwd, script in [(project, "create_tarball.sh"), (project / "hw1", "../create_tarball.sh")]:
        subprocess.run(["sh", script], cwd=cwd, check=True, capture_output=True, timeout=60)
        assert len(members(project)) == len(REQUIRED) + 1
        (project / "handin.tar").unlink()


def test_it_is_not_led_astray_by_cdpath(project: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere" / project.name).mkdir(parents=True)
    script = f"{project.name}/create_tarball.sh"
    environment = {**os.environ, "CDPATH": str(tmp_path / "elsewhere")}
    subprocess.run(["sh", script], cwd=tmp_path, env=environment, check=True, capture_output=True, timeout=60)
    assert len(members(project)) == len(REQUIRED) + 1


def test_the_plots_and_further_modules_are_packed(project: Path) -> None:
    extra = ["hw1/train_loss.png", "hw1/val_error.png", "hw1/a helper.py", "mytorch/conv.py"]
    for name in extra:
        (project / name).write_bytes(b"")
    assert pack(project).returncode == 0
    assert members(project) == sorted([*REQUIRED, "mytorch/__init__.py", *extra])


@pytest.mark.parametrize(
    "litter",
    [
        "hw1/hw1.pyc",
        "hw1/__pycache__/hw1.cpython-39.pyc",
        "mytorch/__pycache__/odd.py",
        "mytorch/.DS_Store",
        "mytorch/linear.py~",
        "mytorch/.linear.py.swp",
        "hw1/._hw1.py",
        "hw1/#hw1.py#",
        "hw1/.#hw1.py",
        "hw1/hw1.py.orig",
        "hw1/.ipynb_checkpoints/hw1-checkpoint.py",
        "data/mnist.npz",
    ],
)
def test_litter_stays_out(project: Path, litter: str) -> None:
    (project / litter).parent.mkdir(exist_ok=True)
    (project / litter).write_bytes(b"")
    assert pack(project).returncode == 0
    assert members(project) == sorted([*REQUIRED, "mytorch/__init__.py"])


# On Windows no script packs, but the system's own tar, by the README's line: whole folders, whatever lies in them.


def by_python(line: str, project: Path) -> None:
    with tarfile.open(project / "handin.tar", "w") as tar:
        for name in line.split()[-2:]:
            tar.add(project / name, name)


def by_program(line: str, project: Path) -> None:
    subprocess.run(line.split(), cwd=project, check=True, timeout=60)


@pytest.mark.parametrize("tar", ["python", "tar", "bsdtar"])
def test_what_the_line_for_windows_packs_has_all_points(tar: str, tmp_path: Path) -> None:
    (line,) = re.findall(r"^tar -cf handin.tar .+$", (ROOT / "README.md").read_text(encoding="utf-8"), re.M)
    litter = ["hw1/train_loss.png", "hw1/__pycache__/hw1.cpython-313.pyc", "mytorch/__pycache__/odd.py"]
    litter += ["mytorch/py.typed", "hw1/.ipynb_checkpoints/hw1-checkpoint.py"]
    write({**solution(), **dict.fromkeys(litter, b"x")}, tmp_path)
    if tar == "python":
        by_python(line, tmp_path)
    else:
        by_program(line.replace("tar", installed(tar), 1), tmp_path)
    with tarfile.open(tmp_path / "handin.tar") as packed:
        assert any(member.isdir() for member in packed)
    run = report(tmp_path / "handin.tar")
    assert (run.total, run.findings, run.remarks) == (MAX_TOTAL, [], [])


def linked(file: Path) -> None:
    file.symlink_to("mc.py")


def linked_outside(file: Path) -> None:
    (file.parents[2] / "theirs.py").write_text("# hw1/mc.py\n")
    file.symlink_to("../../theirs.py")


def hard_linked(file: Path) -> None:
    file.hardlink_to(file.parent / "mc.py") if hasattr(file, "hardlink_to") else os.link(file.parent / "mc.py", file)


@pytest.mark.parametrize("link", [linked, linked_outside, hard_linked])
def test_of_a_link_the_file_is_packed(project: Path, link: Callable[[Path], None]) -> None:
    link(project / "hw1" / "helper.py")
    assert pack(project).returncode == 0
    assert "hw1/helper.py" in members(project)
    with tarfile.open(project / "handin.tar") as tar:
        file = tar.extractfile("hw1/helper.py")
        assert file is not None
        assert file.read() == b"# hw1/mc.py\n"


def test_where_a_folder_has_the_name_of_the_handin_it_says_so(project: Path) -> None:
    (project / "handin.tar").mkdir()
    done = pack(project)
    assert (done.returncode, done.stdout) == (1, "")
    assert "a folder has that name" in done.stderr
    assert sorted(path.name for path in project.iterdir()) == ["create_tarball.sh", "handin.tar", "hw1", "mytorch"]
    assert list((project / "handin.tar").iterdir()) == []


@pytest.mark.parametrize("option", ["failglob", "nullglob", "extglob"])
def test_globs_may_match_nothing_in_a_strict_bash(project: Path, option: str) -> None:
    done = pack(project, "bash", BASHOPTS=option)
    assert (done.returncode, done.stderr.splitlines()) == (0, [NO_PLOTS])


@pytest.mark.skipif(shutil.which("git") is None, reason="there is no git")
def test_a_checkout_on_windows_keeps_the_line_ends(tmp_path: Path) -> None:
    for name in (".gitattributes", "create_tarball.sh", "data/SHA256SUMS", "data/hw1_traces.npz"):
        (tmp_path / "from" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / "from" / name)
    git = ["git", "-c", "core.autocrlf=true", "-c", "user.name=n", "-c", "user.email=e", "-c", "core.safecrlf=false"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "all"]):
        subprocess.run([*git, *command], cwd=tmp_path / "from", check=True, timeout=60)
    subprocess.run([*git, "clone", "-q", "from", "to"], cwd=tmp_path, check=True, timeout=60)
    for name in ("create_tarball.sh", "data/SHA256SUMS", "data/hw1_traces.npz"):
        assert (tmp_path / "to" / name).read_bytes() == (ROOT / name).read_bytes(), name


@pytest.mark.parametrize("older", [None, b"older"])
@pytest.mark.parametrize("name", REQUIRED)
def test_a_missing_file_is_named_and_nothing_is_written(project: Path, name: str, older: bytes | None) -> None:
    (project / name).unlink()
    tar = project / "handin.tar"
    if older:
        tar.write_bytes(older)
    before = sorted(path.name for path in project.iterdir())

    done = pack(project)

    assert done.returncode != 0
    assert done.stdout == ""
    assert name in done.stderr
    assert not any(other in done.stderr for other in REQUIRED if other != name)
    assert sorted(path.name for path in project.iterdir()) == before
    assert not older or tar.read_bytes() == older


def test_a_tar_that_fails_leaves_the_older_handin_and_no_half_of_a_new_one(project: Path, tmp_path: Path) -> None:
    wrapper = tmp_path / "bin" / "tar"
    wrapper.parent.mkdir()
    wrapper.write_text('#!/bin/sh\necho half >"$2"\nexit 1\n')
    wrapper.chmod(0o755)
    (project / "handin.tar").write_bytes(b"older")
    before = sorted(path.name for path in project.iterdir())

    done = pack(project, PATH=f"{wrapper.parent}{os.pathsep}{os.environ['PATH']}")

    assert done.returncode != 0
    assert "could not be written" in done.stderr
    assert sorted(path.name for path in project.iterdir()) == before
    assert (project / "handin.tar").read_bytes() == b"older"


@pytest.mark.parametrize(
    ("plot_bytes", "size", "warns"), [(0, " KB", False), (1_500_000, "1.4 MB", False), (2_500_000, "2.3 MB", True)]
)
def test_it_says_the_size_and_warns_above_2_mb(project: Path, plot_bytes: int, size: str, warns: bool) -> None:
    (project / "hw1" / "val_loss.png").write_bytes(bytes(plot_bytes))
    done = pack(project)
    assert done.returncode == 0
    assert size in done.stdout
    assert ("2 MB" in done.stderr) == warns
