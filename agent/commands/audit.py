"""What the unit was told and what it refused: written down in a chain, kept, and sent when there is a way.

Nothing waits for it but the acceptance of a command, and that not for long. Without a disk the chain goes on in memory
and is sent from there; what cannot be kept at all is counted, and the count is the next record.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import structlog
from ulid import ULID

from agent.commands.chain import FIRST, Chain
from agent.commands.file import Contents, NotWritten, as_not_written, writing
from agent.disk_thread import DiskThread
from agent.signals import FaultCleared, Faulted
from agent.uplink import messages
from agent.uplink.jsonable import jsonable
from agent.uplink.lanes import Lane
from agent.uplink.publication import LinkDown, PublishRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from agent.clock import Clock
    from agent.commands.chain import Record
    from agent.commands.file import CommandFile, Writing
    from agent.commands.ledger import Entry
    from agent.config.settings import UnitSettings
    from agent.signals import Signal
    from agent.uplink.link import Link
    from agent.uplink.paths import Paths

log = structlog.get_logger()

OPEN_WITHIN_S: Final = 2.0
"""A disk that takes longer at start is taken for lost; commands are taken without it until it answers after all."""
RETRY_S: Final = 5.0
"""Between two attempts to write what is only in memory."""
REFUSED_S: Final = 60.0
"""After the broker did not take a record: an access rule that forgot the audit is not mended by trying."""
CLOSE_WITHIN_S: Final = 1.0
IN_MEMORY: Final = 10_000
"""Records that may wait for a disk or, without one, for the broker."""
EARLY: Final = 1_000
"""Records that may wait for the beginning of the chain; as many incidents may be forgotten at a start."""
WAITING: Final = 12_000
"""Writings that may wait for a disk that does not answer; more are not kept, and counted with the lost ones."""
PAGE: Final = 100
"""Records that are read to be sent, at a time."""
PART: Final = "commands"
CODE: Final = "not-kept"
"""Part and code of the fault."""


class Audit:
    """The record of one life of the unit. `open` first; `run` sends until cancelled; `close` last."""

    def __init__(
        self, unit: UnitSettings, file: CommandFile, clock: Clock, link: Link | Paths, report: Callable[[Signal], None]
    ) -> None:
        self._unit = unit
        self._clock = clock
        self._link = link
        self._report = report
        self._file = file
        self._thread: DiskThread[Writing] = DiskThread(
            "commands-disk", file.write, explain=as_not_written, most=WAITING
        )
        self._opening: asyncio.Future[Contents] | None = None
        self._chain: Chain | None = None
        """None: it has not begun."""
        self._unwritten: dict[str, Record] = {}
        """What the disk does not have, by hash, in order."""
        self._entries: dict[str, Entry] = {}
        """Commands of which the disk knows an older state, or nothing."""
        self._sent: set[str] = set()
        """Hashes of what the broker has and the disk does not know to be there."""
        self._lost = 0
        self._early: list[tuple[str, Callable[[], object], dict[str, Any]]] = []
        """What is to be added once the chain has begun."""
        self._outcomes: frozenset[str] = frozenset()
        """Alerts of which an earlier life wrote how they ended."""
        self._faulty = False
        self._news = asyncio.Event()

    async def open(self) -> Contents | None:
        """What the last life left; None when the disk does not tell in time. Then the chain begins."""
        contents, trouble = None, None
        try:
            async with asyncio.timeout(OPEN_WITHIN_S):
                contents = await self._opened()
        except (NotWritten, TimeoutError) as error:
            trouble = str(error) or "the disk does not answer"
        last_hash = None if contents is None else contents.last_hash
        detail = trouble if contents is None else contents.moved_aside
        self._chain = Chain(str(ULID()), last_hash or FIRST)
        if trouble is not None:
            self._tell_lost(trouble)
        lost_before, self._lost = self._lost, 0  # told after the record with which the chain begins
        self.note("began", detail=None if detail is None else f"without what was kept before: {detail}"[:1000])
        self._lost += lost_before
        early, self._early = self._early, []
        self._outcomes = frozenset() if contents is None else contents.outcomes
        for what, on_written, facts in early:
            self.note_soon(what, on_written, **facts)
        return contents

    async def open_late(self) -> Contents:
        """What the last life left, once the disk tells it after all; for when `open` could not say."""
        while True:
            try:
                return await self._opened()
            except NotWritten:
                self._opening = None
                await asyncio.sleep(RETRY_S)

    def note(self, what: str, **facts: Any) -> asyncio.Future[None]:  # noqa: ANN401 - JSON values
        """Add a record; the result says when it is on the disk."""
        return self._write(self._records(what, facts))

    def note_soon(
        self,
        what: str,
        on_written: Callable[[], object] = lambda: None,
        /,
        **facts: Any,  # noqa: ANN401 - JSON values
    ) -> None:
        """Add a record; before the chain has begun it waits for that, and is dated then.

        Args:
            what: What happened.
            on_written: Called once it is on the disk. It never is when that fails, though it may get there later.
            facts: What the record says. How an alert ended is written once, as far as that can be known.
        """
        if self._chain is None and len(self._early) < EARLY:
            self._early.append((what, on_written, facts))
        elif what == "outcome" and facts["alertId"] in self._outcomes:
            on_written()
        elif records := self._records(what, facts):
            self._write(records).add_done_callback(partial(_tell_written, on_written))

    def keep(
        self,
        entry: Entry,
        what: str,
        *,
        forgotten: Sequence[str] = (),
        **facts: Any,  # noqa: ANN401 - JSON values
    ) -> asyncio.Future[None]:
        """Keep how a command stands, together with a record of it; the result says when both are on the disk.

        Args:
            entry: The command.
            what: What happened to it.
            forgotten: Refs of commands that are not remembered any more.
            facts: What the record says.
        """
        return self._write(self._records(what, facts), [entry], forgotten)

    @property
    def facts(self) -> Mapping[str, int]:
        """For the heartbeat."""
        return {"unwritten": len(self._unwritten), "lost": self._lost}

    async def run(self) -> None:
        """Send what is not sent, and write again what could not be written, until cancelled."""
        async with asyncio.TaskGroup() as work:
            work.create_task(self._send_all(), name="audit-sender")
            work.create_task(self._write_again(), name="audit-writer")

    async def close(self) -> None:
        """Write what waits and end."""
        if self._unwritten or self._entries:
            self._write_all()
        if not await self._thread.close(self._file.close, CLOSE_WITHIN_S):
            log.error("command_file_not_closed", reason="the disk does not answer")

    async def _opened(self) -> Contents:
        """The file's contents; one attempt at a time, however often it is waited for."""
        if self._opening is None:
            self._opening = self._thread.do(self._file.open)
            self._opening.add_done_callback(_hear_out)
        contents = await asyncio.shield(self._opening)
        if contents.moved_aside:
            log.warning("command_file_moved_aside", reason=contents.moved_aside)
        return contents

    # --- keeping -------------------------------------------------------------------------------------------------

    def _records(self, what: str, facts: Mapping[str, Any]) -> list[Record]:
        """The record of this, after one of those that were lost before it; none without room, or before `open`."""
        if self._chain is None:
            self._lost += 1
            return []
        if len(self._unwritten) + 2 > IN_MEMORY:
            for hash_ in [each for each in self._unwritten if each in self._sent][: IN_MEMORY // 10]:
                del self._unwritten[hash_]  # no disk takes them, but the control room has them
                self._sent.discard(hash_)
        if len(self._unwritten) + 2 > IN_MEMORY:
            self._lost += 1
            return []
        records = []
        if self._lost:
            log.warning("audit_records_lost", count=self._lost)
            records.append(self._linked(self._chain, "lost", {"count": self._lost}))
            self._lost = 0
        return [*records, self._linked(self._chain, what, facts)]

    def _linked(self, chain: Chain, what: str, facts: Mapping[str, Any]) -> Record:
        now = self._clock.now()
        basics = {"what": what, "at": now.wall, "clock": now.quality, "bootId": now.boot_id}
        said = {name: value for name, value in facts.items() if value is not None}
        record = chain.add(jsonable(basics | said))
        self._unwritten[record["hash"]] = record
        return record

    def _write(
        self, records: Sequence[Record], entries: Sequence[Entry] = (), forgotten: Sequence[str] = ()
    ) -> asyncio.Future[None]:
        self._entries |= {entry.ref: entry for entry in entries}
        done = self._thread.change(writing(records=records, entries=entries, forgotten=forgotten))
        done.add_done_callback(lambda done: self._wrote(done, records, entries))
        return done

    def _write_all(self) -> asyncio.Future[None]:
        return self._write([*self._unwritten.values()], [*self._entries.values()])

    def _wrote(self, done: asyncio.Future[None], records: Sequence[Record], entries: Sequence[Entry]) -> None:
        trouble = None if done.cancelled() else done.exception()
        if trouble is not None:
            self._tell_lost(str(trouble))
            self._news.set()  # it is sent from memory
            return
        for record in records:
            self._unwritten.pop(record["hash"], None)
        for entry in entries:
            self._entries.pop(entry.ref, None)
        if not self._unwritten and self._faulty:
            self._faulty = False
            log.info("command_file_back")
            self._report(FaultCleared(PART, CODE, self._clock.now()))
        self._news.set()

    def _tell_lost(self, why: str) -> None:
        if not self._faulty:
            self._faulty = True
            log.warning("command_file_lost", reason=why)
            text = f"Commands and audit cannot be written ({why[:200]}): they are kept in memory only."
            self._report(Faulted(PART, CODE, text, self._clock.now()))

    async def _write_again(self) -> None:
        while True:
            await asyncio.sleep(RETRY_S)
            if self._faulty:
                await asyncio.wait([self._write_all()])

    # --- sending -------------------------------------------------------------------------------------------------

    async def _send_all(self) -> None:
        """One record after the other, each only once the broker has the one before: alerts never wait behind them."""
        while True:
            self._news.clear()
            records = await self._unsent()
            await self._send([record for record in records if record["hash"] not in self._sent])
            known = [record["hash"] for record in records if record["hash"] in self._sent]
            if known and await self._marked(known):
                continue  # there may be another page
            await self._news.wait()

    async def _unsent(self) -> Sequence[Record]:
        """The oldest records that the broker does not have; without a disk, of those in memory."""
        with suppress(NotWritten, TimeoutError):
            async with asyncio.timeout(RETRY_S):
                return await self._thread.do(partial(self._file.unsent, PAGE))
        return [record for hash_, record in self._unwritten.items() if hash_ not in self._sent][:PAGE]

    async def _send(self, records: Sequence[Record]) -> None:
        for record in records:
            await self._link.up()
            message = messages.audit(self._unit, record, datetime.fromisoformat(record["at"]))
            try:
                await self._link.publish(message.publication(), Lane.REST)
            except LinkDown:
                self._news.set()
                await asyncio.sleep(0)  # until the link knows it too
                return
            except PublishRefused as refused:
                log.warning("audit_refused", reason=str(refused))
                await asyncio.sleep(REFUSED_S)
                self._news.set()
                return
            self._sent.add(record["hash"])

    async def _marked(self, hashes: Sequence[str]) -> bool:
        """Note on the disk that the broker has these; whether that was possible."""
        try:
            async with asyncio.timeout(RETRY_S):
                await self._thread.change(writing(sent=hashes))
        except (NotWritten, TimeoutError):
            return False
        written = [hash_ for hash_ in hashes if hash_ not in self._unwritten]
        self._sent.difference_update(written)
        return True


def _tell_written(on_written: Callable[[], object], done: asyncio.Future[None]) -> None:
    if not done.cancelled() and done.exception() is None:
        on_written()


def _hear_out(opening: asyncio.Future[Contents]) -> None:
    """Nobody may be left to hear that the disk failed."""
    with suppress(NotWritten, asyncio.CancelledError):
        opening.result()
