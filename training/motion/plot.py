"""Curves to look at: head and brows of rules and network for one held-out sentence, two takes each, over its loudness.

    python -m motion.plot --held runs/motion/held.pickle --out runs/motion/curves.png --clip 3 network=runs/motion/best.npz,1,4
"""

import argparse
import pickle
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402
import numpy as np  # noqa: E402

from .compare import made  # noqa: E402
from .measured import FPS, pose  # noqa: E402
from .sample import Sampler  # noqa: E402
from .weights import load  # noqa: E402


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("networks", nargs="*")
    a.add_argument("--held", type=Path, default=Path("runs/motion/held.pickle"))
    a.add_argument("--out", type=Path, default=Path("runs/motion/curves.png"))
    a.add_argument("--clip", type=int, default=3)
    o = a.parse_args()
    clip = pickle.loads(o.held.read_bytes())[0][o.clip]
    shown = {"rules": clip.takes}
    for wanted in o.networks:
        name, _, rest = wanted.partition("=")
        file, guidance, steps, *hop = rest.split(",")
        shown[name] = made(Sampler(*load(file), int(steps), float(guidance), float(hop[0]) if hop else 1.6), clip)
    fig, axes = plt.subplots(6, len(shown), figsize=(9 * len(shown), 13), sharex=True, sharey="row", squeeze=False)
    seconds = np.arange(len(clip.loud)) / FPS
    for column, (name, takes) in zip(axes.T, shown.items()):
        column[0].plot(seconds, clip.loud, color="0.4")
        column[0].plot(seconds, clip.tune / 8, color="tab:green", lw=0.8)
        column[0].set_title(f"{name}: {clip.name}, loudness and pitch")
        for take, colour in zip(takes, ("tab:blue", "tab:orange")):
            head = pose(take)
            for row, values in zip(column[1:], (*head.T, take["browInnerUp"], None)):
                if values is None:
                    values = np.append(0, np.linalg.norm(np.diff(head, axis=0), axis=1)) * FPS
                row.plot(seconds, values, color=colour, lw=1)
    for row, label in zip(axes[:, 0], ("voice", "yaw", "pitch", "roll", "browInnerUp", "speed, degrees/s")):
        row.set_ylabel(label)
    fig.tight_layout()
    fig.savefig(o.out, dpi=70)


if __name__ == "__main__":
    main()
