"""The table of bars: each number's median, spread, worst ten portraits and the share within its bar."""

import numpy as np

AT_LEAST, AT_MOST = 1, -1
# (metric, what it is, bar, direction, share of portraits that must reach it); no share: the median must.
ROWS = (
    ("zero_psnr", "zero motion gives the photo back, dB over the crop", 45, AT_LEAST, None),
    ("zero_psnr_face", "the same, inside the face", 45, AT_LEAST, None),
    ("zero_psnr_eyes", "the same, eyes", None, AT_LEAST, None),
    ("zero_psnr_mouth", "the same, mouth", None, AT_LEAST, None),
    ("zero_psnr_around", "the same, around the face", None, AT_LEAST, None),
    ("yaw_r", "yaw, r", 0.98, AT_LEAST, None),
    ("yaw_gain", "yaw, gain", (0.85, 1.15), 0, None),
    ("yaw_plain_gain", "yaw, gain over what is read of a plain lit head", None, 0, None),
    ("yaw_error15", "yaw, worst error to ±15°, degrees", 3, AT_MOST, None),
    ("yaw_error25", "yaw, worst error to ±25°, degrees", 5, AT_MOST, None),
    ("pitch_r", "pitch, r", 0.98, AT_LEAST, None),
    ("pitch_gain", "pitch, gain", (0.85, 1.15), 0, None),
    ("pitch_plain_gain", "pitch, gain over what is read of a plain lit head", None, 0, None),
    ("pitch_error15", "pitch, worst error to ±15°, degrees", 3, AT_MOST, None),
    ("roll_r", "roll, r", 0.98, AT_LEAST, None),
    ("roll_gain", "roll, gain", (0.85, 1.15), 0, None),
    ("roll_plain_gain", "roll, gain over what is read of a plain lit head", None, 0, None),
    ("roll_error15", "roll, worst error to ±15°, degrees", 3, AT_MOST, None),
    ("yaw_cross", "other angles that move with yaw, degrees", None, AT_MOST, None),
    ("pitch_cross", "other angles that move with pitch, degrees", None, AT_MOST, None),
    ("roll_cross", "other angles that move with roll, degrees", None, AT_MOST, None),
    ("scale_error", "distance ±20 %, worst error of the face's size", 0.05, AT_MOST, None),
    ("gaze_x_r", "gaze x, r", 0.97, AT_LEAST, None),
    ("gaze_x_monotone", "gaze x, smallest step (over 0: monotone)", 0, AT_LEAST, None),
    ("gaze_x_span", "gaze x, eye widths from -25° to 25°", None, AT_LEAST, None),
    ("gaze_y_r", "gaze y, r", 0.97, AT_LEAST, None),
    ("gaze_y_monotone", "gaze y, smallest step (over 0: monotone)", 0, AT_LEAST, None),
    ("gaze_y_span", "gaze y, eye widths from -25° to 25°", None, AT_LEAST, None),
    ("gap_r", "opening of the lips against the 3-D face, r", 0.95, AT_LEAST, None),
    ("gap_gain", "opening, gain", (0.85, 1.15), 0, None),
    ("gap_read_gain", "opening, gain over what is read of the 3-D face", None, 0, None),
    ("width_r", "width of the mouth against the 3-D face, r", 0.95, AT_LEAST, None),
    ("width_gain", "width, gain", (0.85, 1.15), 0, None),
    ("width_read_r", "width against what is read of the 3-D face, r", None, AT_LEAST, None),
    ("width_read_gain", "width, gain over what is read of the 3-D face", None, 0, None),
    ("shut_press", "press: inner gap over face height", 0.015, AT_MOST, 0.98),
    ("shut_roll-in", "roll-in: the same", 0.015, AT_MOST, 0.98),
    ("shut_close", "jawOpen .25 + mouthClose .25: the same", 0.015, AT_MOST, 0.98),
    ("shut_close-wide", "jawOpen .5 + mouthClose .5: the same", 0.015, AT_MOST, 0.98),
    ("shut_smile-press", "smile + press: the same", 0.015, AT_MOST, 0.98),
    ("shut_own-press", "press added to the photo's expression: the same", 0.015, AT_MOST, 0.98),
    ("shut_own-close", "jawOpen + mouthClose added to it: the same", 0.015, AT_MOST, 0.98),
    ("blink_open", "blink: opening over open", 0.25, AT_MOST, 0.98),
    ("blink_worst_eye", "the same, the worse eye", None, AT_MOST, 0.98),
    ("half_blink_open", "half a blink: opening over open", None, 0, None),
    ("wink_right_psnr", "wink right: the left eye stays the picture that it is, dB", 45, AT_LEAST, 0.98),
    ("wink_left_psnr", "wink left: the same of the right eye", 45, AT_LEAST, 0.98),
    ("wink_right_other", "wink right: what is read of the left eye's opening changes by", None, AT_MOST, None),
    ("wink_left_other", "wink left: the same of the right eye", None, AT_MOST, None),
    ("smile_gaze_x", "smile: gaze moves, share of 25°", 0.10, AT_MOST, None),
    ("still_gaze_x", "the same face, a tenth smaller: what is read of the gaze moves", None, AT_MOST, None),
    ("smile_lids", "smile: lids move, share of open", 0.10, AT_MOST, None),
    ("blink_gap", "blink: lips move, share of jawOpen .6", 0.10, AT_MOST, None),
    ("blink_width", "blink: mouth's width, share of pucker to smile", 0.10, AT_MOST, None),
    ("lost", "share of frames in which no face is found", 0, AT_MOST, 1.0),
)


