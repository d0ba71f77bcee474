"""Makes reference.json: what the landmarker reads from plain rendered 3-D heads in known poses and with known mouths.

    python training/quality/reference.py --shared ../shared

Takes some minutes; needed again only when the landmarker or the list of controls changes.
"""

import argparse
import json
from pathlib import Path

import numpy as np

import asked
from head import Head, angles, turn
from reader import Reader

FILE = Path(__file__).with_name("reference.json")
YAWS, PITCHES = np.arange(-48, 49, 8), np.arange(-40, 41, 8)
PEOPLE, SEED = 4, 7


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--shared", type=Path, default=Path("../shared"))
    a.add_argument("--cache", type=Path)
    o = a.parse_args()
    head, reader = Head(o.shared / "data/face/ict_face.safetensors"), Reader(o.cache)
    dice = np.random.default_rng(SEED)
    people = [None, *(dice.normal(size=40).clip(-2, 2) * 0.8 for _ in range(PEOPLE - 1))]
    read = np.full((PEOPLE, len(YAWS), len(PITCHES), 3), np.nan)
    for k, identity in enumerate(people):
        shape = head.shape(identity=identity)
        for i, yaw in enumerate(YAWS):
            for j, pitch in enumerate(PITCHES):
                if (face := reader(head.picture(shape, turn(yaw, pitch)))) is not None:
                    read[k, i, j] = face.pose
    middle = read[:, len(YAWS) // 2, len(PITCHES) // 2]
    relative = read - middle[:, None, None]
    surface = np.nanmedian(relative, 0) + np.median(middle, 0)
    spread = np.nanstd(relative, 0)
    near = np.abs(YAWS)[:, None] + np.abs(PITCHES)[None] <= 40
    print("spread between heads, degrees (yaw, pitch, roll):", np.nanmean(spread[near], 0).round(2))
    mouths, rest = {}, None
    for name, frame in asked.speech_controls().items():
        w = asked.weights(frame)
        face = reader(head.picture(head.shape(w), turn(0, 0)))
        rest = rest or face.height()
        gap, width = head.openings(w)
        mouths[name] = {"gap": gap, "width": width, "read_gap": face.gap(rest), "read_width": face.width(rest)}
    FILE.write_text(json.dumps({
        "yaws": YAWS.tolist(), "pitches": PITCHES.tolist(),
        "pose": np.where(np.isnan(surface), None, surface.round(2)).tolist(),
        "mouths": {k: {n: round(x, 5) for n, x in v.items()} for k, v in mouths.items()}}) + "\n")


class PoseReading:
    """The landmarker's habit as a map of angles, and its inverse."""

    def __init__(self):
        table = json.loads(FILE.read_text())
        self.yaws, self.pitches = np.array(table["yaws"], float), np.array(table["pitches"], float)
        self.surface = np.array(table["pose"], float)  # [yaws, pitches, 3]

    def of(self, rotation):
        """True rotation of a head -> the angles that are read."""
        yaw, pitch, roll = angles(rotation)
        return self._at(yaw, pitch) + [0, 0, roll]

    def true(self, read):
        """Angles that were read -> the true rotation."""
        yaw, pitch, roll = read
        for _ in range(30):  # the map is near the identity, so this contracts
            y, p, r = self._at(yaw, pitch)
            yaw, pitch = yaw + 0.7 * (read[0] - y), pitch + 0.7 * (read[1] - p)
        return turn(yaw, pitch, read[2] - r)

    def _at(self, yaw, pitch):
        """Bilinear."""
        def place(grid, x):
            x = np.clip(x, grid[0], grid[-1])
            i = min(int(np.searchsorted(grid, x, "right")) - 1, len(grid) - 2)
            return i, (x - grid[i]) / (grid[i + 1] - grid[i])

        i, u = place(self.yaws, yaw)
        j, v = place(self.pitches, pitch)
        s = self.surface
        return (1 - u) * ((1 - v) * s[i, j] + v * s[i, j + 1]) + u * ((1 - v) * s[i + 1, j] + v * s[i + 1, j + 1])


if __name__ == "__main__":
    main()
