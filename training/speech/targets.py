"""What the networks learn, row by row: phone labels, the teacher's tracks and gates, and how far a row is trusted.

    python -m speech.targets --corpus runs/corpus [--phones runs/realigned.json]
"""
import argparse
import json
from pathlib import Path

import numpy as np

from .corpus import Corpus, labels
from .teacher import articulate


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--corpus", type=Path, required=True)
    args.add_argument("--phones", type=Path, help="moved phone times and weights from speech.realign")
    a = args.parse_args()
    corpus = Corpus(a.corpus)
    moved = json.load(open(a.phones)) if a.phones else {}
    marks, curves, weights = [], [], []
    for clip in corpus.clips:
        new = moved.get(clip.file)
        phones = new["phones"] if new else clip.phones
        marks.append(labels(phones, clip.rows).astype(np.int8))
        curves.append(articulate(phones, corpus.mel_of(clip))[1::2].astype(np.float16))  # the middle of a row
        weights.append(np.full(clip.rows, new["weight"] if new else 1.0, np.float16))
    np.savez(a.corpus / "targets.npz", labels=np.concatenate(marks), curves=np.concatenate(curves),
             weights=np.concatenate(weights))
    print(f"targets of {len(corpus.clips)} clips, {len(moved)} with moved times")


if __name__ == "__main__":
    main()
