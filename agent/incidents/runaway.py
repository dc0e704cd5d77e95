"""Runaway inhibit: detectors that raise alert after alert are silenced for a while, and that is reported.

It never touches help calls, faults and tests (standards.md goal 13).
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.clock import Moment
    from agent.config.settings import IncidentSettings

LONGEST_S = 3600.0
"""Detectors that never fall quiet get another chance after an hour: at the usual five alerts, a broken one costs the
operator five an hour, and a unit is never blind for longer."""


class Runaway:
    """Counts the openings of detector alerts. A restart begins a new count."""

    def __init__(self, settings: IncidentSettings) -> None:
        self._within_s = settings.runaway_within_s
        self._openings: deque[tuple[Moment, str]] = deque(maxlen=settings.runaway_alerts)
        self._ran_away: set[str] = set()
        """The causes of the alerts that were too many, and of those told since."""
        self._since: Moment | None = None
        self._last: Moment | None = None

    @property
    def inhibited(self) -> bool:
        """Whether detectors open no incidents now."""
        return self._since is not None

    @property
    def ends(self) -> Moment | None:
        """When the detectors are let in again if none of them triggers until then."""
        if self._since is None or self._last is None:
            return None
        return min(self._last.later(self._within_s), self._since.later(LONGEST_S))

    def opened(self, at: Moment, cause: str) -> bool:
        """Count an alert; True when it is one too many."""
        if self.inhibited:
            self._ran_away.add(cause)
            return False
        self._openings.append((at, cause))
        full = len(self._openings) == self._openings.maxlen
        return full and at.monotonic_s - self._openings[0][0].monotonic_s <= self._within_s

    def holds_back(self, cause: str) -> bool:
        """Whether even tamper of this cause is silenced: it has had its say, before the inhibit or since."""
        return self.inhibited and cause in self._ran_away

    def inhibit(self, at: Moment) -> None:
        """Let no detector in from now on."""
        self._since = self._last = at
        self._ran_away = {cause for _, cause in self._openings}

    def triggered(self, at: Moment) -> None:
        """A detector is still not quiet."""
        self._last = at

    def release(self) -> None:
        """Let the detectors in again."""
        self._openings.clear()
        self._ran_away.clear()
        self._since = self._last = None
