"""What Gradescope builds its autograder from: setup.sh, run_autograder, the grader, the solution."""

from __future__ import annotations

import io
import zipfile

from kit import bundle

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


def package(visibility: str) -> dict[str, bytes]:
    """Return the files that the zip holds, by path."""
    scripts = {
        "setup.sh": SETUP,
        "requirements.txt": REQUIREMENTS,
        "run_autograder": RUN.format(visibility=visibility),
    }
    return {**{name: text.encode() for name, text in scripts.items()}, **bundle.files()}
