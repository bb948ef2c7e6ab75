"""Mistakes in batch normalisation and in its place in the network (writeup, section 3.3)."""

from __future__ import annotations

from catalogue.mistake import Mistake
from catalogue.network import BATCH_NORM, BATCH_NORM_BACK, STEP, mlp_backward, mlp_forward, step


def _batchnorm_forward(
    mean: str = "x.mean(axis=0, keepdims=True)",
    var: str = "x.var(axis=0, keepdims=True)",
    norm: str = "(x - self.mean) / np.sqrt(self.var + self.eps)",
    out: str = "self.gamma * self.norm + self.beta",
    running_mean: str = "self.alpha * self.running_mean + (1 - self.alpha) * self.mean",
    running_var: str = "self.alpha * self.running_var + (1 - self.alpha) * self.var",
    inference: str = "self.gamma * (x - self.running_mean) / np.sqrt(self.running_var + self.eps) + self.beta",
    before: str = "pass",
) -> dict[str, str]:
    return {
        "BatchNorm.forward": f"""
            def forward(self, x, eval=False):
                {before}
                if eval:
                    return {inference}
                self.x = x
                self.mean = {mean}
                self.var = {var}
                self.norm = {norm}
                self.out = {out}
                self.running_mean = {running_mean}
                self.running_var = {running_var}
                return self.out
        """
    }


def _batchnorm_backward(
    dgamma: str = "(delta * self.norm).sum(axis=0, keepdims=True)",
    dbeta: str = "delta.sum(axis=0, keepdims=True)",
    dnorm: str = "delta * self.gamma",
    dvar: str = "-0.5 * (dnorm * centred * std ** -3).sum(axis=0, keepdims=True)",
    dmean: str = "-(dnorm / std).sum(axis=0, keepdims=True) - 2 / m * dvar * centred.sum(axis=0, keepdims=True)",
    dx: str = "dnorm / std + dvar * 2 / m * centred + dmean / m",
    assign: str = "=",
    m: str = "len(delta)",
) -> dict[str, str]:
    return {
        "BatchNorm.backward": f"""
            def backward(self, delta):
                m = {m}
                centred = self.x - self.mean
                std = np.sqrt(self.var + self.eps)
                self.dgamma {assign} {dgamma}
                self.dbeta {assign} {dbeta}
                dnorm = {dnorm}
                dvar = {dvar}
                dmean = {dmean}
                return {dx}
        """
    }


