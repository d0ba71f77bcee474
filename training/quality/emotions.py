"""Can the emotions be told from generated motion, and do the lips still do what the words ask under each?

    python training/quality/emotions.py [--shared ../shared] [--program target/release/parlante] [--out emotions.json]

Generates motion for recorded sentences under each of the seven emotions and none. A linear classifier (Fisher's
discriminant, numpy) learns from half of the sentences and is asked about the others, which also have other seeds.
Lips are measured on the ICT face as in `training/speech`, against the same sentences without emotion.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np

from motions import EMOTIONS, FPS, aligned, generate

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from speech.ict_lips import IctLips  # noqa: E402
from speech.measures import CHECKS, phone_checks  # noqa: E402

CLASSES = ["none", *EMOTIONS]
WINDOW = 2 * FPS  # frames that the classifier sees at once
KINDS = {  # what it may look at
    "all curves": lambda name: not name.startswith(("x", "scale")),
    "face alone": lambda name: name not in ("yaw", "pitch", "roll", "x", "y", "scale", "gaze x", "gaze y"),
    "upper face alone": lambda name: name.startswith(("brow", "eye", "cheek", "nose")),
    "movement alone": None,  # nothing that a constant offset would change
}


def features(motion, names, kind):
    """mean, deviation and mean change of each curve in each window -> [windows, numbers]"""
    n = len(motion["yaw"])
    curves = np.array([motion[name] for name in names if KINDS[kind] is None or KINDS[kind](name)])
    out = []
    for start in range(0, n - WINDOW + 1, WINDOW):
        part = curves[:, start : start + WINDOW]
        moving = [part.std(1), np.abs(np.diff(part)).mean(1)]
        out.append(np.concatenate(moving if KINDS[kind] is None else [part.mean(1), *moving]))
    return np.array(out)


def discriminant(x, labels):
    """Fisher's linear discriminant with a little ridge -> function from features to classes"""
    mean, scale = x.mean(0), x.std(0) + 1e-6
    x = (x - mean) / scale
    centres = np.array([x[labels == k].mean(0) for k in range(len(CLASSES))])
    within = x - centres[labels]
    inverse = np.linalg.inv(within.T @ within / len(x) + 0.1 * np.eye(x.shape[1]))
    weights, offset = centres @ inverse, -0.5 * np.einsum("ki,ij,kj->k", centres, inverse, centres)
    return lambda y: ((y - mean) / scale @ weights.T + offset).argmax(1)


def told(takes, names, kind):
    """-> share of right windows, of right sentences, right windows of each class; takes: [(class, sentence, motion)]"""
    learn, labels, tests = [], [], []
    for label, sentence, motion in takes:
        f = features(motion, names, kind)
        if not len(f):
            continue
        if sentence % 2 == 0:
            learn.append(f)
            labels += [label] * len(f)
        else:
            tests.append((label, f))
    judge = discriminant(np.concatenate(learn), np.array(labels))
    answers = [(label, judge(f)) for label, f in tests]
    windows = np.concatenate([a == label for label, a in answers])
    truth = np.concatenate([[label] * len(a) for label, a in answers])
    whole = np.mean([np.bincount(a, minlength=len(CLASSES)).argmax() == label for label, a in answers])
    return float(windows.mean()), float(whole), [float(windows[truth == k].mean()) for k in range(len(CLASSES))], len(windows)


def lips(motions, clips, face):
    """{check: [rate, at random, n]} of motions of these clips"""
    total = {check: np.zeros(3) for check in CHECKS}
    for motion, (_, phones) in zip(motions, clips):
        gap, width = face.gap_and_width(motion)
        for check, (met, n, chance) in phone_checks(gap, width, phones).items():
            total[check] += (met, n, chance * n)
    return {check: [round(met / n, 3), round(chance / n, 3), int(n)] for check, (met, n, chance) in total.items()}


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--shared", type=Path, default=Path("../shared"))
    a.add_argument("--program", default="target/release/parlante")
    a.add_argument("--sentences", type=int, default=40)
    a.add_argument("--strengths", type=float, nargs="+", default=[1.0, 0.5, 0.3])
    a.add_argument("--out", type=Path)
    o = a.parse_args()
    clips = aligned(o.shared, "ljspeech-sample", "pocketsphinx-testdata")[: o.sentences]
    face = IctLips(o.shared / "data/face/ict_face.safetensors")
    result = {"sentences": len(clips), "told": {}, "lips": {}}
    plain = [generate(o.program, clip, "--seed", 900 + i) for i, (clip, _) in enumerate(clips)]
    for strength in o.strengths:
        takes = [(0, i, m) for i, m in enumerate(plain)]
        for label, emotion in enumerate(EMOTIONS, 1):
            ask = f"{emotion}={strength}"
            made = [generate(o.program, c, "--seed", 100 * label + i, "--emotion", ask) for i, (c, _) in enumerate(clips)]
            takes += [(label, i, m) for i, m in enumerate(made)]
            if strength == o.strengths[0]:
                result["lips"][emotion] = lips(made, clips, face)
        names = sorted({name for _, _, m in takes for name in m})
        for kind in KINDS:
            windows, whole, each, n = told(takes, names, kind)
            result["told"][f"{kind}, strength {strength}"] = {"2 s": windows, "sentence": whole, "n": n} | dict(zip(CLASSES, each))
    result["lips"] = {"none": lips(plain, clips, face)} | result["lips"]
    print(f"Right of {len(CLASSES)} classes; {len(clips)} sentences, learnt on half of them\n")
    print("| | 2 s (n) | whole sentence | least well told |\n|---|---|---|---|")
    for name, row in result["told"].items():
        worst = min(CLASSES, key=row.get)
        print(f"| {name} | {row['2 s']:.3f} ({row['n']}) | {row['sentence']:.3f} | {worst} {row[worst]:.2f} |")
    print(f"\n| strength {o.strengths[0]}: rate / at random (n) | " + " | ".join(CHECKS) + " |\n|---|" + "---|" * len(CHECKS))
    for name, row in result["lips"].items():
        print(f"| {name} | " + " | ".join(f"{r:.2f} / {c:.2f} ({n})" for r, c, n in (row[k] for k in CHECKS)) + " |")
    if o.out:
        o.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
