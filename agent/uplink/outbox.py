"""Keeps every alert until the control room's receiver has it: on the disk, and in memory when there is none.

Nothing here raises into the alarm path, and nothing waits for the disk: memory is what counts, the disk follows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Self

import structlog

from agent.signals import Category
from agent.uplink.disk import Change, Contents, Disk, Meta
from agent.uplink.entry import Entry, made_plain
from agent.uplink.help_ids import HelpIds
from agent.uplink.jsonable import jsonable
from agent.uplink.numbers import Numbers, first_of_unknown_history
from agent.uplink.shelves import Shelves
from agent.uplink.storage import RETRY_S, State, Storage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from agent.clock import Clock, Moment
    from agent.signals import Remember, Tell
    from agent.uplink.clears import Clear

log = structlog.get_logger()

FULL: Final = "outbox-full"
DAMAGED: Final = "outbox-damaged"
ROOM_AGAIN: Final = 0.9
"""The outbox is said to have room again below this share of its capacity."""


class Outbox:
    """Alerts on their way, what incidents want remembered, and the unit's durable numbers and ids."""

    def __init__(  # noqa: PLR0913 - a disk, a bound, a clock and two ears
        self,
        disk: Disk,
        capacity: int,
        clock: Clock,
        *,
        on_trouble: Callable[[str, str], None],
        on_over: Callable[[str], None],
        retry_s: float = RETRY_S,
    ) -> None:
        """An outbox that still has to `begin`; `Outbox.open` does both.

        Args:
            disk: Where it keeps what it holds.
            capacity: How many alert revisions it holds; help calls are held whatever it says.
            clock: Stamps what is recorded.
            on_trouble: Hears a short code and a sentence when something fails, once.
            on_over: Hears the code again when it works again.
            retry_s: Between attempts to get a lost disk back.
        """
        self._clock = clock
        self._on_trouble = on_trouble
        self._on_over = on_over
        self._shelves = Shelves(capacity)
        self._memories: dict[str, Mapping[str, Any] | None] = {}
        """None: forgotten in this life, so a disk that comes late does not bring it back."""
        self._clears: dict[str, Clear | None] = {}
        """None: as with the memories."""
        self._history_known = False
        self._numbers = Numbers(1)
        self._help_ids = HelpIds()
        self._full = False
        self._storage = Storage(
            disk,
            on_return=self._disk_is_back,
            on_settled=self._settled,
            on_trouble=on_trouble,
            on_over=on_over,
            retry_s=retry_s,
        )
        self.on_settled: Callable[[Sequence[Entry]], None] = _nobody_waits
        """Hears of entries that need not wait for the disk any more; the courier sets it."""
        self.on_found: Callable[[Sequence[Entry]], None] = _nobody_waits
        """Hears of what the last life left, when the disk tells only after the start; the courier sets it."""
        self.on_remembered: Callable[[Sequence[Mapping[str, Any]], bool], None] = _nobody_remembers
        """Hears of what the last life wanted remembered, when the disk tells only after the start, and whether that
        life crashed. What this life has remembered or forgotten since is not among it."""
        self.skipped: tuple[int, int] | None = None
        """Numbers (first, last) that were given to nothing, or lost with the disk: for the birth message."""
        self.crashed = False
        """The last life did not end in order: what it told in its last milliseconds may not be stored."""
        self.dropped = 0
        """Alert revisions that had to go because the outbox was full."""

    @classmethod
    async def open(
        cls,
        folder: Path,
        capacity: int,
        clock: Clock,
        *,
        on_trouble: Callable[[str, str], None],
        on_over: Callable[[str], None],
    ) -> Self:
        """The outbox in a folder. It comes whatever the disk does; with one that fails it works in memory."""
        outbox = cls(Disk(folder), capacity, clock, on_trouble=on_trouble, on_over=on_over)
        await outbox.begin()
        return outbox

    async def begin(self) -> None:
        """Go on from where the last life ended; to be awaited once, before anything else."""
        contents = await self._storage.open()
        if contents is None:
            self._leave_history()
            return
        self._history_known = True
        if contents.meta is not None:
            self._go_on_from(contents.meta)
        elif contents.moved_aside is not None:
            self._leave_history()
        self._memories = {**contents.memories}
        self._clears = {**contents.clears}
        self._count_dropped(self._shelves.add_older(contents.entries))
        self._report_damage(contents)
        self._storage.commit(Change(self._meta()))

    # --- alerts ------------------------------------------------------------------------------------------------

    def keep(self, tells: Iterable[Tell], remembers: Iterable[Remember] = ()) -> list[Entry]:
        """Keep these alerts and memories, in one transaction. Returns at once; nothing is on the disk yet.

        Returns:
            The entries of the alerts, in order. `Entry.settled` tells of the disk.
        """
        recorded = self._clock.now()
        entries = [Entry(made_plain(tell), self._numbers.take(), recorded) for tell in tells]
        dropped = {victim.key for entry in entries for victim in self._count_dropped(self._shelves.add(entry))}
        kept = [entry for entry in entries if entry.key not in dropped]
        memories = {remember.alert_id: jsonable(remember.state) for remember in remembers}
        self._memories |= memories
        for entry in entries:
            self._help_ids.told(entry.tell.alert_id)
        self._storage.commit(Change(self._meta(), put=tuple(kept), remove=tuple(dropped), remember=memories))
        return kept

    def sent(self, entry: Entry, *, late: bool) -> None:
        """An entry is handed to a path once more; once it was late, it is so for ever."""
        entry.late = entry.late or late
        entry.attempts += 1
        self._storage.commit(Change(self._meta(), progress=(entry,), lazy=True))

    def delivered(self, alert_id: str, revision: int) -> Entry | None:
        """The receiver has this revision: forget it.

        Returns:
            What was forgotten; None when it does not wait, or was never sent.
        """
        entry = self._shelves.get((alert_id, revision))
        if entry is None or not entry.attempts:
            return None
        self._shelves.discard(entry.key)
        self._storage.commit(Change(self._meta(), remove=(entry.key,), lazy=True))
        self._note_room()
        return entry

    def pending(self) -> list[Entry]:
        """What waits: help calls first, then intruders, tamper and faults, then the rest; each in order of number."""
        return [*self._shelves]

    def of_alert(self, alert_id: str) -> list[Entry]:
        """What waits of one alert, in order."""
        return self._shelves.of_alert(alert_id)

    def holds(self, entry: Entry) -> bool:
        """Whether the entry still waits, and not another of the same alert and revision in its place."""
        return self._shelves.get(entry.key) is entry

    @property
    def holds_help(self) -> bool:
        """Whether a help call waits."""
        return self._shelves.holds_help

    def __len__(self) -> int:
        return len(self._shelves)

    def oldest_age_s(self, now: Moment) -> float:
        """How long ago the oldest waiting thing happened; 0 when nothing waits."""
        return max((entry.age_s(now) for entry in self._shelves), default=0.0)

    @property
    def capacity(self) -> int:
        """How many revisions it holds."""
        return self._shelves.capacity

    @property
    def last_sequence(self) -> int:
        """The number that was given last; 0 when none was."""
        return self._numbers.next - 1

    @property
    def disk(self) -> State:
        """How the disk is."""
        return self._storage.state

    # --- what else outlives a restart ----------------------------------------------------------------------------

    @property
    def clears(self) -> dict[str, Clear]:
        """What brokers have yet to be told of alerts that are over, by alert id."""
        return {alert_id: clear for alert_id, clear in self._clears.items() if clear is not None}

    def owe(self, alert_id: str, clear: Clear | None) -> None:
        """Keep what is owed of an alert now; None: nothing any more."""
        if self._history_known and clear is None:
            self._clears.pop(alert_id, None)
        else:
            self._clears[alert_id] = clear
        self._storage.commit(Change(self._meta(), clears={alert_id: clear}, lazy=True))

    def remembered(self) -> dict[str, Mapping[str, Any]]:
        """What incidents wanted remembered, by alert id."""
        return {alert_id: state for alert_id, state in self._memories.items() if state is not None}

    def take_help_id(self, *, at_start: bool = False) -> str:
        """The id for a new help call, at once.

        Args:
            at_start: The call is a button that was already held when the unit started.
        """
        return self._help_ids.take(at_start=at_start)

    def end_start(self) -> None:
        """All inputs were read once: no call can be the one that the last life was killed in any more."""
        if self._help_ids.end_start():
            self._storage.commit(Change(self._meta(), lazy=True))

    async def flushed(self) -> None:
        """Wait until everything kept so far is on the disk, or was given up."""
        await self._storage.flushed()

    async def close(self) -> None:
        """Write what waits and mark the file as closed in order."""
        await self._storage.close(lambda: Change(self._meta(clean=True)))
        lost = [entry for entry in self._shelves if not entry.stored]
        if lost:
            calls = sum(entry.tell.category is Category.HELP for entry in lost)
            log.error("alerts_lost_with_the_end", help_calls=calls, others=len(lost) - calls)

    # --- behind the counter --------------------------------------------------------------------------------------

    def _meta(self, *, clean: bool = False) -> Meta:
        numbers, ids = self._numbers, self._help_ids
        return Meta(numbers.next, numbers.reserved, ids.stored_spare, ids.at_start, clean)

    def _go_on_from(self, meta: Meta) -> None:
        if meta.clean:
            self._numbers = Numbers(meta.next_sequence)
            self._help_ids = HelpIds(meta.spare_help_id)
            return
        self.crashed = True
        self._numbers = Numbers(meta.reserved_sequence + 1)
        self.skipped = (meta.next_sequence, meta.reserved_sequence)
        self._help_ids = HelpIds(at_start=meta.at_start_help_id or meta.spare_help_id)
        log.warning("outbox_not_closed_last_time", skipped=self.skipped)

    def _leave_history(self) -> None:
        """The numbers given before cannot be read: go on beyond them all."""
        self._numbers = Numbers(first_of_unknown_history(self._clock.now().wall))
        self.skipped = (1, self._numbers.next - 1)

    def _disk_is_back(self, contents: Contents) -> Change:
        """All that the disk is to hold; what the last life left comes first, if it could not be read until now."""
        if not self._history_known:
            self._history_known = True
            self._take_up_late(contents)
        self._report_damage(contents)
        return Change(self._meta(), put=tuple(self._shelves), remember=self.remembered(), clears=self.clears)

    def _take_up_late(self, contents: Contents) -> None:
        """The disk that was missing at the start tells what the last life left."""
        if contents.meta is not None:
            self.crashed = not contents.meta.clean
            if contents.meta.reserved_sequence >= self._numbers.next:  # the clock was set back since
                self._numbers = Numbers(contents.meta.reserved_sequence + 1)
                self.skipped = (1, contents.meta.reserved_sequence)
        late = {alert_id: state for alert_id, state in contents.memories.items() if alert_id not in self._memories}
        self._memories = {**late, **self._memories}
        self._clears = {**contents.clears, **self._clears}
        older = [entry for entry in contents.entries if self._shelves.get(entry.key) is None]
        self._count_dropped(self._shelves.add_older(older))
        log.info("outbox_history_found", alerts=len(older), memories=len(late))
        self.on_found(older)
        self.on_remembered([*late.values()], self.crashed)

    def _settled(self, entries: Sequence[Entry]) -> None:
        self.on_settled(entries)

    def _report_damage(self, contents: Contents) -> None:
        if contents.moved_aside is None and not contents.unreadable:
            return
        what = contents.moved_aside or f"{contents.unreadable} stored alerts"
        log.error("outbox_damaged", what=what)
        self._on_trouble(DAMAGED, f"the outbox's file could not be read: {what}. Alerts may be lost; it goes on anew.")
        self._on_over(DAMAGED)

    def _count_dropped(self, dropped: Sequence[Entry]) -> Sequence[Entry]:
        for victim in dropped:
            self.dropped += 1
            log.error("alert_dropped", alert_id=victim.tell.alert_id, revision=victim.tell.revision)
        if dropped and not self._full:
            self._full = True
            text = f"{self.capacity} alerts wait for the control room: the least important are dropped."
            self._on_trouble(FULL, text)
        return dropped

    def _note_room(self) -> None:
        if self._full and len(self) < ROOM_AGAIN * self.capacity:
            self._full = False
            self._on_over(FULL)


def _nobody_waits(_entries: Sequence[Entry]) -> None:
    """No courier yet."""


def _nobody_remembers(_states: Sequence[Mapping[str, Any]], _crashed: bool) -> None:  # noqa: FBT001 - as its hook
    """No rules yet."""
