"""Sound whose level is known by calculation, and the meter's reading of it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from agent.hw.kit import WIDE_BLOCK_SAMPLES, WIDE_RATE_HZ
from agent.meter.meter import Second, SoundLevelMeter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Sound = NDArray[np.float64]

FULL_SCALE_SINE_DBFS = -10 * math.log10(2)
ODD_BLOCK_BYTES = 2 * 3331
"""Blocks that no chunk, frame or second of the meter ends with."""


def tone(frequency_hz: float, seconds: float, dbfs: float = -20.0) -> Sound:
    """A sine of this RMS level (0 dBFS is a full-scale square)."""
    time_s = np.arange(round(seconds * WIDE_RATE_HZ)) / WIDE_RATE_HZ
    sine: Sound = np.sin(2 * np.pi * frequency_hz * time_s + 0.5) * 10 ** ((dbfs - FULL_SCALE_SINE_DBFS) / 20)
    return sine


def silence(seconds: float) -> Sound:
    return np.zeros(round(seconds * WIDE_RATE_HZ))


def noise(seconds: float, low_hz: float, high_hz: float, *, pink: bool = False, dbfs: float = -20.0) -> Sound:
    """Noise with nothing outside a band."""
    count = round(seconds * WIDE_RATE_HZ)
    frequency_hz = np.fft.rfftfreq(count, 1 / WIDE_RATE_HZ)
    within = (frequency_hz >= low_hz) & (frequency_hz <= high_hz)
    size = np.where(within, 1 / np.sqrt(np.maximum(frequency_hz, 1)) if pink else 1.0, 0.0)
    phase = np.random.default_rng(3).uniform(0, 2 * np.pi, frequency_hz.size)
    sound = np.fft.irfft(size * np.exp(1j * phase), count)
    return np.asarray(sound * (10 ** (dbfs / 20) / np.sqrt(np.mean(np.square(sound)))))


def pcm(*sounds: Sound) -> bytes:
    """One after the other, as a microphone gives them."""
    return np.clip(np.rint(np.concatenate(sounds) * 32768), -32768, 32767).astype("<i2").tobytes()


def cut(sound: bytes, size: int = ODD_BLOCK_BYTES) -> Iterator[bytes]:
    """In blocks of so many bytes."""
    return (sound[at : at + size] for at in range(0, len(sound), size))


def read(sound: bytes, *, size: int = ODD_BLOCK_BYTES, offset_db: float = 0.0) -> list[Second]:
    """What a fresh meter makes of this, block by block."""
    meter = SoundLevelMeter(offset_db)
    return [second for block in cut(sound, size) for second in meter.feed(block)]


def blocks(sound: bytes) -> Iterator[bytes]:
    """As the microphone cuts it."""
    return cut(sound, 2 * WIDE_BLOCK_SAMPLES)
