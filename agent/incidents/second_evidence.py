"""Phrases that do not count by themselves: movement has to bear them out, shortly before or after.

For words that also come from a television or from across the street. Nothing of this is kept over a restart: whoever
is there goes on calling.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from agent.incidents.motion_light import LONGEST_MOVEMENT_S

if TYPE_CHECKING:
    from agent.clock import Moment
    from agent.config.hearing import VoiceSettings
    from agent.signals import Triggered


class SecondEvidence:
    """The latest movement, and the phrases that wait for some."""

    def __init__(self, settings: VoiceSettings) -> None:
        self._within_s = {
            phrase.label: phrase.movement_within_s
            for phrase in settings.all_phrases
            if phrase.movement_within_s is not None
        }
        self._moving: dict[str, Moment] = {}
        self._last_moved: Moment | None = None
        self._waiting: dict[tuple[str, str | None], Triggered] = {}

    def suffices(self, signal: Triggered) -> bool:
        """Whether a phrase counts now: it needs no movement, or there was some. Otherwise it waits for it."""
        within_s = self._within_s.get(signal.label or "")
        if within_s is None or self._moved_within(within_s, signal.at):
            return True
        self._waiting[signal.sensor, signal.label] = signal
        return False

    def moved(self, sensor: str, at: Moment) -> list[Triggered]:
        """A PIR sees movement: the phrases that count with it, as of the later of both moments."""
        self._moving[sensor] = at
        self._last_moved = at
        waiting, self._waiting = self._waiting, {}
        return [
            replace(signal, at=max(at, signal.at), since=signal.since or signal.at)
            for signal in waiting.values()
            if self._moved_within(self._within_s[signal.label or ""], signal.at)
        ]

    def rested(self, sensor: str, at: Moment) -> None:
        """A PIR sees no movement any more."""
        if self._moving.pop(sensor, None):
            self._last_moved = at

    def _moved_within(self, within_s: float, at: Moment) -> bool:
        for since in self._moving.values():
            if -within_s <= at.monotonic_s - since.monotonic_s < LONGEST_MOVEMENT_S:
                return True  # it goes on; one that goes on for longer is a stuck detector
        last = self._last_moved
        return last is not None and abs(at.monotonic_s - last.monotonic_s) <= within_s
