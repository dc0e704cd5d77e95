"""Footage as few unbroken runs, and what lies between them: holes, and settings of the clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from agent.footage.find.chronology import NAME_ERROR_S, unbroken
from agent.footage.store.segments import CLOCK_STEP_S, GAP_FRAMES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from agent.footage.find.chronology import Era, Part


@dataclass(frozen=True)
class Hole:
    """An interval of wall time without pictures."""

    start: datetime
    end: datetime
    power_cut: bool
    """The unit started anew in it."""

    @property
    def length_s(self) -> float:
        """How long it is; not positive when nobody knows, because a clock was wrong on one side of it."""
        return (self.end - self.start).total_seconds()


@dataclass(frozen=True)
class Run:
    """Footage without a gap, under one clock, kept for one reason."""

    era: Era
    start_s: float
    end_s: float
    frame_s: float
    size_bytes: int
    kept: str
    """Its storage class: held, incident or rolling."""

    @property
    def start(self) -> datetime:
        """When its first frame was taken."""
        return self.era.moment(self.start_s)

    @property
    def end(self) -> datetime:
        """When its last frame ends."""
        return self.era.moment(self.end_s)

    @property
    def length_s(self) -> float:
        """How long it is."""
        return self.end_s - self.start_s


@dataclass(frozen=True)
class Step:
    """The clock was set while the unit was recording."""

    at: datetime
    """By the clock as it was believed after it."""
    by_s: float
    """Positive: forwards."""


def runs(parts: Iterable[Part], kept: dict[str, str]) -> Iterator[Run]:
    """Yield the footage of these parts as few unbroken runs.

    Args:
        parts: What `Chronology.find` found.
        kept: The storage class of each segment that is not rolling, by the segment's name.
    """
    for part in parts:
        for span in unbroken(part.segments):
            begin = 0
            classes = [kept.get(segment.name, "rolling") for segment in span] if kept else ["rolling"] * len(span)
            changes = [i for i in range(1, len(span)) if classes[i] != classes[i - 1]]
            for end in [*changes, len(span)]:
                some = span[begin:end]
                size_bytes = sum(segment.size_bytes for segment in some)
                yield Run(part.era, some[0].start_s, some[-1].until_s, some[-1].frame_s, size_bytes, classes[begin])
                begin = end


def step_between(earlier: Era, later: Era) -> Step | None:
    """How the clock was set from one era to the next; None when it was not, or when they are of two boots."""
    by_s = later.named_offset_s - earlier.named_offset_s
    return Step(later.start, by_s) if later.boot == earlier.boot and abs(by_s) > CLOCK_STEP_S else None


def between(earlier: Run, later: Run) -> tuple[Hole | None, Step | None]:
    """What lies between two runs that follow each other: a hole, a setting of the clock, both or neither."""
    if earlier.era.boot != later.era.boot:
        return Hole(earlier.end, later.start, power_cut=True), None
    step = step_between(earlier.era, later.era)
    missing_s = later.start_s - earlier.end_s
    if missing_s <= (GAP_FRAMES - 1) * earlier.frame_s + NAME_ERROR_S:
        return None, step
    return Hole(later.start - timedelta(seconds=missing_s), later.start, power_cut=False), step


def holes(parts: Sequence[Part], start: datetime, end: datetime) -> list[Hole]:
    """What is missing of an interval as far as segments show: the holes in it, at its ends too."""
    found = list(runs(parts, {}))
    if not found:
        return [Hole(start, end, power_cut=False)]
    first, last = found[0], found[-1]
    head = [Hole(start, first.start, power_cut=False)] if first.start_s > parts[0].start_s + first.frame_s / 2 else []
    tail = [Hole(last.end, end, power_cut=False)] if (end - last.end).total_seconds() > last.frame_s / 2 else []
    inner = (between(one, two)[0] for one, two in pairwise(found))
    return [*head, *(hole for hole in inner if hole is not None), *tail]
