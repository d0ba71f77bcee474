"""Moves the phone times of the recorded training speech to where the half-trained encoder hears them.

    python -m speech.realign --corpus runs/corpus --run runs/speech --out runs/realigned.json
    python -m speech.targets --corpus runs/corpus --sets speechocean762 --phones runs/realigned.json

Readers who are not native say other sounds than the text's; a clip whose two alignments disagree is trusted less.
"""
import argparse
import json
from pathlib import Path

import numpy as np
import torch
from scipy.special import log_softmax

from .corpus import RECORDED, Corpus, labels
from .hearing import outputs
from .networks import Speech
from .phones import INDEX
from .targets import LATE_PHONES

NO_TRUST, FULL_TRUST = 0.40, 0.70  # share of speech rows on which the two alignments agree
PRIOR = 0.5  # how much of the phones' frequency is taken out of the encoder's opinion


def best_path(scores, sequence):
    """Viterbi: scores [rows, phones] -> position in `sequence` (phones in order; any SIL may be skipped) a row"""
    rows, states = len(scores), len(sequence)
    here = scores[:, sequence]
    silent = sequence == INDEX["SIL"]
    best = np.full(states, -1e9)
    best[:2] = here[0, :2]  # the sequence begins with SIL
    came = np.zeros((rows, states), np.int8)
    skip = np.where(silent[1:-1], 0.0, -1e9)  # over the state before
    moves = np.full((3, states), -1e9)
    for t in range(1, rows):
        moves[0] = best
        moves[1, 1:] = best[:-1]
        moves[2, 2:] = best[:-2] + skip
        came[t] = moves.argmax(0)
        best = moves.max(0) + here[t]
    state = states - 1 if best[-1] >= best[-2] else states - 2
    path = [state]
    for t in range(rows - 1, 0, -1):
        state -= int(came[t, state])
        path.append(state)
    return np.array(path[::-1])


def found(path, names, late):
    """path over `names`, one a row -> [[phone, start_ms, end_ms], ...]

    Networks that were asked for phones `late` ms later say them on rows that much earlier (speech.targets).
    """
    cuts = np.flatnonzero(np.diff(path)) + 1
    rows = np.concatenate([[0], cuts, [len(path)]])
    times = np.concatenate([[0], 20 * cuts + round(late), [20 * len(path)]])
    return [[names[path[row]], int(a), int(b)] for row, a, b in zip(rows, times, times[1:])]


def realigned(clip, logits, prior, late):
    """-> moved phones or None where the clip is too short for its phones

    Pauses may only vanish, not appear: a SIL in front of P or B would take the closed lips away from them.
    """
    names = [p for p, _, _ in clip.phones]
    names = ["SIL"] * (names[0] != "SIL") + names + ["SIL"] * (names[-1] != "SIL")
    if len(names) < 3 or len(names) > len(logits):
        return None
    path = best_path(log_softmax(logits, axis=1) - PRIOR * prior, np.array([INDEX[n] for n in names]))
    return found(path, names, late)


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("corpus", "run", "out"):
        args.add_argument("--" + name, type=Path, required=True)
    args.add_argument("--late", type=float, default=LATE_PHONES, help="0 for networks of packs older than version 0.2.0")
    a = args.parse_args()
    torch.set_num_threads(1)
    corpus = Corpus(a.corpus, [RECORDED])
    model = Speech().eval()
    model.load_state_dict(torch.load(a.run / "latest.pt", weights_only=True)["average"])
    known = corpus.labels[corpus.labels >= 0]
    prior = np.log(np.bincount(known, minlength=len(INDEX)) / len(known) + 1e-4)
    moved, agreements = {}, []
    clips = corpus.of(RECORDED)
    heard = outputs(model, corpus, clips)
    for clip in clips:
        phones = realigned(clip, heard[clip.file][0], prior, a.late)
        if phones is None:
            continue
        before, after = corpus.labels[clip.span], labels(phones, clip.rows)
        speech = before > INDEX["SIL"]
        agreement = float((before == after)[speech].mean()) if speech.any() else 0.0
        agreements.append(agreement)
        trust = float(np.clip((agreement - NO_TRUST) / (FULL_TRUST - NO_TRUST), 0, 1))
        moved[clip.file] = {"phones": phones, "weight": round(trust, 3)}
    a.out.write_text(json.dumps(moved))
    print(f"{len(moved)} clips, {np.mean(agreements):.3f} of the speech rows keep their phone, "
          f"{np.mean(np.array(agreements) < 0.6):.3f} of the clips disagree in more than 40 %")


if __name__ == "__main__":
    main()
