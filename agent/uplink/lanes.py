"""Who may use a connection's places for unacknowledged publications: the important never waits for the rest.

Pure: no clock, no network. A broker takes only so many unacknowledged publications at a time (MQTT 5 Receive Maximum;
mosquitto: 20); whatever is handed over beyond that queues behind all of them, and on a slow network each of them is
seconds. So the less important a publication is, the fewer of the places it may fill.
"""

from __future__ import annotations

import math
from enum import IntEnum
from typing import Final

from agent.signals import Category

SLOW_S: Final = 1.0
"""An acknowledgement that takes longer shows that the network is full: what is not a help call then makes room."""
FIRST_PACE: Final = 2
"""Of a backlog, on a connection that has shown nothing yet: one more with each quick acknowledgement, which doubles it
with each round trip. A slow network would have a help call wait for all that the first burst left in its queues."""
STILLS: Final = 1
"""Pictures at a time: one has up to 60 kB, 6 s of a poor mobile network."""
TALKS: Final = 2
"""Places that acknowledgements and heartbeats have even while a backlog drains: a unit must not seem lost by it."""


class Lane(IntEnum):
    """What a publication is, the most important first."""

    HELP = 0
    INTRUDER = 1
    FAULT = 2
    """Tamper and faults."""
    TALK = 3
    """Acknowledgements, answers, births and heartbeats: small and of the moment."""
    STILL = 4
    REST = 5


_LANES: Final = {
    Category.HELP: Lane.HELP,
    Category.INTRUDER: Lane.INTRUDER,
    Category.TAMPER: Lane.FAULT,
    Category.FAULT: Lane.FAULT,
    Category.NOISE: Lane.REST,
    Category.TEST: Lane.REST,
}
_KEPT_FREE: Final = {
    Lane.HELP: 0.0,
    Lane.INTRUDER: 0.2,
    Lane.FAULT: 0.2,
    Lane.TALK: 0.2,
    Lane.STILL: 0.4,
    Lane.REST: 0.5,
}
"""Of a connection's places, the share that a lane leaves to the more important ones."""
_BACKLOG: Final = (Lane.INTRUDER, Lane.FAULT, Lane.STILL, Lane.REST)
"""What there may be much of, and what therefore slows down when the network is slow."""


def lane_of(category: Category) -> Lane:
    """The lane of an alert."""
    return _LANES[category]


class Places:
    """The places of one connection."""

    def __init__(self, capacity: int) -> None:
        """All of them free.

        Args:
            capacity: Unacknowledged publications that the broker takes at a time.
        """
        self._capacity = max(1, capacity)
        self._taken = dict.fromkeys(Lane, 0)
        self._pace = min(self._capacity, FIRST_PACE)
        """How many of the backlog may be under way; less while the network is slow, or not known yet."""
        self._slowed_s = -math.inf

    @property
    def pace(self) -> int:
        """How many publications of a backlog may be under way."""
        return self._pace

    def free_for(self, lane: Lane) -> bool:
        """Whether a publication of this lane may go now."""
        taken = sum(self._taken.values())
        if lane is Lane.TALK and self._taken[Lane.TALK] < TALKS and taken < self._capacity - self._kept_free(0.1):
            return True
        if taken >= self._capacity - self._kept_free(_KEPT_FREE[lane]):
            return False
        if lane is Lane.STILL and self._taken[Lane.STILL] >= STILLS:
            return False
        return lane not in _BACKLOG or sum(self._taken[each] for each in _BACKLOG) < self._pace

    def take(self, lane: Lane) -> None:
        """A publication of this lane is under way."""
        self._taken[lane] += 1

    def give_back(self, lane: Lane, sent_s: float, now_s: float) -> None:
        """It is acknowledged.

        Args:
            lane: Its lane.
            sent_s: When it was handed over.
            now_s: The present moment of the same clock.
        """
        self._taken[lane] -= 1
        if lane not in _BACKLOG:
            return
        if now_s - sent_s <= SLOW_S:
            self._pace = min(self._capacity, self._pace + 1)
        elif sent_s >= self._slowed_s:  # what left before we slowed down says nothing about the new pace
            self._pace = max(1, self._pace // 2)
            self._slowed_s = now_s

    def _kept_free(self, share: float) -> int:
        return min(self._capacity - 1, math.floor(self._capacity * share))
