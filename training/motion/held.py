"""The sentences that rules and network are judged by: 35 of LJSpeech and pocketsphinx, and silence; six takes of the rules."""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from .hearing import hear
from .measured import BLOCK, RATE, Motion, aligned, generate, loudness, pitch, write_sound
from .recordings import load

TAKES = 6
SILENCES = {"silence": 0.0, "faint noise": 3e-5}


@dataclass
class Clip:
    name: str
    heard: np.ndarray
    loud: np.ndarray
    tune: np.ndarray
    takes: list  # Motion of the rules


def clips(shared, program):
    for number, (path, _) in enumerate(aligned(Path(shared), "ljspeech-sample", "pocketsphinx-testdata")):
        # As liveliness.py gives them: seeds 2n + 1 and 2n + 2 are its two takes.
        seeds = [2 * number + 1 + k % 2 + 1000 * (k // 2) for k in range(TAKES)]
        yield listen(path.stem, load(path), program, seeds)


def silences(program):
    rng = np.random.default_rng(2)
    for name, level in SILENCES.items():
        yield listen(name, level * rng.standard_normal(10 * RATE), program, range(6))


def listen(name, samples, program, seeds):
    with TemporaryDirectory() as folder:
        path = Path(folder) / "s.wav"
        write_sound(path, samples)
        made = [generate(program, path, "--seed", seed) for seed in seeds]
    n = min(len(samples) // BLOCK, *(len(m["yaw"]) for m in made))
    takes = [Motion({k: v[:n] for k, v in m.items()}) for m in made]
    return Clip(name, hear(samples)[:n], loudness(samples)[:n], pitch(samples)[:n], takes)
