"""Drives a student's code, from named input arrays to named values.

Each exercise is a function of the course's modules and of arrays; the names of what it returns are the
expressions that a student would write. What the values should be is not known here.
"""

from __future__ import annotations

import dis
import importlib
import warnings
from types import ModuleType
from typing import Any, Callable

import numpy as np

from child.reading import near, object_of
from child.softsign import softsign
from sandbox.layers import BY_ATTRIBUTE, Quantity, quantity
from sandbox.wire import Log

Values = dict[str, Any]


class NotBuilt(Exception):
    """A layer that the exercise needs is missing from the network, or has the wrong size; and the list it is due in."""

    def __init__(self, message: str, attribute: str) -> None:
        super().__init__(message)
        self.attribute = attribute


class Broken(Exception):
    """A module whose import ended an earlier process; its name is the message."""


class Course:
    """The submission's modules, each imported when an exercise first asks for it."""

    def __init__(self, stage: Callable[[str], None] = lambda name: None, root: str = "") -> None:
        self._stage = stage
        self.root = root  # the folder of the submission
        self.broken: dict[str, str] = {}
        self.importing = ""
        self.built: Callable[[Any, list[Any], Any], None] | None = None  # called with every network and its parts
        self.log = Log()  # of the network that an exercise has watched

    def __getattr__(self, name: str) -> ModuleType:
        if name in self.broken:
            raise Broken(name)
        self.importing = name
        self._stage(f"import {name}")
        module = importlib.import_module(name)
        if getattr(module, "__file__", None) is None:  # without hw1/hw1.py, the folder hw1 passes for a module
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        self.importing = ""
        self._stage("")
        setattr(self, name, module)
        return module


EXERCISES: dict[str, Callable[..., Values]] = {}


def exercise(function: Callable[..., Values]) -> Callable[..., Values]:
    """Enter the function in the table of exercises, under its own name."""
    EXERCISES[function.__name__] = function
    return function


