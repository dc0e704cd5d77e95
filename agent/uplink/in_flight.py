"""What the broker has yet to take, over which paths, and when a help call has waited for that too long. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from agent.uplink.lanes import Lane, lane_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from agent.uplink.entry import Entry, Key

HEDGE_S: Final = 0.7
"""A path that has not taken a help call for so long may be half-open. A broker over a mobile network acknowledges in
0.1 to 0.5 s, so few calls go twice, and one that does costs 2 kB: it is one call for whoever gets both. Of the 2 s that
its still has, the rest is left for the other path."""


@dataclass
class _Flight:
    entry: Entry
    look_s: float
    """When it has waited too long; infinite for what is no help call, or what another path has taken."""
    taken: bool = False
    """A help call that the broker behind another path has: the usual repetitions go on, beside the silent path."""
    again: bool = False
    """A repetition: somebody who listens may have had it before, and what followed it, too."""
    paths: set[str] = field(default_factory=set)


class InFlight:
    """The revisions that a path was given and its broker has not acknowledged.

    A path may be half-open, and that is found out only after seconds: a help call that it does not carry on is to go
    over the other one meanwhile.
    """

    def __init__(self, patience_s: float) -> None:
        """Nothing is under way.

        Args:
            patience_s: How long a help call waits for a broker's acknowledgement before another path is tried.
        """
        self._patience_s = patience_s
        self._flights: dict[Key, _Flight] = {}

    def __contains__(self, key: Key) -> bool:
        return key in self._flights

    def __len__(self) -> int:
        return len(self._flights)

    def left(self, entry: Entry, path: str, now_s: float, *, again: bool) -> None:
        """An entry was handed to a path; `again`: after a broker took it for somebody on this connection."""
        look_s = now_s + self._patience_s if lane_of(entry.tell.category) is Lane.HELP else math.inf
        flight = self._flights.setdefault(entry.key, _Flight(entry, look_s))
        flight.entry, flight.look_s, flight.taken, flight.again = entry, look_s, False, again
        flight.paths.add(path)

    def ended(self, entry: Entry, path: str, *, taken: bool) -> None:
        """The path's broker answered, or its connection died; `taken`: it need not be tried elsewhere any more."""
        flight = self._flights.get(entry.key)
        if flight is None:
            return
        flight.paths.discard(path)
        if taken:
            flight.taken = flight.look_s < math.inf
            flight.look_s = math.inf
        if not flight.paths:
            del self._flights[entry.key]

    def paths_of(self, key: Key) -> frozenset[str]:
        """The paths over which it is under way."""
        flight = self._flights.get(key)
        return frozenset() if flight is None else frozenset(flight.paths)

    def holds_up(self, entry: Entry) -> bool:
        """Whether a lower revision of its alert is under way that no broker has taken yet: it would be overtaken.

        Not by a quicker path alone. Over the same one, a console that comes back between the two hears the higher one
        and has missed the lower. What lies on silent paths only is waited for by nobody.
        """
        alert_id, revision = entry.key
        silent = self.silent
        return any(
            key[0] == alert_id and key[1] < revision and not (flight.taken or flight.again or flight.paths <= silent)
            for key, flight in self._flights.items()
        )

    def taken(self, key: Key) -> bool:
        """Whether a help call is under way over one path while another path's broker has taken it."""
        flight = self._flights.get(key)
        return flight is not None and flight.taken

    @property
    def stranded(self) -> Sequence[Entry]:
        """What lies on silent paths only, and no broker has taken."""
        silent = self.silent
        return [flight.entry for flight in self._flights.values() if not flight.taken and flight.paths <= silent]

    @property
    def untaken(self) -> bool:
        """Whether there is a revision under way that no broker has taken, and that a path which speaks could carry."""
        silent = self.silent
        return any(not flight.taken and not flight.paths <= silent for flight in self._flights.values())

    @property
    def silent(self) -> frozenset[str]:
        """The paths that say nothing of a help call which the broker behind another one has taken."""
        return frozenset(path for flight in self._flights.values() if flight.taken for path in flight.paths)

    def overdue(self, now_s: float) -> Iterator[Entry]:
        """The help calls that have waited too long, in the order in which they left; each again after as long."""
        for flight in [*self._flights.values()]:
            if flight.look_s <= now_s:
                flight.look_s = now_s + self._patience_s
                yield flight.entry

    @property
    def next_s(self) -> float | None:
        """When the next of them has waited too long; None: none is under way."""
        next_s = min((flight.look_s for flight in self._flights.values()), default=math.inf)
        return None if next_s == math.inf else next_s
