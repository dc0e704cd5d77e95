"""What lies between a mouth and the unit's samples: distance and walls, microphones, their limits and their level."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft

from voicemodel import RATE_HZ

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

DIRECT_AT_1_M_DB = {"street": 14.0, "shop": 8.0}
"""Direct sound over reverberant sound at 1 m: a wall behind the column; a shop's critical distance is 2.5 m."""
RT60_S = {"street": 0.35, "shop": 0.5}


def at_distance(
    chance: Generator, sound: NDArray[np.float32], metres: float, place: str = "street"
) -> NDArray[np.float32]:
    """The sound as it arrives from so far away: the direct sound falls by 6 dB a doubling, the room's stays."""
    direct_db = DIRECT_AT_1_M_DB[place] - 20 * np.log10(metres)
    return reverberant(chance, sound, RT60_S[place], float(direct_db)) / np.float32(metres)


def reverberant(chance: Generator, sound: NDArray[np.float32], rt60_s: float, direct_db: float) -> NDArray[np.float32]:
    """The sound in a room: a direct path, and a tail of noise that falls by 60 dB in `rt60_s`, `direct_db` below it."""
    length = int(RATE_HZ * min(0.8, rt60_s))
    tail = chance.standard_normal(length) * 10 ** (-3 * np.arange(length) / (rt60_s * RATE_HZ))
    tail[: int(chance.integers(20, 200))] = 0
    tail *= 10 ** (-direct_db / 20) / (np.sqrt(np.sum(tail**2)) + 1e-9)
    tail[0] += 1
    return filtered(sound, tail)


def filtered(sound: NDArray[np.float32], response: NDArray[np.float64]) -> NDArray[np.float32]:
    """The sound through an impulse response, no longer than it was."""
    size = next_fast_len(len(sound) + len(response), real=True)
    return np.asarray(irfft(rfft(sound, size) * rfft(response, size), size)[: len(sound)], np.float32)


def equalised(
    sound: NDArray[np.float32], frequencies_hz: NDArray[np.float64], gains_db: NDArray[np.float64]
) -> NDArray[np.float32]:
    """The sound with these gains at these frequencies, straight lines between them; zero phase."""
    size = next_fast_len(len(sound) + 2048, real=True)
    spectrum = rfft(sound, size)
    at_hz = np.arange(len(spectrum)) * (RATE_HZ / size)
    gain = 10 ** (np.interp(at_hz, frequencies_hz, gains_db) / 20)
    return np.asarray(irfft(spectrum * gain, size)[: len(sound)], np.float32)


_POINTS_HZ = np.array([0, 120, 250, 500, 1000, 2000, 3000, 4500, 6000, 8000], np.float64)


def microphone(chance: Generator, sound: NDArray[np.float32]) -> NDArray[np.float32]:
    """Some microphone in some case: a bent response, often without bass, sometimes without treble or as a telephone."""
    gains_db = chance.uniform(-6, 6, len(_POINTS_HZ))
    kind = chance.random()
    if kind < 0.3:  # noqa: PLR2004 - a small capsule
        gains_db[:2] -= chance.uniform(5, 25)
    elif kind < 0.5:  # noqa: PLR2004 - a cover, a scarf, a hand
        gains_db[-3:] -= np.linspace(0.5, 1, 3) * chance.uniform(6, 30)
    elif kind < 0.58:  # noqa: PLR2004 - a telephone
        gains_db[:2] -= 30
        gains_db[-3:] -= 35
    return equalised(sound, _POINTS_HZ, gains_db)


def shouted(chance: Generator, sound: NDArray[np.float32]) -> NDArray[np.float32]:
    """With the tilt of a raised voice (Lombard): up to 10 dB more around 2 to 4 kHz, less bass."""
    strength = chance.uniform(0.3, 1.0)
    gains_db = np.array([-6, -6, -3, 0, 4, 9, 10, 6, 3, 0], np.float64) * strength
    return equalised(sound, _POINTS_HZ, gains_db)


def clipped(chance: Generator, sound: NDArray[np.float32]) -> NDArray[np.float32]:
    """Too loud for the microphone or its converter: flattened softly or hard."""
    drive = chance.uniform(1.5, 6) / (np.abs(sound).max() + 1e-9)
    if chance.random() < 0.5:  # noqa: PLR2004
        return np.asarray(np.tanh(sound * drive), np.float32)
    return np.asarray(np.clip(sound * drive, -1, 1), np.float32)
