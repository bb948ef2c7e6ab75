"""Mistakes in the network (writeup, section 3.5)."""

from __future__ import annotations

from catalogue.mistake import PLAIN, Mistake, indented


def mlp_forward(layer: str, after: str = "self.output = x\n    return x") -> dict[str, str]:
    """A wrong loop over the layers; `layer` is its body, in terms of i, linear, activation and x."""
    return {
        "MLP.forward": f"def forward(self, x):\n    inputs = x\n    for i in range(self.nlayers):\n"
        f"        linear, activation = self.linear_layers[i], self.activations[i]\n{indented(layer, 8)}\n    {after}"
    }


def mlp_backward(layer: str, start: str = "self.criterion.derivative()") -> dict[str, str]:
    """A wrong loop backward; `layer` is its body, in terms of i, linear, activation and delta."""
    return {
        "MLP.backward": f"def backward(self, labels):\n    self.criterion(self.output, labels)\n    delta = {start}\n"
        f"    for i in reversed(range(self.nlayers)):\n"
        f"        linear, activation = self.linear_layers[i], self.activations[i]\n{indented(layer, 8)}"
    }


def step(linear: str, bn: str = "p -= self.lr * g") -> dict[str, str]:
    """A wrong update of one parameter p with gradient g and velocity v (lines), and of batch norm's p with g."""
    return {
        "MLP.step": "def step(self):\n    for layer in self.linear_layers:\n"
        "        for p, g, v in [(layer.W, layer.dW, layer.momentum_W), (layer.b, layer.db, layer.momentum_b)]:\n"
        f"{indented(linear, 12)}\n    for bn in self.bn_layers:\n"
        f"        for p, g in [(bn.gamma, bn.dgamma), (bn.beta, bn.dbeta)]:\n            {bn}"
    }


BATCH_NORM = "if i < self.num_bn_layers:\n    x = self.bn_layers[i](x, not self.train_mode)"
BATCH_NORM_BACK = "if i < self.num_bn_layers:\n    delta = self.bn_layers[i].backward(delta)"
STEP = "v *= self.momentum\nv -= self.lr * g\np += v"

