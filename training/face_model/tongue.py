"""Two expressions of our own: the ICT model's tongue only lies in the jaw."""

import numpy as np
from scipy.spatial import cKDTree

from refine import vertex_normals
from source import Source

ROOT, TIP = 5.6, 9.6  # z where the tongue begins to move, and of its tip, cm
LIFT = 1.25  # cm that the tip rises: from a jaw a little open to the gum behind the upper teeth
REACH = 2.9  # cm that the tip comes out
OVER_TEETH = 0.75  # cm that it rises to pass over the lower teeth
FLOOR = -5.0, -4.5  # y between which the floor of the mouth becomes tongue
SMOOTHING = 2  # rounds in which neighbours share their motion


def _smooth(x, low, high):
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def share(source: Source) -> np.ndarray:
    """How much each vertex of gums and tongue is moving tongue, 0..1.

    Tongue and gums are one mesh with a groove between them. Inside of the teeth, the tongue's sides look outwards and
    the gums look inwards."""
    start, end = source.range["gums_tongue"]
    own = source.neutral[start:end]
    triangles = source.of_part("gums_tongue")
    inner = ((triangles >= start) & (triangles < end)).all(1)
    triangles = triangles[inner] - start
    normal = vertex_normals(own, triangles)
    outward = np.stack([own[:, 0], np.maximum(own[:, 2] - ROOT, 0)], 1)
    outward /= np.maximum(np.linalg.norm(outward, axis=1, keepdims=True), 1e-9)
    low, high = source.range["teeth_lower"]
    teeth = source.neutral[low:high][:, ::2]
    _, nearest = cKDTree(teeth).query(own[:, ::2])
    behind_teeth = ((own[:, ::2] - teeth[nearest]) * outward).sum(1) < -0.22
    jaw = np.linalg.norm(source.expression[source.names.index("jawOpen"), start:end], axis=1) > 1.0
    looks_out = ((normal[:, ::2] * outward).sum(1) > -0.1) | (normal[:, 1] > 0.75)
    tongue = (jaw & behind_teeth & looks_out) * _smooth(own[:, 1], *FLOOR)
    edge = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    count = np.bincount(edge.ravel(), minlength=len(own))
    for _ in range(SMOOTHING):
        around = np.bincount(edge[:, 0], tongue[edge[:, 1]], len(own)) + np.bincount(edge[:, 1], tongue[edge[:, 0]], len(own))
        tongue = np.where(jaw & behind_teeth, 0.5 * tongue + 0.5 * around / np.maximum(count, 1), 0.0)
    return tongue


def modes(source: Source) -> dict[str, np.ndarray]:
    """Displacements of all vertices of the full model: tip to the upper teeth, and tongue out."""
    start, end = source.range["gums_tongue"]
    own = source.neutral[start:end]
    along = np.clip((own[:, 2] - ROOT) / (TIP - ROOT), 0, 1.15) * share(source)
    up, out = np.zeros_like(source.neutral), np.zeros_like(source.neutral)
    rise = along**2.2
    up[start:end, 1] = LIFT * rise
    up[start:end, 2] = 0.25 * rise * (2.0 - along)  # the tip ends above, not behind, where it was
    up[start:end, 0] = -0.10 * own[:, 0] * rise  # a raised tip is narrow
    out[start:end, 2] = REACH * along**1.5
    out[start:end, 1] = OVER_TEETH * np.sin(np.pi * np.clip(along, 0, 1) / 1.6)
    out[start:end, 0] = -0.12 * own[:, 0] * along**1.5
    return {"tongueUp": up, "tongueOut": out}
