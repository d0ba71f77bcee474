"""How well the networks do on speakers they never heard, measured on the lips of the ICT face.

    python -m speech.evaluate --corpus runs/corpus --run runs/speech --face ../../shared/data/face/ict_face.safetensors \\
        --openness ../../shared/eval/calibration.json --choose runs/speech/rise.json          # gate thresholds
    python -m speech.evaluate --corpus runs/corpus --pack ../packs/motion.gguf --face ... --openness ... --out RESULTS.json

The thresholds of the gates are chosen on the development speakers (non-native, never trained), never on native speech.
"""
import argparse
import json
from pathlib import Path

import numpy as np
import torch
from scipy.ndimage import gaussian_filter1d

from .articulation import gates_of, to_arkit
from .corpus import DEVELOPMENT_SETS, NATIVE_TEST_SETS, Corpus
from .mel import BANDS, FLOOR
from .networks import DELAY_ROWS, TRACK_MEAN, TRACK_SCALE, Speech
from .phones import BILABIAL, INDEX, LABIODENTAL, ROUNDED, VISEME_OF, WIDE_OPEN
from .teacher import articulate

TRACKS = len(TRACK_MEAN)
SILENCE_AFTER = 16  # mel frames of digital silence after a clip, so that late outputs exist
WRONG_CLOSURES = 0.3  # a second: what the thresholds are chosen for
_VISEME = np.array(VISEME_OF)
CHECKS = {"P B M closed": BILABIAL, "F V near": LABIODENTAL, "W UW OW narrow": ROUNDED, "open vowels open": WIDE_OPEN}


