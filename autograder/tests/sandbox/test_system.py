"""What a system can't enforce is known by what the child could set there, and the report says it."""

from __future__ import annotations

import pytest

from handins import ROOT, report
from machine import kernel_fences, not_enforced
from sandbox import system

FENCE = "other files, other processes and the network"
ENFORCED = {  # system, what the child could set there, and what the report says of it
    "Linux": ("linux", ["RLIMIT_CORE", "RLIMIT_FSIZE", "RLIMIT_CPU", "RLIMIT_AS", "Landlock", "seccomp"], ""),
    "Linux without the kernel's fence": ("linux", ["RLIMIT_FSIZE", "RLIMIT_CPU", "RLIMIT_AS"], FENCE),
    "macOS": ("darwin", ["RLIMIT_FSIZE", "RLIMIT_CPU", "RLIMIT_AS"], f"memory, {FENCE}"),
    "Windows": ("win32", [], f"memory, processor time, the size of files, {FENCE}"),
}


@pytest.mark.parametrize("name", ENFORCED)
def test_the_report_says_what_can_t_be_enforced(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    platform, means, words = ENFORCED[name]
    missing = not_enforced(means, platform)
    assert ", ".join(missing) == words
    monkeypatch.setattr(system, "not_enforced", lambda _: missing)
    assert report(ROOT).remarks == ([f"this system can't enforce a limit on {words}"] if words else [])


@pytest.mark.cold
@pytest.mark.skipif(not kernel_fences(), reason="this kernel has no Landlock")
def test_linux_enforces_them_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "not_enforced", not_enforced)
    assert report(ROOT).remarks == []
