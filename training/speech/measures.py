"""Measures of lip motion against phone times, on the lips of the ICT face."""
import numpy as np
from scipy.ndimage import gaussian_filter1d

from .articulation import gates_of, to_arkit
from .networks import TRACK_MEAN, TRACK_SCALE
from .phones import BILABIAL, LABIODENTAL, ROUNDED, WIDE_OPEN
from .teacher import articulate

TRACKS = len(TRACK_MEAN)
WRONG_CLOSURES = 0.20  # a second: what the `shut` thresholds are chosen for; native speech has half as many again
ALIKE = 0.02
CHECKS = {"P B M closed": BILABIAL, "F V near": LABIODENTAL, "W UW OW narrow": ROUNDED, "open vowels open": WIDE_OPEN}


# ---- measures on one clip -------------------------------------------------------------------------------------------
def at_100_hz(curve):
    """25 Hz -> 100 Hz"""
    return np.interp(np.arange(4 * len(curve)) / 4, np.arange(len(curve)), curve)


def extreme(x, reach, function):
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(x, reach, mode="edge"), 2 * reach + 1)
    return function(windows, axis=1)


def spoken(phones, length):
    mask = np.zeros(length, bool)
    for phone, start, end in phones:
        if phone != "SIL":
            mask[start // 10 : end // 10] = True
    return mask


def phone_checks(gap, width, phones):
    """{check: [met, phones, share of random moments of speech that would meet it]}; +-40 ms, open vowels +-20 ms"""
    gap, width = at_100_hz(gap), at_100_hz(width)
    low, high = np.percentile(gap, [5, 95])
    narrow, wide = np.percentile(width, [5, 95])
    met = {
        "P B M closed": extreme(gap, 4, np.min) <= low + 0.15 * (high - low),
        "F V near": extreme(gap, 4, np.min) <= low + 0.30 * (high - low),
        "W UW OW narrow": extreme(width, 4, np.min) <= narrow + 0.35 * (wide - narrow),
        "open vowels open": extreme(gap, 2, np.max) >= low + 0.70 * (high - low),
    }
    speech = spoken(phones, len(gap))
    out = {}
    for check, names in CHECKS.items():
        middles = [(a + b) // 20 for p, a, b in phones if p in names and (a + b) // 20 < len(gap)]
        out[check] = [int(met[check][middles].sum()), len(middles), float(met[check][speech].mean()) if speech.any() else 0.0]
    return out


def closures(shut, phones):
    """-> closures with a P B M within 60 ms, closures without"""
    held = np.concatenate([[0], shut > 0.9, [0]]).astype(int)
    right = wrong = 0
    for start, end in np.flatnonzero(np.diff(held)).reshape(-1, 2):
        middle = (start + end - 1) / 2 * 40
        if any(p in BILABIAL and a - 60 < middle < b + 60 for p, a, b in phones):
            right += 1
        else:
            wrong += 1
    return right, wrong


def offset_and_r(gap, phones, openness):
    """gap against the opening expected of each phone: lag in ms (> 0: lips are late), correlation at lag 0"""
    gap = at_100_hz(gap)
    want = np.full(len(gap), openness["SIL"])
    for phone, start, end in phones:
        want[start // 10 : end // 10] = openness.get(phone, 0.5)
    want = gaussian_filter1d(want, 4)
    want, gap = want - gaussian_filter1d(want, 100), gap - gaussian_filter1d(gap, 100)
    n = len(gap)
    r = [np.corrcoef(want[max(0, -k) : n - max(0, k)], gap[max(0, k) : n - max(0, -k)])[0, 1] for k in range(-30, 31)]
    best = int(np.argmax(r))
    shift = 0.0
    if 0 < best < 60:
        shift = 0.5 * (r[best - 1] - r[best + 1]) / (r[best - 1] - 2 * r[best] + r[best + 1])
    return (best - 30 + shift) * 10, r[30]


# ---- sets -----------------------------------------------------------------------------------------------------------
def lip_curves(lips, face, rise):
    """raw output [n, 7] -> gap, width, shut"""
    shut, tuck = gates_of(lips[:, TRACKS], lips[:, TRACKS + 1], rise)
    arkit = to_arkit(lips[:, :TRACKS] * TRACK_SCALE + TRACK_MEAN, shut, tuck)
    return *face.gap_and_width(arkit), shut


def teacher_curves(clip, corpus, face):
    curves = articulate(clip.phones, corpus.mel_of(clip))[::4]
    return face.gap_and_width(to_arkit(curves[:, :TRACKS], curves[:, TRACKS], curves[:, TRACKS + 1]))


def uncertain(met, counts, rng, draws=300):
    """95 % half-width of sum(met) / sum(counts) when other clips had been drawn"""
    met, counts = np.asarray(met, float), np.asarray(counts, float)
    picks = rng.integers(0, len(met), (draws, len(met)))
    return round(float(1.96 * np.std(met[picks].sum(1) / np.maximum(counts[picks].sum(1), 1e-9))), 3)


def judge(clips, lips, face, rise, openness=None, teacher=None):
    """-> {check: [rate, rate at random moments, n, 95 % of chance]}, wrong closures a second, and more where asked"""
    checks, held, lags, rs, likeness = [], [], [], [], []
    for k, (clip, raw) in enumerate(zip(clips, lips)):
        gap, width, shut = lip_curves(raw, face, rise)
        checks.append(phone_checks(gap, width, clip.phones))
        held.append((*closures(shut, clip.phones), len(shut) / 25))
        if openness and len(gap) > 30 and gap.std() > 1e-3:
            lag, r0 = offset_and_r(gap, clip.phones, openness)
            lags.append(lag)
            rs.append(r0)
        if teacher and gap.std() > 1e-3:
            n = min(len(gap), len(teacher[k][0]))
            likeness.append(np.corrcoef(gap[:n], teacher[k][0][:n])[0, 1])
    right, wrong, seconds = np.sum(held, axis=0)
    out = {"wrong closures a second": round(wrong / seconds, 3),
           "right share of closures": round(right / max(1, right + wrong), 3), "seconds": round(seconds), "clips": len(clips)}
    for check in CHECKS:
        n = sum(c[check][1] for c in checks)
        out[check] = [round(sum(c[check][0] for c in checks) / max(1, n), 3),
                      round(sum(c[check][2] * c[check][1] for c in checks) / max(1, n), 3), n]
    if openness:
        rng = np.random.default_rng(5)
        for check in CHECKS:
            out[check].append(uncertain([c[check][0] for c in checks], [c[check][1] for c in checks], rng))
        out["wrong closures a second, 95 %"] = uncertain([h[1] for h in held], [h[2] for h in held], rng)
    if lags:
        out["offset ms (median, p10, p90)"] = np.percentile(lags, [50, 10, 90]).round(1).tolist()
        out["r with the expected opening"] = round(float(np.median(rs)), 3)
    if likeness:
        out["r with the teacher's gap"] = round(float(np.median(likeness)), 3)
    return out


def choose_rise(clips, lips, face):
    """thresholds: `shut` for WRONG_CLOSURES a second, `tuck` for the lift of F V over random moments

    That lift hardly changes over a wide range of thresholds: of those that are as good within ALIKE the middle one is
    taken. A gate that rises early brings the lips near the teeth in vowels too, one that rises late misses quick F V.
    """
    gate = lambda t: (round(float(0.5 * t), 4), round(float(1.5 * t), 4))
    wrong = lambda t: judge(clips, lips, face, {"shut": gate(t), "tuck": gate(0.26)})["wrong closures a second"]
    low, high = np.log(0.02), np.log(0.66)
    for _ in range(8):  # the fewer wrong closures, the higher the threshold
        middle = (low + high) / 2
        low, high = (middle, high) if wrong(np.exp(middle)) > WRONG_CLOSURES else (low, middle)
    shut = gate(np.exp(high))

    def lift(t):
        rate, chance, *_ = judge(clips, lips, face, {"shut": shut, "tuck": gate(t)})["F V near"]
        return rate - chance

    lifts = {t: lift(t) for t in (0.05, 0.07, 0.10, 0.13, 0.17, 0.21, 0.26, 0.32, 0.38, 0.45)}
    alike = [t for t, gained in lifts.items() if gained > max(lifts.values()) - ALIKE]
    return {"shut": shut, "tuck": gate(alike[len(alike) // 2])}
