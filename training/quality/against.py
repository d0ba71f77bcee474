"""Lips of Parlante beside those of the npm package @met4citizen/headaudio and of a jaw that follows loudness.

    python training/quality/against.py --headaudio FOLDER [--shared ../shared] [--program target/release/parlante]

FOLDER: `npm install @met4citizen/headaudio` somewhere outside of the repository, then node_modules/@met4citizen/headaudio
(MIT; headaudio.mjs beside this file drives it). The same recordings for all: LJSpeech sample, pocketsphinx's test clips,
asterisk-en prompts that are long enough. Nobody here was trained on them. All lips are measured on the ICT face.

In favour of the other: its visemes get this project's own mouth shapes, its strongest values count as full, P B M and
F V as full closures, and its delay is taken out by the one shift that suits it best. With --recipe it is also shown with
the shapes that its author publishes for faces of ARKit's coefficients.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from liveliness import loudness
from motions import BLOCK, aligned, generate, sound

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from speech.articulation import to_arkit  # noqa: E402
from speech.hearing import outputs_of  # noqa: E402
from speech.ict_lips import IctLips  # noqa: E402
from speech.measures import CHECKS, at_100_hz, extreme, offset_and_r, phone_checks, spoken  # noqa: E402
from speech.mel import log_mel  # noqa: E402
from speech.pack import MotionPack  # noqa: E402
from speech.phones import BILABIAL, PHONES  # noqa: E402
from speech.teacher import TARGETS  # noqa: E402
from speech.teacher import GAP_RANGE, JAW_STYLE  # noqa: E402

# The package's visemes and their phones, by its own table.
OCULUS = {
    "aa": "AA AY AW", "E": "EH EY ER AH AE", "I": "IY IH", "O": "OW AO OY", "U": "UW UH", "PP": "P B M", "SS": "S Z SH ZH HH",
    "TH": "TH DH", "DD": "T D", "FF": "F V", "kk": "K G", "nn": "N NG", "RR": "R L Y W", "CH": "CH JH", "sil": "SIL",
}
CLASS = {phone: k for k, phones in enumerate(OCULUS.values()) for phone in phones.split()}
FULLEST = {"PP": 0.75, "FF": 0.75}  # largest values that it gives; 0.65 for the others
# The author's shapes for ARKit faces (TalkingHead, MIT): jaw, pucker, funnel, both press, both lower lip down, both
# upper lip up, both dimple, roll lower, roll upper, shrug upper.
SHAPES = ("jawOpen mouthPucker mouthFunnel mouthPress* mouthLowerDown* mouthUpperUp* mouthDimple* mouthRollLower "
          "mouthRollUpper mouthShrugUpper").split()
RECIPE = {
    "aa": (0.6,), "E": (0.3, 0, 0, 0.8, 0, 0, 1), "I": (0.2, 0, 0, 0.6, 0, 0, 0.6), "O": (0.2, 1), "U": (0, 0, 1),
    "PP": (0, 0, 0, 0, 0, 0.3, 0, 0.8, 0.8), "SS": (0.1, 0, 0, 0.8, 0.5), "TH": (0.2, 0, 0, 0, 0, 0, 0, 0, 0.6),
    "DD": (0.2, 0, 0.5, 0.8), "FF": (0, 1, 0, 0, 0.2, 0, 1, 1, 0, 1), "kk": (0.15, 0.3, 0.3, 0, 0.4, 0, 0.3),
    "nn": (0.15, 0.3, 0.3, 0, 0.4, 0, 0.3), "RR": (0.2, 0.5), "CH": (0.2, 0.5), "sil": (),
}
NEAR = 60  # ms about a P, B or M in which a closure is right


def headaudio(folder, clips):
    """{recording: ([frames, 15] values, [[seconds, viseme]])}"""
    with tempfile.TemporaryDirectory() as scratch:
        files = {}
        for i, (clip, _) in enumerate(clips):
            files[str(clip)] = f"{scratch}/{i}.raw"
            subprocess.run(["ffmpeg", "-v", "error", "-i", clip, "-ac", "1", "-ar", "48000", "-f", "f32le", files[str(clip)]], check=True)
        script = Path(__file__).with_name("headaudio.mjs")
        done = subprocess.run(["node", script, folder], input=json.dumps({"clips": files}), capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"headaudio: {done.stderr.strip().splitlines()[-1]}")
    return {name: (np.array(a["values"]).reshape(-1, len(OCULUS)), a["heard"]) for name, a in json.loads(done.stdout).items()}


def as_arkit(values):
    """its values with this project's mouth shapes"""
    share = values / np.array([FULLEST.get(name, 0.65) for name in OCULUS])
    targets = np.array([np.mean([TARGETS[p][:4] for p in phones.split()], axis=0) for phones in OCULUS.values()])
    targets = targets * (GAP_RANGE, JAW_STYLE, 1, 1)
    targets[-1] = (0.06, 0.04, 0, 0)
    names = list(OCULUS)
    share[:, -1] = np.maximum(0, 1 - share[:, :-1].sum(1))
    tracks = share @ targets / np.maximum(share.sum(1, keepdims=True), 1)
    tracks = np.concatenate([tracks, np.zeros((len(tracks), 1))], 1)
    shut, tuck = share[:, names.index("PP")], share[:, names.index("FF")]
    return to_arkit(tracks, np.clip(shut, 0, 1), np.clip(tuck, 0, 1))


