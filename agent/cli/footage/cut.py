"""An interval of the footage as one MP4, and what is to be told about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from agent.cli.errors import UsageError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from agent.cli.footage.desk import Desk
    from agent.cli.footage.telling import Json
    from agent.footage.find.chronology import Part
    from agent.footage.find.runs import Hole, Step
    from agent.footage.show.clips import Clip
    from agent.footage.show.picture_sizes import SizeChange
    from agent.footage.show.splice import Piece, Splice
    from agent.hw.kit import Packet

LONGEST = timedelta(hours=24)
"""A day in one file is 21 GB at 2 Mbit/s, and a gap of a day can still stand in a clip (`clips.TICKS_A_SECOND`)."""


@dataclass(frozen=True)
class Wanted:
    """Footage that was found, to be copied."""

    desk: Desk
    splice: Splice
    start: datetime

    @property
    def size_bytes(self) -> int:
        """About how much the copy takes."""
        return sum(segment.size_bytes for piece in self.splice.pieces for segment in piece.segments)

    def cut(self, target: Path) -> Cut:
        """Copy it into this file.

        Raises:
            UsageError: the footage cannot be read, or was removed since.
            OSError, av.FFmpegError: the file cannot be written.
        """
        from agent.cli.footage.target import read_or_refuse  # noqa: PLC0415 - keeps the other commands quick
        from agent.footage.show.clips import Wish, cut_clip  # noqa: PLC0415
        from agent.footage.show.picture_sizes import PictureSizes  # noqa: PLC0415
        from agent.footage.store.timeline import NoFootage  # noqa: PLC0415

        sizes, splice = PictureSizes(), self.splice
        frames = sizes.watch(read_or_refuse(splice.frames(lambda piece: _frames(piece, self.desk))))
        try:
            clip = cut_clip(frames, Wish(self.start.timestamp(), splice.end_s, self.start), target)
        except NoFootage as error:  # removed since we looked, or damaged
            msg = f"no clip can be made of what there is: {error}"
            raise UsageError(msg) from error
        return Cut(clip, splice, [splice.hole(gap.start_s, gap.end_s) for gap in clip.gaps], sizes.changes)


def find_wanted(args: argparse.Namespace, desk: Desk) -> Wanted:
    """The footage that `--from` and `--to` mean.

    Raises:
        UsageError: the times make no sense, or there is nothing at all of them.
    """
    from agent.footage.show.splice import Splice  # noqa: PLC0415

    start, end = desk.interval(args)
    if end - start > LONGEST:
        msg = f"a clip holds at most {LONGEST // timedelta(hours=1)} h: ask for {desk.local(start)} on in several"
        raise UsageError(msg)
    return Wanted(desk, Splice(desk.find(start, end), end), start)


@dataclass(frozen=True)
class Cut:
    """A clip and what is to be told about it."""

    clip: Clip
    splice: Splice
    holes: Sequence[Hole]
    size_changes: Sequence[SizeChange]

    @property
    def parts(self) -> list[Part]:
        """The footage that it is of."""
        return [part for piece in self.splice.pieces for part in piece.parts]

    @property
    def steps(self) -> list[Step]:
        """Where the clock was set in it."""
        from agent.footage.find.runs import step_between  # noqa: PLC0415

        found = (step_between(one.era, two.era) for one, two in pairwise(self.parts))
        return [step for step in found if step is not None]


def _frames(piece: Piece, desk: Desk) -> Iterator[Packet]:
    from agent.footage.store.segments import SegmentName  # noqa: PLC0415
    from agent.footage.store.timeline import frames_of  # noqa: PLC0415

    files = ((desk.library.path(segment), SegmentName.parse(segment.name)) for segment in piece.segments)
    return frames_of(files, piece.stretch.start_s, piece.stretch.end_s, gone=_shows_as_gap)


def _shows_as_gap(_path: Path) -> None:
    """A segment that was removed while we were reading needs no word of its own."""


def cut_lines(cut: Cut, desk: Desk) -> Iterator[str]:
    """It for people."""
    from agent.cli.footage.telling import clock_words, hole_line, missing_s, step_line  # noqa: PLC0415
    from agent.footage.find.when import length, size  # noqa: PLC0415

    clip, splice, holes = cut.clip, cut.splice, cut.holes
    gaps = f"{length(missing_s(holes))} in {len(holes)} gap{'s' if len(holes) > 1 else ''}" if holes else "nothing"
    clocks = dict.fromkeys(clock_words(part.era) for part in cut.parts)
    yield f"{clip.path}: {length(clip.end_s - clip.start_s)}, {size(clip.size_bytes)}"
    yield f"first frame  {desk.local(splice.moment(clip.start_s))}"
    yield f"last frame   {desk.local(splice.moment(clip.end_s))}"
    yield f"frames       {clip.frames}"
    yield f"missing      {gaps}"
    for hole in holes:
        yield f"             {hole_line(hole, desk)}"
    yield f"clock        {'; '.join(clocks)}"
    for step in cut.steps:
        yield f"             {step_line(step, desk)}"
    for change in cut.size_changes:
        when, (width, height) = desk.local(splice.moment(change.at_s)), change.after
        yield f"picture      becomes {width}x{height} at {when}: not all players go on there; make a clip of each size"
    yield f"sha256       {clip.sha256}"


def cut_json(cut: Cut) -> Json:
    """The same for machines."""
    from agent.cli.footage.telling import clock_json, hole_json, missing_s, step_json  # noqa: PLC0415
    from agent.footage.find.when import utc  # noqa: PLC0415

    clip, splice = cut.clip, cut.splice
    return {
        "file": str(clip.path),
        "sha256": clip.sha256,
        "size_bytes": clip.size_bytes,
        "first_frame": utc(splice.moment(clip.start_s)),
        "last_frame": utc(splice.moment(clip.end_s)),
        "frames": clip.frames,
        "missing_s": missing_s(cut.holes),
        "gaps": [hole_json(hole) for hole in cut.holes],
        "clock": [clock_json(part) for part in cut.parts],
        "clock_steps": [step_json(step) for step in cut.steps],
        "size_changes": [
            {"at": utc(splice.moment(change.at_s)), "width_px": change.after[0], "height_px": change.after[1]}
            for change in cut.size_changes
        ],
    }
