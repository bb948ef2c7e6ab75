"""What a submission may not do to the machine, and what it may: each attempt is refused, and costs what it should."""

from __future__ import annotations

import os
import shutil
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

import faults
from faults import harmless, question
from handins import GRADER, MAX_TOTAL, ROOT, Edit, body, edited, grade
from machine import kernel_fences, state
from sandbox import process

ROWS = {
    # it starts what would outlive it
    "forks": question("import os; os.fork()", "start a process"),
    "forks a terminal": question("import pty; pty.fork()", ""),
    "starts a program": question("import subprocess; subprocess.Popen(['sleep', '1000'])", "start a process"),
    "starts a shell": question("import os; os.system('sleep 1000 &')", "start a process"),
    "starts a program by posix_spawn": question(
        "import os; os.posix_spawn('/bin/true', ['true'], {})", "start a process"
    ),
    "becomes another program": question("import os; os.execv('/bin/true', ['true'])", "start a process"),
    "starts a worker": question(
        "import multiprocessing, time; multiprocessing.Process(target=time.sleep, args=(1000,)).start()",
        "start a process",
    ),
    "leaves a thread behind": harmless(
        body(
            "question_3",
            "import threading, time\nthreading.Thread(target=time.sleep, args=(1000,)).start()\nreturn original()",
        )
    ),
    "leaves an exit handler behind": harmless(
        body("question_3", "import atexit, time\natexit.register(time.sleep, 1000)\nreturn original()")
    ),
    "kills itself through os.kill": question("import os; os.kill(os.getpid(), 9)", "signal a process"),
    "segfaults through ctypes": question("import ctypes; ctypes.string_at(0)", "native code"),
    # it fills its folder
    "leaves nested folders behind": question(
        "import os\nplace = os.getcwd()\nwhile True:\n    place += '/a'\n    os.mkdir(place)",
        "may not make, move and remove more than 500 files",
    ),
    "writes files without end": question(
        "import os\nfor i in range(10**6): open(str(i), 'wb').write(bytes(1 << 10))",
        "may not make, move and remove more than 500 files",
    ),
    "leaves a folder behind that can't be entered": harmless(
        body("question_3", "import os; a = os.getcwd() + '/a'; os.mkdir(a); os.mkdir(a + '/b', 0); return original()")
    ),
    "empties its folder": harmless(
        body("question_3", "import os, shutil; shutil.rmtree(os.getcwd(), ignore_errors=True); return original()")
    ),
    # it keeps to its folder
    "its code's folder": harmless(
        body("question_3", "import os; os.chdir(os.path.dirname(__file__)); return original()")
    ),
    "another folder": harmless(body("question_3", "import os; os.chdir('/'); return original()")),
    "a file of its own": harmless(
        body("question_3", "open('notes.txt', 'w').write('mine'); return open('notes.txt').read() and original()")
    ),
    "a log that it opens often": harmless(
        body("question_3", "for i in range(2000):\n    with open('log', 'a') as log: log.write('x')\nreturn original()")
    ),
}


@pytest.mark.parametrize("name", ROWS)
def test_an_attempt_costs_what_it_should_and_changes_nothing_outside(name: str, outside: Path) -> None:
    faults.check(ROWS[name], outside)


# Changes the guard's frame wherever it is met in the midst of its work.
CHANGE = """
        import sys
        def change_frame(frame):
            while frame is not None:
                if frame.f_code.co_name == 'hook':
                    for name in ('reading', 'writing', 'allowed'): frame.f_locals[name] = ('/',)
                    frame.f_locals['event'] = 'harmless'
                frame = frame.f_back
        def change(*_): change_frame(sys._getframe(1))
"""

