"""Mutation testing of the grader: the solution with one operator, constant, axis or statement changed at a time.

`python3 autograder/instructor/mutants.py` grades every mutant and prints those that lose no
point and bring no finding. Each must be in EQUIVALENT, with the proof that it does the same for valid input.
"""

from __future__ import annotations

import argparse
import ast
import copy
import os
import re
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, islice
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "autograder" / folder) for folder in ("hw1_autograder", "instructor")]

from sandbox.process import require  # noqa: E402

require("numpy", "pytest")

from grading.judges import Prestored  # noqa: E402
from grading.probing import probe  # noqa: E402
from grading.run import Run  # noqa: E402
from grading.settings import REFERENCES  # noqa: E402
from grading.verdicts import Grading  # noqa: E402
from homework.findings import PROBES  # noqa: E402
from homework.problems import PROBLEMS  # noqa: E402
from mistakes import FILES as CLASSES  # noqa: E402
from mistakes import MISTAKES  # noqa: E402
from sandbox.submission import REQUIRED as FILES  # noqa: E402
from sandbox.submission import Submission  # noqa: E402
from sandbox.workplace import Workplace  # noqa: E402

DEADLINE = 2.0  # seconds for one exercise, of milliseconds

# ---------------------------------------------------------------- making mutants

SWAPS: dict[type, tuple[type, ...]] = {
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Div,),
    ast.Div: (ast.Mult,),
    ast.MatMult: (ast.Mult,),
    ast.Pow: (ast.Mult,),
    ast.Mod: (ast.Mult,),
    ast.FloorDiv: (ast.Mult,),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.And: (ast.Or,),
    ast.Or: (ast.And,),
}


class Mutant(NamedTuple):
    """One change: where, the statement before and after it, and the changed module's source."""

    file: str
    place: str  # class and function
    before: str
    after: str
    source: str
    guard: bool  # within an `if` that does nothing but raise

    @property
    def name(self) -> str:
        return f"{self.file} {self.place}: {self.before} -> {self.after}"


def replacements(node: ast.AST) -> Iterator[ast.AST]:
    """Yield every other expression that stands in the place of this one."""

    def changed(**fields: Any) -> ast.AST:
        other = copy.copy(node)
        for name, value in fields.items():
            setattr(other, name, value)
        return other

    if isinstance(node, (ast.BinOp, ast.AugAssign, ast.BoolOp)):
        for swap in SWAPS[type(node.op)]:
            yield changed(op=swap())
    elif isinstance(node, ast.Compare):
        for k, op in enumerate(node.ops):
            for swap in SWAPS[type(op)]:
                yield changed(ops=[*node.ops[:k], swap(), *node.ops[k + 1 :]])
    elif isinstance(node, ast.UnaryOp):
        yield node.operand
    elif isinstance(node, ast.Attribute) and node.attr == "T":
        yield node.value
    elif isinstance(node, ast.Attribute) and node.attr in OTHER_NAMES:
        yield changed(attr=OTHER_NAMES[node.attr])
    elif isinstance(node, ast.Constant):
        for value in other_constants(node.value):
            yield ast.Constant(value)
    elif isinstance(node, ast.IfExp):
        yield node.body
        yield node.orelse
    elif isinstance(node, ast.Call):
        for k, keyword in enumerate(node.keywords):
            if keyword.arg in PLACES:
                continue
            yield changed(keywords=node.keywords[:k] + node.keywords[k + 1 :])
        if isinstance(node.func, ast.Name) and node.func.id in ("reversed", "sorted", "list") and len(node.args) == 1:
            yield node.args[0]


PLACES = ("copy", "order")  # say where an array's numbers lie, not what they are
OTHER_NAMES = {"sum": "mean", "mean": "sum", "max": "min", "argmax": "argmin", "maximum": "minimum"}
OTHER_NAMES |= {
    "zeros": "ones",
    "ones": "zeros",
    "zeros_like": "ones_like",
    "ones_like": "zeros_like",
    "sqrt": "square",
}


