"""`safepoint footage ...`: look at, copy and hold what a unit recorded, while it goes on recording."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from agent.cli.footage import clip, export, hold, listing, release, status, still
from agent.cli.unit_file import add_unit_file

if TYPE_CHECKING:
    from agent.cli.main import Subparsers

SUBCOMMANDS = (status, listing, clip, export, still, hold, release)
TIMES = (
    "Times are local unless they say Z, UTC or an offset: '2026-11-24 17:03:12', '2026-11-24T17:03Z', 17:03 (today), "
    "'yesterday 17:03', -10m, '10m ago', now."
)


def add(subparsers: Subparsers) -> None:
    """Describe the command and its subcommands."""
    parser = subparsers.add_parser(
        "footage",
        help="look at, copy and hold what the unit recorded",
        description="Look at, copy and hold what this unit recorded. It goes on recording meanwhile.",
        epilog=TIMES,
    )
    add_unit_file(parser)
    inner = parser.add_subparsers(title="subcommands", metavar="SUBCOMMAND", required=True)
    for subcommand in SUBCOMMANDS:
        subcommand.add(inner)
    for each in inner.choices.values():
        each.allow_abbrev = False
        each.epilog = TIMES
        add_unit_file(each, verb=True)
        # So that `--from -10m` is a time and not an unknown option: argparse asks this of every word with a dash.
        each._negative_number_matcher = re.compile(r"-\s*\d")  # noqa: SLF001 - it has no public name
