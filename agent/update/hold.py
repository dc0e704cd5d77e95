"""Which calls an update waits for: those that somebody may still depend on. Asked by the daemon, for its status file.

A call that nobody closes stays open until it is forgotten after a week (`agent.incidents.course`), and would keep a
mended version away from the unit for all that time. What an update costs is two to three seconds in which nobody
watches; an open call, its revisions and its footage outlive that like any restart. So a call that has ended, and to
which neither the scene nor an operator has done anything for half a day, holds nothing up any more. One that has not
ended always does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.clock import ClockQuality
from agent.incidents.incident import Phase
from agent.signals import AckLevel, Acknowledged, Category, CommandName

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from agent.clock import Clock, Moment
    from agent.incidents.incident import Incident
    from agent.signals import Command, Signal

CALLS = frozenset({Category.HELP, Category.INTRUDER})
"""People depend on the unit while one of these is open."""

ROUTINE = frozenset({CommandName.CONFIG_REPORT, CommandName.SELF_TEST})
"""What consoles ask for by themselves, each night: no operator is at work because of these."""


class UpdateHold:
    """Counts them."""

    def __init__(self, clock: Clock, calls: Callable[[], Iterable[Incident]], forgotten_s: float) -> None:
        """No operator has done anything yet; until the first does, the beginning of this run counts as that.

        An operator's commands are not remembered over a restart: somebody may have been at work a second before it.

        Args:
            clock: Tells how long ago something was.
            calls: The incidents that have no outcome.
            forgotten_s: How long nothing may have happened (`update.forgotten_call_h`).
        """
        self._clock = clock
        self._calls = calls
        self._forgotten_s = forgotten_s
        self._acted_s = clock.now().monotonic_s

    def take(self, signal: Signal) -> None:
        """Something was reported: an operator's acknowledgement of any alert shows that somebody is at work."""
        if isinstance(signal, Acknowledged) and signal.level is not AckLevel.RECEIVER:
            self._acted_s = self._clock.now().monotonic_s

    def commanded(self, command: Command) -> None:
        """The control room wants something of this unit."""
        if command.name not in ROUTINE:
            self._acted_s = self._clock.now().monotonic_s

    def open_calls(self) -> int:
        """How many calls an update waits for."""
        now = self._clock.now()
        untouched_s = now.monotonic_s - self._acted_s
        return sum(call.category in CALLS and self._holds(call, untouched_s, now) for call in self._calls())

    def _holds(self, call: Incident, untouched_s: float, now: Moment) -> bool:
        if call.phase is Phase.ACTIVE or untouched_s < self._forgotten_s:
            return True
        moments = (call.opened, call.last, *(each for each in (call.seen,) if each is not None))
        return any(_age_s(each, now) < self._forgotten_s for each in moments)


def _age_s(moment: Moment, now: Moment) -> float:
    """How long ago that was at least. Of another boot only what both clocks know counts, or else this boot's length."""
    if moment.boot_id == now.boot_id:
        return now.monotonic_s - moment.monotonic_s
    if ClockQuality.UNSYNCED in {moment.quality, now.quality}:
        return now.monotonic_s
    return max(now.monotonic_s, (now.wall - moment.wall).total_seconds())
