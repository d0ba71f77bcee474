"""Speech with exactly known phone times, made with espeak-ng: one way of speaking, but a hundred throats, whispers too.

    python -m speech.espeak --speech ../../shared/data/speech --out runs/espeak --clips 1600 --seed 1

Debian's espeak-ng. The library reports when each phone begins; a stop is reported at its release, so that its closure
must be looked for before that.
"""
import argparse
import ctypes
import json
import random
from collections import Counter
from pathlib import Path

import numpy as np
import soundfile
from scipy.signal import resample_poly

from .texts import Texts

RETRIEVAL, PHONEME_EVENTS, PHONEME_IPA = 1, 1, 2
PHONEME = 7  # kind of event
RATE, PITCH, RANGE = 1, 3, 4  # parameters
UTF8 = 1
STOPS = frozenset("P B T D K G CH JH".split())
THROATS = ("", *"adam Alex Alicia Andrea Andy Annie anika antonio aunty belinda benjamin boris caleb david Denis Diogo ed "
           "edward f1 f2 f3 f4 f5 Gene grandma grandpa Henrique Hugo iven iven2 iven3 john kaukovalta klatt klatt2 klatt3 "
           "klatt4 klatt5 klatt6 Lee linda m1 m2 m3 m4 m5 m6 m7 m8 marcelo Marco Mario max michel Michael miguel Mike "
           "norbert pablo paul pedro quincy rob robert sandro shelby steph steph2 steph3 travis victor zac".split())
WHISPERS = ("whisper", "whisperf")
ACCENTS = ("en-us", "en-us", "en-us", "en-gb-x-rp", "en-gb-scotland", "en-029")

IPA = {
    "ɑː": "AA", "ɑ": "AA", "a": "AE", "aː": "AA", "æ": "AE", "ʌ": "AH", "ə": "AH", "ɐ": "AH", "ɔː": "AO", "ɔ": "AO",
    "ɒ": "AA", "aʊ": "AW", "aɪ": "AY", "b": "B", "tʃ": "CH", "d": "D", "ð": "DH", "ɛ": "EH", "e": "EH", "ɚ": "ER",
    "ɜː": "ER", "ɜ": "ER", "eɪ": "EY", "f": "F", "ɡ": "G", "h": "HH", "ɪ": "IH", "i": "IY", "iː": "IY", "dʒ": "JH",
    "k": "K", "l": "L", "ɫ": "L", "m": "M", "n": "N", "ŋ": "NG", "oʊ": "OW", "əʊ": "OW", "o": "OW", "ɔɪ": "OY",
    "p": "P", "ɹ": "R", "r": "R", "s": "S", "ʃ": "SH", "t": "T", "ɾ": "T", "ʔ": "T", "θ": "TH", "ʊ": "UH", "uː": "UW",
    "u": "UW", "v": "V", "w": "W", "ʍ": "W", "j": "Y", "z": "Z", "ʒ": "ZH", "ᵻ": "IH", "əl": "AH L", "ɛɹ": "EH R",
    "ɪɹ": "IH R", "oːɹ": "AO R", "ɔːɹ": "AO R", "oːr": "AO R", "ɑːɹ": "AA R", "ʊɹ": "UH R", "aɪə": "AY AH",
    "aɪɚ": "AY ER", "n̩": "AH N", "iə": "IY AH", "oː": "AO", "eː": "EY", "ɪə": "IH AH", "eə": "EH AH", "ʊə": "UH AH",
    "aʊə": "AW AH", "t̪": "T", "ʉ": "UW", "ʉɹ": "UW R", "ʌɹ": "ER", "oə": "AO", "aa": "AA", "ʉː": "UW", "ʌʉ": "OW",
    "ɔə": "AO AH", "ɑə": "AA AH", "a:": "AA", "əɹ": "ER", "x": "K", "d̪": "D", "ɵ": "OW", "": "SIL", "ɛː": "EH",
    "ɐ̃": "AH", "ɜːɹ": "ER", "ɹ̩": "ER", "aɪʊ": "AY AH",
}


