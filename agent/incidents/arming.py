"""Whether the detectors are set: by hand, by the schedule, or always."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from agent.incidents.memory import SavedArming
from agent.incidents.schedule import is_set, next_edge

if TYPE_CHECKING:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from agent.clock import Moment
    from agent.config.settings import ArmingSettings

LOOK_EVERY_S = 3600.0
"""The schedule is read again at least this often, so that a clock that was stepped is wrong for an hour at most."""
SOON_S = 0.001
"""The next look is never closer than this: wall time counts in microseconds and may round to just before an edge."""


class Arming:
    """Set or unset. Never waits for a clock: a schedule is followed by whatever time the unit believes."""

    def __init__(self, settings: ArmingSettings, zone: ZoneInfo) -> None:
        self._settings = settings
        self._zone = zone
        self._by_hand: SavedArming | None = None
        self._scheduled = settings.mode == "always"
        self._read_from: datetime | None = None
        self._read_until: datetime | None = None
        self._look_again_s = 0.0

    @property
    def armed(self) -> bool:
        """Whether detectors raise alerts."""
        return self._scheduled if self._by_hand is None else self._by_hand.armed

    @property
    def by(self) -> str:
        """Who or what set or unset it."""
        return self._settings.mode if self._by_hand is None else self._by_hand.by

    @property
    def due_s(self) -> float | None:
        """When to look again, on the monotonic clock."""
        return self._look_again_s if self._settings.mode == "schedule" else None

    def restore(self, saved: SavedArming) -> None:
        """Take up what was done by hand before a restart, unless the unit is armed in another way now."""
        if saved.mode == self._settings.mode:
            self._by_hand = saved

    def request(self, now: Moment, *, armed: bool, by: str) -> SavedArming | None:
        """Set or unset by hand; with a schedule until its next change.

        Returns:
            What to remember; None when this unit is always set and nobody may change that.
        """
        if self._settings.mode == "always":
            return None
        self.look(now)
        until = next_edge(self._settings.windows, self._zone, now.wall) if self._settings.mode == "schedule" else None
        self._by_hand = SavedArming(armed, by, self._settings.mode, until)
        return self._by_hand

    def look(self, now: Moment) -> None:
        """Follow the schedule up to now."""
        if self._settings.mode != "schedule":
            return
        if self._read_from is None or self._read_until is None or not self._read_from <= now.wall < self._read_until:
            edge = next_edge(self._settings.windows, self._zone, now.wall)
            self._scheduled = is_set(self._settings.windows, self._zone, now.wall)
            self._read_from, self._read_until = now.wall, edge or now.wall + timedelta(days=1)
        if self._by_hand and self._by_hand.until and now.wall >= self._by_hand.until:
            self._by_hand = None
        left_s = (self._read_until - now.wall).total_seconds()
        self._look_again_s = now.monotonic_s + min(LOOK_EVERY_S, max(SOON_S, left_s))
