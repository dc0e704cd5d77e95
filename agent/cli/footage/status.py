"""`safepoint footage status`: is it recording, how far back does it go, and for how long will it."""

from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.cli.errors import UsageError
from agent.cli.footage.options import add_json

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator
    from pathlib import Path

    from agent.cli.footage.desk import Desk
    from agent.cli.footage.keeping import Keeping
    from agent.cli.footage.telling import Json
    from agent.cli.main import Subparsers
    from agent.footage.keep.forecast import Forecast
    from agent.footage.keep.retention import Retention, Stands
    from agent.footage.store.exports import Export

FRESH_S = 5.0
"""A frame of this age is on the disk when footage is recorded: it is written at once, and a stalled camera or a slow
disk has faults of its own from 2 s on."""
RATE_SEGMENTS = 360
"""How many of the last segments say how fast footage is written: an hour of the usual ten seconds."""


def add(subparsers: Subparsers) -> None:
    """Describe the subcommand."""
    parser = subparsers.add_parser(
        "status",
        help="whether it is recording, and how far back footage goes",
        description="Tell whether the unit records right now, how far back its footage goes, for how long it will be "
        "kept at the present rate, what it holds, and what is held.",
    )
    add_json(parser)
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    """Tell it.

    Raises:
        ConfigInvalid: the configuration cannot be used.
        UsageError: the footage cannot be read.
    """
    from agent.cli.footage.desk import open_desk  # noqa: PLC0415 - keeps the other commands quick
    from agent.cli.footage.keeping import HELD, INCIDENT, ROLLING, read_keeping  # noqa: PLC0415
    from agent.footage.keep.forecast import forecast  # noqa: PLC0415
    from agent.footage.keep.retention import Retention, Stands  # noqa: PLC0415
    from agent.footage.store.exports import bytes_on_their_way, read_exports  # noqa: PLC0415
    from agent.footage.store.volume import free_bytes  # noqa: PLC0415
    from agent.uplink.media.queue import waited_for  # noqa: PLC0415

    desk = open_desk(args)
    keeping = read_keeping(desk)
    sizes = Counter(keeping.media_bytes)
    for segment in desk.library.filmed:
        sizes[keeping.kept.get(segment.name, ROLLING)] += segment.size_bytes
    try:
        stands = Stands(sizes[ROLLING], sizes[INCIDENT], sizes[HELD], free_bytes(desk.footage))
        exports = _Exports(read_exports(desk.footage), bytes_on_their_way(desk.footage), waited_for(desk.config))
    except OSError as error:
        msg = f"the disk of {desk.footage} cannot be read: {error.strerror}"
        raise UsageError(msg) from error
    retention = Retention.of(desk.config.footage)
    status = _Status(desk, keeping, stands, exports, retention, forecast(_bytes_per_s(desk), stands, retention))
    text = json.dumps(_machine(status)) if args.json else "\n".join(_lines(status))
    sys.stdout.write(text + "\n")
    return 0


@dataclass(frozen=True)
class _Exports:
    """Copies that lie ready to be fetched."""

    ready: list[Export]
    written_bytes: int
    """Of those that are being written."""
    waited_for: frozenset[Path]
    """Files that uploads wait for."""

    @property
    def size_bytes(self) -> int:
        return sum(export.size_bytes for export in self.ready)

    def is_being_sent(self, export: Export) -> bool:
        return any(export.path == file or export.path in file.parents for file in self.waited_for)


@dataclass(frozen=True)
class _Status:
    desk: Desk
    keeping: Keeping
    stands: Stands
    exports: _Exports
    retention: Retention
    forecast: Forecast | None

    @property
    def age_s(self) -> float | None:
        """How old the newest frame of this boot is; None: there is none, so nothing is recording."""
        from agent.clock import kernel_boot_id  # noqa: PLC0415
        from agent.footage.store.segments import BOOT_DIGITS  # noqa: PLC0415

        boot = kernel_boot_id().replace("-", "")[:BOOT_DIGITS]
        ends = [era.segments[-1].end_s for era in self.desk.chronology.eras if era.boot == boot]
        return max(0.0, self.desk.looked_s - ends[-1]) if ends else None

    @property
    def recording(self) -> bool:
        """Whether frames reach the disk right now."""
        return self.age_s is not None and self.age_s <= FRESH_S


def _bytes_per_s(desk: Desk) -> float:
    recent = [segment for era in desk.chronology.eras for segment in era.segments][-RATE_SEGMENTS:]
    filmed_s = sum(segment.until_s - segment.start_s for segment in recent)
    return sum(segment.size_bytes for segment in recent) / filmed_s if filmed_s else 0.0


