"""Notices a microphone that gives blocks but no sound. Pure.

A muted capture switch or a broken capsule still paces blocks on time, so that everything looks alive: the listener
that died and nobody knew (peers.md, pain point 15). Real sound always flickers in its lowest bits.
"""

from __future__ import annotations

from enum import Enum

MUTED_AFTER_S = 20.0
"""So long without a single changing sample; a live converter does not manage a tenth of a second."""


class Hearing(Enum):
    """What a block says about the microphone."""

    SAME = "same"
    """Nothing new."""
    FELL_SILENT = "fell silent"
    CAME_BACK = "came back"


class MuteWatch:
    """Watches the blocks of one microphone."""

    def __init__(self) -> None:
        self._sample: bytes | None = None
        """The one value that all samples have had so far."""
        self._since_s = 0.0
        self._muted = False

    def feed(self, pcm: bytes, ended_s: float) -> Hearing:
        """Judge the next block of 16-bit sound."""
        sample = pcm[:2]
        if not pcm or pcm != sample * (len(pcm) // 2):
            self._sample = None
            came_back, self._muted = self._muted, False
            return Hearing.CAME_BACK if came_back else Hearing.SAME
        if sample != self._sample:
            self._sample = sample
            self._since_s = ended_s
        if self._muted or ended_s - self._since_s < MUTED_AFTER_S:
            return Hearing.SAME
        self._muted = True
        return Hearing.FELL_SILENT
