"""Trains encoder and lip network together. Stops and resumes at any time: the run's folder holds everything.

    python -m speech.train --corpus runs/corpus --run runs/speech --shares speechocean762=.6 flite=.4

The learning rate stays constant until told otherwise, so that a run can be as long as there is time. `--cool` takes a
copy of the state to its end: the rate falls to 0 in that many steps, which is where the last points come from.

    python -m speech.train --corpus runs/corpus --run runs/cooled --start runs/speech --cool 600 --shares ...
"""
import argparse
import json
import signal
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn

from .batches import Batches
from .corpus import Corpus
from .hearing import frame_accuracy
from .losses import losses
from .networks import Speech, parameters

WARM_UP = 200
SCORED = ("held-adult", "held-child", "ljspeech-sample")
SPARED = 800  # steps until the sound is spoilt as often as it will be


class State:
    """networks, their running mean, optimiser, and where the run stands"""

    def __init__(self, rate, average, device="cpu"):
        self.device = device
        self.model, self.average = Speech().to(device), Speech().to(device).eval()
        self.average.load_state_dict(self.model.state_dict())
        self.optimiser = torch.optim.AdamW(self.model.parameters(), lr=rate, weight_decay=0.02, betas=(0.9, 0.98))
        self.keep = average
        self.step, self.seconds, self.cooling = 0, 0.0, None  # cooling: [first step, last step]

    def load(self, path):
        saved = torch.load(path, weights_only=True, map_location=self.device)
        self.model.load_state_dict(saved["model"])
        self.average.load_state_dict(saved["average"])
        self.optimiser.load_state_dict(saved["optimiser"])
        self.step, self.seconds, self.cooling = saved["step"], saved["seconds"], saved["cooling"]

    def save(self, path):
        whole = {"model": self.model.state_dict(), "average": self.average.state_dict(), "cooling": self.cooling,
                 "optimiser": self.optimiser.state_dict(), "step": self.step, "seconds": self.seconds}
        torch.save(whole, path.with_suffix(".saving"))
        path.with_suffix(".saving").rename(path)

    def rate(self, top):
        rate = top * min(1.0, (self.step + 1) / WARM_UP)
        if self.cooling:
            first, last = self.cooling
            rate *= max(0.01, (last - self.step) / (last - first))
        return rate

    def learn(self, batch, rate):
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        parts = losses(self.model, [part.to(self.device) for part in batch])
        self.optimiser.zero_grad()
        sum(parts).backward()
        size = nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        if torch.isfinite(size):
            self.optimiser.step()
        self.step += 1
        keep = min(self.keep, self.step / (self.step + 20))
        with torch.no_grad():
            torch._foreach_lerp_(list(self.average.parameters()), list(self.model.parameters()), 1 - keep)
        return np.array([p.item() for p in parts])


def share(text):
    name, value = text.split("=")
    return name, float(value)


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--corpus", type=Path, required=True)
    args.add_argument("--run", type=Path, required=True)
    args.add_argument("--start", type=Path, help="a run whose state is taken where this one has none yet")
    args.add_argument("--cool", type=int, help="steps in which the learning rate falls to 0, then stop")
    args.add_argument("--shares", type=share, nargs="+", required=True, metavar="SET=SHARE")
    args.add_argument("--batch", type=int, default=64)
    args.add_argument("--rate", type=float, default=1.5e-3)
    args.add_argument("--average", type=float, default=0.998, help="how much the running mean keeps at each step")
    args.add_argument("--device", default="cpu", help="cuda where there is one")
    args.add_argument("--seed", type=int, default=1)
    args.add_argument("--save-every", type=float, default=3.0, help="minutes")
    args.add_argument("--score-every", type=float, default=9.0, help="minutes")
    a = args.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(a.seed)
    a.run.mkdir(parents=True, exist_ok=True)
    latest = a.run / "latest.pt"
    state = State(a.rate, a.average, a.device)
    found = latest if latest.exists() else a.start and a.start / "latest.pt"
    if found:
        state.load(found)
    if a.cool and not state.cooling:
        state.cooling = [state.step, state.step + a.cool]
    shares = dict(a.shares)
    corpus = Corpus(a.corpus, {*shares, *SCORED})
    batches = Batches(corpus, shares, a.seed + state.step)
    torch.manual_seed(a.seed + state.step)
    print(f"{parameters(state.model)} parameters, from step {state.step}, {shares}", flush=True)

    stopping = []
    signal.signal(signal.SIGTERM, lambda *_: stopping.append(True))
    began, saved_at, scored_at, shown = time.time() - state.seconds, time.time(), time.time(), None
    while not stopping and not (state.cooling and state.step >= state.cooling[1]):
        batches.augment.strength = min(1.0, 0.4 + 0.6 * state.step / SPARED)
        rate = state.rate(a.rate)
        current = state.learn(batches.draw(a.batch), rate)
        shown = current if shown is None else 0.98 * shown + 0.02 * current
        state.seconds = time.time() - began
        if state.step % 50 == 0:
            parts = ", ".join(f"{n} {v:.3f}" for n, v in zip(("phones", "visemes", "tracks", "gates"), shown))
            print(f"{state.seconds / 60:.1f} min, step {state.step}, rate {rate:.5f}, {parts}", flush=True)
        if time.time() - saved_at > a.save_every * 60:
            state.save(latest)
            saved_at = time.time()
        if time.time() - scored_at > a.score_every * 60:
            score = {name: frame_accuracy(state.average.cpu(), corpus, corpus.of(name)[::4]) for name in SCORED}
            state.average.to(a.device)
            print("  right frames of speech (phones, visemes):", score, flush=True)
            with open(a.run / "log.jsonl", "a") as log:
                log.write(json.dumps({"minutes": round(state.seconds / 60, 2), "step": state.step,
                                      "loss": shown.round(4).tolist(), "right": score}) + "\n")
            scored_at = time.time()
    state.save(latest)


if __name__ == "__main__":
    main()
