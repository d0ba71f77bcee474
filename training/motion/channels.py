"""What the network moves, and the two ways in which it may write it down.

"knots": a value every second frame, with a cubic spline between them. Nothing above 6 Hz can be said that way, so that
what a few steps of sampling leave of the noise cannot tremble, and a second of motion costs half as many tokens.
"frames": every frame, the plain way.
"""

import numpy as np
from scipy.interpolate import CubicSpline

from .measured import FPS

HEAD = ("yaw", "pitch", "roll", "x", "y")
BROWS = ("browInnerUp", "browOuterUpLeft", "browOuterUpRight", "browDownLeft")
CHANNELS = HEAD + BROWS
STRIDE = {"knots": 2, "frames": 1}


def thinned(curves, form):
    """[frames, channels] -> [tokens, channels]"""
    return curves[:: STRIDE[form]]


def filled(tokens, form, frames):
    """[tokens, channels] -> [frames, channels]"""
    stride = STRIDE[form]
    if stride == 1:
        return tokens[:frames]
    return CubicSpline(np.arange(len(tokens)) * stride, tokens)(np.arange(frames))


def curves(motion):
    """Motion of the program -> [frames, channels]"""
    return np.stack([motion[name] for name in CHANNELS], 1).astype(np.float32)


def moved(motion, made):
    """The program's Motion with head and brows exchanged for [frames, channels]"""
    out = type(motion)({k: v[: len(made)] for k, v in motion.items()})
    for name, values in zip(CHANNELS, made.T):
        out[name] = np.clip(values, 0, 0.7) if name in BROWS else values
    out["browDownRight"] = out["browDownLeft"]
    return out


def tokens_a_second(form):
    return FPS / STRIDE[form]
