"""Held-out portraits speak recorded sentences: identity, picture and lips of the decoder, pooled over all of them.

    npm run quality -- people [--count N] [--sheets] [--own-ears] [--program PATH] [-- OPTIONS OF ANIMATE]

The lips follow the sentence's known phones, so that what is missed here is missed by the decoder and not by the ear
(--own-ears lets the networks listen). What the motion itself asks for is measured on the 3-D face by the same rules.
Writes `people.md` and `people.json`; videos are kept and a second run of the same program only counts.
"""

import argparse
import hashlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np

from controls import mixed
from portraits import MEASURED
from quality import SPEECH, phones, render
from table import AT_LEAST, AT_MOST, markdown, summary

ROWS = (
    ("face_rate", "share of frames with a face", 1.0, AT_LEAST, None),
    ("id_shape", "shape of the face against the photo, % of the distance of the eyes", 2.0, AT_MOST, None),
    ("id_shape", "the same, far limit", 2.8, AT_MOST, 0.95),
    ("id_texture", "texture of the upper face, cosine", 0.90, AT_LEAST, None),
    ("id_texture", "the same, far limit", 0.85, AT_LEAST, 0.95),
    ("id_skin_dE", "colour of the skin, Lab distance", 4.0, AT_MOST, None),
    ("id_skin_dE", "the same, far limit", 8.0, AT_MOST, 0.95),
    ("sharp_mouth_vs_face", "sharpness of the mouth over that of the face", 0.7, AT_LEAST, None),
    ("sharp_face_ratio", "sharpness of the face over the photo's", 0.5, AT_LEAST, None),
    ("bg_step", "background, change from frame to frame, levels", 0.5, AT_MOST, None),
    ("flicker", "second difference of the face's blocks, levels", 3.0, AT_MOST, None),
    ("flicker_global", "second difference of the face's light, levels", 1.0, AT_MOST, None),
    ("jitter_noise", "trembling, per mille of the distance of the eyes", 8.0, AT_MOST, None),
    ("aperture_range", "range of the lips' opening over the face's height", (0.03, 0.2), 0, None),
    ("phone_offset_ms", "lips after the sound, ms", (-80, 80), 0, None),
    ("phone_r0", "opening against what the phones let expect, r", 0.3, AT_LEAST, None),
    ("blink_ms", "length of blinks, ms", (60, 350), 0, None),
)
LIPS = (("bilabial_closure", "P B M closed", 0.92), ("labiodental_closure", "F V near", 0.85), ("open_vowel", "open vowels open", 0.75))
GRID = 100  # moments a second of the measure's curves


def tools(shared):
    """The evaluation's measure and the lips of the 3-D face."""
    sys.path += [str(shared / "eval"), str(Path(__file__).resolve().parents[1])]
    import measure
    from speech.ict_lips import IctLips

    return measure, IctLips(shared / "data/face/ict_face.safetensors")


def asked_lips(motion, times, measure, lips):
    """The measure's lip rates of a motion file, on the 3-D face (16.3 cm from landmark 10 to 152)."""
    frames = json.loads(motion.read_text())["frames"]
    names = {n for f in frames for n in f.get("blendshapes", {})}
    arkit = {n: np.array([f.get("blendshapes", {}).get(n, 0.0) for f in frames]) for n in names}
    gap = lips.gap_and_width(arkit)[0] / 16.3
    grid = np.interp(np.arange(len(gap) * GRID // 25) / GRID, np.arange(len(gap)) / 25, gap)
    return measure.articulation(grid, json.loads(times.read_text())["phones"], measure.load_calibration()["limits"])


def lines(rows):
    """Lips pooled over all videos: phones, not videos, are counted."""
    out = ["", "| lips, pooled | n | rendered | at random | asked of the 3-D face | rendered over asked | bar |", "|---|---|---|---|---|---|---|"]
    for key, what, bar in LIPS:
        n = np.array([r["lips"][key + "_n"] for r in rows.values()], float)
        mean = lambda part, name: float(np.nansum(n * [r[part][key + name] or 0.0 for r in rows.values()]) / n.sum())
        got, chance, asked = mean("lips", "_rate"), mean("lips", "_chance"), mean("asked", "_rate")
        out.append(f"| {what} | {n.sum():.0f} | {got:.3f} | {chance:.2f} | {asked:.3f} | {got / asked:.3f} | {bar} |")
    return "\n".join(out) + "\n"


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--shared", type=Path, default=Path("../shared"))
    a.add_argument("--program", default="target/release/parlante")
    a.add_argument("--out", type=Path, default=Path("build/quality/people"))
    a.add_argument("--count", type=int, help="the first N of the list, photos and synthetic faces in turn")
    a.add_argument("--own-ears", action="store_true", help="lips from the sound alone")
    a.add_argument("--sheets", action="store_true", help="write a contact sheet of every video")
    a.add_argument("options", nargs="*", help="passed to `parlante animate` (after --)")
    o = a.parse_args()
    o.out.mkdir(parents=True, exist_ok=True)
    measure, face = tools(o.shared)
    rows, refused = {}, {}
    version = hashlib.sha1(Path(o.program).read_bytes() + repr((o.options, o.own_ears)).encode()).hexdigest()
    for i, name in enumerate(mixed(MEASURED)[: o.count]):
        clip = SPEECH[i % len(SPEECH)]
        stem = o.out / name.replace("/", "-")
        video, times, motion, result = (stem.with_suffix(s) for s in (".mp4", ".phones.json", ".motion.json", ".json"))
        portrait = o.shared / "data/portraits" / f"{name}.jpg"
        sound = o.shared / "data/speech" / f"{clip}.opus"
        if not (result.exists() and json.loads(result.read_text()).get("version") == version):
            phones(o.shared, clip, times)
            known = [] if o.own_ears else ["--phones", times]
            try:
                render(o.program, portrait, sound, video, [*known, *o.options])
            except SystemExit as why:
                refused[name] = str(why)
                continue
            subprocess.run([o.program, "motion", sound, "-o", motion, *known], check=True, capture_output=True)
            call = [sys.executable, o.shared / "eval/measure.py", video, "--audio", sound, "--phones", times]
            subprocess.run([*call, "--portrait", portrait, "--json", result], check=True, capture_output=True)
            found = json.loads(result.read_text())["metrics"]
            result.write_text(json.dumps({"version": version, "metrics": found, "asked": asked_lips(motion, times, measure, face)}))
            if o.sheets:
                sheet = [sys.executable, o.shared / "eval/sheet.py", video, stem.with_suffix(".png"), "--phones", times]
                subprocess.run(sheet, capture_output=True, check=True)
        kept = json.loads(result.read_text())
        numbers = {k: v for k, v in kept["metrics"].items() if isinstance(v, (int, float))}
        rows[name] = numbers | {"lips": kept["metrics"], "asked": kept["asked"]}
        print(f"{i + 1} {name}", flush=True)
    table = summary(rows, ROWS)
    text = markdown(table, len(rows), refused) + lines(rows)
    (o.out / "people.md").write_text(text)
    (o.out / "people.json").write_text(json.dumps({"summary": table, "portraits": rows, "refused": refused}, indent=1))
    print(text)
    sys.exit(any(not r["ok"] for r in table if r["ok"] is not None))


if __name__ == "__main__":
    main()
