"""Each problem's exercise as a few lines of Python, to be pasted and run in a debugger."""

from __future__ import annotations

import os
import re
import textwrap

from homework import cases
from homework.problems import Problem

GRADER = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

START = """
import sys
sys.path.insert(0, {grader!r})
from homework.cases import draw
del sys.path[0], sys.modules["homework"]
given = draw({key!r})  # {names}
"""

SOFTSIGN = """
sys.path.insert(0, {grader!r})
from child.softsign import softsign
del sys.path[0], sys.modules["child"]
"""

NETWORK = """
import activation, hw1, loss
mlp = hw1.MLP({sizes[0]}, {sizes[1]}, {sizes[2]}, [{activations}],
              lambda i, o: 0, lambda o: 0, loss.SoftmaxCrossEntropy(), {options})
"""

PARAMETERS = """
for i, layer in enumerate(mlp.linear_layers):
    layer.W, layer.b = given[f"W{i}"], given[f"b{i}"]
"""

PARAMETERS_BN = """
for i, bn in enumerate(mlp.bn_layers[:{bn}]):
    bn.gamma, bn.beta = given[f"gamma{i}"], given[f"beta{i}"]
"""

BATCHES = """
start = 0
for rows in given["rows"]:
    batch = slice(start, start + rows)
    mlp.zero_grads()
    mlp.forward(given["x"][batch])
    mlp.backward(given["y"][batch])
    mlp.step()
    start += rows
"""

EXERCISES = {
    "multiple_choice": """
        import mc
        print(mc.question_1(), mc.question_2(), mc.question_3(), mc.question_4(), mc.question_5())
    """,
    "activation_forward": """
        import activation
        act = activation.{name}()
        out = act.forward(given["x"])
        print(out, act.state, sep="\\n")
    """,
    "activation_derivative": """
        import activation
        act = activation.{name}()
        act.forward(given["x"])
        print(act.derivative())
    """,
    "loss_forward": """
        import loss
        print(loss.SoftmaxCrossEntropy().forward(given["x"], given["y"]))
    """,
    "loss_derivative": """
        import loss
        criterion = loss.SoftmaxCrossEntropy()
        criterion.forward(given["x"], given["y"])
        print(criterion.derivative())
    """,
    "linear_forward": """
        import linear
        layer = linear.Linear(*given["W"].shape, lambda i, o: given["W"], lambda o: given["b"])
        print(layer.forward(given["x"]))
    """,
    "linear_backward": """
        import linear
        layer = linear.Linear(*given["W"].shape, lambda i, o: given["W"], lambda o: given["b"])
        layer.forward(given["x"])
        dx = layer.backward(given["delta"])
        print(layer.dW, layer.db, dx, sep="\\n")
    """,
    "mlp_forward": """
        print(mlp.forward(given["x"]))
    """,
    "mlp_backward": """
        mlp.forward(given["x"])
        mlp.backward(given["y"])
        for layer in mlp.linear_layers:
            print(layer.dW, layer.db, sep="\\n")
    """,
    "mlp_steps": """
        for layer in mlp.linear_layers:
            print(layer.W, layer.b, sep="\\n")
    """,
    "batchnorm_train": """
        print(mlp.forward(given["x"]))
        mlp.backward(given["y"])
        for bn in mlp.bn_layers[:{bn}]:
            print(bn.dgamma, bn.dbeta, sep="\\n")
        for layer in mlp.linear_layers:
            print(layer.dW, layer.db, sep="\\n")
    """,
    "batchnorm_inference": """
        mlp.eval()
        print(mlp.forward(given["x_eval"]), mlp.forward(given["x_eval"]), sep="\\n")
    """,
}


def recipe(problem: Problem, root: str) -> str:
    """Return the exercise of a problem as a script that runs the code below the root folder on its inputs."""
    given = cases.draw(problem.key)
    paths = [os.path.join(os.path.abspath(root), name) for name in ("mytorch", "hw1")]
    start = START if given else "import sys\n"
    parts = [start.format(grader=GRADER, key=problem.key, names=", ".join(given))]
    parts.append(f"sys.path += {paths!r}")
    bn = sum(name.startswith("gamma") for name in given)
    if "activations" in given:
        weights = [given[f"W{i}"] for i in range(len(given["activations"]))]
        options = [f"{given['lr']:g}"]
        if "momentum" in given:
            options.append(f"momentum={given['momentum']:g}")
        if bn or "momentum" in given:
            options.append(f"num_bn_layers={bn}")
        names = [str(name) for name in given["activations"]]
        network = NETWORK.format(
            sizes=(len(weights[0]), weights[-1].shape[1], [W.shape[1] for W in weights[:-1]]),
            activations=", ".join("softsign(activation)" if n == "Softsign" else f"activation.{n}()" for n in names),
            options=", ".join(options),
        )
        if "Softsign" in names:
            parts.append(SOFTSIGN.format(grader=GRADER))
        zeros = "lambda i, o: np.zeros((i, o)), lambda o: np.zeros((1, o))"
        parts.append("import numpy as np" + network.replace("lambda i, o: 0, lambda o: 0", zeros))
        parts.append(PARAMETERS + (PARAMETERS_BN.lstrip("\n").replace("{bn}", str(bn)) if bn else ""))
    if "rows" in given:
        parts.append(BATCHES)
    exercise = textwrap.dedent(EXERCISES[problem.exercise])
    parts.append(exercise.replace("{name}", str(given.get("name"))).replace("{bn}", str(bn)))
    text = "\n".join(part.strip("\n") for part in parts) + "\n"
    return re.sub(r"(?m)^( .*\n)(?! )", r"\1\n", text)
