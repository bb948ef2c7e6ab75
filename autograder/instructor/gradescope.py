"""Writes the zip that Gradescope builds its autograder from: setup.sh, run_autograder, the grader, the solution."""

from __future__ import annotations

import argparse
import io
import sys
import zipfile
from pathlib import Path

import bundle

sys.path.insert(0, str(bundle.ROOT / "autograder" / "hw1_autograder"))

from report.formats import VISIBILITIES
from sandbox import ending

# Gradescope's folders lie below /autograder; only a trial on another machine sets AUTOGRADER_BASE.
SETUP = """\
#!/usr/bin/env bash
# Run once by Gradescope, as root, when it builds its image.
set -e
base=${AUTOGRADER_BASE:-/autograder}
apt-get update
apt-get install -y python3 python3-pip
# Later images want to be told that no other package of the system's is in the way.
pip3 install -r "$base/source/requirements.txt" ||
    pip3 install --break-system-packages -r "$base/source/requirements.txt"
"""

REQUIREMENTS = "numpy>=1.23\npytest>=7\n"

RUN = """\
#!/usr/bin/env bash
# Run by Gradescope for every submission: takes handin.tar, or the folders hw1 and mytorch, and writes results.json.
base=${{AUTOGRADER_BASE:-/autograder}}
submission=$base/submission
for tar in "$submission"/*.tar "$submission"/*.tar.gz "$submission"/*.tgz; do
    [ -f "$tar" ] && [ ! -L "$tar" ] && submission=$tar
done
mkdir -p "$base/results"
python3 "$base/source/grader/autograder/hw1_autograder/runner.py" --submission "$submission" \\
    --against "$base/source/solution" --seed handin \\
    --format gradescope --visibility {visibility} --out "$base/results/results.json"
true
"""


def archive(files: dict[str, bytes]) -> bytes:
    """Return the files as a zip, the same bytes for the same files; the scripts are executable."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            member = zipfile.ZipInfo(name)
            member.create_system = 3  # Unix, for the mode below
            member.external_attr = (0o100755 if content.startswith(b"#!") else 0o100644) << 16
            member.compress_type = zipfile.ZIP_DEFLATED
            packed.writestr(member, content)
    return buffer.getvalue()


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
    scripts = {
        "setup.sh": SETUP,
        "requirements.txt": REQUIREMENTS,
        "run_autograder": RUN.format(visibility=options.visibility),
    }
    files = {**{name: text.encode() for name, text in scripts.items()}, **bundle.files()}
    content = archive(files)
    try:
        bundle.write_whole(options.out, content)
    except OSError as error:
        print(f"gradescope.py: {error}", file=sys.stderr)
        return 2
    print(f"{options.out}: {len(files)} files, {len(content) / 1e3:.0f} KB")
    return 0


if __name__ == "__main__":
    ending.begin()
    sys.exit(ending.run(main))
