"""The process that runs a submission, started by sandbox/process.py and fed through its standard input.

It gets the names of folders and then of exercises, one message each, and answers with the values that the submission
returned or with the exception that it raised. It never sees an expected value.
"""

from __future__ import annotations

import faulthandler
import io
import os
import signal
import sys
from importlib.machinery import PathFinder
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from child.exercises import Course
    from sandbox.wire import Answer, Blob, Folders, Ready, Request, Stage

HERE = os.path.dirname(os.path.abspath(__file__))
MAX_PRINTED = 64 << 10  # characters of an exercise's output that are kept; the rest is dropped
PLAIN = "?bBhHiIlLqQefdFDUS"  # numpy's letters for the types that every system has
LIMITS = {  # where the system has them, and no lower ones
    "RLIMIT_CORE": 0,
    "RLIMIT_FSIZE": 1 << 20,  # bytes of a file; how many files there may be says guard.py
    "RLIMIT_CPU": 3600,  # seconds, for a child whose parent died where nothing else ends it
}


class OnlyNumpy:
    """Finds numpy where the grader found it; nothing else of site-packages exists for a submission."""

    def __init__(self, home: str) -> None:
        self.home = home

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        return PathFinder.find_spec(name, [self.home]) if name == "numpy" else None


class Capped(io.RawIOBase):
    """Standard output of the submission: written to a file up to a cap, then dropped without an error."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.left = MAX_PRINTED

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self.descriptor

    def write(self, data: Any) -> int:
        data = bytes(data)
        try:
            if self.left > 0:
                os.write(self.descriptor, data[: self.left])
        except OSError:  # the submission has filled the file by another way
            pass
        self.left -= len(data)
        return len(data)


def main() -> None:
    """Serve exercises until the grader closes the channel."""
    numpy_home, memory = sys.argv[1], int(sys.argv[2])
    requests, answers = own_channel()
    means = limit(memory)
    serve(load(numpy_home), numpy_home, requests, answers, means)


def load(numpy_home: str) -> SimpleNamespace:
    """Import NumPy and all of the grader that a submission's process runs, which leave no names of their own behind."""
    sys.meta_path.append(OnlyNumpy(numpy_home))  # type: ignore[arg-type]
    sys.path.insert(0, os.path.dirname(HERE))
    import numpy as np

    # Beside the two fences, each of these enters its exercises in the table.
    from child import exercises, fence, gradients, guard, probes, stand_ins, tracebacks, training_log
    from sandbox import wire

    # From now on every name is the submission's, found as plain Python finds it with the two folders at the end.
    del sys.path[0]
    for name in [name for name in sys.modules if name.partition(".")[0] in ("child", "sandbox")]:
        del sys.modules[name]
    del gradients, probes, stand_ins, training_log
    return SimpleNamespace(np=np, exercises=exercises, fence=fence, tracebacks=tracebacks, guard=guard, wire=wire)


def serve(loaded: SimpleNamespace, numpy_home: str, requests: BinaryIO, answers: BinaryIO, means: list[str]) -> None:
    """Learn the folders, close the fences, and answer one exercise after the other."""
    exercises, guard, wire = loaded.exercises, loaded.guard, loaded.wire
    sys.dont_write_bytecode = True  # of the submission

    start = wire.receive(requests)
    if start is None:
        return
    folders: Folders = start.header
    root, work, python_folders = folders["root"], folders["work"], list(sys.path)
    sys.path += [os.path.join(root, "mytorch"), os.path.join(root, "hw1"), root]
    log = enter(folders)

    def stage(name: str) -> None:
        about: Stage = {"stage": name}
        wire.send(answers, about, {})

    course = exercises.Course(stage, root)
    homes = {numpy_home: "", os.path.realpath(numpy_home): ""}
    numpy_alone = [os.path.join(home, name) for home in homes for name in ("numpy", "numpy.libs")]
    readable = [*guard.python_alone(python_folders), *numpy_alone]
    means += loaded.fence.close(python_folders, [*readable, root], work)
    guard.install(readable, root, work)
    ready: Ready = {"ready": means}
    wire.send(answers, ready, {})
    end = os._exit

    while True:
        request = wire.receive(requests)
        if request is None:
            end(0)  # no exit handlers, no waiting for threads: those are the submission's
        sys.stdout = sys.stderr = io.TextIOWrapper(Capped(log), "utf-8", "replace", write_through=True)
        wire.send(answers, *answer_to(request.header, request.blobs, course, loaded))


