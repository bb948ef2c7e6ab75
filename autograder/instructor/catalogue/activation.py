"""Mistakes in the activations (writeup, section 3.1)."""

from __future__ import annotations

from catalogue.mistake import Mistake


def _activation(name: str, forward: str = "", derivative: str = "") -> dict[str, str]:
    code = {}
    if forward:
        code[f"{name}.forward"] = f"def forward(self, x):\n    {forward}\n    return self.state"
    if derivative:
        code[f"{name}.derivative"] = f"def derivative(self):\n    return {derivative}"
    return code


MISTAKES = (
    Mistake(
        "relu_in_place",
        "3.1.5",
        "ReLU.forward writes into the array that it is given: the layer before still needs those numbers",
        _activation("ReLU", "x[x < 0] = 0; self.state = x"),
        "relu_large",
    ),
    Mistake(
        "relu_derivative_in_state",
        "3.1.6",
        "ReLU.derivative writes into self.state: a second call reads what the first one left",
        {
            "ReLU.derivative": """
                def derivative(self):
                    self.state[self.state > 0] = 1
                    return self.state
            """
        },
        "relu_large",
    ),
    Mistake(
        "relu_derivative_bool",
        "3.1.6",
        "ReLU.derivative returns truth values: make them floating-point numbers",
        _activation("ReLU", derivative="self.state > 0"),
    ),
    Mistake(
        "relu_derivative_int",
        "3.1.6",
        "ReLU.derivative returns integers: make them floating-point numbers",
        _activation("ReLU", derivative="(self.state > 0).astype(int)"),
    ),
    Mistake(
        "relu_derivative_at_zero",
        "3.1.6",
        "ReLU's derivative is 0 where its input is 0: the condition there is strict",
        _activation("ReLU", derivative="(self.state >= 0).astype(float)"),
    ),
    Mistake(
        "relu_identity",
        "3.1.5",
        "ReLU.forward returns its input: negative entries should become 0",
        _activation("ReLU", "self.state = x.copy()"),
    ),
    Mistake(
        "relu_absolute",
        "3.1.5",
        "ReLU.forward takes the absolute value: negative entries should become 0",
        _activation("ReLU", "self.state = np.abs(x)"),
    ),
    Mistake(
        "sigmoid_derivative_twice",
        "3.1.2",
        "Sigmoid.derivative applies the sigmoid again: self.state already is S(z)",
        _activation("Sigmoid", derivative="(lambda s: s * (1 - s))(1 / (1 + np.exp(-self.state)))"),
    ),
    Mistake(
        "tanh_derivative_twice",
        "3.1.4",
        "Tanh.derivative applies tanh again: self.state already is tanh(z)",
        _activation("Tanh", derivative="1 - np.tanh(self.state) ** 2"),
    ),
    *(
        Mistake(
            f"{name.lower()}_state_is_input",
            "3.1",
            f"{name}.forward stores its input in self.state, not its output",
            {f"{name}.forward": f"def forward(self, x):\n    self.state = x\n    return {value}"},
        )
        for name, value in [("Sigmoid", "1 / (1 + np.exp(-x))"), ("Tanh", "np.tanh(x)"), ("ReLU", "np.maximum(x, 0)")]
    ),
    *(
        Mistake(
            f"{name.lower()}_state_not_set",
            "3.1",
            f"{name}.forward does not store its output in self.state",
            {f"{name}.forward": f"def forward(self, x):\n    return {value}"},
        )
        for name, value in [("Sigmoid", "1 / (1 + np.exp(-x))"), ("Tanh", "np.tanh(x)"), ("ReLU", "np.maximum(x, 0)")]
    ),
    Mistake(
        "sigmoid_sign",
        "3.1.1",
        "Sigmoid.forward comes out as 1 - S(z): look at the sign in the exponent",
        _activation("Sigmoid", "self.state = 1 / (1 + np.exp(x))"),
    ),
    Mistake(
        "sigmoid_derivative_no_product",
        "3.1.2",
        "Sigmoid.derivative is 1 - S(z): the factor S(z) is missing",
        _activation("Sigmoid", derivative="1 - self.state"),
    ),
    Mistake(
        "tanh_derivative_not_squared",
        "3.1.4",
        "Tanh.derivative is 1 - tanh(z): the square is missing",
        _activation("Tanh", derivative="1 - self.state"),
    ),
    Mistake(
        "tanh_derivative_sign",
        "3.1.4",
        "Tanh.derivative is tanh(z)^2 - 1: the signs are the other way round",
        _activation("Tanh", derivative="self.state ** 2 - 1"),
    ),
    Mistake(
        "tanh_raw",
        "3.1.3",
        "Tanh.forward takes raw exponentials, which overflow: numpy has a tanh of its own",
        _activation("Tanh", "p, m = np.exp(x), np.exp(-x); self.state = (p - m) / (p + m)"),
        "tanh_large",
    ),
    Mistake(
        "identity_derivative_zero",
        "3.1",
        "Identity.derivative is 0: the derivative of z is 1",
        _activation("Identity", derivative="0 * self.state"),
    ),
    Mistake(
        "sigmoid_twice",
        "3.1.1",
        "Sigmoid.forward applies the sigmoid twice",
        _activation("Sigmoid", "s = 1 / (1 + np.exp(-x)); self.state = 1 / (1 + np.exp(-s))"),
    ),
    Mistake(
        "sigmoid_brackets",
        "3.1.1",
        "Sigmoid.forward comes out as 1 + exp(-z): the division takes in the 1 alone, for want of brackets",
        _activation("Sigmoid", "self.state = 1 / 1 + np.exp(-x)"),
    ),
    Mistake(
        "sigmoid_derivative_of_tanh",
        "3.1.2",
        "Sigmoid.derivative is 1 - S(z)^2, which is the formula of tanh",
        _activation("Sigmoid", derivative="1 - self.state ** 2"),
    ),
    Mistake(
        "tanh_is_tan",
        "3.1.3",
        "Tanh.forward is the tangent, not the hyperbolic one",
        _activation("Tanh", "self.state = np.tan(x)"),
    ),
    Mistake(
        "tanh_brackets",
        "3.1.3",
        "Tanh.forward divides exp(-z) alone by the sum: the difference above the line wants brackets",
        _activation("Tanh", "self.state = np.exp(x) - np.exp(-x) / (np.exp(x) + np.exp(-x))"),
    ),
    Mistake(
        "tanh_derivative_square_alone",
        "3.1.4",
        "Tanh.derivative is tanh(z)^2: it is not subtracted from 1",
        _activation("Tanh", derivative="self.state ** 2"),
    ),
    Mistake(
        "tanh_derivative_of_sigmoid",
        "3.1.4",
        "Tanh.derivative is tanh(z) (1 - tanh(z)), which is the formula of the sigmoid",
        _activation("Tanh", derivative="self.state * (1 - self.state)"),
    ),
    Mistake(
        "relu_max",
        "3.1.5",
        "ReLU.forward takes the largest entry of each column: the second argument of np.max is an axis",
        _activation("ReLU", "self.state = np.max(x, 0)"),
    ),
    Mistake(
        "relu_derivative_min",
        "3.1.6",
        "ReLU.derivative is the state cut off at 1: it is 1 wherever the state is positive",
        _activation("ReLU", derivative="np.minimum(self.state, 1)"),
    ),
    Mistake(
        "relu_derivative_is_state",
        "3.1.6",
        "ReLU.derivative returns the state itself: it is 1 wherever the state is positive",
        _activation("ReLU", derivative="self.state.copy()"),
    ),
    Mistake(
        "relu_derivative_float64",
        "3.1.6",
        "ReLU.derivative is float64 whatever its input is, and turns a float32 network",
        _activation("ReLU", derivative="(self.state > 0).astype(float)"),
        "mlp_dtype",
    ),
)
