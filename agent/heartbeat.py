"""The unit's proof of life: its health, looked at anew each time, told to whoever watches."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import agent
from agent.health.watch import HealthWatch
from agent.uplink import messages
from agent.uplink.publication import LinkDown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from agent.clock import Clock
    from agent.config.settings import Config
    from agent.signals import Signal
    from agent.uplink.paths import Paths


class Heartbeat:
    """Sends a heartbeat each `uplink.heartbeat_s`, and one more at once whenever a path comes up."""

    def __init__(
        self,
        config: Config,
        clock: Clock,
        paths: Paths,
        facts: Callable[[], Mapping[str, Any]],
        report: Callable[[Signal], None],
    ) -> None:
        """A heart that does not beat yet.

        Args:
            config: How often, and what to look at.
            clock: Stamps the beats.
            paths: Where they go.
            facts: What the unit's parts say of themselves now.
            report: Takes the faults and restores that the health checks find.
        """
        self._config = config
        self._clock = clock
        self._paths = paths
        self._facts = facts
        self._watch = HealthWatch(config, clock, report)
        self._began = clock.now()
        self._soon = asyncio.Event()

    def beat_soon(self) -> None:
        """Do not wait for the next turn."""
        self._soon.set()

    async def run(self, working: Callable[[], None]) -> None:
        """Beat until cancelled.

        Raises:
            PublishRefused: the broker does not let this unit say that it lives.
        """
        while True:
            readings = await self._watch.look()
            now = self._clock.now()
            facts = {
                "uptimeS": round(now.monotonic_s - self._began.monotonic_s),
                "intervalS": self._config.uplink.heartbeat_s,
                "sw": agent.__version__,
                "health": {name: dict(reading.facts) for name, reading in readings.items()},
            } | dict(self._facts())
            try:
                await self._paths.beat(messages.heartbeat(self._config.unit, now, facts).publication())
            except LinkDown:
                pass  # the control room misses it, which is what a missing heartbeat is for
            else:
                working()
            try:
                async with asyncio.timeout(self._config.uplink.heartbeat_s):
                    await self._soon.wait()
            except TimeoutError:
                continue
            finally:
                self._soon.clear()
