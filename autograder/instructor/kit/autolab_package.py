"""What Autolab needs: a tar to import the assessment from, and the files in it, which can be used alone."""

from __future__ import annotations

import io
import json
import tarfile
from typing import Any

from homework.problems import BY_HAND, PROBLEMS
from kit import bundle

NAME = "hw1p1"  # of the assessment, its folder and its files, as Autolab wants it
TIMEOUT = 180  # seconds, after which the server ends a job; the run's own deadline is within it

# The server runs it in a folder of its own that holds handin.tar and autograde.tar, and takes the last line's scores.
MAKEFILE = """\
PYTHON = python3

all:
\t@tar -xf autograde.tar
\t@AUTOLAB=1 $(PYTHON) grader/autograder/hw1_autograder/runner.py --module-path handin.tar \\
\t    --against solution --seed handin 2>&1; true
"""

# Autolab's own, as it makes it for an assessment without Ruby code.
RUBY = f"""\
require "AssessmentBase.rb"

module {NAME.capitalize()}
  include AssessmentBase

  def assessmentInitialize(course)
    super("{NAME}", course)
    @problems = []
  end
end
"""

GENERAL = {
    "name": NAME,
    "description": "",
    "display_name": "Homework 1 Part 1",
    "category_name": "Homework",
    "handin_filename": "handin.tar",
    "handin_directory": "handin",
    "max_size": 2,  # MB
    "max_submissions": -1,  # any number
    "max_grace_days": 0,
    "disable_handins": False,
    "has_svn": False,
    "handout": "",
    "writeup": "",
}
AUTOGRADER = {"autograde_timeout": TIMEOUT, "autograde_image": "autograding_image", "release_score": True}
PLACEHOLDERS = {"start_at": "2099-01-01 00:00:00", "due_at": "2099-01-21 23:59:59", "end_at": "2099-01-24 23:59:59"}


def archive(files: dict[str, bytes]) -> bytes:
    """Return the files, and folders whose names end with a slash, as a tar: the same bytes for the same files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            if name.endswith("/"):
                member.type, member.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def assessment() -> str:
    """Return the assessment's YAML: its settings, and the problems, those graded by hand at the end."""
    problems = [(problem.name, f"writeup {problem.section}", problem.points) for problem in PROBLEMS]
    problems.append(("Training Statistics", "writeup 3.6: get_training_stats and the plots, by hand", BY_HAND))
    lines = ["---", *section("general", GENERAL), "problems:"]
    for name, description, points in problems:
        entry = {"name": name, "description": description, "max_score": float(points), "optional": False}
        first, *others = section("", entry)[1:]
        lines += [f"-{first[1:]}", *others]
    lines += section("autograder", AUTOGRADER)
    lines += ["# Placeholders: set your own, here or in Autolab. end_at is the last moment for a late handin."]
    return "\n".join([*lines, *section("dates", PLACEHOLDERS)]) + "\n"


def section(name: str, values: dict[str, Any]) -> list[str]:
    """The lines of one mapping; every JSON value is one of YAML's."""
    return [f"{name}:", *(f"  {key}: {json.dumps(value)}" for key, value in values.items())]


def package() -> dict[str, bytes]:
    """Return the four files, the last of which holds the others, laid out as Autolab imports an assessment."""
    files = {
        "autograde.tar": archive(bundle.files()),
        "autograde-Makefile": MAKEFILE.encode(),
        f"{NAME}.yml": assessment().encode(),
    }
    within = {"": b"", **files, f"{NAME}.rb": RUBY.encode()}
    return {**files, f"{NAME}.tar": archive({f"{NAME}/{name}": content for name, content in within.items()})}
