"""From the readings of one portrait's frames to its numbers, one function a row of the table."""

import numpy as np

import asked

PIXEL = 255.0
PADDING = 6  # pixels at the frame's border that the alignment may not know


def psnr(a, b, mask=None):
    d = (a.astype(float) - b.astype(float)) ** 2
    d = d.mean(-1) if mask is None else d.mean(-1)[mask]
    return float(10 * np.log10(PIXEL**2 / max(d.mean(), 1e-6)))


def crop_like(photo, frame, face, own):
    """The photo's pixels under `frame`: the similarity that takes landmarks to landmarks, refined on the pixels.

    `face` and `own` are the landmarks in the frame and in the photo. The photo is filtered before it is made smaller.
    """
    import cv2

    a, b = face[:468, :2], own[:468, :2]
    ca, cb = a.mean(0), b.mean(0)
    k = np.sqrt(((b - cb) ** 2).sum() / ((a - ca) ** 2).sum())
    m = np.array([[k, 0, cb[0] - k * ca[0]], [0, k, cb[1] - k * ca[1]]], np.float32)
    soft = cv2.GaussianBlur(photo, (0, 0), 0.42 * np.sqrt(max(k * k - 1, 0))) if k > 1.05 else photo
    grey = lambda p: cv2.cvtColor(p, cv2.COLOR_RGB2GRAY)
    stop = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 60, 1e-6)
    try:
        _, m = cv2.findTransformECC(grey(frame), grey(soft), m, cv2.MOTION_AFFINE, stop, None, 5)
    except cv2.error:
        pass  # nothing to hold on to: the landmarks' place stays
    size = frame.shape[1::-1]
    inside = cv2.warpAffine(np.ones(photo.shape[:2], np.uint8), m, size, flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP) > 0
    warped = cv2.warpAffine(soft, m, size, flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE)
    inside[:PADDING] = inside[-PADDING:] = inside[:, :PADDING] = inside[:, -PADDING:] = False
    return warped, cv2.erode(inside.astype(np.uint8), np.ones((5, 5))) > 0


def zero(photo, own, frame, read):
    """Likeness of the frame without motion to the photo, and of its parts."""
    import cv2

    target, inside = crop_like(photo, frame, read.points, own.points)
    out = {"zero_psnr": psnr(frame, target, inside)}
    eye = [i for ids in ((33, 133, 159, 145), (362, 263, 386, 374)) for i in ids]
    for name, ids in {"eyes": eye, "mouth": [61, 291, 0, 17]}.items():
        x0, y0 = read.points[ids, :2].min(0) - 6
        x1, y1 = read.points[ids, :2].max(0) + 6
        part = np.zeros_like(inside)
        part[max(int(y0), 0) : int(y1), max(int(x0), 0) : int(x1)] = True
        out[f"zero_psnr_{name}"] = psnr(frame, target, inside & part)
    hull = cv2.convexHull(read.points[:468, :2].astype(np.float32)).astype(np.int32)
    face = cv2.fillConvexPoly(np.zeros(inside.shape, np.uint8), hull, 1) > 0
    out["zero_psnr_face"] = psnr(frame, target, inside & face)
    out["zero_psnr_around"] = psnr(frame, target, inside & ~face)
    return out


def fit_line(x, y):
    """(correlation, slope) of y over x."""
    x, y = np.asarray(x, float), np.asarray(y, float)
    good = np.isfinite(x) & np.isfinite(y)
    x, y = x[good] - x[good].mean(), y[good] - y[good].mean()
    if len(x) < 3 or not x.any() or not y.any():
        return 0.0, 0.0
    return float((x @ y) / np.sqrt((x @ x) * (y @ y))), float((x @ y) / (x @ x))


def pose(faces, habit, painted):
    """Head pose asked against read, the latter held against what is read of the 3-D head painted with this portrait; and
    the gain over a plain head's reading."""
    from head import turn

    rest = habit.true(faces["zero"].pose)
    still = painted()
    if still is None:
        painted, still = (lambda **degrees: habit.of(turn(**{"yaw": 0, "pitch": 0, "roll": 0} | degrees) @ rest)), habit.of(rest)
    out = {}
    for k, (axis, degrees) in enumerate(asked.ANGLES.items()):
        got, want, plain, cross = [], [], [], []
        for d in degrees:
            face, at = faces.get(f"{axis}{d:+d}"), painted(**{axis: d})
            expected = faces["zero"].pose + (np.full(3, np.nan) if at is None else at - still)
            read = np.full(3, np.nan) if face is None else face.pose
            got.append(read[k])
            want.append(expected[k])
            plain.append(habit.of(turn(**{"yaw": 0, "pitch": 0, "roll": 0} | {axis: d}) @ rest)[k])
            cross.append(np.abs(np.delete(read - expected, k)).max())
        got, want, size = np.array(got), np.array(want), np.abs(degrees)
        # a pose in which the painted head itself is not found says nothing
        error = np.where(np.isnan(want), 0.0, np.where(np.isnan(got), 90.0, np.abs(got - want)))
        out[f"{axis}_r"], out[f"{axis}_gain"] = fit_line(want, got)
        out[f"{axis}_plain_gain"] = fit_line(plain, got)[1]
        out[f"{axis}_error15"] = float(error[size <= 15].max())
        if (size > 15).any():
            out[f"{axis}_error25"] = float(error.max())
        out[f"{axis}_cross"] = float(np.nanmax(cross))
    sizes = [(s, faces[f"scale{s}"]) for s in asked.SCALES if faces.get(f"scale{s}")]
    height = faces["zero"].height()
    out["scale_error"] = max((abs(f.height() / height / s - 1) for s, f in sizes), default=1.0)
    return out


