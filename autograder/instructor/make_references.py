"""Makes the archives in `data` again: the references, the traces and the known mistakes' numbers, or MNIST.

    python3 autograder/instructor/make_references.py [--only PART ...]
    python3 autograder/instructor/make_references.py --mnist FOLDER

An archive whose numbers have not changed is not touched.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import startup
from grading import settings
from sandbox.process import GraderError, require

if TYPE_CHECKING:
    from references.archives import Arrays


def references() -> Arrays:
    require("torch")
    from references import oracle

    return oracle.reference()


def traces() -> Arrays:
    require("torch")
    from references import traces

    return traces.traces()


def mistakes() -> Arrays:
    require("pytest")
    from references import fingerprints

    return fingerprints.fingerprints()


# The archive of each part, and what makes it. The last one reads the archives of the others.
PARTS = {
    "references": (settings.REFERENCES, references),
    "traces": (settings.TRACES, traces),
    "mistakes": (settings.MISTAKES, mistakes),
}


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Make the archives in data/ again, where their numbers have changed.")
    add = parser.add_mutually_exclusive_group().add_argument
    add("--only", metavar="PART", nargs="+", choices=PARTS, default=[*PARTS], help=f"some of {', '.join(PARTS)}")
    add("--mnist", metavar="FOLDER", type=Path, help="make mnist.npz instead, from the four official files there")
    options = parser.parse_args(argv)
    require("numpy")
    from references import archives, official_mnist

    try:
        if options.mnist:
            print(archives.write(Path(settings.MNIST), official_mnist.partitions(options.mnist)))
            return 0
        for part in PARTS:
            if part in options.only:
                path, make = PARTS[part]
                print(archives.write(Path(path), make()), flush=True)
    except (GraderError, official_mnist.DataError, OSError) as error:
        print(f"make_references.py: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    startup.run(main)
