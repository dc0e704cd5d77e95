"""What a microphone only suspects: a light for a moment, and a mark for the footage if the phrase is then decided."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.clock import Moment
    from agent.config.hearing import VoiceSettings
    from agent.signals import Suspected, Triggered

LIGHT_S = 3.0
"""Long enough to last until the decision, which comes up to half a second later, or with the next pause while a longer
phrase may still follow; short enough that a wrong guess is a passing light."""
BELONGS_S = 30.0
"""A decision belongs to a suspicion of the same phrase up to this long before it: Vosk ends an utterance after 20 s at
the latest (Kaldi's endpoint rule 5), and the rest is room for a busy machine."""


class Suspicions:
    """The last suspicion of each phrase. Kept in memory alone: over a restart nothing is suspected."""

    def __init__(self, settings: VoiceSettings) -> None:
        self._may_light = settings.light_on_suspicion
        self._since: dict[tuple[str, str | None], Moment] = {}
        self._lit_until: Moment | None = None

    @property
    def lit(self) -> bool:
        """Whether a suspicion lights the lamp now."""
        return self._lit_until is not None

    @property
    def due_s(self) -> float | None:
        """When that light goes out, on the monotonic clock."""
        return None if self._lit_until is None else self._lit_until.monotonic_s

    def suspect(self, signal: Suspected, *, in_silence: bool) -> None:
        """A phrase is probably being said.

        Args:
            signal: What the microphone suspects.
            in_silence: A silent call goes on: a mere guess must not answer it with light.
        """
        self._since[signal.sensor, signal.label] = signal.at
        if self._may_light and not signal.silent and not in_silence:
            self._lit_until = signal.at.later(LIGHT_S)

    def reaching_back(self, signal: Triggered) -> Triggered:
        """A decided phrase, from the moment on at which it was suspected, if that is earlier than it says itself."""
        suspected = self._since.pop((signal.sensor, signal.label), None)
        if suspected is None or signal.at.monotonic_s - suspected.monotonic_s > BELONGS_S:
            return signal
        return replace(signal, since=min(suspected, signal.since or signal.at))

    def look(self, now: Moment) -> None:
        """Put the light out when its time is over."""
        if self._lit_until is not None and now.monotonic_s >= self._lit_until.monotonic_s:
            self._lit_until = None
