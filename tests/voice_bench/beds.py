"""Noise without end, to call into: traffic, talk of several, music-like notes, gusts, and the simulated street."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from voicemodel import noises

from agent.hw.kit import BLOCK_SAMPLES, SAMPLE_RATE_HZ
from fakes.sound import StreetSound
from tests.voice_bench.tape import rms

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.random import Generator

    from tests.voice_bench.tape import Sound

    Talk = Iterator[Sound]
    """Sentences without end, for those who talk behind."""

TALKERS = 5
"""At once, in the babble behind a call; none of them is understood for long."""
SCENE_S, FADE_S = 20.0, 1.0
"""Noises last so long and flow into the next: another lorry, another song."""
STREET_DBFS = -24.0
"""Loud enough that 16 bits do not matter, quiet enough that its peaks are whole."""
_SCENES = {
    "traffic": ("traffic", "engine", "traffic", "pink"),
    "music": ("notes", "notes", "notes", "hum"),
    "gusts": ("gusts",),
}


def bed(chance: Generator, kind: str, samples: int, talk: Talk) -> Sound:
    """So much of one of `plans.BEDS`, with an RMS of 1."""
    match kind:
        case "street":
            sound = street(int(chance.integers(1 << 30)), samples)
        case "babble":
            sound = crowd(chance, samples, talk, TALKERS)
        case _:
            sound = _flowing(chance, _SCENES[kind], samples)
    return np.asarray(sound / np.float32(rms(sound) + 1e-9), np.float32)


def street(seed: int, samples: int, level_dbfs: float = STREET_DBFS) -> Sound:
    """The street of the tests and the demo."""
    sound = StreetSound(seed, level_dbfs)
    blocks = b"".join(sound.next_block() for _ in range(-(-samples // BLOCK_SAMPLES)))
    return np.frombuffer(blocks, "<i2")[:samples].astype(np.float32) / np.float32(32768)


def crowd(chance: Generator, samples: int, talk: Talk, talkers: int) -> Sound:
    """Several who talk at once, each with pauses, within 8 dB of each other."""
    together = np.zeros(samples, np.float32)
    for _ in range(talkers):
        loudness = np.float32(10 ** (chance.uniform(-8, 0) / 20))
        at = int(chance.integers(SAMPLE_RATE_HZ))
        while at < samples:
            line = next(talk)[: samples - at]
            together[at : at + len(line)] += line * (loudness / np.float32(rms(line) + 1e-6))
            at += len(line) + int(SAMPLE_RATE_HZ * chance.uniform(0.2, 1.0))
    return together


def _scene(chance: Generator, kinds: tuple[str, ...]) -> Sound:
    length = int(SAMPLE_RATE_HZ * chance.uniform(0.5, 1.5) * SCENE_S)
    loudness = np.float32(10 ** (chance.uniform(-3, 3) / 20))
    return noises.noise(chance, str(chance.choice(kinds)), length) * loudness


def _flowing(chance: Generator, kinds: tuple[str, ...], samples: int) -> Sound:
    fade = int(SAMPLE_RATE_HZ * FADE_S)
    rise = np.sqrt(np.linspace(0, 1, fade, dtype=np.float32))
    whole = np.zeros(samples + int(2 * SCENE_S * SAMPLE_RATE_HZ), np.float32)
    at = 0
    while at < samples:
        scene = _scene(chance, kinds)
        scene[:fade] *= rise
        scene[-fade:] *= rise[::-1]
        whole[at : at + len(scene)] += scene
        at += len(scene) - fade
    return whole[:samples]
