"""What was sent over the newest connection, so that the revisions of an alert come in order. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from agent.uplink.entry import Entry, Key

IN_ORDER_WITHIN_S: Final = 1.0
"""A control room that is there has acknowledged within this time. What was sent longer ago goes once more before the
next revision of its alert, so that they come in order."""


class InOrder:
    """Says whether a lower revision has to go before a higher one."""

    def __init__(self) -> None:
        self._sent_s: dict[Key, float] = {}
        """When each waiting revision was last sent."""
        self._unheard: set[Key] = set()
        """Those of them that nobody listened to, or that the broker refused."""
        self._went_before: dict[Key, set[Key]] = {}
        """Of a revision that is to go: the lower ones that went once more because of it."""

    def begin_anew(self) -> None:
        """Another connection: what was sent before may be lost."""
        self._sent_s.clear()
        self._unheard.clear()
        self._went_before.clear()

    def sent(self, entry: Entry, now_s: float) -> None:
        """It was handed to a path."""
        self._unheard.discard(entry.key)
        self._went_before.pop(entry.key, None)
        self._sent_s[entry.key] = now_s

    def went_before(self, lower: Entry, entry: Entry) -> None:
        """A lower revision was sent because this entry is to go. Once is enough, whether or not it was heard then."""
        self._went_before.setdefault(entry.key, set()).add(lower.key)

    def was_heard(self, entry: Entry) -> bool:
        """Whether it was sent on this connection, and as far as is known not to nobody."""
        return entry.key in self._sent_s and entry.key not in self._unheard

    def unheard(self, entry: Entry) -> None:
        """The broker answered that nobody listens, or that it refuses it."""
        self._unheard.add(entry.key)

    def forget(self, entry: Entry) -> None:
        """It was delivered, or it is as if it had never been sent."""
        self._sent_s.pop(entry.key, None)
        self._unheard.discard(entry.key)
        self._went_before.pop(entry.key, None)

    def goes_first(self, lower: Entry, entry: Entry, now_s: float) -> bool:
        """Whether a lower revision of its alert, which still waits, has to go before an entry."""
        sent_s = self._sent_s.get(lower.key)
        if sent_s is not None and lower.key in self._went_before.get(entry.key, ()):
            return False
        known_unheard = entry.attempts == 0 and lower.key in self._unheard
        return sent_s is None or known_unheard or now_s - sent_s >= IN_ORDER_WITHIN_S
