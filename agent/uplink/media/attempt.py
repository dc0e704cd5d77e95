"""One attempt at an upload, in a thread of its own that can be stopped from the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import threading
from typing import TYPE_CHECKING, Final

import structlog

from agent.signals import Category
from agent.uplink.media.request import Confirmed, UploadRefused, check_request, path_of
from agent.uplink.media.web.client import Client
from agent.uplink.media.web.delivery import carry_out
from agent.uplink.media.web.errors import NeverWorks, Paused, Stopped, TryAgain
from agent.uplink.media.web.flow import Flow
from agent.uplink.media.web.source import opened
from agent.uplink.media.web.transfer import Transfer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from agent.config.settings import Config
    from agent.uplink.media.purse import Purse
    from agent.uplink.media.road import Road
    from agent.uplink.media.web.job import Job, Shelf
    from agent.uplink.wire import Wire

log = structlog.get_logger()

GONE_WITHIN_S: Final = 1.5
"""How long the thread may take to end; one that hangs in a name look-up or a dead disk is left to the process's end."""
MEGABYTE: Final = 1_000_000


class Attempt:
    """Belongs to the event loop, but for `_work`, which is the thread."""

    def __init__(  # noqa: PLR0913 - what it sends, and what may hold it up
        self,
        job: Job,
        config: Config,
        purse: Purse,
        road: Road,
        shelf: Shelf,
        *,
        wire: Wire,
        interface: str | None,
        overdue: Callable[[], bool],
    ) -> None:
        self._job = job
        self._config = config
        self._shelf = shelf
        self._wire = wire
        self._interface = interface
        self._flow = Flow(
            purse,
            road,
            kbit_per_s=config.uplink.uploads.kbit_per_s,
            for_help=job.request.category is Category.HELP,
            overdue=overdue,
        )
        self._client: Client | None = None
        self._loop = asyncio.get_running_loop()
        self._outcome: asyncio.Future[Confirmed] = self._loop.create_future()
        self._ended = asyncio.Event()
        self._progressed: Callable[[], None] = lambda: None

    async def run(self, progressed: Callable[[], None]) -> Confirmed:
        """Make the attempt; cancelling it stops the thread.

        Args:
            progressed: Called on the event loop whenever the job says something new.

        Raises:
            TryAgain, NeverWorks, Paused: see there.
        """
        self._progressed = progressed
        name = f"upload-{self._job.request.upload_id}"
        threading.Thread(target=self._work, name=name, daemon=True).start()
        try:
            return await self._outcome
        finally:
            await self._end()

    async def _end(self) -> None:
        self._flow.stop()
        if self._client is not None:
            self._client.hang_up()
        try:
            async with asyncio.timeout(GONE_WITHIN_S):
                await self._ended.wait()
        except TimeoutError:
            log.warning("upload_thread_left_behind", upload_id=self._job.request.upload_id)

    # --- the thread ----------------------------------------------------------------------------------------------

    def _work(self) -> None:
        try:
            confirmed = self._carry_out()
        except (TryAgain, NeverWorks, Paused) as error:
            self._post(self._failed, error)
        except Stopped:
            self._post(self._failed, TryAgain("it was stopped"))
        except OSError as error:  # the disk, or the authority's file
            self._post(self._failed, TryAgain(f"the unit's own disk failed: {error.strerror or error}"))
        except Exception as error:  # whatever it is, it ends this attempt only, and is told
            log.exception("upload_broke", upload_id=self._job.request.upload_id)
            self._post(self._failed, TryAgain(f"it broke: {type(error).__name__}"))
        else:
            self._post(self._succeeded, confirmed)
        finally:
            self._post(self._ended.set)

    def _carry_out(self) -> Confirmed:
        job, uploads = self._job, self._config.uplink.uploads
        footage = self._config.footage_folder
        try:  # an earlier life took it, perhaps under another configuration
            check_request(job.request, uploads, insecure_lab=self._config.uplink.insecure_lab)
        except UploadRefused as refused:
            raise NeverWorks(str(refused)) from refused
        with opened(path_of(job.request.what, footage), footage) as source:
            if source.print.size_bytes > uploads.max_mb * MEGABYTE:
                msg = f"{source.print.size_bytes} bytes are more than uplink.uploads.max_mb allows ({uploads.max_mb})"
                raise NeverWorks(msg)
            client = self._client = Client(
                _context(uploads.ca_file, self._wire), job.request.headers, self._wire, self._interface
            )
            self._flow.check()  # whoever stopped us before this line had nobody to hang up on
            try:
                return carry_out(Transfer(job, source, client, self._flow, self._keep, self._moved))
            finally:
                client.close()

    def _keep(self) -> None:
        self._flow.check()  # a thread that was left behind must not write over what a later one wrote
        self._shelf.keep(self._job)

    def _moved(self) -> None:
        self._keep()
        self._post(self._progressed)

    def _post(self, call: Callable[..., object], *args: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is left to tell
            self._loop.call_soon_threadsafe(call, *args)

    def _succeeded(self, confirmed: Confirmed) -> None:
        if not self._outcome.done():
            self._outcome.set_result(confirmed)

    def _failed(self, error: Exception) -> None:
        if not self._outcome.done():
            self._outcome.set_exception(error)


def _context(ca_file: Path | None, wire: Wire) -> ssl.SSLContext:
    """The system's authorities and the configured one; names checked, TLS 1.2 at least.

    Not 1.3 as for the broker: storage services of others speak 1.2. And certificates are judged by the machine's clock
    alone, without the last known time that the broker's are judged by: an upload can wait until the clock is right.
    """
    context = ssl.create_default_context()
    if ca_file is not None:
        context.load_verify_locations(ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2

    class CountedSocket(ssl.SSLSocket):
        """Counts a handshake that fails: nobody else ever sees its socket."""

        def do_handshake(self, block: bool = False) -> None:  # noqa: FBT001, FBT002 - ssl.SSLSocket's own signature
            try:
                super().do_handshake(block)
            except OSError:
                wire.last_look(self)
                raise

    context.sslsocket_class = CountedSocket
    return context