def run(name: str, course: Course, inputs: dict[str, np.ndarray]) -> Values:
    """Run the exercise of that name; the submission's exceptions pass through."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return EXERCISES[name](course, **inputs)


@exercise
def state_of_bodies(course: Course, bodies: np.ndarray) -> Values:
    """Whether each body, `hw1/mc.py:question_1` or `mytorch/linear.py:Linear.forward`, is there and does anything.

    It is "written" or "empty"; for one that is not there, the most similar name of its class, or "missing".
    """
    states = {}
    for body in map(str, bodies):
        file, path = body.split(":")[:2]
        thing: Any = getattr(course, file.rpartition("/")[2][: -len(".py")])
        for name in path.split("."):
            names = vars(thing)
            similar = near(name, [key for key in names if callable(names[key])], True)
            thing = names.get(name)
            if thing is None:
                states[body] = similar[0] if similar else "missing"
                break
        else:
            states[body] = "empty" if does_nothing(thing) else "written"
    return states


def does_nothing(function: Any) -> bool:
    """Whether a function is no more than `pass`, or says that it is still to be written."""
    code = getattr(function, "__code__", None)
    steps = [] if code is None else [step for step in dis.get_instructions(code) if step.opname != "RESUME"]
    if steps and steps[0].argval in ("NotImplementedError", "NotImplemented"):
        return steps[-1].opname == "RAISE_VARARGS"
    loads_none = all(step.argval is None for step in steps if step.opcode in dis.hasconst)
    return bool(steps) and loads_none and {s.opname for s in steps} <= {"LOAD_CONST", "RETURN_VALUE", "RETURN_CONST"}


@exercise
def multiple_choice(course: Course) -> Values:
    return {name: getattr(course.mc, name)() for name in [f"question_{i}" for i in range(1, 6)]}


@exercise
def activation_forward(course: Course, name: np.ndarray, x: np.ndarray) -> Values:
    activation = getattr(course.activation, str(name))()
    return {"forward(x)": activation(x), "state": activation.state}


@exercise
def activation_derivative(course: Course, name: np.ndarray, x: np.ndarray) -> Values:
    activation = getattr(course.activation, str(name))()
    activation(x)
    return {"derivative()": activation.derivative()}


@exercise
def loss_forward(course: Course, x: np.ndarray, y: np.ndarray) -> Values:
    criterion = course.loss.SoftmaxCrossEntropy()
    return {"forward(x, y)": criterion(x, y)}


@exercise
def loss_derivative(course: Course, x: np.ndarray, y: np.ndarray) -> Values:
    criterion = course.loss.SoftmaxCrossEntropy()
    criterion(x, y)
    return {"derivative()": criterion.derivative()}


@exercise
def linear_forward(course: Course, W: np.ndarray, b: np.ndarray, x: np.ndarray) -> Values:
    linear = make_linear(course, W, b)
    return {"forward(x)": linear(x)}


@exercise
def linear_backward(course: Course, W: np.ndarray, b: np.ndarray, x: np.ndarray, delta: np.ndarray) -> Values:
    layer = make_linear(course, W, b)
    layer(x)
    dx = layer.backward(delta)
    return {"dW": layer.dW, "db": layer.db, "backward(delta)": dx}


@exercise
def mlp_forward(course: Course, x: np.ndarray, **network: np.ndarray) -> Values:
    mlp = make_mlp(course, network)
    return {"forward(x)": mlp(x)}


@exercise
def mlp_backward(course: Course, x: np.ndarray, y: np.ndarray, **network: np.ndarray) -> Values:
    mlp = make_mlp(course, network)
    mlp(x)
    mlp.backward(y)
    return gradients(mlp, network)


@exercise
def mlp_steps(course: Course, rows: np.ndarray, x: np.ndarray, y: np.ndarray, **network: np.ndarray) -> Values:
    """Train on consecutive batches of x, `rows` rows each; return the parameters after every step."""
    mlp = make_mlp(course, network)
    values = {}
    for step, (batch_x, batch_y) in enumerate(batches(rows, x, y), 1):
        train_on(mlp, batch_x, batch_y)
        values.update(parameters(mlp, network, step))
    return values


@exercise
def batchnorm_train(course: Course, x: np.ndarray, y: np.ndarray, **network: np.ndarray) -> Values:
    mlp = make_mlp(course, network)
    values = {"forward(x)": mlp(x), **kept(mlp, network, 1, "mean", "var"), **kept(mlp, network, len(x), "norm", "out")}
    mlp.backward(y)
    return {**values, **gradients(mlp, network)}


@exercise
def batchnorm_inference(
    course: Course, rows: np.ndarray, x: np.ndarray, y: np.ndarray, x_eval: np.ndarray, **network: np.ndarray
) -> Values:
    """Train on consecutive batches of x, then pass x_eval through in inference mode, twice."""
    mlp = make_mlp(course, network)
    for batch_x, batch_y in batches(rows, x, y):
        train_on(mlp, batch_x, batch_y)
    mlp.eval()
    values = {"forward(x)": copied(mlp(x_eval)), "forward(x) again": mlp(x_eval)}
    return {**values, **kept(mlp, network, 1, "running_mean", "running_var", "gamma", "beta")}


# The building blocks of the exercises.


def make_linear(course: Course, W: np.ndarray, b: np.ndarray) -> Any:
    return course.linear.Linear(W.shape[0], W.shape[1], lambda i, o: W.copy(), lambda o: b.copy())


def make_batchnorm(course: Course, gamma: np.ndarray, beta: np.ndarray) -> Any:
    layer = course.batchnorm.BatchNorm(gamma.shape[1])
    layer.gamma, layer.beta = gamma.copy(), beta.copy()
    return layer


def make_mlp(course: Course, network: dict[str, np.ndarray]) -> Any:
    """Construct the MLP that the arrays W0, b0, W1 … gamma0, beta0 … describe, and give it these parameters.

    W and b come from the init functions, as in the course's own tests; what those calls did not give is put in place.
    """
    weights, biases = numbered(network, "W"), numbered(network, "b")
    mlp = new_mlp(course, network, dealing(weights), dealing(biases))
    for i, (layer, W, b) in enumerate(zip(linear_layers(mlp, network), weights, biases)):
        if np.shape(layer.W) != W.shape:
            message = f"linear_layers[{i}].W has the shape {np.shape(layer.W)}, expected {W.shape}"
            raise NotBuilt(message, "linear_layers")
        if not np.array_equal(layer.W, W):
            layer.W = W.copy()
        if not np.array_equal(layer.b, b):
            layer.b = b.copy()
    for i, bn in enumerate(bn_layers(mlp, network)):
        bn.gamma, bn.beta = network[f"gamma{i}"].copy(), network[f"beta{i}"].copy()
    return mlp


def dealing(arrays: list[np.ndarray]) -> Callable[..., np.ndarray]:
    """An init function that gives out the arrays, each once, to calls with its sizes; zeros where none is left."""
    left = list(arrays)

    def init(*sizes: int) -> np.ndarray:
        fitting = [i for i, array in enumerate(left) if array.shape[-len(sizes) :] == sizes]
        return left.pop(fitting[0]).copy() if fitting else np.zeros((1, *sizes)[-2:])

    return init


def new_mlp(
    course: Course,
    network: dict[str, np.ndarray],
    weight_init_fn: Callable[[int, int], np.ndarray],
    bias_init_fn: Callable[[int], np.ndarray],
) -> Any:
    """Construct an MLP of the arrays' sizes, which has the parameters that the init functions return.

    The arguments that have a default are given where the arrays hold a momentum, and left out otherwise.
    """
    weights = numbered(network, "W")
    sizes = [weights[0].shape[0]] + [W.shape[1] for W in weights]
    bn = len(numbered(network, "gamma"))
    options: dict[str, Any] = {"num_bn_layers": bn} if bn else {}
    if "momentum" in network:
        options = {"momentum": float(network["momentum"]), "num_bn_layers": bn}
    activations = [make_activation(course, str(name)) for name in network["activations"]]
    criterion = course.loss.SoftmaxCrossEntropy()
    mlp = course.hw1.MLP(
        sizes[0],
        sizes[-1],
        sizes[1:-1],
        activations,
        weight_init_fn,
        bias_init_fn,
        criterion,
        float(network["lr"]),
        **options,
    )
    if course.built:
        course.built(mlp, activations, criterion)
    return mlp


def make_activation(course: Course, name: str) -> Any:
    return softsign(course.activation) if name == "Softsign" else getattr(course.activation, name)()


seen: dict[str, tuple[Any, Any]] = {}  # by attribute, the last network and its list: each should have its own


def linear_layers(mlp: Any, network: dict[str, np.ndarray]) -> list[Any]:
    """The linear layers of the network that the arrays describe; raise NotBuilt if it has others."""
    return _layers(mlp, "linear_layers", len(numbered(network, "W")), "W")


def bn_layers(mlp: Any, network: dict[str, np.ndarray]) -> list[Any]:
    """The batch norms of the network's first layers, as many as the arrays have gammas; all else there is not read."""
    count = len(numbered(network, "gamma"))
    return _layers(mlp, "bn_layers", count, "gamma") if count else []


