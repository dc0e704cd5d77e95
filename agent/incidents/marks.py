"""Whose alerts are tests: those of sensors that nobody has proved here, and those that somebody is walk-testing.

A test and the real thing are never one incident: each grows by itself, so that a call for help in the middle of a walk
test is a call for help, with an operator's time of its own.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from agent.signals import Proved, WalkTest

if TYPE_CHECKING:
    from agent.clock import Moment
    from agent.incidents.turn import Turn
    from agent.signals import Category

REAL: Final = ""
"""The mark of an incident that is none of the others."""
UNPROVED: Final = "unproved"
"""Nobody has proved the sensor where it is now."""
WALK: Final = "walk"
"""Somebody triggers the sensor on purpose; one incident for each sensor (`walk:pir-1`), so that each has its code."""
CODE_DIGITS: Final = 4
"""An operator reads them out over a telephone in the rain; that a wrong alert has the same ones is 1 in 10,000."""


class Marks:
    """What is known of what is a test."""

    def __init__(self) -> None:
        self._proved: Proved | None = None
        """None: nobody asks whether anything was proved."""
        self._walked: dict[str, tuple[Moment, Moment]] = {}
        """Sensor -> since and until when it is walk-tested."""

    def take(self, signal: WalkTest | Proved, turn: Turn) -> None:
        """A walk test begins in the place of any other, or is over; or what is proved was read."""
        match signal:
            case WalkTest(sensors, for_s, at):
                self._walked = dict.fromkeys(sensors, (at, at.later(for_s)))
                turn.note("walk_test", sensors=sorted(sensors), for_s=for_s)
            case Proved(nothing, besides):
                self._proved = signal
                turn.note("proved_sensors_known", nothing=nothing, besides=sorted(besides))

    def walked(self, sensor: str, at: Moment) -> bool:
        """Whether the sensor was triggered on purpose at this moment."""
        if sensor not in self._walked:
            return False
        since, until = self._walked[sensor]
        return at.boot_id == since.boot_id and since.monotonic_s <= at.monotonic_s <= until.monotonic_s

    def of(self, sensor: str, at: Moment) -> str:
        """The mark of what this sensor raises at this moment."""
        if self.walked(sensor, at):
            return f"{WALK}:{sensor}"
        if self._proved is not None and (self._proved.nothing or sensor in self._proved.besides):
            return UNPROVED
        return REAL


def code_of(alert_id: str, category: Category) -> str:
    """What the operator reads out and the engineer types: that both speak of the same alert of the same unit."""
    digest = hashlib.sha256(f"{category}:{alert_id}".encode()).digest()
    return f"{int.from_bytes(digest[:8], 'big') % 10**CODE_DIGITS:0{CODE_DIGITS}d}"
