"""White light on movement: a courtesy that has nothing to do with alarms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.clock import ClockQuality
from agent.incidents.schedule import is_between

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from agent.clock import Moment
    from agent.config.settings import LampSettings

LONGEST_MOVEMENT_S = 600.0
"""A detector that reports movement for ten minutes without rest is stuck: the light must not burn for it until it is
repaired."""


class MotionLight:
    """Lit while something moves and for `on_motion_s` after that."""

    def __init__(self, settings: LampSettings | None, zone: ZoneInfo) -> None:
        self._settings = settings
        self._zone = zone
        self._moving: dict[str, Moment] = {}
        self._until: Moment | None = None

    @property
    def lit(self) -> bool:
        """Whether movement lights the lamp now."""
        return self._until is not None

    @property
    def due_s(self) -> float | None:
        """When it may go out, on the monotonic clock."""
        return None if self._until is None else self._until.monotonic_s

    def moved(self, sensor: str, at: Moment, *, armed: bool) -> None:
        """A detector sees movement."""
        if self._settings is not None and self._wanted(self._settings, at, armed=armed):
            self._moving[sensor] = at
            self._until = at.later(self._settings.on_motion_s)

    def rested(self, sensor: str, at: Moment) -> None:
        """A detector sees no movement any more."""
        if self._moving.pop(sensor, None) and self._settings is not None and self.lit:
            self._until = at.later(self._settings.on_motion_s)

    def look(self, now: Moment) -> None:
        """Put the light out when its time is over and nothing moves."""
        if self._settings is None or self._until is None or now.monotonic_s < self._until.monotonic_s:
            return
        if any(now.monotonic_s - since.monotonic_s < LONGEST_MOVEMENT_S for since in self._moving.values()):
            self._until = now.later(self._settings.on_motion_s)
        else:
            self._moving.clear()
            self._until = None

    def _wanted(self, settings: LampSettings, at: Moment, *, armed: bool) -> bool:
        match settings.on_motion:
            case "always":
                return True
            case "never":
                return False
            case "unset":
                return not armed
            case "dark":
                # A clock that was never set knows no evening, and light at noon harms nobody.
                local = at.wall.astimezone(self._zone).time()
                in_dark_hours = is_between(settings.dark_from, settings.dark_to, local)
                return in_dark_hours or at.quality is ClockQuality.UNSYNCED
