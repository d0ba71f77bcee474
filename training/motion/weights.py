"""The network's weights and how its numbers are scaled, in one file."""

import jax
import numpy as np

from . import network


def save(path, p, facts):
    leaves = {f"w{i}": np.asarray(x) for i, x in enumerate(jax.tree.leaves(p))}
    part = path.with_suffix(".part.npz")
    np.savez(part, **leaves, **facts)
    part.rename(path)


def load(path):
    """-> parameters, facts"""
    data = np.load(path)
    facts = {"form": str(data["form"]), "noise": str(data["noise"])} | {k: data[k] for k in ("mean", "scale", "lags")}
    like = network.create(0, network.heard_columns(facts["form"]), len(facts["lags"]))
    leaves = [data[f"w{i}"] for i in range(len(jax.tree.leaves(like)))]
    return jax.tree.unflatten(jax.tree.structure(like), leaves), facts
