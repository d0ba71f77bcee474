"""Speech with exactly known phone times, made with flite from the training texts.

    python -m speech.synthesise --speech ../../shared/data/speech --out runs/flite --clips 4200 --seed 1

Texts: the sentences of speechocean762's training speakers, cut and joined anew with single words of CMUdict so that
sounds meet in many orders. No text of a test set (LJSpeech, pocketsphinx, asterisk, held-out speakers) is used.
"""
import argparse
import json
import random
import re
import subprocess
from pathlib import Path

import soundfile

from .corpus import DEVELOPMENT_SPEAKERS
from .phones import INDEX

VOICES = ("slt", "rms", "awb", "kal16")
RENAMED = {"pau": "SIL", "ssil": "SIL", "brth": "SIL", "h#": "SIL", "ax": "AH", "axr": "ER"}


def plain(text):
    return " ".join(re.findall(r"[a-z']+", text.lower()))


def rows(folder):
    return [json.loads(line) for line in open(folder / "manifest.jsonl", encoding="utf-8")]


def training_texts(speech):
    """-> (sentences, words) that no test clip says"""
    forbidden, sentences = set(), set()
    for name in ("ljspeech-sample", "pocketsphinx-testdata", "asterisk-en"):
        forbidden |= {plain(r["text"] or "") for r in rows(speech / name)}
    for r in rows(speech / "speechocean762"):
        (forbidden if r["speaker"] in DEVELOPMENT_SPEAKERS else sentences).add(plain(r["text"]))
    sentences = sorted(s for s in sentences - forbidden if s)
    return sentences, sorted({w for s in sentences for w in s.split()})


def dictionary_words():
    """the words of CMUdict as the package pocketsphinx carries it (BSD), without abbreviations"""
    import pocketsphinx

    path = Path(pocketsphinx.__file__).parent / "model" / "en-us" / "cmudict-en-us.dict"
    names = (line.split()[0] for line in open(path, encoding="utf-8"))
    return sorted({n for n in names if re.fullmatch(r"[a-z]{3,12}", n)})


def compose(rng, sentences, words, rare):
    """one text of about 4 to 12 words"""
    kind = rng.random()
    if kind < 0.45:
        return rng.choice(sentences)
    if kind < 0.7:
        return rng.choice(sentences) + ", " + rng.choice(sentences)
    mixed = [rng.choice(rare if rng.random() < 0.4 else words) for _ in range(rng.randint(4, 10))]
    if rng.random() < 0.5:
        mixed.insert(rng.randint(1, len(mixed) - 1), ",")
    return " ".join(mixed).replace(" ,", ",")


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
    args.add_argument("--clips", type=int, default=4200)
    args.add_argument("--seed", type=int, default=1)
    a = args.parse_args()
    a.out.mkdir(parents=True, exist_ok=True)
    rng = random.Random(a.seed)
    sentences, words = training_texts(a.speech)
    rare = dictionary_words()
    jobs = []
    for number in range(a.clips):
        voice = VOICES[number % len(VOICES)]
        stretch = rng.choice((0.8, 0.9, 1.0, 1.0, 1.1, 1.25))
        pitch = 0 if voice == "slt" else rng.choice((0, 0, 85, 100, 130, 160))
        jobs.append((number, voice, stretch, pitch, compose(rng, sentences, words, rare)))
    made = [clip for clip in (speak(job, a.out) for job in jobs) if clip]
    json.dump(made, open(a.out / "clips.json", "w"))
    print(f"{len(made)} of {a.clips} clips, {sum(c['phones'][-1][2] for c in made) / 3.6e6:.2f} h")


if __name__ == "__main__":
    main()
