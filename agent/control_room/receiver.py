"""The machine that says "received": it keeps every message, and only then acknowledges."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from agent.control_room.happenings import Happening, UnitKey, What
from agent.control_room.journal import Journal, journal_line
from agent.control_room.plain_text import plain
from agent.control_room.shares import Shares
from agent.uplink.topics import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from agent.clock import Moment
    from agent.control_room.reading import Reading
    from agent.uplink.publication import Received

WAITING_BYTES: Final = 4 * 1024 * 1024
"""Of one unit, for the disk: what came in one second over 30 Mbit/s."""
DAY_BYTES: Final = 256 * 1024 * 1024
"""Of one unit in a day. A heartbeat each 25 s is 7 MB; a day's backlog of 1,000 alerts is 3 MB."""
LINE_BYTES: Final = 256
"""What a line counts beside its payload."""

Arrived = tuple["Received", "Moment", "Reading | None"]


class Receiver:
    """Writes what came to the journal, many messages with one wait for the disk when many come at once."""

    def __init__(
        self, journal: Path | None, acknowledge: Callable[[Reading], None], tell: Callable[[Happening], None]
    ) -> None:
        """Open the journal.

        Args:
            journal: The file; None when the desk alone keeps what came.
            acknowledge: Called with each alert that is kept, however often it comes: a unit that sends an alert
                again did not hear us the last time.
            tell: Hears when the journal fails, and when it works again.

        Raises:
            OSError: the journal cannot be written.
        """
        self.unkept = 0
        """Messages that the journal did not take, or that were too many of one unit; the alerts among them were not
        acknowledged."""
        self._journal = None if journal is None else Journal(journal)
        self._acknowledge = acknowledge
        self._tell = tell
        self._shares = Shares(waiting_bytes=WAITING_BYTES, day_bytes=DAY_BYTES)
        self._queue: asyncio.Queue[Arrived] = asyncio.Queue()  # its units' shares are its bound
        self._failing = False

    def take(self, received: Received, at: Moment, reading: Reading | None) -> None:
        """Keep this message soon, unless its unit sends too much: then it is counted and left out."""
        unit = unit_of(received.topic)
        if self._shares.take(unit, _cost_bytes(received), at.monotonic_s):
            self._queue.put_nowait((received, at, reading))
            return
        self.unkept += 1
        if self._shares.is_news(unit, at.monotonic_s):
            words = f"{unit} sends too much for the journal: what is too much is NOT kept and NOT acknowledged"
            self._tell(Happening(What.REFUSED, plain(words), unit))

    async def run(self) -> None:
        """Keep and acknowledge until cancelled."""
        while True:
            batch = [await self._queue.get()]
            while not self._queue.empty():
                batch.append(self._queue.get_nowait())
            if await self._keep(batch):
                for _, _, reading in batch:
                    if reading is not None:
                        self._acknowledge(reading)
            for received, _, _ in batch:
                self._shares.done(unit_of(received.topic), _cost_bytes(received))
                self._queue.task_done()

    async def finished(self) -> None:
        """Wait until everything that was taken is dealt with."""
        await self._queue.join()

    def close(self) -> None:
        """Close the journal."""
        if self._journal is not None:
            self._journal.close()

    async def _keep(self, batch: list[Arrived]) -> bool:
        if self._journal is None:
            return True
        lines = [journal_line(received, at.wall) for received, at, _ in batch]
        try:
            await asyncio.to_thread(self._journal.keep, lines)
        except OSError as error:
            self.unkept += len(batch)
            if not self._failing:
                words = f"the journal cannot be written ({error.strerror}): alerts are NOT acknowledged as received"
                self._tell(Happening(What.JOURNAL_LOST, words))
            self._failing = True
            return False
        if self._failing:
            self._tell(Happening(What.JOURNAL_BACK, "the journal is written again"))
        self._failing = False
        return True


def unit_of(topic: str) -> UnitKey:
    """Whose message it is, by its topic: what the broker holds against certificates."""
    org, _, rest = topic.removeprefix(f"{ROOT}/").partition("/")
    return UnitKey(org, rest.partition("/")[0])


def _cost_bytes(received: Received) -> int:
    return len(received.payload) + len(received.topic) + LINE_BYTES
