"""Reads the full ICT face model and cuts it into the pieces that the compact face keeps."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from safetensors import safe_open

IDENTITIES = 40
EXPRESSIONS = 53


@dataclass
class Piece:
    """A mesh with its modes. Modes are identities first, then expressions, in cm a unit of weight."""

    neutral: np.ndarray  # [n, 3]
    modes: np.ndarray  # [modes, n, 3]
    triangles: np.ndarray  # [m, 3] into neutral
    label: np.ndarray  # [m] part of each triangle

    def keep(self, wanted: np.ndarray) -> "Piece":
        """The same piece with only the triangles of the boolean mask `wanted`."""
        return replace(self, triangles=self.triangles[wanted], label=self.label[wanted])


class Source:
    """The full model: 26,719 vertices, 100 identities, 57 expressions; the first 40 and 53 are used."""

    def __init__(self, path: Path):
        with safe_open(path, "numpy") as file:
            header = file.metadata()
            read = file.get_tensor
            self.neutral = read("neutral").astype(np.float64)
            scaled = lambda name, count: read(name)[:count] * read(f"{name}_scale")[:count, None, None].astype(np.float64)
            self.identity = scaled("identity", IDENTITIES)
            self.expression = scaled("expression", EXPRESSIONS)
            self.triangles = read("triangles").astype(np.int64)
            self.triangle_part = read("triangle_part")
            self.contours = {k: read(f"contour_{k}").astype(np.int64) for k in (
                "lip_inner_upper", "lip_inner_lower", "eyelid_right_upper", "eyelid_right_lower",
                "eyelid_left_upper", "eyelid_left_lower")}
            self.landmark_vertices = read("mp478_vertices").astype(np.int64)
            self.landmark_weights = read("mp478_weights").astype(np.float64)
            self.landmark_kind = read("mp478_kind")
        self.names = json.loads(header["expression_names"])[:EXPRESSIONS]
        self.eyes = json.loads(header["eyes"])
        self.origin = header["source"]
        self.licence = header["licence"]
        parts = json.loads(header["parts"])
        self.part_id = {p["name"]: p["id"] for p in parts}
        self.range = {p["name"]: (p["start"], p["end"]) for p in parts}
        self.range |= {name: tuple(bounds) for name, bounds in json.loads(header["subranges"]).items()}
        self._silence_noise()
        self.modes = np.concatenate([self.identity, self.expression])

    def _silence_noise(self):
        """Gums and tongue carry jumps of 0.2 mm in expressions that have nothing to do with the jaw: registration noise."""
        start, end = self.range["gums_tongue"]
        for i, name in enumerate(self.names):
            if not name.startswith("jaw"):
                self.expression[i, start:end] = 0

    def add(self, modes: dict[str, np.ndarray]) -> None:
        """More expressions, each [vertices, 3]."""
        self.names += list(modes)
        self.expression = np.concatenate([self.expression, *(m[None] for m in modes.values())])
        self.modes = np.concatenate([self.identity, self.expression])

    def mode(self, name: str) -> int:
        """Index of an expression among all modes."""
        return IDENTITIES + self.names.index(name)

    def of_part(self, name: str) -> np.ndarray:
        """Triangles of a part."""
        return self.triangles[self.triangle_part == self.part_id[name]]

    def piece(self, triangles: np.ndarray, label: np.ndarray) -> tuple[Piece, np.ndarray]:
        """A piece of its own from some triangles, and the source's id of each of its vertices."""
        ids, flat = np.unique(triangles, return_inverse=True)
        return Piece(self.neutral[ids], self.modes[:, ids], flat.reshape(-1, 3), label), ids

    def landmarks(self, vertices: np.ndarray) -> np.ndarray:
        """The 478 landmark points of a set of vertices [..., n, 3]."""
        return np.einsum("ij,...ijk->...ik", self.landmark_weights, vertices[..., self.landmark_vertices, :])
