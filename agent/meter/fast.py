"""Time weighting Fast: an exponential mean of the squared sound over 125 ms. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agent.hw.kit import WIDE_RATE_HZ
from agent.meter.weighting import CHUNK_SAMPLES

if TYPE_CHECKING:
    from numpy.typing import NDArray

TIME_CONSTANT_S = 0.125
"""IEC 61672-1: the level falls by 10 log10(e) / 0.125 s = 34.7 dB/s after the sound ends."""
STEP_SAMPLES = WIDE_RATE_HZ // 1000
"""The mean runs over every sample and is read each millisecond, in which it falls by 0.035 dB at most: so little may a
maximum be read low."""
STEPS = CHUNK_SAMPLES // STEP_SAMPLES

_KEPT = float(np.exp(-1 / (TIME_CONSTANT_S * WIDE_RATE_HZ)))
"""What a sample leaves of the mean before it."""
_WITHIN_STEP = (1 - _KEPT) * _KEPT ** np.arange(STEP_SAMPLES - 1, -1, -1)
"""What each sample of a step still counts at the step's end."""
_AGES = np.subtract.outer(np.arange(STEPS), np.arange(STEPS))
_BETWEEN_STEPS = np.where(_AGES >= 0, _KEPT ** (STEP_SAMPLES * np.maximum(_AGES, 0)), 0.0)
"""What each step (column) still counts at the end of each step (row) of the same chunk."""
_BEFORE = _KEPT ** (STEP_SAMPLES * np.arange(1, STEPS + 1))
"""What the mean before the chunk still counts at the end of each step."""


class Fast:
    """A running mean square."""

    def __init__(self) -> None:
        self._mean_square = 0.0

    def feed(self, squares: NDArray[np.float32]) -> NDArray[np.float64]:
        """Take the squares of the next `CHUNK_SAMPLES`; returns the mean square at the end of each millisecond."""
        steps = squares.reshape(STEPS, STEP_SAMPLES) @ _WITHIN_STEP
        mean_squares: NDArray[np.float64] = _BETWEEN_STEPS @ steps + _BEFORE * self._mean_square
        self._mean_square = float(mean_squares[-1])
        return mean_squares
