"""All speech as arrays: log-mel, phone labels, clip list. Built once, kept in one folder.

    python -m speech.corpus --speech ../../shared/data/speech --flite runs/flite --out runs/corpus
"""
import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from .mel import BANDS, log_mel
from .phones import INDEX

# Speakers of speechocean762 that are never trained: gate thresholds are chosen on them.
DEVELOPMENT_SPEAKERS = {
    "0482": "adult", "1181": "adult", "2208": "adult", "2917": "adult", "9623": "adult",
    "0049": "child", "1050": "child", "3002": "child", "5072": "child", "7551": "child",
}
TRAIN_SETS = ("speechocean762", "flite")
DEVELOPMENT_SETS = ("held-adult", "held-child")
NATIVE_TEST_SETS = ("ljspeech-sample", "pocketsphinx-testdata", "asterisk-en")
UNKNOWN = -1


@dataclass
class Clip:
    """A recording: `rows` rows of 20 ms (two mel frames each) from row `start` of the corpus arrays."""

    set: str
    file: str
    speaker: str
    start: int
    rows: int
    phones: list  # [[phone, start_ms, end_ms], ...]

    @property
    def span(self):
        return slice(self.start, self.start + self.rows)


def labels(phones, rows):
    """phone index at 20j+10 ms, SIL before the first and after the last phone"""
    out = np.full(rows, UNKNOWN, np.int64)
    times = np.arange(rows) * 20 + 10
    for phone, start, end in phones:
        out[(times >= start) & (times < end)] = INDEX[phone]
    out[(times < phones[0][1]) | (times >= phones[-1][2])] = INDEX["SIL"]
    return out


class Corpus:
    """mel [rows, 2, 80] float16 (10 ms frames 2j and 2j+1 of row j), labels [rows], clips"""

    def __init__(self, folder):
        folder = Path(folder)
        self.mel = np.load(folder / "mel.npy")
        self.labels = np.load(folder / "labels.npy").astype(np.int64)
        self.clips = [Clip(**c) for c in json.load(open(folder / "clips.json"))]
        constants = np.load(folder / "normal.npz")
        self.mean, self.scale = constants["mean"], constants["scale"]

    def of(self, *sets):
        return [c for c in self.clips if c.set in sets]

    def mel_of(self, clip):
        return self.mel[clip.span].reshape(-1, BANDS).astype(np.float32)


def recorded(speech):
    """(set, path, speaker, phones) of every aligned recording"""
    for name in ("speechocean762", *NATIVE_TEST_SETS):
        aligned = json.load(open(speech / "alignments" / f"{name}.json"))
        for line in open(speech / name / "manifest.jsonl", encoding="utf-8"):
            row = json.loads(line)
            if row["file"] in aligned:
                group = DEVELOPMENT_SPEAKERS.get(row["speaker"]) if name == "speechocean762" else None
                yield (f"held-{group}" if group else name), speech / name / row["file"], row["speaker"], aligned[row["file"]]


def synthetic(flite):
    for clip in json.load(open(flite / "clips.json")):
        yield "flite", flite / clip["file"], "flite " + clip["speaker"], clip["phones"]


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("speech", "flite", "out"):
        args.add_argument("--" + name, type=Path, required=True)
    a = args.parse_args()
    a.out.mkdir(parents=True, exist_ok=True)
    mels, marks, clips, position = [], [], [], 0
    for name, path, speaker, phones in [*recorded(a.speech), *synthetic(a.flite)]:
        samples, rate = soundfile.read(path, dtype="float32")
        assert rate == 16000 and samples.ndim == 1, path
        mel = log_mel(samples)
        rows = len(mel) // 2
        mels.append(mel[: 2 * rows].reshape(rows, 2, BANDS).astype(np.float16))
        marks.append(labels(phones, rows).astype(np.int8))
        shown = f"{name}/{path.parent.name}/{path.name}" if name.startswith(("speech", "held")) else f"{name}/{path.name}"
        clips.append({"set": name, "file": shown, "speaker": speaker, "start": position, "rows": rows, "phones": phones})
        position += rows
    mel = np.concatenate(mels)
    np.save(a.out / "mel.npy", mel)
    np.save(a.out / "labels.npy", np.concatenate(marks))
    json.dump(clips, open(a.out / "clips.json", "w"))
    training = np.concatenate([np.arange(c["start"], c["start"] + c["rows"]) for c in clips if c["set"] in TRAIN_SETS])
    seen = mel[training[::7]].reshape(-1, BANDS).astype(np.float32)
    np.savez(a.out / "normal.npz", mean=seen.mean(0), scale=1.0 / seen.std(0))
    for name in sorted({c["set"] for c in clips}):
        chosen = [c["rows"] for c in clips if c["set"] == name]
        print(f"{name}: {len(chosen)} clips, {sum(chosen) / 180000:.2f} h")


if __name__ == "__main__":
    main()
