"""Songs with exactly known phone times, for the measures only: Festival sings them from notes.

    python -m speech.singing --corpus runs/corpus --out runs/singing

Debian's festival with festvox-kallpc16k and festvox-kdlpc16k, whose singing mode is Dominic Mazzoni's.
"""
import argparse
import subprocess
from pathlib import Path

from .corpus import SUNG, read, write_set
from .synthesise import phone_times

VOICES = ("kal_diphone", "ked_diphone")
NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
# Made for this measure. A word and its notes: semitones above the key and beats, one for each syllable.
SONGS = {
    "lullaby": (54, 48, """
        my:4*1 baby:5*.5,4*.5 sleeps:2*1 beneath:0*.5,2*.5 the:4*.5 apple:5*.5,4*.5 tree:2*2
        a:0*.5 bumble:4*.5,5*.5 bee:7*1 comes:5*.5 by:4*.5 to:2*.5 sing:4*.5 with:2*.5 me:0*2
        we:0*.5 both:4*1 may:5*.5 dream:7*1 of:5*.5 moon:4*1 and:2*.5 silver:4*.5,2*.5 sea:0*2"""),
    "march": (104, 46, """
        beat:0*1 the:0*.5 big:4*1 drum:7*1 and:7*.5 pull:9*1 the:7*.5 bell:4*1
        people:5*.5,4*.5 march:2*1 past:4*1 the:2*.5 village:0*.5,2*.5 well:0*1
        five:7*1 brave:7*1 men:9*1 bring:7*1 copper:5*.5,4*.5 pans:2*1
        boom:0*1 boom:4*1 play:7*1 the:5*.5 marching:4*.5,2*.5 bands:0*2"""),
    "ballad": (70, 50, """
        when:0*.5 winter:2*.5,4*.5 left:5*1 the:4*.5 open:2*.5,0*.5 road:4*2
        I:5*.5 packed:7*1 my:5*.5 bag:4*1 a:2*.5 simple:4*.5,2*.5 load:0*2
        no:7*.5 map:9*1 no:7*.5 lamp:5*1 to:4*.5 show:5*.5 the:4*.5 way:2*2
        but:4*.5 hope:5*1 kept:4*1 me:2*.5 warm:4*1 from:2*.5 May:0*1 to:2*.5 May:0*2"""),
}
SING = """
(define (keep u)
  (utt.wave.resample u 16000)
  (utt.save.wave u "{file}" 'riff)
  (mapcar (lambda (s) (format t "%s:%f " (item.name s) (item.feat s "end"))) (utt.relation.items u 'Segment))
  (format t "\\n"))
(voice_{voice})
(set! tts_hooks (list utt.synth keep))
(tts_file "{score}" 'singing)
"""


def score(beats_a_minute, key, words):
    """notes as Festival reads them"""
    lines = []
    for word in words.split():
        said, notes = word.split(":")
        steps, beats = zip(*(note.split("*") for note in notes.split(",")))
        pitches = [key + int(s) for s in steps]
        named = ",".join(f"{NAMES[p % 12]}{p // 12 - 1}" for p in pitches)
        # Festival sings at 50 where 60 is asked for
        lines.append(f'<PITCH NOTE="{named}"><DURATION BEATS="{",".join(beats)}">{said}</DURATION></PITCH>')
    return (f'<?xml version="1.0"?>\n<!DOCTYPE SINGING PUBLIC "-//SINGING//DTD SINGING mark up//EN" "Singing.v0_1.dtd" []>\n'
            f'<SINGING BPM="{beats_a_minute}">\n' + "\n".join(lines) + "\n</SINGING>\n")


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--corpus", type=Path, required=True)
    args.add_argument("--out", type=Path, required=True)
    a = args.parse_args()
    a.out.mkdir(parents=True, exist_ok=True)
    recordings = []
    for name, (tempo, key, words) in SONGS.items():
        (a.out / f"{name}.xml").write_text(score(tempo, key, words))
        for voice in VOICES:
            file = a.out / f"{name}-{voice}.wav"
            (a.out / "sing.scm").write_text(SING.format(file=file, voice=voice, score=a.out / f"{name}.xml"))
            done = subprocess.run(["festival", "-b", str(a.out / "sing.scm")], capture_output=True, text=True)
            phones = phone_times(done.stdout.strip())
            assert phones, done.stderr
            recordings.append((f"{SUNG}/{file.name}", read(file), voice, phones))
    write_set(a.corpus, SUNG, recordings)


if __name__ == "__main__":
    main()
