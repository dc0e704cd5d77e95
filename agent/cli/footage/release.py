"""`safepoint footage release`: what a hold kept may go by the usual rules again."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from agent.cli.errors import UsageError
from agent.cli.footage.hold import add_by, who

if TYPE_CHECKING:
    import argparse

    from agent.cli.main import Subparsers


def add(subparsers: Subparsers) -> None:
    """Describe the subcommand."""
    parser = subparsers.add_parser(
        "release",
        help="end a hold",
        description="End a hold: its footage may go by the usual rules from now on. A record of who and why is kept.",
    )
    parser.add_argument("--ref", required=True, metavar="REF", help="the hold's reference")
    parser.add_argument("--reason", required=True, metavar="TEXT", help="why it is not needed any more")
    add_by(parser)
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    """End the hold.

    Raises:
        ConfigInvalid: the configuration cannot be used.
        UsageError: there is no such hold, or the disk does not take it.
    """
    from agent.cli.footage.desk import read_config  # noqa: PLC0415 - keeps the other commands quick
    from agent.footage.keep.holds import Holds, HoldsDamaged, NoSuchHold  # noqa: PLC0415

    holds = Holds(read_config(args).footage_folder)
    by = who(args)
    try:
        hold = holds.release(args.ref, by, args.reason, datetime.now(UTC))
    except NoSuchHold as error:
        try:
            there = ", ".join(repr(hold.ref) for hold in holds.all()) or "none"
        except HoldsDamaged as damaged:
            there = str(damaged)
        msg = f"there is no hold with the reference {args.ref!r}; there are: {there}"
        raise UsageError(msg) from error
    except OSError as error:
        msg = f"nothing was released: {error.strerror or error}"
        raise UsageError(msg) from error
    sys.stdout.write(f"released {hold.ref!r} by {by}; it was held by {hold.by} since {hold.made:%Y-%m-%d} (UTC)\n")
    return 0
