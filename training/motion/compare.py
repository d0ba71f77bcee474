"""Rules and network side by side, by the measures of quality/liveliness.py.

    python -m motion.compare --shared ../../shared --program ../target/release/parlante --out runs/motion/compare.json \\
        [best=runs/motion/best.npz,1,4 guided=runs/motion/best.npz,2,4,0.64 …]

Every network is NAME=FILE,GUIDANCE,STEPS[,SECONDS OF A WINDOW THAT ARE NEW]. Six takes of each of 35 sentences that
nothing was trained on. Means of six sets (one take of each sentence), or 10 % / 50 % / 90 % of all 210 takes, as filmed
talkers are told. The network moves head and brows; lids, gaze and mouth stay the rules'.
"""

import argparse
import json
import pickle
import re
import time
from pathlib import Path

import numpy as np

from . import held
from .channels import curves, moved
from .filmed import distance, statistics
from .measured import FPS, liveliness, pose, still
from .sample import Sampler
from .score import score
from .weights import load


def trembling(motion):
    """share of the head's movement (power of its speed) that is faster than 5 Hz"""
    speed = np.diff(pose(motion), axis=0)
    power = (np.abs(np.fft.rfft((speed - speed.mean(0)) * np.hanning(len(speed))[:, None], axis=0)) ** 2).sum(1)
    return float(power[np.fft.rfftfreq(len(speed), 1 / FPS) > 5].sum() / power.sum())


def seams(motions, hop):
    """second difference of the head where windows meet, over that elsewhere"""
    at, other = [], []
    for m in motions:
        d = (np.diff(pose(m), 2, axis=0) ** 2).sum(1)
        meets = np.zeros(len(d), bool)
        for k in range(hop, len(d), hop):
            meets[max(0, k - 3) : k + 1] = True
        at.append(d[meets])
        other.append(d[~meets])
    return float(np.sqrt(np.concatenate(at).mean() / np.concatenate(other).mean()))


def measured(clips, takes, quiet):
    """takes [clip][take] of Motion, quiet [take] -> {row: text}"""
    rows = {}
    voices = [(c.loud, c.tune) for c in clips]
    sets = len(takes[0])
    follows, same = {}, {}
    for k in range(sets):
        pairs = [(t[k], t[k ^ 1]) for t in takes]
        for name, value, *rest in liveliness.rhythm(pairs, voices):
            if found := re.match(r"(.*): r \(shifted (-?[\d.]+)\), p", name):
                follows.setdefault(found[1], []).append((float(rest[2].split()[1]), float(found[2]), value))
            elif found := re.match(r"two takes, \|r\|: (.*)", name):
                same.setdefault(found[1], []).append(value)
    for name, values in follows.items():
        v = np.array(values)
        spread = f" ± {v[:, 0].std():.2f}" if sets > 2 else ""
        rows[name] = f"{v[:, 0].mean():.2f}{spread} ({v[:, 1].mean():.2f}; p ≤ {v[:, 2].max():.3f})"
    every = [m for t in takes for m in t]
    for name in statistics(every[0]):
        values = [statistics(m)[name][0] for m in every]
        rows[name] = " / ".join(f"{x:.2f}" for x in np.percentile(values, (10, 50, 90)))
    rows["distance from the median talker"] = f"{np.mean([distance(m) for m in every]):.2f}"
    second = np.sqrt(np.mean([(np.diff(pose(m), 2, axis=0) ** 2).mean(0) for m in every], 0))
    rows["second difference of yaw, pitch, roll, degrees"] = ", ".join(f"{x:.3f}" for x in second)
    step = max(np.abs(np.diff(pose(m), axis=0)).max() for m in every)
    rows["largest step of the head in a frame, degrees"] = f"{step:.1f}"
    rows["share of movement faster than 5 Hz"] = f"{np.mean([trembling(m) for m in every]):.4f}"
    rows["brows: deviation of browInnerUp"] = f"{np.mean([m['browInnerUp'].std() for m in every]):.3f}"
    for name, values in same.items():
        rows[f"two takes, r: {name}"] = f"{np.mean(values):.2f} (largest {max(values):.2f})"
    if quiet:
        rows["silence: smallest move within a second, degrees"] = f"{min(still(pose(m)) for m in quiet):.2f}"
        rows["silence: deviation of yaw, pitch, roll"] = ", ".join(f"{x:.2f}" for x in np.mean([pose(m).std(0) for m in quiet], 0))
        blinks = [6 * len(liveliness.lids_shut(m)) for m in quiet]
        rows["silence: blinks a minute (the rules')"] = f"{np.mean(blinks):.0f}"
    return rows


def made(sampler, clip):
    """the network's takes of a clip, as many as the rules have"""
    numbers = [1000 + k for k in range(len(clip.takes))]
    # Every clip has seeds of its own, as the rules have.
    seeds = [n + sum(map(ord, clip.name)) * 100 for n in numbers]
    return [moved(m, x) for m, x in zip(clip.takes, sampler.takes(clip.heard, seeds))]


def milliseconds(sampler, clip):
    """of one take, a second of motion; the first call compiles"""
    sampler.takes(clip.heard, [1])
    begin = time.perf_counter()
    for seed in range(3):
        sampler.takes(clip.heard, [seed])
    return 1000 * (time.perf_counter() - begin) / 3 / (len(clip.heard) / FPS)


def table(columns):
    names = list(dict.fromkeys(row for rows in columns.values() for row in rows))
    print("| | " + " | ".join(columns) + " |\n|" + "---|" * (1 + len(columns)))
    for name in names:
        print(f"| {name} | " + " | ".join(str(rows.get(name, "")) for rows in columns.values()) + " |")


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("networks", nargs="*")
    a.add_argument("--shared", type=Path, default=Path("../../shared"))
    a.add_argument("--program", default="../target/release/parlante")
    a.add_argument("--out", type=Path, default=Path("runs/motion/compare.json"))
    o = a.parse_args()
    kept = o.out.with_name("held.pickle")
    if not kept.exists():
        kept.write_bytes(pickle.dumps((list(held.clips(o.shared, o.program)), list(held.silences(o.program)))))
    clips, silent = pickle.loads(kept.read_bytes())
    columns = json.loads(o.out.read_text()) if o.out.exists() else {}
    if "rules" not in columns:
        columns["rules"] = measured(clips, [c.takes for c in clips], [m for c in silent for m in c.takes])
        best = [sorted(c.takes, key=lambda m: -score(m, c.loud, c.tune))[:2] for c in clips]
        columns["rules, best 2 of 6"] = measured(clips, best, [])
    for wanted in o.networks:
        name, _, rest = wanted.partition("=")
        file, guidance, steps, *hop = rest.split(",")
        p, facts = load(file)
        sampler = Sampler(p, facts, int(steps), float(guidance), float(hop[0]) if hop else 1.6)
        takes = [made(sampler, c) for c in clips]
        rows = measured(clips, takes, [m for c in silent for m in made(sampler, c)])
        frames = round(sampler.hop * FPS / (sampler.tokens / 3.2))
        rows["second difference where windows meet, of elsewhere"] = f"{seams([m for t in takes for m in t], frames):.2f}"
        rows["MFLOP a second of motion"] = f"{sampler.mega_flops():.0f}"
        rows["ms a second of motion, JAX on a CPU"] = f"{milliseconds(sampler, clips[0]):.1f}"
        columns[name] = rows
        o.out.write_text(json.dumps(columns, indent=1, ensure_ascii=False) + "\n")
    o.out.write_text(json.dumps(columns, indent=1, ensure_ascii=False) + "\n")
    table(columns)


if __name__ == "__main__":
    main()
