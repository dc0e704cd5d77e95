"""What waits for the control room, in the order in which it goes: in memory, and bounded."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from agent.signals import Category
from agent.uplink.entry import PRIORITY, Entry, Key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_HELP = PRIORITY[Category.HELP]


class Shelves:
    """One shelf for each priority; on it the entries by their number."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self._shelves: dict[int, dict[Key, Entry]] = {priority: {} for priority in sorted({*PRIORITY.values()})}
        self._alerts: dict[str, dict[int, Entry]] = {}

    def __len__(self) -> int:
        return sum(len(shelf) for shelf in self._shelves.values())

    def __iter__(self) -> Iterator[Entry]:
        return chain.from_iterable(shelf.values() for shelf in self._shelves.values())

    @property
    def holds_help(self) -> bool:
        """Whether a help call waits."""
        return bool(self._shelves[_HELP])

    def get(self, key: Key) -> Entry | None:
        """The entry of this revision, if it waits."""
        return self._alerts.get(key[0], {}).get(key[1])

    def of_alert(self, alert_id: str) -> list[Entry]:
        """The waiting revisions of an alert, in order."""
        revisions = self._alerts.get(alert_id, {})
        return [revisions[revision] for revision in sorted(revisions)]

    def add(self, entry: Entry) -> list[Entry]:
        """Put an entry on its shelf; what had to go for it (perhaps itself) is returned.

        The least important goes first, and of that the oldest. A help call never goes, whatever the capacity.
        """
        self.discard(entry.key)  # the same revision again: the newer words count
        self._shelves[entry.priority][entry.key] = entry
        revisions = self._alerts.setdefault(entry.tell.alert_id, {})
        revisions[entry.tell.revision] = entry
        stands = str(revisions[max(revisions)].tell.data.get("state", "active"))
        if stands != "active" or entry.stands != stands:
            for each in revisions.values():
                each.stands = stands
        dropped = []
        while len(self) > self.capacity and (victim := self._least()) is not None:
            self.discard(victim.key)
            dropped.append(victim)
        return dropped

    def add_older(self, entries: Iterable[Entry]) -> list[Entry]:
        """Put entries that were there before everything else; what had to go is returned."""
        everything = sorted(chain(self, (entry for entry in entries if self.get(entry.key) is None)), key=_by_sequence)
        for shelf in self._shelves.values():
            shelf.clear()
        self._alerts.clear()
        return [dropped for entry in everything for dropped in self.add(entry)]

    def discard(self, key: Key) -> None:
        """Take an entry off, where there is one."""
        revisions = self._alerts.get(key[0], {})
        entry = revisions.pop(key[1], None)
        if entry is None:
            return
        del self._shelves[entry.priority][key]
        if not revisions:
            del self._alerts[key[0]]

    def _least(self) -> Entry | None:
        for priority in sorted(self._shelves, reverse=True):
            if priority != _HELP and self._shelves[priority]:
                return next(iter(self._shelves[priority].values()))
        return None


def _by_sequence(entry: Entry) -> int:
    return entry.sequence
