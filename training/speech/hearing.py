"""What the networks make of whole clips."""
import numpy as np
import torch

from .mel import BANDS, FLOOR
from .networks import DELAY_ROWS
from .phones import INDEX, VISEME_OF

SILENCE_AFTER = 16  # mel frames of digital silence after a clip, so that late outputs exist
_VISEME = np.array(VISEME_OF)


@torch.no_grad()
def outputs_of(model, corpus, mels):
    """log-mels [2n, 80] of several clips -> of each: phone logits [n, 40] in time with the labels, lips [n // 2, 7] at 40i ms

    The networks are causal, so clips of any length share a batch: what is padded behind a clip cannot reach it.
    """
    longest = max(len(m) for m in mels) + SILENCE_AFTER
    x = np.full((len(mels), longest, BANDS), np.log(FLOOR), np.float32)
    for k, mel in enumerate(mels):
        x[k, : len(mel)] = mel
    logits, lips = model(torch.from_numpy((x - corpus.mean) * corpus.scale))
    rows = [len(m) // 2 for m in mels]
    return [(logits[k, DELAY_ROWS : DELAY_ROWS + n].numpy(), lips[k, : n // 2].numpy()) for k, n in enumerate(rows)]


def outputs(model, corpus, clips, mel_of=None, batch=24):
    """{file: (phone logits, lips)} of every clip; `mel_of` gives other features of a clip than the corpus"""
    out = {}
    ordered = sorted(clips, key=lambda c: c.rows)
    for first in range(0, len(ordered), batch):
        part = ordered[first : first + batch]
        mels = [(mel_of or corpus.mel_of)(c).astype(np.float32) for c in part]
        out.update(zip((c.file for c in part), outputs_of(model, corpus, mels)))
    return out


def right_frames(heard, said):
    """-> rows of speech, with the right phone, with the right viseme"""
    speech = said > INDEX["SIL"]
    return np.array([speech.sum(), (heard == said)[speech].sum(), (_VISEME[heard] == _VISEME[said])[speech].sum()])


def frame_accuracy(model, corpus, clips):
    """-> share of the speech rows with the right phone, with the right viseme"""
    total = np.zeros(3)
    heard = outputs(model, corpus, clips)
    for clip in clips:
        total += right_frames(heard[clip.file][0].argmax(1), corpus.labels[clip.span])
    return (total[1:] / max(1, total[0])).round(3).tolist()
