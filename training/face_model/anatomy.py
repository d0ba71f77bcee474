"""Which pieces of the full model are kept, and where their vertices matter."""

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

import tongue
from refine import refine, vertex_normals
from simplify import simplify
from source import Piece, Source

PARTS = ("skin", "mouth_socket", "gums_tongue", "teeth_upper", "teeth_lower")
SKIN, SOCKET, SOFT, UPPER, LOWER = range(5)

# Vertices of each part in the compact face.
BUDGET = {"skin": 1600, "mouth_socket": 90, "gums_tongue": 560, "front_upper": 800, "back_upper": 150,
          "front_lower": 560, "back_lower": 260}

# What moves keeps its vertices: the price of a collapse is summed over these.
KEY_POSES = ("jawOpen", "eyeBlink_L+eyeBlink_R", "mouthSmile_L+mouthSmile_R", "mouthPucker", "mouthFunnel", "mouthRollLower",
             "mouthRollUpper", "mouthUpperUp_L+mouthUpperUp_R", "browDown_L+browDown_R",
             "browInnerUp_L+browInnerUp_R", "mouthStretch_L+mouthStretch_R", "mouthFrown_L+mouthFrown_R", "noseSneer_L+noseSneer_R")

CROWN = 1.55  # cm of each tooth that may be seen; the rest is root
BACK = -0.35  # a front tooth's surface that turns away from the lips by more than this cosine is not kept
FRONT_UPPER, FRONT_LOWER = 10, 8  # teeth of each jaw that are seen from the front


def poses(source: Source, piece: Piece, names) -> list[np.ndarray]:
    """The neutral and some expressions of a piece; "a+b" adds two modes."""
    return [piece.neutral] + [piece.neutral + sum(piece.modes[source.mode(n)] for n in name.split("+")) for name in names]


def skin_and_socket(source: Source) -> tuple[Piece, dict[int, int]]:
    """Front of the face and the walls behind the lips, joined along the lips' inside. Also: source id -> vertex."""
    front = source.of_part("face")
    front = front[(front < source.range["face_narrow"][1]).all(1)]
    walls = source.of_part("mouth_socket")
    label = np.repeat([SKIN, SOCKET], [len(front), len(walls)])
    piece, ids = source.piece(np.concatenate([front, walls]), label)
    contour = np.concatenate(list(source.contours.values()))
    distance, _ = cKDTree(source.neutral[contour]).query(piece.neutral)
    importance = 0.25 + 4.0 * np.exp(-(distance**2))
    importance[~np.isin(np.arange(len(ids)), piece.triangles[piece.label == SKIN])] = 0.02
    small, kept = simplify(piece, poses(source, piece, KEY_POSES), BUDGET["skin"] + BUDGET["mouth_socket"],
                           np.isin(ids, np.union1d(contour, near_landmarks(source))), importance)
    return small, {int(i): v for v, i in enumerate(ids[kept])}


def near_landmarks(source: Source) -> np.ndarray:
    """For each landmark the heaviest corner of its triangle: with a vertex for each, the skin can follow all of them."""
    skin = source.landmark_kind != 3
    heaviest = source.landmark_weights[skin].argmax(1)
    return np.unique(np.take_along_axis(source.landmark_vertices[skin], heaviest[:, None], 1))


def gums_and_tongue(source: Source) -> Piece:
    """Soft tissue: the tongue and the gum line in front are seen, the rest hardly."""
    triangles = source.of_part("gums_tongue")
    piece, ids = source.piece(triangles, np.full(len(triangles), SOFT))
    y, z = piece.neutral[:, 1], piece.neutral[:, 2]
    teeth = np.concatenate([source.neutral[slice(*source.range[f"teeth_{jaw}"])] for jaw in ("upper", "lower")])
    distance, _ = cKDTree(teeth).query(piece.neutral)
    gum_line = np.exp(-((distance / 0.15) ** 2)) * np.clip((z - 7.5) / 1.5, 0, 1) * (y < -1.6)
    seen = np.where(vertex_normals(piece.neutral, piece.triangles)[:, 1:] @ [0.5, 1.0] > 0.1, 1.0, 0.2)
    moving = tongue.share(source)[ids - source.range["gums_tongue"][0]]
    importance = seen * np.clip((z - 4.0) / 4.0, 0.1, 1.0) + 3.0 * gum_line + 2.0 * moving
    return simplify(piece, poses(source, piece, ["jawOpen", "tongueUp", "tongueOut"]), BUDGET["gums_tongue"], importance=importance)[0]


def teeth(source: Source, jaw: str) -> Piece:
    """Crowns of one jaw: the front ones refined first, so that they are round, the others thinned out."""
    triangles = source.of_part("teeth")
    start, end = source.range[f"teeth_{jaw}"]
    triangles = triangles[((triangles >= start) & (triangles < end)).all(1)]
    label, front_count = (UPPER, FRONT_UPPER) if jaw == "upper" else (LOWER, FRONT_LOWER)
    n = len(source.neutral)
    edge = np.concatenate([triangles[:, :2], triangles[:, 1:]])
    _, tooth = connected_components(coo_matrix((np.ones(len(edge)), edge.T), (n, n)), directed=False)
    single = []
    for number in np.unique(tooth[triangles[:, 0]]):
        own = triangles[tooth[triangles[:, 0]] == number]
        piece, _ = source.piece(own, np.full(len(own), label))
        y = piece.neutral[:, 1]
        edge_y = y.min() if jaw == "upper" else y.max()
        crown = (np.abs(y - edge_y) < CROWN)[piece.triangles].sum(1) >= 2
        single.append(piece.keep(crown))
    single.sort(key=lambda p: -p.neutral[:, 2].mean())
    if jaw == "upper":  # the lower ones show their backs when the jaw is open
        single = [_without_back(p) for p in single]
    front, back = join([refine(p) for p in single[:front_count]]), join(single[front_count:])
    shrink = lambda p, goal: simplify(p, poses(source, p, ["jawOpen"]), goal)[0]
    return join([shrink(front, BUDGET[f"front_{jaw}"]), shrink(back, BUDGET[f"back_{jaw}"])])


def _without_back(tooth: Piece) -> Piece:
    """Drops what faces the tongue; the biting edge stays."""
    p = tooth.neutral[tooth.triangles]
    normal = np.cross(p[:, 1] - p[:, 0], p[:, 2] - p[:, 0])
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
    outward = p.mean((0, 1)) * [1, 0, 1] - [0, 0, 6.0]  # from the middle of the arch
    outward /= np.linalg.norm(outward)
    side = normal @ outward
    return tooth.keep(side > BACK)


def join(pieces: list[Piece]) -> Piece:
    """Several pieces as one; vertices that no triangle uses are dropped."""
    offset = np.cumsum([0] + [len(p.neutral) for p in pieces[:-1]])
    triangles = np.concatenate([p.triangles + o for p, o in zip(pieces, offset)])
    neutral, modes = np.concatenate([p.neutral for p in pieces]), np.concatenate([p.modes for p in pieces], 1)
    ids, flat = np.unique(triangles, return_inverse=True)
    return Piece(neutral[ids], modes[:, ids], flat.reshape(-1, 3), np.concatenate([p.label for p in pieces]))
