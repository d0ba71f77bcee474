"""The measures of training/quality, which the rules were judged by, so that the network is judged by the very same."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent / "quality"))

import liveliness  # noqa: E402
from liveliness import against_chance, following, joined, loudness, pitch, pose, r, smooth, still, swaying  # noqa: E402
from motions import BLOCK, FPS, RATE, Motion, aligned, generate, lids_shut, read, write_sound  # noqa: E402

__all__ = [
    "BLOCK", "FPS", "RATE", "Motion", "against_chance", "aligned", "following", "generate", "joined", "lids_shut", "liveliness",
    "loudness", "pitch", "pose", "r", "read", "smooth", "still", "swaying", "write_sound",
]
