"""Writes packs/motion.gguf from a trained run.

    python -m speech.export --corpus runs/corpus --run runs/speech --rise runs/speech/rise.json --out ../packs/motion.gguf
"""
import argparse
import json
from pathlib import Path

import numpy as np
import torch
from gguf import GGMLQuantizationType as Kind
from gguf import GGUFWriter
from gguf.quants import quantize

from . import articulation, mel, networks
from .corpus import DEVELOPMENT_SETS, NATIVE_TEST_SETS, SUNG, Corpus
from .phones import PHONES

VERSION = "0.2.0"
LICENCE = "MIT OR Apache-2.0"
DATA = [
    "speechocean762 (Zhang et al., Interspeech 2021), free for commercial and non-commercial use; ten speakers kept for development",
    "speech made with flite 2.2 (voices slt, rms, awb, kal16; free licence of Carnegie Mellon University), exact phone times",
    "phone times of speechocean762: pocketsphinx 5.1.1, its en-us model and CMUdict (BSD-2-Clause), then the encoder itself",
    "speech made with Festival 2.5 (voices kal, ked, slt; free licences of Edinburgh and Carnegie Mellon), exact phone times",
    "speech made with espeak-ng 1.51 (the program is GPL-3, its output is not), exact phone times",
    "Asterisk prompts in Italian (Carlo Flora) and Russian (IvrvoiceRU), CC BY 3.0, aligned by the encoder",
]


def lip_config(rise):
    return {
        **networks.LIPS, "tracks": list(articulation.TRACKS), "gates": list(articulation.GATES),
        "track_mean": list(networks.TRACK_MEAN), "track_scale": list(networks.TRACK_SCALE),
        "articulation": {**articulation.CONSTANTS, "gate_rise": {k: list(v) for k, v in rise.items()}},
    }


def encoder_config():
    return {**networks.ENCODER, "mel": mel.CONFIG, "phones": PHONES, "norm_epsilon": 1e-5}


def in_blocks(array):
    """The matrix with zeros behind its rows, so that they fill whole blocks of Q8_0."""
    rest = -array.shape[-1] % 32
    return np.pad(array, [(0, 0)] * (array.ndim - 1) + [(0, rest)])


def pack_name(name):
    """PyTorch's name -> the pack's"""
    return name.replace(".conv.weight", ".weight").replace(".conv.bias", ".bias").replace("_l0", "")


def tensors(model, corpus):
    """{pack name: float32 array in the pack's layout}"""
    out = {"encoder.mel.mean": corpus.mean, "encoder.mel.scale": corpus.scale}
    for name, value in model.state_dict().items():
        array = value.detach().numpy().astype(np.float32)
        out[pack_name(name)] = array.transpose(0, 2, 1).copy() if array.ndim == 3 else array
    return {k: np.ascontiguousarray(v, np.float32) for k, v in out.items()}


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--corpus", type=Path, required=True)
    args.add_argument("--run", type=Path, required=True)
    args.add_argument("--rise", type=Path, help="gate thresholds chosen by speech.evaluate")
    args.add_argument("--out", type=Path, required=True)
    args.add_argument("--command", default="see training/README.md")
    args.add_argument("--seed", type=int, default=1)
    a = args.parse_args()
    corpus = Corpus(a.corpus)
    saved = torch.load(a.run / "latest.pt", weights_only=True)
    model = networks.Speech()
    model.load_state_dict(saved["average"])
    rise = json.load(open(a.rise)) if a.rise else articulation.GATE_RISE
    trained = [name for name in corpus.sets if name not in (*DEVELOPMENT_SETS, *NATIVE_TEST_SETS, SUNG)]
    hours = {name: round(sum(c.rows for c in corpus.of(name)) / 180000, 2) for name in trained}

    writer = GGUFWriter(str(a.out), "parlante-motion")
    writer.add_string("parlante.version", VERSION)
    writer.add_string("parlante.licence", LICENCE)
    writer.add_string("parlante.training_command", a.command)
    writer.add_string("parlante.data", json.dumps(DATA))
    writer.add_string("parlante.training_hours", json.dumps(hours))
    writer.add_uint32("parlante.seed", a.seed)
    writer.add_uint32("parlante.training_steps", saved["step"])
    writer.add_string("parlante.encoder.config", json.dumps(encoder_config()))
    writer.add_string("parlante.lips.config", json.dumps(lip_config(rise)))
    for name, array in tensors(model, corpus).items():
        if array.ndim == 1:
            writer.add_tensor(name, array)
        else:
            writer.add_tensor(name, quantize(in_blocks(array), Kind.Q8_0), raw_dtype=Kind.Q8_0)
    a.out.parent.mkdir(parents=True, exist_ok=True)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    print(f"{a.out}: {a.out.stat().st_size / 1e6:.2f} MB, step {saved['step']}")


if __name__ == "__main__":
    main()
