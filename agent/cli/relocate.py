"""`safepoint relocate`: the unit goes to another site. Its evidence series ends, and its masks with it."""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from agent.cli.errors import UsageError
from agent.cli.owned import as_owner
from agent.cli.unit_file import add_unit_file
from agent.config.load import load_config
from agent.config.rewrite import NotRewritable, with_values
from agent.durable import sync_folder

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from agent.cli.footage.desk import Desk
    from agent.cli.main import Subparsers
    from agent.config.settings import Config
    from agent.footage.keep.holds import Hold
    from agent.series import Series

DESCRIPTION = """\
Close the evidence series of this site and open one for the next: run it before the unit is taken down, with the agent
stopped. Footage that is held is locked away as it is, with the sums of all files, and can still be listed and copied;
footage that nobody holds is removed. The unit's file gets the new name and place. From then on nothing is filmed until
somebody has seen the picture at the new site, drawn the masks in the unit's file, and said so with --approve-masks.
"""
RECORDING_S = 5.0
"""A frame of this age says that a recorder is at work."""


def add(subparsers: Subparsers) -> None:
    """Describe the command."""
    parser = subparsers.add_parser(
        "relocate", help="end this site's evidence and begin another's", description=DESCRIPTION
    )
    parser.add_argument("--name", metavar="TEXT", help="what people call the unit at its new site")
    parser.add_argument("--location", metavar="TEXT", help="where that is, in words a patrol can follow")
    parser.add_argument("--latitude", metavar="DEGREES", type=float)
    parser.add_argument("--longitude", metavar="DEGREES", type=float)
    parser.add_argument("--approve-masks", action="store_true", help="the masks in the unit's file are right for here")
    parser.add_argument("--by", metavar="NAME", required=True, help="who does it")
    add_unit_file(parser)
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    """Move, or approve.

    Raises:
        ConfigInvalid: the unit's file cannot be used.
        UsageError: it cannot be done, and nothing is half done that the same command would not finish.
    """
    config = load_config(args.config, judge_files=False).config
    try:
        if args.approve_masks:
            return _approve(args, config)
        return _move(args, config)
    except OSError as error:
        msg = f"{error.filename or config.footage_folder}: {error.strerror or error}; run the same command again"
        raise UsageError(msg) from error


def _approve(args: argparse.Namespace, config: Config) -> int:
    from agent.series import Approval, put_series  # noqa: PLC0415 - keeps the other commands quick

    series = _series(config)
    if series is None:
        msg = "this unit was never moved: its masks are those of its site"
        raise UsageError(msg)
    masks = tuple(mask.name for mask in config.camera.masks)
    approval = Approval(by=args.by, at=datetime.now(UTC), masks=masks)
    with as_owner(config):
        put_series(config.state_folder, series.model_copy(update={"approved": approval}))
    sys.stdout.write(
        f"approved by {args.by} for series {series.number}: {', '.join(masks) or 'no masks'}\n"
        "The unit films again from its next start: systemctl restart safepoint-agent\n"
    )
    return 0


def _move(args: argparse.Namespace, config: Config) -> int:
    from agent.commission.standing import withdraw  # noqa: PLC0415
    from agent.series import FIRST, Approval, Series, put_series  # noqa: PLC0415

    old_text, now = args.config.read_text(encoding="utf-8"), datetime.now(UTC)
    new_text = _new_text(args, config, old_text)
    _check_stopped(config)
    series = _series(config) or Series(number=FIRST, opened=now, by=args.by, approved=None)
    if series.number > FIRST and not series.closing and series.approved is None:
        msg = f"series {series.number} has not begun: approve its masks first, or correct the place in the file by hand"
        raise UsageError(msg)
    _put_text(args.config, new_text, only_judge=True)
    holds = _close(args, config, series, old_text, now)
    _put_text(args.config, new_text)
    with as_owner(config):
        following = Series(number=series.number + 1, opened=now, by=args.by)
        if not config.camera.enabled:
            following = following.model_copy(update={"approved": Approval(by=args.by, at=now, masks=())})
        put_series(config.state_folder, following)
        # The new place alone makes tests of all alerts; what was proved at the old one is nobody's any more.
        was_commissioned = withdraw(config.state_folder)
    if was_commissioned:
        sys.stdout.write("every alert is a test until the unit is commissioned there: safepoint commission\n")
    sys.stdout.write(
        f"series {series.number + 1} begins: {args.name}, {args.location}\n"
        "nothing is filmed there until its masks are approved: draw them in the unit's file, then run\n"
        "safepoint relocate --approve-masks --by NAME\n"
    )
    if holds:
        sys.stdout.write(f"still held on this unit: {', '.join(holds)}\n")
    return 0


def _check_stopped(config: Config) -> None:
    """Look whether the agent is stopped: one that runs would film on by what it read at its start.

    Whether footage comes does not tell that: a camera may be lost just now, and back in a minute.

    Raises:
        UsageError: it runs, or nobody can tell.
    """
    from agent.local.client import LocalUnit, UnitAway, UnitOff  # noqa: PLC0415

    async def look() -> None:
        async with LocalUnit(config):
            pass

    try:
        asyncio.run(look())
    except UnitOff:
        return
    except UnitAway as why:
        msg = f"nobody can tell whether the agent is stopped: {why}"
        raise UsageError(msg) from why
    msg = "the agent runs, and would film on by the masks of this site: stop it first (systemctl stop safepoint-agent)"
    raise UsageError(msg)


