"""Moments as people type and read them: local time or UTC, and never one that could mean two."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

FORMS = "'2026-11-24 17:03:12', '2026-11-24T17:03Z', '17:03' (today), 'yesterday 17:03', '-10m' or 'now'"
"""What every refusal offers."""

_MOMENT = re.compile(
    r"((?P<day>\d{4}-\d{2}-\d{2}|today|yesterday)[T ]\s*)?"
    r"(?P<hour>\d{2}):(?P<minute>\d{2})(:(?P<second>\d{2})(?P<fraction>\.\d{1,6})?)?"
    r"\s*(?P<zone>Z|UTC|[+-]\d{2}:?\d{2})?",
    re.IGNORECASE,
)
_SPAN = r"\d+(?:\.\d+)?\s*[dhms]"
_AGO = re.compile(rf"-\s*(?P<minus>{_SPAN}(?:\s*{_SPAN})*)|(?P<ago>{_SPAN}(?:\s*{_SPAN})*)\s*ago", re.IGNORECASE)
_UNIT_S = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}


class NotAMoment(ValueError):
    """It names no moment, or two. Its sentence says what to type instead."""


def read_moment(text: str, zone: ZoneInfo, now: datetime) -> datetime:
    """The moment that somebody means, in UTC.

    Args:
        text: A date and time of day, or a time of today; in local time unless it says `Z`, `UTC` or an offset. Or
            `now`, or how long ago (`-10m`, `1h 30m ago`).
        zone: Where the unit stands.
        now: The present, aware.

    Raises:
        NotAMoment: it is none of these, or the clocks were changed so that this local time came twice or never.
    """
    text = text.strip()
    try:
        return _moment(text, zone, now)
    except OverflowError as error:
        msg = f"{text!r} lies outside of the calendar: give a time such as {FORMS}"
        raise NotAMoment(msg) from error


def _moment(text: str, zone: ZoneInfo, now: datetime) -> datetime:
    if text.lower() == "now":
        return now.astimezone(UTC)
    if found := _AGO.fullmatch(text):
        return now.astimezone(UTC) - _span(found["minus"] or found["ago"])
    found = _MOMENT.fullmatch(text)
    if found is None:
        msg = f"{text!r} is not a time: give one such as {FORMS}"
        raise NotAMoment(msg)
    offset = _offset(found["zone"], text)
    try:
        day = _day(found["day"], now.astimezone(offset or zone).date())
        of_day = time(int(found["hour"]), int(found["minute"]), int(found["second"] or 0))
    except ValueError as error:
        msg = f"{text!r} is not a time ({error}): give one such as {FORMS}"
        raise NotAMoment(msg) from error
    clock = datetime.combine(day, of_day) + timedelta(seconds=float(found["fraction"] or 0))
    return clock.replace(tzinfo=offset).astimezone(UTC) if offset else _from_local(clock, zone, text)


def _span(spans: str) -> timedelta:
    parts = re.findall(r"(\d+(?:\.\d+)?)\s*([dhms])", spans, re.IGNORECASE)
    return timedelta(seconds=sum(float(count) * _UNIT_S[unit.lower()] for count, unit in parts))


def _day(word: str | None, today: date) -> date:
    if word is None or word.lower() == "today":
        return today
    return today - timedelta(days=1) if word.lower() == "yesterday" else date.fromisoformat(word)


def _offset(zone: str | None, text: str) -> timezone | None:
    if zone is None:
        return None
    if zone.upper() in {"Z", "UTC"}:
        return UTC
    hours, minutes = int(zone[1:3]), int(zone[-2:])
    east = timedelta(hours=hours, minutes=minutes)
    if east > timedelta(hours=14) or minutes > 59:  # noqa: PLR2004 - Kiribati has the largest offset there is
        msg = f"{text!r} has an offset from UTC that no place has ({zone}): write it as +01:00, or 'Z' for UTC"
        raise NotAMoment(msg)
    return timezone(east if zone[0] == "+" else -east)


def _from_local(clock: datetime, zone: ZoneInfo, text: str) -> datetime:
    """The moment at which the clocks of the zone showed this."""
    first, second = (clock.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first == second:
        return first
    twice = first.astimezone(zone).replace(tzinfo=None) == clock
    what = "twice, since the clocks went back" if twice else "never, since the clocks went forward"
    readings = " or ".join(f"{f'{moment:%Y-%m-%dT%H:%M:%S}'}Z ({shown(moment, zone)})" for moment in (first, second))
    msg = f"{text!r} came {what} in {zone.key}: say in UTC which you mean, {readings}"
    raise NotAMoment(msg)


def shown(moment: datetime, zone: ZoneInfo) -> str:
    """A moment as people read it: local time to the millisecond, with its offset from UTC."""
    return moment.astimezone(zone).isoformat(sep=" ", timespec="milliseconds")


def utc(moment: datetime) -> str:
    """A moment for machines."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"


def length(seconds: float) -> str:
    """A duration as people say it."""
    if seconds < 60:  # noqa: PLR2004 - a minute
        return f"{seconds:.3f}".rstrip("0").rstrip(".") + " s"
    whole = round(seconds)
    parts = [(whole // 86_400, "d"), (whole // 3_600 % 24, "h"), (whole // 60 % 60, "min"), (whole % 60, "s")]
    return " ".join(f"{count} {unit}" for count, unit in parts if count)


def size(size_bytes: float) -> str:
    """A size as disks are sold: in units of a thousand."""
    for unit, factor in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if size_bytes >= factor:
            return f"{size_bytes / factor:.1f} {unit}"
    return f"{size_bytes / 1e3:.1f} kB"
