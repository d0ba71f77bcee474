"""Renders portraits in every control, reads the pictures with an independent landmarker, and says what was obeyed.

    npm run quality -- controls [--count N] [--only NAME,...] [--sheets] [--program PATH]

Needs the command line program, the default pack, and the evaluation's data and Python packages, which are kept outside
this repository. Writes `controls.md`, `controls.json` and, with --sheets, pages of pictures into --out. Pictures and
readings are kept: a second run without a new program only counts.
"""

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import cv2

import asked
from head import Head
from measures import measure
from painted import PaintedHead
from portraits import MEASURED, SHEET
from reader import Reader
from reference import FILE, PoseReading
from sheets import page
from table import markdown, summary


def read_picture(path):
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    return None if image is None else cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


class Renderer:
    """Renders a portrait's controls into folders of pictures, unless the same program has done so before."""

    def __init__(self, program, out, options):
        self.program, self.out, self.options = program, out, options
        self.version = hashlib.sha1(Path(program).read_bytes() + repr(options).encode()).hexdigest()

    def frames(self, name, portrait, controls, reference):
        """-> ({control: picture}, None) or (None, why not)"""
        text = json.dumps(asked.motion(controls, reference))
        folder = self.out / name.replace("/", "-") / reference
        stamp = hashlib.sha1((self.version + text).encode()).hexdigest()
        mark = folder.with_suffix(".stamp")
        if not (mark.exists() and mark.read_text() == stamp):
            shutil.rmtree(folder, ignore_errors=True)
            folder.parent.mkdir(parents=True, exist_ok=True)
            motion = folder.with_suffix(".json")
            motion.write_text(text)
            call = [self.program, "animate", portrait, motion, "-o", f"{folder}/", *self.options]
            done = subprocess.run(call, capture_output=True, text=True)
            if done.returncode:
                return None, done.stderr.strip().splitlines()[-1]
            mark.write_text(stamp)
        return {n: read_picture(folder / f"{i:05}.png") for i, n in enumerate(controls)}, None


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--shared", type=Path, default=Path("../shared"))
    a.add_argument("--program", default="target/release/parlante")
    a.add_argument("--out", type=Path, default=Path("build/quality/controls"))
    a.add_argument("--only", help="portraits, separated by commas, such as interfaces/001; any of the set")
    a.add_argument("--count", type=int, help="the first N of the list, photos and synthetic faces in turn")
    a.add_argument("--sheets", action="store_true", help="also make contact sheets (of --only, or of twelve portraits)")
    a.add_argument("--view", choices=("all", "mouth", "eyes"), default="all", help="what the sheets show")
    a.add_argument("--bare", action="store_true", help="only sheets, no readings")
    a.add_argument("options", nargs="*", help="passed to `parlante animate` (after --)")
    o = a.parse_args()
    o.out.mkdir(parents=True, exist_ok=True)
    names = o.only.split(",") if o.only else mixed(MEASURED)[: o.count]
    if o.bare and not o.only:
        names = SHEET
    renderer, reader = Renderer(o.program, o.out, o.options), Reader(o.out / "readings.db")
    head = None if o.bare else Head(o.shared / "data/face/ict_face.safetensors")
    habit, truth = PoseReading(), json.loads(FILE.read_text())["mouths"]
    rows, refused, shown = {}, {}, set(names if o.only else SHEET)
    for k, name in enumerate(names):
        portrait = o.shared / "data/portraits" / f"{name}.jpg"
        frames = {}
        for controls, reference in ((asked.portrait_controls(), "portrait"), (asked.speech_controls(), "speech")):
            some, why = renderer.frames(name, portrait, controls, reference)
            if some is None:
                refused[name] = why
                break
            frames |= some
        if name in refused:
            print(f"{name}: {refused[name]}", flush=True)
            continue
        photo = read_picture(portrait)
        if o.sheets and name in shown:
            path = o.out / f"sheet-{o.view}-{name.replace('/', '-')}.jpg"
            cv2.imwrite(str(path), page(name, photo, frames, reader, o.view)[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 92])
        if o.bare:
            continue
        own = reader(photo)
        faces = {n: reader(f) for n, f in frames.items()}
        if own is None:
            refused[name] = "the landmarker finds no face in the photo"
            continue
        painted = lambda **_: None
        if (rest := faces.get("zero")) is not None:
            still = PaintedHead(head, frames["zero"], rest.points, habit.true(rest.pose))
            painted = lambda still=still, **degrees: still.reading(reader, **degrees)
        rows[name] = measure(photo, own, frames, faces, habit, truth, painted)
        print(f"{k + 1}/{len(names)} {name}", flush=True)
    if o.bare:
        return
    result = summary(rows)
    (o.out / "controls.json").write_text(json.dumps({"summary": result, "portraits": rows, "refused": refused}, indent=1))
    text = markdown(result, len(rows), refused)
    (o.out / "controls.md").write_text(text)
    print(text)
    sys.exit(any(not r["ok"] for r in result if r["ok"] is not None))


def mixed(names):
    """Photos and synthetic faces in turn, so that the first few are of both kinds."""
    sets = {}
    for n in names:
        sets.setdefault(n.split("/")[0], []).append(n)
    rank = {n: (k + 0.5) / len(s) for s in sets.values() for k, n in enumerate(s)}
    return sorted(names, key=rank.get)


if __name__ == "__main__":
    main()
