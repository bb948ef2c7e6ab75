"""Mutation testing of the grader: each mutant of the solution loses points or brings a finding.

One of which nothing shows must be in EQUIVALENT, with the proof that it does the same for valid input.
"""

from __future__ import annotations

import os
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from catalogue import FILES, MISTAKES
from grading.judges import Judge, Prestored
from grading.probing import probe
from grading.run import Run
from grading.settings import REFERENCES, ROOT
from grading.verdicts import Grading
from homework.findings import PROBES
from homework.problems import PROBLEMS
from proofs.mutants import Mutant, mutants
from sandbox.submission import REQUIRED, Submission, read
from sandbox.workplace import Workplace

DEADLINE = 2.0  # seconds for one exercise, of milliseconds


class Survey(NamedTuple):
    """How many mutants there were, and those that nothing shows of, by what excuses them."""

    mutants: int
    guards: list[Mutant]
    proved: list[Mutant]
    surviving: list[Mutant]


def everything(every: int = 1) -> list[Mutant]:
    """Every n-th mutant of each of the solution's files."""
    files = read(ROOT).files
    return [mutant for name in REQUIRED for mutant in mutants(name, files[name].decode(), every)]


def survey(every: int = 1, progress: bool = False) -> Survey:
    """Grade every n-th mutant, as many at once as there are processors."""
    solution, judge = read(ROOT).files, Prestored(REFERENCES)
    if shown := verdict(solution, judge):
        raise RuntimeError(f"the solution itself does not pass: {shown}")
    made = everything(every)
    result = Survey(len(made), [], [], [])

    def shows(mutant: Mutant) -> str:
        return verdict({**solution, mutant.file: mutant.source.encode()}, judge)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for count, (mutant, shown) in enumerate(zip(made, pool.map(shows, made)), 1):
            if not shown:
                kind = result.guards if mutant.guard else result.proved if proof(mutant) else result.surviving
                kind.append(mutant)
            if progress and count % 50 == 0:
                print(f"\r{count} mutants", end="", file=sys.stderr, flush=True)
    return result


def verdict(files: dict[str, bytes], judge: Judge) -> str:
    """How a submission shows: the first problem that it fails or the first finding, or nothing."""
    with Workplace() as workplace:
        submission = Submission(files)
        grading = Grading(workplace.lay_out(submission), judge, submission, DEADLINE, 1e6)
        for problem in PROBLEMS:
            if grading.grade(problem).status != "passed":
                return problem.name
        for row in PROBES:
            if probe(grading, row):
                return row.title
    return ""


# ---------------------------------------------------------------- what a report says of a mutant

RETURNS_NOTHING = re.compile(r"(\w+)\.\w+ (?:returns nothing|has no return)|no line of (\w+)'s")
TARGETS = {target for mistake in MISTAKES for target in mistake.code}


def false_claims(mutant: Mutant, run: Run) -> list[str]:
    """What a report says of code that the mutant did not change: hints, findings' titles, what returns nothing."""
    faults: list[Any] = [v for v in run.verdicts.values() if not v.score and not v.behind]
    parts = [*faults, *run.findings]
    hints = [hint.text for part in parts for hint in part.hints]
    returns = [(part.reason, name) for part in parts for name in names_in(part.reason)]
    return [
        *(hint for hint in hints if not any(is_changed(mutant, target) for target in blamed(hint))),
        *(finding.title for finding in run.findings if not is_about(mutant, finding.title)),
        *(reason for reason, name in returns if not is_within(mutant, name)),
    ]


def blamed(hint: str) -> list[str]:
    """The functions that the mistakes with this hint change."""
    return [target for mistake in MISTAKES if mistake.hint == hint for target in mistake.code]


def names_in(reason: str) -> list[str]:
    """The classes of which a sentence says that they return nothing, or have no line that sets what is due."""
    return [first or second for first, second in RETURNS_NOTHING.findall(reason)]