def by_recipe(values):
    table = np.array([[*RECIPE[name], *[0] * len(SHAPES)][: len(SHAPES)] for name in OCULUS])
    out = {}
    for shape, value in zip(SHAPES, np.clip(values @ table, 0, 1).T):
        out |= {shape.replace("*", side): value for side in (("Left", "Right") if "*" in shape else ("",))}
    return out


def wrong_closures(gap, phones):
    """lips that meet while speaking with no P B M near: -> how often, by the bar that P B M must pass"""
    gap = at_100_hz(gap)
    low, high = np.percentile(gap, [5, 95])
    met = np.concatenate([[0], (gap <= low + 0.15 * (high - low)) & spoken(phones, len(gap)), [0]]).astype(int)
    wrong = 0
    for start, end in np.flatnonzero(np.diff(met)).reshape(-1, 2):
        wrong += not any(p in BILABIAL and a - NEAR < 10 * end and 10 * start < b + NEAR for p, a, b in phones)
    return wrong


def measure(curves, clips, openness, later=0):
    """gap and width of every clip at 25 Hz, shown `later` ms too late -> numbers"""
    total, wrong, seconds, lags, rs = {c: np.zeros(3) for c in CHECKS}, 0, 0.0, [], []
    for (gap, width), (_, phones) in zip(curves, clips):
        shift = lambda x: np.interp(np.arange(len(x)) + later / 40, np.arange(len(x)), x)
        gap, width = shift(gap), shift(width)
        for check, (met, n, chance) in phone_checks(gap, width, phones).items():
            total[check] += (met, n, chance * n)
        wrong += wrong_closures(gap, phones)
        seconds += len(gap) / 25
        if gap.std() > 1e-3 and len(gap) > 30:
            lag, r = offset_and_r(gap, phones, openness)
            lags.append(lag)
            rs.append(r)
    row = {check: f"{met / n:.2f} / {chance / n:.2f} ({n:.0f})" for check, (met, n, chance) in total.items()}
    row |= {f"{c}: above random": f"{(met - chance) / n:+.2f}" for c, (met, n, chance) in total.items()}
    row["wrong closures a second"] = f"{wrong / seconds:.2f}"
    row["r with the expected opening, median"] = f"{np.median(rs):.2f}"
    row["offset ms, median (p10, p90)"] = "{:+.0f} ({:+.0f}, {:+.0f})".format(*np.percentile(lags, [50, 10, 90]))
    return row, float(np.median(rs))


def best_shift(curves, clips, openness):
    return max(range(0, 201, 20), key=lambda later: measure(curves, clips, openness, later)[1])


