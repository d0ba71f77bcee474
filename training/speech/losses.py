"""What training minimises: phones and visemes of the encoder, tracks and closure gates of the lips."""
import torch
import torch.nn.functional as F

from .batches import ROWS
from .corpus import UNKNOWN
from .networks import DELAY_ROWS, TRACK_MEAN, TRACK_SCALE
from .phones import PHONES, VISEME_OF, VISEMES

SETTLE = 8  # rows and frames at the start of a crop that are not scored: the networks have heard too little
TRACK_COUNT = len(TRACK_MEAN)
VISEME_WEIGHT = 0.5
RARE = 2.0  # closures are short: a frame of one counts as two
SHUT_WEIGHT = 3.0  # a missed closure is the error people see
# A causal network answers a little late: it is asked for the lips of this much later than its frame's own time.
LEAD = 0.6  # rows of 20 ms: 12 ms
# Sounds that were taken for closed lips: their frames count more in the loss of the gate.
TAKEN_FOR_CLOSED = tuple(PHONES.index(p) for p in ("DH", "N", "V", "NG", "D"))
HARD = 2.0

_VISEMES = torch.tensor(VISEME_OF)
_GROUPS = F.one_hot(_VISEMES, len(VISEMES)).float()
_MEAN, _SCALE = torch.tensor(TRACK_MEAN), torch.tensor(TRACK_SCALE)
_HARD = torch.ones(len(PHONES) + 1)
_HARD[list(TAKEN_FOR_CLOSED)] = HARD


def phone_loss(logits, labels, weights):
    """logits [batch, ROWS, phones] -> cross entropy of phones, of visemes"""
    said, trust = labels[:, : ROWS - DELAY_ROWS], weights[:, : ROWS - DELAY_ROWS]
    trust = (trust * (said != UNKNOWN))[:, SETTLE:]
    said, logits = said[:, SETTLE:].clamp(min=0), logits[:, DELAY_ROWS + SETTLE :]
    total = trust.sum().clamp(min=1.0)
    phones = F.cross_entropy(logits.transpose(1, 2), said, label_smoothing=0.1, reduction="none")
    visemes = torch.log(logits.softmax(-1) @ _GROUPS.to(logits.device) + 1e-6)
    visemes = F.nll_loss(visemes.transpose(1, 2), _VISEMES.to(said.device)[said], reduction="none")
    return (phones * trust).sum() / total, (visemes * trust).sum() / total


def lip_loss(lips, labels, curves, weights):
    """lips [batch, frames, 7] -> squared error of the tracks, cross entropy of the gates

    Motion frame i lies at 40i ms; row j's middle at 20j + 10 ms. So frame i with its lead lies just after row 2i.
    """
    frames = torch.arange(SETTLE, lips.shape[1])
    later = LEAD - 0.5
    wanted = (1 - later) * curves[:, 2 * frames] + later * curves[:, 2 * frames + 1]
    trust = torch.minimum(weights[:, 2 * frames], weights[:, 2 * frames + 1])
    total = trust.sum().clamp(min=1.0)
    lips = lips[:, SETTLE:]
    mean, scale = _MEAN.to(lips.device), _SCALE.to(lips.device)
    tracks = (wanted[..., :TRACK_COUNT] - mean) / scale - lips[..., :TRACK_COUNT]
    tracks = ((tracks**2).mean(-1) * trust).sum() / total
    gates = F.binary_cross_entropy_with_logits(lips[..., TRACK_COUNT:], wanted[..., TRACK_COUNT:].clamp(0, 1),
                                               pos_weight=lips.new_full((2,), RARE), reduction="none")
    gates = SHUT_WEIGHT * gates[..., 0] * _HARD.to(lips.device)[labels[:, 2 * frames]] + gates[..., 1]
    return tracks, (0.5 * gates * trust).sum() / total


def losses(model, batch):
    """-> phones, visemes, tracks, gates"""
    mel, labels, curves, weights = batch
    with torch.autocast(mel.device.type, torch.bfloat16):
        logits, lips = model(mel)
    phones, visemes = phone_loss(logits.float(), labels, weights)
    tracks, gates = lip_loss(lips.float(), labels, curves, weights)
    return phones, VISEME_WEIGHT * visemes, tracks, gates
