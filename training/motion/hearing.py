"""What the network hears of a voice, a row for each frame of 40 ms: as `crate/src/motion/prosody.rs` and `rhythm.rs`.

Loudness 0..1, semitones about the speaker's mean, voicing, whether somebody speaks (smooth), how long it has been silent,
and a pulse where a phrase begins. All of it looks back only, so that a stream could give it.
"""

import numpy as np

from .measured import BLOCK

HEARD = ("loudness", "pitch", "voicing", "speaking", "silence", "border")
DT = 0.04
LAGS = range(20, 116)  # at 8 kHz


def period(block):
    """lag at 8 kHz and normalised autocorrelation there"""
    x = block.reshape(-1, 2).mean(1)
    n = len(x)
    spectrum = np.fft.rfft(x, 1024)
    both = np.fft.irfft(np.abs(spectrum) ** 2)
    power = np.concatenate([[0.0], np.cumsum(x * x)])
    lags = np.arange(LAGS.stop)
    value = both[lags] / np.sqrt((power[n - lags] + 1e-9) * (power[n] - power[lags] + 1e-9))
    value = value[LAGS.start :]
    inner = value[1:-1]
    peak = (inner > 0.88 * value.max()) & (inner >= value[:-2]) & (inner >= value[2:])
    if not peak.any():
        return LAGS.start, 0.0
    first = int(np.argmax(peak)) + 1
    return LAGS.start + first, float(np.clip(value[first], 0, 1))


def hear(samples):
    """samples at 16 kHz -> [frames, 6], about -1..1 each"""
    blocks = samples[: len(samples) // BLOCK * BLOCK].reshape(-1, BLOCK).astype(float)
    blocks = blocks - blocks.mean(1, keepdims=True)
    levels = 10 * np.log10((blocks**2).mean(1) + 1e-12)
    peak, octave, speaking, silent, border = -35.0, None, 0.0, 10.0, 0.0
    rows = []
    for block, level in zip(blocks, levels):
        peak = max(level, peak - 0.04, -45.0)
        loud = 0.0 if level < -60 else float(np.clip((level - peak + 35) / 35, 0, 1))
        lag, voicing = period(block) if loud > 0.3 else (0, 0.0)
        tune = 0.0
        if voicing > 0.5:
            now = np.log2(8000 / lag)
            octave = now if octave is None else octave
            tune = float(np.clip(12 * (now - octave), -8, 8))
            octave += 0.02 * (now - octave)
        voice = loud > 0.15
        border = 1.0 if voice and silent > 0.16 else border * np.exp(-DT / 0.3)
        silent = 0.0 if voice else silent + DT
        speaking += (1 - np.exp(-DT * 6)) * ((1.0 if silent < 0.12 else 0.0) - speaking)
        rows.append((loud, tune / 4, voicing, speaking, min(silent, 2.0) / 2, border))
    return np.array(rows, np.float32)