def _recording_words(status: _Status) -> str:
    from agent.footage.find.when import length  # noqa: PLC0415

    if status.age_s is None:
        on = status.desk.config.camera.enabled
        return "NO: no frame since the unit was started" if on else "NO: the camera is off in the configuration"
    if not status.recording:
        return f"NO: the newest frame is {length(round(status.age_s, 1))} old"
    return f"yes, the newest frame is {length(round(status.age_s, 1))} old"


def _forecast_words(found: Forecast | None) -> str:
    from agent.footage.find.when import size  # noqa: PLC0415

    if found is None:
        return "nobody knows yet"
    why = {"age": "footage.keep_days", "budget": "footage.rolling_max_mb", "disk": "the room on the disk"}
    return f"{found.days_kept:.1f} days at {size(found.bytes_per_day)} a day, bounded by {why[found.kept_by]}"


def _exports_words(status: _Status) -> str:
    from agent.footage.find.when import size  # noqa: PLC0415

    exports = status.exports
    if not exports.ready:
        return "none"
    days = f"{status.desk.config.footage.export_keep_days:g}"
    return f"{len(exports.ready)}, {size(exports.size_bytes)}, each removed {days} days after it was made"


def _lines(status: _Status) -> Iterator[str]:
    from agent.footage.find.when import size  # noqa: PLC0415

    desk, stands, retention = status.desk, status.stands, status.retention
    eras = desk.chronology.eras
    yield f"recording     {_recording_words(status)}"
    yield f"oldest        {desk.local(eras[0].start) if eras else 'no footage'}"
    yield f"newest        {desk.local(eras[-1].end) if eras else 'no footage'}"
    yield f"will be kept  {_forecast_words(status.forecast)}"
    yield f"rolling       {size(stands.rolling)} of {size(retention.rolling_max_bytes)}"
    yield f"incident      {size(stands.incident)} of {size(retention.incident_max_bytes)}"
    yield f"held          {size(stands.held)}"
    yield f"exports       {_exports_words(status)}"
    for export in status.exports.ready:
        made = f"made {desk.local(export.made.wall)}" if export.made else "nobody said when it was made"
        sent = ", an upload waits for it" if status.exports.is_being_sent(export) else ""
        yield f"              {export.name}: {size(export.size_bytes)}, {made}{sent}"
    if status.exports.written_bytes:
        yield f"              {size(status.exports.written_bytes)} are being written"
    yield f"free          {size(stands.free)}, of which {size(retention.reserve_bytes)} are not for footage"
    yield f"holds         {len(status.keeping.holds) or 'none'}"
    for hold in status.keeping.holds:
        span = f"{desk.local(hold.start)} to {desk.local(hold.end)}"
        yield f"              {hold.ref!r}: {span}, by {hold.by} since {desk.local(hold.made)}: {hold.reason}"
    if status.keeping.damage:
        yield f"              DAMAGED, so nothing is removed until this is repaired: {status.keeping.damage}"
    if desk.library.index_lost:
        yield f"table         cannot be used ({desk.library.index_lost}): this is what the files themselves say"


def _machine(status: _Status) -> Json:
    from agent.footage.find.when import utc  # noqa: PLC0415

    eras, found = status.desk.chronology.eras, status.forecast
    return {
        "recording": status.recording,
        "newest_frame_age_s": None if status.age_s is None else round(status.age_s, 3),
        "oldest": utc(eras[0].start) if eras else None,
        "newest": utc(eras[-1].end) if eras else None,
        "days_kept": None if found is None else round(found.days_kept, 2),
        "kept_by": None if found is None else found.kept_by,
        "bytes_per_day": None if found is None else round(found.bytes_per_day),
        "rolling_bytes": status.stands.rolling,
        "rolling_max_bytes": status.retention.rolling_max_bytes,
        "incident_bytes": status.stands.incident,
        "incident_max_bytes": status.retention.incident_max_bytes,
        "held_bytes": status.stands.held,
        "exports": [
            {
                "name": export.name,
                "size_bytes": export.size_bytes,
                "made": utc(export.made.wall) if export.made else None,
                "upload_waits": status.exports.is_being_sent(export),
            }
            for export in status.exports.ready
        ],
        "export_bytes": status.exports.size_bytes + status.exports.written_bytes,
        "export_keep_days": status.desk.config.footage.export_keep_days,
        "free_bytes": status.stands.free,
        "reserve_bytes": status.retention.reserve_bytes,
        "holds": [
            {
                "ref": hold.ref,
                "reason": hold.reason,
                "by": hold.by,
                "made": utc(hold.made),
                "from": utc(hold.start),
                "to": utc(hold.end),
            }
            for hold in status.keeping.holds
        ],
        "holds_damaged": status.keeping.damage,
        "index_lost": status.desk.library.index_lost,
    }
