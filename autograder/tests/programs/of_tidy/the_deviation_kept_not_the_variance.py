"""The deviation kept, not the variance."""

# file: mytorch/batchnorm.py

class BatchNorm:
    def forward(self, x, eval=False):
        if eval:
            self.norm = (x - self.running_mean) / np.sqrt(self.running_var + self.eps)
            self.out = self.gamma * self.norm + self.beta
            return self.out

        self.x = x
        self.mean = np.mean(x, axis=0, keepdims=True)
        v = np.var(x, axis=0, keepdims=True)
        self.var = np.sqrt(v + self.eps)
        self.norm = (x - self.mean) / self.var
        self.out = self.gamma * self.norm + self.beta

        # moving averages
        self.running_mean = self.alpha * self.running_mean + (1 - self.alpha) * self.mean
        self.running_var = self.alpha * self.running_var + (1 - self.alpha) * v
        return self.out

    def backward(self, delta):
        m = delta.shape[0]
        self.dbeta = np.sum(delta, axis=0, keepdims=True)
        self.dgamma = np.sum(delta * self.norm, axis=0, keepdims=True)
        dnorm = delta * self.gamma
        sqrt = self.var
        dvar = -0.5 * np.sum(dnorm * (self.x - self.mean) / sqrt ** 3, axis=0, keepdims=True)
        dmean = -np.sum(dnorm / sqrt, axis=0, keepdims=True) - 2 / m * dvar * np.sum(self.x - self.mean, axis=0, keepdims=True)
        return dnorm / sqrt + dvar * (2 / m * (self.x - self.mean)) + dmean / m
