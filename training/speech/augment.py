"""Voices, rooms, microphones and noise, all applied to mel powers, so that features are computed only once."""
import numpy as np
from scipy.signal import lfilter

from .mel import BANDS, FLOOR

_AXIS = np.arange(BANDS)


def curve(rng, points, deviation):
    """a smooth random curve over the bands, natural logarithm"""
    return np.interp(_AXIS, np.linspace(0, BANDS - 1, points), rng.normal(0, deviation, points)).astype(np.float32)


class Augmenter:
    def __init__(self, rng):
        self.rng = rng
        self.noise = rng.gamma(2.0, 0.5, (6000, BANDS)).astype(np.float32)  # powers of stationary noise, mean 1

    def rate(self):
        """speed of the crop; 1.0 leaves it as it is"""
        return self.rng.uniform(0.85, 1.2) if self.rng.random() < 0.6 else 1.0

    def __call__(self, mel, other, speed, frames):
        """log-mel [more than frames * speed, 80], log-mel of another voice or None -> [frames, 80]"""
        rng = self.rng
        at = np.arange(frames) * speed
        k = at.astype(int)
        part = (at - k)[:, None].astype(np.float32)
        x = mel[k] + (mel[k + 1] - mel[k]) * part if speed != 1.0 else mel[:frames].copy()
        if rng.random() < 0.5:  # length of the vocal tract
            f = np.clip(_AXIS * rng.uniform(0.9, 1.12), 0, BANDS - 1.001)
            k = f.astype(int)
            share = (f - k).astype(np.float32)
            x = x[:, k] * (1 - share) + x[:, k + 1] * share
        power = np.exp(x)
        if rng.random() < 0.35:
            power = self.room(power)
        if rng.random() < 0.5:
            power *= np.exp(curve(rng, 6, 0.7))
        loud = np.percentile(power.mean(1), 90)
        if rng.random() < 0.55:
            power += self.noises(frames) * (loud * 10 ** (-rng.uniform(3, 40) / 10))
        if other is not None and rng.random() < 0.15:  # somebody else in the background
            voice = np.exp(other[:frames])
            power += voice * (loud / (np.percentile(voice.mean(1), 90) + FLOOR) * 10 ** (-rng.uniform(8, 30) / 10))
        if rng.random() < 0.25:
            power = self.band_limit(power)
        x = np.log(power * 10 ** (rng.uniform(-24, 10) / 10) + FLOOR)
        for _ in range(2):
            if rng.random() < 0.4:
                first = rng.integers(0, BANDS - 8)
                x[:, first : first + rng.integers(1, 9)] = x.mean()
        if rng.random() < 0.1:  # the stream begins or pauses in digital silence
            first = rng.integers(0, frames - 40)
            x[first : first + rng.integers(5, 40)] = np.log(FLOOR)
        return x

    def room(self, power):
        fade = 10 ** (-6 * 0.01 / self.rng.uniform(0.12, 0.6))
        tail = lfilter([1 - fade], [1, -fade], power, axis=0).astype(np.float32)
        power[2:] += self.rng.uniform(0.05, 0.8) * tail[:-2]
        return power

    def noises(self, frames):
        rng = self.rng
        first = rng.integers(0, len(self.noise) - frames)
        colour = np.exp(curve(rng, 5, 1.2))
        noise = self.noise[first : first + frames] * (colour / colour.mean())
        if rng.random() < 0.3:
            noise = noise * np.exp(np.interp(np.arange(frames), np.linspace(0, frames, 8), rng.normal(0, 0.8, 8)))[:, None]
        return noise.astype(np.float32)

    def band_limit(self, power):
        """telephone or a dull codec"""
        fall = np.zeros(BANDS, np.float32)
        fall[: self.rng.integers(0, 12)] = fall[self.rng.integers(45, BANDS) :] = self.rng.uniform(2, 9)
        return power * np.exp(-fall)
