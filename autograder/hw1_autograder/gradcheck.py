"""Checks a submission's gradients against central differences of its own forward passes.

    python3 autograder/hw1_autograder/gradcheck.py [--submission PATH] [layer ...]

Exit status: 0 if all are right, 1 if not, 2 if nothing could be checked.
"""

from __future__ import annotations

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
if HERE not in sys.path:
    sys.path.insert(0, HERE)

from sandbox import ending  # noqa: E402

if __name__ == "__main__":
    ending.begin()  # before the imports, which take time

import argparse  # noqa: E402

from grading.settings import ROOT, Settings  # noqa: E402
from report import checks  # noqa: E402
from sandbox.process import ONE_THREAD, GraderError, need  # noqa: E402
from sandbox.submission import NoSubmission  # noqa: E402
from sandbox.workplace import Workplace  # noqa: E402


def main(argv: list[str] | None = None) -> int:
    try:
        need("numpy")
        from grading.gradient_check import LAYERS, check

        parser = argparse.ArgumentParser(description="Check gradients against central differences.")
        parser.add_argument("layers", nargs="*", metavar="layer", help=f"of {', '.join(LAYERS)} (default: all)")
        parser.add_argument("--submission", default=ROOT, metavar="PATH", help="a folder or a handin.tar")
        options = parser.parse_args(argv)
        unknown = [layer for layer in options.layers if layer not in LAYERS]
        if unknown:
            parser.error(f"no layer {unknown[0]!r}: choose from {', '.join(LAYERS)}")
        with Workplace() as workplace:
            checked = check(options.layers or LAYERS, Settings(options.submission), workplace)
        return checks.gradients(checked, sys.stdout)
    except (NoSubmission, GraderError, ImportError, OSError) as error:
        print(f"nothing could be checked: {ending.one_line(error)}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    os.environ.update(ONE_THREAD)  # for NumPy, which is not imported yet
    sys.exit(ending.run(main))
