"""Renders portraits with recorded speech and measures the videos against their sound.

    python training/quality/quality.py --shared ../shared --out build/quality [--clips 20] [--sheets]

Needs the command line program (`cargo build --release`), the default pack and the evaluation data and tools that are
kept outside this repository (`--shared`), in a Python that has the evaluation's packages. Every portrait speaks one
utterance of a speaker that was never trained. Prints one row a video and a summary, writes `quality.json`, and exits
with 1 when a bar is missed.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

# Men and women, young and old, beards, glasses, hats, open smiles, turned heads, a photo in grey, a painting, two synthetic faces.
PORTRAITS = (
    "other/astronaut other/monalisa interfaces/013 interfaces/091 interfaces/059 interfaces/093 interfaces/065 "
    "interfaces/082 interfaces/016 interfaces/062 interfaces/045 interfaces/088 interfaces/097 interfaces/030 "
    "interfaces/057 interfaces/100 interfaces/005 interfaces/074 interfaces/061 interfaces/081"
).split()
SPEECH = (
    "ljspeech-sample/LJ001-0004 pocketsphinx-testdata/librivox-0870 ljspeech-sample/LJ001-0022 "
    "pocketsphinx-testdata/librivox-0920 ljspeech-sample/LJ001-0006 ljspeech-sample/LJ001-0028 "
    "pocketsphinx-testdata/librivox-0890 ljspeech-sample/LJ001-0032"
).split()
SHOWN = (
    "face_rate phone_offset_ms phone_r0 aperture_range bg_step jitter_noise bilabial_closure_rate "
    "bilabial_closure_lift labiodental_closure_rate open_vowel_rate id_shape sharp_face_ratio blinks_per_min"
).split()
# The bars of the first version: metric -> (lowest, highest).
BARS = {
    "face_rate": (1.0, None),
    "phone_offset_ms": (-80, 80),
    "phone_r0": (0.30, None),
    "aperture_range": (0.03, 0.2),
    "bg_step": (None, 1.0),
    "jitter_noise": (None, 15),
}


def phones(shared, clip, out):
    """Writes the clip's phone times in the form that the measure reads."""
    group, name = clip.split("/")
    table = json.loads((shared / "data/speech/alignments" / f"{group}.json").read_text())
    rows = [{"phone": p, "start": a / 1e3, "end": b / 1e3} for p, a, b in table[f"{name}.opus"]]
    out.write_text(json.dumps({"phones": rows}))


def render(program, portrait, sound, video, options):
    """Runs the command line program; returns its wall time in seconds."""
    start = time.monotonic()
    done = subprocess.run([program, "animate", portrait, sound, "-o", video, *options], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{portrait.name}: {done.stderr.strip().splitlines()[-1]}")
    return time.monotonic() - start


def misses(metrics):
    """The bars that a video misses; a metric that could not be measured is a miss."""
    out = []
    for name, (low, high) in BARS.items():
        v = metrics.get(name)
        if v is None or (low is not None and v < low) or (high is not None and v > high):
            out.append(name)
    return out


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--shared", type=Path, default=Path("../shared"))
    a.add_argument("--program", default="target/release/parlante")
    a.add_argument("--out", type=Path, default=Path("build/quality"))
    a.add_argument("--clips", type=int, default=len(PORTRAITS))
    a.add_argument("--sheets", action="store_true", help="write a contact sheet of every video")
    a.add_argument("options", nargs="*", help="passed to `parlante animate` (after --)")
    o = a.parse_args()
    o.out.mkdir(parents=True, exist_ok=True)
    evaluation, rows = o.shared / "eval", []
    print("portrait".ljust(18), "speech".ljust(14), *(s[:9].rjust(9) for s in SHOWN), "missed")
    for i, name in enumerate(PORTRAITS[: o.clips]):
        clip = SPEECH[i % len(SPEECH)]
        stem = o.out / name.replace("/", "-")
        video, times, result = (stem.with_suffix(s) for s in (".mp4", ".phones.json", ".json"))
        portrait = o.shared / "data/portraits" / f"{name}.jpg"
        sound = o.shared / "data/speech" / f"{clip}.opus"
        phones(o.shared, clip, times)
        seconds = render(o.program, portrait, sound, video, o.options)
        measure = [sys.executable, evaluation / "measure.py", video, "--audio", sound, "--phones", times]
        done = subprocess.run([*measure, "--portrait", portrait, "--json", result], capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"{name}: the measure failed: {done.stderr.strip().splitlines()[-1]}")
        metrics = json.loads(result.read_text())["metrics"]
        missed = misses(metrics)
        rows.append({"portrait": name, "speech": clip, "seconds": seconds, "missed": missed, "metrics": metrics})
        shown = ["-".rjust(9) if metrics.get(s) is None else f"{metrics[s]:9.3f}" for s in SHOWN]
        print(name.ljust(18), clip.split("/")[1].ljust(14), *shown, ", ".join(missed) or "none", flush=True)
        if o.sheets:
            sheet = [sys.executable, evaluation / "sheet.py", video, stem.with_suffix(".png"), "--phones", times]
            subprocess.run(sheet, capture_output=True, check=True)
    middle = [[r["metrics"].get(s) for r in rows if r["metrics"].get(s) is not None] for s in SHOWN]
    print("median".ljust(33), *(f"{statistics.median(m):9.3f}" if m else "-".rjust(9) for m in middle))
    (o.out / "quality.json").write_text(json.dumps(rows, indent=1))
    bad = sum(bool(r["missed"]) for r in rows)
    print(f"{len(rows) - bad} of {len(rows)} videos pass every bar")
    sys.exit(bad > 0)


if __name__ == "__main__":
    main()
