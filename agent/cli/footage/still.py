"""`safepoint footage still`: the picture nearest to a moment, as large as it was recorded."""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import TYPE_CHECKING

from agent.cli.footage.options import add_target

if TYPE_CHECKING:
    import argparse
    from datetime import datetime

    from agent.cli.footage.desk import Desk
    from agent.cli.main import Subparsers
    from agent.footage.find.chronology import Era, Part
    from agent.footage.show.stills import Shot


def add(subparsers: Subparsers) -> None:
    """Describe the subcommand."""
    parser = subparsers.add_parser(
        "still",
        help="one moment as a JPEG",
        description="Store the picture nearest to a moment as a JPEG of full size, and say which moment it shows.",
    )
    parser.add_argument("--at", metavar="T", required=True, help="the moment")
    add_target(parser, "jpg")
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    """Make the still.

    Raises:
        ConfigInvalid: the configuration cannot be used.
        UsageError: no picture is near, or the file cannot be made.
    """
    from agent.cli.footage.desk import open_desk  # noqa: PLC0415 - keeps the other commands quick
    from agent.cli.footage.target import check_target, making  # noqa: PLC0415
    from agent.cli.footage.telling import clock_words, signed  # noqa: PLC0415
    from agent.footage.show.stills import to_jpeg  # noqa: PLC0415
    from agent.footage.store.incident_files import complete_file, sha256_of  # noqa: PLC0415

    target = check_target(args)
    desk = open_desk(args)
    at = desk.moment("--at", args.at)
    era, shot = nearest(at, desk)
    with making(target), complete_file(target) as part:
        part.write_bytes(to_jpeg(shot.picture, max_bytes=sys.maxsize))
        sha256 = sha256_of(part)
    taken = era.moment(shot.taken_s)
    off_s = round((taken - at).total_seconds(), 3)
    lines = [
        f"{target}: {shot.picture.width}x{shot.picture.height} pixels",
        f"shows   {desk.local(taken)}" + (f" ({signed(off_s)} from the moment asked for)" if off_s else ""),
        f"clock   {clock_words(era)}",
        f"sha256  {sha256}",
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


def nearest(at: datetime, desk: Desk) -> tuple[Era, Shot]:
    """The picture nearest to this moment, and the clock under which it was taken.

    Raises:
        UsageError: none is near enough to show it.
    """
    from agent.cli.footage.target import read_or_refuse  # noqa: PLC0415
    from agent.footage.show.stills import REACH_S, nearest_shot  # noqa: PLC0415
    from agent.footage.store.segments import SegmentName  # noqa: PLC0415
    from agent.footage.store.timeline import NoFootage, frames_of  # noqa: PLC0415

    def shot_of(part: Part) -> Shot | None:
        at_s = part.era.monotonic(at)
        files = ((desk.library.path(segment), SegmentName.parse(segment.name)) for segment in part.segments)
        frames = frames_of(files, part.start_s, min(at_s, part.end_s), gone=lambda _path: None)
        try:
            return nearest_shot(read_or_refuse(frames), at_s, REACH_S)
        except NoFootage:
            return None

    reach = timedelta(seconds=REACH_S)
    shots = [(part.era, shot_of(part)) for part in desk.chronology.find(at - reach, at + reach)]
    near = [(era, shot) for era, shot in shots if shot is not None]
    if not near:
        raise desk.nothing(at, at)
    return min(near, key=lambda pair: abs(pair[1].taken_s - pair[0].monotonic(at)))
