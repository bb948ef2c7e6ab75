"""Modules that can't be imported, in words: the homework's own, NumPy's, the standard library's and others'."""

from __future__ import annotations

import difflib
import sys

import numpy as np

from sandbox.layers import FILES
from sandbox.submission import FOLDERS, Submission
from sandbox.wire import Raised

# What left the standard library, and in which version.
GONE = {
    **dict.fromkeys(("imp", "asyncore", "asynchat", "smtpd", "distutils"), "3.12"),
    **dict.fromkeys(("cgi", "cgitb", "crypt", "imghdr", "pipes", "telnetlib", "uu", "lib2to3", "audioop"), "3.13"),
    **dict.fromkeys(("formatter", "parser", "symbol"), "3.10"),
}
# What Python 3 calls otherwise than Python 2.
RENAMED = {
    "Queue": "queue",
    "cPickle": "pickle",
    "StringIO": "io",
    "ConfigParser": "configparser",
    "urllib2": "urllib.request",
    "__builtin__": "builtins",
}


def unknown(raised: Raised, submission: Submission) -> str:
    """Why there is no module of that name."""
    module = raised.module
    name = module.partition(".")[0]
    if name == "numpy" and module != name:
        return f"NumPy {np.__version__} has no {module}: that part of NumPy is gone, or was never there"
    if name in FILES and FILES[name] not in submission.files:
        return f"{FILES[name]} is missing{instead(FILES[name], submission)}"
    if name in FOLDERS:
        return _not_in_a_folder(module, submission)
    if beside := [file for file in submission.beside if file in (f"{name}.py", f"{name}/__init__.py")]:
        return f"{beside[0]} is not in hw1/ or mytorch/, and only those are handed in: move it into one of them"
    if name in GONE and sys.version_info >= tuple(map(int, GONE[name].split("."))):
        return f"{name} left the standard library in Python {GONE[name]}"
    if name in RENAMED:
        return f"{name} is Python 2's: in Python 3 it is {RENAMED[name]}"
    files = {_stem(file).lower(): file for file in submission.files}
    if close := difflib.get_close_matches(name.lower(), [*files], 1, 0.75):
        return f"there is no {name}, but {files[close[0]]}, which is imported as {_stem(files[close[0]])}"
    others = ["numpy", *getattr(sys, "stdlib_module_names", sys.builtin_module_names)]
    if close := difflib.get_close_matches(name.lower(), others, 1, 0.8):
        return f"there is no {name}. Did you mean `{close[0]}`?"
    return f"imports {name}, but only NumPy and the standard library are there when you are graded"


def instead(missing: str, submission: Submission) -> str:
    """The file of nearly that name that is there instead: in other capitals, a folder deeper, with another ending."""
    stem = _stem(missing).lower()
    for file in [*submission.files, *submission.beside]:
        name = file.rpartition("/")[2].lower()
        if file not in FILES.values() and name.partition(".")[0] == stem and name.endswith((".py", ".txt", ".ipynb")):
            return f": {file} is there instead"
    return ""


def _not_in_a_folder(module: str, submission: Submission) -> str:
    last = module.rpartition(".")[2]
    folder = module.partition(".")[0]
    text = f"{folder} is there, but not {module}"
    near = [file for file in submission.files if file.startswith(f"{folder}/")]
    modules = {file[:-3].replace("/", "."): file for file in near}
    close = difflib.get_close_matches(f"{folder}.{last}", [*modules], 1, 0.85)
    return text + (f". Did you mean `{close[0]}`?" if close else "")


def _stem(file: str) -> str:
    return file.rpartition("/")[2][: -len(".py")]
