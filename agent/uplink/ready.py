"""The alerts that go as soon as a path takes them. Pure."""

from __future__ import annotations

import heapq
from enum import IntEnum
from typing import TYPE_CHECKING

from agent.uplink.window import is_old_call

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agent.uplink.entry import Entry, Key


class Queue(IntEnum):
    """What waits for the same thing, the most important first. Where one cannot go on the next may."""

    CALLS = 0
    OLD_CALLS = 1
    INTRUDERS = 2
    FAULTS = 3
    REST = 4


class Ready:
    """Each of them once, in the queue that it belonged to when it became ready, in its turn (`Entry.turn`)."""

    def __init__(self) -> None:
        self._heaps: dict[Queue, list[tuple[tuple[int, ...], int, Entry]]] = {queue: [] for queue in Queue}
        self._keys: set[Key] = set()

    def __contains__(self, key: Key) -> bool:
        return key in self._keys

    def first(self, queue: Queue) -> Entry | None:
        """What goes next of this queue; None: nothing of it is ready."""
        heap = self._heaps[queue]
        return heap[0][2] if heap else None

    def add(self, entry: Entry) -> None:
        """It is ready, if it is not yet."""
        if entry.key not in self._keys:
            self._keys.add(entry.key)
            heapq.heappush(self._heaps[_queue_of(entry)], (entry.turn, entry.sequence, entry))

    def take_first(self, queue: Queue) -> Entry:
        """What would go next of this queue is not ready any more."""
        _, _, entry = heapq.heappop(self._heaps[queue])
        self._keys.discard(entry.key)
        return entry

    def replace(self, entries: Iterable[Entry]) -> None:
        """These are ready, and nothing else."""
        self._heaps = {queue: [] for queue in Queue}
        self._keys = set()
        for entry in entries:
            self._keys.add(entry.key)
            self._heaps[_queue_of(entry)].append((entry.turn, entry.sequence, entry))
        for heap in self._heaps.values():
            heapq.heapify(heap)


def _queue_of(entry: Entry) -> Queue:
    if is_old_call(entry):
        return Queue.OLD_CALLS
    return _BY_PRIORITY[entry.priority]


_BY_PRIORITY = {0: Queue.CALLS, 1: Queue.INTRUDERS, 2: Queue.FAULTS, 3: Queue.REST}
