"""Makes the disk follow memory: through failures, silence and returns of the disk, without anybody waiting for it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Final

import structlog

from agent.disk_thread import DiskThread
from agent.uplink.disk import Change, Contents, Disk, DiskTrouble, as_trouble

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from agent.uplink.entry import Entry

log = structlog.get_logger()

OPEN_WITHIN_S: Final = 3.0
"""A disk that takes longer at start is taken for lost; the unit begins without it."""
STUCK_AFTER_S: Final = 5.0
"""A commit takes milliseconds, on a worn card a second; after this long the disk hangs."""
RETRY_S: Final = 5.0
"""Between attempts to get the disk back."""
CLOSE_WITHIN_S: Final = 2.0
"""Of the 5 s that the whole unit has to stop."""


class State(StrEnum):
    """How the disk is."""

    OPENING = "opening"
    WORKING = "working"
    LOST = "lost"
    """It failed; what is new is in memory only."""
    RETURNING = "returning"
    """It is back and gets the whole of memory; what is new follows behind."""
    CLOSED = "closed"


_NEXT: Final = {
    State.OPENING: {State.WORKING, State.LOST, State.CLOSED},
    State.WORKING: {State.LOST, State.CLOSED},
    State.LOST: {State.RETURNING, State.CLOSED},
    State.RETURNING: {State.WORKING, State.LOST, State.CLOSED},
    State.CLOSED: set[State](),
}


class Storage:
    """The disk as the outbox sees it: it takes changes, and speaks up when it fails and when it is back."""

    def __init__(  # noqa: PLR0913 - the outbox is told four things
        self,
        disk: Disk,
        *,
        on_return: Callable[[Contents], Change],
        on_settled: Callable[[Sequence[Entry]], None],
        on_trouble: Callable[[str, str], None],
        on_over: Callable[[str], None],
        retry_s: float = RETRY_S,
    ) -> None:
        """A storage that `open` has to open.

        Args:
            disk: The file.
            on_return: The disk is back and holds this; returns all that it is to hold from now on.
            on_settled: Hears of entries that are on the disk, or that the disk cannot take.
            on_trouble: Hears a short code and a sentence when the disk fails, once.
            on_over: Hears the code when the disk works again.
            retry_s: Between attempts to get the disk back.
        """
        self._on_return = on_return
        self._on_settled = on_settled
        self._on_trouble = on_trouble
        self._on_over = on_over
        self._retry_s = retry_s
        self._disk = disk
        self._thread: DiskThread[Change] = DiskThread("outbox-disk", disk.apply, explain=as_trouble)
        self._state = State.OPENING
        self._trouble: str | None = None
        self._waiting: dict[asyncio.Future[None], tuple[Entry, ...]] = {}
        """Commits that are under way, and the entries each of them settles."""
        self._watch: asyncio.TimerHandle | None = None
        self._recovery: asyncio.Task[None] | None = None

    @property
    def state(self) -> State:
        """How the disk is."""
        return self._state

    async def open(self) -> Contents | None:
        """What the last life left; None when the disk does not tell, and is tried again in the background."""
        opening = self._thread.do(self._disk.open)
        await asyncio.wait([opening], timeout=OPEN_WITHIN_S)
        if not opening.done():
            opening.add_done_callback(_hear_out)
            self._lose(DiskTrouble("disk-stuck", "the disk does not answer"))
            return None
        try:
            contents = opening.result()
        except DiskTrouble as trouble:
            self._lose(trouble)
            return None
        self._enter(State.WORKING)
        return contents

    def commit(self, change: Change) -> None:
        """Make a change on the disk, if there is one. Returns at once."""
        if self._state not in {State.WORKING, State.RETURNING}:
            self._settle(change.put)  # memory has it; the disk gets all of memory when it is back
            return
        self._follow(self._thread.change(change, lazy=change.lazy), change.put)

    async def flushed(self) -> None:
        """Wait until everything committed so far is on the disk, or was given up."""
        while self._waiting:
            await asyncio.wait([*self._waiting], timeout=STUCK_AFTER_S)

    async def close(self, last: Callable[[], Change]) -> None:
        """Make a last change, close the file and end the thread. A disk that is lost is tried once more."""
        deadline_s = asyncio.get_running_loop().time() + CLOSE_WITHIN_S
        if self._recovery is not None:
            self._recovery.cancel()
            await asyncio.gather(self._recovery, return_exceptions=True)
        if self._state in {State.LOST, State.RETURNING}:
            await self._save_all(last, deadline_s)
        else:
            self.commit(last())
        self._enter(State.CLOSED)
        left_s = max(0.0, deadline_s - asyncio.get_running_loop().time())
        if not await self._thread.close(self._disk.close, left_s):
            log.error("outbox_not_closed", reason="the disk does not answer")
        self._stop_watch()

    async def _save_all(self, last: Callable[[], Change], deadline_s: float) -> None:
        """Give the disk the whole of memory, if it can take it now."""
        try:
            async with asyncio.timeout_at(deadline_s):
                everything = self._on_return(await self._thread.do(self._disk.open))
                await self._thread.do(partial(self._disk.rewrite, replace(everything, meta=last().meta)))
        except (DiskTrouble, TimeoutError) as error:
            log.warning("outbox_not_saved", reason=str(error) or "the disk does not answer")
            return
        _note_stored(everything.put)
        log.info("outbox_disk_back", stored=len(everything.put))

    def _enter(self, state: State) -> None:
        """Go to this state.

        Raises:
            ValueError: there is no way from here.
        """
        if state not in _NEXT[self._state]:
            msg = f"the outbox's disk cannot go from {self._state} to {state}"
            raise ValueError(msg)
        self._state = state

    def _follow(self, commit: asyncio.Future[None], entries: tuple[Entry, ...]) -> None:
        self._waiting[commit] = entries
        commit.add_done_callback(self._committed)
        if self._watch is None:
            self._watch = asyncio.get_running_loop().call_later(STUCK_AFTER_S, self._hangs)

    def _committed(self, commit: asyncio.Future[None]) -> None:
        entries = self._waiting.pop(commit, ())
        self._stop_watch()
        if self._waiting:
            self._watch = asyncio.get_running_loop().call_later(STUCK_AFTER_S, self._hangs)
        trouble = commit.exception()
        if isinstance(trouble, DiskTrouble):
            self._lose(trouble)
        else:
            _note_stored(entries)
        self._settle(entries)

    def _hangs(self) -> None:
        self._watch = None
        self._lose(DiskTrouble("disk-stuck", "the disk does not answer"))
        abandoned, self._waiting = self._waiting, {}
        for entries in abandoned.values():
            self._settle(entries)

    def _stop_watch(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None

    def _settle(self, entries: Iterable[Entry]) -> None:
        news = [entry for entry in entries if not entry.settled]
        for entry in news:
            entry.settled = True
        if news:
            self._on_settled(news)

    def _lose(self, trouble: DiskTrouble) -> None:
        """The disk failed. What it has not taken is in memory, and goes there with all the rest when it is back."""
        if self._state in {State.LOST, State.CLOSED}:
            return
        self._enter(State.LOST)
        if self._trouble != trouble.code:
            self._report_over()
            self._trouble = trouble.code
            log.warning("outbox_disk_lost", code=trouble.code, reason=trouble.text)
            self._on_trouble(trouble.code, f"{trouble.text}: alerts are kept in memory only.")
        if self._recovery is None or self._recovery.done():
            self._recovery = asyncio.create_task(self._recover(), name="outbox-recovery")

    def _report_over(self) -> None:
        code, self._trouble = self._trouble, None
        if code is not None:
            self._on_over(code)

    async def _recover(self) -> None:
        """Try until the disk takes the whole of memory."""
        while True:
            await asyncio.sleep(self._retry_s)
            try:
                contents = await self._thread.do(self._disk.open)
            except DiskTrouble:
                continue  # told already
            everything = self._on_return(contents)
            self._enter(State.RETURNING)  # from here on changes queue up behind the rewriting
            try:
                await self._thread.do(partial(self._disk.rewrite, everything))
            except DiskTrouble as trouble:
                self._lose(trouble)
                continue
            _note_stored(everything.put)
            if self._state is State.RETURNING:  # a change behind may have failed meanwhile
                self._enter(State.WORKING)
                log.info("outbox_disk_back", stored=len(everything.put))
                self._report_over()
                return


def _note_stored(entries: Iterable[Entry]) -> None:
    for entry in entries:
        entry.stored = True


def _hear_out(opening: asyncio.Future[Contents]) -> None:
    """The disk answered too late; the recovery asks again."""
    error = None if opening.cancelled() else opening.exception()
    log.info("outbox_disk_answered_late", trouble=None if error is None else str(error))