MISTAKES = (
    Mistake(
        "layers_built_twice",
        "3.5",
        "the layers are built twice: every init function is called twice as often, and all weights differ",
        {
            "MLP.__init__": """
                def __init__(self, *args, _init=MLP.__init__, **kwargs):
                    _init(self, *args, **kwargs)
                    _init(self, *args, **kwargs)
            """
        },
        "mlp_init",
    ),
    Mistake(
        "generator_seeded_anew",
        "3.5",
        "the constructor seeds numpy's generator: two networks built in a row get the same weights",
        {
            "MLP.__init__": """
                def __init__(self, *args, _init=MLP.__init__, **kwargs):
                    np.random.seed(0)
                    _init(self, *args, **kwargs)
            """
        },
        "mlp_init",
    ),
    Mistake(
        "derivative_skipped",
        "3.5.2",
        "the activations' derivatives are left out of MLP.backward",
        mlp_backward(f"{BATCH_NORM_BACK}\ndelta = linear.backward(delta)"),
    ),
    Mistake(
        "hidden_derivative_skipped",
        "3.5.2",
        "only the output layer's activation takes part in MLP.backward: the hidden layers' derivatives are left out",
        mlp_backward(
            f"if i == self.nlayers - 1:\n    delta = delta * activation.derivative()\n"
            f"{BATCH_NORM_BACK}\ndelta = linear.backward(delta)"
        ),
    ),
    Mistake(
        "derivative_matrix_product",
        "3.5.2",
        "delta and the activation's derivative are multiplied as matrices: the chain rule goes entry by entry",
        mlp_backward(f"delta = delta @ activation.derivative()\n{BATCH_NORM_BACK}\ndelta = linear.backward(delta)"),
    ),
    Mistake(
        "derivative_of_layer_below",
        "3.5.2",
        "MLP.backward takes each activation's derivative after the linear layer, not before it",
        mlp_backward(
            f"{BATCH_NORM_BACK}\ndelta = linear.backward(delta)\n"
            "if i:\n    delta = delta * self.activations[i - 1].derivative() ** 2"
        ),
    ),
    Mistake(
        "first_activation_everywhere",
        "3.5.2",
        "the first activation serves every layer: activations[i] belongs to layer i",
        {
            **mlp_forward(f"x = linear(x)\n{BATCH_NORM}\nx = self.activations[0](x)"),
            **mlp_backward(
                f"delta = delta * self.activations[0].derivative()\n{BATCH_NORM_BACK}\ndelta = linear.backward(delta)"
            ),
        },
    ),
    Mistake(
        "first_derivative_everywhere",
        "3.5.2",
        "MLP.backward takes the first layer's activation for every layer's derivative",
        mlp_backward(
            "d = self.activations[0].derivative()\n"
            "delta = delta * (d if d.shape == delta.shape else activation.derivative())\n"
            f"{BATCH_NORM_BACK}\ndelta = linear.backward(delta)"
        ),
    ),
    Mistake(
        "last_activation_skipped",
        "3.5.2",
        "the output layer's activation is left out of MLP.forward",
        mlp_forward(
            f"x = linear(x)\n{BATCH_NORM}\nif i < self.nlayers - 1:\n    x = activation(x)\nelse:\n    activation(x)"
        ),
    ),
    Mistake(
        "hidden_activation_skipped",
        "3.5.2",
        "the hidden layers' activations are left out of MLP.forward",
        mlp_forward(f"x = linear(x)\n{BATCH_NORM}\ny = activation(x)\nif i == self.nlayers - 1:\n    x = y"),
    ),
    Mistake(
        "softmax_in_forward",
        "3.5.1",
        "MLP.forward returns probabilities (its rows sum to 1): the criterion takes the softmax, the network does not",
        mlp_forward(
            f"x = linear(x)\n{BATCH_NORM}\nx = activation(x)",
            "e = np.exp(x - x.max(axis=1, keepdims=True))\n    self.output = e / e.sum(axis=1, keepdims=True)\n"
            "    return self.output",
        ),
    ),
    Mistake(
        "forward_never_advances",
        "3.5.2",
        "every layer is given the network's input: each should take what the layer before returned",
        mlp_forward("x = activation(linear(inputs))"),
    ),
    Mistake(
        "backward_wrong_order",
        "3.5.2",
        "MLP.backward goes through the layers from the first to the last: it should go from the last to the first",
        {
            "MLP.backward": """
                def backward(self, labels):
                    self.criterion(self.output, labels)
                    delta = self.criterion.derivative()
                    for linear, activation in zip(self.linear_layers, self.activations):
                        delta = linear.backward(delta * activation.derivative())
            """
        },
    ),
    Mistake(
        "backward_activation_below",
        "3.5.2",
        "MLP.backward multiplies by the derivative of another layer's activation: activations[i] belongs to layer i",
        mlp_backward(
            "delta = delta * self.activations[i - 1].derivative()\n"
            + BATCH_NORM_BACK
            + "\ndelta = linear.backward(delta)"
        ),
    ),
    Mistake(
        "backward_last_layer_only",
        "3.5.2",
        "MLP.backward stops at the output layer: the layers below get no gradient",
        mlp_backward("delta = linear.backward(delta * activation.derivative())\nbreak"),
    ),
    Mistake(
        "forward_returns_early",
        "3.5.2",
        "MLP.forward returns what the first layer gives: its return stands inside the loop",
        mlp_forward(f"x = linear(x)\n{BATCH_NORM}\nx = activation(x)\nself.output = x\nreturn x"),
    ),
    Mistake(
        "activation_before_linear",
        "3.5.2",
        "MLP.forward applies each activation before its linear layer: it comes after it",
        {
            **mlp_forward(f"x = activation(x)\nx = linear(x)\n{BATCH_NORM}"),
            **mlp_backward(
                f"{BATCH_NORM_BACK}\ndelta = linear.backward(delta)\ndelta = delta * activation.derivative()"
            ),
        },
    ),
    Mistake(
        "forward_activation_below",
        "3.5.2",
        "MLP.forward applies the activation of the layer below: activations[i] belongs to layer i",
        mlp_forward(f"x = linear(x)\n{BATCH_NORM}\nx = self.activations[i - 1](x)"),
    ),
    Mistake(
        "criterion_swapped",
        "3.5.2",
        "MLP.backward calls the criterion with labels and output the wrong way round",
        {
            "MLP.backward": PLAIN["MLP.backward"].replace(
                "self.criterion(self.output, labels)", "self.criterion(labels, self.output)"
            )
        },
    ),
    Mistake(
        "backward_without_softmax",
        "3.5.2",
        "MLP.backward starts from output minus labels: the criterion's derivative has the softmax of the output there",
        mlp_backward(
            f"delta = delta * activation.derivative()\n{BATCH_NORM_BACK}\ndelta = linear.backward(delta)",
            "self.output - labels",
        ),
    ),
    Mistake(
        "delta_averaged_in_network",
        "3.5.2",
        "MLP.backward divides the criterion's derivative by the batch: Linear.backward averages, nothing else does",
        mlp_backward(
            f"delta = delta * activation.derivative()\n{BATCH_NORM_BACK}\ndelta = linear.backward(delta)",
            "self.criterion.derivative() / len(labels)",
        ),
    ),
    Mistake(
        "backward_skips_first_layer",
        "3.5.2",
        "MLP.backward ends before the first layer, which gets no gradient",
        mlp_backward(
            "if i == 0:\n    break\ndelta = delta * activation.derivative()\n"
            f"{BATCH_NORM_BACK}\ndelta = linear.backward(delta)"
        ),
    ),
    Mistake(
        "lists_reversed",
        "3.5.2",
        "MLP.backward reverses the network's own list of layers: it stays reversed afterwards",
        {
            "MLP.backward": """
                def backward(self, labels):
                    self.criterion(self.output, labels)
                    delta = self.criterion.derivative()
                    self.linear_layers.reverse()
                    self.activations.reverse()
                    for k, linear in enumerate(self.linear_layers):
                        delta = delta * self.activations[k].derivative()
                        i = self.nlayers - 1 - k
                        if i < self.num_bn_layers:
                            delta = self.bn_layers[i].backward(delta)
                        delta = linear.backward(delta)
            """
        },
    ),
    Mistake(
        "zero_grads_clears_weights",
        "3.5.1",
        "MLP.zero_grads sets the parameters themselves to zero, not their gradients",
        {
            "MLP.zero_grads": """
                def zero_grads(self):
                    for layer in self.linear_layers:
                        layer.W.fill(0)
                        layer.b.fill(0)
            """
        },
    ),
    Mistake(
        "step_replaces",
        "3.5.1",
        "MLP.step puts the velocity in the parameter's place: it is to be added to it",
        step("v *= self.momentum\nv -= self.lr * g\np[...] = v"),
    ),
    Mistake(
        "step_last_layer_only",
        "3.5.2",
        "MLP.step updates the last layer only",
        {
            "MLP.step": """
                def step(self):
                    for layer in self.linear_layers[-1:]:
                        layer.momentum_W = self.momentum * layer.momentum_W - self.lr * layer.dW
                        layer.momentum_b = self.momentum * layer.momentum_b - self.lr * layer.db
                        layer.W = layer.W + layer.momentum_W
                        layer.b = layer.b + layer.momentum_b
            """
        },
    ),
    Mistake(
        "step_adds",
        "3.5.1",
        "MLP.step moves up the gradient: the step is minus lr times the gradient",
        step("v *= self.momentum\nv += self.lr * g\np += v", "p += self.lr * g"),
    ),
    Mistake(
        "step_without_lr",
        "3.5.1",
        "MLP.step leaves out the learning rate",
        step("v *= self.momentum\nv -= g\np += v", "p -= g"),
    ),
    Mistake(
        "step_first_layer_only",
        "3.5.2",
        "MLP.step updates one layer only",
        {
            "MLP.step": "def step(self):\n    layer = self.linear_layers[0]\n"
            "    layer.W -= self.lr * layer.dW\n    layer.b -= self.lr * layer.db"
        },
    ),
    Mistake(
        "step_skips_bias",
        "3.5.1",
        "MLP.step updates W only: b is a parameter as well",
        step("if p.shape[0] > 1:\n    v *= self.momentum\n    v -= self.lr * g\n    p += v"),
    ),
    Mistake(
        "momentum_averaging",
        "3.5.3",
        "the gradient is weighted by 1 - momentum: the writeup's velocity is a sum, not an average",
        step("v *= self.momentum\nv -= (1 - self.momentum) * self.lr * g\np += v"),
    ),
    Mistake(
        "momentum_ignored",
        "3.5.3",
        "the velocity of the last step is lost: momentum is not used, or the velocity is not stored, or it is cleared "
        "(zero_grads sets gradients to zero, not velocities)",
        step("p -= self.lr * g"),
    ),
    Mistake(
        "velocity_not_kept",
        "3.5.3",
        "the velocity of the last step is lost: momentum is not used, or the velocity is not stored, or it is cleared "
        "(zero_grads sets gradients to zero, not velocities)",
        step("v = self.momentum * v - self.lr * g\np += v"),
    ),
    Mistake(
        "velocity_cleared",
        "3.5.3",
        "MLP.zero_grads clears the velocities as well: only gradients are to be zero",
        {
            "MLP.zero_grads": """
                def zero_grads(self):
                    for layer in self.linear_layers:
                        for array in (layer.dW, layer.db, layer.momentum_W, layer.momentum_b):
                            array.fill(0)
                    for bn in self.bn_layers:
                        bn.dgamma.fill(0)
                        bn.dbeta.fill(0)
            """
        },
    ),
    Mistake(
        "momentum_nesterov",
        "3.5.3",
        "the step looks ahead, which is Nesterov's momentum: the writeup adds the velocity alone",
        step("v *= self.momentum\nv -= self.lr * g\np += self.momentum * v - self.lr * g"),
    ),
    Mistake(
        "momentum_weights_only",
        "3.5.3",
        "only W has momentum: b has a velocity too",
        step("v *= self.momentum if p.shape[0] > 1 else 0\nv -= self.lr * g\np += v"),
    ),
    Mistake(
        "momentum_after",
        "3.5.3",
        "the parameters move by the velocity before it takes in the new gradient",
        step("p += v\nv *= self.momentum\nv -= self.lr * g"),
    ),
    Mistake(
        "momentum_twice_lr",
        "3.5.3",
        "the velocity is multiplied by the learning rate a second time",
        step("v *= self.momentum\nv -= self.lr * g\np += self.lr * v", "p -= self.lr * g"),
    ),
    Mistake(
        "zero_grads_skips_batchnorm",
        "3.5",
        "MLP.zero_grads skips the batch norm layers",
        {
            "MLP.zero_grads": """
                def zero_grads(self):
                    for layer in self.linear_layers:
                        layer.dW.fill(0)
                        layer.db.fill(0)
            """
        },
        "mlp_zero_grads",
    ),
    Mistake(
        "zero_grads_skips_a_layer",
        "3.5",
        "MLP.zero_grads skips some layers",
        {
            "MLP.zero_grads": """
                def zero_grads(self):
                    for layer in self.linear_layers[1:]:
                        layer.dW.fill(0)
                        layer.db.fill(0)
                    for bn in self.bn_layers:
                        bn.dgamma.fill(0)
                        bn.dbeta.fill(0)
            """
        },
        "mlp_zero_grads",
    ),
    Mistake(
        "not_implemented_left",
        "3.5.1",
        "NotImplemented is no exception (NotImplementedError is), and the body is still to be written",
        {"MLP.step": "def step(self):\n    raise NotImplemented"},
    ),
    Mistake(
        "output_not_kept",
        "3.5",
        "error and total_loss read an attribute that forward never sets",
        {
            "MLP.error": """
                def error(self, labels):
                    return (self.outputs.argmax(axis=1) != labels.argmax(axis=1)).sum()
            """
        },
        "mlp_figures",
    ),
)
