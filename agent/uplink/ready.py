"""The alerts that go as soon as a path takes them. Pure."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agent.uplink.entry import Entry, Key


class Ready:
    """Each of them once, in their turn (`Entry.turn`)."""

    def __init__(self) -> None:
        self._heap: list[tuple[tuple[int, int, int], int, Entry]] = []
        self._keys: set[Key] = set()

    def __contains__(self, key: Key) -> bool:
        return key in self._keys

    @property
    def first(self) -> Entry | None:
        """What goes next; None: nothing is ready."""
        return self._heap[0][2] if self._heap else None

    def add(self, entry: Entry) -> None:
        """It is ready, if it is not yet."""
        if entry.key not in self._keys:
            self._keys.add(entry.key)
            heapq.heappush(self._heap, (entry.turn, entry.sequence, entry))

    def drop_first(self) -> None:
        """What would go next need not go any more."""
        _, _, entry = heapq.heappop(self._heap)
        self._keys.discard(entry.key)

    def replace(self, entries: Iterable[Entry]) -> None:
        """These are ready, and nothing else."""
        self._heap = [(entry.turn, entry.sequence, entry) for entry in entries]
        self._keys = {entry.key for _, _, entry in self._heap}
        heapq.heapify(self._heap)
