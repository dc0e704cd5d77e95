"""A network as Kaldi computes it: affine layers over spliced frames, rectified, with skips."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

SUBSAMPLING = 3
"""One output for three frames of 10 ms, as all of Kaldi's chain models: speech does not change faster."""
SKIP = 0.66
"""What a layer gets of the input of the one before, beside its output (Kaldi's value for TDNN-F)."""


@dataclass(frozen=True)
class Affine:
    """One layer as Kaldi computes it: weights on a splice of frames, then a ReLU, then part of an earlier layer."""

    name: str
    weights: NDArray[np.float64]
    """Outputs x (inputs of the first offset, of the second ...)."""
    bias: NDArray[np.float64]
    offsets: tuple[int, ...]
    """Of the spliced frames."""
    source: str
    relu: bool = False
    skip: str | None = None
    """The layer of which `SKIP` is added."""


def computed(layers: Sequence[Affine], cepstra: NDArray[np.float32]) -> NDArray[np.float64]:
    """What Kaldi computes of these layers, at every frame of `cepstra` that has its context; for tests.

    Frames x `MELS` -> frames x outputs; row k is the output at frame k of the input (NaN where context is missing).
    """
    known: dict[str, NDArray[np.float64]] = {"input": cepstra.astype(np.float64)}
    for layer in layers:
        source = known[layer.source]
        spliced = np.concatenate([_shifted(source, offset) for offset in layer.offsets], axis=1)
        result = spliced @ layer.weights.T + layer.bias
        if layer.relu:
            result = np.maximum(result, 0)
        if layer.skip:
            result = result + SKIP * known[layer.skip]
        known[layer.name] = result
    return known["output"]


def _shifted(frames: NDArray[np.float64], offset: int) -> NDArray[np.float64]:
    moved = np.full_like(frames, np.nan)
    if offset >= 0:
        moved[: len(frames) - offset] = frames[offset:]
    else:
        moved[-offset:] = frames[:offset]
    return moved
