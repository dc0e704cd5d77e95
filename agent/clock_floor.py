"""What time it is at least: for certificates, on a board that wakes up in 1970.

A unit without a battery clock and without a time source cannot know the time, and certificates are valid between two
times. But it knows moments that have passed: its software was built, its own certificate was issued, and it once had
the time from a source. No certificate is judged by a clock that is behind those; and a clock that nobody set is itself
no more than such a moment: what is not valid yet by it may well be valid now, only what has ended by it has ended.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import structlog

import agent
from agent.clock import ClockQuality
from agent.durable import put_whole

if TYPE_CHECKING:
    from pathlib import Path

    from agent.clock import Clock

log = structlog.get_logger()

FILE_NAME: Final = "last-known-time"


class Source(StrEnum):
    """Where a time comes from."""

    CLOCK = "clock"
    """The machine's clock, which is behind none of the others."""
    BUILT = "built"
    """This software was built then."""
    ISSUED = "issued"
    """This unit's own certificate was issued then."""
    LAST_KNOWN = "last-known"
    """The clock was right then, in this boot or an earlier one."""


@dataclass(frozen=True)
class Known:
    """What time it is, or how late it is at least."""

    at: datetime
    """Aware, UTC."""
    by: Source
    is_exact: bool
    """It is so late now; else at least so late."""


class ClockFloor:
    """Knows how late it is at least. Touches the disk: belongs into a thread."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        """A floor for this unit.

        Args:
            folder: Where the last known time is kept.
            clock: The machine's clock, with what is known about its truth.
        """
        self._path = folder / FILE_NAME
        self._clock = clock

    def known(self, issued: datetime | None = None) -> Known:
        """The time by which certificates are to be judged now.

        A clock that a time source disciplines is believed even when it is behind the last known time: that one was
        wrong then. It is never believed behind what cannot be wrong.

        Args:
            issued: When the unit's own certificate was issued, if it is known.
        """
        now = self._clock.now()
        is_set = now.quality is not ClockQuality.UNSYNCED
        passed = {Source.CLOCK: now.wall, Source.BUILT: agent.BUILT}
        if issued is not None:
            passed[Source.ISSUED] = issued
        if not is_set and (last := self._last_known()) is not None:
            passed[Source.LAST_KNOWN] = last
        by = max(passed, key=lambda source: passed[source])
        return Known(passed[by], by, is_exact=is_set and by is Source.CLOCK)

    def remember(self) -> None:
        """Keep the time, if the clock is to be believed.

        Raises:
            OSError: it cannot be kept.
        """
        now = self._clock.now()
        if now.quality is not ClockQuality.UNSYNCED and now.wall > agent.BUILT:
            put_whole(self._path, now.wall.isoformat(timespec="seconds").encode())

    def _last_known(self) -> datetime | None:
        try:
            return datetime.fromisoformat(self._path.read_text(encoding="ascii")).astimezone(UTC)
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            log.warning("last_known_time_unreadable", file=str(self._path), reason=str(error))
            return None
