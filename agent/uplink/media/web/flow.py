"""The stream of an upload's bytes: as fast as allowed, standing still for alerts, counted."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, BinaryIO, Final

from agent.uplink.media.plan import Cargo
from agent.uplink.media.web.errors import NeverWorks, Paused, Stopped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.uplink.media.purse import Purse
    from agent.uplink.media.road import Road

BLOCK_BYTES: Final = 16 * 1024
"""What an alert may have to wait for: 65 ms at 2 Mbit/s, besides what the kernel holds already."""
AROUND: Final = 1.05
"""Bytes on the line for each byte of a file: 52 of TCP/IP in 1,448, TLS in each 16 kB, and the way back."""
LOOK_EVERY_S: Final = 0.2


class Flow:
    """Gives out the bytes of one upload. Everything but `stop` belongs to the upload's thread."""

    def __init__(self, purse: Purse, road: Road, *, kbit_per_s: int, for_help: bool) -> None:
        self._purse = purse
        self._road = road
        self._bytes_per_s = kbit_per_s * 125
        self._for_help = for_help
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
            NeverWorks: the file is shorter than it was.
        """
        file.seek(start)
        left = size
        while left > 0:
            self._wait()
            if not self._purse.may(Cargo.FILM, for_help=self._for_help):
                raise Paused
            data = file.read(min(BLOCK_BYTES, left))
            if not data:
                msg = "the file became shorter while it was being sent"
                raise NeverWorks(msg)
            left -= len(data)
            self._purse.spend(round(len(data) * AROUND), for_help=self._for_help)
            self._free_s = max(self._free_s, time.monotonic()) + len(data) / self._bytes_per_s
            yield data

    def _wait(self) -> None:
        self.check()
        while not self._road.wait_clear(LOOK_EVERY_S):
            self.check()
        while (wait_s := self._free_s - time.monotonic()) > 0:
            self._stopped.wait(wait_s)
            self.check()
