"""Clips and exports on their way to where a command named: one at a time, through restarts, until each is over."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import structlog

from agent.clock import ClockQuality
from agent.footage.keep.holds import Holds
from agent.footage.store.incident_files import SAFE_ID
from agent.signals import Category
from agent.uplink.backoff import about_s
from agent.uplink.media.aside import aside
from agent.uplink.media.attempt import MEGABYTE, Attempt
from agent.uplink.media.plan import Cargo
from agent.uplink.media.queue import UPLOADS
from agent.uplink.media.request import (
    Confirmed,
    PieceOf,
    Refusal,
    UploadProgress,
    UploadRefused,
    UploadState,
    check_request,
    host_of,
    path_of,
)
from agent.uplink.media.web.errors import NeverWorks, Paused, TryAgain
from agent.uplink.media.web.job import Job, Shelf
from agent.uplink.media.web.source import opened
from agent.uplink.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from agent.clock import Clock
    from agent.config.settings import Config
    from agent.uplink.media.purse import Purse
    from agent.uplink.media.request import UploadRequest
    from agent.uplink.media.road import Road

log = structlog.get_logger()

MOST: Final = 32
"""Uploads that wait; more are refused, so that a control room gone wild fills no card."""
LONGEST_WAIT_S: Final = 300.0
"""Between two attempts: a server that was mended is found again within five minutes."""
PLAN_WAIT_S: Final = 600.0
"""Until it is looked again whether the data plan has more."""
BARRED_WAIT_S: Final = 60.0
"""Until it is looked again whether footage may leave the unit; nothing is asked of the network for that."""
TOLD_EVERY_PERCENT: Final = 5
"""Progress is told in steps of this share: twenty times, however large the file."""


@dataclass
class _Going:
    """An upload in hand."""

    job: Job
    due_s: float = 0.0
    """When it is tried next, on the event loop's clock."""
    failures: int = 0
    """In a row, without one more byte at the server."""
    state: UploadState = UploadState.ACCEPTED
    reason: str | None = None
    told_percent: int = -TOLD_EVERY_PERCENT
    best_bytes: int = 0


