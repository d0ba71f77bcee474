"""Starts a run with the weights of a pack, in larger networks: what was learnt is kept, the new units begin at random.

    python -m speech.widen --pack ../packs/motion.gguf --corpus runs/corpus --run runs/speech

The features of the corpus are normalised as the pack wants it from then on.
"""
import argparse
from pathlib import Path

import numpy as np
import torch

from .networks import ENCODER, LIPS
from .pack import MotionPack
from .train import State

QUIET = 0.3  # how loud the old units hear the new ones at first


def places(old, new, blocks):
    """where `old` numbers in `blocks` equal parts go among `new`"""
    return np.concatenate([np.arange(old // blocks) + k * (new // blocks) for k in range(blocks)])


def blocks_of(name, axis, shape):
    """into how many parts an axis falls: the gates of a GRU, the two rows the lips hear"""
    if "gru" in name and axis == 0:
        return 3
    return LIPS["rows"] if name == "lips.input.weight" and axis == 1 else 1


def widened(name, old, fresh):
    """`old` weights inside `fresh` ones"""
    at = [places(o, n, blocks_of(name, k, old.shape)) for k, (o, n) in enumerate(zip(old.shape, fresh.shape))]
    out = fresh.numpy().copy()
    if out.ndim > 1 and out.shape[1] != old.shape[1]:
        new_inputs = np.setdiff1d(np.arange(out.shape[1]), at[1])
        rows = np.ix_(at[0], new_inputs)
        out[rows] *= QUIET
    out[np.ix_(*at)] = old.numpy()
    return torch.from_numpy(out)


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("pack", "corpus", "run"):
        args.add_argument("--" + name, type=Path, required=True)
    args.add_argument("--seed", type=int, default=1)
    a = args.parse_args()
    torch.manual_seed(a.seed)
    pack, state = MotionPack(a.pack), State(1e-3, 0.998)
    old, fresh = pack.model.state_dict(), state.model.state_dict()
    state.model.load_state_dict({name: widened(name, old[name], fresh[name]) for name in fresh})
    state.average.load_state_dict(state.model.state_dict())
    np.savez(a.corpus / "normal.npz", mean=pack.mean, scale=pack.scale)
    a.run.mkdir(parents=True, exist_ok=True)
    state.save(a.run / "latest.pt")
    print(f"{a.run}: {ENCODER['hidden']} units from {pack.encoder_config['hidden']}")


if __name__ == "__main__":
    main()
