"""Log-mel features. FORMAT.md describes the same in words; the runtime implements it a second time.

Frame k covers the samples 160k-240 .. 160k+160 (end excluded), zeros before the first sample. So it is complete as
soon as 160(k+1) samples have arrived, and `len(samples) // 160` frames exist.
"""
import numpy as np

RATE = 16000
HOP = 160
WINDOW = 400
FFT = 512
BANDS = 80
LOW_HZ, HIGH_HZ = 30.0, 7800.0
FLOOR = 1e-7

CONFIG = {
    "sample_rate": RATE, "hop": HOP, "window": WINDOW, "fft": FFT, "bands": BANDS, "low_hz": LOW_HZ, "high_hz": HIGH_HZ,
    "floor": FLOOR, "first_sample_of_frame": "160*k - 240", "window_shape": "hann, periodic",
    "mel_scale": "htk: 2595*log10(1+f/700)", "filters": "triangles, each scaled to a sum of 1",
    "power": "abs(rfft)^2 / 400", "value": "ln(power @ filters + floor)",
}


def filters():
    """[257, 80]: weight of each FFT bin in each band; the weights of a band add up to 1."""
    to_mel = lambda hz: 2595.0 * np.log10(1.0 + hz / 700.0)
    edges = 700.0 * (10.0 ** (np.linspace(to_mel(LOW_HZ), to_mel(HIGH_HZ), BANDS + 2) / 2595.0) - 1.0)
    bins = np.arange(FFT // 2 + 1) * RATE / FFT
    rising = (bins[:, None] - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins[:, None]) / (edges[2:] - edges[1:-1])
    weights = np.maximum(0.0, np.minimum(rising, falling))
    for band in np.flatnonzero(weights.sum(0) < 0.5):  # the lowest bands are narrower than a bin: take the nearest bin
        weights[:, band] = 0.0
        weights[np.argmin(np.abs(bins - edges[band + 1])), band] = 1.0
    return weights / weights.sum(0)


_FILTERS = filters().astype(np.float32)
_HANN = (0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(WINDOW) / WINDOW)).astype(np.float32)


def log_mel(samples):
    """mono 16 kHz in [-1, 1] -> [len // 160, 80], natural logarithm of the power in each band"""
    count = len(samples) // HOP
    padded = np.concatenate([np.zeros(WINDOW - HOP, np.float32), np.asarray(samples[: count * HOP], np.float32)])
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP][:count] * _HANN
    power = np.abs(np.fft.rfft(frames, FFT)).astype(np.float32) ** 2 / WINDOW
    return np.log(power @ _FILTERS + FLOOR)