# ---- networks -------------------------------------------------------------------------------------------------------
@torch.no_grad()
def outputs_of(model, corpus, mels):
    """log-mels [2n, 80] of several clips -> of each: phone logits [n, 40] in time with the labels, lips [n // 2, 7] at 40i ms

    The networks are causal, so clips of any length share a batch: what is padded behind a clip cannot reach it.
    """
    longest = max(len(m) for m in mels) + SILENCE_AFTER
    x = np.full((len(mels), longest, BANDS), np.log(FLOOR), np.float32)
    for k, mel in enumerate(mels):
        x[k, : len(mel)] = mel
    logits, lips = model(torch.from_numpy((x - corpus.mean) * corpus.scale))
    rows = [len(m) // 2 for m in mels]
    return [(logits[k, DELAY_ROWS : DELAY_ROWS + n].numpy(), lips[k, : n // 2].numpy()) for k, n in enumerate(rows)]


def outputs(model, corpus, clips, spoil=None, batch=24):
    """{file: (phone logits, lips)} of every clip"""
    out = {}
    ordered = sorted(clips, key=lambda c: c.rows)
    for first in range(0, len(ordered), batch):
        part = ordered[first : first + batch]
        mels = [corpus.mel_of(c) for c in part]
        if spoil:
            mels = [spoil(m).astype(np.float32) for m in mels]
        out.update(zip((c.file for c in part), outputs_of(model, corpus, mels)))
    return out


def right_frames(heard, said):
    """-> rows of speech, with the right phone, with the right viseme"""
    speech = said > INDEX["SIL"]
    return np.array([speech.sum(), (heard == said)[speech].sum(), (_VISEME[heard] == _VISEME[said])[speech].sum()])


def frame_accuracy(model, corpus, clips):
    """-> share of the speech rows with the right phone, with the right viseme"""
    total = np.zeros(3)
    heard = outputs(model, corpus, clips)
    for clip in clips:
        total += right_frames(heard[clip.file][0].argmax(1), corpus.labels[clip.span])
    return (total[1:] / max(1, total[0])).round(3).tolist()


# ---- spoilt sound ---------------------------------------------------------------------------------------------------
def with_noise(mel, rng):
    """noise with the colour of speech, swelling, 10 dB below the speech"""
    power = np.exp(mel)
    noise = rng.gamma(2.0, 0.5, power.shape) * np.exp(-np.arange(BANDS) / 25)
    swell = rng.normal(0, 0.5, len(power) // 40 + 2)
    noise *= np.exp(np.interp(np.arange(len(power)), 40 * np.arange(len(swell)), swell))[:, None]
    return np.log(power + noise / noise.mean() * np.percentile(power.mean(1), 60) / 10)


def telephone(mel, _):
    """nothing below 300 Hz and above 3400 Hz"""
    mels = np.linspace(0, 2595 * np.log10(1 + 7800 / 700), BANDS)
    hz = 700 * (10 ** (mels / 2595) - 1)
    return np.log(np.where((hz < 300) | (hz > 3400), np.exp(mel) * 1e-4, np.exp(mel)) + FLOOR)


CONDITIONS = {"clean": lambda mel, _: mel, "noise, 10 dB": with_noise, "telephone band": telephone}


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


def judge(clips, lips, face, rise, openness=None, teacher=None):
    """-> {check: [rate, rate at random moments, n]}, wrong closures a second, and more where asked"""
    checks, right, wrong, seconds, lags, rs, likeness = [], 0, 0, 0.0, [], [], []
    for k, (clip, raw) in enumerate(zip(clips, lips)):
        gap, width, shut = lip_curves(raw, face, rise)
        checks.append(phone_checks(gap, width, clip.phones))
        r, w = closures(shut, clip.phones)
        right, wrong, seconds = right + r, wrong + w, seconds + len(shut) / 25
        if openness and len(gap) > 30 and gap.std() > 1e-3:
            lag, r0 = offset_and_r(gap, clip.phones, openness)
            lags.append(lag)
            rs.append(r0)
        if teacher and gap.std() > 1e-3:
            n = min(len(gap), len(teacher[k][0]))
            likeness.append(np.corrcoef(gap[:n], teacher[k][0][:n])[0, 1])
    out = {"wrong closures a second": round(wrong / seconds, 3), "right share of closures": round(right / max(1, right + wrong), 3),
           "seconds": round(seconds), "clips": len(clips)}
    for check in CHECKS:
        n = sum(c[check][1] for c in checks)
        out[check] = [round(sum(c[check][0] for c in checks) / max(1, n), 3),
                      round(sum(c[check][2] * c[check][1] for c in checks) / max(1, n), 3), n]
    if lags:
        out["offset ms (median, p10, p90)"] = np.percentile(lags, [50, 10, 90]).round(1).tolist()
        out["r with the expected opening"] = round(float(np.median(rs)), 3)
    if likeness:
        out["r with the teacher's gap"] = round(float(np.median(likeness)), 3)
    return out


def choose_rise(clips, lips, face):
    """thresholds: `shut` for about WRONG_CLOSURES a second, `tuck` for the largest lift of F V over random moments"""
    centres = (0.03, 0.05, 0.07, 0.10, 0.13, 0.17, 0.21, 0.26, 0.32, 0.38, 0.45, 0.52, 0.60)
    gate = lambda t: (round(0.5 * t, 4), round(1.5 * t, 4))
    far = lambda t: abs(np.log((judge(clips, lips, face, {"shut": gate(t), "tuck": gate(0.26)})["wrong closures a second"] + 0.01) / WRONG_CLOSURES))
    shut = gate(min(centres, key=far))

    def lift(t):
        rate, chance, _ = judge(clips, lips, face, {"shut": shut, "tuck": gate(t)})["F V near"]
        return rate - chance

    return {"shut": shut, "tuck": gate(max(centres, key=lift))}


GROUPS = {
    "LJSpeech": ("ljspeech-sample",), "pocketsphinx": ("pocketsphinx-testdata",),
    "LJSpeech + pocketsphinx": ("ljspeech-sample", "pocketsphinx-testdata"), "asterisk-en": ("asterisk-en",),
    "held-out adults": ("held-adult",), "held-out children": ("held-child",),
}


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--corpus", type=Path, required=True)
    args.add_argument("--run", type=Path)
    args.add_argument("--pack", type=Path)
    args.add_argument("--face", type=Path, required=True)
    args.add_argument("--openness", type=Path, required=True)
    args.add_argument("--choose", type=Path, help="write gate thresholds and stop")
    args.add_argument("--out", type=Path)
    a = args.parse_args()
    from .ict_lips import IctLips

    torch.set_num_threads(1)
    corpus, face = Corpus(a.corpus), IctLips(a.face)
    openness = json.load(open(a.openness))["phone_openness"]
    if a.pack:
        from .pack import MotionPack

        pack = MotionPack(a.pack)
        model, rise = pack.model, {k: tuple(v) for k, v in pack.articulation["gate_rise"].items()}
    else:
        model, rise = Speech().eval(), None
        model.load_state_dict(torch.load(a.run / "latest.pt", weights_only=True)["average"])

    if a.choose:
        clips = corpus.of(*DEVELOPMENT_SETS)
        heard = outputs(model, corpus, clips)
        rise = choose_rise(clips, [heard[c.file][1] for c in clips], face)
        a.choose.write_text(json.dumps(rise) + "\n")
        print(rise)
        return
    results = {}
    for condition, spoil in CONDITIONS.items():
        rng = np.random.default_rng(3)
        heard = outputs(model, corpus, corpus.of(*DEVELOPMENT_SETS, *NATIVE_TEST_SETS), lambda mel: spoil(mel, rng))
        for group, sets in GROUPS.items():
            clips = corpus.of(*sets)
            teacher = [teacher_curves(c, corpus, face) for c in clips] if condition == "clean" else None
            row = judge(clips, [heard[c.file][1] for c in clips], face, rise, openness, teacher)
            total = sum(right_frames(heard[c.file][0].argmax(1), corpus.labels[c.span]) for c in clips)
            row["phones, visemes right (speech frames)"] = (total[1:] / total[0]).round(3).tolist()
            if teacher:
                checks = [phone_checks(*t, c.phones) for t, c in zip(teacher, clips)]
                n = sum(c["P B M closed"][1] for c in checks)
                row["teacher: P B M closed, random"] = [round(sum(c["P B M closed"][0] for c in checks) / n, 3),
                                                        round(sum(c["P B M closed"][2] * c["P B M closed"][1] for c in checks) / n, 3)]
            results.setdefault(condition, {})[group] = row
            print(condition, group, json.dumps(row), flush=True)
    if a.out:
        a.out.write_text(json.dumps({"gates": rise, "results": results}, indent=1) + "\n")


if __name__ == "__main__":
    main()
