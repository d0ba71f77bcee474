"""Lip opening and mouth width of ARKit curves on the ICT face (MIT, USC Institute for Creative Technologies), in cm."""
import json

import numpy as np
from safetensors import safe_open

INNER_LIP_PAIRS = ((13, 14), (82, 87), (312, 317))  # MediaPipe's landmarks, upper and lower
CORNERS = (61, 291)


def arkit_names(name):
    """an expression of the ICT face -> ARKit's name for it (both halves of browInnerUp and cheekPuff are one there)"""
    if name[-2:] not in ("_L", "_R"):
        return name
    whole = name[:-2]
    return whole if whole in ("browInnerUp", "cheekPuff") else whole + {"_L": "Left", "_R": "Right"}[name[-2:]]


class IctLips:
    def __init__(self, path):
        with safe_open(path, "np") as face:
            names = json.loads(face.metadata()["expression_names"])
            ids = [i for pair in INNER_LIP_PAIRS for i in pair] + list(CORNERS)
            vertices, weights = face.get_tensor("mp478_vertices")[ids], face.get_tensor("mp478_weights")[ids]
            points = lambda mesh: (mesh[vertices] * weights[..., None]).sum(1)
            self.neutral = points(face.get_tensor("neutral"))
            modes, scale = face.get_tensor("expression"), face.get_tensor("expression_scale")
            self.moves = {}
            for k, name in enumerate(names):
                move = points(modes[k].astype(np.float32) * scale[k])
                self.moves[arkit_names(name)] = self.moves.get(arkit_names(name), 0.0) + move

    def points(self, arkit):
        """{name: [n]} -> [n, 8, 3]"""
        total = self.neutral[None]
        for name, values in arkit.items():
            if name in self.moves:
                total = total + values[:, None, None] * self.moves[name]
        return total

    def gap_and_width(self, arkit):
        p = self.points(arkit)
        gap = np.mean([p[:, 2 * k, 1] - p[:, 2 * k + 1, 1] for k in range(3)], axis=0)
        return np.maximum(gap, 0.0), p[:, 7, 0] - p[:, 6, 0]
