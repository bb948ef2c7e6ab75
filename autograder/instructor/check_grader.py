"""Checks the grader itself: which changes of the solution it does not notice, and which mistakes it does not name.

python3 autograder/instructor/check_grader.py mutants [--every N]
python3 autograder/instructor/check_grader.py pairs [--seed N]
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from typing import TYPE_CHECKING

import startup
from sandbox.process import require

if TYPE_CHECKING:
    from proofs.pairs import Naming


def mutants(options: argparse.Namespace) -> int:
    """Grade mutants of the solution; print those that nothing shows, and how many there are of each kind."""
    from proofs.survey import survey

    result = survey(options.every, progress=sys.stderr.isatty())
    for mutant in result.surviving:
        print(mutant.name)
    unseen = len(result.guards) + len(result.proved) + len(result.surviving)
    print(
        f"{result.mutants} mutants: {result.mutants - unseen} lose points or bring a finding, "
        f"{len(result.guards)} change what is raised for invalid input, {len(result.proved)} are proved equivalent, "
        f"{len(result.surviving)} survive"
    )
    return 1 if result.surviving else 0


def pairs(options: argparse.Namespace) -> int:
    """Grade several mistakes at once, and unfinished work with one; print what is not named."""
    from proofs import pairs

    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for size, count in ((2, options.pairs), (3, options.triples)):
            drawn = pairs.drawn(count, size, options.seed)
            show(f"of {size} mistakes", pool.map(pairs.naming, drawn, chunksize=5))
        numbers = range(options.seed, options.seed + options.unfinished)
        show("unfinished", (naming for _, naming in pool.map(pairs.unfinished, numbers, chunksize=5)))
    return 0


def show(title: str, namings: Iterable[Naming]) -> None:
    each = list(namings)
    named = sum(not naming.unnamed for naming in each)
    false = sum(len(naming.false_behind) for naming in each)
    print(f"{title}: {named} of {len(each)} named in full; {false} wrongly behind another", flush=True)
    for keys, unnamed, false_behind, reasons in each:
        if unnamed or false_behind:
            print(f"  {', '.join(keys)}: unnamed {', '.join(unnamed) or 'none'} {'; '.join(false_behind)}")
            for reason in reasons:
                print(f"      {reason[:200]}")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Check what the grader notices and names.")
    commands = parser.add_subparsers(required=True, metavar="{mutants,pairs}")
    command = commands.add_parser("mutants", help="grade the solution with one thing changed, again and again")
    command.set_defaults(run=mutants)
    command.add_argument("--every", type=int, default=1, metavar="N", help="only every n-th mutant")
    command = commands.add_parser("pairs", help="grade several of the catalogue's mistakes at once")
    command.set_defaults(run=pairs)
    for name, default in {"pairs": 400, "triples": 100, "unfinished": 50, "seed": 1}.items():
        command.add_argument(f"--{name}", type=int, default=default, metavar="N", help="default: %(default)s")
    options = parser.parse_args(argv)
    require("numpy", "pytest")
    return int(options.run(options))


if __name__ == "__main__":
    startup.run(main)
