"""Contact sheets: one page a portrait, the photo and its controls, to be looked at in full size."""

import cv2
import numpy as np

import asked

TILE, COLUMNS = 320, 6
CLOSE = 288  # side of a close view, frame pixels


def label(tile, text):
    cv2.rectangle(tile, (0, 0), (9 * len(text) + 8, 18), (0, 0, 0), -1)
    cv2.putText(tile, text, (4, 13), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (255, 255, 255), 1, cv2.LINE_AA)
    return tile


def page(name, photo, frames, reader, view):
    """-> RGB, COLUMNS tiles wide: the photo's own frame, then the shown controls."""
    rest = reader(frames["zero"])
    tiles = [label(whole(photo), name)]
    for control in ("zero", *asked.SHOWN):
        frame = frames[control]
        if view == "all" or rest is None:
            tile = cv2.resize(frame, (TILE, TILE), interpolation=cv2.INTER_AREA)
        else:
            ids = {"mouth": [13, 14, 61, 291], "eyes": [33, 263, 133, 362]}[view]
            face = reader(frame) or rest
            tile = close(frame, face.points[ids, :2].mean(0))
        tiles.append(label(tile, control))
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % COLUMNS)
    return np.vstack([np.hstack(tiles[i : i + COLUMNS]) for i in range(0, len(tiles), COLUMNS)])


def whole(photo):
    k = TILE / max(photo.shape[:2])
    small = cv2.resize(photo, None, fx=k, fy=k, interpolation=cv2.INTER_AREA)
    out = np.zeros((TILE, TILE, 3), np.uint8)
    out[: small.shape[0], : small.shape[1]] = small
    return out


def close(frame, centre):
    """A square around a place, at the frame's own scale or a little more."""
    k = TILE / CLOSE
    m = np.float32([[k, 0, TILE / 2 - k * centre[0]], [0, k, TILE / 2 - k * centre[1]]])
    return cv2.warpAffine(frame, m, (TILE, TILE), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
