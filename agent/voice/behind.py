"""Whether the listener keeps up with its microphone. Pure: counts of blocks in.

One that takes two seconds for each of sound still proves its work: it hears, but only half of what is said.
"""

from __future__ import annotations

WINDOW_BLOCKS = 100
"""Ten seconds of sound, heard or lost: a start or a busy moment is no fault."""
MOST_LOST = 0.1
"""More of them lost: of ten calls one lost a syllable or is not heard."""
OVER_AFTER_WINDOWS = 6
"""In a row with nothing lost: who falls behind whenever a clip is cut is behind once, not each time."""


class Behind:
    """Judges window after window."""

    def __init__(self) -> None:
        self.now = False
        """Whether it is behind: from a window with too much lost to the last of some with nothing lost."""
        self._heard = self._lost = 0
        self._clean_windows = 0

    def heard(self, lost: int) -> None:
        """A block was heard, before which so many were lost."""
        self._heard += 1
        self._lost += lost
        blocks = self._heard + self._lost
        if blocks < WINDOW_BLOCKS:
            return
        self._clean_windows = 0 if self._lost else self._clean_windows + 1
        if self._lost > MOST_LOST * blocks:
            self.now = True
        elif self._clean_windows >= OVER_AFTER_WINDOWS:
            self.now = False
        self._heard = self._lost = 0
