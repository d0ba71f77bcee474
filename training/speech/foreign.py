"""Native speech of other languages: prompts whose sounds espeak-ng names and the half-trained encoder finds.

    python -m speech.foreign --speech ../../shared/data/speech --corpus runs/corpus --run runs/speech

What matters here is how real mouths close and round, so each sound gets the English sound with the same lips. Where the
sound itself is another one it is written in lower case: the lips learn from it, the phones do not.
"""
import argparse
import json
from pathlib import Path

import numpy as np
import torch
from scipy.special import log_softmax

from .corpus import Corpus, read, write_set
from .espeak import Espeak
from .hearing import outputs_of
from .mel import log_mel
from .networks import Speech
from .phones import INDEX
from .realign import best_path, found

LANGUAGES = ("it", "ru")
SURE = -2.2  # mean log-probability of the found sounds under which a clip is left out
BOTH = {
    "": "SIL", "p": "P", "b": "B", "m": "M", "f": "F", "v": "V", "t": "T", "d": "D", "n": "N", "k": "K", "ɡ": "G",
    "ŋ": "NG", "s": "S", "z": "Z", "ʃ": "SH", "ʒ": "ZH", "tʃ": "CH", "dʒ": "JH", "l": "L", "ɭ": "L", "ts": "T S",
    "dz": "D Z", "ss": "S", "w": "W", "j": "Y", "r": "d", "ɾ": "d", "ɹ": "R", "ʎ": "y", "ɲ": "n", "x": "hh", "h": "HH",
    "ɕ": "sh", "ʑ": "zh", "i": "IY", "iː": "IY", "ɪ": "IH", "e": "EH", "ɛ": "EH", "eɪ": "EY", "a": "aa", "ɑ": "AA",
    "ɒ": "AO", "ɔ": "AO", "ɔː": "AO", "o": "ow", "u": "UW", "uː": "UW", "ʊ": "uw", "aʊ": "AW", "aɪ": "AY", "ə": "AH",
    "ʌ": "aa", "ɐ": "AH", "y": "ih", 'u"': "UW", "ɵ": "uh", "ja": "Y aa", "ju": "Y UW", "ɪ^": "IH", "əl": "AH L", "ø": "er",
}


def sounds(events):
    """espeak's events -> phone names, None where one is not known"""
    names = ["SIL"]
    for ipa, _ in events:
        ipa = ipa.replace("ʲ", "") if ipa != "ʲ" else "ʲ"
        if ipa == "ʲ" or ipa.startswith("("):  # a softened consonant; a change of language
            continue
        if ipa not in BOTH:
            return None
        for name in BOTH[ipa].split():
            if not name == names[-1] == "SIL":
                names.append(name)
    return names + ["SIL"] * (names[-1] != "SIL")


def aligned(names, logits, late):
    """-> [[phone, start_ms, end_ms], ...], mean log-probability of what is not silence"""
    scores = log_softmax(logits, axis=1)
    sequence = np.array([INDEX[n.upper()] for n in names])
    path = best_path(scores, sequence)
    loud = sequence[path] != INDEX["SIL"]
    return found(path, names, late), float(scores[np.arange(len(path)), sequence[path]][loud].mean())


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("speech", "corpus", "run"):
        args.add_argument("--" + name, type=Path, required=True)
    args.add_argument("--late", type=float, default=0.0, help="as for speech.realign")
    a = args.parse_args()
    torch.set_num_threads(1)
    ears = Corpus(a.corpus, [])
    model, engine = Speech().eval(), Espeak()
    model.load_state_dict(torch.load(a.run / "latest.pt", weights_only=True)["average"])

    def recordings():
        heard = []
        for language in LANGUAGES:
            folder = a.speech / f"asterisk-{language}"
            for line in open(folder / "manifest.jsonl", encoding="utf-8"):
                row = json.loads(line)
                said = row["text"] and engine.say(language, row["text"], 170, 50, 50)
                names = said and sounds(said[1])
                samples = read(folder / row["file"])
                if not names or not 3 < len(names) < len(samples) / 640:  # 40 ms for a sound at least
                    continue
                (logits, _), = outputs_of(model, ears, [log_mel(samples)[: len(samples) // 320 * 2]])
                phones, sure = aligned(names, logits, a.late)
                heard.append(sure)
                if sure > SURE:
                    yield f"foreign/{language}/{row['file']}", samples, row["speaker"], phones
        print(f"sureness p10, p50, p90: {np.percentile(heard, [10, 50, 90]).round(2)}, kept {np.mean(np.array(heard) > SURE):.2f}")

    write_set(a.corpus, "foreign", recordings())


if __name__ == "__main__":
    main()