def visemes_right(heard, clips, later=0.0):
    """share of speech in 20 ms rows with the right one of the 15 visemes; heard: one [rows] for each clip"""
    right = count = 0
    for said, (_, phones) in zip(heard, clips):
        rows = np.arange(len(said)) * 0.02 + 0.01
        truth = np.full(len(said), -1)
        for p, a, b in phones:
            truth[(rows >= a / 1e3) & (rows < b / 1e3)] = CLASS[p] if p != "SIL" else -1
        said = said[np.minimum(len(said) - 1, (np.arange(len(said)) + later / 20).astype(int))]
        right += (said == truth)[truth >= 0].sum()
        count += (truth >= 0).sum()
    return right / count


def rows_of(events, rows):
    """the last viseme named before the middle of each row"""
    times, which = np.array([t for t, _ in events]), np.array([v for _, v in events] + [len(OCULUS) - 1])
    return which[np.searchsorted(times, np.arange(rows) * 0.02 + 0.01, side="right") - 1]


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--shared", type=Path, default=Path("../shared"))
    a.add_argument("--program", default="target/release/parlante")
    a.add_argument("--pack", type=Path, default=Path("packs/motion.gguf"))
    a.add_argument("--headaudio", type=Path, required=True)
    a.add_argument("--prompts", type=int, default=60, help="of asterisk-en")
    a.add_argument("--recipe", action="store_true")
    a.add_argument("--out", type=Path)
    o = a.parse_args()
    face = IctLips(o.shared / "data/face/ict_face.safetensors")
    openness = json.loads((o.shared / "eval/calibration.json").read_text())["phone_openness"]
    prompts = [c for c in aligned(o.shared, "asterisk-en") if c[1][-1][2] > 1500]
    prompts = prompts[:: max(1, len(prompts) // o.prompts)][: o.prompts]
    clips = aligned(o.shared, "ljspeech-sample", "pocketsphinx-testdata") + prompts
    pack = MotionPack(o.pack)
    normal = SimpleNamespace(mean=pack.mean, scale=pack.scale)
    table, sounds = {}, [sound(c) for c, _ in clips]

    ours = [face.gap_and_width(generate(o.program, c, "--neutral")) for c, _ in clips]
    table["Parlante"] = measure(ours, clips, openness)[0]
    heard = []
    for x in sounds:
        logits, _ = outputs_of(pack.model, normal, [log_mel(x)])[0]
        heard.append(np.array([CLASS[PHONES[i]] for i in logits[:, 1:].argmax(1) + 1]))
    table["Parlante"]["15 visemes right, speech"] = f"{visemes_right(heard, clips):.2f}"

    answers = headaudio(o.headaudio, clips)
    ways = {"headaudio": as_arkit} | ({"headaudio, its own shapes": by_recipe} if o.recipe else {})
    for name, way in ways.items():
        curves = [face.gap_and_width(way(answers[str(c)][0])) for c, _ in clips]
        later = best_shift(curves, clips, openness)
        table[name] = measure(curves, clips, openness, later)[0] | {"delay taken out, ms": str(later)}
    heard = [rows_of(answers[str(c)][1], len(x) // 320) for (c, _), x in zip(clips, sounds)]
    right = max(visemes_right(heard, clips, later) for later in range(0, 201, 20))
    table["headaudio"]["15 visemes right, speech"] = f"{right:.2f}"

    jaws = [{"jawOpen": 0.35 * loudness(x)} for x in sounds]
    curves = [face.gap_and_width(jaw) for jaw in jaws]
    later = best_shift(curves, clips, openness)
    table["loudness"] = measure(curves, clips, openness, later)[0] | {"delay taken out, ms": str(later)}

    print(f"{len(clips)} recordings, {sum(map(len, sounds)) / 16000:.0f} s; rate / at random moments of speech (n)\n")
    print("| | " + " | ".join(table) + " |\n|---|" + "---|" * len(table))
    for line in dict.fromkeys(k for row in table.values() for k in row):
        print(f"| {line} | " + " | ".join(row.get(line, "-") for row in table.values()) + " |")
    if o.out:
        o.out.write_text(json.dumps(table, indent=1) + "\n")


if __name__ == "__main__":
    main()