def _close(args: argparse.Namespace, config: Config, series: Series, old_text: str, now: datetime) -> list[str]:
    """End the series: remove what nobody holds, lock away the rest; returns what is held."""
    from agent.cli.footage.keeping import HELD, read_keeping  # noqa: PLC0415
    from agent.footage.find.when import size  # noqa: PLC0415
    from agent.footage.keep.closing import CLOSED, is_begun, is_locked_away, lock_away, remove_unheld  # noqa: PLC0415
    from agent.series import put_series  # noqa: PLC0415

    footage, number = config.footage_folder, series.number
    if is_locked_away(footage, number):
        return []  # by an earlier try, which said so
    with as_owner(config):
        (footage / "segments").mkdir(parents=True, exist_ok=True)  # of a unit that never recorded
        desk = _quiet_desk(args)
        keeping = read_keeping(desk)
        if keeping.damage:
            msg = f"nobody knows all that is held, so nothing is removed or moved: {keeping.damage}"
            raise UsageError(msg)
        holds, removed = keeping.holds, "by an earlier try"
        if is_begun(footage, number):
            holds = [*holds, *_holds_of(footage / CLOSED / str(number))]
        else:
            # From the first step on nothing is filmed by the old masks, wherever the power fails.
            put_series(config.state_folder, series.model_copy(update={"closing": True}))
            held = {name for name, kept in keeping.kept.items() if kept == HELD}
            gone = remove_unheld(footage, held, [each for hold in holds for each in hold.stretches])
            removed = f"{gone.files} files, {size(gone.size_bytes)}"
        record = {
            "unit": config.unit.id,
            "series": number,
            "name": config.unit.name,
            "location": config.unit.location,
            "closed": now.isoformat(timespec="seconds"),
            "by": args.by,
            "holds": [hold.ref for hold in holds],
        }
        where = str((footage / CLOSED / str(number)).absolute())
        closed = lock_away(footage, number, with_values(old_text, "footage", {"folder": where}), record)
    sys.stdout.write(f"removed, because nobody holds it: {removed}\n")
    sys.stdout.write(f"series {number} is closed: {closed}\n")
    return [hold.ref for hold in holds]


def _holds_of(folder: Path) -> list[Hold]:
    from agent.footage.keep.holds import Holds, HoldsDamaged  # noqa: PLC0415

    try:
        return Holds(folder).all()
    except HoldsDamaged as damaged:
        raise UsageError(str(damaged)) from damaged


def _quiet_desk(args: argparse.Namespace) -> Desk:
    """The unit's footage, which nobody adds to.

    Raises:
        UsageError: a recorder is at work, or the footage cannot be read.
    """
    from agent.cli.footage.desk import open_desk  # noqa: PLC0415
    from agent.clock import kernel_boot_id  # noqa: PLC0415
    from agent.footage.store.segments import BOOT_DIGITS  # noqa: PLC0415

    desk = open_desk(args)
    boot = kernel_boot_id().replace("-", "")[:BOOT_DIGITS]
    ends = [era.segments[-1].end_s for era in desk.chronology.eras if era.boot == boot]
    if any(desk.looked_s - end_s < RECORDING_S for end_s in ends):
        msg = "this unit is recording: stop it first (systemctl stop safepoint-agent)"
        raise UsageError(msg)
    return desk


def _new_text(args: argparse.Namespace, config: Config, old_text: str) -> str:
    """The unit's file for the new site.

    Raises:
        UsageError: something of the new place is missing, or the file cannot be changed by a program.
    """
    if args.name is None or args.location is None:
        msg = "say where the unit goes: --name and --location (or --approve-masks, once it is there)"
        raise UsageError(msg)
    for option, said in (("--name", args.name), ("--location", args.location), ("--by", args.by)):
        if not said.isprintable():
            msg = f"{option} {said!a} has a line break, or what cannot be printed: say it in one line"
            raise UsageError(msg)
    given = (args.latitude, args.longitude)
    if (given[0] is None) != (given[1] is None):
        msg = "--latitude and --longitude come as a pair"
        raise UsageError(msg)
    if config.unit.latitude is not None and given[0] is None:
        msg = "the unit's file has coordinates, which would be those of the old site: give --latitude and --longitude"
        raise UsageError(msg)
    values: dict[str, str | float] = {"name": args.name, "location": args.location}
    if given[0] is not None:
        values |= {"latitude": given[0], "longitude": given[1]}
    try:
        return with_values(old_text, "unit", values)
    except NotRewritable as error:
        msg = f"{args.config} cannot be changed by a program ({error}): change the place there by hand first"
        raise UsageError(msg) from error


def _put_text(path: Path, text: str, *, only_judge: bool = False) -> None:
    """Replace the unit's file; owner and mode stay.

    Raises:
        ConfigInvalid: the new place makes no sense.
    """
    part = path.with_name(f".{path.name}.new")
    there = path.stat()
    part.write_text(text, encoding="utf-8")
    try:
        load_config(part, judge_files=False)
        if only_judge:
            return
        os.chown(part, there.st_uid, there.st_gid)
        part.chmod(there.st_mode & 0o777)
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    sync_folder(path.parent)


def _series(config: Config) -> Series | None:
    from agent.series import SeriesUnreadable, read_series  # noqa: PLC0415

    try:
        return read_series(config.state_folder)
    except SeriesUnreadable as error:
        msg = f"{error}: look at it, and remove it if this unit was never moved"
        raise UsageError(msg) from error
