"""Octave bands of a stretch of sound, by its spectrum. Pure.

Frames of 200 ms overlap by half, under a window whose squares add up to one everywhere: so the energy of the bands and
of what lies between and around them is the sound's own (Parseval).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agent.hw.kit import WIDE_RATE_HZ
from agent.meter.weighting import CHUNK_SAMPLES, FRAME_SAMPLES

if TYPE_CHECKING:
    from numpy.typing import NDArray

BANDS = {
    name: 10 ** (0.3 * number)
    for number, name in enumerate(("63", "125", "250", "500", "1000", "2000", "4000", "8000"), 6)
}
"""Exact mid-band frequencies in Hz (IEC 61260-1:2014: powers of 10^0.3 about 1 kHz) by their nominal ones."""
HALF_BAND = 10**0.15
"""From the middle of a band to either edge."""
Z_FROM_HZ = 10.0
"""Where Z-weighting begins (IEC 61672-1:2013, table 3): what is below is wind, and the converter's drift."""
KAISER_ALPHA = 3.0
"""Of the Kaiser-Bessel-derived window. At 3 the 63 Hz band takes in less than a thousandth of a tone an octave below it
and a millionth of one three octaves below (class 1 asks for 60 dB there; the sine window gives 54), where wind is."""


def _window() -> NDArray[np.float32]:
    sums = np.cumsum(np.kaiser(CHUNK_SAMPLES + 1, np.pi * KAISER_ALPHA))
    rise = np.sqrt(sums[:-1] / sums[-1])
    return np.concatenate([rise, rise[::-1]]).astype(np.float32)


def _shares() -> NDArray[np.float32]:
    """How much of each spectral line belongs to each band, the last of which is Z."""
    width_hz = WIDE_RATE_HZ / FRAME_SAMPLES
    line_hz = np.arange(FRAME_SAMPLES // 2 + 1) * width_hz
    edges = [(middle / HALF_BAND, middle * HALF_BAND) for middle in BANDS.values()] + [(Z_FROM_HZ, WIDE_RATE_HZ / 2)]
    shares = [
        np.clip((np.minimum(line_hz + width_hz / 2, high) - np.maximum(line_hz - width_hz / 2, low)) / width_hz, 0, 1)
        for low, high in edges
    ]
    # Each line but the first and the last stands for two; and a frame brings one chunk's worth of sound.
    return np.array(shares, dtype=np.float32) * np.float32(2 / FRAME_SAMPLES / CHUNK_SAMPLES)


_WINDOW = _window()
_SHARES = _shares()


def octave_powers(frame: NDArray[np.float32]) -> NDArray[np.float64]:
    """The mean square of the sound in each of `BANDS`, and of all from 10 Hz, about the middle of a frame.

    Args:
        frame: `FRAME_SAMPLES`.
    """
    spectrum = np.fft.rfft((frame - np.mean(frame)) * _WINDOW)  # the converter's offset would reach beyond 10 Hz
    powers = np.square(spectrum.real) + np.square(spectrum.imag)
    octaves: NDArray[np.float64] = (_SHARES @ powers).astype(np.float64)
    return octaves