class _Id(ctypes.Union):
    _fields_ = [("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8)]


class _Event(ctypes.Structure):
    _fields_ = [("type", ctypes.c_int), ("unique", ctypes.c_uint), ("position", ctypes.c_int), ("length", ctypes.c_int),
                ("milliseconds", ctypes.c_int), ("sample", ctypes.c_int), ("user", ctypes.c_void_p), ("id", _Id)]


class Espeak:
    def __init__(self):
        self.library = ctypes.CDLL("libespeak-ng.so.1")
        self.rate = self.library.espeak_Initialize(RETRIEVAL, 200, None, PHONEME_EVENTS | PHONEME_IPA)
        kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))
        self.callback = kind(self._hear)  # kept: the library does not
        self.library.espeak_SetSynthCallback(self.callback)

    def _hear(self, wave, count, events):
        k = 0
        while events[k].type:
            if events[k].type == PHONEME:
                self.events.append((events[k].id.string.decode("utf8", "replace"), events[k].sample))
            k += 1
        if wave and count:
            self.parts.append(np.ctypeslib.as_array(wave, (count,)).copy())
        return 0

    def say(self, voice, text, speed, pitch, spread):
        """-> samples at 16 kHz, [(IPA, start in seconds)]"""
        self.events, self.parts = [], []
        if self.library.espeak_SetVoiceByName(voice.encode()):
            return None
        for parameter, value in ((RATE, speed), (PITCH, pitch), (RANGE, spread)):
            self.library.espeak_SetParameter(parameter, value, 0)
        data = text.encode()
        self.library.espeak_Synth(data, len(data) + 1, 0, 0, 0, UTF8, None, None)
        self.library.espeak_Synchronize()
        if not self.parts or not self.events:
            return None
        samples = np.concatenate(self.parts) / 32768
        return resample_poly(samples, 320, 441), [(name.strip("ˈˌ"), at / self.rate) for name, at in self.events]


def arpabet(events, end, unknown):
    """[(IPA, start)] -> [[phone, start, end]] in seconds, None where a sound has no name here"""
    out = [["SIL", 0.0, events[0][1]]]
    for (ipa, start), stop in zip(events, [at for _, at in events[1:]] + [end]):
        if ipa not in IPA:
            unknown[ipa] += 1
            return None
        names = IPA[ipa].split()
        if stop <= start:
            continue
        cuts = np.linspace(start, stop, len(names) + 1)
        for name, a, b in zip(names, cuts, cuts[1:]):
            if name == "SIL" == out[-1][0]:
                out[-1][2] = b
            else:
                out.append([name, a, b])
    return out


def with_closures(phones, samples):
    """moves the start of each stop back over the quiet before its release, and the phone before it ends there"""
    power = np.convolve(np.pad(samples, 64) ** 2, np.ones(128) / 128, "same")[64:-64]
    level = 10 * np.log10(power[::16] + 1e-9)  # every ms
    for before, here in zip(phones, phones[1:]):
        if here[0] not in STOPS:
            continue
        # No further than this: most of a vowel and some of a pause stays.
        length = before[2] - before[1]
        limit = int(1000 * (before[2] - min(0.12, (0.5 if before[0] == "SIL" else 0.6) * length)))
        release = int(1000 * here[1])
        loud = level[max(0, limit - 60) : limit].max(initial=-90.0) if before[0] != "SIL" else -90.0
        quiet = max(loud - 18, -62.0)
        start = release
        while start > limit and start <= len(level) and level[start - 1] < quiet:
            start -= 1
        before[2] = here[1] = start / 1000
    return phones


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--speech", type=Path, required=True)
    args.add_argument("--out", type=Path, required=True)
    args.add_argument("--clips", type=int, default=1600)
    args.add_argument("--whispered", type=float, default=0.12)
    args.add_argument("--seed", type=int, default=1)
    a = args.parse_args()
    a.out.mkdir(parents=True, exist_ok=True)
    rng, unknown, made = random.Random(a.seed), Counter(), []
    texts, engine = Texts(a.speech, rng), Espeak()
    for number in range(a.clips):
        throat = rng.choice(WHISPERS if rng.random() < a.whispered else THROATS)
        voice = rng.choice(ACCENTS) + ("+" + throat if throat else "")
        said = engine.say(voice, texts.draw(), rng.randint(120, 210), rng.randint(20, 80), rng.randint(20, 80))
        phones = said and arpabet(said[1], len(said[0]) / 16000, unknown)
        if not phones:
            continue
        phones = [[p, round(1000 * s), round(1000 * e)] for p, s, e in with_closures(phones, said[0])]
        file = f"{number:05d}.wav"
        soundfile.write(a.out / file, np.clip(said[0], -1, 1), 16000)
        made.append({"file": file, "speaker": voice, "phones": [p for p in phones if p[2] > p[1]]})
    json.dump(made, open(a.out / "clips.json", "w"))
    hours = sum(c["phones"][-1][2] for c in made) / 3.6e6
    print(f"{len(made)} of {a.clips} clips, {hours:.2f} h; unknown sounds: {dict(unknown)}")


if __name__ == "__main__":
    main()
