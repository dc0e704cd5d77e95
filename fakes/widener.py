"""The street's 16 kHz sound at 48 kHz: a street whose air carries nothing above 8 kHz."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agent.hw.decimator import STEP, TAPS, low_pass

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Widener:
    """Two samples of silence after each sample, and the decimator's low-pass over all of it."""

    def __init__(self) -> None:
        self._low_pass = low_pass(gain=STEP)
        self._past: NDArray[np.float32] = np.zeros(TAPS - 1, dtype=np.float32)

    def feed(self, pcm: bytes) -> bytes:
        """The next sound, three times as many samples."""
        narrow = np.frombuffer(pcm, dtype="<i2")
        stuffed = np.zeros(narrow.size * STEP, dtype=np.float32)
        stuffed[::STEP] = narrow
        sound = np.concatenate([self._past, stuffed])
        self._past = sound[sound.size - (TAPS - 1) :]
        wide = np.convolve(sound, self._low_pass, mode="valid")
        return np.clip(np.rint(wide), -32768, 32767).astype("<i2").tobytes()
