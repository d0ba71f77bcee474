"""Sounds that speech is heard through: music, hum, street, clicks. Made here, so that they are free and endless.

    python -m speech.backgrounds --out runs/corpus/backgrounds.npy --minutes 12 --seed 1

Only the power in each mel band is kept, scaled to a mean of 1: powers of independent sounds add.
"""
import argparse
from pathlib import Path

import numpy as np
from scipy.signal import lfilter

from .mel import RATE, log_mel

SCALES = ((0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10), (0, 3, 5, 7, 10))


def note(rng, hz, seconds, bright, attack, decay, vibrato):
    """a tone with harmonics that fall by `bright` (0..1) each"""
    t = np.arange(int(seconds * RATE)) / RATE
    wobble = vibrato * np.sin(2 * np.pi * rng.uniform(4, 6.5) * t) / (2 * np.pi * 5)
    phase = 2 * np.pi * hz * (t + wobble * 0.02)
    count = max(1, min(24, int(7500 / hz)))
    sound = sum(bright**k * np.sin((k + 1) * phase + rng.uniform(0, 6.28)) for k in range(count))
    return sound * np.minimum(1, t / attack) * np.exp(-t / decay) * np.minimum(1, (seconds - t) / 0.02)


def music(rng, seconds):
    """chords, bass, a tune and drums, each present or not"""
    out = np.zeros(int(seconds * RATE) + RATE * 4)
    beat, scale, key = rng.uniform(0.28, 0.75), SCALES[rng.integers(len(SCALES))], rng.uniform(48, 60)
    hz = lambda step: 440 * 2 ** ((key + scale[step % len(scale)] + 12 * (step // len(scale)) - 69) / 12)

    def add(at, sound, level):
        out[int(at * RATE) : int(at * RATE) + len(sound)] += level * sound

    parts = rng.random(4) < (0.75, 0.6, 0.7, 0.6)
    parts[rng.integers(3)] = True
    bright, lead_bright, decay = rng.uniform(0.3, 0.8), rng.uniform(0.4, 0.9), rng.uniform(0.3, 3.0)
    drums = [(rng.uniform(0.02, 0.12), rng.uniform(0.2, 0.95), rng.uniform(0.3, 1.5)) for _ in range(2)]
    step = 0
    for k in range(int(seconds / beat)):
        at = k * beat
        if k % 4 == 0:
            step = int(rng.integers(0, 7))
            if parts[0]:
                for third in (0, 2, 4):
                    add(at, note(rng, hz(step + third), min(3.0, 4 * beat), bright, 0.02, decay, 0.0), 0.25)
        if parts[1] and rng.random() < 0.7:
            add(at, note(rng, hz(step) / 2, beat, 0.5, 0.01, 0.5, 0.0), 0.5)
        if parts[2] and rng.random() < 0.8:
            for half in (0, 0.5) if rng.random() < 0.4 else (0,):
                add(at + half * beat, note(rng, hz(step + 7 + int(rng.integers(-3, 5))), beat * rng.uniform(0.4, 1.2),
                                           lead_bright, rng.uniform(0.005, 0.08), rng.uniform(0.2, 1.5), rng.random()), 0.35)
        if parts[3]:
            length, colour, level = drums[k % 2]
            hit = rng.standard_normal(int(4 * length * RATE)) * np.exp(-np.arange(int(4 * length * RATE)) / (length * RATE))
            add(at, lfilter([1 - colour], [1, -colour], hit), level)
    return out[: int(seconds * RATE)]


def hum(rng, seconds):
    """mains or an engine: harmonics that wander, and a hiss"""
    t = np.arange(int(seconds * RATE)) / RATE
    turns = np.cumsum(rng.uniform(45, 180) * (1 + 0.05 * np.sin(2 * np.pi * rng.uniform(0.05, 0.5) * t))) / RATE
    sound = sum(rng.uniform(0.2, 1) * 0.8**k * np.sin(2 * np.pi * (k + 1) * turns) for k in range(20))
    return sound + rng.uniform(0.05, 0.6) * lfilter([1], [1, -rng.uniform(0.3, 0.98)], rng.standard_normal(len(t)))


def street(rng, seconds):
    """coloured noise that swells and dies, as cars do"""
    n = int(seconds * RATE)
    sound = np.zeros(n)
    for _ in range(4):
        colour = rng.uniform(0.2, 0.99)
        swell = np.interp(np.arange(n), np.linspace(0, n, 12), np.exp(rng.normal(0, 1.2, 12)))
        sound += swell * lfilter([np.sqrt(1 - colour**2)], [1, -colour], rng.standard_normal(n))
    return sound


def clicks(rng, seconds):
    """keys, dishes, steps: short ringing knocks over a little noise"""
    n = int(seconds * RATE)
    sound = 0.01 * rng.standard_normal(n)
    for at in np.cumsum(rng.exponential(rng.uniform(0.1, 0.6), 200)):
        if (at + 0.3) * RATE >= n:
            break
        t = np.arange(int(0.3 * RATE)) / RATE
        ring = np.sin(2 * np.pi * rng.uniform(300, 5000) * t) + rng.standard_normal(len(t))
        sound[int(at * RATE) : int(at * RATE) + len(t)] += rng.uniform(0.2, 1) * ring * np.exp(-t / rng.uniform(0.004, 0.05))
    return sound


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--out", type=Path, required=True)
    args.add_argument("--minutes", type=float, default=12)
    args.add_argument("--seed", type=int, default=1)
    a = args.parse_args()
    rng = np.random.default_rng(a.seed)
    kinds, tape = (music, music, music, hum, street, clicks), []
    for k in range(int(a.minutes * 6)):
        power = np.exp(log_mel(0.1 * kinds[k % len(kinds)](rng, 10.0)))
        tape.append((power / power.mean()).astype(np.float16))
    np.save(a.out, np.concatenate(tape))


if __name__ == "__main__":
    main()
