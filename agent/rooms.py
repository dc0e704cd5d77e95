"""Keeps a part of the daemon at work: restarts what fails, says so once, and says once that it is back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import structlog

from agent.hw.kit import HardwareLost
from agent.signals import FaultCleared, Faulted

if TYPE_CHECKING:
    from agent.clock import Clock
    from agent.signals import Signal

log = structlog.get_logger()

Work = Callable[[Callable[[], None]], Awaitable[None]]
"""A part's main coroutine. It calls its argument once it really works."""
Room = tuple[str, Work]
"""What runs, by the name under which it is reported when it does not."""

BACKOFF_S = (0.2, 1.0, 5.0, 15.0)
"""Waits before a part is started again; the last one repeats for ever. A wire may be pushed back in at any time."""


async def keep(
    part: str,
    work: Work,
    clock: Clock,
    report: Callable[[Signal], None],
) -> None:
    """Run `work` for ever; it is cancelled from outside.

    Args:
        part: Its name in faults.
        work: The part's main coroutine. It calls its argument once it really works, which ends a reported fault.
        clock: Stamps the faults.
        report: Takes `Faulted` and `FaultCleared`.
    """
    failures = 0
    reported = False

    def working() -> None:
        nonlocal failures, reported
        failures = 0
        if reported:
            reported = False
            log.info("part_back", part=part)
            report(FaultCleared(part, "down", clock.now()))

    while True:
        try:
            await work(working)
            why = "ended by itself"
        except HardwareLost as lost:
            why = str(lost)
        except Exception as error:  # a fault of one part must never end the others
            log.exception("part_failed", part=part)
            why = f"failed: {error}"
        if not reported:
            reported = True
            log.warning("part_lost", part=part, why=why)
            report(
                Faulted(part, "down", f"{part}: {why}. It is tried again; the rest of the unit goes on.", clock.now())
            )
        await asyncio.sleep(BACKOFF_S[min(failures, len(BACKOFF_S) - 1)])
        failures += 1
