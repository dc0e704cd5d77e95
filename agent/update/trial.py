"""Whether a new version does its work: looked at for a while, against how the old one stood. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.status_file import UnitStatus

ARMED_WITHIN_S = 45.0
"""From the switch. A Raspberry Pi 3 takes about ten seconds to import everything; until then there is no agent at all,
so it is no longer than it must be."""
AS_BEFORE_WITHIN_S = 75.0
"""By then all that worked before works again: the link, with its back-off, and helpers that load a model. The way back
takes 10 s to stop the new version and as long to start the old one as that took: 120 s in all is kept."""
STEADY_S = 20.0
"""Longer than systemd's watchdog (15 s): a version that hangs after its start is found out."""
GONE_AFTER_S = 20.0
"""Longer than that watchdog, too: a board that stalls is no fault of a version that comes through it. Who is silent
just before the end of all limits is gone after 95 s, which leaves 25 s for the way back."""
LEAST_PROOFS = 10
"""The watchdog is fed each second; half of that, on a busy board, is work enough."""


@dataclass(frozen=True)
class Good:
    """It stays."""


@dataclass(frozen=True)
class Bad:
    """It goes."""

    why: str
    """As the end of a sentence."""
    by_chance: bool = False
    """It may not be the version's own doing: a broker that was away, a disk that stalled."""


class Trial:
    """One trial; `look` is called about once a second until there is a verdict."""

    def __init__(self, version: str, before: UnitStatus | None, began_s: float) -> None:
        """A trial that begins.

        Args:
            version: The one that must show itself.
            before: How the old one stood last; None when it did not live.
            began_s: When the daemon was asked to start as the new one, on the monotonic clock.
        """
        self._version = version
        self._before = before
        self._began_s = began_s
        self._first: UnitStatus | None = None
        """What it showed when it was armed."""
        self._armed_s = began_s
        self._shown_s = began_s
        """When it showed something new for the last time."""

    def look(self, status: UnitStatus | None, now_s: float) -> Good | Bad | None:
        """The verdict, when there is one.

        Args:
            status: What the daemon shows of itself; None: nothing.
            now_s: On the monotonic clock.
        """
        if status is None or status.version != self._version:
            return self._silent(now_s)
        self._shown_s = max(self._shown_s, status.written_s)
        if self._first is None:
            if not status.armed:
                return self._silent(now_s)
            self._first, self._armed_s = status, now_s
        if status.pid != self._first.pid:
            return Bad("it ended and had to be started again")
        if (gone := self._silent(now_s)) is not None:
            return gone
        missing = self._missing(status)
        if now_s - self._armed_s >= STEADY_S and not missing:
            if status.proofs - self._first.proofs >= LEAST_PROOFS:
                return Good()
            missing = "it proved its work too seldom"
        return Bad(missing, by_chance=True) if missing and now_s - self._began_s > AS_BEFORE_WITHIN_S else None

    def _silent(self, now_s: float) -> Bad | None:
        """It shows nothing now: until when that is no verdict."""
        if self._first is None:
            late = now_s - self._began_s > ARMED_WITHIN_S
            return Bad(f"it was not armed within {ARMED_WITHIN_S:.0f} s") if late else None
        return Bad("it ended or hung after its start") if now_s - self._shown_s > GONE_AFTER_S else None

    def _missing(self, status: UnitStatus) -> str | None:
        """What the old version did and this one does not."""
        if self._before is None:
            return None
        if self._before.connected and not status.connected:
            return "it did not reach the broker, which the old version did"
        lost = sorted(set(self._before.working) - set(status.working))
        return f"its {' and '.join(lost)} did not work, which the old version's did" if lost else None
