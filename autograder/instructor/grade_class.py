"""Grades a folder of handins as the server does, and sums up the class.

    python3 autograder/instructor/grade_class.py HANDINS --out DIR [--before DIR]

DIR gets a report of each handin, scores.csv and overview.md. Started again it grades what has no report yet, and what
another grader, another solution or another handin has made out of date.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import startup
from classroom import collect, overview, regrade
from sandbox.process import GraderError, need

INTERRUPTED = "interrupted: start it again, and it goes on from here"


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Grade a folder of handins as the server does, and sum up the class.")
    parser.add_argument("handins", metavar="HANDINS", type=Path, help="tars and folders, as the server exports them")
    parser.add_argument("--out", metavar="DIR", required=True, type=Path, help="for reports, scores.csv, overview.md")
    parser.add_argument("--before", metavar="DIR", type=Path, help="an earlier run, to compare with")
    options = parser.parse_args(argv)
    try:
        need("numpy", "pytest")
        handins, left_out = collect.handins(options.handins, options.out)
        before = overview.read(options.before / "reports") if options.before else None
        new = regrade.grade_all(handins, options.out / "reports")
        reports = overview.read(options.out / "reports")
        overview.write(options.out, {key: reports[key] for key in handins}, before)
    except (collect.NoClass, GraderError, OSError) as error:
        print(f"grade_class.py: {error}", file=sys.stderr)
        return 2
    for name in left_out:
        print(f"left out: {name}")
    print(f"{options.out}: {len(handins)} handins, {new} of them graded now; scores.csv, overview.md")
    return 0


if __name__ == "__main__":
    startup.run(main, INTERRUPTED)
