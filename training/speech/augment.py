"""Voices, rooms, microphones and noise, all applied to mel powers, so that features are computed only once."""
import numpy as np
from scipy.signal import lfilter

from .mel import BANDS, FLOOR

GROUP = 10  # bands of a room that fade alike
_AXIS = np.arange(BANDS, dtype=np.float32)


def curve(rng, points, deviation):
    """a smooth random curve over the bands, natural logarithm"""
    return np.interp(_AXIS, np.linspace(0, BANDS - 1, points), rng.normal(0, deviation, points)).astype(np.float32)


class Augmenter:
    """`backgrounds` [frames, 80]: powers of music and noises (speech.backgrounds), mean about 1

    `strength` 0..1 says how often sound is spoilt: it can be raised while the networks learn.
    """

    def __init__(self, rng, backgrounds, strength=1.0):
        self.rng, self.backgrounds, self.strength = rng, backgrounds, strength
        self.noise = rng.gamma(2.0, 0.5, (6000, BANDS)).astype(np.float32)  # powers of stationary noise, mean 1
        self.phases = 1.6 * np.cos(rng.uniform(0, np.pi, (6000, BANDS))).astype(np.float32)  # under 2: never all gone

    def chance(self, share):
        return self.rng.random() < share * self.strength

    def rate(self):
        """speed of the crop; 1.0 leaves it as it is"""
        return self.rng.uniform(0.8, 1.25) if self.rng.random() < 0.6 else 1.0

    def __call__(self, mel, other_voice, speed, frames):
        """log-mel [more than frames * speed, 80], a function that gives another voice's -> [frames, 80]"""
        rng = self.rng
        x = self.resampled(mel, speed, frames)
        if rng.random() < 0.6:
            x = self.other_throat(x)
        power = np.exp(x)
        if self.chance(0.45):
            power = self.room(power)
        if self.chance(0.5):
            power *= np.exp(curve(rng, 6, 0.7))
        loud = np.percentile(power.mean(1), 90)
        if self.chance(0.45):
            power += self.noises(frames) * (loud * 10 ** (-rng.uniform(3, 40) / 10))
        if self.chance(0.35):
            power += self.background(frames) * (loud * 10 ** (-rng.uniform(3, 30) / 10))
        if self.chance(0.15):  # somebody else in the background
            voice = np.exp(other_voice()[:frames])
            power += voice * (loud / (np.percentile(voice.mean(1), 90) + FLOOR) * 10 ** (-rng.uniform(8, 30) / 10))
        if self.chance(0.3):
            power = self.telephone(power) if rng.random() < 0.5 else self.band_limit(power)
        if self.chance(0.15):  # a codec that keeps nothing far below the loud parts
            power = np.maximum(power, np.float32(loud * 10 ** (-rng.uniform(25, 55) / 10)))
        x = np.log(power * np.float32(10 ** (rng.uniform(-30, 10) / 10)) + np.float32(FLOOR))
        for _ in range(2):
            if self.chance(0.4):
                first = rng.integers(0, BANDS - 10)
                x[:, first : first + rng.integers(1, 11)] = x.mean()
        if self.chance(0.3):  # a lost packet: the context must help
            first = rng.integers(0, frames - 10)
            x[first : first + rng.integers(1, 8)] = x.mean(0)
        if self.chance(0.1):  # the stream begins or pauses in digital silence
            first = rng.integers(0, frames - 40)
            x[first : first + rng.integers(5, 40)] = np.log(FLOOR)
        return x

    @staticmethod
    def resampled(mel, speed, frames):
        if speed == 1.0:
            return mel[:frames].copy()
        at = np.arange(frames) * speed
        k = at.astype(int)
        return mel[k] + (mel[k + 1] - mel[k]) * (at - k)[:, None].astype(np.float32)

    def other_throat(self, x):
        """another length of the vocal tract: the bands move, by one factor below and one above a bend"""
        f = _AXIS * self.rng.uniform(0.87, 1.15)
        bend = self.rng.uniform(30, 60)
        f = np.where(f > bend, bend + (f - bend) * self.rng.uniform(0.93, 1.07), f)
        f = np.clip(f, 0, BANDS - 1.001)
        k = f.astype(int)
        share = (f - k).astype(np.float32)
        return x[:, k] * (1 - share) + x[:, k + 1] * share

    def room(self, power):
        """early reflections colour the voice; a tail follows that flickers and whose upper bands die sooner"""
        rng, frames = self.rng, len(power)
        power = power * np.exp(curve(rng, 16, rng.uniform(0, 0.6)))
        seconds = rng.uniform(0.12, 0.9) * np.linspace(1, rng.uniform(0.5, 1.1), BANDS // GROUP)  # until 60 dB down
        tail = np.empty_like(power)
        for k, fade in enumerate(10 ** (-6 * 0.01 / seconds)):
            bands = slice(GROUP * k, GROUP * (k + 1))
            tail[:, bands] = lfilter([1 - fade], [1, -fade], power[:, bands], axis=0)
        delay = rng.integers(0, 3)
        tail = tail[: frames - delay] * (self.drawn(self.noise, frames - delay) * np.float32(10 ** rng.uniform(-1.3, 0.3)))
        voice = power[delay:]
        voice += tail + np.sqrt(voice * tail) * self.drawn(self.phases, frames - delay)  # waves add or cancel
        return power

    def drawn(self, tape, frames):
        first = self.rng.integers(0, len(tape) - frames)
        return tape[first : first + frames]

    def noises(self, frames):
        rng = self.rng
        colour = np.exp(curve(rng, 5, 1.2))
        noise = self.drawn(self.noise, frames) * (colour / colour.mean())
        if rng.random() < 0.3:
            swell = np.interp(np.arange(frames), np.linspace(0, frames, 8), rng.normal(0, 0.8, 8))
            noise = noise * np.exp(swell).astype(np.float32)[:, None]
        return noise

    def background(self, frames):
        return self.drawn(self.backgrounds, frames).astype(np.float32)

    def telephone(self, power):
        """nothing outside about 300 to 3400 Hz; the edges and the steepness vary"""
        low, high = self.rng.uniform(8, 17), self.rng.uniform(50, 60)  # bands of 250..500 Hz and 2900..4200 Hz
        steep = self.rng.uniform(0.5, 4)
        fall = np.minimum(9.0, steep * (np.maximum(0, low - _AXIS) + np.maximum(0, _AXIS - high)))
        return power * np.exp(-fall).astype(np.float32)

    def band_limit(self, power):
        """a dull codec or a small loudspeaker"""
        fall = np.zeros(BANDS, np.float32)
        fall[: self.rng.integers(0, 12)] = fall[self.rng.integers(45, BANDS) :] = self.rng.uniform(2, 9)
        return power * np.exp(-fall)
