"""What the names of the segments say of each boot's time, kept up with each segment."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from agent.clock import ClockQuality
from agent.footage.keep.ages import BootSpan

if TYPE_CHECKING:
    import sqlite3

    from agent.footage.store.segments import SegmentName

SPANS = """
SELECT boot, min(start_s), max(end_s), min(start_s) FILTER (WHERE synced), min(offset_s) FILTER (WHERE synced),
    max(offset_s) FILTER (WHERE synced)
FROM (SELECT seq, boot, start_s, end_s, quality = 'synced' AS synced,
    (julianday(wall) - 2440587.5) * 86400.0 - start_s AS offset_s FROM segment)
GROUP BY boot ORDER BY min(seq)
"""


class Spans:
    """The boots in the order of their recording; whoever calls holds the table's lock."""

    def __init__(self) -> None:
        self._of_boot: dict[str, BootSpan] = {}

    def load(self, db: sqlite3.Connection) -> None:
        """Read all rows, once."""
        self._of_boot = {
            boot: BootSpan(boot, start_s, end_s, synced_from_s, least or 0.0, most or 0.0)
            for boot, start_s, end_s, synced_from_s, least, most in db.execute(SPANS)
        }

    def all(self) -> list[BootSpan]:
        """All that recorded something."""
        return list(self._of_boot.values())

    def widen(self, name: SegmentName, end_s: float) -> None:
        """A segment is complete."""
        start = name.start
        begin_s, boot = start.monotonic_s, start.boot_id
        span = self._of_boot.get(boot) or BootSpan(boot, begin_s, end_s)
        span = replace(span, start_s=min(span.start_s, begin_s), end_s=max(span.end_s, end_s))
        if start.quality is ClockQuality.SYNCED:
            offset_s = start.wall.timestamp() - begin_s
            if span.synced_from_s is None:
                span = replace(span, synced_from_s=begin_s, offset_min_s=offset_s, offset_max_s=offset_s)
            span = replace(
                span,
                synced_from_s=min(span.synced_from_s or begin_s, begin_s),
                offset_min_s=min(span.offset_min_s, offset_s),
                offset_max_s=max(span.offset_max_s, offset_s),
            )
        self._of_boot[boot] = span
