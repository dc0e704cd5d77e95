"""From sound to the levels of each second. Pure; it knows no time but that of the samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from agent.hw.kit import WIDE_RATE_HZ
from agent.meter.fast import STEPS, Fast
from agent.meter.octaves import BANDS, octave_powers
from agent.meter.weighting import CHUNK_SAMPLES, FRAME_SAMPLES, a_weighted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

FULL_SCALE = 32768.0
"""0 dBFS is the level of a full-scale square wave, as for the gate; a full-scale sine reads -3.0 dBFS."""
LEAST_POWER = 1e-14
"""What digital silence counts as (-140 dBFS): below the converter's own noise in any octave."""
CHUNKS_PER_S = WIDE_RATE_HZ // CHUNK_SAMPLES
SETTLING_CHUNKS = CHUNKS_PER_S
"""The first second is not measured: a capture that opens begins with a jump, and Fast needs half of it to be
within 0.1 dB."""
OVERLOAD = 32767
"""A sample at either end of the scale: the sound may have gone beyond it, and every level reads low."""


def level_db(power: float) -> float:
    """The level of a mean square relative to full scale."""
    return 10 * float(np.log10(max(power, LEAST_POWER)))


@dataclass(frozen=True)
class Second:
    """The levels of one second, in dB re 20 uPa with a calibration offset, in dB re full scale without."""

    laeq_db: float
    """A-weighted, the mean energy."""
    lafmax_db: float
    """A-weighted, Fast, the highest."""
    laf_db: tuple[float, ...]
    """A-weighted, Fast, at the end of each tenth: what percentiles are taken from."""
    octaves_db: Mapping[str, float]
    """Unweighted, by nominal mid-band frequency in Hz; empty where they are off. They are those of the frames that end
    in this second, whose middle is 0.1 s earlier."""
    lzeq_db: float | None
    """Unweighted, 10 Hz and up, of the same frames; None where octave bands are off."""
    overloaded: bool
    """The sound reached full scale: the true levels are higher."""


class SoundLevelMeter:
    """Sound in blocks of any length in, whole seconds out; the same seconds wherever the blocks end."""

    def __init__(self, offset_db: float = 0.0, *, octaves: bool = True) -> None:
        """A meter that has heard nothing.

        Args:
            offset_db: The sound pressure level of what reads 0 dBFS.
            octaves: Whether to take octave bands.
        """
        self._offset_db = offset_db
        self._octaves = octaves
        self.restart()

    def restart(self) -> None:
        """What comes next does not follow on what came before: forget the second that had begun, and settle again."""
        self._waiting = b""
        self._before: NDArray[np.float32] = np.zeros(CHUNK_SAMPLES, dtype=np.float32)
        self._fast = Fast()
        self._settling = SETTLING_CHUNKS
        self._chunks: list[_Chunk] = []

    def feed(self, wide: bytes) -> list[Second]:
        """Measure more 16-bit little-endian mono sound at `WIDE_RATE_HZ`; returns the seconds that it completes."""
        self._waiting += wide[: len(wide) // 2 * 2]  # half a sample is none
        size = 2 * CHUNK_SAMPLES
        whole = len(self._waiting) // size * size
        sound, self._waiting = self._waiting[:whole], self._waiting[whole:]
        seconds = []
        for at in range(0, whole, size):
            self._measure(np.frombuffer(sound, "<i2", CHUNK_SAMPLES, at))
            if len(self._chunks) == CHUNKS_PER_S:
                seconds.append(self._second())
                self._chunks = []
        return seconds

    def _measure(self, samples: NDArray[np.int16]) -> None:
        frame = np.empty(FRAME_SAMPLES, dtype=np.float32)
        frame[:CHUNK_SAMPLES] = self._before
        frame[CHUNK_SAMPLES:] = samples / np.float32(FULL_SCALE)
        self._before = frame[CHUNK_SAMPLES:]
        squares = np.square(a_weighted(frame))
        fast = self._fast.feed(squares)
        if self._settling:
            self._settling -= 1
            return
        self._chunks.append(
            _Chunk(
                a_power=float(np.mean(squares, dtype=np.float64)),
                fast_max=float(np.max(fast)),
                fast_last=float(fast[STEPS - 1]),
                octaves=octave_powers(frame) if self._octaves else None,
                overloaded=bool(samples.max() >= OVERLOAD or samples.min() <= -OVERLOAD),
            )
        )

    def _second(self) -> Second:
        chunks = self._chunks
        octaves = [chunk.octaves for chunk in chunks if chunk.octaves is not None]
        levels = [self._level(power) for power in np.mean(octaves, axis=0)] if octaves else []
        return Second(
            laeq_db=self._level(sum(chunk.a_power for chunk in chunks) / len(chunks)),
            lafmax_db=self._level(max(chunk.fast_max for chunk in chunks)),
            laf_db=tuple(self._level(chunk.fast_last) for chunk in chunks),
            octaves_db=dict(zip(BANDS, levels[:-1], strict=True)) if levels else {},
            lzeq_db=levels[-1] if levels else None,
            overloaded=any(chunk.overloaded for chunk in chunks),
        )

    def _level(self, power: float) -> float:
        return level_db(power) + self._offset_db


@dataclass(frozen=True)
class _Chunk:
    """What is kept of 100 ms of sound: mean squares relative to full scale."""

    a_power: float
    fast_max: float
    fast_last: float
    octaves: NDArray[np.float64] | None
    overloaded: bool