def is_changed(mutant: Mutant, target: str) -> bool:
    """Whether a mutant may have changed this function: its own, or one of its class where no mistake is known."""
    return target == mutant.place if mutant.place in TARGETS else is_within(mutant, target.partition(".")[0])


def is_within(mutant: Mutant, name: str) -> bool:
    """Whether a mutant lies in this class; code outside classes may serve any class of its file."""
    owner = mutant.place.rpartition(".")[0]
    return name == owner if owner else FILES.get(name) == mutant.file


def is_about(mutant: Mutant, title: str) -> bool:
    """Whether a title names a class of the mutant's file, or none at all."""
    names = [word for word in re.findall(r"\w+", title) if word in FILES]
    return not names or any(FILES[name] == mutant.file for name in names)


# ---------------------------------------------------------------- what nothing has to show

UNREAD = "nothing reads it before a forward pass has set it, but the check that raises where there was none"
FLOATS = "the homework's arrays are floating-point numpy arrays; integers and lists are an extra of this solution"
EXTRA = "differs only where the caller gives one activation object twice, which the homework never does"
ABSTRACT = "an abstract method, which every subclass overrides"
PATHS = "the grader puts mytorch on the path itself; test_imports.py shows that the line is needed elsewhere"
STARS = "for the star import of another homework's grader, which test_imports.py stands for"
ORDER = "the same numbers in another order in memory, for the time alone"
TYPES = "only the types of attributes name it, which nothing evaluates"
SHOWN = "how an object is shown is no part of the homework; test_mlp.py looks at it"
PROMISED = "no problem reads it, and right code may do without: the library's own tests ask for it"
MODES = "the other call of train() has set the mode already, or sets it before the next batch"

