"""Generated motion as arrays, and the recordings that it is generated from."""

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
EMOTIONS = "happy sad angry surprised afraid disgusted tender".split()
HEAD = ("yaw", "pitch", "roll", "x", "y", "scale")


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


def write_sound(path, samples):
    """samples at 16 kHz -> WAV file"""
    with wave.open(str(path), "wb") as w:
        w.setnchannels(1)
        w.setsampwidth(2)
        w.setframerate(RATE)
        w.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())


class Motion(dict):
    """{name of a coefficient, "yaw", …, "gaze x", "gaze y": [frames]}; what is always 0 is left out, but can be asked for"""

    def __missing__(self, name):
        return np.zeros(len(self["yaw"]))


def read(path):
    """a motion file -> Motion"""
    frames = json.loads(Path(path).read_text())["frames"]
    names = sorted({name for f in frames for name in f.get("blendshapes", {})})
    out = Motion({name: np.array([f.get("blendshapes", {}).get(name, 0.0) for f in frames]) for name in names})
    for name in HEAD:
        out[name] = np.array([f.get("head", {}).get(name, 1.0 if name == "scale" else 0.0) for f in frames])
    for axis in "xy":
        out["gaze " + axis] = np.array([f.get("gaze", {}).get(axis, 0.0) for f in frames])
    return out


def generate(program, recording, *options):
    """runs `parlante motion`; -> Motion"""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "m.json"
        done = subprocess.run([program, "motion", recording, "-o", out, *map(str, options)], capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"{recording}: {done.stderr.strip().splitlines()[-1]}")
        return read(out)


def lids_shut(motion):
    """blinks as (first frame, frames)"""
    shut = np.concatenate([[0], motion["eyeBlinkLeft"] > 0.5, [0]]).astype(int)
    return [(a, b - a) for a, b in np.flatnonzero(np.diff(shut)).reshape(-1, 2)]


def aligned(shared, *groups):
    """[(recording, phones [[name, start ms, end ms]])] of sets whose phones are known"""
    out = []
    for group in groups:
        table = json.loads((shared / "data/speech/alignments" / f"{group}.json").read_text())
        out += [(shared / "data/speech" / group / name, phones) for name, phones in sorted(table.items())]
    return out
