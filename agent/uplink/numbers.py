"""The unit's durable numbers for alert revisions: never one twice, whatever dies when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import datetime

BLOCK: Final = 1000
"""Numbers reserved at a time. A number is given at once, so it must have been reserved by an earlier transaction: half
a block is always ahead, more alerts than a unit raises in any outage of its disk."""


class Numbers:
    """Gives numbers from a reserved block (hi/lo). What a crash leaves unused is skipped."""

    def __init__(self, first: int) -> None:
        self.next = first
        """The number that is given next."""
        self.reserved = first + BLOCK - 1
        """The last number that may be given before the next reservation is on the disk."""

    def take(self) -> int:
        """A number nobody ever had."""
        number = self.next
        self.next += 1
        if self.reserved - self.next < BLOCK // 2:
            self.reserved = self.next + BLOCK - 1
        return number


def first_of_unknown_history(now: datetime) -> int:
    """Where to begin when the numbers given before cannot be read: the time in milliseconds.

    That is beyond all of them: no unit raises a thousand alert revisions a second, and a second loss of the history
    begins later still.
    """
    return int(now.timestamp() * 1000)
