"""A take of the network: window after window, each of which knows the end of the one before.

A window of 3.2 s looks at 1.6 s of motion that is made already and makes the 1.6 s after it (or less, `hop`, for a
shorter wait); all of its sound must have been heard. Euler steps, guidance: 1 is none, more exaggerates what the sound
changes. The seed gives the noise.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from . import network
from .channels import STRIDE, filled, tokens_a_second
from .noise import KINDS


@partial(jax.jit, static_argnames=("steps", "guided"))
def window(p, noise, heard, known, mask, guidance, steps, guided):
    """[batch, tokens, C] of noise -> motion"""
    b = len(noise)
    again = (lambda a: jnp.concatenate([a, a])) if guided else (lambda a: a)
    deaf = jnp.arange(2 * b if guided else b) >= b
    heard, beside, mask2 = again(heard), again(known), again(mask)

    def euler(x, t):
        v = network.velocity(p, again(x), jnp.full(len(deaf), t), heard, beside, mask2, deaf)
        if guided:
            v = v[b:] + guidance * (v[:b] - v[b:])
        return x + v / steps, None

    x, _ = jax.lax.scan(euler, noise, jnp.arange(steps) / steps)
    return jnp.where(mask > 0, known, x)


class Sampler:
    def __init__(self, p, facts, steps=4, guidance=1.0, hop=1.6):
        self.p, self.facts, self.steps, self.guidance = p, facts, steps, guidance
        self.form, self.tokens = facts["form"], len(facts["lags"])
        self.noise = KINDS[facts["noise"]](facts["lags"])
        self.hop = max(1, round(hop * tokens_a_second(self.form)))

    def mega_flops(self):
        """for a second of motion"""
        looks = self.steps * (1 if self.guidance == 1 else 2)
        once = network.mega_flops(self.tokens, network.heard_columns(self.form))
        return looks * once * tokens_a_second(self.form) / self.hop

    def takes(self, heard, seeds):
        """what is heard [frames, 6] -> [seeds, frames, C]"""
        stride, n = STRIDE[self.form], self.tokens
        frames = len(heard)
        total = -(-frames // stride) + 1
        past = min(n - self.hop, int(n * network.PAST))
        # The last window may look beyond the end, where nothing is said.
        padded = np.concatenate([heard, np.repeat(heard[-1:], (total + n) * stride - frames, 0)])
        listened = padded.reshape(-1, stride * heard.shape[1])
        rng = [np.random.default_rng([11, seed]) for seed in seeds]
        made = np.zeros((len(seeds), 0, network.C), np.float32)
        while made.shape[1] < total:
            known_now = min(past, made.shape[1])
            begin = made.shape[1] - known_now
            known = np.zeros((len(seeds), n, network.C), np.float32)
            mask = np.zeros((len(seeds), n, 1), np.float32)
            known[:, :known_now] = made[:, begin:]
            mask[:, :known_now] = 1
            noise = np.concatenate([self.noise.draw(g, k[None], [known_now]) for g, k in zip(rng, known)])
            ear = np.repeat(listened[None, begin : begin + n], len(seeds), 0)
            guided = self.guidance != 1
            out = window(self.p, noise, ear, known, mask, self.guidance, self.steps, guided)
            fresh = np.asarray(out)[:, known_now : min(n, known_now + self.hop)]
            made = np.concatenate([made, fresh], 1)
        made = made * self.facts["scale"] + self.facts["mean"]
        return np.stack([filled(m[:total], self.form, frames) for m in made])
