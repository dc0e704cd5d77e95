"""What an operator orders of the recorder, in wall time: a still, a clip, a hold, a release.

What lies in this boot is found by the unit's present clock, as incidents are; what is older by all that the footage
tells of the clocks of its time (`agent.footage.find.chronology`). Each order has one answer, and the same order given
again (to a new process, after the death of the one before) has the same.
"""

from __future__ import annotations

import sqlite3
from datetime import UTC, timedelta
from typing import TYPE_CHECKING

import structlog

from agent.clock import Moment
from agent.footage.find.chronology import Chronology
from agent.footage.keep.holding import hold_what_is_there
from agent.footage.keep.holds import Hold, HoldExists, Holds, NoSuchHold
from agent.footage.show.splice import stretches
from agent.footage.show.stills import REACH_S
from agent.footage.store.incident_files import incident_shown
from agent.footage.store.library import read_library
from agent.helpers.messages import (
    ClipOrder,
    ClipRequest,
    HoldOrder,
    MediaMissed,
    OrderDone,
    OrderRefused,
    StillOrder,
    StillRequest,
)
from agent.signals import Why

if TYPE_CHECKING:
    from datetime import datetime

    from agent.clock import Clock
    from agent.config.settings import Config
    from agent.footage.find.chronology import Part
    from agent.footage.show.darkroom import Darkroom
    from agent.footage.store.library import Library
    from agent.footage.store.volume import Volume
    from agent.helpers.messages import MediaMade, Order, ReleaseOrder

log = structlog.get_logger()


