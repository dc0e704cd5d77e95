"""What people type means one moment, or is refused with what to type instead."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from agent.footage.find.when import NotAMoment, length, read_moment, shown, utc

LONDON = ZoneInfo("Europe/London")
NOW = datetime(2026, 7, 14, 16, 30, 5, 250_000, tzinfo=UTC)
"""17:30 British summer time."""


def read(text: str, now: datetime = NOW, zone: ZoneInfo = LONDON) -> str:
    return utc(read_moment(text, zone, now))


def refusal(text: str) -> str:
    with pytest.raises(NotAMoment) as refused:
        read_moment(text, LONDON, NOW)
    return str(refused.value)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("2026-11-24 17:03:12", "2026-11-24T17:03:12.000Z"),
        ("2026-07-01 17:03:12", "2026-07-01T16:03:12.000Z"),
        ("2026-11-24T17:03Z", "2026-11-24T17:03:00.000Z"),
        ("2026-07-01T17:03z", "2026-07-01T17:03:00.000Z"),
        ("2026-07-01 17:03 UTC", "2026-07-01T17:03:00.000Z"),
        ("2026-07-01 17:03:12.5+01:00", "2026-07-01T16:03:12.500Z"),
        ("2026-07-01 17:03 -0330", "2026-07-01T20:33:00.000Z"),
        ("17:03", "2026-07-14T16:03:00.000Z"),
        ("17:03:12.5", "2026-07-14T16:03:12.500Z"),
        ("16:03Z", "2026-07-14T16:03:00.000Z"),
        ("today 09:00", "2026-07-14T08:00:00.000Z"),
        ("Yesterday 23:59:59.999", "2026-07-13T22:59:59.999Z"),
        ("now", "2026-07-14T16:30:05.250Z"),
        ("-10m", "2026-07-14T16:20:05.250Z"),
        ("10m ago", "2026-07-14T16:20:05.250Z"),
        ("1h 30m ago", "2026-07-14T15:00:05.250Z"),
        ("-1h30m", "2026-07-14T15:00:05.250Z"),
        ("-2d", "2026-07-12T16:30:05.250Z"),
        ("0.25s ago", "2026-07-14T16:30:05.000Z"),
    ],
)
def test_a_moment_is_local_unless_it_says_otherwise(typed: str, meant: str) -> None:
    assert read(typed) == meant


def test_today_is_the_day_of_the_place_and_not_that_of_greenwich() -> None:
    just_after_midnight = datetime(2026, 7, 13, 23, 10, tzinfo=UTC)
    assert read("00:05", just_after_midnight) == "2026-07-13T23:05:00.000Z"
    assert read("00:05Z", just_after_midnight) == "2026-07-13T00:05:00.000Z"


def test_a_local_time_that_came_twice_is_refused_with_both_readings() -> None:
    assert refusal("2026-10-25 01:30") == (
        "'2026-10-25 01:30' came twice, since the clocks went back in Europe/London: say in UTC which you mean, "
        "2026-10-25T00:30:00Z (2026-10-25 01:30:00.000+01:00) or 2026-10-25T01:30:00Z (2026-10-25 01:30:00.000+00:00)"
    )


def test_a_local_time_that_never_was_is_refused_with_both_readings() -> None:
    assert refusal("2026-03-29 01:30") == (
        "'2026-03-29 01:30' came never, since the clocks went forward in Europe/London: say in UTC which you mean, "
        "2026-03-29T01:30:00Z (2026-03-29 02:30:00.000+01:00) or 2026-03-29T00:30:00Z (2026-03-29 00:30:00.000+00:00)"
    )


@pytest.mark.parametrize("change", ["2026-10-25 01:30", "2026-03-29 01:30"])
def test_each_reading_that_a_refusal_offers_can_be_typed(change: str) -> None:
    offered = re.findall(r"\S+Z", refusal(change))
    assert len({read(reading) for reading in offered}) == 2


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("2026-10-25 00:59:59", "2026-10-24T23:59:59.000Z"),
        ("2026-10-25 02:00", "2026-10-25T02:00:00.000Z"),
        ("2026-03-29 00:59:59", "2026-03-29T00:59:59.000Z"),
        ("2026-03-29 02:00", "2026-03-29T01:00:00.000Z"),
        ("2026-10-25 01:30+01:00", "2026-10-25T00:30:00.000Z"),
    ],
)
def test_the_hours_around_a_change_of_the_clocks_mean_one_moment(typed: str, meant: str) -> None:
    assert read(typed) == meant


@pytest.mark.parametrize("typed", ["", "soon", "24/11/2026 17:03", "2026-11-24", "17", "5pm", "--", "10 ago", "1703"])
def test_what_is_no_moment_is_refused_with_examples(typed: str) -> None:
    assert f"{typed!r} is not a time: give one such as '2026-11-24 17:03:12'" in refusal(typed)


@pytest.mark.parametrize("typed", ["2026-02-30 10:00", "25:00", "2026-13-01 10:00", "10:61"])
def test_a_date_or_hour_that_the_calendar_does_not_have_is_refused(typed: str) -> None:
    assert f"{typed!r} is not a time (" in refusal(typed)


def test_an_offset_that_no_place_has_is_refused() -> None:
    assert "has an offset from UTC that no place has (+19:00)" in refusal("17:03 +19:00")


def test_what_lies_outside_of_the_calendar_is_refused() -> None:
    for typed in ("-99999999999999d", "-999999d", "0001-01-01 00:00 +10:00", "9999-12-31 23:00 -10:00"):
        assert f"{typed!r} lies outside of the calendar" in refusal(typed)


def test_moments_are_shown_in_local_time_with_their_offset() -> None:
    assert shown(NOW, LONDON) == "2026-07-14 17:30:05.250+01:00"
    assert read(shown(NOW, LONDON)) == utc(NOW), "what is shown can be typed"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.067, "0.067 s"),
        (2, "2 s"),
        (59.5, "59.5 s"),
        (192, "3 min 12 s"),
        (3600, "1 h"),
        (90061, "1 d 1 h 1 min 1 s"),
    ],
)
def test_a_length_is_said_as_people_say_it(seconds: float, said: str) -> None:
    assert length(seconds) == said
