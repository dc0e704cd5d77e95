"""Footage of several boots as one line of time, for one clip."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING

from agent.footage.find.runs import Hole
from agent.footage.store.stretch import Stretch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from agent.footage.find.chronology import Filmed, Part
    from agent.hw.kit import Packet

    Read = Callable[["Piece"], Iterator[Packet]]


@dataclass(frozen=True)
class Piece:
    """Footage that is read in one go: of one boot, under however many settings of its clock."""

    parts: Sequence[Part]
    shift_s: float
    """Where it lies on the line: seconds of the line less CLOCK_MONOTONIC."""

    @property
    def stretch(self) -> Stretch:
        """What is to be read."""
        return Stretch(self.parts[0].era.boot, self.parts[0].start_s, self.parts[-1].end_s)

    @property
    def segments(self) -> list[Filmed]:
        """Where it may be found: the segment before holds the key frame when the start lies between two of them."""
        first = self.parts[0]
        at = bisect_left(first.era.segments, first.segments[0].start_s, key=lambda segment: segment.start_s)
        return [
            *first.era.segments[max(0, at - 1) : at],
            *(segment for part in self.parts for segment in part.segments),
        ]

    def moment(self, line_s: float) -> datetime:
        """The wall time of a place on the line, by the clock as it was set then."""
        monotonic_s = line_s - self.shift_s
        part = next((part for part in reversed(self.parts) if part.start_s <= monotonic_s), self.parts[0])
        return part.era.moment(monotonic_s)


class Splice:
    """The parts of an interval, laid on one line.

    The line is the wall time of the first part (POSIX seconds). Within a boot it goes on with the monotonic clock,
    whatever was done to wall time; a power cut is as long as wall time says. When that says nothing, because a clock
    was wrong, the next boot follows at once.
    """

    def __init__(self, parts: Sequence[Part], end: datetime) -> None:
        """Lay these parts, at least one, of an interval that ends there."""
        self.pieces: list[Piece] = []
        for group in _groups(parts):
            first = group[0]
            if not self.pieces:
                shift_s = first.era.offset_s
            else:
                last = self.pieces[-1].parts[-1]
                dark = first.era.moment(first.shown_from_s) - last.era.moment(last.shown_to_s)
                begin_s = last.shown_to_s + self.pieces[-1].shift_s + max(0.0, dark.total_seconds())
                shift_s = begin_s - first.shown_from_s
            self.pieces.append(Piece(group, shift_s))
        last_piece = self.pieces[-1]
        self.end_s = last_piece.shift_s + last_piece.parts[-1].era.monotonic(end)
        """Where the interval ends on the line."""

    def frames(self, read: Read) -> Iterator[Packet]:
        """Yield all frames with their places on the line instead of their moments.

        Args:
            read: Gives the frames of one piece, from a key frame on.
        """
        last_s = float("-inf")
        for piece in self.pieces:
            decodable = False
            for frame in read(piece):
                at_s = frame.taken_s + piece.shift_s
                # Two pieces of one boot, when a clock was set back: the second may begin with frames of the first.
                decodable = at_s > last_s and (decodable or frame.keyframe)
                if decodable:
                    yield replace(frame, taken_s=at_s)
                    last_s = at_s

    def moment(self, line_s: float) -> datetime:
        """The wall time of a place on the line."""
        return self._piece(line_s).moment(line_s)

    def hole(self, start_s: float, end_s: float) -> Hole:
        """What a gap on the line means."""
        before, after = self._piece(start_s), self._piece(end_s)
        cut = before.stretch.boot != after.stretch.boot
        return Hole(before.moment(start_s), after.moment(end_s), power_cut=cut)

    def _piece(self, line_s: float) -> Piece:
        return next((each for each in reversed(self.pieces) if _begin_s(each) <= line_s), self.pieces[0])


def stretches(parts: Sequence[Part]) -> list[Stretch]:
    """What these parts mean whatever is done to the clock."""
    return [Stretch(group[0].era.boot, group[0].start_s, group[-1].end_s) for group in _groups(parts)]


def _begin_s(piece: Piece) -> float:
    """Where its first frame may lie: its name, and so what we know of its first segment, is cut to the millisecond."""
    return piece.parts[0].shown_from_s + piece.shift_s - 0.002


def _groups(parts: Sequence[Part]) -> list[list[Part]]:
    """Parts of one boot that touch are read in one go."""
    groups: list[list[Part]] = []
    for _, of_boot in groupby(parts, key=lambda part: part.era.boot):
        for i, part in enumerate(of_boot):
            if i and part.start_s <= groups[-1][-1].end_s:
                groups[-1].append(part)
            else:
                groups.append([part])
    return groups
