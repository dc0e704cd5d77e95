"""`safepoint footage list`: from when to when there is footage, and what lies between."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from agent.cli.footage.options import add_interval, add_json

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator

    from agent.cli.footage.desk import Desk
    from agent.cli.footage.telling import Json
    from agent.cli.main import Subparsers
    from agent.footage.find.runs import Hole, Run, Step

EVER = (datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC))


def add(subparsers: Subparsers) -> None:
    """Describe the subcommand."""
    parser = subparsers.add_parser(
        "list",
        help="from when to when there is footage",
        description="List the footage as unbroken runs, each under one clock and kept for one reason, with the gaps "
        "and the settings of the clock between them. What begins or ends within a segment is listed with all of it.",
    )
    add_interval(parser, required=False)
    add_json(parser)
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    """List it.

    Raises:
        ConfigInvalid: the configuration cannot be used.
        UsageError: the times make no sense, or there is nothing of them.
    """
    from agent.cli.footage.desk import open_desk  # noqa: PLC0415 - keeps the other commands quick
    from agent.cli.footage.keeping import read_keeping  # noqa: PLC0415
    from agent.footage.find.runs import runs  # noqa: PLC0415

    desk = open_desk(args)
    start = EVER[0] if args.since is None else desk.moment("--from", args.since)
    end = EVER[1] if args.until is None else desk.moment("--to", args.until)
    desk.check_order(start, end)
    found = list(runs(desk.find(start, end), read_keeping(desk).kept))
    if args.json:
        sys.stdout.write(json.dumps({"index_lost": desk.library.index_lost, "runs": list(_machine(found))}) + "\n")
        return 0
    if desk.library.index_lost:
        sys.stdout.write(
            f"the recorder's table cannot be used ({desk.library.index_lost}): gaps within segments do not show here\n"
        )
    for line in _lines(found, desk):
        sys.stdout.write(line + "\n")
    return 0


def _with_breaks(found: Iterable[Run]) -> Iterator[tuple[Hole | None, Step | None, Run]]:
    from agent.footage.find.runs import between  # noqa: PLC0415

    before: Run | None = None
    for each in found:
        hole, step = (None, None) if before is None else between(before, each)
        yield hole, step, each
        before = each


def _lines(found: Iterable[Run], desk: Desk) -> Iterator[str]:
    from agent.cli.footage.telling import clock_words, hole_line, step_line  # noqa: PLC0415
    from agent.footage.find.when import length, size  # noqa: PLC0415

    for hole, step, each in _with_breaks(found):
        if step is not None:
            yield f"  {step_line(step, desk)}"
        if hole is not None:
            yield f"  {hole_line(hole, desk)}"
        yield (
            f"{desk.local(each.start)} to {desk.local(each.end)}  {length(each.length_s)}, {size(each.size_bytes)}, "
            f"{each.kept}, clock {clock_words(each.era)}"
        )


def _machine(found: Iterable[Run]) -> Iterator[Json]:
    from agent.cli.footage.telling import hole_json, step_json  # noqa: PLC0415
    from agent.footage.find.when import utc  # noqa: PLC0415

    for hole, step, each in _with_breaks(found):
        yield {
            "from": utc(each.start),
            "to": utc(each.end),
            "length_s": round(each.length_s, 3),
            "size_bytes": each.size_bytes,
            "class": each.kept,
            "clock": str(each.era.quality),
            "correction_s": round(each.era.correction_s, 3),
            "boot": each.era.boot,
            "gap_before": None if hole is None else hole_json(hole),
            "clock_step_before": None if step is None else step_json(step),
        }
