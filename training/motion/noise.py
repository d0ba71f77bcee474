"""What the flow starts from.

"white": every token for itself, the usual way. What few steps leave of it is trembling, and a seam where windows meet.
"smooth": random curves as smooth as takes are (a Gaussian process with their autocovariance) that go on from the motion
that is known already. What is left of that is smooth motion, and continuous.
"""

import numpy as np

LOOSE = 1e-5  # share of white noise, without which the matrices cannot be inverted
# How little the known is trusted. With 1e-5 the least roughness of what the network has made itself was continued as if it
# were a gesture: the head was thrown by ten degrees where windows meet.
DOUBT = 3e-3


def autocovariance(curves, tokens, stride):
    """of curves [frames, channels] with mean 0 -> [tokens, channels]"""
    total, count = np.zeros((tokens, curves[0].shape[1])), np.zeros((tokens, 1))
    for curve in curves:
        x = curve[::stride].astype(float)
        for lag in range(tokens):
            total[lag] += (x[: len(x) - lag] * x[lag:]).sum(0)
            count[lag] += len(x) - lag
    return (total / count).astype(np.float32)


class White:
    def __init__(self, lags):
        self.shape = lags.shape

    def draw(self, rng, known, lengths):
        """known [batch, tokens, channels], of which the first `lengths` count -> noise like it"""
        return rng.standard_normal(known.shape).astype(np.float32)


class Smooth:
    def __init__(self, lags):
        n, channels = lags.shape
        apart = np.abs(np.arange(n)[:, None] - np.arange(n))
        self.roots, self.covariance, self.gains = [], [], {}
        for c in range(channels):
            values, vectors = np.linalg.eigh(lags[apart, c].astype(float))
            values = np.maximum(values, 0) + LOOSE
            self.roots.append(vectors * np.sqrt(values))
            self.covariance.append((vectors * values) @ vectors.T)
        self.roots = np.stack(self.roots)

    def gain(self, length):
        """[channels, tokens, length]: how what is known of the beginning is continued"""
        if length not in self.gains:
            solve = lambda k: np.linalg.solve(k[:length, :length] + DOUBT * np.eye(length), k[:, :length].T).T
            self.gains[length] = np.stack([solve(k) for k in self.covariance])
        return self.gains[length]

    def draw(self, rng, known, lengths):
        free = np.einsum("cij,bjc->bic", self.roots, rng.standard_normal(known.shape))
        for b, length in enumerate(lengths):
            if length:
                wrong = known[b, :length] - free[b, :length]
                free[b] += np.einsum("cij,jc->ic", self.gain(length), wrong)
        return free.astype(np.float32)


KINDS = {"white": White, "smooth": Smooth}
