"""Trains encoder and lip network together. Stops and resumes at any time: the run's folder holds everything.

    python -m speech.train --corpus runs/corpus --run runs/speech --steps 4000 --seed 1

Loss: cross entropy of the phones + squared error of the tracks + binary cross entropy of the closure gates.
"""
import argparse
import json
import signal
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from .augment import Augmenter
from .corpus import TRAIN_SETS, UNKNOWN, Corpus
from .evaluate import frame_accuracy
from .mel import BANDS
from .networks import DELAY_ROWS, TRACK_MEAN, TRACK_SCALE, Speech, parameters

ROWS = 160  # 3.2 s
SETTLE = 8  # rows and frames at the start of a crop that are not scored: the networks have heard too little
TRACK_COUNT = len(TRACK_MEAN)
SHUT_WEIGHT = 3.0  # a missed closure is the error people see


class Batches:
    """random crops of the training sets, augmented; clips of a set lie end to end"""

    def __init__(self, corpus, folder, shares, seed):
        self.corpus, self.shares = corpus, shares
        targets = np.load(folder / "targets.npz")
        self.labels, self.curves, self.weights = (targets[k] for k in ("labels", "curves", "weights"))
        self.tapes = []
        for name in TRAIN_SETS:
            rows = np.concatenate([np.arange(c.start, c.start + c.rows) for c in corpus.of(name)])
            self.tapes.append(rows[self.weights[rows] > 0])
        self.rng = np.random.default_rng(seed)
        self.augment = Augmenter(self.rng)

    def rows(self, tape, count):
        first = self.rng.integers(0, len(tape) - count)
        return tape[first : first + count]

    def mel(self, rows):
        return self.corpus.mel[rows].reshape(-1, BANDS).astype(np.float32)

    def draw(self, size):
        """-> mel [size, 2 * ROWS, 80], labels [size, ROWS], curves [size, ROWS, 7], weights [size, ROWS]"""
        mels, picked = [], []
        for _ in range(size):
            tape = self.tapes[self.rng.choice(len(self.tapes), p=self.shares)]
            rows = self.rows(tape, int(ROWS * 1.2) + 4)
            speed = self.augment.rate()
            other = self.mel(self.rows(self.tapes[0], ROWS))
            mels.append(self.augment(self.mel(rows), other, speed, 2 * ROWS))
            picked.append(rows[np.minimum(((np.arange(ROWS) + 0.5) * speed).astype(int), len(rows) - 1)])
        mel = (np.stack(mels).astype(np.float32) - self.corpus.mean) * self.corpus.scale
        at = np.stack(picked)
        return [torch.from_numpy(v) for v in (
            mel.astype(np.float32), self.labels[at].astype(np.int64), self.curves[at].astype(np.float32),
            self.weights[at].astype(np.float32))]


def losses(model, batch):
    """-> phones, tracks, gates"""
    mel, labels, curves, weights = batch
    with torch.autocast("cpu", torch.bfloat16):
        logits, lips = model(mel)
    logits, lips = logits.float(), lips.float()

    said, trust = labels[:, : ROWS - DELAY_ROWS], weights[:, : ROWS - DELAY_ROWS]
    phones = F.cross_entropy(logits[:, DELAY_ROWS:].transpose(1, 2), said, ignore_index=UNKNOWN, label_smoothing=0.1, reduction="none")
    trust = (trust * (said != UNKNOWN))[:, SETTLE:]
    phones = (phones[:, SETTLE:] * trust).sum() / trust.sum()

    # Motion frame i lies at 40i ms, between the middles of the rows 2i - 1 and 2i.
    frames = torch.arange(SETTLE, lips.shape[1])
    between = lambda v: 0.5 * (v[:, 2 * frames] + v[:, 2 * frames - 1])
    wanted, trust = between(curves), between(weights)
    lips = lips[:, SETTLE:]
    tracks = ((wanted[..., :TRACK_COUNT] - torch.tensor(TRACK_MEAN)) / torch.tensor(TRACK_SCALE) - lips[..., :TRACK_COUNT]) ** 2
    tracks = (tracks.mean(-1) * trust).sum() / trust.sum()
    gates = F.binary_cross_entropy_with_logits(lips[..., TRACK_COUNT:], wanted[..., TRACK_COUNT:].clamp(0, 1),
                                               pos_weight=torch.tensor([2.0, 2.0]), reduction="none")
    gates = ((gates * torch.tensor([SHUT_WEIGHT, 1.0])).mean(-1) * trust).sum() / trust.sum()
    return phones, tracks, gates


