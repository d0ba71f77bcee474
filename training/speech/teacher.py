"""Phones with times -> articulation tracks and closure gates: what the lip network learns.

Tracks follow Cohen & Massaro 1993 ("Modeling coarticulation in synthetic visual speech"): each phone has a target and
a dominance that falls exponentially with the distance from it; a track is the dominance-weighted mean of the targets.
Jaw and lips are separate ways to open the mouth (Edwards et al. 2016, "JALI"). The targets of the lip gap were fitted
to openings measured on filmed talkers.
"""
import numpy as np

from .phones import BILABIAL, INDEX, LABIODENTAL, PHONES, TONGUE_UP, VOWELS

STEP = 0.01  # seconds between the moments at which tracks are computed
GAP_RANGE = 1.25 * 1.2  # cm: opening of a lively talker, 5th to 95th percentile
REST_GAP, REST_JAW = 0.08, 0.10  # cm in a pause
ROUND_STYLE, SPREAD_STYLE, JAW_STYLE = 1.0, 0.9, 1.2

#    lip gap (share of the range), jaw (cm), rounding, spread, dominance of the gap, dominance of rounding
TARGETS = {
    "AA": (0.75, 0.95, 0.05, 0.00, 1.0, 0.5), "AE": (0.84, 0.95, 0.00, 0.35, 1.0, 0.6),
    "AH": (0.74, 0.55, 0.05, 0.00, 0.7, 0.3), "AO": (0.27, 0.75, 0.60, 0.00, 1.0, 0.8),
    "AW": (0.61, 0.90, 0.30, 0.00, 1.0, 0.5), "AY": (0.85, 0.95, 0.00, 0.20, 1.0, 0.5),
    "EH": (0.94, 0.75, 0.00, 0.30, 1.0, 0.5), "ER": (0.50, 0.40, 0.35, 0.00, 0.8, 0.7),
    "EY": (0.84, 0.65, 0.00, 0.45, 1.0, 0.6), "IH": (0.77, 0.42, 0.00, 0.30, 0.8, 0.4),
    "IY": (0.65, 0.30, 0.00, 0.60, 0.9, 0.7), "OW": (0.23, 0.55, 0.80, 0.00, 1.0, 1.0),
    "OY": (0.35, 0.65, 0.60, 0.00, 1.0, 0.8), "UH": (0.20, 0.40, 0.55, 0.00, 0.9, 0.8),
    "UW": (0.24, 0.28, 0.95, 0.00, 1.0, 1.1), "B": (0.00, 0.22, 0.00, 0.00, 0.25, 0.3),
    "P": (0.00, 0.22, 0.00, 0.00, 0.25, 0.3), "M": (0.00, 0.25, 0.00, 0.00, 0.25, 0.3),
    "F": (0.17, 0.18, 0.00, 0.05, 1.2, 0.4), "V": (0.20, 0.20, 0.00, 0.05, 1.2, 0.4),
    "W": (0.08, 0.25, 1.00, 0.00, 1.2, 1.4), "R": (0.48, 0.32, 0.50, 0.00, 0.8, 0.8),
    "L": (0.66, 0.42, 0.00, 0.05, 0.6, 0.2), "Y": (0.54, 0.25, 0.00, 0.40, 0.6, 0.5),
    "S": (0.64, 0.08, 0.00, 0.35, 0.9, 0.4), "Z": (0.54, 0.10, 0.00, 0.30, 0.9, 0.4),
    "SH": (0.62, 0.10, 0.65, 0.00, 1.0, 1.1), "ZH": (0.62, 0.12, 0.60, 0.00, 1.0, 1.0),
    "CH": (0.56, 0.10, 0.60, 0.00, 1.0, 1.0), "JH": (0.62, 0.12, 0.55, 0.00, 1.0, 1.0),
    "TH": (0.38, 0.25, 0.00, 0.10, 0.8, 0.3), "DH": (0.64, 0.28, 0.00, 0.05, 0.5, 0.2),
    "T": (0.52, 0.22, 0.00, 0.10, 0.5, 0.2), "D": (0.67, 0.25, 0.00, 0.05, 0.5, 0.2),
    "N": (0.51, 0.25, 0.00, 0.05, 0.5, 0.2), "K": (0.87, 0.45, 0.00, 0.05, 0.5, 0.1),
    "G": (0.80, 0.42, 0.00, 0.05, 0.5, 0.1), "NG": (0.76, 0.42, 0.00, 0.05, 0.5, 0.1),
    "HH": (1.00, 0.55, 0.00, 0.00, 0.3, 0.1), "SIL": (0.30, 0.15, 0.00, 0.00, 0.5, 0.3),
}
# The jaw stays where its target puts it; in all other phones it opens with the lips.
JAW_HELD = BILABIAL | LABIODENTAL | {"S", "Z", "SH", "ZH", "CH", "JH", "SIL"}


def smooth(x, deviation):
    """Gaussian of `deviation` steps"""
    reach = int(4 * deviation) + 1
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / deviation) ** 2)
    return np.convolve(np.pad(x, reach, mode="edge"), kernel / kernel.sum(), "valid")


