"""From the microphone's wide sound to the recogniser's 16 kHz. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agent.hw.kit import SAMPLE_RATE_HZ, WIDE_RATE_HZ

if TYPE_CHECKING:
    from numpy.typing import NDArray

STEP = WIDE_RATE_HZ // SAMPLE_RATE_HZ
TAPS = 385
"""A delay of 4 ms. With the next two: flat within 0.01 dB to 7.2 kHz, -2 dB at 7.6 kHz (the highest that the voice
model looks at), and 70 dB down from 8 kHz, where a mirror image would come to lie in speech."""
CUT_OFF_HZ = 7700.0
KAISER_BETA = 6.8


def low_pass(gain: float = 1.0) -> NDArray[np.float32]:
    """The filter that keeps what 16 kHz can hold; symmetric."""
    away = np.arange(TAPS) - (TAPS - 1) / 2
    taps: NDArray[np.float64] = np.sinc(2 * CUT_OFF_HZ / WIDE_RATE_HZ * away) * np.kaiser(TAPS, KAISER_BETA)
    return (taps * (gain / float(np.sum(taps)))).astype(np.float32)


class Decimator:
    """A low-pass and every third sample, over blocks of any length as if they were one."""

    def __init__(self) -> None:
        # Each phase of the filter meets one sample in three: the others are never computed.
        reversed_taps = low_pass()[::-1]
        self._phases = [reversed_taps[phase::STEP][::-1] for phase in range(STEP)]
        self._past: NDArray[np.float32] = np.zeros(TAPS - 1, dtype=np.float32)

    def feed(self, wide: bytes) -> bytes:
        """The next sound at 16 kHz, 16-bit little-endian as it came; a third of a sample that is left over waits."""
        sound = np.concatenate([self._past, np.frombuffer(wide, dtype="<i2")], dtype=np.float32)
        count = max(0, (sound.size - TAPS) // STEP + 1)
        self._past = sound[count * STEP :]
        if not count:
            return b""
        narrow = sum(
            np.convolve(sound[phase::STEP], taps, mode="valid")[:count] for phase, taps in enumerate(self._phases)
        )
        return np.clip(np.rint(narrow), -32768, 32767).astype("<i2").tobytes()
