"""Until when a helper process must have proved its work. Pure: time is an argument."""

from __future__ import annotations

from agent.helpers.ladder import OUTSIDE

STARTED_WITHIN_S = 20.0
"""First proof of work: loading a large voice model or a cold camera stack takes seconds on a Pi 3."""
STARTED_AT_MOST_S = 160.0
"""A board that is too busy, or a card that is too slow, for 20 s is so for the next process as well: each that never
proved anything leaves twice as much time to the next one, up to this. A process that hangs from its start costs no more
than that each time, and its fault stands all the while."""
PROVED_EVERY_S = 4.0
"""A helper proves its work each second, and tells within 2.5 s of a device that stands still (a stall > 2 s is a
fault). One that says nothing at all for longer than that is hung itself."""
TROUBLED_FOR_S = 60.0
"""A helper that says it is in trouble may repair itself for this long before a new process tries: it opens its device
anew each 5 s, so about a dozen times."""
OUTSIDE_FOR_S = 900.0
"""Likewise when the cause lies outside: a new process is hardly of use, but one that hangs meanwhile must not stay."""


class Patience:
    """What one process is granted.

    Troubles grant it more, once for each time in which it proves nothing: one that only tells of ever new troubles and
    their ends is not waited for any longer than another.
    """

    def __init__(self, began_s: float, in_vain: int = 0) -> None:
        """A process that has just begun.

        Args:
            began_s: Now, on the caller's clock.
            in_vain: How many processes before it, in a row, ended without one proof of work.
        """
        self._proof_s = began_s
        self._granted_s = min(STARTED_WITHIN_S * 2 ** min(in_vain, 16), STARTED_AT_MOST_S)
        self.troubles: set[str] = set()
        """What it says that keeps it from working."""
        self._just_troubled = False
        """It told of a trouble since the last proof."""
        self.due_s = began_s + self._granted_s
        """When it is taken for hung, on the caller's clock."""

    def proved(self, now_s: float) -> None:
        """It did its work."""
        self._proof_s = now_s
        if not (self._just_troubled and self.troubles):
            self._granted_s = PROVED_EVERY_S
        # else: the last frames before a camera was lost, made safe after that was told, are no proof that it is back
        self._just_troubled = False
        self.due_s = now_s + self._granted_s

    def troubled(self, code: str) -> None:
        """It says what keeps it from working."""
        self.troubles.add(code)
        self._just_troubled = True
        more_s = OUTSIDE_FOR_S if code in OUTSIDE else TROUBLED_FOR_S
        self._granted_s = max(self._granted_s, more_s)
        self.due_s = self._proof_s + self._granted_s

    def untroubled(self, code: str, now_s: float) -> None:
        """That is over; when it was the last trouble, the proof must follow as if it had just begun to work."""
        self.troubles.discard(code)
        if not self.troubles:
            self.due_s = min(now_s, self._proof_s + self._granted_s) + PROVED_EVERY_S
