"""The 3-D head painted with a portrait: what the landmarker reads when that very face turns.

A landmarker reads a plain lit head almost fully and a photographed skin less: light, brows and lips painted on it stay
where they were. So each portrait has its own yardstick: its colours are laid on the full 3-D head, whose true turn is known,
and the portrait's frames are held against the readings of that.
"""

import cv2
import numpy as np

from head import SIDE, Head, turn

STEP = 8  # pixels between the places that are worked out exactly
SEEN = 0.15  # cosine between a triangle and the view from which on it takes the photo's colour


def spread(at, values, smooth=1.0):
    """Values at scattered places -> a function of places: linear radial basis with an affine part."""
    n = len(at)
    kernel = lambda p: -np.linalg.norm(p[:, None] - at[None], axis=2)
    affine = lambda p: np.c_[np.ones(len(p)), p / SIDE]
    a = np.zeros((n + 3, n + 3))
    a[:n, :n] = kernel(at) - smooth * np.eye(n)
    a[:n, n:] = affine(at)
    a[n:, :n] = a[:n, n:].T
    weights = np.linalg.solve(a, np.r_[values, np.zeros((3, values.shape[1]))])
    return lambda p: kernel(p) @ weights[:n] + affine(p) @ weights[n:]


class PaintedHead:
    """The head with the colours of one frame. `landmarks`: pixels in the frame; `rotation`: of the face there."""

    def __init__(self, head: Head, frame, landmarks, rotation):
        self.head, self.rotation, self.vertices = head, rotation, head.shape()
        points, pixels, _ = head.camera(self.vertices, rotation)
        marks = (pixels[head.ids] * head.weights[..., None]).sum(1)[:468]
        grid = np.mgrid[0:SIDE:STEP, 0:SIDE:STEP].reshape(2, -1).T[:, ::-1].astype(float)
        n = SIDE // STEP
        way = spread(marks, landmarks[:468, :2])(grid).reshape(n, n, 2).astype(np.float32)
        way = cv2.resize(way, (SIDE, SIDE))
        laid = cv2.remap(np.ascontiguousarray(frame), way[..., 0], way[..., 1], cv2.INTER_LINEAR)
        x, y = np.clip(pixels[head.triangles].mean(1), 0, SIDE - 1).astype(int).T
        seen = head.normals(points)[:, 2] > SEEN
        self.colours = np.where(seen[:, None], laid[y, x].astype(float), head.lit(points))

    def reading(self, reader, **degrees):
        """Angles that are read when the head turns from the photo's pose; None where no face is found."""
        rotation = turn(**{"yaw": 0.0, "pitch": 0.0, "roll": 0.0} | degrees) @ self.rotation
        face = reader(self.head.picture(self.vertices, rotation, self.colours))
        return None if face is None else face.pose
