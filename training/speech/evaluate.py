"""How well the networks do on speakers they never heard, measured on the lips of the ICT face.

    python -m speech.evaluate --corpus runs/corpus --run runs/speech --face ../../shared/data/face/ict_face.safetensors \\
        --openness ../../shared/eval/calibration.json --choose runs/speech/rise.json          # gate thresholds
    python -m speech.evaluate --corpus runs/corpus --pack ../packs/motion.gguf --face ... --openness ... \\
        --speech ../../shared/data/speech --out runs/speech/results.json

The thresholds of the gates are chosen on the development speakers (non-native, never trained), never on native speech.
"""
import argparse
import json
from pathlib import Path

import numpy as np
import torch

from .corpus import DEVELOPMENT_SETS, NATIVE_TEST_SETS, RECORDED, SUNG, Corpus, read
from .hearing import outputs, right_frames
from .measures import choose_rise, judge, phone_checks, teacher_curves
from .networks import Speech
from .spoil import CONDITIONS

GROUPS = {
    "LJSpeech": ("ljspeech-sample",), "pocketsphinx": ("pocketsphinx-testdata",),
    "LJSpeech + pocketsphinx": ("ljspeech-sample", "pocketsphinx-testdata"), "asterisk-en": ("asterisk-en",),
    "held-out adults": ("held-adult",), "held-out children": ("held-child",), "songs": (SUNG,),
}


def recording(speech, clip):
    """the file of a clip; the held-out speakers lie among the others"""
    first, _, rest = clip.file.partition("/")
    return speech / (RECORDED if first in DEVELOPMENT_SETS else first) / rest


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--corpus", type=Path, required=True)
    args.add_argument("--run", type=Path)
    args.add_argument("--pack", type=Path)
    args.add_argument("--face", type=Path, required=True)
    args.add_argument("--openness", type=Path, required=True)
    args.add_argument("--speech", type=Path, help="the recordings, for sound that is spoilt before its features are taken")
    args.add_argument("--conditions", nargs="+", default=list(CONDITIONS), choices=list(CONDITIONS))
    args.add_argument("--choose", type=Path, help="write gate thresholds and stop")
    args.add_argument("--out", type=Path)
    a = args.parse_args()
    from .ict_lips import IctLips

    torch.set_num_threads(1)
    corpus, face = Corpus(a.corpus, (*DEVELOPMENT_SETS, *NATIVE_TEST_SETS, SUNG)), IctLips(a.face)
    openness = json.load(open(a.openness))["phone_openness"]
    if a.pack:
        from .pack import MotionPack

        pack = MotionPack(a.pack)
        corpus.mean, corpus.scale = pack.mean, pack.scale
        model, rise = pack.model, {k: tuple(v) for k, v in pack.articulation["gate_rise"].items()}
    else:
        model, rise = Speech().eval(), None
        model.load_state_dict(torch.load(a.run / "latest.pt", weights_only=True)["average"])

    if a.choose:
        clips = corpus.of(*DEVELOPMENT_SETS)
        heard = outputs(model, corpus, clips)
        rise = choose_rise(clips, [heard[c.file][1] for c in clips], face)
        a.choose.write_text(json.dumps(rise) + "\n")
        print(rise)
        return
    results = {}
    for condition in a.conditions:
        rng = np.random.default_rng(3)
        spoken = [c for c in corpus.clips if c.set != SUNG or condition == "clean"]
        heard = outputs(model, corpus, spoken, lambda clip: CONDITIONS[condition](
            corpus.mel_of(clip), lambda: read(recording(a.speech, clip)), rng))
        for group, sets in GROUPS.items():
            clips = [c for c in spoken if c.set in sets]
            if not clips:
                continue
            teacher = [teacher_curves(c, corpus, face) for c in clips] if condition == "clean" else None
            row = judge(clips, [heard[c.file][1] for c in clips], face, rise, openness, teacher)
            total = sum(right_frames(heard[c.file][0].argmax(1), corpus.labels[c.span]) for c in clips)
            row["phones, visemes right (speech frames)"] = (total[1:] / total[0]).round(3).tolist()
            if teacher:
                checks = [phone_checks(*t, c.phones) for t, c in zip(teacher, clips)]
                met, n, chance = np.array([c["P B M closed"] for c in checks]).T
                row["teacher: P B M closed, random"] = [round(met.sum() / n.sum(), 3), round((chance * n).sum() / n.sum(), 3)]
            results.setdefault(condition, {})[group] = row
            print(condition, group, json.dumps(row), flush=True)
    if a.out:
        a.out.write_text(json.dumps({"gates": rise, "results": results}, indent=1) + "\n")


if __name__ == "__main__":
    main()
