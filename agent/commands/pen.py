"""The one thread that touches the file of commands and audit. What waits for it is written together."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import structlog

from agent.commands.file import Writing

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.commands.chain import Record
    from agent.commands.file import CommandFile, Contents

log = structlog.get_logger()

WAITING: Final = 12_000
"""Writings that may wait for a disk that does not answer; more are not kept, which is counted by whoever gave them."""


class NotWritten(Exception):
    """The disk did not take it, or not in time."""


@dataclass(frozen=True)
class _Job:
    work: Writing | Callable[[], Any]
    done: asyncio.Future[Any]


class Pen:
    """Writes what it is told, in order. All methods are for the event loop's thread."""

    def __init__(self, file: CommandFile) -> None:
        self._file = file
        self._loop = asyncio.get_running_loop()
        self._wake = threading.Condition()
        self._jobs: list[_Job] = []
        self._closing = False
        # A daemon thread: a disk that hangs in the kernel must not keep the process from ending.
        self._thread = threading.Thread(target=self._run, name="commands-disk", daemon=True)
        self._thread.start()

    def open(self) -> asyncio.Future[Contents]:
        """Open the file; the result or `NotWritten` is to come."""
        return self._submit(self._file.open)

    def write(self, writing: Writing) -> asyncio.Future[None]:
        """Write this; done when it is on the disk, or `NotWritten`."""
        return self._submit(writing)

    def unsent(self, most: int) -> asyncio.Future[list[Record]]:
        """The oldest records that the broker does not have, to come; or `NotWritten`."""
        return self._submit(lambda: self._file.unsent(most))

    async def close(self, within_s: float) -> bool:
        """Write what waits, close the file, end. False when that did not happen in time: the disk hangs."""
        closed = self._submit(self._file.close, anyway=True)
        with self._wake:
            self._closing = True
            self._wake.notify()
        await asyncio.wait([closed], timeout=within_s)
        return closed.done()

    def _submit(self, work: Writing | Callable[[], Any], *, anyway: bool = False) -> asyncio.Future[Any]:
        done: asyncio.Future[Any] = self._loop.create_future()
        with self._wake:
            if len(self._jobs) < WAITING or anyway:
                self._jobs.append(_Job(work, done))
                self._wake.notify()
                return done
        done.set_exception(NotWritten("the disk does not answer"))
        return done

    def _run(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._closing or self._jobs)
                jobs, self._jobs = self._jobs, []
            if not jobs:
                return
            together: list[_Job] = []
            for job in jobs:
                if isinstance(job.work, Writing):
                    together.append(job)
                else:
                    self._write(together)
                    together = []
                    self._post([job], *_try(job.work))
            self._write(together)

    def _write(self, jobs: list[_Job]) -> None:
        writings = [job.work for job in jobs if isinstance(job.work, Writing)]
        if writings:
            self._post(jobs, *_try(lambda: self._file.write(writings)))

    def _post(self, jobs: list[_Job], result: object, trouble: NotWritten | None) -> None:
        try:
            for job in jobs:
                self._loop.call_soon_threadsafe(_settle, job.done, result, trouble)
        except RuntimeError:  # the loop is closed: nobody is left to tell
            self._closing = True


def _settle(done: asyncio.Future[Any], result: object, trouble: NotWritten | None) -> None:
    if done.done():
        return
    if trouble is None:
        done.set_result(result)
    else:
        done.set_exception(trouble)


def _try(work: Callable[[], Any]) -> tuple[Any, NotWritten | None]:
    try:
        return work(), None
    except (sqlite3.Error, OSError) as error:
        return None, NotWritten(str(error))
    except Exception as error:  # our own mistake: commands go on without the file, as without a disk
        log.exception("command_file_failed")
        return None, NotWritten(f"{type(error).__name__}: {error}")
