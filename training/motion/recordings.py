"""Sentences of one speaker joined to recordings of about 24 s: pauses of all lengths, now and then a long silence.

Only sentences whose phones are known: given phones, the program needs not hear them itself, which is most of its work.
"""

import json

import numpy as np
import soundfile
from scipy.signal import resample_poly

from .measured import RATE

# Nothing of ljspeech-sample and pocketsphinx-testdata, by which network and rules are judged.
SET, MINUTES = "speechocean762", 45.0
SECONDS = 24.0


def load(path):
    """-> samples at 16 kHz, mono"""
    x, rate = soundfile.read(path, dtype="float32", always_2d=True)
    x = x.mean(1)
    return x if rate == RATE else resample_poly(x, RATE, rate).astype(np.float32)


def recordings(speech, rng):
    """-> [[(file, phones, samples of pause after it)]]"""
    rows = [json.loads(line) for line in (speech / SET / "manifest.jsonl").read_text().splitlines()]
    phones = json.loads((speech / "alignments" / f"{SET}.json").read_text())
    speakers = {}
    for row in rows:
        if row["file"] in phones:
            speakers.setdefault(row["speaker"], []).append((row["file"], row["seconds"]))
    out, left = [], MINUTES * 60
    while left > 0:
        for speaker in rng.permutation(sorted(speakers)):
            parts, length = [], 0.0
            while speakers[speaker] and length < SECONDS:
                file, seconds = speakers[speaker].pop(rng.integers(len(speakers[speaker])))
                pause = rng.uniform(3, 6) if rng.random() < 0.12 else rng.uniform(0.3, 1.2)
                parts.append((file, phones[file], int(pause * RATE)))
                length += seconds + pause
            if length >= SECONDS and left > 0:
                out.append(parts)
                left -= length
    return out


def joined(speech, parts, rng):
    """-> samples, phones as the program reads them"""
    sound, said, at = [], [], 0
    for file, phones, pause in parts:
        x = load(speech / SET / file)
        said += [{"phone": name, "start": at / RATE + a / 1000, "end": at / RATE + b / 1000} for name, a, b in phones]
        sound += [x, 2e-5 * rng.standard_normal(pause)]
        at += len(x) + pause
    return np.concatenate(sound), said
