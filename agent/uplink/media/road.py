"""The right of way: while an alert is under way to the broker, pictures and films stand still."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

LOOK_EVERY_S: Final = 0.05
"""How often it is looked whether the road is free again; a still is due within two seconds."""
AT_MOST_S: Final = 10.0
"""A broker that takes an alert for longer than this is not there, and an upload may be all that still gets out."""


class Road:
    """Free, or given to alerts. `give_way` belongs to the event loop; `wait_clear` may be called from any thread."""

    def __init__(self, alerts_under_way: Callable[[], bool]) -> None:
        """A free road.

        Args:
            alerts_under_way: Whether the broker has yet to take an alert that the link was given.
        """
        self._alerts_under_way = alerts_under_way
        self._clear = threading.Event()
        self._clear.set()
        self._given = asyncio.Event()

    @property
    def is_clear(self) -> bool:
        """Whether media may go."""
        return self._clear.is_set()

    def give_way(self) -> None:
        """An alert begins its way now."""
        self._clear.clear()
        self._given.set()

    def wait_clear(self, timeout_s: float) -> bool:
        """Block a thread until the road is free, or for this long; returns whether it is."""
        return self._clear.wait(timeout_s)

    async def clear(self) -> None:
        """Wait until the road is free."""
        while not self._clear.is_set():  # noqa: ASYNC110 - the threads' event, which asyncio cannot wait for
            await asyncio.sleep(LOOK_EVERY_S)

    async def run(self, working: Callable[[], None]) -> None:
        """Free the road again whenever it was given, until cancelled."""
        working()
        try:
            while True:
                await self._given.wait()
                self._given.clear()
                try:
                    async with asyncio.timeout(AT_MOST_S):
                        await asyncio.sleep(LOOK_EVERY_S)
                        while self._alerts_under_way():  # noqa: ASYNC110 - the courier has no event for each receipt
                            await asyncio.sleep(LOOK_EVERY_S)
                except TimeoutError:
                    pass  # the courier tells that the broker takes nothing
                if not self._given.is_set():
                    self._clear.set()
        finally:
            self._clear.set()
