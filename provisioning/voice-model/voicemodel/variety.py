"""More variety while training: another vocal tract, another rhythm, another microphone, on log mel energies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from voicemodel.features import MELS

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    Mels = NDArray[np.float32]


def varied(chance: Generator, mels: Mels) -> Mels:
    """This scene once more, said by somebody else elsewhere."""
    if chance.random() < 0.8:  # noqa: PLR2004
        mels = other_rhythm(chance, mels)
    if chance.random() < 0.8:  # noqa: PLR2004
        mels = other_throat(chance, mels)
    mels = np.asarray(mels + chance.uniform(-8, 4) + _bend(chance, 2.0, MELS), np.float32)  # e-folds: 1 is 4.3 dB
    if chance.random() < 0.5:  # noqa: PLR2004
        mels = masked(chance, mels)
    return np.asarray(mels, np.float32)


def _bend(chance: Generator, size: float, length: int, points: int = 5) -> NDArray[np.float64]:
    """A smooth random curve of up to `size`, straight lines between a few points."""
    at = np.linspace(0, length - 1, points)
    return np.asarray(np.interp(np.arange(length), at, chance.uniform(-size, size, points)))


def other_rhythm(chance: Generator, mels: Mels) -> Mels:
    """Stretched and squeezed along time, by up to a quarter as a whole and by a fifth from place to place."""
    frames = len(mels)
    pace = np.exp(_bend(chance, 0.2, frames, max(3, frames // 30)) + chance.uniform(-0.25, 0.25))
    there = np.concatenate([[0.0], np.cumsum(pace)])
    at = np.interp(np.arange(int(there[-1])), there, np.arange(frames + 1))
    at = np.minimum(at, frames - 1.001)
    low = at.astype(np.int64)
    part = (at - low)[:, None].astype(np.float32)
    return np.asarray(mels[low] * (1 - part) + mels[low + 1] * part)


def other_throat(chance: Generator, mels: Mels) -> Mels:
    """Shifted along frequency, each part by its own way: vocal tracts differ by a fifth in length, and in shape."""
    shift = chance.uniform(-2.5, 2.5) * np.sin(np.linspace(0.15, 0.95, MELS) * np.pi) + _bend(chance, 0.9, MELS, 6)
    at = np.clip(np.arange(MELS) + shift, 0, MELS - 1.001)
    low = at.astype(np.int64)
    part = (at - low)[None].astype(np.float32)
    return np.asarray(mels[:, low] * (1 - part) + mels[:, low + 1] * part)


def masked(chance: Generator, mels: Mels) -> Mels:
    """Short holes in time and narrow ones in frequency (SpecAugment), at the scene's mean."""
    mels = mels.copy()
    mean = mels.mean()
    for _ in range(1 + len(mels) // 150):
        start, length = int(chance.integers(len(mels))), int(chance.integers(1, 9))
        mels[start : start + length] = mean
    if chance.random() < 0.5:  # noqa: PLR2004
        start, width = int(chance.integers(MELS)), int(chance.integers(1, 6))
        mels[:, start : start + width] = mean
    return mels
