"""Speech with exactly known phone times, made with Festival from the training texts.

    python -m speech.festival --speech ../../shared/data/speech --out runs/festival --clips 2000 --seed 1

Debian's festival with festvox-kdlpc16k, festvox-kallpc16k (diphones) and festvox-us-slt-hts.
"""
import argparse
import json
import random
import subprocess
from pathlib import Path

import soundfile

from .synthesise import phone_times
from .texts import Texts

VOICES = ("ked_diphone", "cmu_us_slt_arctic_hts", "kal_diphone")
SHARES = (0.5, 0.3, 0.2)
BLOCK = 100  # texts a process speaks
SAY = """
(define (say name text)
  (let ((u (utt.synth (eval (list 'Utterance 'Text text)))))
    (utt.wave.resample u 16000)
    (utt.save.wave u name 'riff)
    (format t "%s\\t" name)
    (mapcar (lambda (s) (format t "%s:%f " (item.name s) (item.feat s "end"))) (utt.relation.items u 'Segment))
    (format t "\\n")))
(define (tune stretch mean spread)
  (Parameter.set 'Duration_Stretch stretch)
  (set! int_lr_params (list (list 'target_f0_mean mean) (list 'target_f0_std spread)
                            (list 'model_f0_mean 170) (list 'model_f0_std 34))))
"""


def speak(jobs, out):
    """jobs: (file, voice, stretch, pitch, text) -> clips"""
    script = [SAY]
    for file, voice, stretch, pitch, text in jobs:
        tune = "" if "hts" in voice else f"(tune {stretch:.2f} {pitch} {pitch // 8})"
        script.append(f'(voice_{voice}){tune}(say "{out / file}" "{text}")')
    (out / "say.scm").write_text("\n".join(script))
    done = subprocess.run(["festival", "-b", str(out / "say.scm")], capture_output=True, text=True)
    printed = dict(line.split("\t", 1) for line in done.stdout.splitlines() if "\t" in line)
    clips = []
    for file, voice, stretch, pitch, text in jobs:
        phones = phone_times(printed.get(str(out / file), ""))
        if phones and (out / file).exists():
            length = round(soundfile.info(out / file).frames / 16)
            phones = [[p, a, min(b, length)] for p, a, b in phones if a < length]
            phones[-1][2] = length
            clips.append({"file": file, "speaker": voice, "text": text, "stretch": stretch, "phones": phones})
    return clips


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--speech", type=Path, required=True)
    args.add_argument("--out", type=Path, required=True)
    args.add_argument("--clips", type=int, default=2000)
    args.add_argument("--seed", type=int, default=1)
    a = args.parse_args()
    a.out.mkdir(parents=True, exist_ok=True)
    rng = random.Random(a.seed)
    texts, jobs = Texts(a.speech, rng), []
    for number in range(a.clips):
        voice = rng.choices(VOICES, SHARES)[0]
        jobs.append((f"{number:05d}-{voice}.wav", voice, rng.uniform(0.8, 1.3), rng.randint(80, 220), texts.draw()))
    jobs.sort(key=lambda job: job[1])  # a process loads few voices
    made = [clip for k in range(0, len(jobs), BLOCK) for clip in speak(jobs[k : k + BLOCK], a.out)]
    json.dump(made, open(a.out / "clips.json", "w"))
    print(f"{len(made)} of {a.clips} clips, {sum(c['phones'][-1][2] for c in made) / 3.6e6:.2f} h")


if __name__ == "__main__":
    main()
