"""What every portrait is asked to do: named controls, each one frame of a motion file."""

ANGLES = {"yaw": (-25, -20, -15, -10, -5, 5, 10, 15, 20, 25), "pitch": (-15, -10, -5, 5, 10, 15),
          "roll": (-15, -10, -5, 5, 10, 15)}
SCALES = (0.8, 0.9, 1.1, 1.2)
LOOKS = (-25, -15, -8, 8, 15, 25)  # degrees of gaze
JAWS = (0.1, 0.2, 0.3, 0.45, 0.6, 0.8)


def both(name, value):
    return {name + "Left": value, name + "Right": value}


def shapes(**named):
    """Blendshapes of a frame; a name that ends in _ stands for both sides."""
    out = {}
    for name, value in named.items():
        out.update(both(name[:-1], value) if name.endswith("_") else {name: value})
    return {"blendshapes": out}


def portrait_controls():
    """Changes of what the photo shows: reference "portrait"."""
    out = {"zero": {}}
    for axis, degrees in ANGLES.items():
        out |= {f"{axis}{d:+d}": {"head": {axis: float(d)}} for d in degrees}
    out |= {f"scale{s}": {"head": {"scale": s}} for s in SCALES}
    for axis in "xy":
        out |= {f"gaze{axis}{d:+d}": {"gaze": {axis: float(d)}} for d in LOOKS}
    out |= {
        "blink": shapes(eyeBlink_=1.0),
        "half-blink": shapes(eyeBlink_=0.5),
        "wink-right": shapes(eyeBlinkRight=1.0),
        "wink-left": shapes(eyeBlinkLeft=1.0),
        "smile": shapes(mouthSmile_=0.8),
        "brows-up": shapes(browInnerUp=1.0, browOuterUp_=1.0),
        "brows-down": shapes(browDown_=1.0),
        "wide-eyes": shapes(eyeWide_=1.0),
        "own-press": shapes(mouthPress_=0.8),
        "own-close": shapes(jawOpen=0.25, mouthClose=0.25),
        "turn-nod-lean": {"head": {"yaw": 15.0, "pitch": 8.0, "roll": 6.0}},
    }
    return out


def speech_controls():
    """Mouth shapes as speech asks for them: reference "speech"."""
    out = {"rest": {}}
    out |= {f"jaw{w}": shapes(jawOpen=w) for w in JAWS}
    out |= {
        "press": shapes(mouthPress_=0.8),
        "roll-in": shapes(mouthRollLower=0.7, mouthRollUpper=0.7),
        "close": shapes(jawOpen=0.25, mouthClose=0.25),
        "close-wide": shapes(jawOpen=0.5, mouthClose=0.5),
        "smile-press": shapes(mouthSmile_=0.6, mouthPress_=0.6),
        "smile-half": shapes(mouthSmile_=0.4),
        "smile-full": shapes(mouthSmile_=0.8),
        "pucker-half": shapes(mouthPucker=0.5),
        "pucker": shapes(mouthPucker=1.0),
        "funnel-half": shapes(mouthFunnel=0.5),
        "funnel": shapes(mouthFunnel=0.9),
        "stretch": shapes(mouthStretch_=0.8),
        "upper-up": shapes(mouthUpperUp_=0.7),
        "lower-down": shapes(mouthLowerDown_=0.7),
        "teeth-ee": shapes(jawOpen=0.15, mouthStretch_=0.5, mouthUpperUp_=0.3, mouthLowerDown_=0.4, mouthSmile_=0.2),
        "round-oh": shapes(jawOpen=0.35, mouthFunnel=0.6, mouthPucker=0.3),
        "round-oo": shapes(jawOpen=0.12, mouthPucker=0.8, mouthFunnel=0.2),
        "lip-teeth": shapes(jawOpen=0.1, mouthRollLower=0.6, mouthUpperUp_=0.2),
        "tongue": shapes(jawOpen=0.3, tongueUp=1.0, mouthLowerDown_=0.2),
    }
    return out


CLOSURES = ("own-press", "own-close", "press", "roll-in", "close", "close-wide", "smile-press")
# Mouth shapes whose opening and width are held against the 3-D face.
MOUTHS = ("rest", *(f"jaw{w}" for w in JAWS), "smile-half", "smile-full", "pucker-half", "pucker", "funnel-half", "funnel",
          "stretch", "upper-up", "lower-down", "teeth-ee", "round-oh", "round-oo")
# The sixteen tiles of a contact sheet, after the photo and the frame without motion.
SHOWN = ("yaw-20", "yaw+20", "pitch+15", "turn-nod-lean", "gazex+15", "gazey+15", "blink", "brows-up", "smile", "press",
         "jaw0.3", "jaw0.6", "teeth-ee", "round-oo", "lip-teeth", "tongue")


def motion(controls, reference):
    return {"format": "parlante-motion", "version": 1, "fps": 25, "reference": reference, "frames": list(controls.values())}


def weights(frame):
    return frame.get("blendshapes", {})
