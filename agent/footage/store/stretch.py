"""A stretch of footage: what holds, incidents and clips are about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.footage.store.segments import SegmentName


@dataclass(frozen=True)
class Stretch:
    """From one moment to another of one boot, on CLOCK_MONOTONIC: no clock that is set later changes what it means."""

    boot: str
    """The short boot id of segment names (`agent.footage.store.segments.boot_of`)."""
    start_s: float
    end_s: float

    def touches(self, name: SegmentName, end_s: float) -> bool:
        """Whether a segment of this name, whose last frame was taken at `end_s`, shows any of it."""
        return name.start.boot_id == self.boot and name.start.monotonic_s <= self.end_s and end_s >= self.start_s

    def overlaps(self, other: Stretch) -> bool:
        """Whether the two share a moment."""
        return self.boot == other.boot and self.start_s <= other.end_s and self.end_s >= other.start_s
