"""When the unit tests its hearing, and what comes of it: nobody speaks, and no clock runs."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from agent.clock import ClockQuality, Moment
from agent.voice.self_test import (
    AFTER_TALK_S,
    BEGUN_WITHIN_S,
    ENDED_WITHIN_S,
    RETRY_S,
    Ask,
    PutOff,
    Result,
    SelfTests,
    Speak,
    put_off,
)

if TYPE_CHECKING:
    from agent.voice.self_test import Step

LONDON = ZoneInfo("Europe/London")
LEVEL_DBFS = -25.0


class Day:
    """A unit whose clock is looked at each second."""

    def __init__(self, wall: datetime, at: time = time(10, 30)) -> None:
        self.now = Moment(1000.0, wall, "boot", ClockQuality.SYNCED)
        self.tests = SelfTests(at, LONDON, self.now)
        self.hindered: PutOff | None = None

    def pass_s(self, seconds: float) -> list[Step]:
        done: list[Step] = []
        for _ in range(round(seconds)):
            self.now = self.now.later(1.0)
            if step := self.tests.look(self.now, self.hindered):
                done.append(step)
        return done

    def begun(self, number: int) -> Step | None:
        return self.tests.begun(number, self.now, self.hindered)

    def ended(self, number: int, level_dbfs: float | None) -> Step | None:
        return self.tests.ended(number, level_dbfs, self.now.monotonic_s, self.now, self.hindered)

    def set_clock(self, wall: datetime) -> None:
        self.now = Moment(self.now.monotonic_s, wall, "boot", ClockQuality.SYNCED)


def morning() -> Day:
    return Day(datetime(2026, 11, 24, 10, 29, 55, tzinfo=UTC))


def test_once_a_day_at_its_local_time_the_unit_speaks_and_hears_itself() -> None:
    day = Day(datetime(2026, 7, 1, 9, 29, 55, tzinfo=UTC))  # summer time: 10:29:55
    assert day.pass_s(10) == [Ask(1)]
    assert day.begun(1) == Speak()
    day.pass_s(3)
    result = day.ended(1, LEVEL_DBFS)
    assert result == Result(day.now, 1, LEVEL_DBFS, 3.0)
    assert day.tests.facts()["lastSelfTest"] == {
        "time": day.now.wall,
        "ok": True,
        "attempts": 1,
        "levelDbfs": LEVEL_DBFS,
        "tookS": 3.0,
    }
    day.now = day.now.later(20 * 3600)
    assert day.pass_s(3 * 3600 + 1800) == []
    day.pass_s(1800)
    assert day.tests.begun(2, day.now, None) == Speak()


def test_three_misses_in_a_row_are_a_result_and_the_next_test_begins_anew() -> None:
    day = morning()
    day.pass_s(10)
    for number in (1, 2):
        assert day.begun(number) == Speak()
        assert day.ended(number, None) is None
        assert day.pass_s(RETRY_S - 2) == []
        assert day.pass_s(5) == [Ask(number + 1)]
    day.begun(3)
    assert day.ended(3, None) == Result(day.now, 3, None, None)
    assert day.pass_s(3600) == []

    day.tests.want()
    assert day.pass_s(2) == [Ask(4)]
    day.begun(4)
    assert day.ended(4, LEVEL_DBFS) == Result(day.now, 1, LEVEL_DBFS, 0.0)


def test_a_line_heard_at_the_second_try_is_no_fault() -> None:
    day = morning()
    day.pass_s(10)
    day.begun(1)
    day.ended(1, None)
    day.pass_s(RETRY_S)
    day.begun(2)
    assert day.ended(2, LEVEL_DBFS) == Result(day.now, 2, LEVEL_DBFS, 0.0)


def test_a_listener_that_does_not_answer_is_a_miss() -> None:
    day = morning()
    steps = day.pass_s(10)
    steps += day.pass_s(3 * (BEGUN_WITHIN_S + RETRY_S) + 5)
    assert [type(step) for step in steps] == [Ask, Ask, Ask, Result]
    day.tests.want()
    day.pass_s(2)
    assert day.begun(4) == Speak()
    assert day.pass_s(ENDED_WITHIN_S + RETRY_S + 2) == [Ask(5)]


@pytest.mark.parametrize("hindrance", PutOff)
def test_a_test_that_is_due_waits_until_nothing_speaks_against_it(hindrance: PutOff) -> None:
    day = morning()
    day.hindered = hindrance
    assert day.pass_s(3600) == []
    assert day.tests.facts() == {"selfTestPutOff": hindrance}
    day.hindered = None
    assert day.pass_s(2) == [Ask(1)]
    assert day.tests.facts() == {}


def test_a_call_while_the_listener_waits_for_quiet_keeps_the_unit_from_speaking() -> None:
    day = morning()
    day.pass_s(10)
    day.hindered = PutOff.CALL
    assert day.begun(1) is None
    assert day.ended(1, None) is None, "the listener listened in vain: nobody counts that"
    assert day.pass_s(600) == []
    day.hindered = None
    assert day.pass_s(2) == [Ask(2)]


def test_a_try_that_somebody_called_into_is_not_counted() -> None:
    day = morning()
    day.pass_s(10)
    for number in (1, 2, 3, 4):
        day.begun(number)
        day.hindered = PutOff.CALL
        assert day.ended(number, None) is None
        day.hindered = None
        day.pass_s(RETRY_S + 1)
    day.begun(5)
    day.ended(5, LEVEL_DBFS)
    assert day.tests.last == Result(day.now, 1, LEVEL_DBFS, 0.0)


def test_answers_of_an_earlier_try_count_for_nothing() -> None:
    day = morning()
    day.pass_s(10)
    day.pass_s(BEGUN_WITHIN_S + RETRY_S + 2)
    assert day.begun(1) is None
    assert day.ended(1, LEVEL_DBFS) is None
    assert day.begun(2) == Speak()


def test_a_clock_that_is_put_right_passes_over_no_test() -> None:
    day = Day(datetime(2026, 11, 24, 1, 0, tzinfo=UTC))
    day.set_clock(datetime(2026, 11, 24, 23, 0, tzinfo=UTC))
    assert day.pass_s(5) == []
    day.set_clock(datetime(2026, 11, 24, 9, 0, tzinfo=UTC))
    assert day.pass_s(5400) == [Ask(1)]


@pytest.mark.parametrize(
    "before",
    [
        datetime(2026, 3, 29, 1, 29, 58, tzinfo=UTC),  # 01:30 is skipped: an hour later by the new time
        datetime(2026, 10, 25, 0, 29, 58, tzinfo=UTC),  # it comes twice: the first
    ],
)
def test_a_clock_change_moves_a_test_and_does_not_double_it(before: datetime) -> None:
    day = Day(before, time(1, 30))
    assert day.pass_s(5) == [Ask(1)]
    day.begun(1)
    day.ended(1, LEVEL_DBFS)
    assert day.pass_s(2 * 3600) == []


@pytest.mark.parametrize(
    ("category", "state", "expected"),
    [
        ("help", "active", PutOff.CALL),
        ("help", "ended", PutOff.CALL),
        ("intruder", "active", PutOff.CALL),
        ("intruder", "ended", None),
        ("fault", "active", None),
        ("tamper", "active", None),
        ("test", "active", None),
    ],
)
def test_a_call_puts_a_test_off_and_a_fault_does_not(category: str, state: str, expected: PutOff | None) -> None:
    incident: dict[str, Any] = {"category": category, "state": state}
    assert put_off([incident], None, 1000.0, announcing=False) is expected


def test_who_has_just_said_what_sounds_like_a_phrase_is_not_spoken_to() -> None:
    assert put_off([], 1000.0, 1000.0 + AFTER_TALK_S - 1, announcing=False) is PutOff.TALK
    assert put_off([], 1000.0, 1000.0 + AFTER_TALK_S, announcing=False) is None
