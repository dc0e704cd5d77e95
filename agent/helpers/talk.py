"""How much a helper may say: one that floods its line would keep the daemon busy with nothing else. Pure."""

from __future__ import annotations

AT_ONCE = 500
"""Lines. The most that was ever to be said at once are the answers of a whole night's incidents, after the disk was
gone; reading these takes the daemon about 10 ms."""
LINES_PER_S = 20.0
"""In the long run. A proof of work each 0.2 s is the most that the configuration allows."""


class Talk:
    """What a process may still say."""

    def __init__(self, now_s: float) -> None:
        self._left = float(AT_ONCE)
        self._at_s = now_s

    def hear(self, now_s: float) -> bool:
        """Count one line; False when it is one too many."""
        self._left = min(AT_ONCE, self._left + (now_s - self._at_s) * LINES_PER_S) - 1
        self._at_s = now_s
        return self._left >= 0