MISTAKES = (
    Mistake(
        "var_unbiased",
        "eq. 30",
        "the batch's variance is divided by N - 1: it should be divided by N",
        _batchnorm_forward(var="x.var(axis=0, keepdims=True, ddof=1)"),
    ),
    Mistake(
        "running_var_unbiased",
        "eq. 39",
        "the running variance takes in the unbiased variance (divided by N - 1): it should take in the batch's own",
        _batchnorm_forward(
            running_var="self.alpha * self.running_var + (1 - self.alpha) * x.var(axis=0, keepdims=True, ddof=1)"
        ),
    ),
    Mistake(
        "std_for_var",
        "eq. 30",
        "the standard deviation is stored as the variance: the root is taken once too often",
        _batchnorm_forward(var="x.std(axis=0, keepdims=True)"),
    ),
    Mistake(
        "norm_without_root",
        "eq. 31",
        "the input is divided by the variance: the square root is missing",
        _batchnorm_forward(norm="(x - self.mean) / (self.var + self.eps)"),
    ),
    Mistake(
        "statistics_over_units",
        "eq. 29, 30",
        "mean and variance are taken over each example: they should be taken over the batch, see question 2",
        _batchnorm_forward("x.mean(axis=1, keepdims=True)", "x.var(axis=1, keepdims=True)"),
    ),
    Mistake(
        "gamma_not_used",
        "eq. 32",
        "gamma is left out of the output",
        _batchnorm_forward(out="self.norm + self.beta"),
    ),
    Mistake(
        "beta_not_used",
        "eq. 32",
        "beta is left out of the output",
        _batchnorm_forward(out="self.gamma * self.norm"),
    ),
    Mistake(
        "dgamma_dbeta_averaged",
        "eq. 34, 35",
        "dgamma and dbeta are averaged over the batch: they should be summed",
        _batchnorm_backward("(delta * self.norm).mean(axis=0, keepdims=True)", "delta.mean(axis=0, keepdims=True)"),
    ),
    Mistake(
        "dgamma_averaged",
        "eq. 35",
        "dgamma is averaged over the batch: it should be summed",
        _batchnorm_backward("(delta * self.norm).mean(axis=0, keepdims=True)"),
    ),
    Mistake(
        "dbeta_averaged",
        "eq. 34",
        "dbeta is averaged over the batch: it should be summed",
        _batchnorm_backward(dbeta="delta.mean(axis=0, keepdims=True)"),
    ),
    Mistake(
        "dgamma_from_output",
        "eq. 35",
        "dgamma is taken from the layer's output: it should be taken from norm",
        _batchnorm_backward("(delta * self.out).sum(axis=0, keepdims=True)"),
    ),
    Mistake(
        "dgamma_from_input",
        "eq. 35",
        "dgamma is taken from the layer's input: it should be taken from norm",
        _batchnorm_backward("(delta * self.x).sum(axis=0, keepdims=True)"),
    ),
    Mistake(
        "dnorm_without_gamma",
        "eq. 33",
        "gamma is left out of the derivative by norm",
        _batchnorm_backward(dnorm="delta"),
    ),
    Mistake(
        "dx_without_mean",
        "eq. 17, 27",
        "dx leaves out the path through the mean",
        _batchnorm_backward(dx="dnorm / std + dvar * 2 / m * centred"),
    ),
    Mistake(
        "dx_without_var",
        "eq. 10, 27",
        "dx leaves out the path through the variance",
        _batchnorm_backward(dx="dnorm / std + dmean / m"),
    ),
    Mistake(
        "dx_direct_only",
        "eq. 27",
        "dx leaves out the paths through the mean and the variance",
        _batchnorm_backward(dx="dnorm / std"),
    ),
    Mistake(
        "dvar_power",
        "eq. 10",
        "the derivative by the variance has the power -1/2: it should have -3/2",
        _batchnorm_backward(dvar="-0.5 * (dnorm * centred / std).sum(axis=0, keepdims=True)"),
    ),
    Mistake(
        "dvar_sign",
        "eq. 10",
        "the derivative by the variance has the wrong sign",
        _batchnorm_backward(dvar="0.5 * (dnorm * centred * std ** -3).sum(axis=0, keepdims=True)"),
    ),
    Mistake(
        "dvar_factor",
        "eq. 10",
        "the derivative by the variance lacks its factor 1/2",
        _batchnorm_backward(dvar="-(dnorm * centred * std ** -3).sum(axis=0, keepdims=True)"),
    ),
    Mistake(
        "dmean_sign",
        "eq. 17",
        "the derivative by the mean has the wrong sign",
        _batchnorm_backward(dmean="(dnorm / std).sum(axis=0, keepdims=True)"),
    ),
    Mistake(
        "dmean_not_divided",
        "eq. 27",
        "in dx, the derivative by the mean is not divided by the batch's size",
        _batchnorm_backward(dx="dnorm / std + dvar * 2 / m * centred + dmean"),
    ),
    Mistake(
        "dvar_not_divided",
        "eq. 27",
        "in dx, the derivative by the variance is not divided by the batch's size",
        _batchnorm_backward(dx="dnorm / std + dvar * 2 * centred + dmean / m"),
    ),
    Mistake(
        "batchnorm_accumulates",
        "eq. 34, 35",
        "BatchNorm.backward adds to the old gradients: it should replace them",
        _batchnorm_backward(assign="+="),
        "batchnorm_twice",
    ),
    Mistake(
        "alpha_swapped",
        "eq. 38, 39",
        "alpha and 1 - alpha are swapped in the running averages",
        _batchnorm_forward(
            running_mean="(1 - self.alpha) * self.running_mean + self.alpha * self.mean",
            running_var="(1 - self.alpha) * self.running_var + self.alpha * self.var",
        ),
    ),
    Mistake(
        "running_not_updated",
        "eq. 38, 39",
        "the running averages never move: every training batch should move them",
        _batchnorm_forward(running_mean="self.running_mean", running_var="self.running_var"),
    ),
    Mistake(
        "running_replaced",
        "eq. 38, 39",
        "the running averages hold the last batch's statistics: they should be averaged with alpha",
        _batchnorm_forward(running_mean="self.mean", running_var="self.var"),
    ),
    Mistake(
        "inference_batch_statistics",
        "appendix C",
        "inference takes the batch's own statistics: it should take the running averages, see question 3",
        _batchnorm_forward(
            inference="self.gamma * (x - x.mean(axis=0, keepdims=True)) / "
            "np.sqrt(x.var(axis=0, keepdims=True) + self.eps) + self.beta"
        ),
    ),
    Mistake(
        "inference_last_batch",
        "appendix C",
        "inference takes the last training batch's statistics: it should take the running averages, see question 3",
        _batchnorm_forward(inference="self.gamma * (x - self.mean) / np.sqrt(self.var + self.eps) + self.beta"),
    ),
    Mistake(
        "inference_without_gamma_beta",
        "eq. 32",
        "inference leaves out gamma and beta",
        _batchnorm_forward(inference="(x - self.running_mean) / np.sqrt(self.running_var + self.eps)"),
    ),
    Mistake(
        "inference_moves_running",
        "appendix C",
        "the running averages move in inference: only training batches should move them",
        {
            "BatchNorm.forward": """
                def forward(self, x, eval=False):
                    mean, var = x.mean(axis=0, keepdims=True), x.var(axis=0, keepdims=True)
                    if not eval:
                        self.x, self.mean, self.var = x, mean, var
                        self.norm = (x - mean) / np.sqrt(var + self.eps)
                        self.out = out = self.gamma * self.norm + self.beta
                    else:
                        out = (x - self.running_mean) / np.sqrt(self.running_var + self.eps)
                        out = self.gamma * out + self.beta
                    self.running_mean = self.alpha * self.running_mean + (1 - self.alpha) * mean
                    self.running_var = self.alpha * self.running_var + (1 - self.alpha) * var
                    return out
            """
        },
    ),
    Mistake(
        "eval_flag_not_passed",
        "3.3",
        "MLP.forward does not pass its mode on to batch norm: in inference, eval is true",
        mlp_forward("x = linear(x)\nif i < self.num_bn_layers:\n    x = self.bn_layers[i](x)\nx = activation(x)"),
    ),
    Mistake(
        "eval_not_looked_at",
        "3.3",
        "BatchNorm.forward takes no notice of eval: inference takes the running averages",
        _batchnorm_forward(before="eval = False"),
    ),
    Mistake(
        "eval_flag_inverted",
        "3.3",
        "MLP.forward passes its mode to batch norm the wrong way round: eval is the opposite of train_mode",
        mlp_forward(
            "x = linear(x)\nif i < self.num_bn_layers:\n    x = self.bn_layers[i](x, self.train_mode)\n"
            "x = activation(x)"
        ),
    ),
    Mistake(
        "batchnorm_after_activation",
        "3.5.2",
        "batch norm comes after the activation: the order is linear, batch norm, activation",
        {
            **mlp_forward("x = linear(x)\nx = activation(x)\n" + BATCH_NORM),
            **mlp_backward(
                f"{BATCH_NORM_BACK}\ndelta = delta * activation.derivative()\ndelta = linear.backward(delta)"
            ),
        },
    ),
    Mistake(
        "batchnorm_back_wrong_order",
        "3.5.2",
        "MLP.backward goes through batch norm before the activation: backward, the activation comes first",
        mlp_backward(f"{BATCH_NORM_BACK}\ndelta = delta * activation.derivative()\ndelta = linear.backward(delta)"),
    ),
    Mistake(
        "batchnorm_back_skipped",
        "3.5.2",
        "MLP.backward leaves out the batch norm layers",
        mlp_backward("delta = delta * activation.derivative()\ndelta = linear.backward(delta)"),
    ),
    Mistake(
        "batchnorm_everywhere",
        "3.5.2",
        "every layer is batch-normalised: only the first num_bn_layers should be",
        {
            "MLP.__init__": """
                def __init__(self, *args, _init=MLP.__init__, **kwargs):
                    _init(self, *args, **kwargs)
                    if self.num_bn_layers:
                        self.num_bn_layers = self.nlayers
                        self.bn_layers = [BatchNorm(layer.W.shape[1]) for layer in self.linear_layers]
            """
        },
    ),
    Mistake(
        "gamma_beta_not_stepped",
        "3.5",
        "MLP.step leaves out gamma and beta",
        step(STEP, "pass"),
    ),
    Mistake(
        "gamma_beta_averaged_step",
        "3.5",
        "MLP.step moves gamma and beta up their gradients",
        step(STEP, "p += self.lr * g"),
    ),
    Mistake(
        "eps_outside_root",
        "eq. 31",
        "epsilon is added outside the square root",
        _batchnorm_forward(norm="(x - self.mean) / (np.sqrt(self.var) + self.eps)"),
        "batchnorm_small",
    ),
    Mistake(
        "statistics_over_everything",
        "eq. 29, 30",
        "mean and variance are taken over the whole array: each unit has its own, over the batch",
        _batchnorm_forward("np.full((1, x.shape[1]), x.mean())", "np.full((1, x.shape[1]), x.var())"),
    ),
    Mistake(
        "var_summed",
        "eq. 30",
        "the variance is summed over the batch: it should be averaged",
        _batchnorm_forward(var="((x - self.mean) ** 2).sum(axis=0, keepdims=True)"),
    ),
    Mistake(
        "output_of_input",
        "eq. 32",
        "gamma is multiplied with the layer's input: it belongs to norm",
        _batchnorm_forward(out="self.gamma * x + self.beta"),
    ),
    Mistake(
        "gamma_beta_not_used",
        "eq. 32",
        "gamma and beta are left out of the output",
        _batchnorm_forward(out="self.norm"),
    ),
    Mistake(
        "dvar_power_of_std",
        "eq. 10",
        "the derivative by the variance has the standard deviation to the power -3/2: that power is the variance's",
        _batchnorm_backward(dvar="-0.5 * (dnorm * centred * std ** -1.5).sum(axis=0, keepdims=True)"),
    ),
    Mistake(
        "dvar_without_gamma",
        "eq. 10",
        "the derivative by the variance is taken from delta: it should be taken from the derivative by norm",
        _batchnorm_backward(dvar="-0.5 * (delta * centred * std ** -3).sum(axis=0, keepdims=True)"),
    ),
    Mistake(
        "dmean_without_gamma",
        "eq. 17",
        "the derivative by the mean is taken from delta: it should be taken from the derivative by norm",
        _batchnorm_backward(dmean="-(delta / std).sum(axis=0, keepdims=True)"),
    ),
    Mistake(
        "batch_size_is_width",
        "eq. 27",
        "BatchNorm.backward divides by the number of units: it should divide by that of the batch's rows",
        _batchnorm_backward(m="delta.shape[1]"),
    ),
    Mistake(
        "dgamma_dbeta_swapped",
        "eq. 34, 35",
        "dgamma and dbeta are swapped",
        _batchnorm_backward(
            "delta.sum(axis=0, keepdims=True)",
            "(delta * self.norm).sum(axis=0, keepdims=True)",
        ),
    ),
    Mistake(
        "running_var_not_updated",
        "eq. 39",
        "the running variance never moves: every training batch should move it",
        _batchnorm_forward(running_var="self.running_var"),
    ),
    Mistake(
        "inference_batch_mean",
        "appendix C",
        "inference takes the batch's own mean: it should take the running one, see question 3",
        _batchnorm_forward(
            inference="self.gamma * (x - x.mean(axis=0, keepdims=True)) / "
            "np.sqrt(self.running_var + self.eps) + self.beta"
        ),
    ),
    Mistake(
        "inference_without_root",
        "eq. 31",
        "inference divides by the running variance: the square root is missing",
        _batchnorm_forward(
            inference="self.gamma * (x - self.running_mean) / (self.running_var + self.eps) + self.beta"
        ),
    ),
    Mistake(
        "batchnorm_never_called",
        "3.5.2",
        "the batch norm layers are made and never called",
        {
            **mlp_forward("x = activation(linear(x))"),
            **mlp_backward("delta = linear.backward(delta * activation.derivative())"),
        },
    ),
    Mistake(
        "gamma_beta_without_lr",
        "3.5",
        "MLP.step leaves out the learning rate for gamma and beta",
        step(STEP, "p -= g"),
    ),
    Mistake(
        "eps_missing",
        "eq. 31",
        "epsilon is left out under the square root",
        _batchnorm_forward(norm="(x - self.mean) / np.sqrt(self.var)"),
        "batchnorm_small",
    ),
)
