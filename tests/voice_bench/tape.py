"""A tape: sound as a microphone hears it without end, and the true times of the calls in it. Pure but for chance."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from agent.hw.kit import BLOCK_SAMPLES, SAMPLE_RATE_HZ, PcmBlock
from fakes.sound import active_rms, last_sound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.random import Generator
    from numpy.typing import NDArray

    Sound = NDArray[np.float32]

APART_S = (12.0, 16.0)
"""Noise alone before each call: longer than the time after a call in which the same one does not count again, and than
that in which another one makes it count (`AGAIN_WITHIN_S`, a profile's `repeat_within_s`): callers do not help each
other."""
AFTER_S = 4.0
"""Noise alone after the last call."""
AROUND_S = 1.0
"""The noise that a call's level is set against: that during the call and so long before and after it."""


@dataclass(frozen=True)
class Call:
    """A phrase that was truly said."""

    label: str
    who: str
    start_s: float
    end_s: float
    """Of its last sound, 30 dB under its loudest."""
    early_s: float = 0.5
    """A detection may end so long before `end_s`; as much as the whole clip where its end is not known."""


@dataclass(frozen=True)
class Tape:
    """Sound with the truth about it."""

    sound: NDArray[np.int16]
    calls: tuple[Call, ...] = ()

    @property
    def length_s(self) -> float:
        """How long it is."""
        return len(self.sound) / SAMPLE_RATE_HZ

    def blocks(self) -> Iterator[PcmBlock]:
        """As a microphone gives it, on the tape's clock."""
        for start in range(0, len(self.sound) - BLOCK_SAMPLES + 1, BLOCK_SAMPLES):
            block = self.sound[start : start + BLOCK_SAMPLES]
            yield PcmBlock(block.astype("<i2").tobytes(), (start + BLOCK_SAMPLES) / SAMPLE_RATE_HZ)


@dataclass(frozen=True)
class Said:
    """A call to lay into a tape."""

    label: str
    who: str
    sound: Sound
    anywhere: bool = False
    """Whether the phrase may end anywhere in it: it is within a sentence, or said more than once."""


def rms(sound: Sound) -> float:
    """Root mean square."""
    return float(np.sqrt(np.mean(np.square(sound, dtype=np.float64)))) if len(sound) else 0.0


def amplitude(level_db: float) -> float:
    """Of a level in dB."""
    return float(10 ** (level_db / 20))


def pcm(sound: Sound) -> NDArray[np.int16]:
    """As a converter gives it: clipped at full scale."""
    return np.asarray(np.rint(np.clip(sound, -1, 1) * 32767), np.int16)


def starts(chance: Generator, lengths: Sequence[int]) -> tuple[list[int], int]:
    """Where each call begins, and how long the tape is; in samples."""
    at, found = 0, []
    for length in lengths:
        at += int(SAMPLE_RATE_HZ * chance.uniform(*APART_S))
        found.append(at)
        at += length
    whole = at + int(SAMPLE_RATE_HZ * AFTER_S)
    return found, whole - whole % BLOCK_SAMPLES


def with_calls(
    bed: Sound,
    calls: Sequence[tuple[int, Said]],
    level: Callable[[float], float],
    carried: Callable[[Sound], Sound] = lambda sound: sound,
) -> Tape:
    """Lay calls over a bed of noise.

    Args:
        bed: The noise, as loud as it shall be.
        calls: The first sample of each, and the call.
        level: From the RMS of the noise around a call to the RMS of its active speech, where the speaker is near.
        carried: What the way to the microphone makes of it; no shorter and no longer.
    """
    street, truth = bed.copy(), []
    around = int(SAMPLE_RATE_HZ * AROUND_S)
    for start, said in calls:
        noise = rms(bed[max(0, start - around) : start + len(said.sound) + around])
        speech = said.sound * np.float32(level(noise) / active_rms(said.sound))
        tail = np.zeros(SAMPLE_RATE_HZ // 2, np.float32)  # rooms ring on
        heard = carried(np.concatenate([speech, tail]))[: len(street) - start]
        street[start : start + len(heard)] += heard
        first = int(np.flatnonzero(np.abs(speech) > np.abs(speech).max() / 30)[0])
        start_s, end_s = (start + first) / SAMPLE_RATE_HZ, (start + last_sound(said.sound)) / SAMPLE_RATE_HZ
        call = Call(said.label, said.who, start_s, end_s)
        truth.append(replace(call, early_s=end_s - start_s) if said.anywhere else call)
    return Tape(pcm(street), tuple(truth))