# Mutants that do the same for every valid input, each with its proof; where no change is named, any change of
# that statement.
EQUIVALENT: dict[str, str] = {
    "SoftmaxCrossEntropy.forward: self.logits = x -> pass": PROMISED,
    "Linear.__init__: self.dW = np.zeros_like(self.W) -> self.dW = np.ones_like(self.W)": PROMISED,
    "Linear.__init__: self.db = np.zeros_like(self.b) -> self.db = np.ones_like(self.b)": PROMISED,
    "Linear.__init__: self.b = self.b.reshape(1, out_feature) -> pass": PROMISED,
    "BatchNorm.__init__: self.gamma = np.ones(shape, dtype) -> self.gamma = np.zeros(shape, dtype)": PROMISED,
    "BatchNorm.__init__: self.dgamma = np.zeros(shape, dtype) -> self.dgamma = np.ones(shape, dtype)": PROMISED,
    "BatchNorm.__init__: self.beta = np.zeros(shape, dtype) -> self.beta = np.ones(shape, dtype)": PROMISED,
    "BatchNorm.__init__: self.dbeta = np.zeros(shape, dtype) -> self.dbeta = np.ones(shape, dtype)": PROMISED,
    "BatchNorm.forward: self.mean = x.sum(axis=0, keepdims=True) / len(x) -> self.mean = x.sum(axis=0) / len(x)": PROMISED,  # noqa: E501
    "BatchNorm.forward: self.mean = x.sum(axis=0, keepdims=True) / len(x) -> self.mean = x.sum(axis=0, keepdims=False) / len(x)": PROMISED,  # noqa: E501
    "BatchNorm.forward: self.var = (centred * centred).sum(axis=0, keepdims=True) / len(x) -> self.var = (centred * centred).sum(axis=0) / len(x)": PROMISED,  # noqa: E501
    "BatchNorm.forward: self.var = (centred * centred).sum(axis=0, keepdims=True) / len(x) -> self.var = (centred * centred).sum(axis=0, keepdims=False) / len(x)": PROMISED,  # noqa: E501
    "BatchNorm.__init__: self.beta = np.zeros(shape, dtype) -> pass": PROMISED,
    "BatchNorm.forward: self.x = x -> pass": PROMISED,
    "MLP.__init__: self.bn = num_bn_layers > 0 -> self.bn = num_bn_layers >= 0": PROMISED,
    "MLP.__init__: self.bn = num_bn_layers > 0 -> self.bn = num_bn_layers < 0": PROMISED,
    "MLP.__init__: self.bn = num_bn_layers > 0 -> self.bn = num_bn_layers > 1": PROMISED,
    "MLP.__init__: self.bn_layers = [BatchNorm(linear.W.shape[1], dtype=linear.W.dtype) for linear in normed] -> self.bn_layers = [BatchNorm(linear.W.shape[1]) for linear in normed]": PROMISED,  # noqa: E501
    "MLP.__init__: self.input_size = input_size -> pass": PROMISED,
    "MLP.__init__: self.output_size = output_size -> pass": PROMISED,
    ": import os": STARS,
    ": from typing import Any": TYPES,
    "Activation.__init__: self.state: np.ndarray | Any = None": UNREAD,
    "Activation.forward: raise NotImplementedError": ABSTRACT,
    "Activation.derivative: raise NotImplementedError": ABSTRACT,
    "_floating: return x if x.dtype.kind == 'f' else x.astype(float) -> return x": FLOATS,
    "_floating: x = np.asarray(x)": FLOATS,
    "Criterion.__init__: self.logits: np.ndarray | Any = None": UNREAD,
    "Criterion.__init__: self.labels: np.ndarray | Any = None": UNREAD,
    "Criterion.__init__: self.loss: np.ndarray | Any = None": UNREAD,
    "Criterion.forward: raise NotImplementedError": ABSTRACT,
    "Criterion.derivative: raise NotImplementedError": ABSTRACT,
    "SoftmaxCrossEntropy.__init__: super().__init__()": UNREAD,
    "SoftmaxCrossEntropy.__init__: self.softmax: np.ndarray | Any = None": UNREAD,
    "SoftmaxCrossEntropy.forward: x, y = (np.asarray(x), np.asarray(y))": FLOATS,
    "SoftmaxCrossEntropy.forward: if x.dtype.kind != 'f' -> pass": FLOATS,
    "SoftmaxCrossEntropy.forward: x = x.astype(float)": FLOATS,
    "SoftmaxCrossEntropy.forward: x = np.asfortranarray(x)": ORDER,
    "_floating_copy: return array if array.dtype.kind == 'f' else array.astype(float) -> return array": FLOATS,
    "Linear.__init__: self.x: np.ndarray | Any = None": UNREAD,
    "Linear.forward: x = np.asarray(x)": FLOATS,
    "Linear.gradients: delta = np.asarray(delta)": FLOATS,
    "BatchNorm.__init__: self.x: np.ndarray | Any = None": UNREAD,
    "BatchNorm.__init__: self.norm: np.ndarray | Any = None": UNREAD,
    "BatchNorm.__init__: self.out: np.ndarray | Any = None": UNREAD,
    "BatchNorm.__init__: self.mean = np.zeros(shape, dtype)": UNREAD,
    "BatchNorm.__init__: self.var = np.ones(shape, dtype)": UNREAD,
    "BatchNorm.forward: x = np.asarray(x)": FLOATS,
    "BatchNorm.forward: if x.dtype.kind != 'f' -> pass": FLOATS,
    "BatchNorm.forward: x = x.astype(float)": FLOATS,
    "BatchNorm.backward: delta = np.asarray(delta)": FLOATS,
    ": sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, 'mytorch'))": PATHS,
    ": import copy": EXTRA,
    "MLP.__init__: shared = any((activation is other for other in self.activations))": EXTRA,
    "MLP.__init__: self.activations.append(copy.copy(activation) if shared else activation)": EXTRA,
    "MLP.__init__: self.output: np.ndarray | Any = None": UNREAD,
    "get_training_stats: mlp.train()": MODES,
}


def proof(mutant: Mutant) -> str:
    """Why a mutant does the same, or nothing."""
    if mutant.place.endswith(".__repr__"):
        return SHOWN
    statement = f"{mutant.place}: {mutant.before}"
    return EQUIVALENT.get(statement) or EQUIVALENT.get(f"{statement} -> {mutant.after}") or ""
