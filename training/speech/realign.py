"""Moves the phone times of the recorded training speech to where the half-trained encoder hears them.

    python -m speech.realign --corpus runs/corpus --run runs/speech --out runs/realigned.json
    python -m speech.targets --corpus runs/corpus --sets speechocean762 --phones runs/realigned.json

Readers who are not native say other sounds than the text's: a clip whose two alignments disagree is trusted less, and a
phone that the encoder hears nowhere in its place is doubted.
"""
import argparse
import json
from pathlib import Path

import numpy as np
import torch
from scipy.special import log_softmax, softmax

from .corpus import RECORDED, Corpus, labels
from .hearing import outputs
from .networks import Speech
from .phones import INDEX, VISEME_OF
from .targets import ROW

NO_TRUST, FULL_TRUST = 0.40, 0.70  # share of speech rows on which the two alignments agree
UNHEARD = 0.05  # largest probability of a phone's viseme in its rows under which the phone is doubted
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

    `late`: how much earlier the networks say phones than they are. Where it is 0 all times lie on rows, which
    speech.targets makes up for.
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


def shift(before, after):
    """how far the middle of each phone moved, ms; phones that moved very far are left out"""
    before, after = ([v for v in phones if v[0] != "SIL"] for phones in (before, after))
    moves = [(x[1] + x[2] - y[1] - y[2]) / 2 for x, y in zip(after, before)]
    return [m for m in moves if abs(m) < 80]


def doubted(phones, logits, late):
    """spans in ms of the phones that were not heard"""
    p, visemes = softmax(logits, axis=1), np.array(VISEME_OF)
    spans = []
    for name, start, end in phones:
        rows = slice(max(0, round(start - late) // ROW), max(round(end - late) // ROW, round(start - late) // ROW + 1))
        heard = p[rows][:, visemes == VISEME_OF[INDEX[name]]].sum(1)
        if name != "SIL" and len(heard) and heard.max() < UNHEARD:
            spans.append([start, end])
    return spans


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("corpus", "run", "out"):
        args.add_argument("--" + name, type=Path, required=True)
    args.add_argument("--late", type=float, default=0.0, help="how much earlier the networks say phones than they "
                      "are; choose it so that the printed median is 0 against the times they were trained on")
    args.add_argument("--before", type=Path, help="the times they were trained on, if not the recogniser's")
    a = args.parse_args()
    torch.set_num_threads(1)
    corpus = Corpus(a.corpus, [RECORDED])
    model = Speech().eval()
    model.load_state_dict(torch.load(a.run / "latest.pt", weights_only=True)["average"])
    known = corpus.labels[corpus.labels >= 0]
    prior = np.log(np.bincount(known, minlength=len(INDEX)) / len(known) + 1e-4)
    earlier = json.load(open(a.before)) if a.before else {}
    moved, agreements, shifts = {}, [], []
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
        moved[clip.file] = {"phones": phones, "weight": round(trust, 3), "doubted": doubted(phones, heard[clip.file][0], a.late)}
        shifts += shift(earlier.get(clip.file, {}).get("phones", clip.phones), phones)
    a.out.write_text(json.dumps(moved))
    print(f"{len(moved)} clips, {np.mean(agreements):.3f} of the speech rows keep their phone, "
          f"{np.mean(np.array(agreements) < 0.6):.3f} of the clips disagree in more than 40 %; "
          f"phones moved by {np.median(shifts):+.1f} ms in the median, {np.mean(shifts):+.1f} in the mean")


if __name__ == "__main__":
    main()
