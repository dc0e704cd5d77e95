"""How long footage will be kept, from how fast it is written and how much room it has. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from agent.footage.keep.retention import DAY_S

if TYPE_CHECKING:
    from agent.footage.keep.retention import Retention, Stands

SLACK = 1.05
"""A forecast that was short is long enough again when it is so by a twentieth: the rate moves with the scene."""


@dataclass(frozen=True)
class Forecast:
    """What becomes of rolling footage if everything stays as it is."""

    bytes_per_day: float
    days_kept: float
    """How far back rolling footage will reach."""
    kept_by: Literal["age", "budget", "disk"]
    """What ends it there: its age, `rolling_max_mb`, or the room on the disk."""
    days_to_full: float | None
    """Until the budget or the disk begins to remove the oldest; None: age does so before."""
    disk_days: float
    """How far back it would reach if only the disk ended it."""


def forecast(bytes_per_s: float, stands: Stands, retention: Retention) -> Forecast | None:
    """What becomes of rolling footage; None while nobody knows how fast it is written.

    Held and incident footage stay where they are, so rolling footage has what they and the reserve leave.
    """
    if bytes_per_s <= 0:
        return None
    bytes_per_day = bytes_per_s * DAY_S
    disk = max(0, stands.rolling + stands.free - retention.reserve_bytes)
    room = min(disk, retention.rolling_max_bytes)
    room_days, age_days = room / bytes_per_day, retention.keep_s / DAY_S
    if room_days >= age_days:
        return Forecast(bytes_per_day, age_days, "age", None, disk / bytes_per_day)
    kept_by: Literal["budget", "disk"] = "budget" if retention.rolling_max_bytes <= disk else "disk"
    left_days = max(0, room - stands.rolling) / bytes_per_day
    return Forecast(bytes_per_day, room_days, kept_by, left_days, disk / bytes_per_day)


def is_short(found: Forecast, retention: Retention, *, was_short: bool) -> bool:
    """Whether the disk cannot hold what was promised: a fault, because somebody must bring a bigger one.

    A budget below `keep_days` is none. Who set it decided so, `keep_days` is also the most that is allowed, and a fault
    that stands from the first day on hides the next one; the forecast itself says `budget` in every heartbeat.
    """
    if found.kept_by == "disk":
        return True
    return was_short and found.kept_by == "age" and found.disk_days < SLACK * retention.keep_s / DAY_S
