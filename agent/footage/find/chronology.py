"""From wall time to footage and back, over power cuts and clocks that were set.

Segments name the wall time that the unit believed when they began, and are never renamed. What is learnt later about
that clock is applied here, when somebody looks: all times of one boot lie on one monotonic clock, so that a clock that
was first wrong and then synchronised tells how wrong it had been.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from math import inf
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from agent.clock import ClockQuality
from agent.footage.store.segments import CLOCK_STEP_S, GAP_FRAMES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from agent.footage.store.stretch import Stretch

NAME_ERROR_S = 0.002
"""A name cuts its moment to the millisecond, the end of the segment before it does not."""


class Filmed(NamedTuple):
    """What is known of one segment without looking at its pictures; light, since 31 days are 268,000 of them."""

    name: str
    """The file's name (`SegmentName`), which says all that follows but the end and the size."""
    boot: str
    quality: ClockQuality
    wall_s: float
    """When its first frame was taken, as the unit believed then: POSIX seconds."""
    start_s: float
    """The same on CLOCK_MONOTONIC of the boot."""
    frame_s: float
    """From one frame to the next."""
    end_s: float
    """When its last frame was taken, CLOCK_MONOTONIC."""
    size_bytes: int

    @property
    def until_s(self) -> float:
        """When the frame after its last one is due."""
        return self.end_s + self.frame_s

    @property
    def named_offset_s(self) -> float:
        """Wall time less monotonic time, as the unit believed then."""
        return self.wall_s - self.start_s

    def is_followed_by(self, later: Filmed) -> bool:
        """Whether no frame is missing between the two, which are of one boot."""
        return later.start_s - self.end_s - NAME_ERROR_S <= GAP_FRAMES * self.frame_s


@dataclass(frozen=True)
class Era:
    """The footage of one boot between two settings of its clock."""

    segments: Sequence[Filmed]
    named_offset_s: float
    """Wall time (POSIX) less monotonic time, as the names say."""
    offset_s: float
    """The same as it is believed now."""
    from_s: float
    """Since when, on CLOCK_MONOTONIC, this offset is believed; minus infinity for the first era of a boot."""
    to_s: float
    """Until when; infinity for the last one, which may still be growing."""

    @property
    def boot(self) -> str:
        """The short boot id."""
        return self.segments[0].boot

    @property
    def quality(self) -> ClockQuality:
        """How far the names' wall time could be believed when they were given."""
        return self.segments[0].quality

    @property
    def correction_s(self) -> float:
        """What has to be added to the times in the names and in the pictures; 0 when they stand."""
        return self.offset_s - self.named_offset_s

    @property
    def start(self) -> datetime:
        """When the first frame was taken."""
        return self.moment(self.segments[0].start_s)

    @property
    def end(self) -> datetime:
        """When the last frame ends."""
        return self.moment(self.segments[-1].until_s)

    def moment(self, monotonic_s: float) -> datetime:
        """The wall time of a monotonic reading."""
        return datetime.fromtimestamp(monotonic_s + self.offset_s, UTC)

    def monotonic(self, moment: datetime) -> float:
        """The monotonic reading of a wall time."""
        return moment.timestamp() - self.offset_s


@dataclass(frozen=True)
class Part:
    """What one era has of an interval of wall time."""

    era: Era
    segments: Sequence[Filmed]
    """Those that show any of it; at least one."""
    start_s: float
    end_s: float
    """The interval on CLOCK_MONOTONIC; where the era has neighbours in its boot it ends where they begin."""

    @property
    def shown_from_s(self) -> float:
        """The first moment of it that is stored."""
        return max(self.start_s, self.segments[0].start_s)

    @property
    def shown_to_s(self) -> float:
        """The end of the last frame of it that is stored."""
        return min(self.end_s, self.segments[-1].until_s)


