"""Writes the zip for Gradescope.

python3 autograder/instructor/gradescope.py --out FILE.zip
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import startup
from kit import gradescope_package
from report.formats import VISIBILITIES
from sandbox import ending


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Write the zip to upload as Gradescope's autograder.")
    parser.add_argument("--out", metavar="FILE.zip", required=True, type=Path, help="the file to write")
    parser.add_argument(
        "--visibility",
        choices=VISIBILITIES,
        default=VISIBILITIES[0],
        help="of the tests' results to the students (default: %(default)s)",
    )
    options = parser.parse_args(argv)
    files = gradescope_package.package(options.visibility)
    content = gradescope_package.archive(files)
    try:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        ending.write_whole(options.out, content)
    except OSError as error:
        print(f"gradescope.py: {error}", file=sys.stderr)
        return 2
    print(f"{options.out}: {len(files)} files, {len(content) / 1e3:.0f} KB")
    return 0


if __name__ == "__main__":
    startup.run(main)
