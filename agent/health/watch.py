"""Runs the checks without ever waiting for a device that hangs, and turns their findings into signals."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

from agent.health import check_all
from agent.health.reading import Reading
from agent.signals import FaultCleared, Faulted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from agent.clock import Clock
    from agent.config.settings import Config
    from agent.signals import Signal

READ_WITHIN_S = 5.0
"""A check answers in milliseconds; one that takes this long reads from a device that hangs."""


class HealthWatch:
    """The unit's health as faults and restores."""

    def __init__(self, config: Config, clock: Clock, report: Callable[[Signal], None]) -> None:
        self._config = config
        self._clock = clock
        self._report = report
        self._reading = False
        """A thread is in the checks, or stuck there."""
        self._open: set[tuple[str, str]] = set()
        """(part, code) of what is reported and not yet restored."""

    async def look(self) -> Mapping[str, Reading]:
        """Run all checks once and report what changed; returns the readings, none while a device hangs."""
        if self._reading:
            return {}  # still in the device that hangs: reported already, and a second thread would only hang too
        loop = asyncio.get_running_loop()
        done: asyncio.Future[dict[str, Reading]] = loop.create_future()

        def give(readings: dict[str, Reading]) -> None:
            self._reading = False
            if not done.done():
                done.set_result(readings)

        def read() -> None:
            readings = check_all(self._config)
            if not loop.is_closed():
                loop.call_soon_threadsafe(give, readings)

        # A daemon thread: one that hangs in the kernel must not keep the process from ending.
        self._reading = True
        threading.Thread(target=read, name="health", daemon=True).start()
        try:
            async with asyncio.timeout(READ_WITHIN_S):
                readings = await done
        except TimeoutError:
            text = "A health check hangs: a disk or sensor does not answer."
            self._compare({"health": Reading({}, {"hangs": text})})
            return {}
        self._compare(readings)
        return readings

    def _compare(self, readings: Mapping[str, Reading]) -> None:
        now = self._clock.now()
        found = {(part, code): reading for part, reading in readings.items() for code in reading.faults}
        for part, code in sorted(found.keys() - self._open):
            reading = found[part, code]
            self._report(Faulted(part, code, reading.faults[code], now, tampered=code in reading.tampered))
        for part, code in sorted(self._open - found.keys()):
            self._report(FaultCleared(part, code, now))
        self._open = set(found)
