"""The one thread that touches a file. It coalesces the changes that wait into one transaction."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

C = TypeVar("C")
"""A change of what the file holds."""
T = TypeVar("T")

LAZY_S: Final = 1.0
"""How long a lazy change waits for company: on an SD card each commit wears the same few blocks."""


@dataclass(frozen=True)
class _Change(Generic[C]):
    """Something to write, and who waits for it."""

    change: C
    is_lazy: bool
    done: asyncio.Future[None]


@dataclass(frozen=True)
class _Work:
    """Something else to do on the disk, and who waits for what comes of it."""

    work: Callable[[], Any]
    done: asyncio.Future[Any]


class DiskThread(Generic[C]):
    """Does what it is told, in order. All methods are for the event loop's thread."""

    def __init__(
        self,
        name: str,
        write: Callable[[Sequence[C]], None],
        *,
        explain: Callable[[Exception], Exception],
        most: int | None = None,
    ) -> None:
        """A thread that waits for something to do.

        Args:
            name: The thread's.
            write: Makes changes on the disk, in one transaction.
            explain: What those who wait are told of an error of whatever was done.
            most: How much may wait for a disk that does not answer; None: whatever comes.
        """
        self._write = write
        self._explain = explain
        self._most = most
        self._loop = asyncio.get_running_loop()
        self._wake = threading.Condition()
        self._jobs: list[_Change[C] | _Work] = []
        self._closing = False
        # A daemon thread: a disk that hangs in the kernel must not keep the process from ending.
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def change(self, change: C, *, lazy: bool = False) -> asyncio.Future[None]:
        """Make a change, which may wait a little for company when it is lazy; done when it is on the disk.

        Returns:
            None, to come; or what `explain` makes of the error.
        """
        return self._submit(_Change(change, lazy, self._loop.create_future()))

    def do(self, work: Callable[[], T]) -> asyncio.Future[T]:
        """Do something else with the file, after the changes so far.

        Returns:
            What `work` returns, to come; or what `explain` makes of the error.
        """
        return self._submit(_Work(work, self._loop.create_future()))

    async def close(self, last: Callable[[], None], within_s: float) -> bool:
        """Finish what waits, do this last, end. False when that did not happen in time: the disk hangs."""
        closed = self._loop.create_future()
        with self._wake:
            self._jobs.append(_Work(last, closed))
            self._closing = True
            self._wake.notify()
        await asyncio.wait([closed], timeout=within_s)
        return closed.done()

    def _submit(self, job: _Change[C] | _Work) -> asyncio.Future[Any]:
        with self._wake:
            if self._most is not None and len(self._jobs) >= self._most:
                job.done.set_exception(self._explain(TimeoutError("the disk does not answer")))
                return job.done
            self._jobs.append(job)
        # Woken now, it would compete for the interpreter with the help call that is about to be sent.
        self._loop.call_soon(self._wake_up)
        return job.done

    def _wake_up(self) -> None:
        with self._wake:
            self._wake.notify()

    def _run(self) -> None:
        while jobs := self._take():
            for _, run in groupby(jobs, key=type):
                self._do_all([*run])

    def _take(self) -> list[_Change[C] | _Work]:
        """All that waits, once something cannot wait any longer; nothing when it is over."""
        with self._wake:
            self._wake.wait_for(lambda: self._closing or self._jobs)
            self._wake.wait_for(self._has_urgent, LAZY_S)
            jobs, self._jobs = self._jobs, []
            return jobs

    def _has_urgent(self) -> bool:
        return self._closing or not all(isinstance(job, _Change) and job.is_lazy for job in self._jobs)

    def _do_all(self, jobs: Sequence[_Change[C] | _Work]) -> None:
        """Do jobs of one kind: the changes together, anything else one by one."""
        if changes := [job.change for job in jobs if isinstance(job, _Change)]:
            _, error = self._try(lambda: self._write(changes))
            for job in jobs:
                self._post(job.done, None, error)
        for job in jobs:
            if isinstance(job, _Work):
                self._post(job.done, *self._try(job.work))

    def _try(self, work: Callable[[], Any]) -> tuple[Any, Exception | None]:
        """What came of it, or why nothing did."""
        try:
            return work(), None
        except Exception as error:  # noqa: BLE001 - it is raised where it is waited for
            return None, self._explain(error)

    def _post(self, done: asyncio.Future[Any], result: object, error: Exception | None) -> None:
        try:
            self._loop.call_soon_threadsafe(_settle, done, result, error)
        except RuntimeError:  # the loop is closed: nobody is left to tell
            self._closing = True


def _settle(done: asyncio.Future[Any], result: object, error: Exception | None) -> None:
    if done.done():
        return
    if error is None:
        done.set_result(result)
    else:
        done.set_exception(error)