def learning_rate(step, steps, top):
    warm, done = min(1.0, (step + 1) / 200), step / steps
    return top * warm * (1.0 if done < 0.45 else max(0.02, (1.0 - done) / 0.55))


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--corpus", type=Path, required=True)
    args.add_argument("--run", type=Path, required=True)
    args.add_argument("--steps", type=int, default=4000)
    args.add_argument("--until", type=int, help="stop earlier, at this step, to go on later")
    args.add_argument("--batch", type=int, default=32)
    args.add_argument("--rate", type=float, default=2e-3)
    args.add_argument("--shares", type=float, nargs=len(TRAIN_SETS), default=[0.62, 0.38], help=", ".join(TRAIN_SETS))
    args.add_argument("--seed", type=int, default=1)
    args.add_argument("--threads", type=int, default=1)
    args.add_argument("--save-every", type=float, default=4.0, help="minutes between checkpoints")
    a = args.parse_args()
    torch.set_num_threads(a.threads)
    torch.manual_seed(a.seed)
    a.run.mkdir(parents=True, exist_ok=True)
    corpus = Corpus(a.corpus)
    model, average = Speech(), Speech().eval()
    average.load_state_dict(model.state_dict())
    optimiser = torch.optim.AdamW(model.parameters(), lr=a.rate, weight_decay=0.02, betas=(0.9, 0.98))
    step, seconds = 0, 0.0
    latest = a.run / "latest.pt"
    if latest.exists():
        saved = torch.load(latest, weights_only=True)
        model.load_state_dict(saved["model"])
        average.load_state_dict(saved["average"])
        optimiser.load_state_dict(saved["optimiser"])
        step, seconds = saved["step"], saved["seconds"]
    batches = Batches(corpus, a.corpus, a.shares, a.seed + step)
    torch.manual_seed(a.seed + step)
    print(f"{parameters(model)} parameters, from step {step} to {a.steps}", flush=True)

    def save():
        state = {"model": model.state_dict(), "average": average.state_dict(), "optimiser": optimiser.state_dict(),
                 "step": step, "seconds": seconds}
        torch.save(state, a.run / "saving.pt")
        (a.run / "saving.pt").rename(latest)

    stopping = []
    signal.signal(signal.SIGTERM, lambda *_: stopping.append(True))
    began, saved_at, shown = time.time() - seconds, time.time(), None
    last = min(a.steps, a.until or a.steps)
    while step < last and not stopping:
        rate = learning_rate(step, a.steps, a.rate)
        for group in optimiser.param_groups:
            group["lr"] = rate
        parts = losses(model, batches.draw(a.batch))
        optimiser.zero_grad()
        sum(parts).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        step += 1
        keep = min(0.998, step / (step + 20))
        with torch.no_grad():
            for mean, now in zip(average.parameters(), model.parameters()):
                mean.lerp_(now, 1 - keep)
        current = np.array([p.item() for p in parts])
        shown = current if shown is None else 0.98 * shown + 0.02 * current
        seconds = time.time() - began
        if step % 50 == 0:
            print(f"{seconds / 60:.1f} min, step {step}, rate {rate:.5f}, phones {shown[0]:.3f}, tracks {shown[1]:.3f}, gates {shown[2]:.3f}", flush=True)
        if time.time() - saved_at > a.save_every * 60 or step == last:
            save()
            score = {name: frame_accuracy(average, corpus, corpus.of(name)[::4]) for name in ("held-adult", "held-child", "ljspeech-sample")}
            print("  right frames of speech (phones, visemes):", score, flush=True)
            with open(a.run / "log.jsonl", "a") as log:
                log.write(json.dumps({"minutes": round(seconds / 60, 2), "step": step, "loss": shown.round(4).tolist(), "right": score}) + "\n")
            saved_at = time.time()
    if stopping:
        save()


if __name__ == "__main__":
    main()