class Orders:
    """Carries orders out, one at a time, in a thread that the recording never waits for."""

    def __init__(self, config: Config, volume: Volume, darkroom: Darkroom, clock: Clock) -> None:
        self._footage = config.footage_folder
        self._segment_s = config.footage.segment_s
        self._volume = volume
        self._darkroom = darkroom
        self._clock = clock
        self._holds = Holds(self._footage)

    def ready_s(self, order: Order) -> float:
        """When the footage that it needs can be on the disk, on CLOCK_MONOTONIC."""
        match order:
            case StillOrder():
                return self._now_or(order.at)
            case ClipOrder() | HoldOrder():
                return self._now_or(order.end)
            case _:
                return 0.0

    def carry_out(self, order: Order) -> OrderDone | OrderRefused:
        """Do it; whatever happens there is an answer."""
        try:
            self._volume.check()
            match order:
                case StillOrder():
                    return self._still(order)
                case ClipOrder():
                    return self._clip(order)
                case HoldOrder():
                    return self._hold(order)
                case _:
                    return self._release(order)
        except (OSError, sqlite3.Error, ValueError) as error:
            log.warning("order_failed", order=order.type, reason=str(error))
            return OrderRefused(order.order_id, Why.DISK, f"the footage cannot be used: {error}"[:500])

    # --- pictures ------------------------------------------------------------------------------------------------

    def _still(self, order: StillOrder) -> OrderDone | OrderRefused:
        reach = timedelta(seconds=REACH_S)
        here = self._of_this_boot(order.at)
        moments = (
            [here] if here else [_moment(part, order.at) for part in self._find(order.at - reach, order.at + reach)]
        )
        for at in moments:
            made = self._darkroom.still(StillRequest(order.order_id, at))
            if not isinstance(made, MediaMissed):
                # It shows this one moment; the darkroom expects a whole incident.
                incident_shown(self._footage, order.order_id, made.start, made.end)
                return _done(made)
        return OrderRefused(order.order_id, Why.NO_FOOTAGE, f"no picture within {REACH_S:g} s of the moment is stored")

    def _clip(self, order: ClipOrder) -> OrderDone | OrderRefused:
        start, end = self._of_this_boot(order.start), self._of_this_boot(order.end)
        if not (start and end):
            parts = self._find(order.start, order.end)
            if not parts:
                return OrderRefused(order.order_id, Why.NO_FOOTAGE, "no footage of this interval is stored")
            if len({part.era.boot for part in parts}) > 1:
                restarted = parts[1].era.moment(parts[1].shown_from_s).astimezone(UTC)
                text = f"the unit was restarted within the interval, before {restarted:%H:%M:%S} UTC: ask for two clips"
                return OrderRefused(order.order_id, Why.NO_FOOTAGE, text)
            start, end = _moment(parts[0], order.start), _moment(parts[-1], order.end)
        made = self._darkroom.clip(ClipRequest(order.order_id, start, end))
        if isinstance(made, MediaMissed):
            return OrderRefused(order.order_id, Why.NO_FOOTAGE, made.reason[:500])
        return _done(made)

    # --- holds ---------------------------------------------------------------------------------------------------

    def _hold(self, order: HoldOrder) -> OrderDone | OrderRefused:
        library, chronology = self._look()
        found = chronology.find(order.start, order.end)
        hold = Hold(
            order.ref,
            order.reason,
            order.by,
            order.made,
            order.start,
            order.end,
            tuple(stretches(found) if found else ()),
        )
        try:
            parts = hold_what_is_there(self._holds, hold, found, library.folder)
        except HoldExists:
            if not self._is_ours(order):
                text = f"there is already a hold with the reference {order.ref}"
                return OrderRefused(order.order_id, Why.EXISTS, text)
            parts = found
        if not parts:
            return OrderRefused(order.order_id, Why.NO_FOOTAGE, "no footage of this interval is stored")
        first, last = parts[0], parts[-1]
        facts: dict[str, str | int | float | bool] = {
            "ref": order.ref,
            "start": _text(first.era.moment(first.shown_from_s)),
            "end": _text(last.era.moment(last.shown_to_s)),
            "segments": sum(len(part.segments) for part in parts),
        }
        return OrderDone(order.order_id, f"held as {order.ref} by {order.by}", facts)

    def _release(self, order: ReleaseOrder) -> OrderDone | OrderRefused:
        try:
            self._holds.release(order.ref, order.by, order.reason, order.made)
        except NoSuchHold:
            if not self._holds.was_released(order.ref, order.made):
                return OrderRefused(order.order_id, Why.NOT_FOUND, f"there is no hold with the reference {order.ref}")
        return OrderDone(order.order_id, f"released {order.ref} by {order.by}", {"ref": order.ref})

    def _is_ours(self, order: HoldOrder) -> bool:
        """Whether the hold of this reference is the one that an earlier process placed for this very order."""
        wanted = (order.ref, order.by, order.made, order.start, order.end)
        return any((hold.ref, hold.by, hold.made, hold.start, hold.end) == wanted for hold in self._holds.all())

    # --- time ----------------------------------------------------------------------------------------------------

    def _now_or(self, wall: datetime) -> float:
        """The monotonic reading of a wall time near the present; what lies before this boot is on the disk."""
        here = self._of_this_boot(wall)
        return 0.0 if here is None else here.monotonic_s

    def _of_this_boot(self, wall: datetime) -> Moment | None:
        """The moment by the present clock; None: it lies before this boot."""
        now = self._clock.now()
        moment = now.later((wall - now.wall).total_seconds())
        return moment if moment.monotonic_s > 0 else None

    def _find(self, start: datetime, end: datetime) -> list[Part]:
        return self._look()[1].find(start, end)

    def _look(self) -> tuple[Library, Chronology]:
        library = read_library(self._footage, self._segment_s)
        return library, Chronology(library.filmed)


def _done(made: MediaMade) -> OrderDone:
    facts: dict[str, str | int | float | bool] = {
        "file": f"incidents/{made.alert_id}/{made.path.rpartition('/')[2]}",
        "sha256": made.sha256,
        "sizeBytes": made.size_bytes,
        "start": _text(made.start.wall),
        "end": _text(made.end.wall),
    }
    return OrderDone(made.alert_id, f"the {made.media} is stored on the unit", facts)


def _moment(part: Part, wall: datetime) -> Moment:
    """A wall time as it is meant in this footage."""
    era = part.era
    return Moment(era.monotonic(wall), wall, era.boot, era.quality)


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
