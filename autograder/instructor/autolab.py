"""Writes the assessment for Autolab.

python3 autograder/instructor/autolab.py --out DIR
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import startup
from homework.problems import BY_HAND, MAX_TOTAL, PROBLEMS
from kit import autolab_package
from sandbox import ending


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Write the assessment for Autolab, as a tar to import and as files.")
    parser.add_argument("--out", metavar="DIR", required=True, type=Path, help="where to write them")
    folder = parser.parse_args(argv).out
    files = autolab_package.package()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            ending.write_whole(folder / name, content)
    except OSError as error:
        print(f"autolab.py: {error}", file=sys.stderr)
        return 2
    sizes = ", ".join(f"{name} {len(content) / 1e3:.0f} KB" for name, content in files.items())
    print(f"{folder}: {sizes}; {len(PROBLEMS)} problems, {MAX_TOTAL} points and {BY_HAND} by hand")
    return 0


if __name__ == "__main__":
    startup.run(main)
