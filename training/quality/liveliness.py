"""Does the generated head belong to the voice, and is every take another one?

    python training/quality/liveliness.py CLIP… [--program target/release/parlante] [--out liveliness.json]

Generates two takes of every recording and measures, with numpy alone (other sound files than WAV are decoded by
ffmpeg): head speed and second differences, head activity against loudness, brows against pitch, each beside the same
sound shifted in time (an honest chance level), and how much two takes have in common.
"""

import argparse
import io
import json
import subprocess
import sys
import tempfile
import wave
from pathlib import Path

import numpy as np

RATE, FPS = 16_000, 25
BLOCK = RATE // FPS
LAGS = range(0, 13)  # frames by which the face may follow the voice: up to half a second
SHIFTS = 400


def sound(path):
    """-> samples at 16 kHz, mono"""
    path = Path(path)
    if path.suffix.lower() != ".wav":
        command = ["ffmpeg", "-v", "error", "-i", path, "-ac", "1", "-ar", str(RATE), "-f", "wav", "-"]
        data = subprocess.run(command, capture_output=True, check=True).stdout
    else:
        data = path.read_bytes()
    with wave.open(io.BytesIO(data)) as w:
        assert w.getframerate() == RATE and w.getsampwidth() == 2, f"{path}: 16 kHz and 16 bits are expected"
        x = np.frombuffer(w.readframes(1 << 40 if w.getnframes() <= 0 else w.getnframes()), np.int16)
        return x.reshape(-1, w.getnchannels()).mean(1) / 32768


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


def against_chance(voice, face, rng):
    """-> correlation, its mean for shifted voices, and the share of shifts that reach it (p)"""
    shifts = rng.integers(50, len(voice) - 50, SHIFTS)
    chance = np.array([following(np.roll(voice, int(s)), face) for s in shifts])
    value = following(voice, face)
    return {"r": round(value, 3), "shifted": round(float(chance.mean()), 3), "p": round(float((1 + (chance >= value).sum()) / (1 + SHIFTS)), 4)}


def measure(takes, voices):
    """two takes of every clip [(pose [n, 3], brows [n], jaw [n], lids [n])] and their voices (loudness, pitch) -> numbers"""
    rng = np.random.default_rng(1)
    first = [t[0] for t in takes]
    speed = [np.median(np.linalg.norm(np.diff(t[0], axis=0) * FPS, axis=1)) for t in first]
    second = [np.sqrt((np.diff(t[0], 2, axis=0) ** 2).mean(0)) for t in first]
    join = lambda parts: np.concatenate(list(parts))
    # A clip's own mean is taken out: who looks where on the whole says nothing about rhythm.
    activity = join(smooth(np.append(v := np.linalg.norm(np.diff(t[0], axis=0), axis=1), v[-1]), 2) for t in first)
    loud = join(smooth(v[0], 2) for v in voices)
    tune = join(smooth(v[1] - v[1].mean(), 1) for v in voices)
    brows = join(smooth(t[1] - t[1].mean(), 1) for t in first)
    nod = join(t[0][:, 1] - t[0][:, 1].mean() for t in first)
    lids = join(t[3] for t in first) > 0.5
    same = lambda pick: r(join(pick(a) for a, _ in takes), join(pick(b) for _, b in takes))
    return {
        "seconds": round(len(loud) / FPS, 1),
        "head speed, degrees a second (p10, p50, p90 of clips)": np.percentile(speed, [10, 50, 90]).round(1).tolist(),
        "deviation of yaw, pitch, roll": np.median([t[0].std(0) for t in first], 0).round(2).tolist(),
        "second difference of yaw, pitch, roll": np.median(second, 0).round(3).tolist(),
        "blinks a minute": round(float((lids[1:] & ~lids[:-1]).sum() / len(lids) * FPS * 60), 1),
        "head activity with loudness": against_chance(loud, activity, rng),
        "nods with loudness": against_chance(loud, nod, rng),
        "brows with pitch": against_chance(tune, brows, rng),
        "two takes, r": {
            "jaw": round(same(lambda t: t[2]), 3),
            "yaw, pitch, roll": [round(same(lambda t, i=i: t[0][:, i]), 2) for i in range(3)],
            "brows": round(same(lambda t: t[1]), 2),
        },
    }


def curves(path):
    """a motion file -> pose, brows, jaw, lids"""
    frames = json.loads(Path(path).read_text())["frames"]
    head = lambda f, k: f.get("head", {}).get(k, 0.0)
    shape = lambda f, k: f.get("blendshapes", {}).get(k, 0.0)
    pose = np.array([[head(f, k) for k in ("yaw", "pitch", "roll")] for f in frames])
    one = lambda k: np.array([shape(f, k) for f in frames])
    return pose, one("browInnerUp"), one("jawOpen"), one("eyeBlinkLeft")


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("clips", nargs="+", type=Path)
    a.add_argument("--program", default="target/release/parlante")
    a.add_argument("--out", type=Path)
    o = a.parse_args()
    takes, voices = [], []
    with tempfile.TemporaryDirectory() as folder:
        for number, clip in enumerate(o.clips):
            pair = []
            # Every clip has seeds of its own: a take begins with its seed's posture, whatever is heard.
            for seed in (2 * number + 1, 2 * number + 2):
                out = Path(folder) / "m.json"
                done = subprocess.run([o.program, "motion", clip, "-o", out, "--seed", str(seed)], capture_output=True, text=True)
                if done.returncode:
                    sys.exit(f"{clip.name}: {done.stderr.strip().splitlines()[-1]}")
                pair.append(curves(out))
            x = sound(clip)
            n = min(len(x) // BLOCK, len(pair[0][0]))
            takes.append(tuple(tuple(c[:n] for c in take) for take in pair))
            voices.append((loudness(x)[:n], pitch(x)[:n]))
    result = measure(takes, voices)
    print(json.dumps(result, indent=1))
    if o.out:
        o.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
