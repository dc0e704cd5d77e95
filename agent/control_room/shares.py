"""How much of this console one unit may take. Pure.

Whoever has a unit's certificate can send without end below its name. What he sends may cost him his own place here,
never that of the other units.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from agent.control_room.happenings import UnitKey

DAY_S: Final = 86_400.0
TOLD_EVERY_S: Final = 600.0


@dataclass
class _Share:
    """What one unit has."""

    day_began_s: float
    kept_bytes: int = 0
    waiting_bytes: int = 0
    told_s: float | None = None


class Shares:
    """An account for each unit: what waits for the disk, and what the disk took of it in a day."""

    def __init__(self, *, waiting_bytes: int, day_bytes: int) -> None:
        """Nobody has anything yet.

        Args:
            waiting_bytes: Most that may wait of one unit.
            day_bytes: Most that one unit may send in the 24 hours after its first.
        """
        self._most_waiting = waiting_bytes
        self._most_in_a_day = day_bytes
        self._shares: dict[UnitKey, _Share] = {}
        self.refused = 0
        """What was too much."""

    def take(self, unit: UnitKey, size_bytes: int, now_s: float) -> bool:
        """Whether this much more of a unit may wait, at this moment of the monotonic clock; if so, it does."""
        share = self._shares.setdefault(unit, _Share(now_s))
        if now_s - share.day_began_s >= DAY_S:
            share.day_began_s, share.kept_bytes = now_s, 0
        if share.waiting_bytes + size_bytes > self._most_waiting or share.kept_bytes + size_bytes > self._most_in_a_day:
            self.refused += 1
            return False
        share.waiting_bytes += size_bytes
        share.kept_bytes += size_bytes
        return True

    def done(self, unit: UnitKey, size_bytes: int) -> None:
        """This much of it waits no more."""
        self._shares[unit].waiting_bytes -= size_bytes

    def is_news(self, unit: UnitKey, now_s: float) -> bool:
        """Whether it is to be told that something of this unit was left out: a flood is one sentence in a while."""
        share = self._shares[unit]
        if share.told_s is not None and now_s - share.told_s < TOLD_EVERY_S:
            return False
        share.told_s = now_s
        return True