# What a submission may try in order to read the references, or to change something outside. Each ends by setting
# `got`, unless it is refused. ROOT is the project's folder, WORK the submission's own, OUTSIDE a folder that is not.
ESCAPES = {
    "read: open": "got = open(ROOT + '/data/hw1_reference.npz', 'rb').read()",
    "read: relative": "os.chdir(ROOT + '/data'); got = open('hw1_reference.npz', 'rb').read()",
    "read: os.open": "got = os.open(ROOT + '/data/hw1_reference.npz', 0)",
    "read: np.load": "got = np.load(ROOT + '/data/hw1_reference.npz')",
    "read: np.memmap": "got = np.memmap(ROOT + '/data/hw1_reference.npz')",
    "read: np.fromfile": "got = np.fromfile(ROOT + '/data/hw1_reference.npz')",
    "read: pathlib": "import pathlib; got = pathlib.Path(ROOT, 'data/hw1_reference.npz').read_bytes()",
    "read: FileIO of a path object": """
        class P:
            def __fspath__(self): return ROOT + '/data/hw1_reference.npz'
            def __str__(self): return '/dev/null'
        got = io.FileIO(P())
    """,
    "read: a lying str": """
        class P(str):
            def __str__(self): return '/dev/null'
            def startswith(self, *_): return True
            def split(self, *_): return ['dev', 'null']
        got = io.FileIO(P(ROOT + '/data/hw1_reference.npz'))
    """,
    "read: lying bytes": """
        class P(bytes):
            def decode(self, *_): return '/dev/null'
        got = io.FileIO(P(ROOT.encode() + b'/data/hw1_reference.npz'))
    """,
    "read: a patched builtin": """
        import builtins
        kept = {name: getattr(builtins, name) for name in ('type', 'str', 'int', 'issubclass', 'isinstance')}
        builtins.type = lambda x: kept['int']
        builtins.issubclass = builtins.isinstance = lambda *_: False
        try: got = io.open(ROOT + '/data/hw1_reference.npz', 'rb')
        finally: vars(builtins).update(kept)
    """,
    "read: a patched guard": """
        from child import guard
        guard.REFUSED.clear(); guard.CHANGES = guard.MODULES = frozenset()
        got = open(ROOT + '/data/hw1_reference.npz')
    """,
    "read: the guard's own frame": """
        try: open('/etc/passwd')
        except PermissionError as error: trace = error.__traceback__
        while trace.tb_next: trace = trace.tb_next
        frame = trace.tb_frame
        for name, value in list(frame.f_locals.items()):
            if isinstance(value, tuple): frame.f_locals[name] = ('/',)
            if hasattr(value, '__code__'): value.__code__ = (lambda *_: '').__code__
            if hasattr(value, 'cell_contents'): value.cell_contents = ('/',)
        got = open(ROOT + '/data/hw1_reference.npz')
    """,
    "read: a symbolic link": "os.symlink(ROOT, WORK + '/link'); got = open(WORK + '/link/data/hw1_reference.npz')",
    "read: a relative symbolic link": """
        os.makedirs(WORK + '/1/2/3/4/5/6/7/8'); os.chdir(WORK + '/1/2/3/4/5/6/7/8')
        os.symlink('../../../../../../../..', WORK + '/up'); got = os.listdir(WORK + '/up')
    """,
    "read: a hard link": "os.link(ROOT + '/data/hw1_reference.npz', WORK + '/hard'); got = open(WORK + '/hard', 'rb')",
    "read: relative to another folder": """
        os.makedirs(WORK + '/a/b/c/d/e/f/g/h', exist_ok=True); os.chdir(WORK + '/a/b/c/d/e/f/g/h')
        top = os.open('../../../../../../..', 0, dir_fd=os.open(os.path.dirname(os.__file__), 0)); got = os.listdir(top)
    """,
    "read: the parent's environment": "got = open(f'/proc/{os.getppid()}/environ').read()",
    "read: the parent's memory": "got = open(f'/proc/{os.getppid()}/mem', 'rb')",
    "read: through the parent's folder": "got = open(f'/proc/{os.getppid()}/cwd/data/hw1_reference.npz', 'rb')",
    "read: an interpreter of its own": """
        try: import _interpreters as them
        except ImportError: import _xxsubinterpreters as them
        got = them.create()
    """,
    "read: readline": "import readline; readline.read_history_file(ROOT + '/data/README.md'); got = True",
    "read: Tcl": "import tkinter; got = tkinter.Tcl().eval('open /etc/passwd')",
    "read: sqlite": "import sqlite3; got = sqlite3.connect(OUTSIDE + '/new')",
    "read: objects of the interpreter": "import gc; got = gc.get_objects()",
    "read: code by hand": "got = (lambda: 0).__code__.replace(co_names=('x',))",
    "native: ctypes": "import ctypes; got = ctypes.CDLL(None)",
    "native: numpy's ctypes": "import ctypes; got = ctypes.string_at(np.zeros(1).ctypes.data)",
    "write: open": "got = open(OUTSIDE + '/new', 'w')",
    "write: over a file": "got = open(OUTSIDE + '/old', 'a')",
    "write: the submission": "import mc; got = open(mc.__file__, 'a')",
    "write: the standard library": "got = open(os.__file__, 'a')",
    "write: relative to another folder": """
        got = os.open('new', os.O_CREAT | os.O_WRONLY, dir_fd=os.open(os.path.dirname(os.__file__), 0))
    """,
    "write: mkdir": "os.mkdir(OUTSIDE + '/new'); got = True",
    "write: remove": "os.remove(OUTSIDE + '/old'); got = True",
    "write: rename": "os.rename(OUTSIDE + '/old', OUTSIDE + '/new'); got = True",
    "write: rename into reach": "os.rename(OUTSIDE + '/old', WORK + '/old'); got = True",
    "write: replace": "open(WORK + '/mine', 'w').close(); os.replace(WORK + '/mine', OUTSIDE + '/old'); got = True",
    "write: truncate": "os.truncate(OUTSIDE + '/old', 0); got = True",
    "write: chmod": "os.chmod(OUTSIDE + '/old', 0); got = True",
    "write: rmdir": "os.rmdir(OUTSIDE); got = True",
    "write: its own folder": "os.rmdir(WORK); got = True",
    "write: mkfifo": "os.mkfifo(OUTSIDE + '/new'); got = True",
    "write: shared memory": "from multiprocessing import shared_memory as s; got = s.SharedMemory('mytorch', True, 64)",
    "process: the function below subprocess": """
        import _posixsubprocess
        got = type(_posixsubprocess.fork_exec).__name__ == 'builtin_function_or_method'
        assert got
    """,
    "process: the same, loaded anew": """
        import importlib.machinery, importlib.util
        spec = importlib.machinery.PathFinder.find_spec('_posixsubprocess')
        got = type(importlib.util.module_from_spec(spec).fork_exec).__name__ == 'builtin_function_or_method'
        assert got
    """,
    "process: fork below os": "import posix; got = posix.fork()",
    "process: popen": "got = os.popen('true')",
    "signal: the parent": "os.kill(os.getppid(), 15); got = True",
    "signal: the group": "os.killpg(os.getpgid(os.getppid()), 15); got = True",
    "signal: by a descriptor": "import signal; got = signal.pidfd_send_signal(os.pidfd_open(os.getppid()), 15)",
    "network: a socket": "import socket; got = socket.socket()",
    "network: an address": "import urllib.request; got = urllib.request.urlopen('http://127.0.0.1:9/')",
    "limits: memory": "import resource; resource.setrlimit(resource.RLIMIT_AS, (-1, -1)); got = True",
    "limits: of another process": """
        import resource
        got = resource.prlimit(os.getppid(), resource.RLIMIT_NOFILE, resource.prlimit(0, resource.RLIMIT_NOFILE))
    """,
    "limits: a file in memory": "got = os.memfd_create('mine')",
    "limits: priority": "os.setpriority(os.PRIO_PROCESS, os.getppid(), 1); got = True",
    "limits: processors": "os.sched_setaffinity(os.getppid(), {0}); got = True",
    "limits: a large file": "got = open(WORK + '/large', 'wb').write(bytes(2 << 20))",
    "signal: by a file": """
        import fcntl
        r, w = os.pipe()
        fcntl.fcntl(r, fcntl.F_SETOWN, os.getppid())
        got = True
    """,
    "signal: by a file, to a thread": """
        import fcntl, struct
        r, w = os.pipe()
        fcntl.fcntl(r, 15, struct.pack('ii', 1, os.getppid()))
        got = True
    """,
    # modules imported anew, and what is left of functions that were taken away
    "anew: posix": "import sys; sys.modules.pop('posix'); import posix; posix.mkfifo(WORK + '/fifo1'); got = True",
    "anew: posix by its loader": """
        import _imp, importlib.machinery as machinery
        posix = _imp.create_builtin(machinery.ModuleSpec('posix', machinery.BuiltinImporter))
        posix.mkfifo(WORK + '/fifo2'); got = True
    """,
    "anew: posix by importlib": """
        import importlib.util, importlib.machinery as machinery
        posix = importlib.util.module_from_spec(machinery.BuiltinImporter.find_spec('posix'))
        posix.mkfifo(WORK + '/fifo3'); got = True
    """,
    "anew: _imp": """
        import sys; sys.modules.pop('_imp'); sys.modules.pop('posix')
        import _imp, posix
        posix.mkfifo(WORK + '/fifo4'); got = True
    """,
    "anew: functions in sets": """
        kept = [f for names in vars(os).values() if isinstance(names, set) for f in names]
        got = [f for f in kept if f.__name__ == 'mkfifo'][0](WORK + '/fifo5') is None
    """,
    "anew: os": "import sys; del sys.modules['os']; import os as again; again.mkfifo(WORK + '/fifo6'); got = True",
    "native: a library of its own": """
        import importlib.machinery as machinery, importlib.util as util, shutil, sysconfig
        there = util.find_spec('_bisect').origin or util.find_spec('_json').origin
        library = WORK + '/harmless' + sysconfig.get_config_var('EXT_SUFFIX')
        open(library, 'wb').write(open(there, 'rb').read()[:1 << 20])
        name = os.path.basename(there).partition('.')[0]
        loader = machinery.ExtensionFileLoader(name, library)
        got = loader.create_module(machinery.ModuleSpec(name, loader, origin=library))
    """,
    "packages: a file": "got = open(PACKAGE)",
    "packages: on the path": """
        import sys; sys.path.append(os.path.dirname(os.path.dirname(PACKAGE)))
        got = __import__(os.path.basename(os.path.dirname(PACKAGE)))
    """,
    # without the kernel's fence: two threads, and the running hook's own frame
    "race: of chdir and open": """
        import sys, threading, time
        sys.setswitchinterval(1e-6)
        def run():
            while running:
                try: os.chdir('/'); os.chdir(WORK)
                except PermissionError: return
        running = [True]
        thread = threading.Thread(target=run); thread.start()
        end = time.monotonic() + 0.3
        got = None
        while time.monotonic() < end and got is None:
            try: got = open('etc/passwd')
            except (FileNotFoundError, PermissionError): pass
        running.clear(); thread.join()
        if got is None: raise PermissionError
    """,
    "race: of open in a thread": """
        import threading, time
        found = []
        def run():
            while not found and running:
                try: found.append(open('etc/passwd'))
                except (FileNotFoundError, PermissionError): pass
        running = [True]
        thread = threading.Thread(target=run); thread.start()
        end = time.monotonic() + 0.3
        while time.monotonic() < end and not found: os.chdir('/'); os.chdir(WORK)
        running.clear(); thread.join()
        got = found[0]
    """,
    "frame: by the collector": CHANGE
    + """
        import gc
        gc.callbacks.append(change); gc.enable(); gc.set_threshold(1)
        try:
            for _ in range(300):
                kept = [[] for _ in range(50)]
                try: got = open('/etc/passwd')
                except PermissionError: pass
        finally: gc.callbacks.clear(); gc.set_threshold(700)
        got
    """,
    "frame: by a signal": CHANGE
    + """
        import signal
        signal.signal(signal.SIGALRM, change); signal.setitimer(signal.ITIMER_REAL, 1e-4, 1e-4)
        try:
            for _ in range(3000):
                try: got = open('/etc/passwd')
                except PermissionError: pass
        finally: signal.setitimer(signal.ITIMER_REAL, 0)
        got
    """,
    "frame: by a thread": CHANGE
    + """
        import sys, threading
        sys.setswitchinterval(1e-6)
        def run():
            while running:
                try: frames = list(sys._current_frames().values())
                except BaseException: return
                for frame in frames: change_frame(frame)
        running = [True]
        thread = threading.Thread(target=run); thread.start()
        try:
            for _ in range(3000):
                try: got = open('/etc/passwd')
                except PermissionError: pass
        finally: running.clear(); thread.join()
        got
    """,
    # these two use up what a process may change
    "limits: files without end": """
        for number in range(600): open(f'{WORK}/_{number}', 'w').close()
        got = True
    """,
    "limits: folders without end": """
        for number in range(600): os.mkdir(f'{WORK}/_{number}'); os.rmdir(f'{WORK}/_{number}')
        got = True
    """,
}


