"""Texts for made speech: no text of a test clip is among them.

The sentences of speechocean762's training speakers, cut and joined anew with single words of CMUdict so that sounds
meet in many orders. What LJSpeech, pocketsphinx, asterisk and the held-out speakers say is left out.
"""
import json
import re
from pathlib import Path

from .corpus import DEVELOPMENT_SPEAKERS


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


class Texts:
    """endless texts of about 4 to 12 words"""

    def __init__(self, speech, rng):
        self.rng = rng
        self.sentences, self.words = training_texts(speech)
        self.rare = dictionary_words()

    def draw(self):
        return compose(self.rng, self.sentences, self.words, self.rare)


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
