"""When the set windows begin and end: local wall-clock times, right over midnight and over both clock changes.

A local time that a clock change skips stands for the same time after the change (01:30 becomes 02:30); one that comes
twice means the first of the two. The edges keep their wall-clock time, so a window over a clock change is an hour
shorter or longer.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import time
    from zoneinfo import ZoneInfo

    from agent.config.settings import SetWindow

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_AHEAD_DAYS = 16
"""A window of one day in the week comes again within seven days, or fourteen when a clock change swallows it."""


def is_set(windows: Sequence[SetWindow], zone: ZoneInfo, wall: datetime) -> bool:
    """Whether a window is open at this wall time."""
    return any(start <= wall < end for start, end in _spans(windows, zone, wall))


def next_edge(windows: Sequence[SetWindow], zone: ZoneInfo, wall: datetime) -> datetime | None:
    """When the windows next change between set and unset (UTC); None: never."""
    edges = sorted({edge for span in _spans(windows, zone, wall) for edge in span if edge > wall})
    before = is_set(windows, zone, wall)
    return next((edge for edge in edges if is_set(windows, zone, edge) is not before), None)


def is_between(since: time, until: time, local: time) -> bool:
    """Whether a time of day lies in [since, until), past midnight when `until` is not after `since`."""
    if since < until:
        return since <= local < until
    return local >= since or local < until


def _spans(windows: Sequence[SetWindow], zone: ZoneInfo, wall: datetime) -> Iterator[tuple[datetime, datetime]]:
    today = wall.astimezone(zone).date()
    for ahead in range(-1, _AHEAD_DAYS):
        day = today + timedelta(days=ahead)
        for window in windows:
            if _DAYS[day.weekday()] in window.days:
                last_day = day if window.since < window.until else day + timedelta(days=1)
                yield _utc(day, window.since, zone), _utc(last_day, window.until, zone)


def _utc(day: date, local: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, local.replace(fold=0), tzinfo=zone).astimezone(UTC)