def enter(folders: Folders) -> int:
    """Go to the folder of the submission's own, with its output in the log; return the log's descriptor."""
    os.chdir(folders["work"])
    log = os.open(folders["log"], os.O_WRONLY | os.O_APPEND)
    for standard in (1, 2):
        os.dup2(log, standard)
    if hasattr(faulthandler, "register"):  # asked by the grader, before it ends a child that hangs
        stack = os.open(folders["stack"], os.O_WRONLY | os.O_APPEND)
        faulthandler.register(signal.SIGUSR1, file=stack, all_threads=False)
    return log


def answer_to(
    asked: Request, arrays: dict[str, Blob], course: Course, loaded: SimpleNamespace
) -> tuple[Answer, dict[str, Blob]]:
    """Run an exercise on these arrays; return the header of the answer, and the arrays among its values."""
    np, exercises, wire = loaded.np, loaded.exercises, loaded.wire
    np.random.seed(11785)
    inputs = {name: np.ndarray(blob.shape, blob.dtype, bytearray(blob.data)) for name, blob in arrays.items()}
    course.broken, course.importing, course.log = asked["broken"], "", wire.Log()
    answer: Answer = {"id": asked["id"]}
    blobs = {}
    try:
        how: Any = "raise" if asked["strict"] else "warn"
        with np.errstate(over=how, divide=how, invalid=how):
            values = exercises.run(asked["exercise"], course, inputs)
    except BaseException as error:
        answer["raised"] = loaded.tracebacks.describe(error, course.root, course.importing)
    else:
        answer["values"] = {}
        for name, value in values.items():
            answer["values"][name], blob = plain(value, np, wire)
            if blob is not None:
                blobs[name] = blob
    answer["log"] = course.log
    return answer, blobs


def own_channel() -> tuple[BinaryIO, BinaryIO]:
    """Move the pipes of standard input and output to descriptors that a submission does not know."""
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    return requests, answers


def limit(memory: int) -> list[str]:
    """Cap address space, files and time where the system can; return which of these limits it has set."""
    try:
        import resource
    except ImportError:
        return []
    set_here = []
    for name, value in {**LIMITS, "RLIMIT_AS": memory}.items():
        try:  # each on its own: a lower limit of the server's stays
            _, hard = resource.getrlimit(getattr(resource, name))
            value = value if hard == resource.RLIM_INFINITY else min(value, hard)
            resource.setrlimit(getattr(resource, name), (value, value))
            set_here.append(name)
        except (AttributeError, ValueError, OSError):
            continue
    return set_here


def plain(value: Any, np: Any, wire: Any) -> tuple[str, Any]:
    """Return the name of a value's type, and the value as data if it is a plain array, a number or a string."""
    kind = type(value)
    name = kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
    if kind is np.ndarray:
        if value.dtype.char not in PLAIN or value.dtype.metadata:
            return f"numpy.ndarray of {str(value.dtype)[:40]}", None
        if value.nbytes <= wire.MAX_VALUE:
            blob = wire.Blob(value.dtype.str, value.shape, value.tobytes())
            if wire.fits(blob):
                return name, blob
        return f"numpy.ndarray of {value.dtype}, shape {str(value.shape)[:80]}, {value.nbytes:,} bytes", None
    if kind in (bool, int, float, complex, str) or (issubclass(kind, np.generic) and kind.__module__ == "numpy"):
        try:
            array = np.array(value)
        except (ValueError, OverflowError):
            return name, None
        if array.dtype.char in PLAIN and array.nbytes < MAX_PRINTED:
            return name, wire.Blob(array.dtype.str, array.shape, array.tobytes())
    return name[:100], None


if __name__ == "__main__":
    main()
