"""Speech with exactly known phone times, made with flite from the training texts.

    python -m speech.synthesise --speech ../../shared/data/speech --out runs/flite --clips 8000 --seed 2
"""
import argparse
import json
import random
import subprocess
from pathlib import Path

import soundfile

from .phones import INDEX
from .texts import Texts

VOICES = ("slt", "rms", "awb", "kal16")
RENAMED = {"pau": "SIL", "ssil": "SIL", "brth": "SIL", "h#": "SIL", "ax": "AH", "axr": "ER"}


def phone_times(printed):
    """flite's -psdur output -> [[phone, start_ms, end_ms], ...], None if it holds more than one utterance"""
    found, start = [], 0
    for item in printed.split():
        name, _, end = item.rpartition(":")
        end = round(float(end) * 1000)
        phone = RENAMED.get(name, name.upper())
        if phone not in INDEX or end < start:
            return None
        if found and found[-1][0] == phone == "SIL":
            found[-1][2] = end
        else:
            found.append([phone, start, end])
        start = end
    return found or None


def speak(job, out):
    number, voice, stretch, pitch, text = job
    file = f"{number:05d}-{voice}.wav"
    settings = ["--setf", f"duration_stretch={stretch:.2f}"]
    if pitch:
        settings += ["--setf", f"int_f0_target_mean={pitch}"]
    done = subprocess.run(
        ["flite", "-voice", voice, "-psdur", *settings, "-t", text + " ", "-o", str(out / file)], capture_output=True, text=True
    )
    phones = phone_times(done.stdout) if done.returncode == 0 else None
    if not phones:
        (out / file).unlink(missing_ok=True)
        return None
    info = soundfile.info(out / file)
    assert info.samplerate == 16000 and info.channels == 1, file
    length = round(info.frames / 16)
    phones = [[p, a, min(b, length)] for p, a, b in phones if a < length]
    phones[-1][2] = length  # kal16 cuts part of the last pause
    return {"file": file, "speaker": voice, "text": text, "stretch": stretch, "phones": phones}


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--speech", type=Path, required=True)
    args.add_argument("--out", type=Path, required=True)
    args.add_argument("--clips", type=int, default=8000)
    args.add_argument("--seed", type=int, default=1)
    a = args.parse_args()
    a.out.mkdir(parents=True, exist_ok=True)
    rng = random.Random(a.seed)
    texts = Texts(a.speech, rng)
    jobs = []
    for number in range(a.clips):
        voice = VOICES[number % len(VOICES)]
        stretch = rng.choice((0.8, 0.9, 1.0, 1.0, 1.1, 1.25))
        pitch = 0 if voice == "slt" else rng.choice((0, 0, 85, 100, 130, 160))
        jobs.append((number, voice, stretch, pitch, texts.draw()))
    made = [clip for clip in (speak(job, a.out) for job in jobs) if clip]
    json.dump(made, open(a.out / "clips.json", "w"))
    print(f"{len(made)} of {a.clips} clips, {sum(c['phones'][-1][2] for c in made) / 3.6e6:.2f} h")


if __name__ == "__main__":
    main()