def package() -> str:
    """A package that is installed where the standard library lies, beside numpy where there is none."""
    folders = [Path(os.__file__).parent / "site-packages", Path(pytest.__file__).parents[1]]
    return str(next(path for folder in folders for path in sorted(folder.glob("*/__init__.py"))))


def attempts(outside: Path, names: list[str]) -> Edit:
    """A right submission that tries everything first, and prints what became of each attempt."""
    lines = [
        "import io, os, sys",
        "import numpy as np",
        "modules = dict(sys.modules)",
        f"ROOT, OUTSIDE = {str(ROOT)!r}, {str(outside)!r}",
    ]
    lines += [f"WORK, PACKAGE = os.getcwd(), {package()!r}"]
    for name in names:
        code = textwrap.indent(textwrap.dedent(ESCAPES[name]).strip(), "    ")
        lines += [f"def attempt():\n{code}\n    return got"]
        lines += [f"try: print({name!r}, '-> got', type(attempt()).__name__)"]
        lines += [f"except BaseException as error: print({name!r}, '->', type(error).__name__)"]
        lines += ["os.chdir(WORK)", "sys.modules.update(modules)"]
    lines += ["return original()"]
    return body("question_3", "\n".join(lines))


# What the guard alone refuses: Python's own, and what Python does with its own files.
GUARDED = (
    "read: through the parent's folder",
    "read: an interpreter of its own",
    "read: objects of the interpreter",
    "read: code by hand",
    "write: its own folder",
    "process: the function below subprocess",
    "process: the same, loaded anew",
    "limits: files without end",
    "limits: folders without end",
    "native: ctypes",
    "native: numpy's ctypes",
    "native: a library of its own",
)
# What the kernel alone would still refuse a submission that got around the guard.
FENCED = [name for name in ESCAPES if name not in GUARDED and not name.startswith("frame: ")]


