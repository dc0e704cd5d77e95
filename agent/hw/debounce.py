"""From the raw levels of a contact to the changes that count. Pure: time is an argument, in seconds.

Done here because neither library below can: gpiozero's mock pins ignore `bounce_time`, and lgpio's own filter makes
a press shorter than it vanish (io-lab section 4).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Change:
    """A level that held long enough to count."""

    active: bool
    began_s: float
    """The first edge away from the level before: when the finger came, not when the bouncing ended."""


class Debounce:
    """One contact. Feed it every edge in order with the time it happened, however late that is done.

    A level counts once it held for the settle time; what is shorter never happened. The contact begins at rest.
    """

    def __init__(self, settle_s: float) -> None:
        self._settle_s = settle_s
        self._settled = False
        self._raw = False
        self._raw_since_s = float("-inf")
        self._left_s: float | None = None
        """The first edge since the contact last lay still at its settled level."""

    @property
    def raw(self) -> bool:
        """The level after the last edge, bouncing or not."""
        return self._raw

    @property
    def active(self) -> bool:
        """The level that counts."""
        return self._settled

    def edge(self, at_s: float, *, active: bool) -> list[Change]:
        """Take an edge to this level; give the changes that were complete by then, oldest first.

        An edge to the level that is there already (the re-read saw it first) changes nothing.
        """
        changes = self.settle(at_s)
        if active == self._raw:
            return changes
        if active != self._settled and (self._left_s is None or self._lay_still(at_s)):
            self._left_s = at_s
        self._raw, self._raw_since_s = active, at_s
        return changes + self.settle(at_s)

    def settle(self, now_s: float) -> list[Change]:
        """Give the change that is complete by now, if there is one."""
        due_s = self.due()
        if due_s is None or now_s < due_s:
            return []
        began_s = self._raw_since_s if self._left_s is None else self._left_s
        self._settled, self._left_s = self._raw, None
        return [Change(self._settled, began_s)]

    def due(self) -> float | None:
        """When the level of now will count, unless another edge comes; None while nothing is open."""
        return None if self._raw == self._settled else self._raw_since_s + self._settle_s

    def _lay_still(self, at_s: float) -> bool:
        """Whether the contact was back at its settled level for the settle time: what went before was a spike."""
        return at_s >= self._raw_since_s + self._settle_s
