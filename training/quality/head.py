"""The full 3-D face as a yardstick: its true openings, and what the landmarker reads from its pictures.

A landmarker has habits of its own: it reads a turn of 20 degrees as 16. So a rendered portrait is not held against the
angle that was asked for, but against the reading of a plain rendered 3-D head at that angle.
"""

import json
from pathlib import Path

import cv2
import numpy as np

FOCAL, SIDE = 2.4, 512  # as the decoder's camera: focal length in picture sides
FACE_CM, FACE_SHARE = 19.0, 0.47  # forehead to chin, and its share of the picture
INNER = ((13, 14), (82, 87), (312, 317))  # inner lips, upper and lower
CORNERS, TOP, CHIN = (61, 291), 10, 152
OUTER_LIPS = [61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146]
BROWS = ([70, 63, 105, 66, 107, 55, 65, 52, 53, 46], [300, 293, 334, 296, 336, 285, 295, 282, 283, 276])


def read_safetensors(path):
    """-> ({name: array}, metadata)"""
    raw = Path(path).read_bytes()
    size = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8 : 8 + size])
    kinds = {"F32": np.float32, "I32": np.int32, "I16": np.int16, "U8": np.uint8}
    meta = header.pop("__metadata__")
    out = {}
    for name, t in header.items():
        a, b = (8 + size + o for o in t["data_offsets"])
        out[name] = np.frombuffer(raw[a:b], kinds[t["dtype"]]).reshape(t["shape"])
    return out, meta


def arkit(name):
    """An expression of the model -> ARKit's name (two halves of browInnerUp and cheekPuff are one there)."""
    if name[-2:] not in ("_L", "_R"):
        return name
    whole = name[:-2]
    return whole if whole in ("browInnerUp", "cheekPuff") else whole + {"_L": "Left", "_R": "Right"}[name[-2:]]


def turn(yaw, pitch, roll=0.0):
    """Rotation of a head pose in degrees, about the camera's axes, as the motion format means it."""
    y, p, r = np.radians([yaw, pitch, -roll])
    rz = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    ry = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    rx = np.array([[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]])
    return rz @ ry @ rx


def angles(m):
    """The inverse of `turn`: rotation -> yaw, pitch, roll in degrees."""
    yaw = np.arcsin(np.clip(-m[2, 0], -1, 1))
    return np.degrees([yaw, np.arctan2(m[2, 1], m[2, 2]), -np.arctan2(m[1, 0], m[0, 0])])


