"""The one thread that touches the outbox's disk. It coalesces the changes that wait into one transaction."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

import structlog

from agent.uplink.disk import Change, Contents, DiskTrouble

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.uplink.disk import Disk

log = structlog.get_logger()

LAZY_S: Final = 1.0
"""How long a lazy change waits for company: on an SD card each commit wears the same few blocks."""


@dataclass(frozen=True)
class _Job:
    """Something to do on the disk, and who waits for it."""

    work: Change | Callable[[], Any]
    done: asyncio.Future[Any]

    @property
    def is_change(self) -> bool:
        return isinstance(self.work, Change)

    @property
    def is_lazy(self) -> bool:
        return isinstance(self.work, Change) and self.work.lazy


class DiskThread:
    """Does what it is told, in order. All methods are for the event loop's thread."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self._loop = asyncio.get_running_loop()
        self._wake = threading.Condition()
        self._jobs: list[_Job] = []
        self._closing = False
        # A daemon thread: a disk that hangs in the kernel must not keep the process from ending.
        self._thread = threading.Thread(target=self._run, name="outbox-disk", daemon=True)
        self._thread.start()

    def change(self, change: Change) -> asyncio.Future[None]:
        """Make a change; done when it is on the disk.

        Returns:
            None, to come; or `DiskTrouble`.
        """
        return self._submit(change)

    def open(self) -> asyncio.Future[Contents]:
        """Open the file, anew when it was open.

        Returns:
            What it holds, to come; or `DiskTrouble`.
        """
        return self._submit(self._disk.open)

    def rewrite(self, everything: Change) -> asyncio.Future[None]:
        """Replace all that the file holds.

        Returns:
            None, to come; or `DiskTrouble`.
        """
        return self._submit(lambda: self._disk.rewrite(everything))

    async def close(self, within_s: float) -> bool:
        """Finish what waits, close the file, end. False when that did not happen in time: the disk hangs."""
        closed = self._submit(self._disk.close)
        with self._wake:
            self._closing = True
            self._wake.notify()
        await asyncio.wait([closed], timeout=within_s)
        return closed.done()

    def _submit(self, work: Change | Callable[[], Any]) -> asyncio.Future[Any]:
        job = _Job(work, self._loop.create_future())
        with self._wake:
            self._jobs.append(job)
        # Woken now, it would compete for the interpreter with the help call that is about to be sent.
        self._loop.call_soon(self._wake_up)
        return job.done

    def _wake_up(self) -> None:
        with self._wake:
            self._wake.notify()

    def _run(self) -> None:
        while jobs := self._take():
            for is_change, run in groupby(jobs, key=lambda job: job.is_change):
                if is_change:
                    self._change_together([*run])
                else:
                    for job in run:
                        self._do(job)

    def _take(self) -> list[_Job]:
        """All that waits, once something cannot wait any longer; nothing when it is over."""
        with self._wake:
            self._wake.wait_for(lambda: self._closing or self._jobs)
            self._wake.wait_for(self._has_urgent, LAZY_S)
            jobs, self._jobs = self._jobs, []
            return jobs

    def _has_urgent(self) -> bool:
        return self._closing or not all(job.is_lazy for job in self._jobs)

    def _change_together(self, jobs: list[_Job]) -> None:
        changes = [job.work for job in jobs if isinstance(job.work, Change)]
        _, trouble = _try(lambda: self._disk.apply(changes))
        for job in jobs:
            self._post(job, None, trouble)

    def _do(self, job: _Job) -> None:
        if not isinstance(job.work, Change):
            self._post(job, *_try(job.work))

    def _post(self, job: _Job, result: object, trouble: DiskTrouble | None) -> None:
        try:
            self._loop.call_soon_threadsafe(_settle, job.done, result, trouble)
        except RuntimeError:  # the loop is closed: nobody is left to tell
            self._closing = True


def _settle(done: asyncio.Future[Any], result: object, trouble: DiskTrouble | None) -> None:
    if done.done():
        return
    if trouble is None:
        done.set_result(result)
    else:
        done.set_exception(trouble)


def _try(work: Callable[[], Any]) -> tuple[Any, DiskTrouble | None]:
    """What came of it, or why nothing did."""
    try:
        return work(), None
    except DiskTrouble as trouble:
        return None, trouble
    except Exception as error:  # our own mistake: reported like a bad disk, since alerts go on without either
        log.exception("outbox_failed")
        return None, DiskTrouble("outbox-failed", f"the outbox failed: {type(error).__name__}: {error}")
