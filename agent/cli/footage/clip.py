"""`safepoint footage clip`: an interval as one MP4 that plays anywhere, with what is missing of it."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from agent.cli.footage.options import add_interval, add_json, add_target

if TYPE_CHECKING:
    import argparse

    from agent.cli.main import Subparsers

MEGABYTE = 1_000_000


def add(subparsers: Subparsers) -> None:
    """Describe the subcommand."""
    parser = subparsers.add_parser(
        "clip",
        help="copy an interval into one MP4",
        description="Copy an interval into one MP4, from the key frame at or before its start. Pictures are copied as "
        "they were recorded. What is missing is listed, and stands still in the clip for as long as it lasted.",
    )
    add_interval(parser)
    add_target(parser, "mp4")
    add_json(parser)
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    """Make the clip; with gaps it is still one, and says so.

    Raises:
        ConfigInvalid: the configuration cannot be used.
        UsageError: the times make no sense, there is nothing at all of them, or the file cannot be made.
    """
    from agent.cli.footage.cut import cut_json, cut_lines, find_wanted  # noqa: PLC0415 - keeps the other commands quick
    from agent.cli.footage.desk import open_desk  # noqa: PLC0415
    from agent.cli.footage.target import check_room, check_target, making  # noqa: PLC0415

    target = check_target(args)
    desk = open_desk(args)
    wanted = find_wanted(args, desk)
    check_room(target, wanted.size_bytes, desk.footage, desk.config.footage.reserve_mb * MEGABYTE)
    with making(target):
        cut = wanted.cut(target)
    text = json.dumps(cut_json(cut)) if args.json else "\n".join(cut_lines(cut, desk))
    sys.stdout.write(text + "\n")
    return 0
