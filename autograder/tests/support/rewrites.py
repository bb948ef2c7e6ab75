"""Harmless rewrites of the solution's bodies: there is more than one right way."""

from __future__ import annotations

import textwrap


def activation(name: str, forward: str, derivative: str = "") -> dict[str, str]:
    code = {f"{name}.forward": f"def forward(self, x):\n    self.state = {forward}\n    return self.state"}
    if derivative:
        code[f"{name}.derivative"] = f"def derivative(self):\n    return {derivative}"
    return code


def loss(lines: str, derivative: str = "") -> dict[str, str]:
    body = textwrap.indent(textwrap.dedent(lines).strip(), "    ")
    code = {
        "SoftmaxCrossEntropy.forward": f"def forward(self, x, y):\n    self.logits, self.labels = x, y\n{body}\n"
        "    return self.loss"
    }
    if derivative:
        code["SoftmaxCrossEntropy.derivative"] = f"def derivative(self):\n    return {derivative}"
    return code


REWRITES: dict[str, dict[str, str]] = {
    "sigmoid by tanh": activation("Sigmoid", "0.5 * (1 + np.tanh(x / 2)).astype(x.dtype)"),
    "sigmoid by logaddexp": activation("Sigmoid", "np.exp(-np.logaddexp(0, -x)).astype(x.dtype)"),
    "sigmoid by masks": {
        "Sigmoid.forward": """
            def forward(self, x):
                self.state = np.empty_like(x)
                positive = x >= 0
                self.state[positive] = 1 / (1 + np.exp(-x[positive]))
                self.state[~positive] = np.exp(x[~positive]) / (1 + np.exp(x[~positive]))
                return self.state
        """
    },
    "sigmoid's derivative expanded": activation(
        "Sigmoid", "np.exp(-np.logaddexp(0, -x))", "self.state - self.state**2"
    ),
    "tanh by sigmoid": activation("Tanh", "2 * (0.5 * (1 + np.tanh(x))) - 1", "(1 - self.state) * (1 + self.state)"),
    "tanh by expm1": activation(
        "Tanh", "np.sign(x) * -np.expm1(-2 * np.abs(x)) / (2 + np.expm1(-2 * np.abs(x)))", "1.0 - np.square(self.state)"
    ),
    "relu by a product": activation(
        "ReLU", "x * (x > 0)", "np.where(self.state > 0, 1.0, 0.0).astype(self.state.dtype)"
    ),
    "relu by where": activation("ReLU", "np.where(x > 0, x, np.zeros_like(x))", "np.sign(self.state)"),
    "relu by clip": activation("ReLU", "np.clip(x, 0, None)", "np.heaviside(self.state, 0)"),
    "relu by absolute values": activation("ReLU", "(x + np.abs(x)) / 2"),
    "float noise": activation("Sigmoid", "np.exp(-np.logaddexp(0, -x)) * (1 + 1e-13)"),
    "log-sum-exp by logaddexp": loss(
        """
        log_sum = np.logaddexp.reduce(x, axis=1, keepdims=True)
        self.softmax = np.exp(x - log_sum)
        self.loss = (y * (log_sum - x)).sum(axis=1)
        """
    ),
    "cross entropy row by row": loss(
        """
        self.softmax, self.loss = np.zeros_like(x), np.zeros(len(x), x.dtype)
        for i, row in enumerate(x):
            shifted = row - max(row)
            self.softmax[i] = np.exp(shifted) / sum(np.exp(shifted))
            self.loss[i] = -np.dot(y[i], shifted - np.log(sum(np.exp(shifted))))
        """
    ),
    "cross entropy by einsum": loss(
        """
        a = x.max(axis=1)[:, None]
        log_softmax = x - a - np.log(np.exp(x - a).sum(axis=1))[:, None]
        self.softmax = np.exp(log_softmax)
        self.loss = np.einsum("ij,ij->i", -y, log_softmax)
        """,
        "np.subtract(self.softmax, self.labels)",
    ),
    "softmax made in derivative": loss(
        """
        shifted = x - np.amax(x, axis=-1, keepdims=True)
        self.loss = np.log(np.exp(shifted).sum(-1)) * y.sum(-1) - (shifted * y).sum(-1)
        """,
        "np.exp(self.logits - self.logits.max(1)[:, None]) / "
        "np.exp(self.logits - self.logits.max(1)[:, None]).sum(1)[:, None] - self.labels",
    ),
    "linear by np.dot": {
        "Linear.forward": "def forward(self, x):\n    self.x = x\n    return np.dot(x, self.W) + self.b",
        "Linear.backward": """
            def backward(self, delta):
                self.dW = np.dot(self.x.T, delta) / delta.shape[0]
                self.db = np.mean(delta, axis=0).reshape(1, -1)
                return np.dot(delta, self.W.T)
        """,
    },
    "linear by einsum": {
        "Linear.forward": "def forward(self, x):\n    self.x = x\n    return self.b + np.einsum('ni,io', x, self.W)",
        "Linear.backward": """
            def backward(self, delta):
                self.dW = np.einsum("ni,no->io", self.x, delta) / len(delta)
                self.db = np.einsum("no->o", delta)[None] / len(delta)
                return np.einsum("no,io->ni", delta, self.W)
        """,
    },
    "gradients row by row": {
        "Linear.backward": """
            def backward(self, delta):
                self.dW, self.db = np.zeros_like(self.W), np.zeros_like(self.b)
                for x, d in zip(self.x[::-1], delta[::-1]):
                    self.dW += np.outer(x, d) / len(delta)
                    self.db += d / len(delta)
                return (self.W @ delta.T).T
        """
    },
    "in place on its own buffers": {
        "Linear.forward": """
            def forward(self, x):
                self.x = x.copy()
                out = np.tile(self.b, (len(x), 1))
                out += x @ self.W
                return out
        """,
        "Linear.backward": """
            def backward(self, delta):
                np.matmul(self.x.T, delta, out=self.dW)
                self.dW /= len(delta)
                np.sum(delta, axis=0, keepdims=True, out=self.db)
                self.db /= len(delta)
                return delta @ self.W.T
        """,
    },
    "batch norm by the writeup's steps": {
        "BatchNorm.backward": """
            def backward(self, delta):
                n, root = len(delta), np.sqrt(self.var + self.eps)
                self.dbeta = np.sum(delta, axis=0, keepdims=True)
                self.dgamma = np.sum(delta * self.norm, axis=0, keepdims=True)
                dnorm = delta * self.gamma
                dvar = -0.5 * np.sum(dnorm * (self.x - self.mean), axis=0) / root**3
                dmean = -np.sum(dnorm / root, axis=0) - 2 / n * dvar * np.sum(self.x - self.mean, axis=0)
                return dnorm / root + dvar * 2 / n * (self.x - self.mean) + dmean / n
        """
    },
    "batch norm with np.var and np.power": {
        "BatchNorm.forward": """
            def forward(self, x, eval=False):
                dtype = x.dtype
                if eval:
                    norm = (x - self.running_mean) * np.power(self.running_var + self.eps, -0.5)
                    return (self.gamma * norm + self.beta).astype(dtype)
                self.x = x
                self.mean = np.mean(x, axis=0).reshape(1, -1)
                self.var = np.var(x, axis=0).reshape(1, -1)
                self.norm = ((x - self.mean) * np.power(self.var + self.eps, -0.5)).astype(dtype)
                self.out = (self.gamma * self.norm + self.beta).astype(dtype)
                share = 1 - self.alpha
                self.running_mean = (self.running_mean + share * (self.mean - self.running_mean)).astype(dtype)
                self.running_var = (self.running_var + share * (self.var - self.running_var)).astype(dtype)
                return self.out
        """
    },
    "steps that rebind": {
        "MLP.step": """
            def step(self):
                for layer in self.linear_layers:
                    layer.momentum_W = self.momentum * layer.momentum_W - self.lr * layer.dW
                    layer.momentum_b = self.momentum * layer.momentum_b - self.lr * layer.db
                    layer.W = layer.W + layer.momentum_W
                    layer.b = layer.b + layer.momentum_b
                for layer in self.bn_layers:
                    layer.gamma = layer.gamma - self.lr * layer.dgamma
                    layer.beta = layer.beta - self.lr * layer.dbeta
        """
    },
    "the velocity's other sign": {
        "MLP.step": """
            def step(self):
                for layer in self.linear_layers:
                    layer.momentum_W = self.momentum * layer.momentum_W + layer.dW * self.lr
                    layer.momentum_b = self.momentum * layer.momentum_b + layer.db * self.lr
                    layer.W -= layer.momentum_W
                    layer.b -= layer.momentum_b
                for layer in self.bn_layers:
                    layer.gamma -= layer.dgamma * self.lr
                    layer.beta -= layer.dbeta * self.lr
        """
    },
    "zero_grads that rebinds": {
        "MLP.zero_grads": """
            def zero_grads(self):
                for layer in self.linear_layers:
                    layer.dW = np.zeros(layer.W.shape, layer.W.dtype)
                    layer.db = 0 * layer.db
                for layer in self.bn_layers:
                    layer.dgamma, layer.dbeta = np.zeros_like(layer.gamma), np.zeros_like(layer.beta)
        """
    },
    "loops by index": {
        "MLP.forward": """
            def forward(self, x):
                for i in range(self.nlayers):
                    x = self.linear_layers[i].forward(x)
                    if self.bn and i < self.num_bn_layers:
                        x = self.bn_layers[i].forward(x, not self.train_mode)
                    x = self.activations[i].forward(x)
                self.output = x
                return self.output
        """,
        "MLP.backward": """
            def backward(self, labels):
                self.criterion.forward(self.output, labels)
                delta = self.criterion.derivative()
                for i in range(self.nlayers - 1, -1, -1):
                    delta = np.multiply(self.activations[i].derivative(), delta)
                    if self.bn and i < self.num_bn_layers:
                        delta = self.bn_layers[i].backward(delta)
                    delta = self.linear_layers[i].backward(delta)
        """,
    },
    "figures in other ways": {
        "MLP.error": "def error(self, labels):\n    return np.sum(self.output.argmax(1) != labels.argmax(1))",
        "MLP.total_loss": "def total_loss(self, y):\n    return float(np.sum(self.criterion(self.output, y)))",
    },
    "statistics from lists": {
        "get_training_stats": """
            def get_training_stats(mlp, dset, nepochs, batch_size):
                train, val, _ = dset
                rows, figures = list(range(len(train[0]))), []
                for epoch in range(nepochs):
                    np.random.shuffle(rows)
                    epoch_figures = []
                    for (x, y), rows_ in ((train, rows), (val, range(len(val[0])))):
                        mlp.train() if y is train[1] else mlp.eval()
                        losses, errors = [], []
                        for b in range(0, len(x), batch_size):
                            batch = list(rows_[b : b + batch_size])
                            mlp(x[batch])
                            if mlp.train_mode:
                                mlp.zero_grads()
                                mlp.backward(y[batch])
                                mlp.step()
                            losses.append(mlp.total_loss(y[batch]))
                            errors.append(mlp.error(y[batch]))
                        epoch_figures += [sum(losses) / len(x), sum(errors) / len(x)]
                    figures.append(epoch_figures)
                return tuple(np.array(figures).T)
        """
    },
}
