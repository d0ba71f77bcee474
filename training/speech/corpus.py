"""All speech as arrays: log-mel, phone labels, clip lists. One folder for each set, so that sets can be added later.

    python -m speech.corpus --out runs/corpus --speech ../../shared/data/speech        # every recorded set
    python -m speech.corpus --out runs/corpus --made runs/flite --name flite           # a set made by speech.synthesise
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
RECORDED = "speechocean762"  # the recorded training set; the features are normalised by it
DEVELOPMENT_SETS = ("held-adult", "held-child")
NATIVE_TEST_SETS = ("ljspeech-sample", "pocketsphinx-testdata", "asterisk-en")
SUNG = "singing"  # made songs (speech.singing), for the measures only
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


def labels(phones, rows, later=0.0):
    """phone index at 20j+10 ms, or `later` ms later; UNKNOWN where only the lips are known (speech.foreign)"""
    out = np.full(rows, UNKNOWN, np.int64)
    times = np.arange(rows) * 20 + 10 + later
    for phone, start, end in phones:
        out[(times >= start) & (times < end)] = INDEX.get(phone, UNKNOWN)
    out[(times < phones[0][1]) | (times >= phones[-1][2])] = INDEX["SIL"]
    return out


class Corpus:
    """mel [rows, 2, 80] float16 (10 ms frames 2j and 2j+1 of row j), labels [rows], clips; all sets or those asked for"""

    def __init__(self, folder, sets=None):
        self.folder = Path(folder)
        found = sorted(p.parent.name for p in self.folder.glob("*/clips.json"))
        self.sets = [name for name in found if sets is None or name in sets]
        parts = [np.load(self.folder / name / "mel.npy", mmap_mode="r") for name in self.sets]
        self.mel = np.empty((sum(map(len, parts)), 2, BANDS), np.float16)
        self.clips, self.spans, position = [], {}, 0
        for name, part in zip(self.sets, parts):
            self.mel[position : position + len(part)] = part
            self.spans[name] = slice(position, position + len(part))
            for clip in json.load(open(self.folder / name / "clips.json")):
                self.clips.append(Clip(**{**clip, "set": name, "start": clip["start"] + position}))
            position += len(part)
        self.labels = np.full(position, UNKNOWN, np.int64)
        for clip in self.clips:
            self.labels[clip.span] = labels(clip.phones, clip.rows)
        constants = np.load(self.folder / "normal.npz")
        self.mean, self.scale = constants["mean"], constants["scale"]

    def of(self, *sets):
        return [c for c in self.clips if c.set in sets]

    def mel_of(self, clip):
        return self.mel[clip.span].reshape(-1, BANDS).astype(np.float32)


def read(path):
    samples, rate = soundfile.read(path, dtype="float32")
    assert rate == 16000 and samples.ndim == 1, path
    return samples


def write_set(out, name, recordings):
    """recordings: (shown name, path or samples, speaker, phones)"""
    mels, clips, position = [], [], 0
    for shown, source, speaker, phones in recordings:
        mel = log_mel(source if isinstance(source, np.ndarray) else read(source))
        rows = len(mel) // 2
        mels.append(mel[: 2 * rows].reshape(rows, 2, BANDS).astype(np.float16))
        clips.append({"set": name, "file": shown, "speaker": speaker, "start": position, "rows": rows, "phones": phones})
        position += rows
    mel = np.concatenate(mels)
    (out / name).mkdir(parents=True, exist_ok=True)
    np.save(out / name / "mel.npy", mel)
    json.dump(clips, open(out / name / "clips.json", "w"))
    print(f"{name}: {len(clips)} clips, {position / 180000:.2f} h", flush=True)
    return mel


def recorded(speech, name):
    """{set: [(shown name, path, speaker, phones)]} of the aligned recordings of a folder"""
    aligned = json.load(open(speech / "alignments" / f"{name}.json"))
    sets = {}
    for line in open(speech / name / "manifest.jsonl", encoding="utf-8"):
        row = json.loads(line)
        if row["file"] in aligned:
            group = DEVELOPMENT_SPEAKERS.get(row["speaker"]) if name == RECORDED else None
            where = f"held-{group}" if group else name
            entry = (f"{where}/{row['file']}", speech / name / row["file"], row["speaker"], aligned[row["file"]])
            sets.setdefault(where, []).append(entry)
    return sets


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--out", type=Path, required=True)
    args.add_argument("--speech", type=Path)
    args.add_argument("--made", type=Path)
    args.add_argument("--name")
    a = args.parse_args()
    if a.speech:
        for folder in (RECORDED, *NATIVE_TEST_SETS):
            for name, recordings in recorded(a.speech, folder).items():
                mel = write_set(a.out, name, recordings)
                if name == RECORDED:
                    seen = mel[::7].reshape(-1, BANDS).astype(np.float32)
                    np.savez(a.out / "normal.npz", mean=seen.mean(0), scale=1.0 / seen.std(0))
    if a.made:
        clips = json.load(open(a.made / "clips.json"))
        entry = lambda c: (f"{a.name}/{c['file']}", a.made / c["file"], f"{a.name} {c['speaker']}", c["phones"])
        write_set(a.out, a.name, map(entry, clips))


if __name__ == "__main__":
    main()
