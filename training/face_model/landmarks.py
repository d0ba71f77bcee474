"""Finds the place of MediaPipe's 478 landmarks on the compact skin."""

import numpy as np
from scipy.spatial import cKDTree

from anatomy import KEY_POSES, poses
from source import Piece, Source

CANDIDATES = 48  # nearest triangles that are tried for each landmark


def nearest_weights(points, corners):
    """Least-squares barycentric weights, all >= 0, of `points` [poses, 3] in one triangle `corners` [poses, 3, 3]."""
    best = None
    # the minimum lies inside, on an edge or in a corner: try the supports from large to small
    for support in ((0, 1, 2), (0, 1), (1, 2), (2, 0), (0,), (1,), (2,)):
        first, rest = support[0], support[1:]
        weights = np.zeros(3)
        weights[first] = 1.0
        if rest:
            basis = np.stack([(corners[:, r] - corners[:, first]).ravel() for r in rest], 1)
            part, *_ = np.linalg.lstsq(basis, (points - corners[:, first]).ravel(), rcond=None)
            if (part < 0).any() or part.sum() > 1:
                continue
            weights[list(rest)] = part
            weights[first] -= part.sum()
        error = ((np.einsum("i,pij->pj", weights, corners) - points) ** 2).sum()
        if best is None or error < best[0]:
            best = (error, weights)
        if len(support) == 3:
            break  # inside: nothing can be better
    return best


def attach(source: Source, skin: Piece):
    """Three vertices and their weights for each landmark, best over all key poses, and the errors [poses, 468], cm.

    Irises lie on the eyeballs, which the compact face does not have: theirs are the nearest places of the lids and mean nothing.
    """
    goal = np.stack([source.landmarks(source.neutral + sum(
        (source.modes[source.mode(n)] for n in name.split("+") if n), np.zeros(3))) for name in ("", *KEY_POSES)])
    place = np.stack(poses(source, skin, KEY_POSES))
    corners = place[:, skin.triangles]  # [poses, triangles, 3, 3]
    tree = cKDTree(corners[0].mean(1))
    vertices, weights, error = [], [], []
    for i in range(goal.shape[1]):
        _, near = tree.query(goal[0, i], CANDIDATES)
        found = [(*nearest_weights(goal[:, i], corners[:, t]), t) for t in near]
        _, best, t = min(found, key=lambda f: f[0])
        vertices.append(skin.triangles[t])
        weights.append(best)
        error.append(np.linalg.norm(np.einsum("i,pij->pj", best, corners[:, t]) - goal[:, i], axis=1))
    return np.array(vertices), np.array(weights), np.array(error).T[:, :468]
