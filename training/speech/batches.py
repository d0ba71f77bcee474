"""Random crops of the training sets, augmented."""
import numpy as np
import torch

from .augment import Augmenter
from .mel import BANDS

ROWS = 160  # 3.2 s
FASTEST = 1.25


class Batches:
    """`shares` {set: how often it is drawn}; the clips of a set lie end to end"""

    def __init__(self, corpus, shares, seed):
        self.corpus = corpus
        self.names = sorted(shares)
        self.shares = np.array([shares[n] for n in self.names]) / sum(shares.values())
        self.labels = np.full(len(corpus.mel), -1, np.int8)
        self.curves = np.zeros((len(corpus.mel), 7), np.float16)
        self.weights = np.zeros(len(corpus.mel), np.float16)
        self.tapes = {}
        for name in self.names:
            span, targets = corpus.spans[name], np.load(corpus.folder / name / "targets.npz")
            self.labels[span], self.curves[span], self.weights[span] = (targets[k] for k in ("labels", "curves", "weights"))
            rows = np.arange(span.start, span.stop)
            self.tapes[name] = rows[self.weights[rows] > 0]
        self.rng = np.random.default_rng(seed)
        self.augment = Augmenter(self.rng, np.load(corpus.folder / "backgrounds.npy"))

    def rows(self, name, count):
        tape = self.tapes[name]
        first = self.rng.integers(0, len(tape) - count)
        return tape[first : first + count]

    def any_set(self):
        return self.names[self.rng.choice(len(self.names), p=self.shares)]

    def mel(self, rows):
        return self.corpus.mel[rows].reshape(-1, BANDS).astype(np.float32)

    def draw(self, size):
        """-> mel [size, 2 * ROWS, 80], labels [size, ROWS], curves [size, ROWS, 7], weights [size, ROWS]"""
        mels, picked = [], []
        other = lambda: self.mel(self.rows(self.any_set(), ROWS))
        for _ in range(size):
            rows = self.rows(self.any_set(), int(ROWS * FASTEST) + 4)
            speed = self.augment.rate()
            mels.append(self.augment(self.mel(rows), other, speed, 2 * ROWS))
            picked.append(rows[np.minimum(((np.arange(ROWS) + 0.5) * speed).astype(int), len(rows) - 1)])
        mel = (np.stack(mels).astype(np.float32) - self.corpus.mean) * self.corpus.scale
        at = np.stack(picked)
        return [torch.from_numpy(v) for v in (
            mel.astype(np.float32), self.labels[at].astype(np.int64), self.curves[at].astype(np.float32),
            self.weights[at].astype(np.float32))]
