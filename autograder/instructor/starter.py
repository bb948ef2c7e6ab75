"""Writes the starter that students get.

python3 autograder/instructor/starter.py --out DIR
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import startup
from homework.problems import TO_WRITE
from kit import starter_files


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Write the folder that a student starts from.")
    parser.add_argument("--out", metavar="DIR", required=True, type=Path, help="a new or empty folder")
    folder = parser.parse_args(argv).out.absolute()
    try:
        files = starter_files.starter()
        starter_files.write(folder, files)
    except (starter_files.NoStarter, OSError) as error:
        print(f"starter.py: {error}", file=sys.stderr)
        return 2
    size = sum(len(content) for content in files.values())
    print(f"{folder}: {len(files)} files, {size / 1e6:.1f} MB; {len(TO_WRITE)} bodies to write")
    return 0


if __name__ == "__main__":
    startup.run(main)