def other_constants(value: Any) -> list[Any]:
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1, 0] if value > 1 else [1 - value]
    if isinstance(value, float):
        return [value * 2, 0.0] if value else [0.5]
    if isinstance(value, str):
        return [value + "x"] if len(value) > 1 else [chr(ord(value) + 1)] if value else []
    return []


def mutants(file: str, source: str) -> Iterator[Mutant]:
    """Yield every mutant of a file: its expressions changed, then its statements left out."""
    tree = ast.parse(source)
    for place, statement, guard in statements(tree.body):
        if not isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
            for before, after in changes(statement):
                yield Mutant(file, place, before, after, ast.unparse(ast.fix_missing_locations(tree)), guard)
    for place, body, k, guard in bodies(tree):
        kept = body[k]
        body[k] = ast.copy_location(ast.Pass(), kept)
        yield Mutant(file, place, headline(kept), "pass", ast.unparse(tree), guard)
        body[k] = kept


def changes(statement: ast.stmt) -> Iterator[tuple[str, str]]:
    """Change one expression of a statement after another; the tree is changed while each is yielded."""
    before = headline(statement)
    for parent, field, index, node in expressions(statement):
        for other in replacements(node):
            put(parent, field, index, ast.copy_location(other, node))
            yield before, headline(statement)
            put(parent, field, index, node)
    if isinstance(statement, ast.AugAssign):
        kept = statement.op
        for swap in SWAPS[type(kept)]:
            statement.op = swap()
            yield before, headline(statement)
        statement.op = kept


def expressions(node: ast.AST) -> Iterator[tuple[ast.AST, str, int | None, ast.AST]]:
    """Yield every expression of a statement with the place where it stands; statements below and types are left out."""
    for field, value in ast.iter_fields(node):
        if field == "annotation":
            continue
        for index, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if isinstance(child, ast.keyword) and child.arg in PLACES:
                continue
            if isinstance(child, (ast.expr, ast.keyword, ast.comprehension, ast.arguments, ast.slice)):
                if isinstance(child, ast.expr):
                    yield node, field, index, child
                yield from expressions(child)


def put(parent: ast.AST, field: str, index: int | None, node: ast.AST) -> None:
    if index is None:
        setattr(parent, field, node)
    else:
        getattr(parent, field)[index] = node


def statements(body: list[ast.stmt]) -> Iterator[tuple[str, ast.stmt, bool]]:
    for place, within, k, guard in _bodies(body, "", False):
        yield place, within[k], guard or is_guard(within[k])


def bodies(tree: ast.Module) -> Iterator[tuple[str, list[ast.stmt], int, bool]]:
    for place, body, k, inside in _bodies(tree.body, "", False):
        if not isinstance(body[k], (ast.FunctionDef, ast.ClassDef, ast.Pass)):
            yield place, body, k, inside or is_guard(body[k])


def _bodies(body: list[ast.stmt], place: str, guard: bool) -> Iterator[tuple[str, list[ast.stmt], int, bool]]:
    """Yield every statement as its body and its position there; docstrings are left out."""
    for k, statement in enumerate(body):
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
            continue
        yield place, body, k, guard
        inner = place
        if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
            inner = f"{place}.{statement.name}" if place else statement.name
        for field in ("body", "orelse"):
            yield from _bodies(getattr(statement, field, []), inner, guard or is_guard(statement))


def is_guard(statement: ast.stmt) -> bool:
    """Whether a statement does nothing but raise."""
    if isinstance(statement, (ast.If, ast.For)) and not statement.orelse:
        *others, last = statement.body
        ends = isinstance(last, ast.Raise) or is_guard(last)
        return ends and all(isinstance(other, ast.Assign) for other in others)
    return ast.unparse(statement).startswith("self._check(")


def headline(statement: ast.stmt) -> str:
    """The statement on one line, a compound one without its body."""
    if hasattr(statement, "body"):
        short: Any = copy.copy(statement)
        short.body, short.orelse = [ast.Pass()], []
        statement = short
    return re.sub(r"\s+", " ", ast.unparse(ast.fix_missing_locations(statement))).removesuffix(": pass")


