"""Finds spoken sound in bytes by correlation, whatever the bytes are called and however the samples lie in them.

The bytes are read as every usual kind of sample, at every offset and at several steps (two channels, the high bytes of
longer samples, doubled rates). Of each reading only the sign of the step from sample to sample counts: that makes
loudness, clipping and byte scale meaningless, and bounds what wild values, such as random bytes read as floats, can do.
The spoken sound is made white, so that no hum, table or text can resemble it: against anything else the score has the
spread of a normal distribution.
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from tests.privacy.layers import Artefact

    Samples = NDArray[np.float32]

LEAST_SAMPLES = 1_024
"""64 ms: in fewer samples than this there is nothing to be heard, and chance resembles anything."""
RESEMBLES_SCORE = 8.0
"""In standard deviations. Bytes that are no sound stay under 7; a tenth of a second of a recording scores over 10."""
FOUND_SCORE = 14.0
"""Other speech stays under 13, because voices share a pitch; a recording scores over 60, and one that lies 10 dB under
another voice over 20 (test_search.py)."""
BLOCK_SAMPLES = 2**17
GAP = bytes(64)
"""Between two artefacts searched as one."""
STEPS_16_BIT = (2, 3, 4, 6)
"""Mono; 24-bit samples; two channels, 32-bit samples or 32 kHz; 48 kHz or two channels of 24 bits."""


class SoundFound(NamedTuple):
    """Spoken sound that lies where it must not."""

    what: str
    where: str
    reading: str
    score: float


class _Wanted(NamedTuple):
    what: str
    samples: int
    spectrum: NDArray[np.complex64]
    """Of the recording made white, at unit level; conjugated."""


class SoundSearch:
    """Looks for these recordings, whole or a third of a second of them."""

    def __init__(self, spoken: Mapping[str, NDArray[np.int16]]) -> None:
        """Prepare the search for 16 kHz recordings by name."""
        self._wanted = [
            _wanted(f"{name} at {rate_khz} kHz", resampled)
            for name, samples in spoken.items()
            for rate_khz, resampled in ((16, samples.astype(np.float32)), (8, halved(samples)))
        ]
        self._longest = max(wanted.samples for wanted in self._wanted)

    def find(self, artefacts: Sequence[Artefact], least_score: float = FOUND_SCORE) -> list[SoundFound]:
        """The best find of each recording in each place, where there is one of this score."""
        starts = [0, *accumulate(len(each.data) + len(GAP) for each in artefacts[:-1])]
        data = GAP.join(each.data for each in artefacts) + GAP
        best: dict[tuple[str, str], SoundFound] = {}
        for reading, step, offset, samples in _readings(data):
            for what, sample, score in self._matches(samples, least_score):
                where = artefacts[bisect_right(starts, max(0, offset + sample * step)) - 1].where
                if (known := best.get((what, where))) is None or known.score < score:
                    best[what, where] = SoundFound(what, where, f"{reading} in steps of {step}", score)
        return sorted(best.values(), key=lambda found: -found.score)

    def _matches(self, samples: Samples, least_score: float) -> Iterator[tuple[str, int, float]]:
        padding = np.zeros(self._longest, np.float32)
        steps = np.concatenate((padding, np.sign(np.diff(samples)), padding))
        hop = BLOCK_SAMPLES - self._longest
        for at in range(0, steps.size - self._longest, hop):
            block = steps[at : at + BLOCK_SAMPLES]
            counted = np.concatenate((np.zeros(1, np.int32), np.cumsum(block != 0, dtype=np.int32)))
            if counted[-1] < LEAST_SAMPLES:
                continue
            spectrum = np.fft.rfft(block, BLOCK_SAMPLES)
            for wanted in self._wanted:
                lags = block.size - wanted.samples
                if lags <= 0:
                    continue
                alike = np.fft.irfft(spectrum * wanted.spectrum, BLOCK_SAMPLES)[:lags]
                there = counted[wanted.samples : wanted.samples + lags] - counted[:lags]
                score = np.abs(alike) / np.sqrt(np.maximum(there, LEAST_SAMPLES, dtype=np.float32))
                for peak in np.flatnonzero(score >= least_score):
                    middle = at + int(peak) + wanted.samples // 2 - self._longest
                    yield wanted.what, middle, float(score[peak])


def _readings(data: bytes) -> Iterator[tuple[str, int, int, Samples]]:
    """Name, bytes from sample to sample, offset, and the samples."""
    for kind, steps in (("<i2", STEPS_16_BIT), (">i2", (2, 4)), ("<f4", (4, 8))):
        for step in steps:
            for offset in range(step):
                yield kind, step, offset, _bounded(_strided(data, kind, step, offset))
    octets = np.frombuffer(data, np.uint8)
    for name, table in _OCTETS.items():
        for step in (1, 2):
            for offset in range(step):
                yield name, step, offset, table[octets[offset::step]]


def _strided(data: bytes, kind: str, step: int, offset: int) -> NDArray[np.generic]:
    count = max(0, (len(data) - offset - np.dtype(kind).itemsize) // step + 1)
    return np.ndarray(count, kind, data, offset, (step,))


def _bounded(values: NDArray[np.generic]) -> Samples:
    """As 32-bit floats, without what is no number or none that a sample can be."""
    with np.errstate(over="ignore", invalid="ignore"):
        samples = values.astype(np.float32)
        samples[~(np.abs(samples) < 1e6)] = 0  # also what is not a number
        samples[np.abs(samples) < 1e-7] = 0  # 43 dB under the last bit of 16
    return samples


def _mu_law() -> Samples:
    code = ~np.arange(256) & 0xFF
    size = (((code & 0x0F) << 3) + 0x84) << ((code & 0x70) >> 4)
    return np.where(code & 0x80, 0x84 - size, size - 0x84).astype(np.float32)


def _a_law() -> Samples:
    code = np.arange(256) ^ 0x55
    exponent, mantissa = (code & 0x70) >> 4, (code & 0x0F) << 4
    size = np.where(exponent == 0, mantissa + 8, (mantissa + 0x108) << np.maximum(exponent - 1, 0))
    return np.where(code & 0x80, size, -size).astype(np.float32)


_OCTETS: dict[str, Samples] = {
    "u8": np.arange(256, dtype=np.float32),
    "s8": np.arange(256, dtype=np.uint8).view(np.int8).astype(np.float32),
    "mu-law": _mu_law(),
    "a-law": _a_law(),
}


def _wanted(what: str, samples: Samples) -> _Wanted:
    spectrum = np.fft.rfft(np.sign(np.diff(samples)), samples.size)
    white = np.fft.irfft(spectrum / np.maximum(np.abs(spectrum), 1e-6), samples.size)
    white = ((white - white.mean()) / white.std()).astype(np.float32)
    return _Wanted(what, samples.size, np.conj(np.fft.rfft(white, BLOCK_SAMPLES)).astype(np.complex64))


def halved(samples: NDArray[np.int16]) -> Samples:
    """At half the rate, without what that rate cannot hold."""
    spectrum = np.fft.rfft(samples.astype(np.float32))
    half = samples.size // 2
    return np.fft.irfft(spectrum[: half // 2 + 1], half).astype(np.float32)
