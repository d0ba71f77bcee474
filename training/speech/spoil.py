"""Spoilt sound for the measures. Noise and telephone act on the features, as in the first tables; the rest is made of
the recordings themselves, by other means than in training."""
import numpy as np
from scipy.signal import fftconvolve, resample_poly

from .backgrounds import music
from .mel import BANDS, FLOOR, RATE, log_mel
from .whisper import whispered


def with_noise(mel, _, rng):
    """noise with the colour of speech, swelling, 10 dB below the speech"""
    power = np.exp(mel)
    noise = rng.gamma(2.0, 0.5, power.shape) * np.exp(-np.arange(BANDS) / 25)
    swell = rng.normal(0, 0.5, len(power) // 40 + 2)
    noise *= np.exp(np.interp(np.arange(len(power)), 40 * np.arange(len(swell)), swell))[:, None]
    return np.log(power + noise / noise.mean() * np.percentile(power.mean(1), 60) / 10)


def telephone(mel, *_):
    """nothing below 300 Hz and above 3400 Hz"""
    mels = np.linspace(0, 2595 * np.log10(1 + 7800 / 700), BANDS)
    hz = 700 * (10 ** (mels / 2595) - 1)
    return np.log(np.where((hz < 300) | (hz > 3400), np.exp(mel) * 1e-4, np.exp(mel)) + FLOOR)


def of_samples(change):
    """a change of the samples -> a change of features"""
    return lambda mel, load, rng: log_mel(change(load(), rng))[: len(mel)]


def level(x):
    """power of the louder half"""
    power = (x[: len(x) // 160 * 160].reshape(-1, 160) ** 2).mean(1)
    return np.percentile(power, 75) + 1e-12


def with_music(samples, rng):
    """music, 10 dB below the speech"""
    sound = music(rng, len(samples) / RATE + 0.1)[: len(samples)]
    return samples + sound * np.sqrt(level(samples) / ((sound**2).mean() + 1e-12) / 10)


def in_room(samples, rng):
    """0.5 s until the tail has fallen by 60 dB, the talker two steps away: the tail is as loud as the voice itself"""
    t = np.arange(int(0.6 * RATE)) / RATE
    tail = rng.standard_normal(len(t)) * np.exp(-6.9 * t / 0.5) * (t > 0.004)
    tail /= np.sqrt((tail**2).sum())
    tail[0] = 1.0
    return fftconvolve(samples, tail)[: len(samples)] * 0.7


def narrow_codec(samples, _):
    """8 kHz and the 8 bits of the telephone's mu-law"""
    narrow = np.clip(resample_poly(samples, 1, 2), -1, 1)
    code = np.round(np.sign(narrow) * np.log1p(255 * np.abs(narrow)) / np.log(256) * 127) / 127
    return resample_poly(np.sign(code) * (256 ** np.abs(code) - 1) / 255, 2, 1)


CONDITIONS = {
    "clean": lambda mel, *_: mel,
    "noise, 10 dB": with_noise,
    "telephone band": telephone,
    "music, 10 dB": of_samples(with_music),
    "room": of_samples(in_room),
    "whisper": of_samples(whispered),
    "mu-law, 8 kHz": of_samples(narrow_codec),
    "30 dB quieter": of_samples(lambda samples, _: samples * 10**-1.5),
    "10 dB too loud, clipped": of_samples(lambda samples, _: np.clip(samples * 10**0.5, -1, 1)),
}
