"""The daemon's knowledge of its own updates: what the update wrote down, told to the control room."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import structlog

from agent.apart import apart
from agent.signals import FaultCleared, Faulted
from agent.update.slots import slot_of
from agent.update.standing import Standing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from agent.clock import Clock
    from agent.signals import Signal

log = structlog.get_logger()

PART: Final = "update"
LOOK_EVERY_S: Final = 20.0
"""A heartbeat tells what is so; a fault that lasts is told again within a minute of a start (standards.md goal 10)."""
READ_WITHIN_S: Final = 5.0


class UpdateRoom:
    """Reads the file again and again: it is some hundred bytes from the page cache."""

    def __init__(
        self, folder: Path, clock: Clock, report: Callable[[Signal], None], environment: Path = Path(sys.prefix)
    ) -> None:
        """Nothing read yet.

        Args:
            folder: The update's own.
            clock: Stamps what is reported.
            report: Takes faults and restores.
            environment: The one that this program runs in; of a unit, a slot.
        """
        self._folder = folder
        self._clock = clock
        self._report = report
        self._slot = slot_of(environment)
        self._standing = Standing()
        self._told: dict[str, str] = {}
        """The sentence of each fault that is open, by its code."""
        self._lost = False

    def facts(self) -> Mapping[str, Any]:
        """For the heartbeat; nothing where there never was an update."""
        facts = {**({} if self._slot is None else {"slot": self._slot}), **self._standing.facts()}
        return {PART: facts} if facts else {}

    async def run(self, working: Callable[[], None]) -> None:
        """Look until cancelled."""
        while True:
            working()
            await self.look()
            await asyncio.sleep(LOOK_EVERY_S)

    async def look(self) -> None:
        """Read once, and tell what changed. A disk that does not tell changes nothing; its fault is the health's."""
        try:
            standing = await apart(lambda: Standing.read(self._folder), name="update-standing", within_s=READ_WITHIN_S)
        except (OSError, TimeoutError) as error:
            if not self._lost:
                log.warning("update_standing_unread", error=repr(error))
            self._lost = True
            return
        if self._lost:
            log.info("update_standing_read")
        self._lost = False
        self._standing = standing
        now = self._clock.now()
        found = dict(standing.faults(now.wall))
        for code, text in self._told.items():
            if found.get(code) != text:  # another version of the same trouble is another fault
                self._report(FaultCleared(PART, code, now))
        for code, text in found.items():
            if self._told.get(code) != text:
                self._report(Faulted(PART, code, text, now))
        self._told = found
