"""What every exercise should return, by PyTorch's own layers and autograd.

It shares no code with what it judges: it imports torch, and the grader's tables of inputs and of rules, but
neither `mytorch` nor `hw1`.
"""

from __future__ import annotations

import hashlib
from functools import partial
from typing import Any, Callable

import numpy as np
import torch
import torch.nn.functional as F

from grading import training_rules
from homework import cases

Arrays = dict[str, np.ndarray]
ALPHA, EPS = 0.9, 1e-8  # of batch norm (writeup, appendix C)
ANSWERS = "baaac"  # of the multiple-choice questions; only a digest of them is stored

FUNCTIONS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "Sigmoid": torch.sigmoid,
    "Tanh": torch.tanh,
    "ReLU": torch.relu,
    "Softsign": F.softsign,
    "Identity": lambda z: z,
}


def expected(exercise: str, inputs: Arrays) -> dict[str, Any]:
    """Return the named values that the exercise should give for these inputs."""
    return ORACLES[exercise](**inputs)


def reference() -> Arrays:
    """Return the whole reference: `key/in/name` and `key/out/name` for every case, and the digest of the answers."""
    arrays = {}
    for key, (exercise, _) in cases.CASES.items():
        inputs = cases.draw(key)
        for name, value in inputs.items():
            arrays[f"{key}/in/{name}"] = np.asarray(value, order="C")
        for name, value in expected(exercise, {name: value.copy() for name, value in inputs.items()}).items():
            arrays[f"{key}/out/{name}"] = np.asarray(value, order="C")
    return arrays


# ---------------------------------------------------------------- PyTorch's side


def leaf(array: np.ndarray) -> torch.Tensor:
    return torch.tensor(array, requires_grad=True)


def numpy(tensor: torch.Tensor) -> np.ndarray:
    return tensor.detach().numpy().copy()


