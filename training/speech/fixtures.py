"""Expected values at every stage, for the tests of the runtime. FORMAT.md, section 7.

    python -m speech.fixtures --pack ../packs/motion.gguf --out ../crate/tests/fixtures/motion
"""
import argparse
import json
from pathlib import Path

import numpy as np
import torch

from .articulation import CONSTANTS, GATE_RISE, gates_of, to_arkit
from .mel import BANDS, FLOOR, log_mel
from .networks import LIP_FIRST_ROW
from .pack import MotionPack
from .phones import PHONES
from .teacher import coarticulate

TRACKS = 5
SECONDS = 0.56


def babble(seed=7):
    """something like speech: a voiced source through moving resonances, with gaps and hiss; 16-bit integers"""
    rng = np.random.default_rng(seed)
    n = int(SECONDS * 16000)
    t = np.arange(n) / 16000
    phase = 2 * np.pi * np.cumsum(120 + 25 * np.sin(2 * np.pi * 1.3 * t)) / 16000
    loud = np.clip(np.sin(2 * np.pi * 2.6 * t) + 0.5, 0, 1)
    sound = np.zeros(n)
    for h in range(1, 30):
        f = 120.0 * h
        formants = (500 + 250 * np.sin(2 * np.pi * 1.7 * t), 1500 + 600 * np.sin(2 * np.pi * 1.1 * t + 1), 2600)
        sound += sum(np.exp(-(((f - c) / 180) ** 2)) for c in formants) * np.sin(h * phase)
    sound = 0.09 * loud * sound + 0.02 * rng.standard_normal(n) * (np.sin(2 * np.pi * 0.9 * t + 2) > 0.4)
    return np.clip(np.round(sound * 32768), -32768, 32767).astype(int)


def rounded(values, digits=5):
    return [round(float(v), digits) for v in values]


def named(coefficients, frame):
    return {k: round(float(v[frame]), 5) for k, v in sorted(coefficients.items()) if abs(v[frame]) > 1e-9}


@torch.no_grad()
def speech_case(pack):
    samples = babble()
    mel = log_mel(samples / 32768)
    late = np.full((16, BANDS), np.log(FLOOR), np.float32)  # what zero samples after the end give, but for the first two
    mel_long = log_mel(np.concatenate([samples / 32768, np.zeros(16 * 160)]))
    assert np.allclose(mel_long[len(mel) + 2 :], late[2:])
    x = torch.from_numpy(((mel_long - pack.mean) * pack.scale).astype(np.float32))[None]
    rows = pack.model.encoder(x)
    logits, lips = pack.model(x)
    rows, logits, lips = rows[0].numpy(), logits[0].numpy(), lips[0].numpy()
    shut, tuck = gates_of(lips[:, TRACKS], lips[:, TRACKS + 1], pack.articulation["gate_rise"])
    tracks = lips[:, :TRACKS] * pack.lip_config["track_scale"] + pack.lip_config["track_mean"]
    arkit = to_arkit(tracks, shut, tuck, pack.articulation)
    frames = [0, 1, 4, 8, 11, 13]
    assert max(frames) < (len(mel_long) // 2 - LIP_FIRST_ROW) // 2
    at = lambda name, array, indices, digits=5: [{name: i, "values": rounded(array[i], digits)} for i in indices]
    return {
        "samples": samples.tolist(),
        "mel": at("frame", mel, [0, 1, 2, 21, 40, 55]),
        "logits": at("row", logits, [0, 1, 5, 13, 27, 30]),
        "rows": at("row", rows, [0, 3, 29], 4),
        "lips": at("frame", lips, frames),
        "tracks": at("frame", np.concatenate([tracks, shut[:, None], tuck[:, None]], 1), frames),
        "arkit": [{"frame": i, "values": named(arkit, i)} for i in frames],
    }


def articulation_cases(seed=3):
    """raw network outputs -> coefficients, with the constants written beside them; needs no weights"""
    from .export import lip_config

    config = lip_config(GATE_RISE)
    rng = np.random.default_rng(seed)
    raw = rng.normal(0, 1.6, (12, TRACKS + 2)).round(4)
    raw[:, TRACKS:] = rng.uniform(-5, 4, (12, 2)).round(4)
    shut, tuck = gates_of(raw[:, TRACKS], raw[:, TRACKS + 1], GATE_RISE)
    tracks = raw[:, :TRACKS] * config["track_scale"] + config["track_mean"]
    arkit = to_arkit(tracks, shut, tuck, CONSTANTS)
    return {"config": config, "cases": [{"raw": raw[i].tolist(), "arkit": named(arkit, i)} for i in range(len(raw))]}


def coarticulation_cases(seed=5):
    """timed phones and loudness (at 40i ms, straight between) -> tracks and gates of the teacher; needs no weights"""
    rng = np.random.default_rng(seed)
    cases = []
    for loudness in (0.3, 0.9, None):
        phones, now = [["SIL", 0, 400]], 400
        for _ in range(30):
            name = "SIL" if rng.random() < 0.06 else PHONES[rng.integers(1, len(PHONES))]
            length = 10 * int(rng.integers(30, 60) if name == "SIL" else rng.integers(2, 22))
            phones.append([name, now, now + length])
            now += length
        phones.append(["SIL", now, now + 2000])
        slow = np.interp(np.arange(now // 40 + 50) / 10, np.arange(now // 400 + 7), rng.uniform(0.3, 1.0, now // 400 + 7))
        loud = slow.round(3) if loudness is None else np.full(now // 40 + 50, loudness)
        fine = np.interp(np.arange(4 * len(loud) - 3) / 4, np.arange(len(loud)), loud)
        curves = coarticulate(phones, fine)[::4]
        frames = range(0, now // 40, 3)
        cases.append({"phones": phones, "loudness": loud.tolist(),
                      # The runtime takes the loudness at a phone's very middle, the teacher that of the step before.
                      "tolerance": 0.015 if loudness is None else 0.001, "frames": [[i, rounded(curves[i])] for i in frames]})
    return cases


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--pack", type=Path, required=True)
    args.add_argument("--out", type=Path, required=True)
    a = args.parse_args()
    a.out.mkdir(parents=True, exist_ok=True)
    for name, case in (("speech", speech_case(MotionPack(a.pack))), ("articulation", articulation_cases()),
                       ("coarticulation", coarticulation_cases())):
        text = json.dumps(case, separators=(",", ":"))
        (a.out / f"{name}.json").write_text(text + "\n")
        print(f"{name}.json: {len(text) / 1000:.0f} kB")


if __name__ == "__main__":
    main()