# ---------------------------------------------------------------- grading them


def verdict(files: dict[str, bytes]) -> str:
    """How a submission shows: the first problem that it fails or the first finding, or nothing."""
    with Workplace() as workplace:
        submission = Submission(files)
        grading = Grading(workplace.lay_out(submission), Prestored(REFERENCES), submission, DEADLINE, 1e6)
        for problem in PROBLEMS:
            if grading.grade(problem).status != "passed":
                return problem.name
        for row in PROBES:
            if probe(grading, row):
                return row.title
    return ""


class Survey(NamedTuple):
    """How many mutants there were, and those that nothing shows of, by what excuses them."""

    mutants: int
    guards: list[Mutant]
    proved: list[Mutant]
    surviving: list[Mutant]


def everything(every: int = 1) -> list[Mutant]:
    """Every n-th mutant of the solution."""
    made = (mutants(name, (ROOT / name).read_text(encoding="utf-8")) for name in FILES)
    return list(islice(chain.from_iterable(made), 0, None, every))


def false_claims(mutant: Mutant, run: Run) -> list[str]:
    """What a report says of a body that the mutant did not change: hints, findings' titles, what returns nothing."""
    owner = mutant.place.rpartition(".")[0]
    bodies = {target for mistake in MISTAKES for target in mistake.code}

    def changed(target: str) -> bool:
        if mutant.place in bodies:
            return target == mutant.place
        return target.partition(".")[0] == owner if owner else CLASSES.get(target.partition(".")[0]) == mutant.file

    said: list[Any] = [v for v in run.verdicts.values() if not v.score and not v.behind]
    found = []
    for hint in [hint for each in [*said, *run.findings] for hint in each.hints]:
        causes = [target for mistake in MISTAKES if mistake.hint == hint.text for target in mistake.code]
        if not any(map(changed, causes)):
            found.append(hint.text)
    for finding in run.findings:
        named = [word for word in re.findall(r"\w+", finding.title) if word in CLASSES]
        if named and not any(CLASSES[name] == mutant.file for name in named):
            found.append(finding.title)
    for each in [*said, *run.findings]:
        for name in re.findall(r"(\w+)\.\w+ (?:returns nothing|has no return)|no line of (\w+)'s", each.reason):
            if owner and owner not in name:
                found.append(each.reason)
    return found


def survey(every: int = 1, progress: bool = False) -> Survey:
    """Grade every n-th mutant, as many at once as there are processors."""
    solution = {name: (ROOT / name).read_bytes() for name in FILES}
    if shown := verdict(solution):
        raise RuntimeError(f"the solution itself does not pass: {shown}")
    made = everything(every)
    result = Survey(len(made), [], [], [])

    def shows(mutant: Mutant) -> str:
        return verdict({**solution, mutant.file: mutant.source.encode()})

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for count, (mutant, shown) in enumerate(zip(made, pool.map(shows, made)), 1):
            if not shown:
                kind = result.guards if mutant.guard else result.proved if proof(mutant) else result.surviving
                kind.append(mutant)
            if progress and count % 50 == 0:
                print(f"\r{count} mutants", end="", file=sys.stderr, flush=True)
    return result


def main() -> int:
    parser = argparse.ArgumentParser(description="Grade every mutant of the solution; print those that nothing shows.")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only every n-th mutant")
    options = parser.parse_args()
    start = time.monotonic()
    result = survey(options.every, progress=sys.stderr.isatty())
    for mutant in result.surviving:
        print(mutant.name)
    seen = result.mutants - len(result.guards) - len(result.proved) - len(result.surviving)
    print(
        f"{result.mutants} mutants in {time.monotonic() - start:.0f} s: {seen} lose points or bring a finding, "
        f"{len(result.guards)} change what is raised for invalid input, {len(result.proved)} are proved equivalent, "
        f"{len(result.surviving)} survive"
    )
    return 1 if result.surviving else 0


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


if __name__ == "__main__":
    sys.exit(main())
