"""The first teacher: an earlier, smaller network that knows well enough where in an utterance each sound is.

From nothing, LF-MMI gets stuck at what sounds usually follow each other: with speech in so many scenes it did, at 0.5 a
frame (see README.md). `aligner.npz` is the network of the first model of this project, made from synthetic speech in
plainer scenes; as its outputs are the same, its alignments are ready to use.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from voicemodel.layers import SUBSAMPLING

FILE = Path(__file__).parent.parent / "aligner.npz"


class Aligner:
    """Affine layers over spliced frames with ReLUs between, the second one at every third frame."""

    def __init__(self, path: Path = FILE) -> None:
        with np.load(path) as kept:
            self._layers = [
                (
                    torch.from_numpy(kept[f"weights{number}"].astype(np.float32)),
                    torch.from_numpy(kept[f"bias{number}"].astype(np.float32)),
                    [int(offset) for offset in kept[f"offsets{number}"]],
                )
                for number in range(int(kept["layers"]))
            ]

    @property
    def context(self) -> int:
        """How many frames of 10 ms are needed on either side."""
        return sum(max(offsets) for _, _, offsets in self._layers)

    def scores(self, cepstra: Tensor) -> Tensor:
        """Batch x (frames + twice the context) x cepstra -> a score for each output at every third frame."""
        frames, pace = cepstra, 1
        for number, (weights, bias, offsets) in enumerate(self._layers):
            first = min(offsets)
            length = frames.shape[1] - (max(offsets) - first) // pace
            step = SUBSAMPLING if number == 1 else 1
            parts = [
                frames[:, (offset - first) // pace : (offset - first) // pace + length : step] for offset in offsets
            ]
            frames = torch.cat(parts, 2) @ weights.T + bias
            if number < len(self._layers) - 1:
                frames = torch.relu(frames)
            pace *= step
        return frames