@pytest.fixture
def weakened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Makes sandboxes run a copy of the grader in which one of the two fences is down."""

    def weaken(line: str) -> None:
        copy = tmp_path / "grader"
        shutil.copytree(GRADER, copy, ignore=shutil.ignore_patterns("__pycache__"))
        serve = copy / "child" / "serve.py"
        text = serve.read_text()
        assert text.count(line) == 1
        serve.write_text(text.replace(line, line[: len(line) - len(line.lstrip())] + "pass\n"))
        monkeypatch.setattr(process, "SERVE", str(serve))

    return weaken


@pytest.mark.cold
@pytest.mark.parametrize("fences", ["both", "guard", "kernel"])
def test_no_attempt_to_get_out_succeeds(fences: str, outside: Path, weakened: Callable[[str], None]) -> None:
    if fences == "guard":
        weakened("    means += loaded.fence.close(python_folders, [*readable, root], work)\n")
    if fences == "kernel":
        if not kernel_fences():
            pytest.skip("this kernel has no Landlock")
        weakened("    guard.install(readable, root, work)\n")
    target = outside / "target"
    target.mkdir()
    (target / "old").write_text("as it was")
    before = state(target)
    attempted = [name for name in ESCAPES if fences != "kernel" or name in FENCED]
    result = grade(edited(outside / "handin", attempts(target, attempted)))
    printed = result.verdicts["multiple_choice"].printed.splitlines()
    assert result.score == MAX_TOTAL
    assert [line.partition(" -> ")[0] for line in printed] == attempted
    assert [line for line in printed if "-> got" in line] == []
    assert state(target) == before


# What it may open, and where it may write; a right submission that does this costs no points.


def printed(code: str, outside: Path) -> str:
    """What code in a right submission prints."""
    result = grade(edited(outside / "handin", body("question_3", f"import os, sys\n{code}\nreturn original()")))
    assert result.unpassed == {}
    return result.verdicts["multiple_choice"].printed.strip()


def test_it_opens_its_own_files_and_python_s_and_no_other(outside: Path) -> None:
    (outside / "secret").write_text("x")
    others = ["/etc/passwd", "/proc/self/environ", outside / "secret", outside / "handin/hw1/mc.py", pytest.__file__]
    others += [ROOT / "data/hw1_reference.npz", GRADER / "runner.py"]
    code = f"""
