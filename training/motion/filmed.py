"""Filmed talkers as numbers, and how far a take is from them.

Their head motion itself may not be used here, only its statistics: 10 %, 50 % and 90 % of 22 talkers, from
`shared/eval/calibration.json`. A picture's landmarks shake by themselves (about 3 per mille of the eyes' distance), so
their second and fourth differences are upper limits for motion without a picture, not a goal.
"""

import numpy as np

from .measured import FPS, pose

TALKERS = 22
SPEED = (5.96, 8.95, 21.6)  # degrees a second, median of a clip
DEVIATION = {"yaw": (0.182, 0.735, 7.07), "pitch": (0.55, 1.12, 4.82), "roll": (0.185, 0.604, 4.42)}  # degrees
SECOND = (5.22, 8.86, 28.2)  # jitter_head: second difference of the face's centre, per mille of the eyes' distance
FOURTH = (1.91, 3.18, 8.49)  # jitter_noise: trembling, from fourth differences, the same unit
# Centre of the rigid landmarks from the pivot of the head, and the eyes' distance and the face's height, cm (ICT face).
CENTRE, EYES, FACE = np.array([0.0, 9.8, 8.3]), 6.3, 16.3


def centre(motion):
    """where the middle of the face is in the picture, per mille of the eyes' distance; [frames, 2]"""
    yaw, pitch, roll = np.radians(pose(motion)).T
    x, y, z = CENTRE
    up, deep = np.cos(pitch) * y - np.sin(pitch) * z, np.sin(pitch) * y + np.cos(pitch) * z
    across = np.cos(yaw) * x + np.sin(yaw) * deep
    # Roll goes with the clock, and the shift of the file points right and down.
    at = [np.cos(roll) * across + np.sin(roll) * up, np.cos(roll) * up - np.sin(roll) * across]
    return 1000 / EYES * (np.stack(at, 1) + FACE * np.stack([motion["x"], -motion["y"]], 1))


def difference(motion, order):
    """as the evaluation's difference_rms: the largest 1 % clipped"""
    d = np.linalg.norm(np.diff(centre(motion), order, axis=0), axis=1)
    return float(np.sqrt((np.minimum(d, np.percentile(d, 99)) ** 2).mean()))


def statistics(motion):
    """name -> (value, (10 %, 50 %, 90 %) of filmed talkers)"""
    head = pose(motion)
    return {
        "speed": (float(np.median(np.linalg.norm(np.diff(head, axis=0) * FPS, axis=1))), SPEED),
        **{name: (float(motion[name].std()), limits) for name, limits in DEVIATION.items()},
        "second difference": (difference(motion, 2), SECOND),
        "fourth difference": (difference(motion, 4) / np.sqrt(70), FOURTH),
    }


def distance(motion):
    """mean distance from the median talker in speed, ranges and second difference; 1: at the edge of 10 % to 90 %.
    A second difference below the median is no fault: theirs is mostly the landmarks' own noise."""
    parts = []
    for name, (value, (low, middle, high)) in statistics(motion).items():
        if name == "fourth difference":
            continue
        away = np.log(max(value, 1e-6) / middle)
        if away < 0:
            away = 0.0 if name == "second difference" else away / np.log(low / middle)
        else:
            away /= np.log(high / middle)
        parts.append(away)
    return float(np.mean(parts))
