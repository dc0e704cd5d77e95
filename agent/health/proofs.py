"""Proofs of work, which alone feed the service manager's watchdog (design.md, `agent/health`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class Proofs:
    """Feeds the watchdog each time every part of the alarm path has proved its work anew.

    Nothing here runs by itself: when one part stops proving, the watchdog starves.
    """

    def __init__(self, parts: Iterable[str], feed: Callable[[], None]) -> None:
        self._parts = frozenset(parts)
        self._missing = set(self._parts)
        self._feed = feed
        self.fed = 0
        """How often so far."""

    def prove(self, part: str) -> None:
        """`part` just did its work.

        Raises:
            KeyError: a part nobody waits for; its name is misspelt.
        """
        if part not in self._parts:
            raise KeyError(part)
        self._missing.discard(part)
        if not self._missing:
            self._missing = set(self._parts)
            self.fed += 1
            self._feed()
