"""Teaches the flow transformer: straight lines from noise to takes, in windows whose beginning is often known.

    python -m motion.train --takes runs/motion/takes --out runs/motion/best.npz --minutes 2 \\
        [--noise smooth] [--form knots] [--keep 2] [--start weights.npz] [--fade]

`--keep 2` learns the best two of every six takes, `--keep 6` all of them. Minutes are of computing. Saves a running mean
of the weights every half minute. One thread is enough:
XLA_FLAGS="--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1".
"""

import argparse
import time
from pathlib import Path

import jax
import numpy as np
import optax

from . import network
from .channels import BROWS, HEAD, STRIDE, tokens_a_second
from .noise import KINDS, autocovariance
from .weights import load, save

BATCH_SECONDS = 100  # of motion: small, because steps count for more than size while so little is known
DEAF = 0.15  # share of windows that hear nothing, for guidance
RATE, AVERAGE = 2e-3, 0.996
# Head angles count most: five things that move the head, four that move brows.
WEIGHTS = np.array([1.0, 1.0, 1.0, 0.3, 0.3] + [0.6] * len(BROWS), np.float32)


class Takes:
    """windows of kept takes"""

    def __init__(self, folder, form, keep):
        self.stride = STRIDE[form]
        self.tokens = round(network.WINDOW_SECONDS * tokens_a_second(form))
        self.curves, self.heard = [], []
        for path in sorted(Path(folder).glob("*.npz")):
            data = np.load(path)
            for k in np.argsort(data["scores"])[::-1][:keep]:
                self.curves.append(data["takes"][k])
                self.heard.append(data["heard"])
        whole = np.concatenate(self.curves)
        self.mean, self.scale = whole.mean(0), whole.std(0)
        self.curves = [(c - self.mean) / self.scale for c in self.curves]
        self.lags = autocovariance(self.curves, self.tokens, self.stride)
        self.lengths = np.array([min(len(c), len(h)) for c, h in zip(self.curves, self.heard)])
        self.seconds = self.lengths.sum() / 25

    def windows(self, rng, count):
        frames = self.tokens * self.stride
        chosen = rng.choice(len(self.curves), count, p=self.lengths / self.lengths.sum())
        x, h = [], []
        for i in chosen:
            at = rng.integers(0, self.lengths[i] - frames)
            x.append(self.curves[i][at : at + frames : self.stride])
            h.append(self.heard[i][at : at + frames].reshape(self.tokens, -1))
        return np.stack(x), np.stack(h)


def chances(rng, x, noise):
    """time, noise, which tokens are known, who hears nothing"""
    b, n, _ = x.shape
    # The time leans to the middle, where it is hardest to tell where the line goes.
    t = 1 / (1 + np.exp(-rng.standard_normal(b)))
    length = np.where(rng.random(b) < 0.2, 0, rng.integers(0, int(n * network.PAST) + 1, b))
    mask = (np.arange(n) < length[:, None])[..., None]
    return t.astype(np.float32), noise.draw(rng, x, length), mask.astype(np.float32), rng.random(b) < DEAF


def loss(p, x, heard, t, noise, mask, deaf):
    at = (1 - t)[:, None, None] * noise + t[:, None, None] * x
    v = network.velocity(p, at, t, heard, x, mask, deaf)
    wrong = (v - (x - noise)) ** 2 * WEIGHTS * (1 - mask)
    return wrong.sum() / ((1 - mask).sum() * WEIGHTS.sum())


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--takes", type=Path, default=Path("runs/motion/takes"))
    a.add_argument("--out", type=Path, required=True)
    a.add_argument("--minutes", type=float, default=2)
    a.add_argument("--form", choices=STRIDE, default="knots")
    a.add_argument("--noise", choices=KINDS, default="smooth")
    a.add_argument("--keep", type=int, default=2)
    a.add_argument("--start", type=Path, help="weights to go on from")
    a.add_argument("--fade", action="store_true", help="the second half of the run with a falling rate")
    a.add_argument("--seed", type=int, default=1)
    o = a.parse_args()
    assert len(WEIGHTS) == len(HEAD) + len(BROWS)
    jax.config.update("jax_compilation_cache_dir", str(o.out.parent / "compiled"))
    takes = Takes(o.takes, o.form, o.keep)
    noise = KINDS[o.noise](takes.lags)
    rng = np.random.default_rng(o.seed)
    p = load(o.start)[0] if o.start else network.create(o.seed, network.heard_columns(o.form), takes.tokens)
    print(f"{network.parameters(p)} parameters, {len(takes.curves)} takes, {takes.seconds / 3600:.2f} h", flush=True)
    warmed = optax.adamw(optax.linear_schedule(0, RATE, 100), weight_decay=1e-3)
    climb = optax.chain(optax.clip_by_global_norm(1.0), warmed)
    state, mean = climb.init(p), p

    @jax.jit
    def step(p, state, mean, fade, *batch):
        value, slope = jax.value_and_grad(loss)(p, *batch)
        move, state = climb.update(slope, state, p)
        p = optax.apply_updates(p, jax.tree.map(lambda m: fade * m, move))
        return p, state, jax.tree.map(lambda m, w: AVERAGE * m + (1 - AVERAGE) * w, mean, p), value

    facts = {"form": o.form, "noise": o.noise, "mean": takes.mean, "scale": takes.scale, "lags": takes.lags}
    keep = lambda path: save(path, mean, facts)
    number, recent, saved = 0, [], 0.0
    batch = round(BATCH_SECONDS / network.WINDOW_SECONDS)
    # Computing counts, not the clock: a shared machine makes no difference to what is learnt.
    while (spent := time.process_time() / 60) < o.minutes:
        x, heard = takes.windows(rng, batch)
        fade = np.float32(min(1.0, 2 - 2 * spent / o.minutes) if o.fade else 1.0)
        p, state, mean, value = step(p, state, mean, fade, x, heard, *chances(rng, x, noise))
        if number == 150:  # what the weights were before they knew anything
            mean = p
        recent.append(float(value))
        number += 1
        if number % 100 == 0:
            print(f"{spent:5.1f} min, step {number}: loss {np.mean(recent[-100:]):.4f}", flush=True)
        if spent - saved > 0.5:
            saved = spent
            keep(o.out)
    keep(o.out)
    print(f"{number} steps, loss {np.mean(recent[-200:]):.4f}")


if __name__ == "__main__":
    main()
