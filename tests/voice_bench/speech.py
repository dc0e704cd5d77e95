"""Held-out voices say lines, each once: sound is kept below `build/voice-bench/` and made again only if it is gone."""

from __future__ import annotations

import hashlib
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.signal import resample_poly
from voicemodel.speak import CannotSay, spoken
from voicemodel.voices import CHOOSES_PITCH, HELD_OUT_FORMANT, HELD_OUT_READERS, Voice

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

CACHE = Path("build/voice-bench/speech")
VOICES = RECORDED, READERS, FORMANT = "recorded", "readers", "formant"
CAST = {
    RECORDED: (Voice("flite", "rms"), Voice("festival", "ked_diphone")),
    READERS: HELD_OUT_READERS,
    FORMANT: HELD_OUT_FORMANT,
}
"""Nobody of them is in any training. The two of RECORDED are cut and learned from recordings of one man each; the
readers sound most like people, and other speakers of their network trained the model; those of FORMANT are computed."""
PACE, PITCH = (0.8, 1.25), (0.85, 1.2)
TRACT = (0.85, 1.2)
"""Resampled by this: a tall man's vocal tract to that of a child of ten, and pitch and pace with it."""
_SAY_AT_ONCE = 16
"""Lines a worker takes at a time."""


@dataclass(frozen=True)
class Line:
    """A text, and who says it how."""

    text: str
    voice: Voice
    seed: int = 0

    @property
    def path(self) -> Path:
        """Where its sound is kept."""
        return CACHE / f"{hashlib.sha256(repr(self).encode()).hexdigest()[:24]}.npy"

    @property
    def who(self) -> str:
        """The voice, without its ways."""
        return f"{self.voice.engine} {self.voice.name}"


def cast(chance: random.Random, number: int, voices: str) -> Voice:
    """The voice of this kind whose turn it is, with a pace and, where the engine can, a pitch of its own."""
    voice = CAST[voices][number % len(CAST[voices])]
    pace, pitch = round(voice.pace * chance.uniform(*PACE), 2), round(chance.uniform(*PITCH), 2)
    return replace(voice, pace=pace, pitch=pitch if voice.engine in CHOOSES_PITCH else 1.0)


def _say(line: Line) -> None:
    try:
        sound, _ = spoken(line.text, line.voice, line.seed)
    except CannotSay:
        sound = np.zeros(0, np.float32)  # kept too: it would fail again
    part = line.path.with_suffix(f".{line.seed}.part")
    with part.open("wb") as file:
        np.save(file, np.rint(sound * 32767).astype(np.int16))
    part.rename(line.path)


def say_all(lines: Sequence[Line], workers: int, progress: Callable[[int, int], None]) -> None:
    """Have them all said, those that are not there yet."""
    CACHE.mkdir(parents=True, exist_ok=True)
    missing = [line for line in dict.fromkeys(lines) if not line.path.exists()]
    with ProcessPoolExecutor(workers) as pool:
        for done, _ in enumerate(pool.map(_say, missing, chunksize=_SAY_AT_ONCE), 1):
            progress(done, len(missing))


def sound_of(line: Line, tract: float = 1.0) -> NDArray[np.float32]:
    """Its sound; empty if the voice could not say it."""
    sound = np.load(line.path).astype(np.float32) / np.float32(32767)
    if tract == 1.0 or not len(sound):
        return np.asarray(sound, np.float32)
    return np.asarray(resample_poly(sound, 100, round(100 * tract)), np.float32)
