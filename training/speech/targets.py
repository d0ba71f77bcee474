"""What the networks learn, row by row: phone labels, the teacher's tracks and gates, and how far a row is trusted.

    python -m speech.targets --corpus runs/corpus [--sets flite festival] [--phones runs/realigned.json]
"""
import argparse
import json
from pathlib import Path

import numpy as np

from .corpus import Corpus, labels
from .teacher import articulate

# Voices that were never trained are heard this many ms late (measured on the development speakers), so the networks are
# asked for what comes that much later. Times that the encoder found lie on its rows: each clip of them moves by none or
# by a whole row, as often as makes the same in the mean.
LATE_PHONES = 9.0
ROW = 20
DOUBTED = 0.2  # how much a phone counts that the encoder did not hear


def row_labels(phones, rows, rng):
    on_rows = all(start % ROW == 0 for _, start, _ in phones)
    return labels(phones, rows, LATE_PHONES + on_rows * rng.uniform(-ROW / 2, ROW / 2)).astype(np.int8)


def trust(moved, rows):
    """of each row: that of the clip, less where a phone was not heard (speech.realign)"""
    out, times = np.full(rows, moved["weight"], np.float16), np.arange(rows) * ROW + ROW / 2
    for start, end in moved.get("doubted", []):
        out[(times >= start) & (times < end)] *= DOUBTED
    return out


def write_targets(corpus, name, moved):
    marks, curves, weights, rng = [], [], [], np.random.default_rng(1)
    for clip in corpus.of(name):
        new = moved.get(clip.file)
        phones = new["phones"] if new else clip.phones
        marks.append(row_labels(phones, clip.rows, rng))
        curves.append(articulate(phones, corpus.mel_of(clip))[1::2].astype(np.float16))  # the middle of a row
        weights.append(trust(new, clip.rows) if new else np.ones(clip.rows, np.float16))
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
