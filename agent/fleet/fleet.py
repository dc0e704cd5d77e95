"""Many simulated units on one event loop: they come one after the other, live, raise alerts, and leave in order."""

from __future__ import annotations

import asyncio
import gc
import threading
from typing import TYPE_CHECKING, Final

from agent.config.settings import Config, UnitSettings, UplinkSettings
from agent.fleet.tally import Tally
from agent.fleet.unit import FleetUnit

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Sequence

    from agent.clock import Clock
    from agent.uplink.endpoint import Endpoint

STACK_BYTES: Final = 256 * 1024
"""Of a handshake's thread. When a broker comes back, thousands of units knock at the same time."""
LEAVE_AT_ONCE: Final = 200
"""Units that say good-bye together."""
ALL_WAITED_EVERY_S: Final = 0.2


def unit_id(number: int) -> str:
    """The name of a simulated unit, in its topics and on its certificate."""
    return f"fleet-{number:05d}"


class Fleet:
    """`run` does the work; it ends by `stop`."""

    def __init__(  # noqa: PLR0913 - what a fleet is made of
        self,
        count: int,
        org: str,
        endpoints_of: Callable[[str], Sequence[Endpoint]],
        clock: Clock,
        rng: random.Random,
        *,
        first: int = 1,
        per_s: float,
        alerts_per_min: float,
        heartbeat_s: float,
    ) -> None:
        """A fleet of nobody yet. Build it on a running event loop.

        Args:
            count: How many units.
            org: Whose.
            endpoints_of: The brokers, as the unit of this name reaches them.
            clock: Stamps messages.
            rng: Where chance comes from.
            first: The number of the first unit.
            per_s: How many units are switched on in a second.
            alerts_per_min: Test alerts of the whole fleet, at times of chance.
            heartbeat_s: Between a unit's heartbeats, about.
        """
        self.tally = Tally(count)
        self._org = org
        self._numbers = range(first, first + count)
        self._endpoints_of = endpoints_of
        self._clock = clock
        self._rng = rng
        self._per_s = per_s
        self._alerts_per_min = alerts_per_min
        self._heartbeat_s = heartbeat_s
        self._units: list[FleetUnit] = []
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Raise no alerts any more, wait for those that were raised, and leave."""
        self._stopping.set()

    async def run(self, grace_s: float) -> None:
        """Live until `stop`; then wait this long for the alerts that no receiver has acknowledged, and leave."""
        before = threading.stack_size(STACK_BYTES)
        try:
            async with asyncio.TaskGroup() as work:
                arriving = work.create_task(self._arrive(work))
                alarming = work.create_task(self._alarm())
                await self._stopping.wait()
                alarming.cancel()
                arriving.cancel()
                await self._all_acknowledged(grace_s)
                for start in range(0, len(self._units), LEAVE_AT_ONCE):
                    await asyncio.gather(*(unit.close() for unit in self._units[start : start + LEAVE_AT_ONCE]))
        finally:
            threading.stack_size(before)

    async def _arrive(self, work: asyncio.TaskGroup) -> None:
        for number in self._numbers:
            name = unit_id(number)
            unit = FleetUnit(self._config(name), self._endpoints_of(name), self._clock, self.tally, self._rng)
            self._units.append(unit)
            work.create_task(unit.run(), name=name)
            await asyncio.sleep(1 / self._per_s)
        gc.collect()
        gc.freeze()  # thousands of units stay: looking at them all again and again would hold up everything

    async def _alarm(self) -> None:
        if self._alerts_per_min == 0:
            return
        while True:
            await asyncio.sleep(self._rng.expovariate(self._alerts_per_min / 60))
            if self._units:
                self._rng.choice(self._units).raise_alert()

    async def _all_acknowledged(self, within_s: float) -> None:
        try:
            async with asyncio.timeout(within_s):
                while self.tally.waiting:  # noqa: ASYNC110 - thousands of units, one condition, looked at seldom
                    await asyncio.sleep(ALL_WAITED_EVERY_S)
        except TimeoutError:
            return  # the tally says how many wait

    def _config(self, name: str) -> Config:
        return Config(
            profile="safe-point",
            unit=UnitSettings(id=name, org=self._org, name=f"Simulated unit {name}", location="Nowhere (simulated)"),
            # Where the broker really is, its endpoint says; of this only the waits count.
            uplink=UplinkSettings(broker="mqtt://localhost", insecure_lab=True, heartbeat_s=self._heartbeat_s),
        )
