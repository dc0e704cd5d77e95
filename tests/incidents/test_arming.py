"""Set and unset: by hand, by schedule, over midnight and both clock changes."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from agent.config.settings import ArmingSettings, Day, SetWindow
from agent.incidents.schedule import is_set, next_edge
from tests.incidents.driven_unit import Unit, config, elsewhen, logged, revisions

LONDON = ZoneInfo("Europe/London")
NIGHTS = SetWindow(since=time(22), until=time(6))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def edges(window: SetWindow, first: str, number: int) -> list[str]:
    """The next edges after a UTC time."""
    found, at = [], utc(first)
    for _ in range(number):
        edge = next_edge([window], LONDON, at)
        assert edge is not None
        found.append(edge.strftime("%d %H:%M"))
        at = edge
    return found


def night(since: str, until: str, *days: Day) -> SetWindow:
    window = SetWindow(since=time.fromisoformat(since), until=time.fromisoformat(until))
    return window.model_copy(update={"days": days}) if days else window


# British clocks go forward on 29 March 2026, 01:00 UTC, and back on 25 October 2026, 01:00 UTC.
CLOCK_CHANGES = [
    ("winter night", night("22:00", "06:00"), "2026-01-10 12:00", ["10 22:00", "11 06:00"]),
    ("summer night", night("22:00", "06:00"), "2026-07-10 12:00", ["10 21:00", "11 05:00"]),
    ("forward in the window", night("22:00", "06:00"), "2026-03-28 12:00", ["28 22:00", "29 05:00"]),
    ("back in the window", night("22:00", "06:00"), "2026-10-24 12:00", ["24 21:00", "25 06:00"]),
    ("begins at a skipped time", night("01:30", "06:00"), "2026-03-28 12:00", ["29 01:30", "29 05:00"]),
    ("ends at a skipped time", night("22:00", "01:30"), "2026-03-28 12:00", ["28 22:00", "29 01:30"]),
    ("begins at a double time", night("01:30", "06:00"), "2026-10-24 12:00", ["25 00:30", "25 06:00"]),
    ("ends at a double time", night("22:00", "01:30"), "2026-10-24 12:00", ["24 21:00", "25 00:30"]),
    ("swallowed by the change", night("01:30", "02:00", "sun"), "2026-03-28 12:00", ["05 00:30", "05 01:00"]),
    ("one night a week", night("20:00", "02:00", "fri"), "2026-11-21 12:00", ["27 20:00", "28 02:00"]),
    ("the whole day", night("08:00", "08:00", "mon"), "2026-11-22 12:00", ["23 08:00", "24 08:00"]),
]


@pytest.mark.parametrize(("story", "window", "first", "expected"), CLOCK_CHANGES)
def test_windows_keep_their_wall_clock_edges(story: str, window: SetWindow, first: str, expected: list[str]) -> None:
    assert edges(window, first, 2) == expected, story


def test_every_minute_of_both_clock_changes_agrees_with_the_next_edge() -> None:
    for first in ("2026-03-28 20:00", "2026-10-24 20:00"):
        for minutes in range(0, 12 * 60, 7):
            wall = utc(first) + timedelta(minutes=minutes)
            edge = next_edge([NIGHTS], LONDON, wall)
            assert edge is not None
            assert is_set([NIGHTS], LONDON, edge - timedelta(seconds=1)) is is_set([NIGHTS], LONDON, wall)
            assert is_set([NIGHTS], LONDON, edge) is not is_set([NIGHTS], LONDON, wall)


def test_windows_that_touch_have_no_edge_between_them() -> None:
    windows = [night("20:00", "23:00"), night("23:00", "02:00")]
    assert next_edge(windows, LONDON, utc("2026-11-22 21:00")) == utc("2026-11-23 02:00")


def test_a_schedule_that_never_changes_has_no_edge() -> None:
    assert next_edge([night("00:00", "00:00")], LONDON, utc("2026-11-22 21:00")) is None
    assert next_edge([], LONDON, utc("2026-11-22 21:00")) is None


def scheduled(wall: str, *windows: SetWindow) -> Unit:
    arming = ArmingSettings.model_validate({"mode": "schedule", "windows": windows or (NIGHTS,)})
    return Unit(config(arming=arming), start=elsewhen(utc(wall)))


def test_a_schedule_sets_and_unsets() -> None:
    unit = scheduled("2026-11-22 21:00")
    assert revisions(unit.walk(0)) == []
    assert "detectors_set" in logged(unit.wait(3600))
    assert unit.incidents.armed
    assert "detectors_unset" in logged(unit.wait(9 * 3600))
    assert not unit.incidents.armed


def test_it_is_looked_at_each_hour_at_least_so_that_a_stepped_clock_heals() -> None:
    unit = scheduled("2026-11-22 12:00")
    due_s = unit.incidents.due()
    assert due_s is not None
    assert due_s - unit.start.monotonic_s <= 3600
    unit.start = elsewhen(utc("2026-11-22 23:00"))  # the clock was wrong by hours
    unit.wait(due_s - unit.start.monotonic_s)
    assert unit.incidents.armed


def test_by_hand_it_holds_until_the_next_change_of_the_schedule() -> None:
    unit = scheduled("2026-11-22 23:00")
    assert unit.incidents.armed
    assert "detectors_unset" in logged(unit.set(10, armed=False))
    unit.wait(7 * 3600 + 1)  # 06:00 passed: unset anyway
    assert not unit.incidents.armed
    unit.wait(23 * 3600 + 1)
    assert unit.incidents.armed


def test_set_by_hand_in_the_day_it_stays_set_into_the_night_and_ends_with_it() -> None:
    unit = scheduled("2026-11-22 12:00")
    unit.set(0)
    unit.wait(10 * 3600 + 1)  # 22:00 passed: the schedule has it now
    assert unit.incidents.armed
    unit.wait(18 * 3600 + 1)
    assert not unit.incidents.armed


def test_always_means_always() -> None:
    unit = Unit(config(arming=ArmingSettings(mode="always")))
    assert "set_request_refused" in logged(unit.set(0, armed=False))
    assert unit.incidents.armed


def test_set_by_hand_outlives_a_restart() -> None:
    unit = Unit(armed=True)
    unit.restart(60)
    assert unit.incidents.armed
    assert unit.incidents.summary()["armedBy"] == "key-1"


def test_by_hand_of_another_mode_means_nothing_after_a_restart() -> None:
    unit = Unit(armed=True, start=elsewhen(utc("2026-11-22 12:00")))
    unit.restart(60, settings=config(arming=ArmingSettings(mode="schedule", windows=(NIGHTS,))))
    assert not unit.incidents.armed


def test_by_hand_until_an_edge_that_passed_while_the_unit_was_off_is_over() -> None:
    unit = scheduled("2026-11-22 12:00")
    unit.set(0)
    unit.restart(20 * 3600)
    assert not unit.incidents.armed