class Uploads:
    """`run` does the work; `begin` and `cancel` may be called meanwhile, on the event loop."""

    def __init__(  # noqa: PLR0913 - it stands between all of these
        self,
        config: Config,
        clock: Clock,
        purse: Purse,
        road: Road,
        *,
        category_of: Callable[[str], Category | None],
        on_progress: Callable[[UploadProgress], None],
        interface_for: Callable[[int], str | None] = lambda _failures: None,
        barred: Callable[[], str | None] = lambda: None,
        rng: random.Random | None = None,
    ) -> None:
        """Uploads that rest until `run`.

        Args:
            config: Where footage lies, and how uploads behave.
            clock: Says when it is time to give up.
            purse: Pays.
            road: Stands still for alerts.
            category_of: What an alert is about; a help call's media are free.
            on_progress: Hears of each step of every upload, also of those that an earlier life began.
            interface_for: The network interface of an attempt after so many that failed; None: by the routing table.
            barred: Why nothing may leave the unit this way now; None: it may.
            rng: Where the jitter comes from.
        """
        self._config = config
        self._clock = clock
        self._purse = purse
        self._road = road
        self._category_of = category_of
        self._on_progress = on_progress
        self._interface_for = interface_for
        self._barred = barred
        self._rng = rng or random.SystemRandom()
        self._shelf = Shelf(config.state_folder / UPLOADS)
        self._going: dict[str, _Going] = {}
        self._arriving: dict[str, _Going] = {}
        """On their way to the disk: not yet tried, or two threads would write one file."""
        self._present: tuple[str, asyncio.Task[Confirmed]] | None = None
        self._news = asyncio.Event()
        self._loaded = asyncio.Event()
        self.wire = Wire()
        """Counts what the uploads carry."""
        self.done = 0
        self.failed = 0

    def check(self, request: UploadRequest) -> None:
        """Whether it may be asked for at all, before anything is looked at.

        Raises:
            UploadRefused: it may not.
        """
        check_request(request, self._config.uplink.uploads, insecure_lab=self._config.uplink.insecure_lab)

    async def loaded(self) -> None:
        """Wait until what earlier lives left is in hand."""
        await self._loaded.wait()

    def knows(self, upload_id: str) -> bool:
        """Whether it is in hand."""
        return upload_id in self._going or upload_id in self._arriving

    async def begin(self, request: UploadRequest) -> UploadProgress:
        """Take an upload; it is on the disk when this returns. One that is in hand is not begun again.

        Raises:
            UploadRefused: it cannot be.
            OSError: the disk does not take it.
        """
        self.check(request)
        known = self._going.get(request.upload_id) or self._arriving.get(request.upload_id)
        if known is not None:
            return self._progress(known)
        if len(self._going) + len(self._arriving) >= MOST:
            msg = f"{MOST} uploads wait already"
            raise UploadRefused(Refusal.TOO_MANY, msg)
        if isinstance(request.what, PieceOf):
            if SAFE_ID.fullmatch(request.what.alert_id) is None:
                msg = "the alert's id is none"
                raise UploadRefused(Refusal.INVALID, msg)
            request = replace(request, category=self._category_of(request.what.alert_id))
        if not self._purse.may(Cargo.FILM, for_help=request.category is Category.HELP):
            self._purse.held_back += 1
            msg = "the data plan of this month is used up but for stills and help calls"
            raise UploadRefused(Refusal.DATA_PLAN, msg)
        going = self._arriving[request.upload_id] = _Going(Job(request, self._clock.now().wall))
        try:
            await aside(lambda: self._check_file(request))
            await aside(lambda: self._keep(going.job))
        finally:
            del self._arriving[request.upload_id]
        self._going[request.upload_id] = going
        log.info("upload_accepted", upload_id=request.upload_id, host=host_of(request))
        self._news.set()
        return self._progress(going)

    async def cancel(self, upload_id: str, reason: str) -> bool:
        """End an upload that is not wanted any more; returns whether there was one."""
        going = self._going.pop(upload_id, None)  # first of all: it must not be picked up once more
        if going is None:
            return False
        if self._present is not None and self._present[0] == upload_id:
            self._present[1].cancel()
            with suppress(asyncio.CancelledError, TryAgain, NeverWorks, Paused):
                await self._present[1]
        await self._finish(going, UploadState.FAILED, reason=reason)
        return True

    def facts(self) -> Mapping[str, Any]:
        """For the heartbeat."""
        return {"waiting": len(self._going), "done": self.done, "failed": self.failed}

    async def run(self, working: Callable[[], None]) -> None:
        """Carry on with what earlier lives began, and with what comes, until cancelled."""
        for job in await aside(lambda: [*self._shelf.remembered()]):
            if job.request.upload_id not in self._arriving:
                self._going.setdefault(job.request.upload_id, _Going(job))
        self._loaded.set()
        working()
        loop = asyncio.get_running_loop()
        while True:
            self._news.clear()
            first = min(self._going.values(), key=lambda going: going.due_s, default=None)
            if first is not None and first.due_s <= loop.time():
                await self._try(first)
                continue
            try:
                async with asyncio.timeout(None if first is None else first.due_s - loop.time()):
                    await self._news.wait()
            except TimeoutError:
                continue

    async def _try(self, going: _Going) -> None:
        if (why := self._barred()) is not None:
            self._put_off(going, why, BARRED_WAIT_S)  # nothing failed, so nothing is given up
            return
        upload_id = going.job.request.upload_id
        overdue = partial(self._is_overdue, going.job)
        interface = self._interface_for(going.failures)
        attempt = Attempt(
            going.job,
            self._config,
            self._purse,
            self._road,
            self._shelf,
            wire=self.wire,
            interface=interface,
            overdue=overdue,
        )
        task = asyncio.create_task(attempt.run(lambda: self._moved(going)), name=f"upload-{upload_id}")
        self._present = upload_id, task
        try:
            await asyncio.wait({task})
        finally:
            self._present = None
            if not task.done():  # we are cancelled: the thread ends before we do
                task.cancel()
                await asyncio.wait({task})
        if task.cancelled():
            return  # whoever cancelled it sees to the rest
        match task.exception():
            case None:
                await self._finish(going, UploadState.DONE, confirmed=task.result())
            case NeverWorks() as error:
                await self._finish(going, UploadState.FAILED, reason=str(error))
            case Paused():
                await self._wait(going, "the data plan of this month is used up", PLAN_WAIT_S)
            case TryAgain(after_s=after_s) as error:
                await self._wait(going, str(error), after_s)
            case error:
                raise error

    async def _wait(self, going: _Going, reason: str, after_s: float | None) -> None:
        """Try again later, or give up."""
        if self._is_overdue(going.job):
            give_up_s = self._config.uplink.uploads.give_up_after_s
            await self._finish(going, UploadState.FAILED, reason=f"it did not get through in {give_up_s:g} s: {reason}")
            return
        going.failures += 1
        wait_s = about_s(min(LONGEST_WAIT_S, 2.0 ** min(going.failures, 10) / 2), self._rng)
        self._put_off(going, reason, max(wait_s, min(after_s or 0.0, 2 * LONGEST_WAIT_S)))

    def _put_off(self, going: _Going, reason: str, wait_s: float) -> None:
        going.due_s = asyncio.get_running_loop().time() + wait_s
        if going.state is not UploadState.WAITING or going.reason != reason:
            log.warning("upload_waits", upload_id=going.job.request.upload_id, reason=reason, wait_s=round(wait_s, 1))
            going.state, going.reason = UploadState.WAITING, reason
            self._on_progress(self._progress(going))

    def _is_overdue(self, job: Job) -> bool:
        """Whether to give it up; asked from the upload's thread, too."""
        now = self._clock.now()
        age_s = (now.wall - job.begun).total_seconds()
        return now.quality is not ClockQuality.UNSYNCED and age_s > self._config.uplink.uploads.give_up_after_s

    async def _finish(self, going: _Going, state: UploadState, **words: Any) -> None:  # noqa: ANN401 - of the progress
        job = going.job
        going.state, going.reason = state, words.get("reason")
        self._going.pop(job.request.upload_id, None)
        if state is UploadState.DONE:
            self.done += 1
            log.info("upload_done", upload_id=job.request.upload_id, sha256=job.sha256, **words)
        else:
            self.failed += 1
            log.warning("upload_failed", upload_id=job.request.upload_id, **words)
        try:
            await aside(lambda: self._shelf.forget(job))
        except OSError as error:
            log.warning("upload_not_forgotten", upload_id=job.request.upload_id, reason=str(error))
        self._on_progress(replace(self._progress(going), **words))

    def _moved(self, going: _Going) -> None:
        """The job says something new."""
        job = going.job
        if going.job.request.upload_id not in self._going:
            return
        if job.sent_bytes > going.best_bytes:
            going.failures, going.best_bytes = 0, job.sent_bytes
        size = job.print.size_bytes if job.print is not None else 0
        percent = 100 * job.sent_bytes // size if size else 0
        if going.state is not UploadState.RUNNING or percent >= going.told_percent + TOLD_EVERY_PERCENT:
            going.state, going.reason, going.told_percent = UploadState.RUNNING, None, percent
            self._on_progress(self._progress(going))

    def _progress(self, going: _Going) -> UploadProgress:
        job, request = going.job, going.job.request
        return UploadProgress(
            upload_id=request.upload_id,
            state=going.state,
            what=request.what,
            host=host_of(request),
            sent_bytes=job.sent_bytes,
            size_bytes=None if job.print is None else job.print.size_bytes,
            sha256=job.sha256,
            etags=tuple(job.etags),
            reason=going.reason,
            context=dict(request.context),
        )

    def _keep(self, job: Job) -> None:
        """Remember it, between two turns of whoever removes footage: from now on nobody removes what it sends.

        Raises:
            UploadRefused: the file was removed since it was looked at.
            OSError: the disk does not take it.
        """
        with Holds(self._config.footage_folder).deciding():
            self._check_file(job.request)
            self._shelf.keep(job)

    def _check_file(self, request: UploadRequest) -> None:
        """Look at the file now, while somebody can still be told.

        Raises:
            UploadRefused: it is not there, not to be sent, or too large.
        """
        footage, most = self._config.footage_folder, self._config.uplink.uploads.max_mb
        try:
            with opened(path_of(request.what, footage), footage) as source:
                size_bytes = source.print.size_bytes
        except (NeverWorks, OSError) as error:
            raise UploadRefused(Refusal.NOT_FOUND, str(error)) from error
        if size_bytes > most * MEGABYTE:
            msg = f"{size_bytes} bytes are more than uplink.uploads.max_mb allows ({most})"
            raise UploadRefused(Refusal.TOO_LARGE, msg)