def _layers(mlp: Any, attribute: str, count: int, parameter: str) -> list[Any]:
    given, name = getattr(mlp, attribute), f"MLP.{attribute}"
    owner, earlier = seen.get(attribute, (mlp, None))
    seen[attribute] = mlp, given
    if not hasattr(given, "__len__"):
        raise NotBuilt(f"{name} is {object_of(given)}, expected a list of {count}", attribute)
    shared = earlier is given and owner is not mlp
    length = len(given)
    if length < count or (length > count and (shared or attribute == "linear_layers")):
        why = ": it is the very list of an earlier network, so that layers pile up in it" if shared and length else ""
        has = f"has the length {length}" if length else "is empty"
        raise NotBuilt(f"{name} {has}, expected a list of {count}{why}", attribute)
    layers = [given[i] for i in range(count)]
    for i, layer in enumerate(layers):
        if not hasattr(layer, parameter):
            no = "" if layer is None or layer is ... or layer is NotImplemented else f", which has no {parameter}"
            raise NotBuilt(f"{name}[{i}] is {object_of(layer)}{no}", attribute)
    return layers


def numbered(network: dict[str, np.ndarray], letter: str) -> list[np.ndarray]:
    return [network[f"{letter}{i}"] for i in range(len(network)) if f"{letter}{i}" in network]


def train_on(mlp: Any, x: np.ndarray, y: np.ndarray) -> None:
    mlp.zero_grads()
    mlp(x)
    mlp.backward(y)
    mlp.step()


def batches(rows: np.ndarray, *arrays: np.ndarray) -> Any:
    """Yield consecutive batches of the arrays, rows[0] rows, then rows[1] rows …"""
    ends = np.cumsum(rows)
    return [tuple(array[end - n : end] for array in arrays) for n, end in zip(rows, ends)]


def parameters(mlp: Any, network: dict[str, np.ndarray], step: int) -> Values:
    return {
        str(Quantity("linear_layers", i, name, step)): np.copy(getattr(layer, name))
        for i, layer in enumerate(linear_layers(mlp, network))
        for name in BY_ATTRIBUTE["linear_layers"].parameters
    }


def gradients(mlp: Any, network: dict[str, np.ndarray]) -> Values:
    return {
        str(Quantity(attribute, i, name)): getattr(layer, name)
        for attribute, layers in (("linear_layers", linear_layers), ("bn_layers", bn_layers))
        for i, layer in enumerate(layers(mlp, network))
        for name in BY_ATTRIBUTE[attribute].gradients
    }


def downwards(values: Values) -> Values:
    """Gradients in the order in which backward computes them."""
    return dict(sorted(values.items(), key=lambda item: (-(quantity(item[0]).index or 0), quantity(item[0]).layer)))


def copied(value: Any) -> Any:
    """A copy of an array; what is none stays what it is."""
    return value.copy() if type(value) is np.ndarray else value


def kept(mlp: Any, network: dict[str, np.ndarray], rows: int, *names: str) -> Values:
    """What the batch norms keep under these names, `rows` rows each, where that is there and can be compared."""
    values = {}
    for i, bn in enumerate(bn_layers(mlp, network)):
        of_layer = kept_by(bn, (rows, network[f"gamma{i}"].shape[1]), *names)
        values.update({str(Quantity("bn_layers", i, name)): value for name, value in of_layer.items()})
    return values


def kept_by(layer: Any, shape: tuple[int, int], *names: str) -> Values:
    values = {}
    for name in names:
        try:
            value = getattr(layer, name)
        except Exception:  # what nobody has to keep may be kept in any way
            continue
        if type(value) is np.ndarray and value.shape[-1:] == shape[1:] and value.size == shape[0] * shape[1]:
            values[name] = value.reshape(shape).copy()
    return values
