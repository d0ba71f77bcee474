"""Turns voiced speech into something like a whisper, and makes a training set of it: the times of the phones stay.

    python -m speech.whisper --corpus runs/corpus --sources runs --speech ../../shared/data/speech --name whispered --clips 1500
"""
import argparse
import json
import random
from pathlib import Path

import numpy as np
import soundfile
from scipy.signal import istft, stft

from .mel import RATE

WINDOW, HOP = 512, 128
SMOOTH = 28  # cepstral coefficients that are kept: formants stay, harmonics go


def whispered(samples, rng):
    """The envelope of the short-time spectrum over noise; a whisper lacks the low partials, its formants lie higher."""
    hz, _, spectrum = stft(samples, RATE, nperseg=WINDOW, noverlap=WINDOW - HOP)
    cepstrum = np.fft.irfft(np.log(np.abs(spectrum) + 1e-6), axis=0)
    cepstrum[SMOOTH:-SMOOTH] = 0
    envelope = np.fft.rfft(cepstrum, axis=0).real
    raised = np.interp(hz / rng.uniform(1.03, 1.12), hz, np.arange(len(hz)))
    low = raised.astype(int)
    part = (raised - low)[:, None]
    envelope = envelope[low] * (1 - part) + envelope[np.minimum(low + 1, len(hz) - 1)] * part
    tilt = np.interp(hz, (0, 300, 1500, 8000), (-3.0, -2.3, 0.0, 0.3)) * rng.uniform(0.6, 1.3)
    _, _, noise = stft(rng.standard_normal(len(samples)), RATE, nperseg=WINDOW, noverlap=WINDOW - HOP)
    frames = min(noise.shape[1], envelope.shape[1])
    noise = noise[:, :frames] / np.abs(noise).mean()
    _, out = istft(noise * np.exp(envelope[:, :frames] + tilt[:, None]), RATE, nperseg=WINDOW, noverlap=WINDOW - HOP)
    out = np.pad(out, (0, max(0, len(samples) - len(out))))[: len(samples)]
    return (out * np.sqrt((samples**2).mean() / ((out**2).mean() + 1e-12)) * rng.uniform(0.1, 0.7)).astype(np.float32)


def main():
    from .corpus import RECORDED, write_set

    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--corpus", type=Path, required=True)
    args.add_argument("--sources", type=Path, required=True, help="folder of the made sets")
    args.add_argument("--speech", type=Path, required=True, help="folder of the recorded sets")
    args.add_argument("--sets", nargs="+", default=[RECORDED, "flite"])
    args.add_argument("--name", default="whispered")
    args.add_argument("--clips", type=int, default=1500)
    args.add_argument("--seed", type=int, default=1)
    a = args.parse_args()
    clips = [c for name in a.sets for c in json.load(open(a.corpus / name / "clips.json"))]
    chosen = random.Random(a.seed).sample(clips, min(a.clips, len(clips)))
    rng = np.random.default_rng(a.seed)

    def recordings():
        for clip in chosen:
            source = a.speech if (a.speech / clip["file"]).exists() else a.sources
            samples, _ = soundfile.read(source / clip["file"], dtype="float32")
            yield clip["file"], whispered(samples, rng), f"whispering {clip['speaker']}", clip["phones"]

    write_set(a.corpus, a.name, recordings())


if __name__ == "__main__":
    main()
