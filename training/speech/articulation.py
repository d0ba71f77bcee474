"""From articulation tracks and closure gates to ARKit coefficients. FORMAT.md says the same in words.

Everything here is a function of one motion frame, so that a stream can compute it; the runtime implements it a second
time with the constants below, which travel in the pack's metadata.
"""
import numpy as np

# Columns of a lip network's output.
TRACKS = ("gap", "jaw", "round", "spread", "tongue")
GATES = ("shut", "tuck")

CONSTANTS = {
    # Gap between the inner lips in cm: at rest, and per unit of a coefficient (measured on the ICT face).
    "rest_gap": 0.08, "gap_jaw_open": 3.15, "gap_mouth_close": -3.855, "gap_funnel": 1.29, "gap_pucker": -0.078,
    "gap_lips_apart": 1.31, "gap_roll_lower": -0.331, "gap_press": -0.248,
    # Closures.
    "tuck_gap": 0.25, "tuck_jaw": 0.5, "tuck_round": 0.3, "shut_jaw": 0.35, "shut_overlap": 0.05,
    # How tracks become coefficients.
    "pucker": 0.55, "funnel": 0.28, "funnel_lost_shut": 0.9, "roll_tuck": 0.30, "lift_tuck": 0.11, "press": 0.25,
    "roll_lower_shut": 0.10, "roll_upper_shut": 0.08, "close_per_jaw": 1.1, "close_free": 0.10, "lift_max": 0.9,
    "lift_lower": 0.68, "stretch": 0.28, "smile": 0.22, "cheek": 0.06,
}
GATE_RISE = {"shut": (0.13, 0.39), "tuck": (0.13, 0.39)}


def smoothstep(x, low, high):
    u = np.clip((x - low) / (high - low), 0.0, 1.0)
    return u * u * (3.0 - 2.0 * u)


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def gates_of(shut_logit, tuck_logit, rise=None):
    """probabilities of the two closures -> gates 0..1; shut lips cannot touch the teeth"""
    rise = rise or GATE_RISE
    shut = smoothstep(sigmoid(shut_logit), *rise["shut"])
    return shut, smoothstep(sigmoid(tuck_logit), *rise["tuck"]) * (1.0 - shut)


def to_arkit(tracks, shut, tuck, k=CONSTANTS):
    """tracks [n, 5] in the order of TRACKS, gates [n] -> {coefficient: [n]}; coefficients that are not named are 0"""
    gap, jaw = np.maximum(tracks[:, 0], 0.0), np.maximum(tracks[:, 1], 0.0)
    rounding, spread, tongue = np.clip(tracks[:, 2:5], 0.0, 1.0).T

    # Hard constraints: lips meet for P B M, the lower lip touches the upper teeth for F V.
    gap = (gap * (1 - tuck) + k["tuck_gap"] * tuck) * (1 - shut)
    jaw = jaw * (1 - k["tuck_jaw"] * tuck) * (1 - k["shut_jaw"] * shut)
    rounding = rounding * (1 - k["tuck_round"] * tuck)

    jaw_open = np.clip(jaw / k["gap_jaw_open"], 0.0, 1.0)
    pucker = k["pucker"] * rounding
    funnel = k["funnel"] * rounding * (1 - k["funnel_lost_shut"] * shut)
    roll, tuck_lift, press = k["roll_tuck"] * tuck, k["lift_tuck"] * tuck, k["press"] * shut

    # The gap these shapes leave is linear in them; mouthClose takes away what is too much, lifted lips add what lacks.
    have = (
        k["rest_gap"] + k["gap_jaw_open"] * jaw_open + k["gap_pucker"] * pucker + k["gap_funnel"] * funnel
        + k["gap_roll_lower"] * roll + k["gap_lips_apart"] * tuck_lift + k["gap_press"] * press
    )
    missing = gap - k["shut_overlap"] * shut - have
    close = np.clip(missing / k["gap_mouth_close"], 0.0, 1.0)
    close = np.minimum(close, k["close_per_jaw"] * jaw_open + k["close_free"])
    missing = missing - close * k["gap_mouth_close"]
    lift = 2.0 * np.clip(missing / k["gap_lips_apart"], 0.0, k["lift_max"])

    lower, upper = lift * k["lift_lower"], lift * (1 - k["lift_lower"]) + tuck_lift
    both = {
        "mouthLowerDown": lower, "mouthUpperUp": upper, "mouthPress": press, "mouthStretch": k["stretch"] * spread,
        "mouthSmile": k["smile"] * spread, "cheekSquint": k["cheek"] * spread,
    }
    out = {
        "jawOpen": jaw_open, "mouthClose": close, "mouthPucker": pucker, "mouthFunnel": funnel,
        "mouthRollLower": roll + k["roll_lower_shut"] * shut, "mouthRollUpper": k["roll_upper_shut"] * shut,
        "tongueUp": tongue,
    }
    for name, value in both.items():
        out[name + "Left"] = out[name + "Right"] = value
    return {name: np.clip(value, 0.0, 1.0) for name, value in out.items()}
