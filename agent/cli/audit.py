"""`safepoint audit verify FILE...`: is the audit what the unit wrote, all of it and in its order?"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from agent.cli.errors import UsageError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from agent.cli.main import Subparsers
    from agent.commands.copies import Copy
    from agent.commands.verdict import Break

DESCRIPTION = """\
Follow the hash chain of a unit's audit, which has every command and every refusal. A FILE is a unit's commands.sqlite
in its state folder (the unit may run; nothing is written), a control room's --journal, or audit messages, one a line.
A chain shows what was changed, removed or moved between its first and its last record. It does not show that its end
was cut off, nor a chain that somebody wrote anew from the beginning: for these give the unit's file and the control
room's journal together, and they are compared. Exit code 0: whole; 1: broken; 2: there is nothing to judge.
"""
MOST_TOLD = 20
"""Breaks of one file that are told one by one."""
EXIT_BROKEN = 1


def add(subparsers: Subparsers) -> None:
    """Describe the command."""
    parser = subparsers.add_parser("audit", help="verify the hash-chained audit of a unit", description=DESCRIPTION)
    verbs = parser.add_subparsers(title="what to do", metavar="VERB", required=True)
    verify = verbs.add_parser("verify", help="tell whether it is whole, or where it is broken", description=DESCRIPTION)
    verify.add_argument("files", metavar="FILE", type=Path, nargs="+", help="commands.sqlite, or a journal")
    verify.set_defaults(func=run)
    verify.allow_abbrev = False


def run(args: argparse.Namespace) -> int:
    """Tell of each file what is in it, and what is wrong.

    Raises:
        UsageError: a file cannot be read, or holds no audit.
    """
    from agent.commands.copies import CopyUnreadable, read  # noqa: PLC0415 - only this command needs it

    copies: list[tuple[Path, Copy]] = []
    for path in args.files:
        try:
            found = read(path)
        except CopyUnreadable as error:
            raise UsageError(str(error)) from error
        if not any(copy.records or copy.damage for copy in found):
            msg = f"{path} holds no audit: give a unit's commands.sqlite or a control room's journal"
            raise UsageError(msg)
        copies += [(path, copy) for copy in found]
    broken = [_tell(path, copy, _compared(path, copy, copies)) for path, copy in copies]
    return EXIT_BROKEN if any(broken) else 0


def _compared(path: Path, copy: Copy, copies: Sequence[tuple[Path, Copy]]) -> list[Break]:
    """What the other files say against the unit's own; theirs may well end before it."""
    from agent.commands.verdict import compare  # noqa: PLC0415

    if not copy.is_units_own:
        return []
    chains = {record["chain"] for record in copy.records}
    return [
        each
        for other_path, other in copies
        if other_path != path and chains & {record["chain"] for record in other.records}
        for each in compare(copy.records, other.records, str(other_path))
    ]


def _tell(path: Path, copy: Copy, against_others: Sequence[Break]) -> bool:
    """Print the verdict on one copy; returns whether it is broken."""
    from agent.commands.verdict import judge  # noqa: PLC0415
    from agent.control_room.plain_text import plain  # noqa: PLC0415

    verdict = judge(copy.records)
    lines = [f"{path}, {copy.unit}: {verdict.count} records of {verdict.starts} starts of the unit"]
    if verdict.count:
        lines[0] += f", {verdict.first_at} to {verdict.last_at}"
    if verdict.begins_within is not None:
        lines.append(f"  begins with {verdict.begins_within}: what was before is not in this file")
    if verdict.lost:
        lines.append(f"  the unit says that it could not keep {verdict.lost} records itself")
    breaks = [*copy.damage, *verdict.breaks, *against_others]
    lines += [f"  {each.fault.upper()}: {each.text}" for each in breaks[:MOST_TOLD]]
    if len(breaks) > MOST_TOLD:
        lines.append(f"  and {len(breaks) - MOST_TOLD} more places")
    where = "one place" if len(breaks) == 1 else f"{len(breaks)} places"
    lines.append(f"  BROKEN in {where}" if breaks else "  whole")
    sys.stdout.write("".join(f"{plain(line, longest=1000)}\n" for line in lines))
    return bool(breaks)
