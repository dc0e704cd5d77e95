"""How much of a backlog the control room may have before it: what was published and not received yet. Pure.

A broker takes alerts faster than a console works through them, and keeps the rest in a queue that is served in order.
Were a whole backlog in it, a new help call would wait behind all of that, and what stands last would be repeated again
and again meanwhile. So a backlog keeps to a window; help calls that go on do not count, and never wait for it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from agent.uplink.lanes import Lane, lane_of

if TYPE_CHECKING:
    from agent.uplink.entry import Entry, Key

FIRST: Final = 8
"""Alerts before a control room that has answered nothing yet: more than a unit has on an ordinary day, and of ten units
that come back together no more than a console that takes 20 ms for each has done before the first repetition (2 s)."""
AT_LEAST: Final = 2
"""So that one that is never answered does not hold up the rest."""
AT_MOST: Final = 64
"""Three times what a connection may have unacknowledged (20): it stays full though answers take three times as long as
the broker's acknowledgements."""
SLOW_S: Final = 1.0
"""An answer that takes longer shows that the control room has more before it than it works through in this time: a help
call would wait as long. Half of the wait before the first repetition, so that hardly any is needed."""
HELD_S: Final = 4.0
"""What is not answered for so long after it was last sent gives its place to the next: perhaps only this one cannot be
answered. When its repetition is due it takes a place again, before what is younger. Longer than the wait before the
first repetition, so one that comes through then has kept its place."""
UNANSWERED_S: Final = 2.0
"""A console that answers has answered an old call by then. Until then what is less important waits for it; after that
it does not: perhaps nobody will ever answer this one."""
_SHARES: Final = {Lane.HELP: math.inf, Lane.INTRUDER: 1.0, Lane.FAULT: 0.8}
"""Of the window, what a lane may fill of it; the others: half."""

OLD_CALLS: Final = 0.25
"""Beside the window, so much of it for help calls that are over: two at first. Where they are before the control room
already, it reads a call of now after them. Places of their own: they wait for no backlog of anything else."""


def is_old_call(entry: Entry) -> bool:
    """Whether it is of a help call that is over."""
    return lane_of(entry.tell.category) is Lane.HELP and entry.over


@dataclass
class _Place:
    old_call: bool
    first_s: float
    """When its alert was sent for the first time since it took the place."""
    last_s: float


class Window:
    """Widens by one with each quick answer, which doubles it with each round trip, and halves with a slow one."""

    def __init__(self) -> None:
        """Nothing is before the control room."""
        self._places: dict[Key, _Place] = {}
        """By the time of the last sending."""
        self._size = FIRST
        self._slowed_s = -math.inf

    def __len__(self) -> int:
        return len(self._places)

    @property
    def size(self) -> int:
        """How many alerts of a backlog may be before the control room."""
        return self._size

    def lets_pass(self, entry: Entry, now_s: float) -> bool:
        """Whether this may be sent now; what has its place already may, as often as it has to."""
        self._vacate(now_s)
        old_call = is_old_call(entry)
        share = OLD_CALLS if old_call else _SHARES.get(lane_of(entry.tell.category), 0.5)
        taken = sum(place.old_call is old_call for place in self._places.values())
        return entry.key in self._places or taken < max(1.0, share * self._size)

    def old_calls_unanswered(self, now_s: float) -> bool:
        """Whether the old calls that are before the control room are not answered, all of them for long."""
        return all(now_s - place.last_s >= UNANSWERED_S for place in self._places.values() if place.old_call)

    def sent(self, entry: Entry, now_s: float) -> None:
        """It was sent, whether there was room or not."""
        old_call = is_old_call(entry)
        if lane_of(entry.tell.category) is Lane.HELP and not old_call:
            return
        place = self._places.pop(entry.key, None) or _Place(old_call, now_s, now_s)
        place.last_s = now_s
        self._places[entry.key] = place

    def answered(self, entry: Entry, now_s: float) -> None:
        """The control room has it."""
        place = self._places.pop(entry.key, None)
        if place is None:
            return
        if now_s - place.first_s <= SLOW_S:
            self._size = min(AT_MOST, self._size + 1)
        elif place.first_s >= self._slowed_s:  # what left before we slowed down says nothing about the new size
            self._size = max(AT_LEAST, self._size // 2)
            self._slowed_s = now_s

    def begin_anew(self) -> None:
        """Another connection: what was sent before may be lost, and who answers may be somebody else."""
        self._places.clear()
        self._size = FIRST

    def next_s(self, now_s: float) -> float | None:
        """When a place is given up next that nobody answers for, or waited for no longer; None: none is taken."""
        self._vacate(now_s)
        waited_for = (place.last_s + UNANSWERED_S for place in self._places.values() if place.old_call)
        given_up = (place.last_s + HELD_S for place in self._places.values())
        return min((at_s for at_s in (*waited_for, *given_up) if at_s > now_s), default=None)

    def _vacate(self, now_s: float) -> None:
        while self._places:
            key, oldest = next(iter(self._places.items()))
            if now_s - oldest.last_s < HELD_S:
                return
            del self._places[key]
