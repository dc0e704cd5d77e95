"""The daemon's knowledge of its own commissioning: read at the start and when a new one is there, told to the rules."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

import structlog

from agent.apart import apart
from agent.commission.standing import FAULTY, Standing, State, read_standing, unreadable
from agent.signals import FaultCleared, Faulted, Proved

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from agent.clock import Clock
    from agent.config.settings import Config
    from agent.signals import Signal

log = structlog.get_logger()

PART: Final = "commissioning"
READ_WITHIN_S: Final = 3.0
"""As long as the start waits for the outbox's disk (`agent.uplink.storage`), and at the same time."""
AGAIN_S: Final = 60.0
"""How soon it is tried again with a disk that did not tell."""


class CommissioningRoom:
    """`begin` before the first signal is decided; `read_again` at any time."""

    def __init__(self, config: Config, clock: Clock, report: Callable[[Signal], None]) -> None:
        """Nothing read yet.

        Args:
            config: What the unit runs with.
            clock: Stamps what is reported.
            report: Takes what is proved, and faults.
        """
        self._config = config
        self._clock = clock
        self._report = report
        self._news = asyncio.Event()
        self._standing: Standing | None = None

    async def begin(self) -> None:
        """Read it, and tell what is proved."""
        try:
            found = await apart(lambda: read_standing(self._config), name="commissioning", within_s=READ_WITHIN_S)
        except TimeoutError:
            found = unreadable("the disk does not answer")
        was, self._standing = self._standing, found
        log.info("commissioning_read", state=found.state, untested=sorted(found.untested), changed=found.changed)
        now = self._clock.now()
        self._report(Proved(found.nothing, found.untested, now))
        if was is not None and was.state in FAULTY and was.state is not found.state:
            self._report(FaultCleared(PART, was.state, now))
        if found.state in FAULTY:
            self._report(Faulted(PART, found.state, found.text, now))

    def read_again(self) -> None:
        """There is a new one."""
        self._news.set()

    def facts(self) -> Mapping[str, Any]:
        """For the heartbeat."""
        return {} if self._standing is None else {PART: self._standing.facts()}

    async def run(self, working: Callable[[], None]) -> None:
        """Read it whenever there is a new one, and until it could be read, until cancelled."""
        working()
        while True:
            unknown = self._standing is None or self._standing.state is State.UNREADABLE
            try:
                async with asyncio.timeout(AGAIN_S if unknown else None):
                    await self._news.wait()
            except TimeoutError:
                pass  # the disk may tell by now
            self._news.clear()
            await self.begin()
