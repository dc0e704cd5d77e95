"""`safepoint footage export`: an interval as a clip on the unit itself, from where an `upload` command fetches it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agent.cli.errors import UsageError
from agent.cli.footage.options import add_interval, add_json

if TYPE_CHECKING:
    import argparse

    from agent.cli.footage.cut import Cut, Wanted
    from agent.cli.footage.telling import Json
    from agent.cli.main import Subparsers
    from agent.clock import Moment
    from agent.config.settings import Config

MEGABYTE: Final = 1_000_000
CLIP: Final = "clip.mp4"
FACTS: Final = "clip.json"


def add(subparsers: Subparsers) -> None:
    """Describe the subcommand."""
    parser = subparsers.add_parser(
        "export",
        help="copy an interval to where an upload command finds it",
        description="Copy an interval into exports/NAME of the unit's footage: the clip, as `footage clip` makes it, "
        "what is known of it, and SHA-256 sums. The names that it tells are those that an `upload` command takes. "
        "The unit removes it after footage.export_keep_days, or earlier when its disk is full.",
    )
    parser.add_argument("name", metavar="NAME", help="what it is called: letters, digits, '.', '_' and '-'")
    add_interval(parser)
    add_json(parser)
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    """Make the export; with gaps it is still one, and says so.

    Raises:
        ConfigInvalid: the configuration cannot be used.
        UsageError: the name or the times cannot be used, there is nothing at all of them, or no room.
    """
    from agent.cli.footage.cut import cut_json, cut_lines, find_wanted  # noqa: PLC0415 - keeps the other commands quick
    from agent.cli.footage.desk import open_desk  # noqa: PLC0415
    from agent.cli.footage.target import making  # noqa: PLC0415
    from agent.cli.owned import as_owner  # noqa: PLC0415
    from agent.clock import SystemClock  # noqa: PLC0415
    from agent.durable import put_whole  # noqa: PLC0415
    from agent.footage.store.exports import EXPORTS, MADE, SUMS, ExportExists, check_name, writing  # noqa: PLC0415

    try:
        check_name(args.name)
    except ValueError as error:
        raise UsageError(str(error)) from error
    desk = open_desk(args)
    wanted = find_wanted(args, desk)
    _check_room(wanted)
    shown, made = Path(EXPORTS, args.name), SystemClock().now()
    # As the unit's own user: it has to read it, and to remove it.
    with making(shown), as_owner(desk.config):
        try:
            with writing(desk.footage, args.name, made) as folder:
                cut = wanted.cut(folder / CLIP)
                facts = _facts(cut_json(cut), desk.config, made)
                put_whole(folder / FACTS, (json.dumps(facts, indent=2) + "\n").encode())
        except ExportExists as error:
            msg = f"{error}: give another name"
            raise UsageError(msg) from error
    files = [str(shown / file) for file in (CLIP, FACTS, MADE, SUMS)]
    if args.json:
        text = json.dumps({**facts, "file": files[0], "files": files})
    else:
        _, *lines = cut_lines(cut, desk)  # without the path, which was that of a file on its way
        text = "\n".join([f"{shown}: {_size_words(cut)}", *lines, *(f"for upload   {file}" for file in files)])
    sys.stdout.write(text + "\n")
    return 0


def _facts(cut: Json, config: Config, made: Moment) -> Json:
    """What lies beside the clip: all that `footage clip --json` tells, of which unit it is, and when it was copied."""
    from agent.footage.find.when import utc  # noqa: PLC0415

    return {
        **cut,
        "file": CLIP,
        "unit": config.unit.id,
        "name": config.unit.name,
        "location": config.unit.location,
        "exported": utc(made.wall),
        "exported_clock": str(made.quality),
    }


def _size_words(cut: Cut) -> str:
    from agent.footage.find.when import length, size  # noqa: PLC0415

    return f"{length(cut.clip.end_s - cut.clip.start_s)}, {size(cut.clip.size_bytes)}"


def _check_room(wanted: Wanted) -> None:
    """Refuse an export that would take the room the recorder needs.

    Raises:
        UsageError: so it is.
    """
    from agent.footage.find.when import size  # noqa: PLC0415
    from agent.footage.store.volume import free_bytes  # noqa: PLC0415

    desk = wanted.desk
    free, reserve = free_bytes(desk.footage), desk.config.footage.reserve_mb * MEGABYTE
    if free < wanted.size_bytes + reserve:
        msg = (
            f"the export would need about {size(wanted.size_bytes)} on the disk that footage is recorded to, where "
            f"{size(free)} are free and {size(reserve)} must stay so: export less, lower footage.rolling_max_mb, or "
            "write to another disk with `safepoint footage clip`"
        )
        raise UsageError(msg)
