"""How well the networks do on speakers they never heard."""
import numpy as np
import torch

from .mel import BANDS, FLOOR
from .networks import DELAY_ROWS
from .phones import INDEX, VISEME_OF

_VISEME = np.array(VISEME_OF)
SILENCE_AFTER = 16  # mel frames of digital silence after a clip, so that late outputs exist


@torch.no_grad()
def outputs(model, corpus, mel):
    """log-mel [2n, 80] of one clip -> phone logits [n, 40] in time with the labels, lips [n // 2, 7] at 40i ms"""
    rows = len(mel) // 2
    after = np.full((SILENCE_AFTER, BANDS), np.log(FLOOR), np.float32)
    x = (np.concatenate([mel, after]) - corpus.mean) * corpus.scale
    logits, lips = model(torch.from_numpy(x.astype(np.float32))[None])
    return logits[0, DELAY_ROWS : DELAY_ROWS + rows].numpy(), lips[0, : rows // 2].numpy()


def frame_accuracy(model, corpus, clips):
    """-> share of the speech rows with the right phone, with the right viseme"""
    phones = visemes = total = 0
    for clip in clips:
        heard = outputs(model, corpus, corpus.mel_of(clip))[0].argmax(1)
        said = corpus.labels[clip.span]
        speech = said > INDEX["SIL"]
        phones += int((heard == said)[speech].sum())
        visemes += int((_VISEME[heard] == _VISEME[said])[speech].sum())
        total += int(speech.sum())
    return round(phones / max(1, total), 3), round(visemes / max(1, total), 3)
