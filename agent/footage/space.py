"""Keeps room on the disk for the next segment by removing the oldest rolling footage."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from agent.footage.index import FootageIndex

log = structlog.get_logger()

RESERVE_BYTES = 200_000_000
"""What footage leaves free for the rest of the unit: an outbox at its capacity with its write-ahead log (about 80 MB),
the journal's usual cap (100 MB) and some slack. A share of the disk would waste gigabytes of a big one and leave too
little on a small one."""


def free_bytes(folder: Path) -> int:
    """What an ordinary process may still write below this folder."""
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize


class Space:
    """The bounds of the rolling footage. Clips and stills are never touched."""

    def __init__(
        self,
        folder: Path,
        index: FootageIndex,
        rolling_max_bytes: int,
        reserve_bytes: int = RESERVE_BYTES,
        free: Callable[[Path], int] = free_bytes,
    ) -> None:
        self._folder = folder
        self._index = index
        self._rolling_max_bytes = rolling_max_bytes
        self._reserve_bytes = reserve_bytes
        self._free = free

    def make_room(self, needed_bytes: int) -> None:
        """Remove the oldest complete segments until a segment of this size fits.

        Raises:
            OSError: it does not fit although no rolling footage is left (ENOSPC), or the disk refuses.
        """
        while not self._fits(needed_bytes) and (segment := self._index.oldest()) is not None:
            segment.path.unlink(missing_ok=True)
            self._index.forget(segment)
            log.info("segment_expired", name=segment.path.name, size_bytes=segment.size_bytes)
        if self._lacking(needed_bytes):
            reserve_mb = self._reserve_bytes // 1_000_000
            msg = f"less than {reserve_mb} MB are free and no rolling footage is left to remove"
            raise OSError(errno.ENOSPC, msg)

    def _fits(self, needed_bytes: int) -> bool:
        within = self._index.total_bytes() + needed_bytes <= self._rolling_max_bytes
        return within and not self._lacking(needed_bytes)

    def _lacking(self, needed_bytes: int) -> bool:
        return self._free(self._folder) < self._reserve_bytes + needed_bytes