def gaze(faces):
    """Iris in the eye's opening against the angle asked."""
    out, rest = {}, faces["zero"].gaze()
    for k, axis in enumerate("xy"):
        looks = [0, *asked.LOOKS]
        values = [rest] + [faces[n].gaze() if faces.get(n := f"gaze{axis}{d:+d}") else rest * np.nan for d in asked.LOOKS]
        order = np.argsort(looks)
        looks, values = np.array(looks)[order], np.array(values)[order]
        mean = values[:, [k, k + 2]].mean(1)
        out[f"gaze_{axis}_r"], slope = fit_line(looks, mean)
        out[f"gaze_{axis}_span"] = slope * 50
        out[f"gaze_{axis}_monotone"] = float(np.nanmin(np.diff(mean))) if not np.isnan(mean).any() else -1.0
    return out


def mouth(faces, truth):
    """Opening and width of the lips against the 3-D face's; changes from the closed mouth of speech at rest."""
    rest = faces["rest"].height()
    names = [n for n in asked.MOUTHS if faces.get(n)]
    out = {}
    for what in ("gap", "width"):
        got = [getattr(faces[n], what)(rest) for n in names]
        for suffix, key in (("", what), ("_read", f"read_{what}")):
            r, gain = fit_line([truth[n][key] for n in names], got)
            out |= {f"{what}{suffix}_r": r, f"{what}{suffix}_gain": gain}
    return out


def closures(faces):
    """Inner gap of lips that were asked to shut, share of the face's height; the worst of all."""
    rest = faces["rest"].height()
    gaps = {f"shut_{n}": faces[n].gap(rest) if faces.get(n) else 1.0 for n in asked.CLOSURES}
    return gaps | {"shut_worst": max(gaps.values())}


def beside_wink(frames, face):
    """Likeness of each eye, lids and all, to the frame without motion while the other eye winks, dB. `face`: that frame's
    reading. The landmarker shuts both eyes a little when one is shut, so that its reading does not say it."""
    from reader import EYES, LIDS

    out = {}
    for control, eye in (("wink-right", 1), ("wink-left", 0)):
        ids = [*EYES[eye], *(i for pair in LIDS[eye] for i in pair)]
        points = face.points[ids, :2]
        margin = np.ptp(points[:, 0]) / 4
        (x0, y0), (x1, y1) = (points.min(0) - margin).astype(int).clip(0), (points.max(0) + margin).astype(int).clip(1)
        if frames.get(control) is not None:
            out[f"{control.replace('-', '_')}_psnr"] = psnr(frames[control][y0:y1, x0:x1], frames["zero"][y0:y1, x0:x1])
    return out


def blink(faces):
    """Opening of the lids in a blink, share of their opening without motion."""
    rest = faces["zero"].opening()
    shut = faces["blink"].opening() / rest if faces.get("blink") else np.ones(2)
    out = {"blink_open": float(shut.mean()), "blink_worst_eye": float(shut.max())}
    for side, eye in (("right", 0), ("left", 1)):
        if faces.get(f"wink-{side}"):
            share = faces[f"wink-{side}"].opening() / rest
            out[f"wink_{side}_other"] = float(abs(1 - share[1 - eye]))
    if faces.get("half-blink"):
        out["half_blink_open"] = float((faces["half-blink"].opening() / rest).mean())
    return out


def crosstalk(faces, truth):
    """What moves without being asked, as a share of what the asked control would move."""
    rest, height = faces["zero"], faces["zero"].height()
    out = {}
    if faces.get("smile"):
        moved = np.abs(faces["smile"].gaze() - rest.gaze())
        if faces.get("gazex+25") and faces.get("gazex-25"):
            # across only: up and down the eyes were not asked to move
            span = np.abs(faces["gazex+25"].gaze() - faces["gazex-25"].gaze())[[0, 2]].mean() / 2
            out["smile_gaze_x"] = float(moved[[0, 2]].mean() / max(span, 1e-3))
            # how much of it is the landmarker's: the same face a little further away
            if faces.get("scale0.9"):
                wander = np.abs(faces["scale0.9"].gaze() - rest.gaze())
                out["still_gaze_x"] = float(wander[[0, 2]].mean() / max(span, 1e-3))
        out["smile_lids"] = float(np.abs(faces["smile"].opening() / rest.opening() - 1).mean())
    if faces.get("blink"):
        full = truth["jaw0.6"]["gap"] - truth["rest"]["gap"]
        wide = abs(truth["pucker"]["width"] - truth["smile-full"]["width"])
        out["blink_gap"] = abs(faces["blink"].gap(height) - rest.gap(height)) / full
        out["blink_width"] = abs(faces["blink"].width(height) - rest.width(height)) / wide
    return out


def measure(photo, own, frames, faces, habit, truth, painted):
    """All numbers of one portrait. `faces`: name of a control -> Reading or None; `painted`: angles -> what is read of the
    3-D head with this portrait's colours."""
    out = {}
    if faces.get("zero") is None or faces.get("rest") is None:
        return {"lost": 1.0}
    out |= zero(photo, own, frames["zero"], faces["zero"])
    out |= pose(faces, habit, painted) | gaze(faces) | mouth(faces, truth)
    out |= closures(faces) | blink(faces) | beside_wink(frames, faces["zero"]) | crosstalk(faces, truth)
    out["lost"] = sum(f is None for f in faces.values()) / len(faces)
    return out