class Head:
    """The full face model."""

    def __init__(self, path):
        t, meta = read_safetensors(path)
        self.neutral = t["neutral"].astype(float)
        self.identity = t["identity"] * t["identity_scale"][:, None, None].astype(float)
        self.expression = {}
        for k, name in enumerate(json.loads(meta["expression_names"])):
            move = t["expression"][k].astype(float) * t["expression_scale"][k]
            self.expression[arkit(name)] = self.expression.get(arkit(name), 0.0) + move
        self.ids, self.weights = t["mp478_vertices"], t["mp478_weights"].astype(float)
        materials = json.loads(meta["materials"])
        parts = {p["name"]: p["id"] for p in json.loads(meta["parts"])}
        hidden = [materials.index(m) for m in ("M_LacrimalFluid", "M_EyeBlend", "M_EyeOcclusion", "M_EyeLashes")]
        shown = ~np.isin(t["triangle_material"], hidden)
        self.triangles = t["triangles"][shown]
        self.colours = self._paint(t["triangle_material"][shown], t["triangle_part"][shown], materials, parts)

    def _paint(self, material, part, names, parts):
        colour = np.tile(np.array([205.0, 160, 138]), (len(self.triangles), 1))
        for name, rgb in {"M_GumsTongue": (150, 75, 75), "M_Teeth": (225, 218, 205), "M_ScleraLeft": (225, 222, 220),
                          "M_ScleraRight": (225, 222, 220), "M_IrisLeft": (60, 40, 30), "M_IrisRight": (60, 40, 30)}.items():
            colour[material == names.index(name)] = rgb
        colour[part == parts["mouth_socket"]] = (60, 25, 25)
        middle = self.neutral[self.triangles].mean(1)
        marks = self.landmarks(self.neutral)
        face = part == parts["face"]

        def inside(ids):
            polygon = marks[ids, :2].astype(np.float32).reshape(-1, 1, 2)
            near = np.flatnonzero(face & (middle[:, 2] > marks[ids, 2].min() - 1.5))
            hit = [cv2.pointPolygonTest(polygon, (float(x), float(y)), False) >= 0 for x, y in middle[near, :2]]
            return near[np.array(hit, bool)]

        colour[inside(OUTER_LIPS)] = (172, 92, 90)
        for brow in BROWS:
            colour[inside(brow)] = (80, 58, 45)
        # hair, so that the head has an outline
        colour[(part == parts["head_neck"]) & (middle[:, 1] > 4)] = (70, 50, 40)
        return colour

    def shape(self, weights=None, identity=None):
        v = self.neutral.copy()
        for name, w in (weights or {}).items():
            if w and name in self.expression:
                v += w * self.expression[name]
        for k, a in enumerate(identity if identity is not None else ()):
            v += a * self.identity[k]
        return v

    def landmarks(self, vertices):
        return (vertices[self.ids] * self.weights[..., None]).sum(1)

    def openings(self, weights):
        """(inner gap, mouth width) as shares of the resting face's height: the truth behind a picture."""
        p, rest = self.landmarks(self.shape(weights)), self.landmarks(self.neutral)
        height = np.linalg.norm(rest[TOP] - rest[CHIN])
        gap = np.mean([max(p[a, 1] - p[b, 1], 0.0) for a, b in INNER])
        return gap / height, np.linalg.norm(p[CORNERS[1]] - p[CORNERS[0]]) / height

    def camera(self, vertices, rotation):
        """-> (points in the camera's axes, pixels, distances)"""
        pivot = np.array([0.0, -5.0, -0.5])
        c = (vertices - pivot) @ rotation.T + pivot
        c[:, 1] -= 1.0
        distance = FOCAL * FACE_CM / FACE_SHARE - c[:, 2]
        k = FOCAL * SIDE / distance
        return c, np.stack([SIDE / 2 + k * c[:, 0], SIDE / 2 - k * c[:, 1]], 1), distance

    def normals(self, points):
        a, b, d = (points[self.triangles[:, k]] for k in range(3))
        n = np.cross(b - a, d - a)
        return n / (np.linalg.norm(n, axis=1, keepdims=True) + 1e-12)

    def lit(self, points):
        """Plain colours of the triangles in the light of the room."""
        shade = 0.45 + 0.55 * np.clip(self.normals(points) @ np.array([0.25, 0.45, 0.86]), 0, 1)
        return np.clip(self.colours * shade[:, None], 0, 255)

    def picture(self, vertices, rotation, colours=None):
        """A picture of the head, SIDE x SIDE, RGB: far triangles first, each in one colour; lit, if none are given."""
        c, xy, distance = self.camera(vertices, rotation)
        t = self.triangles
        rgb = self.lit(c) if colours is None else colours
        flat = np.round(xy[t] * 16).astype(np.int32)
        area = np.cross(flat[:, 1] - flat[:, 0], flat[:, 2] - flat[:, 0])
        front = np.flatnonzero(area < 0)
        order = front[np.argsort(-distance[t[front]].mean(1))]
        image = np.full((SIDE, SIDE, 3), (120, 130, 140), np.uint8)
        for i in order:
            cv2.fillConvexPoly(image, flat[i], rgb[i].tolist(), cv2.LINE_8, 4)
        return cv2.GaussianBlur(image, (0, 0), 0.8)
