"""The start of a helper process, in a thread: it returns only when the disk has given the program, and a disk may hang.

One that hangs is waited for, however long that takes: another would hang beside it. It is a fault until it is over.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING

import structlog

from agent.children import start_child
from agent.helpers.process import Process, end_unwatched, reap_let_go
from agent.signals import FaultCleared, Faulted

if TYPE_CHECKING:
    import socket
    import subprocess
    from collections.abc import Callable, Sequence

    from agent.clock import Clock
    from agent.signals import Signal

log = structlog.get_logger()

START_WITHIN_S = 5.0
"""A start takes milliseconds, on a board that swaps a second; one that takes this long hangs with the disk."""
HANGS = "start-hangs"


async def start_helper(
    helper: str, argv: Sequence[str], line: socket.socket, clock: Clock, report: Callable[[Signal], None]
) -> Process:
    """Start a helper's process.

    Args:
        helper: Its name in faults.
        argv: The program and its arguments.
        line: The one thing, besides output, that it gets from us. It is closed here once the process has it.
        clock: Stamps the faults.
        report: Takes the fault of a start that hangs, and its restore.

    Raises:
        OSError: it cannot be started.
    """
    start = _Start(argv, line)
    try:
        if not await start.over(START_WITHIN_S):
            log.error("helper_start_hangs", helper=helper)
            text = (
                f"The {helper} cannot be started: the disk does not give its program. It starts when the disk answers. "
                "Help calls by button are not affected."
            )
            report(Faulted(helper, HANGS, text, clock.now()))
            await start.over()
            log.info("helper_start_over", helper=helper)
            report(FaultCleared(helper, HANGS, clock.now()))
        return start.process()
    except asyncio.CancelledError:
        start.give_up()
        raise


class _Start:
    """One start, from its beginning until its child is handed on or given up."""

    def __init__(self, argv: Sequence[str], line: socket.socket) -> None:
        reap_let_go()
        self._loop = asyncio.get_running_loop()
        self._started: asyncio.Future[subprocess.Popen[bytes]] = self._loop.create_future()
        self._given_up = False
        # A daemon thread: one that hangs in the kernel must not keep the process from ending.
        threading.Thread(target=self._run, args=(argv, line), name="helper-start", daemon=True).start()

    async def over(self, within_s: float | None = None) -> bool:
        """Wait until it is over, at most this long; returns whether it is."""
        await asyncio.wait([self._started], timeout=within_s)
        return self._started.done()

    def process(self) -> Process:
        """The child, once it is over.

        Raises:
            OSError: it cannot be started, or not be watched: no descriptor is left.
        """
        child = self._started.result()
        try:
            return Process(child)
        except OSError:
            end_unwatched(child)
            raise

    def give_up(self) -> None:
        """Wait no more: a child that comes after all is ended. One whose daemon is gone by then ends with its line."""
        self._given_up = True
        if self._started.done() and self._started.exception() is None:
            end_unwatched(self._started.result())

    def _run(self, argv: Sequence[str], line: socket.socket) -> None:
        child, failed = None, None
        with line:
            try:
                child = start_child(argv, pass_fds=(line.fileno(),))
            except OSError as error:
                failed = error
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(self._give, child, failed)

    def _give(self, child: subprocess.Popen[bytes] | None, failed: OSError | None) -> None:
        if self._given_up:
            if child is not None:
                end_unwatched(child)
        elif child is not None:
            self._started.set_result(child)
        elif failed is not None:
            self._started.set_exception(failed)
