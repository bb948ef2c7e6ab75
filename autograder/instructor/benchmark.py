"""Times an epoch of training beside other libraries that are installed, and prints tables in Markdown.

python3 autograder/instructor/benchmark.py [--quick]
"""

from __future__ import annotations

import argparse
import os
import sys

import startup
from grading.settings import MNIST, ROOT
from sandbox.process import require


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Time an epoch of training beside other libraries.")
    parser.add_argument("--repeats", type=int, default=9, help="measured epochs of each library (default: %(default)s)")
    parser.add_argument("--quick", action="store_true", help="a tenth of the examples, three repeats")
    options = parser.parse_args(argv)
    require("numpy")
    sys.path.append(os.path.join(ROOT, "hw1"))
    from homework.mnist import NoData, read
    from proofs import speed

    try:
        read(MNIST)
    except NoData as error:
        print(f"benchmark.py: {error}", file=sys.stderr)
        return 2
    for line in speed.report(*((5_500, 500, 3) if options.quick else (55_000, 5_000, options.repeats))):
        print(line, flush=True)
    return 0


if __name__ == "__main__":
    startup.run(main)
