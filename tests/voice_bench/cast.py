"""Who speaks in the voice bench: voices that no training heard, of three kinds. Pure but for chance."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from voicemodel.voices import CHOOSES_PITCH, HELD_OUT_FORMANT, HELD_OUT_READERS, Voice

if TYPE_CHECKING:
    import random

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


@dataclass(frozen=True)
class Line:
    """A text, and who says it how."""

    text: str
    voice: Voice
    seed: int = 0

    @property
    def who(self) -> str:
        """The voice, without its ways."""
        return f"{self.voice.engine} {self.voice.name}"


def cast(chance: random.Random, number: int, voices: str) -> Voice:
    """The voice of this kind whose turn it is, with a pace and, where the engine can, a pitch of its own."""
    voice = CAST[voices][number % len(CAST[voices])]
    pace, pitch = round(voice.pace * chance.uniform(*PACE), 2), round(chance.uniform(*PITCH), 2)
    return replace(voice, pace=pace, pitch=pitch if voice.engine in CHOOSES_PITCH else 1.0)
