"""`safepoint footage hold`: from now on nothing removes the footage of this interval."""

from __future__ import annotations

import os
import pwd
import shlex
import sys
from typing import TYPE_CHECKING

from agent.cli.errors import UsageError
from agent.cli.footage.options import add_interval

if TYPE_CHECKING:
    import argparse

    from agent.cli.main import Subparsers


def add(subparsers: Subparsers) -> None:
    """Describe the subcommand."""
    parser = subparsers.add_parser(
        "hold",
        help="keep an interval until it is released",
        description="Keep the footage of an interval until somebody releases it, whatever its age and however full the "
        "disk. What is missing of it already is listed.",
    )
    add_interval(parser)
    parser.add_argument("--ref", required=True, metavar="REF", help="the force's or the council's reference")
    parser.add_argument("--reason", required=True, metavar="TEXT", help="why it is kept")
    add_by(parser)
    parser.set_defaults(func=run)


def add_by(parser: argparse.ArgumentParser) -> None:
    """Describe `--by`."""
    parser.add_argument("--by", metavar="NAME", help="who asks for it (default: the user who is logged in)")


def who(args: argparse.Namespace) -> str:
    """Who asks: as told, else whoever logged in, even when sudo made him root since."""
    return args.by or os.environ.get("SUDO_USER") or pwd.getpwuid(os.getuid()).pw_name


def run(args: argparse.Namespace) -> int:
    """Place the hold.

    Raises:
        ConfigInvalid: the configuration cannot be used.
        UsageError: the times or the reference cannot be used, or there is nothing to hold.
    """
    from agent.cli.footage.desk import open_desk  # noqa: PLC0415 - keeps the other commands quick
    from agent.cli.footage.telling import hole_line  # noqa: PLC0415
    from agent.footage.find.runs import holes  # noqa: PLC0415
    from agent.footage.keep.holding import hold_what_is_there  # noqa: PLC0415
    from agent.footage.keep.holds import Hold, HoldExists, Holds  # noqa: PLC0415
    from agent.footage.show.splice import stretches  # noqa: PLC0415

    desk = open_desk(args)
    start, end = desk.interval(args)
    found = desk.find(start, end)
    holds = Holds(desk.footage)
    try:
        hold = Hold(
            ref=args.ref,
            reason=args.reason,
            by=who(args),
            made=desk.now,
            start=start,
            end=end,
            stretches=tuple(stretches(found)),
        )
        parts = hold_what_is_there(holds, hold, found, desk.library.folder)
        if not parts:
            raise desk.nothing(start, end)
    except HoldExists as error:
        msg = f"--ref {args.ref!r} is in use: take another, or release that one first (safepoint footage status)"
        raise UsageError(msg) from error
    except (ValueError, OSError) as error:
        msg = f"nothing was held: {getattr(error, 'strerror', None) or error}"
        raise UsageError(msg) from error
    missing = holes(parts, start, end)
    lines = [
        f"held as {hold.ref!r} by {hold.by}: {desk.local(start)} to {desk.local(end)}",
        *(hole_line(hole, desk) for hole in missing),
        f"to let it go: safepoint footage release --ref {shlex.quote(hold.ref)} --reason TEXT",
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    return 0