def blend(times, middle, length, dominance, rise, fall, target):
    """dominance-weighted mean of the targets at each time; rise and fall: time constants before and after a phone"""
    away = times[None] - middle[:, None]
    beyond = np.maximum(0.0, np.abs(away) - 0.3 * length[:, None])
    weight = dominance[:, None] * np.exp(-beyond / np.where(away < 0, rise[:, None], fall)) + 1e-9
    return (weight * target[:, None]).sum(0) / weight.sum(0)


def gate(times, middle, hold, rise, fall):
    """1 within `hold` of each middle, cosine ramps of `rise` before and `fall` after"""
    if len(middle) == 0:
        return np.zeros(len(times))
    away = times[None] - middle[:, None]
    ramp = np.where(away < 0, rise[:, None], fall[:, None])
    outside = np.clip((np.abs(away) - hold[:, None]) / ramp, 0.0, 1.0)
    return (0.5 + 0.5 * np.cos(np.pi * outside)).max(0)


def _blend_in_chunks(times, middle, *rest_and_target):
    """blend() over windows of 2 s with the phones within 1.5 s: long clips stay cheap, the result is the same"""
    length, dominance, rise, fall, target = rest_and_target
    out = np.empty(len(times))
    for first in range(0, len(times), 200):
        part = times[first : first + 200]
        near = (middle > part[0] - 1.5 - length) & (middle < part[-1] + 1.5 + length)
        out[first : first + 200] = blend(part, middle[near], length[near], dominance[near], rise[near], fall, target[near])
    return out


def loudness(mel):
    """log-mel [frames, 80] -> 0..1.1 against the loud moments of the clip"""
    level = 4.343 * np.log(np.exp(mel).mean(1))
    return smooth(np.clip((level - np.percentile(level, 95) + 35) / 35, 0.0, 1.1), 3)


def articulate(phones, mel):
    """[[phone, start_ms, end_ms], ...], log-mel [frames, 80] -> [frames, 7] at 10k ms: TRACKS, then GATES (0..1)"""
    return coarticulate(phones, loudness(mel))


def coarticulate(phones, loud):
    """as articulate(), from the loudness at 10k ms (0..1.1)"""
    times = np.arange(len(loud)) * STEP
    names = np.array([p.upper() for p, _, _ in phones])  # lower case: see speech.foreign
    edges = np.array([[a, b] for _, a, b in phones], float) / 1000
    middle, length = edges.mean(1), np.maximum(0.02, edges[:, 1] - edges[:, 0])
    gap, jaw, rounding, spread, gap_weight, round_weight = _TABLE[[INDEX[n] for n in names]].T.copy()
    one = np.ones(len(names))

    vowel = np.isin(names, list(VOWELS))
    here = np.clip((middle / STEP).astype(int), 0, len(loud) - 1)
    effort = np.clip(0.72 + 0.42 * loud[here], 0.72, 1.15) * (1 - 0.3 * np.exp(-length / 0.06))  # quiet or short: smaller
    effort = np.where(vowel, effort / 0.95, 1.0)
    pause = (names == "SIL") & (length > 0.25)
    gap = np.where(pause, REST_GAP, gap * effort * GAP_RANGE)
    jaw = np.where(pause, REST_JAW, jaw * effort * JAW_STYLE)
    jaw = np.where(np.isin(names, list(JAW_HELD)), jaw, np.maximum(jaw, 0.6 * gap))
    gap_weight, round_weight = gap_weight + 0.8 * pause, round_weight + 0.5 * pause

    bilabial, labiodental = np.isin(names, list(BILABIAL)), np.isin(names, list(LABIODENTAL))
    early = np.where(rounding > 0.4, 0.110, 0.060)  # rounding is prepared ahead
    tongue = np.array([TONGUE_UP.get(n, 0.0) for n in names])
    tongue_weight = np.where(tongue > 0, 1.0, np.where(bilabial | labiodental, 0.4, 0.8))
    tracks = [
        smooth(_blend_in_chunks(times, middle, length, gap_weight, 0.035 * one, 0.040, gap), 1.8),
        smooth(_blend_in_chunks(times, middle, length, np.where(bilabial, 0.5, 1.0), 0.055 * one, 0.060, jaw), 2.5),
        smooth(_blend_in_chunks(times, middle, length, round_weight, early, 0.065, rounding * ROUND_STYLE), 2.5),
        smooth(_blend_in_chunks(times, middle, length, round_weight, 0.07 * one, 0.07, spread * SPREAD_STYLE), 3.0),
        smooth(_blend_in_chunks(times, middle, length, tongue_weight, 0.030 * one, 0.030, tongue), 1.5),
    ]
    # A closure is held at least 48 ms, so that a frame of 25 Hz falls into it.
    hold = np.clip(0.3 * length, 0.024, 0.050)
    ease = 0.3 * np.clip(length, 0.0, 0.12)
    b, l = bilabial, labiodental
    shut = gate(times, middle[b], hold[b], 0.050 + ease[b], 0.045 + ease[b])
    tuck = gate(times, middle[l], hold[l], 0.06 * one[l], 0.06 * one[l]) * (1 - shut)
    return np.stack([*tracks, shut, tuck], 1)


_TABLE = np.array([TARGETS[p] for p in PHONES])
