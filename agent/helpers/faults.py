"""What the control room is told of a helper that does not work: each fault once, and once that it is over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.signals import FaultCleared, Faulted

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.clock import Clock
    from agent.signals import Signal


class HelperFaults:
    """The faults of one helper and of all its successors."""

    def __init__(self, helper: str, clock: Clock, report: Callable[[Signal], None]) -> None:
        self._helper = helper
        self._clock = clock
        self._report = report
        self._down = False
        self._troubles: set[str] = set()

    def down(self, text: str) -> None:
        """A process ended; told once until one works."""
        if not self._down:
            self._down = True
            self._report(Faulted(self._helper, "down", text, self._clock.now()))

    def troubled(self, code: str, text: str) -> None:
        """A process says what keeps it from working."""
        self._troubles.add(code)
        self._report(Faulted(self._helper, code, text, self._clock.now()))

    def untroubled(self, code: str) -> None:
        """It says that this is over."""
        self._troubles.discard(code)
        self._report(FaultCleared(self._helper, code, self._clock.now()))

    def works(self) -> bool:
        """The first proof of a process: what its predecessor complained of is over, unless it says so again.

        Returns:
            Whether the helper was down.
        """
        now, was_down = self._clock.now(), self._down
        self._down = False
        if was_down:
            self._report(FaultCleared(self._helper, "down", now))
        for code in sorted(self._troubles):
            self._report(FaultCleared(self._helper, code, now))
        self._troubles.clear()
        return was_down
