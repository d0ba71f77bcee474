"""Many takes of the rules; the best two of every six, by the measures, are what the network learns from.

    python -m motion.takes --speech ../../shared/data/speech --program ../target/release/parlante --out runs/motion

45 minutes of recorded sentences, six takes each with other seeds and other expressiveness. Writes for every recording the
sound's readings, all takes and their scores. About 3 minutes of one core; what is there is not made again.
"""

import argparse
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from .channels import curves
from .hearing import hear
from .measured import BLOCK, generate, loudness, pitch, write_sound
from .recordings import joined, recordings
from .score import score

TAKES = 6
EXPRESSIVENESS = (0.75, 1.35)


def make(number, parts, speech, program, out):
    """six takes of one recording -> file"""
    path = out / f"{number:04}.npz"
    if path.exists():
        return path
    rng = np.random.default_rng([7, number])
    samples, phones = joined(speech, parts, rng)
    sound, said = path.with_suffix(".wav"), path.with_suffix(".json")
    write_sound(sound, samples)
    said.write_text(json.dumps({"phones": phones}))
    n = len(samples) // BLOCK
    loud, tune = loudness(samples), pitch(samples)
    made, scores = [], []
    for k in range(TAKES):
        lively = round(float(rng.uniform(*EXPRESSIVENESS)), 2)
        options = ("--seed", 1_000_000 + number * TAKES + k, "--expressiveness", lively, "--phones", said)
        motion = generate(program, sound, *options)
        for name in motion:
            motion[name] = motion[name][:n]
        made.append(curves(motion))
        scores.append(score(motion, loud[: len(made[-1])], tune[: len(made[-1])]))
    sound.unlink()
    said.unlink()
    np.savez(path, takes=np.stack(made), scores=np.array(scores), heard=hear(samples)[: len(made[0])])
    return path


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--speech", type=Path, default=Path("../../shared/data/speech"))
    a.add_argument("--program", default="../target/release/parlante")
    a.add_argument("--out", type=Path, default=Path("runs/motion"))
    a.add_argument("--jobs", type=int, default=1)
    o = a.parse_args()
    folder = o.out / "takes"
    folder.mkdir(parents=True, exist_ok=True)
    every = recordings(o.speech, np.random.default_rng(7))
    with ThreadPoolExecutor(o.jobs) as pool:
        paths = list(pool.map(lambda job: make(*job, o.speech, o.program, folder), enumerate(every)))
    scores = np.stack([np.load(p)["scores"] for p in paths])
    best = np.sort(scores, 1)[:, ::-1]
    print(f"{len(paths)} recordings, {scores.size} takes")
    print("score by rank: " + ", ".join(f"{x:.2f}" for x in best.mean(0)))


if __name__ == "__main__":
    main()
