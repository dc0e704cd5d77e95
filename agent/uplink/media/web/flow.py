"""The stream of an upload's bytes: as fast as allowed, standing still for alerts, counted."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, BinaryIO, Final

from agent.uplink.media.plan import Cargo
from agent.uplink.media.web.errors import NeverWorks, Paused, Stopped, TryAgain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agent.uplink.media.purse import Purse
    from agent.uplink.media.road import Road

BLOCK_BYTES: Final = 16 * 1024
"""What an alert may have to wait for: 65 ms at 2 Mbit/s, besides what the kernel holds already."""
LOOK_EVERY_S: Final = 0.2


class Flow:
    """Gives out the bytes of one upload. Everything but `stop` belongs to the upload's thread."""

    def __init__(
        self, purse: Purse, road: Road, *, kbit_per_s: int, for_help: bool, overdue: Callable[[], bool]
    ) -> None:
        """A stream that nobody has asked for.

        Args:
            purse: Pays.
            road: Stands still for alerts.
            kbit_per_s: How fast it may be.
            for_help: It belongs to a help call, which pays nothing.
            overdue: Whether it is time to give the upload up; asked before every block.
        """
        self._purse = purse
        self._road = road
        self._bytes_per_s = kbit_per_s * 125
        self._for_help = for_help
        self._overdue = overdue
        self._stopped = threading.Event()
        self._free_s = 0.0
        """When the next block may go, on the monotonic clock."""

    def stop(self) -> None:
        """End the stream, from any thread."""
        self._stopped.set()

    def check(self) -> None:
        """Raise what ends it.

        Raises:
            Stopped: somebody stopped it.
        """
        if self._stopped.is_set():
            raise Stopped

    def blocks(self, file: BinaryIO, start: int, size: int) -> Iterator[bytes]:
        """This stretch of the file, block by block, each when it may go.

        Raises:
            Stopped: somebody stopped it.
            Paused: the data plan ran out.
            TryAgain: it takes too long; whoever tries again gives it up.
            NeverWorks: the file is shorter than it was.
        """
        file.seek(start)
        left = size
        while left > 0:
            self._wait()
            if self._overdue():
                msg = "it was still being sent"
                raise TryAgain(msg)
            if not self._purse.may(Cargo.FILM, for_help=self._for_help):
                raise Paused
            data = file.read(min(BLOCK_BYTES, left))
            if not data:
                msg = "the file became shorter while it was being sent"
                raise NeverWorks(msg)
            left -= len(data)
            self._purse.spend(len(data), for_help=self._for_help)
            self._free_s = max(self._free_s, time.monotonic()) + len(data) / self._bytes_per_s
            yield data

    def _wait(self) -> None:
        self.check()
        while True:
            is_clear, wait_s = self._road.wait_clear(LOOK_EVERY_S), self._free_s - time.monotonic()
            self.check()
            if is_clear and wait_s <= 0:
                return
            if is_clear:
                self._stopped.wait(wait_s)  # then look again: an alert may have begun its way meanwhile
                self.check()
