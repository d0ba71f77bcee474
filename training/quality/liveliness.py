"""Does the generated face belong to the voice, is every take another one, and does it do what it is asked?

    python training/quality/liveliness.py [CLIP…] [--shared ../shared] [--program target/release/parlante] [--out liveliness.json]
        [--videos build/quality/quality.json]

Two takes of every recording (LJSpeech's sample and pocketsphinx's clips, if none are named): head speed, ranges and
second differences; head activity against loudness and brows against pitch, each beside the same sound shifted in time
(an honest chance level); what two takes have in common. Then silence, and how well gaze, distance and emotions that were
asked for come out. Bars stand beside the numbers; what misses one is marked. Filmed talkers are the 10 % to 90 % of
`../shared/eval/README.md`; with `--videos` the rows that only a picture can tell are read from a run of quality.py.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

import numpy as np

from motions import BLOCK, EMOTIONS, FPS, RATE, Motion, aligned, generate, lids_shut, sound, write_sound

# The 10th and 90th percentile of filmed talkers. Their gaze is told in eye widths (2.7 cm); an eye of 1.2 cm radius moves
# its iris by 0.0078 of that a degree.
FILMED = {"head speed": (6, 22), "yaw": (0.2, 7), "gaze x": (1.0, 5.5), "gaze y": (0.8, 2.4), "blink": (83, 220)}
# What only a picture tells, by the names of the evaluation.
SEEN = {
    "head_speed_deg_s": (6, 22), "head_yaw_std_deg": (0.2, 7), "jitter_head": (None, 28), "jitter_noise": (None, 8.5),
    "jitter_shape": (None, 12), "gaze_x_std": (0.008, 0.043), "gaze_y_std": (0.006, 0.019), "blink_ms": (83, 220),
    "mouth_speed": (0.15, 0.28), "aperture_range": (0.054, 0.090),
}
# Gap of the lips in cm a unit of each shape, on the ICT face, and that face's height (forehead top to chin), cm.
GAP_SHAPES = "jawOpen mouthClose mouthFunnel mouthPucker mouthRollLower mouthLowerDownLeft mouthLowerDownRight mouthUpperUpLeft mouthUpperUpRight".split()
GAP, FACE_HEIGHT = np.array([3.15, -3.855, 1.291, -0.078, -0.331, 0.324, 0.324, 0.356, 0.356]), 16.3
LAGS = range(0, 13)  # frames by which the face may follow the voice: up to half a second
SHIFTS = 400


def loudness(x):
    """a value a frame, 0..1 within 35 dB under the loud moments"""
    frames = x[: len(x) // BLOCK * BLOCK].reshape(-1, BLOCK)
    level = 10 * np.log10((frames**2).mean(1) + 1e-10)
    return np.clip((level - np.percentile(level, 95) + 35) / 35, 0, 1)


def pitch(x):
    """semitones about the median a frame; straight between voiced frames (autocorrelation, 70 to 400 Hz)"""
    n = len(x) // BLOCK
    hz = np.full(n, np.nan)
    for i in range(n):
        part = x[max(0, i * BLOCK - 200) : i * BLOCK + BLOCK + 200]
        part = part - part.mean()
        if len(part) < 800 or (part**2).mean() < 1e-6:
            continue
        spectrum = np.fft.rfft(part * np.hanning(len(part)), 4096)
        r = np.fft.irfft(np.abs(spectrum) ** 2)
        lags = np.arange(RATE // 400, RATE // 70)
        k = lags[np.argmax(r[lags])]
        if r[k] > 0.45 * r[0]:
            hz[i] = RATE / k
    voiced = ~np.isnan(hz)
    if voiced.sum() < 5:
        return np.zeros(n)
    semitones = 12 * np.log2(hz[voiced] / np.median(hz[voiced]))
    return np.interp(np.arange(n), np.flatnonzero(voiced), np.clip(semitones, -8, 8))


def smooth(x, deviation):
    reach = int(4 * deviation) + 1
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / deviation) ** 2)
    return np.convolve(np.pad(x, reach, mode="edge"), kernel / kernel.sum(), "valid")


def r(a, b):
    a, b = a - a.mean(), b - b.mean()
    return float((a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum() + 1e-12))


def following(voice, face):
    """highest correlation of the face with the voice up to half a second before"""
    return max(r(voice[: len(voice) - k], face[k:]) for k in LAGS)


def swaying(voice, head):
    """how much the head goes up, down or aside with the voice within phrases, whichever way: mean |correlation| of each
    angle with the voice a fifth of a second before, in windows of two seconds"""
    n = len(voice) // (2 * FPS)
    cut = lambda x: (y := x[: n * 2 * FPS].reshape(n, 2 * FPS)) - y.mean(1, keepdims=True)
    v, lag = cut(np.roll(voice, 5)), []
    for axis in head.T:
        a = cut(axis)
        lag.append(np.abs((a * v).sum(1)) / np.sqrt((a * a).sum(1) * (v * v).sum(1) + 1e-9))
    return float(np.mean(lag))


def against_chance(voice, face, rng, how=following):
    """-> correlation, its mean for shifted voices, and the share of shifts that reach it (p)"""
    shifts = rng.integers(50, len(voice) - 50, SHIFTS)
    chance = np.array([how(np.roll(voice, int(s)), face) for s in shifts])
    value = how(voice, face)
    return {"r": round(value, 3), "shifted": round(float(chance.mean()), 3), "p": round(float((1 + (chance >= value).sum()) / (1 + SHIFTS)), 4)}


def pose(motion):
    return np.stack([motion[axis] for axis in ("yaw", "pitch", "roll")], 1)


def joined(parts):
    return np.concatenate(list(parts))


def rhythm(takes, voices):
    """two takes of every clip and their voices (loudness, pitch) -> rows"""
    rng = np.random.default_rng(1)
    first = [t[0] for t in takes]
    heads = [pose(m) for m in first]
    # A clip's own mean is taken out: who looks where on the whole says nothing about rhythm.
    activity = joined(smooth(np.append(v := np.linalg.norm(np.diff(h, axis=0), axis=1), v[-1]), 2) for h in heads)
    loud = joined(smooth(v[0], 2) for v in voices)
    tune = joined(smooth(v[1] - v[1].mean(), 1) for v in voices)
    raised = joined(smooth(m["browInnerUp"] - m["browInnerUp"].mean(), 1) for m in first)
    nod = joined(h[:, 1] - h[:, 1].mean() for h in heads)
    follows = {
        "head activity with loudness": against_chance(loud, activity, rng),
        "nods with loudness": against_chance(loud, nod, rng),
        "turns with pitch, either way": against_chance(tune, joined(heads), rng, swaying),
        "brows with pitch": against_chance(tune, raised, rng),
    }
    rows = [(f"{name}: r (shifted {v['shifted']:.2f}), p", v["p"], 0, 0.01, f"r {v['r']:.2f}") for name, v in follows.items()]
    same = lambda pick: r(joined(pick(a) for a, _ in takes), joined(pick(b) for _, b in takes))
    for name in ("jawOpen", "mouthClose", "mouthPucker"):
        rows.append((f"two takes, r: {name}", same(lambda m: m[name]), 0.9, 1))
    for name in ("yaw", "pitch", "roll", "browInnerUp"):
        rows.append((f"two takes, |r|: {name}", abs(same(lambda m: m[name])), 0, 0.3))
    return rows


def ranges(takes):
    first = [t[0] for t in takes]
    heads = [pose(m) for m in first]
    middle = lambda values: float(np.median(values))
    speed = [np.median(np.linalg.norm(np.diff(h, axis=0) * FPS, axis=1)) for h in heads]
    frames = sum(len(h) for h in heads)
    blinks = [length for m in first for _, length in lids_shut(m)]
    steps = lambda h: np.abs(np.diff(h, axis=0)).max()
    second = np.sqrt(np.mean([(np.diff(h, 2, axis=0) ** 2).mean(0) for h in heads], 0))
    return [
        ("head speed, degrees a second, median of clips", middle(speed), *FILMED["head speed"]),
        ("deviation of yaw, degrees, median of clips", middle([h[:, 0].std() for h in heads]), *FILMED["yaw"]),
        ("deviation of pitch, roll", middle([h[:, 1].std() for h in heads]), None, None, f"{middle([h[:, 2].std() for h in heads]):.2f}"),
        ("deviation of gaze across, degrees", middle([m["gaze x"].std() for m in first]), *FILMED["gaze x"]),
        ("deviation of gaze up and down, degrees", middle([m["gaze y"].std() for m in first]), *FILMED["gaze y"]),
        ("second difference of yaw, pitch, roll, degrees", float(second[0]), None, None, f"{second[1]:.3f}, {second[2]:.3f}"),
        ("largest step of the head in a frame, degrees", max(map(steps, heads)), None, None),
        ("blinks a minute", len(blinks) / frames * FPS * 60, 10, 30),
        ("a blink takes, ms, median", middle(blinks) * 1000 / FPS, *FILMED["blink"]),
    ]


def silence(program, seeds):
    """10 s of digital silence and of faint noise"""
    rows, rng = [], np.random.default_rng(2)
    with tempfile.TemporaryDirectory() as folder:
        for name, level in (("silence", 0.0), ("faint noise", 3e-5)):
            path = Path(folder) / "s.wav"
            write_sound(path, level * rng.standard_normal(10 * RATE))
            takes = [generate(program, path, "--seed", seed) for seed in seeds]
            opening = [GAP @ [m[k] for k in GAP_SHAPES] / FACE_HEIGHT * 1000 for m in takes]
            line = lambda y: y - np.polyval(np.polyfit(np.arange(len(y)), y, 1), np.arange(len(y)))
            rows += [
                (f"10 s of {name}: mouth open at most, per mille of the face", max(o.max() for o in opening), None, 15),
                (f"10 s of {name}: silence_motion, per mille", max(line(o).std() for o in opening), 0, 9),
                (f"10 s of {name}: blinks a minute, mean of {len(takes)} takes", 6 * float(np.mean([len(lids_shut(m)) for m in takes])), 10, 30),
                (f"10 s of {name}: smallest move of the head within a second, degrees", min(still(pose(m)) for m in takes), 0.05, None),
            ]
    return rows


def still(head):
    """smallest turn about any axis within any second"""
    return min(np.ptp(head[i : i + FPS], axis=0).max() for i in range(len(head) - FPS))


def obeyed(program, clips):
    """asked against generated, over takes of several sentences"""
    asked, got = {}, {}

    def note(what, wish, value):
        asked.setdefault(what, []).append(wish)
        got.setdefault(what, []).append(value)

    for i, clip in enumerate(clips):
        for k, angle in enumerate((-24, -16, -8, 0, 8, 16, 24)):
            m = generate(program, clip, "--gaze", f"{angle},0", "--seed", 31 * i + k)
            note("gaze across (eyes and head)", angle, (m["gaze x"] + m["yaw"]).mean())
            m = generate(program, clip, "--gaze", f"0,{angle * 0.8}", "--seed", 57 * i + k)
            note("gaze up and down (eyes and head)", angle * 0.8, (m["gaze y"] + m["pitch"]).mean())
        for k, size in enumerate((0.6, 0.8, 1.0, 1.25, 1.6)):
            note("distance", size, generate(program, clip, "--distance", size, "--seed", 71 * i + k)["scale"].mean())
        for emotion in EMOTIONS:
            plain = generate(program, clip, "--seed", 500 + i)
            full = generate(program, clip, "--emotion", f"{emotion}=1", "--seed", 600 + i)
            names = [k for k in full if k.startswith(("brow", "eye", "cheek", "nose", "mouth"))]
            mean = lambda m: np.array([m[k].mean() for k in names])
            axis = mean(full) - mean(plain)
            for k, strength in enumerate((0.0, 0.25, 0.5, 0.75, 1.0)):
                m = generate(program, clip, "--emotion", f"{emotion}={strength}", "--seed", 800 + 7 * i + k)
                note(f"emotion {emotion}", strength, (mean(m) - mean(plain)) @ axis / (axis @ axis))
    return [(f"asked and generated, r: {what}", r(np.array(asked[what]), np.array(got[what])), 0.98, 1) for what in asked]


def pictures(path):
    """rows of a run of quality.py: medians of the videos"""
    rows = [row["metrics"] for row in json.loads(path.read_text())]
    out = []
    for name, (low, high) in SEEN.items():
        values = [m[name] for m in rows if m.get(name) is not None]
        if values:
            out.append((f"videos ({len(values)}): {name}, median", float(np.median(values)), low, high))
    return out


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("clips", nargs="*", type=Path)
    a.add_argument("--shared", type=Path, default=Path("../shared"))
    a.add_argument("--program", default="target/release/parlante")
    a.add_argument("--videos", type=Path)
    a.add_argument("--quick", action="store_true", help="leave silence and what is asked for out")
    a.add_argument("--out", type=Path)
    o = a.parse_args()
    clips = o.clips or [c for c, _ in aligned(o.shared, "ljspeech-sample", "pocketsphinx-testdata")]
    takes, voices = [], []
    for number, clip in enumerate(clips):
        # Every clip has seeds of its own: a take begins with its seed's posture, whatever is heard.
        pair = [generate(o.program, clip, "--seed", seed) for seed in (2 * number + 1, 2 * number + 2)]
        x = sound(clip)
        n = min(len(x) // BLOCK, len(pair[0]["yaw"]))
        takes.append([Motion({k: v[:n] for k, v in m.items()}) for m in pair])
        voices.append((loudness(x)[:n], pitch(x)[:n]))
    rows = [(f"recordings, {sum(len(v[0]) for v in voices) / FPS:.0f} s", len(clips), None, None)]
    rows += rhythm(takes, voices) + ranges(takes)
    if not o.quick:
        rows += silence(o.program, range(6)) + obeyed(o.program, clips[:3])
    if o.videos:
        rows += pictures(o.videos)
    missed = 0
    print("| | measured | bar | |\n|---|---|---|---|")
    for name, value, low, high, *more in rows:
        bar = "" if low is None and high is None else f"{'' if low is None else low} to {'' if high is None else high}"
        miss = (low is not None and value < low) or (high is not None and value > high)
        missed += miss
        print(f"| {name} | {', '.join([f'{value:.3g}', *more])} | {bar} | {'**missed**' if miss else ''} |")
    print(f"\n{missed} missed")
    if o.out:
        o.out.write_text(json.dumps([dict(zip(("what", "value", "low", "high", "more"), row)) for row in rows], indent=1) + "\n")
    sys.exit(missed > 0)


if __name__ == "__main__":
    main()
