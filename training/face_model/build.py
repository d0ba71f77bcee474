"""Makes packs/face.gguf: a compact face from the full ICT model. See README.md."""

import argparse
import json
from pathlib import Path

import gguf
import numpy as np

import tongue
from anatomy import KEY_POSES, LOWER, PARTS, SKIN, UPPER, gums_and_tongue, join, skin_and_socket, teeth
from landmarks import attach
from source import IDENTITIES, Piece, Source

ROOT = Path(__file__).resolve().parents[2]
VERSION = "1"
STILL = 0.002  # cm: what moves less than this in an expression does not move
COMMAND = "python training/face_model/build.py ../shared/data/face/ict_face.safetensors packs/face.gguf"
LICENCE = "MIT, Copyright (c) 2020 USC Institute for Creative Technologies"


def in_order(piece: Piece, renumber: dict[int, int]) -> tuple[Piece, dict[int, int], dict[str, list[int]]]:
    """Sorts vertices by part (a shared one belongs to the first) and triangles likewise. Also the parts' ranges."""
    part = np.full(len(piece.neutral), len(PARTS))
    for label in reversed(range(len(PARTS))):
        part[piece.triangles[piece.label == label]] = label
    order = np.argsort(part, kind="stable")
    where = np.empty_like(order)
    where[order] = np.arange(len(order))
    by_part = np.argsort(piece.label, kind="stable")
    sorted_piece = Piece(piece.neutral[order], piece.modes[:, order], where[piece.triangles[by_part]], piece.label[by_part])
    bounds = np.searchsorted(part[order], np.arange(len(PARTS) + 1))
    ranges = {name: [int(bounds[i]), int(bounds[i + 1])] for i, name in enumerate(PARTS)}
    return sorted_piece, {source: int(where[v]) for source, v in renumber.items()}, ranges


def sparse(modes: np.ndarray) -> dict[str, np.ndarray]:
    """[modes, n, 3] as lists of moving vertices, int16 steps and one scale a mode."""
    start, vertex, delta, scale = [0], [], [], []
    for mode in modes:
        moving = np.flatnonzero(np.abs(mode).max(1) > STILL)
        step = max(np.abs(mode).max(), 1e-6) / 32767
        vertex.append(moving)
        delta.append(np.round(mode[moving] / step))
        scale.append(step)
        start.append(start[-1] + len(moving))
    return {"face.expression.start": np.array(start, np.int32), "face.expression.vertex": np.concatenate(vertex).astype(np.int16),
            "face.expression.delta": np.concatenate(delta).astype(np.int16), "face.expression.scale": np.array(scale, np.float32)}


def dense(modes: np.ndarray) -> dict[str, np.ndarray]:
    """[modes, n, 3] as int8 steps and one scale a mode."""
    step = np.abs(modes).max((1, 2)) / 127
    return {"face.identity.delta": np.round(modes / step[:, None, None]).astype(np.int8), "face.identity.scale": step.astype(np.float32)}


def eyes(source: Source) -> tuple[dict, np.ndarray]:
    """Centre and radii of both eyeballs, and how each identity moves the centres: [2, identities, 3]."""
    shape, moves = {}, []
    for side in ("right", "left"):
        e = source.eyes[side]
        shape[side] = {"center": e["center"], "radius": e["sclera_radius"], "iris_radius": e["iris_radius"]}
        start, end = source.range[f"eyeball_{side}"]
        moves.append(source.identity[:, start:end].mean(1))
    return shape, np.array(moves, np.float32)


def write(out: Path, source: Source, piece: Piece, where: dict[int, int], ranges: dict) -> None:
    vertices, weights, error = attach(source, piece.keep(piece.label == SKIN))
    eye_shape, eye_moves = eyes(source)
    config = {"identities": IDENTITIES, "expressions": source.names, "parts": ranges, "eyes": eye_shape,
              "triangle_parts": {name: int((piece.label == i).sum()) for i, name in enumerate(PARTS)}}
    file = gguf.GGUFWriter(out, "parlante")
    file.add_string("parlante.version", VERSION)
    file.add_string("parlante.licence", LICENCE)
    file.add_string("parlante.training_command", COMMAND)
    file.add_string("parlante.data", source.origin + "; landmark correspondence from MediaPipe's canonical face (Apache-2.0)")
    file.add_string("parlante.face.config", json.dumps(config, separators=(",", ":")))
    tensors = {"face.neutral": piece.neutral.astype(np.float32), "face.triangles": piece.triangles.astype(np.int16),
               "face.landmark.vertices": vertices.astype(np.int16), "face.landmark.weights": weights.astype(np.float32),
               "face.landmark.kind": source.landmark_kind.astype(np.int8), "face.eye.identity": eye_moves}
    tensors |= dense(piece.modes[:IDENTITIES]) | sparse(piece.modes[IDENTITIES:])
    tensors |= {f"face.contour.{k}": np.array([where[int(v)] for v in c], np.int16) for k, c in source.contours.items()}
    for name, value in tensors.items():
        file.add_tensor(name, np.ascontiguousarray(value))
    file.write_header_to_file()
    file.write_kv_data_to_file()
    file.write_tensors_to_file()
    file.close()
    report(out, source, piece, ranges, config, tensors, error)


def report(out, source, piece, ranges, config, tensors, error) -> None:
    for name, (start, end) in ranges.items():
        print(f"{name}: {end - start} vertices, {config['triangle_parts'][name]} triangles")
    wrong = tensors["face.identity.delta"] * tensors["face.identity.scale"][:, None, None] - piece.modes[:IDENTITIES]
    print(f"largest error of an identity mode {np.abs(wrong).max():.4f} cm")
    print(f"landmarks off their place in the full model, mean of {len(KEY_POSES) + 1} poses: {error.mean():.4f} cm, largest {error.max():.4f}")
    for name, value in tensors.items():
        print(f"  {name} {value.dtype} {list(value.shape)} {value.nbytes / 1000:.0f} kB")
    print(f"{out}: {out.stat().st_size / 1000:.0f} kB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path, help="full ICT face model (safetensors)")
    parser.add_argument("out", type=Path, nargs="?", default=ROOT / "packs/face.gguf")
    arguments = parser.parse_args()
    source = Source(arguments.source)
    source.add(tongue.modes(source))
    skin, where = skin_and_socket(source)
    piece = join([skin, gums_and_tongue(source), teeth(source, "upper"), teeth(source, "lower")])
    assert UPPER < LOWER
    write(arguments.out, source, *in_order(piece, where))


if __name__ == "__main__":
    main()