def reaches(value, bar, direction):
    if isinstance(bar, tuple):
        return bar[0] <= value <= bar[1]
    return value * direction >= bar * direction


def badness(values, bar, direction):
    if direction == 0:
        middle = sum(bar) / 2 if isinstance(bar, tuple) else np.median(values)
        return np.abs(np.asarray(values) - middle)
    return -direction * np.asarray(values)


def summary(portraits, bars=ROWS):
    """{portrait: {metric: value}} -> a list of rows."""
    out = []
    for metric, what, bar, direction, share in bars:
        found = [(n, m[metric]) for n, m in portraits.items() if metric in m and np.isfinite(m[metric])]
        if not found:
            continue
        names, values = zip(*found)
        worst = np.argsort(-badness(values, bar, direction))[:10]
        low, middle, high = np.percentile(values, [10, 50, 90])
        within = None if bar is None else float(np.mean([reaches(v, bar, direction) for v in values]))
        ok = None
        if bar is not None:
            ok = bool(reaches(middle, bar, direction)) if share is None else within >= share - 1e-9
        out.append({"metric": metric, "what": what, "bar": bar, "share_wanted": share, "median": float(middle),
                    "p10": float(low), "p90": float(high), "within": within, "ok": ok,
                    "worst": [(names[i], float(values[i])) for i in worst]})
    return out


def markdown(rows, count, refused):
    sign = {None: "", True: "yes", False: "**no**"}
    out = [f"{count} portraits; bars are for the median unless a share is given.", "",
           "| metric | what | bar | median | p10 | p90 | inside | met | worst ten |", "|---|---|---|---|---|---|---|---|---|"]
    for r in rows:
        bar = "" if r["bar"] is None else "–".join(map(str, r["bar"])) if isinstance(r["bar"], (list, tuple)) else str(r["bar"])
        bar += f" in {r['share_wanted']:.0%}" if r["share_wanted"] and r["bar"] is not None else ""
        inside = "" if r["within"] is None else f"{r['within']:.0%}"
        worst = ", ".join(f"{n.split('/')[1]} {v:.3g}" for n, v in r["worst"])
        out.append(f"| {r['metric']} | {r['what']} | {bar} | {r['median']:.3g} | {r['p10']:.3g} | {r['p90']:.3g} | "
                   f"{inside} | {sign[r['ok']]} | {worst} |")
    out += ["", *(f"{n}: refused: {why}" for n, why in refused.items())]
    return "\n".join(out) + "\n"
