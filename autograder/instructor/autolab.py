"""Writes what Autolab's server needs for the assessment: autograde.tar, autograde-Makefile and problems.yml."""

from __future__ import annotations

import argparse
import io
import json
import sys
import tarfile
from pathlib import Path

import bundle

sys.path.insert(0, str(bundle.ROOT / "autograder" / "hw1_autograder"))

from homework.problems import MAX_TOTAL, PROBLEMS

# The server runs it in a folder of its own that holds handin.tar and autograde.tar, and takes the last line's scores.
MAKEFILE = """\
PYTHON = python3

all:
\t@tar -xf autograde.tar
\t@AUTOLAB=1 $(PYTHON) grader/autograder/hw1_autograder/runner.py --module-path handin.tar \\
\t    --against solution --seed handin --fallback 2>&1; true
"""


def archive(files: dict[str, bytes]) -> bytes:
    """Return the files as a tar, the same bytes for the same files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def problem_list() -> str:
    """Return the problems as they stand in the assessment's YAML file; every JSON string is a YAML string."""
    lines = ["problems:"]
    for problem in PROBLEMS:
        lines += [f"- name: {json.dumps(problem.name)}", f"  description: {json.dumps(f'writeup {problem.section}')}"]
        lines += [f"  max_score: {problem.points:.1f}", "  optional: false"]
    return "\n".join(lines) + "\n"


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Write autograde.tar, autograde-Makefile and problems.yml.")
    parser.add_argument("--out", metavar="DIR", required=True, type=Path, help="where to write them")
    folder = parser.parse_args(argv).out
    package = bundle.files()
    written = {
        "autograde.tar": archive(package),
        "autograde-Makefile": MAKEFILE.encode(),
        "problems.yml": problem_list().encode(),
    }
    try:
        for name, content in written.items():
            bundle.write_whole(folder / name, content)
    except OSError as error:
        print(f"autolab.py: {error}", file=sys.stderr)
        return 2
    sizes = ", ".join(f"{name} {len(content) / 1e3:.0f} KB" for name, content in written.items())
    print(f"{folder}: {sizes}; {len(PROBLEMS)} problems, {MAX_TOTAL} points")
    return 0


if __name__ == "__main__":
    sys.exit(main())
