"""A wrong result in words: what is wrong with it, where in the student's file, and what that points at."""

from __future__ import annotations

from sandbox import Outcome
from submission import Submission

OWN_MODULES = dict.fromkeys(("activation", "loss", "linear", "batchnorm"), "mytorch") | {"hw1": "hw1", "mc": "hw1"}


def unstarted(outcome: Outcome) -> bool:
    """Whether the exercise met a body that is still to be written."""
    if outcome.ended == "raised":
        return "NotImplementedError" in outcome.raised["bases"]
    return outcome.ended == "returned" and all(kind == "NoneType" for kind in outcome.types.values())


def ending(outcome: Outcome, deadline: float) -> str:
    """Why an exercise gave no values: the process hung, ended or broke the channel."""
    where = f" while it imported {outcome.stage[len('import ') :]}" if outcome.stage.startswith("import ") else ""
    if outcome.ended == "timeout":
        at = f", at {outcome.detail}" if outcome.detail else ""
        return f"still running after {deadline:g} s{where}{at}"
    if outcome.ended == "died":
        return f"the process ended{where}: {outcome.detail}"
    return f"the process sent something that is no answer{where}"


def exception(outcome: Outcome, submission: Submission) -> str:
    """One line for an exception: its type and message, the student's file and line, and the code there."""
    raised = outcome.raised
    kind, message = raised["type"], " ".join(raised["message"].split())[:200]
    place = ""
    if raised["frames"]:
        file, line, _ = raised["frames"][-1]
        lines = submission.source(file)
        code = lines[line - 1].strip()[:100] if 0 < line <= len(lines) else ""
        place = f"{file}, line {line}: " + (f"`{code}`: " if code else "")
    if kind == "Broken":
        return f"{_file(message)} can't be imported: see the problem above that first needed it"
    if kind == "ModuleNotFoundError" and raised["module"]:
        name = raised["module"].partition(".")[0]
        if name in OWN_MODULES:
            return f"{place}{_file(name)} is missing"
        return f"{place}imports {name}, but only NumPy and the standard library are there when you are graded"
    if kind == "NotBuilt":
        return message
    return f"{place}{kind}: {message}" if message else f"{place}{kind}"


def _file(module: str) -> str:
    return f"{OWN_MODULES[module]}/{module}.py" if module in OWN_MODULES else module