import mc, numpy
for path in (mc.__file__, os.__file__, numpy.__file__, *{[str(path) for path in others]}):
    try: open(path, 'rb').close(); print('yes', end=' ')
    except PermissionError: print('no', end=' ')
"""
    assert printed(code, outside).split() == ["yes"] * 3 + ["no"] * 7


def test_it_writes_in_its_folder_up_to_a_cap(outside: Path) -> None:
    code = f"""
def fits(path, size):
    try: return open(path, 'wb', 0).write(bytes(size)) == size
    except OSError: return False
print(fits('mine', 1 << 20), fits('large', (1 << 20) + 1), fits({str(outside / "theirs")!r}, 1), fits('/dev/shm/x', 1))
print(sum(fits(str(number), 1) for number in range(1000)))
"""
    assert printed(code, outside).splitlines() == ["True False False False", "498"]


def test_numpy_reads_and_writes_any_memory_of_the_process(outside: Path) -> None:
    code = """
import numpy
text = bytes(bytearray(b'as it was'))
class Text:
    place = id(text) + bytes.__basicsize__ - 1
    __array_interface__ = {'shape': (1,), 'typestr': '|u1', 'data': (place, False), 'version': 3}
numpy.asarray(Text())[0] = ord('i')
print(text)
"""
    assert printed(code, outside) == "b'is it was'"
