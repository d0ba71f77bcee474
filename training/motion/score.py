"""How good one take is by the measures: agreement with loudness and pitch, less its distance from filmed talkers."""

import numpy as np

from .filmed import distance
from .measured import following, pose, smooth, swaying

DISTANCE = 0.5  # what a take at the edge of the talkers' 10 % to 90 % loses, in units of a sum of four correlations


def agreement(motion, loud, tune):
    """the four correlations of liveliness.py for one take; loud and tune a value a frame"""
    head = pose(motion)
    speed = np.linalg.norm(np.diff(head, axis=0), axis=1)
    voice, melody = smooth(loud, 2), smooth(tune - tune.mean(), 1)
    brows = motion["browInnerUp"]
    return {
        "head activity with loudness": following(voice, smooth(np.append(speed, speed[-1]), 2)),
        "nods with loudness": following(voice, head[:, 1] - head[:, 1].mean()),
        "turns with pitch, either way": swaying(melody, head),
        "brows with pitch": following(melody, smooth(brows - brows.mean(), 1)),
    }


def score(motion, loud, tune):
    return sum(agreement(motion, loud, tune).values()) - DISTANCE * distance(motion)
