"""How late it is at least, on a machine that does not know."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import agent
from agent.clock import ClockQuality, Moment
from agent.clock_floor import FILE_NAME, ClockFloor, Known, Source

if TYPE_CHECKING:
    from pathlib import Path

EPOCH = datetime(1970, 1, 1, 0, 0, 7, tzinfo=UTC)
SPRING = datetime(2031, 4, 1, tzinfo=UTC)


class HandClock:
    """Says what it is told to."""

    def __init__(self, wall: datetime, quality: ClockQuality = ClockQuality.UNSYNCED) -> None:
        self.moment = Moment(7.0, wall, "boot-1", quality)

    def now(self) -> Moment:
        return self.moment

    def at(self, monotonic_s: float) -> Moment:
        return self.moment.later(monotonic_s - self.moment.monotonic_s)

    def set(self, wall: datetime, quality: ClockQuality) -> None:
        self.moment = replace(self.moment, wall=wall, quality=quality)


def test_this_software_was_not_built_in_the_future() -> None:
    assert datetime.now(UTC) > agent.BUILT


def test_a_board_that_wakes_up_in_1970_knows_when_its_software_was_built(tmp_path: Path) -> None:
    assert ClockFloor(tmp_path, HandClock(EPOCH)).known() == Known(agent.BUILT, Source.BUILT, is_exact=False)


def test_its_own_certificate_was_issued_in_the_past(tmp_path: Path) -> None:
    known = ClockFloor(tmp_path, HandClock(EPOCH)).known(issued=SPRING)
    assert known == Known(SPRING, Source.ISSUED, is_exact=False)


def test_what_a_time_source_said_is_known_in_the_next_boot(tmp_path: Path) -> None:
    clock = HandClock(SPRING, ClockQuality.SYNCED)
    ClockFloor(tmp_path, clock).remember()
    clock.set(EPOCH, ClockQuality.UNSYNCED)
    assert ClockFloor(tmp_path, clock).known() == Known(SPRING, Source.LAST_KNOWN, is_exact=False)


def test_a_clock_that_nobody_set_is_not_kept(tmp_path: Path) -> None:
    ClockFloor(tmp_path, HandClock(SPRING)).remember()
    assert not (tmp_path / FILE_NAME).exists()


def test_a_clock_that_was_set_is_exact_and_one_that_was_not_is_a_lower_bound(tmp_path: Path) -> None:
    for quality, is_exact in (
        (ClockQuality.SYNCED, True),
        (ClockQuality.HOLDOVER, True),
        (ClockQuality.UNSYNCED, False),
    ):
        floor = ClockFloor(tmp_path, HandClock(SPRING, quality))
        assert floor.known() == Known(SPRING, Source.CLOCK, is_exact=is_exact)


def test_a_wrong_last_known_time_is_put_right_by_a_time_source(tmp_path: Path) -> None:
    clock = HandClock(SPRING + timedelta(days=9000), ClockQuality.SYNCED)
    floor = ClockFloor(tmp_path, clock)
    floor.remember()
    clock.set(SPRING, ClockQuality.SYNCED)
    assert floor.known() == Known(SPRING, Source.CLOCK, is_exact=True)
    floor.remember()
    clock.set(EPOCH, ClockQuality.UNSYNCED)
    assert floor.known().at == SPRING


def test_a_time_source_is_not_believed_behind_what_cannot_be_wrong(tmp_path: Path) -> None:
    floor = ClockFloor(tmp_path, HandClock(EPOCH, ClockQuality.SYNCED))
    assert floor.known() == Known(agent.BUILT, Source.BUILT, is_exact=False)
    floor.remember()
    assert not (tmp_path / FILE_NAME).exists()


def test_a_damaged_last_known_time_is_none(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"\xff soon")
    assert ClockFloor(tmp_path, HandClock(EPOCH)).known().by is Source.BUILT
