"""What the networks learn, row by row: phone labels, the teacher's tracks and gates, and how far a row is trusted.

    python -m speech.targets --corpus runs/corpus [--sets flite festival] [--phones runs/realigned.json]
"""
import argparse
import json
from pathlib import Path

import numpy as np

from .corpus import Corpus, labels
from .teacher import articulate


def write_targets(corpus, name, moved):
    marks, curves, weights = [], [], []
    for clip in corpus.of(name):
        new = moved.get(clip.file)
        phones = new["phones"] if new else clip.phones
        marks.append(labels(phones, clip.rows).astype(np.int8))
        curves.append(articulate(phones, corpus.mel_of(clip))[1::2].astype(np.float16))  # the middle of a row
        weights.append(np.full(clip.rows, new["weight"] if new else 1.0, np.float16))
    np.savez(corpus.folder / name / "targets.npz", labels=np.concatenate(marks), curves=np.concatenate(curves),
             weights=np.concatenate(weights))
    print(f"{name}: targets of {len(marks)} clips, {sum(c.file in moved for c in corpus.of(name))} with moved times", flush=True)


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--corpus", type=Path, required=True)
    args.add_argument("--sets", nargs="+", required=True)
    args.add_argument("--phones", type=Path, help="moved phone times and weights from speech.realign")
    a = args.parse_args()
    corpus = Corpus(a.corpus, a.sets)
    moved = json.load(open(a.phones)) if a.phones else {}
    for name in corpus.sets:
        write_targets(corpus, name, moved)


if __name__ == "__main__":
    main()
