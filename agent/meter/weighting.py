"""A-weighting: the curve of IEC 61672-1, and a filter that follows it. Pure.

The filter's impulse response is made from the curve itself. A recursive filter made from the four poles by the
bilinear transform bends the curve towards half the sampling rate: at 8 kHz by 0.5 dB when sampled at 48 kHz already.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from agent.hw.kit import WIDE_RATE_HZ

if TYPE_CHECKING:
    from numpy.typing import NDArray

POLES_HZ = (20.598997, 107.65265, 737.86223, 12194.217)
"""IEC 61672-1:2013 annex E; the first and the last are double."""
CHUNK_SAMPLES = WIDE_RATE_HZ // 10
"""The meter works in steps of 100 ms, however long the microphone's blocks are: so no block boundary can show."""
FRAME_SAMPLES = 2 * CHUNK_SAMPLES
"""A chunk and the one before it."""
DESIGN_SAMPLES = 2**17
"""Length of the transform in which the filter is made; what its last part wraps around is below 10^-8 of the whole."""


def a_weighting_db(frequency_hz: NDArray[np.float64]) -> NDArray[np.float64]:
    """The A curve, 0 dB at 1 kHz."""
    curve: NDArray[np.float64] = 10 * np.log10(_power(frequency_hz) / _power(np.array([1000.0])))
    return curve


def _power(frequency_hz: NDArray[np.float64]) -> NDArray[np.float64]:
    """The squared magnitude of the analogue filter, but for a factor (IEC 61672-1:2013 annex E)."""
    low, middle, high, top = (np.square(pole) for pole in POLES_HZ)
    squared = np.square(frequency_hz)
    power: NDArray[np.float64] = squared**4 / (
        (squared + low) ** 2 * (squared + middle) * (squared + high) * (squared + top) ** 2
    )
    return power


@cache
def _response() -> NDArray[np.complex64]:
    """What the transform of a frame is multiplied by.

    The impulse response is the minimum-phase one, as that of the analogue filter is, by folding the cepstrum
    (Oppenheim and Schafer, Discrete-Time Signal Processing, 12.1). It dies away with the lowest pole, to a millionth
    in 100 ms: what one frame can hold beside a whole chunk of valid output.
    """
    frequency_hz = np.arange(DESIGN_SAMPLES // 2 + 1, dtype=np.float64) * (WIDE_RATE_HZ / DESIGN_SAMPLES)
    frequency_hz[0] = frequency_hz[1] / 2  # the curve is 0 there, which has no logarithm
    cepstrum = np.fft.irfft(a_weighting_db(frequency_hz) * (np.log(10) / 20))
    cepstrum[1 : DESIGN_SAMPLES // 2] *= 2
    cepstrum[DESIGN_SAMPLES // 2 + 1 :] = 0
    taps = np.fft.irfft(np.exp(np.fft.rfft(cepstrum)))[: CHUNK_SAMPLES + 1]
    response: NDArray[np.complex64] = np.fft.rfft(taps, FRAME_SAMPLES).astype(np.complex64)
    return response


def a_weighted(frame: NDArray[np.float32]) -> NDArray[np.float32]:
    """The A-weighted second half of a frame of `FRAME_SAMPLES` (overlap-save: the first half is its past)."""
    weighted = np.fft.irfft(np.fft.rfft(frame) * _response(), FRAME_SAMPLES)
    return weighted[CHUNK_SAMPLES:].astype(np.float32, copy=False)
