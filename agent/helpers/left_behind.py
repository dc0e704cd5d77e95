"""Processes that cannot be killed: nobody waits for them, and their end is noticed all the same."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from agent.signals import FaultCleared, Faulted

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.clock import Clock
    from agent.helpers.ladder import Ladder
    from agent.helpers.process import Process
    from agent.signals import Signal

log = structlog.get_logger()

AT_MOST = 2
"""So many, and no further process is started: each holds its device and its memory (100 MB of a Pi 3's 1 GB), and what
two could not do a third will not."""


class LeftBehind:
    """The processes of one helper that were left behind; one fault for all of them, with a restore."""

    def __init__(self, helper: str, ladder: Ladder, clock: Clock, report: Callable[[Signal], None]) -> None:
        self._helper = helper
        self._ladder = ladder
        self._clock = clock
        self._report = report
        self._waiting: dict[Process, asyncio.Task[None]] = {}

    def add(self, process: Process) -> None:
        """Leave this one behind."""
        log.error("helper_cannot_be_killed", helper=self._helper, pid=process.pid)
        now = self._clock.now()
        if not self._waiting:
            text = (
                f"A process of the {self._helper} cannot be killed: its device hangs. "
                "It is left behind and a new one is tried. Help calls by button are not affected."
            )
            self._report(Faulted(self._helper, "unkillable", text, now))
        self._ladder.cannot_kill(process.pid, now.monotonic_s)
        self._waiting[process] = asyncio.create_task(self._outwait(process), name=f"{self._helper} {process.pid}")

    async def until_few(self) -> None:
        """Wait until one more process may be tried."""
        while len(self._waiting) >= AT_MOST:
            await asyncio.wait(self._waiting.values(), return_when=asyncio.FIRST_COMPLETED)

    async def let_go(self) -> None:
        """The daemon ends: watch them no more."""
        for process, waiting in self._waiting.items():
            waiting.cancel()
            process.let_go()
        await asyncio.gather(*self._waiting.values(), return_exceptions=True)
        self._waiting.clear()

    async def _outwait(self, process: Process) -> None:
        await process.ended()
        log.info("helper_ended_after_all", helper=self._helper, pid=process.pid)
        del self._waiting[process]
        self._ladder.ended_after_all(process.pid)
        if not self._waiting:
            self._report(FaultCleared(self._helper, "unkillable", self._clock.now()))