def cross_entropy(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """The loss of every row, (N,)."""
    return -(labels * F.log_softmax(logits, dim=1)).sum(dim=1)


class Network:
    """The exercise's network in torch: parameters as leaves, batch norm by F.batch_norm, steps by torch.optim.SGD."""

    def __init__(self, arrays: Arrays) -> None:
        depth = len(arrays["activations"])
        self.W = [leaf(arrays[f"W{k}"]) for k in range(depth)]
        self.b = [leaf(arrays[f"b{k}"]) for k in range(depth)]
        self.bn_depth = sum(f"gamma{k}" in arrays for k in range(depth))
        self.gamma = [leaf(arrays[f"gamma{k}"]) for k in range(self.bn_depth)]
        self.beta = [leaf(arrays[f"beta{k}"]) for k in range(self.bn_depth)]
        self.running_mean = [torch.zeros_like(gamma).detach() for gamma in self.gamma]
        self.running_var = [torch.ones_like(gamma).detach() for gamma in self.gamma]
        self.activations = [FUNCTIONS[str(name)] for name in arrays["activations"]]
        lr = float(arrays["lr"])
        self.optimisers = [torch.optim.SGD(self.W + self.b, lr=lr, momentum=float(arrays.get("momentum", 0)))]
        if self.bn_depth:
            self.optimisers.append(torch.optim.SGD(self.gamma + self.beta, lr=lr))
        self.seen: dict[str, torch.Tensor] = {}

    def forward(self, x: np.ndarray, training: bool = True) -> torch.Tensor:
        z = torch.tensor(x)
        for k, (W, b, activation) in enumerate(zip(self.W, self.b, self.activations)):
            z = F.linear(z, W.T, b[0])
            if k < self.bn_depth:
                z = self.batch_norm(k, z, training)
            z = activation(z)
        return z

    def batch_norm(self, k: int, z: torch.Tensor, training: bool) -> torch.Tensor:
        gamma, beta = self.gamma[k][0], self.beta[k][0]
        if not training:
            return F.batch_norm(z, self.running_mean[k][0], self.running_var[k][0], gamma, beta, False, 0, EPS)
        out = F.batch_norm(z, None, None, gamma, beta, True, 0, EPS)
        mean, var = z.mean(dim=0, keepdim=True), z.var(dim=0, unbiased=False, keepdim=True)
        self.running_mean[k] = ALPHA * self.running_mean[k] + (1 - ALPHA) * mean.detach()
        self.running_var[k] = ALPHA * self.running_var[k] + (1 - ALPHA) * var.detach()
        norm = F.batch_norm(z, None, None, None, None, True, 0, EPS)
        for name, value in [("mean", mean), ("var", var), ("norm", norm), ("out", out)]:
            self.seen[f"bn_layers[{k}].{name}"] = value.detach()
        return out

    def backward(self, output: torch.Tensor, y: np.ndarray) -> None:
        """Gradients of the summed loss; those of W and b are then averaged over the batch, as the course does."""
        for optimiser in self.optimisers:
            optimiser.zero_grad()
        cross_entropy(output, torch.tensor(y)).sum().backward()
        for parameter in self.W + self.b:
            assert parameter.grad is not None
            parameter.grad /= len(y)

    def gradients(self) -> Arrays:
        named = [(f"linear_layers[{k}].d{letter}", p) for letter in "Wb" for k, p in enumerate(getattr(self, letter))]
        named += [
            (f"bn_layers[{k}].d{name}", p) for name in ("gamma", "beta") for k, p in enumerate(getattr(self, name))
        ]
        return {name: p.grad.numpy().copy() for name, p in named if p.grad is not None}

    def train_on(self, x: np.ndarray, y: np.ndarray) -> None:
        self.backward(self.forward(x), y)
        for optimiser in self.optimisers:
            optimiser.step()


def split(rows: np.ndarray, *arrays: np.ndarray) -> Any:
    return zip(*(np.split(array, np.cumsum(rows)[:-1]) for array in arrays))


# ---------------------------------------------------------------- the problems


def multiple_choice() -> dict[str, Any]:
    return {"digest": hashlib.sha256(ANSWERS.encode()).hexdigest()}


def activation(name: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The function's value and its derivative by autograd."""
    z = leaf(x)
    out = FUNCTIONS[str(name)](z)
    out.sum().backward()
    assert z.grad is not None
    return numpy(out), numpy(z.grad)


def activation_forward(name: np.ndarray, x: np.ndarray) -> dict[str, Any]:
    return dict.fromkeys(["forward(x)", "state"], activation(name, x)[0])


def activation_derivative(name: np.ndarray, x: np.ndarray) -> dict[str, Any]:
    return {"derivative()": activation(name, x)[1]}


def loss_forward(x: np.ndarray, y: np.ndarray) -> dict[str, Any]:
    return {"forward(x, y)": numpy(cross_entropy(torch.tensor(x), torch.tensor(y)))}


def loss_derivative(x: np.ndarray, y: np.ndarray) -> dict[str, Any]:
    """softmax(x) - y, which for one-hot labels is also what autograd finds."""
    derivative = torch.softmax(torch.tensor(x), dim=1) - torch.tensor(y)
    if np.array_equal(y.sum(axis=1), np.ones(len(y))):
        logits = leaf(x)
        cross_entropy(logits, torch.tensor(y)).sum().backward()
        assert logits.grad is not None
        assert torch.allclose(logits.grad, derivative, rtol=1e-12, atol=1e-14)
    return {"derivative()": numpy(derivative)}


def linear_forward(W: np.ndarray, b: np.ndarray, x: np.ndarray) -> dict[str, Any]:
    return {"forward(x)": numpy(F.linear(torch.tensor(x), torch.tensor(W).T, torch.tensor(b)[0]))}


def linear_backward(W: np.ndarray, b: np.ndarray, x: np.ndarray, delta: np.ndarray) -> dict[str, Any]:
    tensors = [leaf(array) for array in (W, b, x)]
    out = F.linear(tensors[2], tensors[0].T, tensors[1][0])
    dW, db, dx = torch.autograd.grad(out, tensors, torch.tensor(delta))
    return {"dW": numpy(dW) / len(x), "db": numpy(db) / len(x), "backward(delta)": numpy(dx)}


def mlp_forward(x: np.ndarray, **network: np.ndarray) -> dict[str, Any]:
    return {"forward(x)": numpy(Network(network).forward(x))}


def mlp_backward(x: np.ndarray, y: np.ndarray, **network: np.ndarray) -> dict[str, Any]:
    net = Network(network)
    net.backward(net.forward(x), y)
    return net.gradients()


def mlp_steps(rows: np.ndarray, x: np.ndarray, y: np.ndarray, **network: np.ndarray) -> dict[str, Any]:
    net, values = Network(network), {}
    for step, (batch_x, batch_y) in enumerate(split(rows, x, y), 1):
        net.train_on(batch_x, batch_y)
        for k in range(len(net.W)):
            values[f"linear_layers[{k}].W after step {step}"] = numpy(net.W[k])
            values[f"linear_layers[{k}].b after step {step}"] = numpy(net.b[k])
    return values


def batchnorm_train(x: np.ndarray, y: np.ndarray, **network: np.ndarray) -> dict[str, Any]:
    net = Network(network)
    output = net.forward(x)
    net.backward(output, y)
    seen = {name: numpy(value) for name, value in net.seen.items()}
    return {"forward(x)": numpy(output), **seen, **net.gradients()}


def batchnorm_inference(
    rows: np.ndarray, x: np.ndarray, y: np.ndarray, x_eval: np.ndarray, **network: np.ndarray
) -> dict[str, Any]:
    net = Network(network)
    for batch_x, batch_y in split(rows, x, y):
        net.train_on(batch_x, batch_y)
    values = dict.fromkeys(["forward(x)", "forward(x) again"], numpy(net.forward(x_eval, training=False)))
    for k in range(net.bn_depth):
        for name in ("running_mean", "running_var", "gamma", "beta"):
            values[f"bn_layers[{k}].{name}"] = numpy(getattr(net, name)[k])
    return values


# ---------------------------------------------------------------- what no problem looks at


def probe_activation(name: np.ndarray, x: np.ndarray) -> dict[str, Any]:
    out, derivative = activation(name, x)
    return {"forward(x)": out, "derivative()": derivative, "changed": ""}


def probe_loss(x: np.ndarray, y: np.ndarray) -> dict[str, Any]:
    return {**loss_forward(x, y), **loss_derivative(x, y), "changed": ""}


def probe_batchnorm(x: np.ndarray, delta: np.ndarray, gamma: np.ndarray, beta: np.ndarray) -> dict[str, Any]:
    tensors = z, scale, shift = [leaf(array) for array in (x, gamma, beta)]
    out = F.batch_norm(z, None, None, scale[0], shift[0], True, 0, EPS)
    dx, dgamma, dbeta = torch.autograd.grad(out, tensors, torch.tensor(delta))
    norm = F.batch_norm(z, None, None, None, None, True, 0, EPS)
    values = {"forward(x)": numpy(out), "backward(delta)": numpy(dx), "dgamma": numpy(dgamma), "dbeta": numpy(dbeta)}
    return {**values, "mean": x.mean(axis=0, keepdims=True), "var": x.var(axis=0, keepdims=True), "norm": numpy(norm)}


def probe_batchnorm_eval(
    x: np.ndarray, x_eval: np.ndarray, gamma: np.ndarray, beta: np.ndarray, calls: np.ndarray
) -> dict[str, Any]:
    kept = ALPHA ** int(calls)
    mean, var = (1 - kept) * x.mean(axis=0), kept + (1 - kept) * x.var(axis=0)
    z, m, v, scale, shift = (torch.tensor(array) for array in (x_eval, mean, var, gamma[0], beta[0]))
    out = numpy(F.batch_norm(z, m, v, scale, shift, False, 0, EPS))
    values = dict.fromkeys(["forward(x, eval=True)", "forward(x, eval=True) again"], out)
    return {**values, "running_mean": mean[np.newaxis], "running_var": var[np.newaxis]}


def probe_mlp_init(**network: np.ndarray) -> dict[str, Any]:
    shapes = [network[f"W{k}"].shape for k in range(len(network["activations"]))]
    return {
        "weight_init_fn calls": np.array(shapes, np.int64),
        "bias_init_fn calls": np.array([o for _, o in shapes], np.int64),
        "NumPy's generator": "",
    }


def probe_mlp_hiddens(**network: np.ndarray) -> dict[str, Any]:
    return {"hiddens afterwards": np.array([network[f"b{k}"].size for k in range(len(network["activations"]) - 1)])}


def probe_mlp_figures(x: np.ndarray, y: np.ndarray, **network: np.ndarray) -> dict[str, Any]:
    output = Network(network).forward(x)
    labels = torch.tensor(y)
    wrong = (output.argmax(dim=1) != labels.argmax(dim=1)).sum()
    loss = cross_entropy(output, labels).sum().detach()
    return {"error(labels)": int(wrong), "total_loss(labels)": float(loss)}


def unchanged(names: list[str], **_: np.ndarray) -> dict[str, Any]:
    return dict.fromkeys(names, "")


def training_log(**_: np.ndarray) -> dict[str, Any]:
    """Nothing is wrong by any rule."""
    return dict.fromkeys(training_rules.RULES, "")


# What the probes say of change: nothing.
UNCHANGED = {
    "probe_linear_arguments": ["changed"],
    "probe_batchnorm_arguments": ["changed"],
    "probe_linear_twice": ["after a second call"],
    "probe_batchnorm_twice": ["after a second call"],
    "probe_mlp_twice": ["after a second call", "changed"],
    "probe_mlp_plain_steps": ["the first that does not"],
    "probe_mlp_zero_grads": ["left behind"],
    "probe_mlp_dtype": ["the first that turns"],
}
ORACLES: dict[str, Callable[..., dict[str, Any]]] = {
    **{name: globals()[name] for name in {exercise for exercise, _ in cases.CASES.values()} & set(globals())},
    **{name: partial(unchanged, names) for name, names in UNCHANGED.items()},
}