class Chronology:
    """All footage, in the order in which it was recorded as far as clocks can tell."""

    def __init__(self, filmed: Iterable[Filmed]) -> None:
        boots = defaultdict(list)
        for segment in filmed:
            boots[segment.boot].append(segment)
        eras = [_eras(sorted(segments, key=lambda each: each.start_s)) for segments in boots.values()]
        # By wall time, since boots have no other order. One that was never synchronised may be sorted wrongly.
        self.eras = [era for boot in sorted(eras, key=lambda boot: boot[0].start) for era in boot]

    def find(self, start: datetime, end: datetime) -> list[Part]:
        """All footage of this interval, in the order of recording; a time that a clock showed twice gives both."""
        parts = (_part(era, era.monotonic(start), era.monotonic(end)) for era in self.eras)
        return [part for part in parts if part is not None]

    def nearest(self, start: datetime, end: datetime) -> tuple[datetime | None, datetime | None]:
        """Where footage ends before an interval that has none, and where it begins after it."""
        spans = [(_moments(era, span)) for era in self.eras for span in unbroken(era.segments)]
        before = max((until for _, until in spans if until <= start), default=None)
        after = min((since for since, _ in spans if since >= end), default=None)
        return before, after

    def touched(self, stretch: Stretch) -> Iterator[Filmed]:
        """Yield the segments that show any of this stretch."""
        for era in self.eras:
            if era.boot == stretch.boot:
                first = bisect_left(era.segments, stretch.start_s, key=lambda segment: segment.end_s)
                last = bisect_right(era.segments, stretch.end_s, key=lambda segment: segment.start_s)
                yield from era.segments[first:last]


def _eras(segments: Sequence[Filmed]) -> list[Era]:
    """The eras of one boot, whose segments come in order."""
    groups: list[list[Filmed]] = []
    began_s = 0.0
    for segment in segments:
        goes_on = groups and groups[-1][-1].quality is segment.quality
        if not goes_on or abs(segment.named_offset_s - began_s) > CLOCK_STEP_S:
            groups.append([])
            began_s = segment.named_offset_s
        groups[-1].append(segment)
    named = [median(segment.named_offset_s for segment in group) for group in groups]
    bounds = [-inf, *(group[0].start_s for group in groups[1:]), inf]
    return [
        Era(group, named[i], _believed(groups, named, i), bounds[i], bounds[i + 1]) for i, group in enumerate(groups)
    ]


def _believed(groups: Sequence[Sequence[Filmed]], named: Sequence[float], i: int) -> float:
    """A clock that was not synchronised is read by what it was synchronised to next in the same boot."""
    if groups[i][0].quality is not ClockQuality.UNSYNCED:
        return named[i]
    for group, offset_s in zip(groups[i + 1 :], named[i + 1 :], strict=True):
        if group[0].quality is ClockQuality.SYNCED:
            return offset_s if abs(offset_s - named[i]) > CLOCK_STEP_S else named[i]
    return named[i]


def _part(era: Era, start_s: float, end_s: float) -> Part | None:
    start_s, end_s = max(start_s, era.from_s), min(end_s, era.to_s)
    # A segment's last frame stands until the next one is due, so `until_s` counts.
    first = bisect_right(era.segments, start_s, key=lambda segment: segment.until_s)
    last = bisect_right(era.segments, end_s, key=lambda segment: segment.start_s)
    if start_s > end_s or first >= last:
        return None
    return Part(era, era.segments[first:last], start_s, end_s)


def unbroken(segments: Sequence[Filmed]) -> Iterator[Sequence[Filmed]]:
    """Cut segments of one boot, in order, where a frame is missing between two."""
    begins = [0, *(i + 1 for i, (one, two) in enumerate(pairwise(segments)) if not one.is_followed_by(two))]
    for begin, end in pairwise([*begins, len(segments)]):
        yield segments[begin:end]


def _moments(era: Era, span: Sequence[Filmed]) -> tuple[datetime, datetime]:
    return era.moment(span[0].start_s), era.moment(span[-1].until_s)
