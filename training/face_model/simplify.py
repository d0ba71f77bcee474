"""Mesh simplification by half-edge collapse.

A vertex is merged into one of its neighbours, so that every survivor keeps its exact row in all modes. The price of
a collapse is the quadric error of Garland and Heckbert (1997), summed over several poses of the face: what moves
keeps its vertices.
"""

import heapq

import numpy as np

from source import Piece

SLIVER = 0.06  # worst triangle shape that a collapse may make (1: equilateral)
FLIP = 0.25  # cosine between a triangle's normals before and after
DRIFT = 1e-5  # price of a collapse in flat skin, per squared cm of edge


def _quadrics(triangles, pose, seams):
    """One 4x4 error matrix a vertex: planes of its triangles, weighted by area, and walls along the seams."""
    corner = pose[triangles]
    normal = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    area = np.linalg.norm(normal, axis=1)
    normal = normal / np.maximum(area, 1e-12)[:, None]
    plane = np.c_[normal, -np.einsum("ij,ij->i", normal, corner[:, 0])]
    total = np.zeros((len(pose), 4, 4))
    for i in range(3):
        np.add.at(total, triangles[:, i], np.einsum("i,ij,ik->ijk", area, plane, plane))
    for a, b, t in seams:
        along = pose[b] - pose[a]
        wall = np.cross(along, normal[t])
        wall = wall / max(np.linalg.norm(wall), 1e-12)
        wall = np.r_[wall, -wall @ pose[a]]
        for v in (a, b):
            total[v] += 4.0 * (along @ along) * np.outer(wall, wall)
    return total


def _seams(piece: Piece):
    """Edges (a, b, triangle) that have no twin in a triangle of the same part: outlines and borders between parts."""
    owner = {}
    for t, (a, b, c) in enumerate(piece.triangles):
        for edge in ((a, b), (b, c), (c, a)):
            owner[edge] = t
    return [(a, b, t) for (a, b), t in owner.items()
            if (b, a) not in owner or piece.label[owner[b, a]] != piece.label[t]]


class Collapser:
    """State of one simplification."""

    def __init__(self, piece: Piece, poses, locked, importance):
        self.poses = np.stack(poses)  # [poses, n, 3]; the first three are watched for flips
        seams = _seams(piece)
        self.quadric = np.stack([_quadrics(piece.triangles, p, seams) for p in poses], 1)  # [n, poses, 4, 4]
        self.seam = {}
        for a, b, _ in seams:
            self.seam.setdefault(int(a), set()).add(int(b))
            self.seam.setdefault(int(b), set()).add(int(a))
        self.importance, self.locked = importance, locked
        self.face = {t: tuple(map(int, f)) for t, f in enumerate(piece.triangles)}
        self.around = {int(v): set() for v in np.unique(piece.triangles)}
        for t, f in self.face.items():
            for v in f:
                self.around[v].add(t)
        self.stamp = dict.fromkeys(self.around, 0)
        self.heap = []

    def ring(self, v):
        return {w for t in self.around[v] for w in self.face[t]} - {v}

    def offer(self, v):
        """Puts the collapses of `v` on the heap, cheapest first."""
        if self.locked[v]:
            return
        # a vertex of a seam slides along it, else the seam would move
        targets = np.array(sorted(self.seam[v] if v in self.seam else self.ring(v)))
        if not len(targets):
            return
        spot = np.concatenate([self.poses[:, targets], np.ones((len(self.poses), len(targets), 1))], 2)
        error = np.einsum("ptj,tpjk,ptk->t", spot, self.quadric[targets] + self.quadric[v], spot)
        edge = ((self.poses[0, targets] - self.poses[0, v]) ** 2).sum(1)
        price = self.importance[v] * (np.maximum(error, 0) + DRIFT * edge)
        order = np.argsort(price, kind="stable")
        heapq.heappush(self.heap, (price[order[0]], v, self.stamp[v], tuple(price[order]), tuple(targets[order].tolist())))

    def allowed(self, v, w, shared):
        """True if merging `v` into `w` keeps the surface a surface and turns no triangle over."""
        if len(self.ring(v) & self.ring(w)) != len(shared):
            return False
        old = np.array([self.face[t] for t in self.around[v] if t not in shared])
        if not len(old):
            return False
        new = np.where(old == v, w, old)
        for pose in self.poses[:3]:
            p, q = pose[old], pose[new]
            n = np.cross(p[:, 1] - p[:, 0], p[:, 2] - p[:, 0])
            m = np.cross(q[:, 1] - q[:, 0], q[:, 2] - q[:, 0])
            if ((n * m).sum(1) < FLIP * np.linalg.norm(n, axis=1) * np.linalg.norm(m, axis=1)).any():
                return False
        shape = lambda x: 2 * 3 ** 0.5 * np.linalg.norm(np.cross(x[:, 1] - x[:, 0], x[:, 2] - x[:, 0]), axis=1) / (
            ((x - np.roll(x, 1, 1)) ** 2).sum((1, 2)) + 1e-12)
        before, after = shape(self.poses[0][old]), shape(self.poses[0][new])
        return not (after < np.minimum(SLIVER, before)).any()

    def merge(self, v, w, shared):
        ring = self.ring(v)
        for t in shared:
            for x in self.face.pop(t):
                self.around[x].discard(t)
        for t in self.around.pop(v):
            self.face[t] = tuple(w if x == v else x for x in self.face[t])
            self.around[w].add(t)
        self.quadric[w] += self.quadric[v]
        if v in self.seam:
            for x in self.seam.pop(v):
                self.seam[x].discard(v)
                if x != w:
                    self.seam[x].add(w)
                    self.seam[w].add(x)
        for x in ring:
            self.stamp[x] += 1
            self.offer(x)

    def run(self, goal):
        """Collapses until `goal` vertices are left. Returns the indices of the triangles left and their corners."""
        for v in self.around:
            self.offer(v)
        while len(self.around) > goal and self.heap:
            _, v, stamp, prices, targets = heapq.heappop(self.heap)
            if v not in self.around or self.stamp[v] != stamp:
                continue
            w = targets[0]
            shared = {t for t in self.around[v] if w in self.face[t]}
            if shared and self.allowed(v, w, shared):
                self.merge(v, w, shared)
            elif len(targets) > 1:
                heapq.heappush(self.heap, (prices[1], v, stamp, prices[1:], targets[1:]))
        kept = sorted(self.face)
        return np.array(kept), np.array([self.face[t] for t in kept])


def simplify(piece: Piece, poses, goal: int, locked=None, importance=None) -> tuple[Piece, np.ndarray]:
    """A coarser piece of about `goal` vertices, and which vertices of the old one it kept (in the old order)."""
    n = len(piece.neutral)
    locked = np.zeros(n, bool) if locked is None else locked
    importance = np.ones(n) if importance is None else importance
    kept, triangles = Collapser(piece, poses, locked, importance).run(goal)
    ids, flat = np.unique(triangles, return_inverse=True)
    return Piece(piece.neutral[ids], piece.modes[:, ids], flat.reshape(-1, 3), piece.label[kept]), ids
