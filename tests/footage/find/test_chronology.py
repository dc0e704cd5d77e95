"""Wall time finds the footage that was taken then, over power cuts and clocks that were set."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from agent.clock import ClockQuality
from agent.footage.find.chronology import Chronology, Filmed, Part
from agent.footage.find.runs import Hole, between, holes, runs
from agent.footage.show.splice import Splice, stretches
from agent.footage.store.stretch import Stretch

SYNCED, HOLDOVER, UNSYNCED = ClockQuality
T0 = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
FRAME_S = 1 / 15
FIRST, SECOND = "aaaaaaaa", "bbbbbbbb"


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def after_t0(moment: datetime) -> float:
    return (moment - T0).total_seconds()


def filmed(boot: str, quality: ClockQuality, mono_s: float, wall: float, count: int = 6) -> list[Filmed]:
    """So many segments of 10 s without a gap, from this moment of the boot, when the clock showed `wall` after T0."""
    return [
        Filmed(
            f"{boot}-{mono_s + 10 * n}",
            boot,
            quality,
            T0.timestamp() + wall + 10 * n,
            mono_s + 10 * n,
            FRAME_S,
            mono_s + 10 * n + 10 - FRAME_S,
            1000,
        )
        for n in range(count)
    ]


def rounded(stretch: Stretch) -> tuple[str, float, float]:
    return stretch.boot, round(stretch.start_s, 2), round(stretch.end_s, 2)


def found(footage: list[Filmed], start: float, end: float) -> list[tuple[str, float, float]]:
    return [rounded(each) for each in stretches(Chronology(footage).find(at(start), at(end)))]


def missing(footage: list[Filmed], start: float, end: float) -> list[tuple[float, float, bool]]:
    """The holes, in seconds after T0."""
    parts = Chronology(footage).find(at(start), at(end))
    return [
        (round(after_t0(hole.start), 2), round(after_t0(hole.end), 2), hole.power_cut)
        for hole in holes(parts, at(start), at(end))
    ]


def test_an_interval_is_found_to_the_moment_in_the_segments_that_show_it() -> None:
    (part,) = Chronology(filmed(FIRST, SYNCED, 100, 0)).find(at(12), at(33))
    assert (part.start_s, part.end_s) == pytest.approx((112, 133))
    assert [segment.start_s for segment in part.segments] == [110, 120, 130]


def test_an_interval_without_footage_names_the_nearest_on_both_sides() -> None:
    footage = Chronology([*filmed(FIRST, SYNCED, 100, 0), *filmed(FIRST, SYNCED, 400, 300)])
    assert footage.find(at(100), at(200)) == []
    before, after = footage.nearest(at(100), at(200))
    assert before is not None
    assert after is not None
    assert (after_t0(before), after_t0(after)) == pytest.approx((60, 300))
    assert footage.nearest(at(-10), at(-5))[0] is None
    assert footage.nearest(at(1000), at(1005))[1] is None


def test_a_power_cut_is_a_hole_between_two_boots() -> None:
    footage = [*filmed(FIRST, SYNCED, 9000, 0), *filmed(SECOND, SYNCED, 20, 90)]
    assert [(boot, start_s) for boot, start_s, _ in found(footage, 30, 120)] == [(FIRST, 9030), (SECOND, 20 - 60)]
    assert missing(footage, 30, 120) == [(60, 90, True)]


def test_frames_that_never_came_are_a_hole_in_a_boot_and_so_is_what_lies_beyond_the_footage() -> None:
    footage = [*filmed(FIRST, SYNCED, 100, 0), *filmed(FIRST, SYNCED, 200, 100)]
    assert missing(footage, -5, 170) == [(-5, 0, False), (60, 100, False), (160, 170, False)]
    assert missing(footage, 0, 60) == []


def test_a_clock_that_was_synchronised_later_is_corrected_by_what_it_became() -> None:
    """The unit came up an hour behind; its names say 02:00 when it was 03:00."""
    footage = Chronology([*filmed(FIRST, UNSYNCED, 20, 0), *filmed(FIRST, SYNCED, 80, 3660)])
    wrong, right = footage.eras
    assert (round(wrong.correction_s, 2), right.correction_s) == (3600, 0)
    assert after_t0(wrong.start) == pytest.approx(3600)
    assert footage.find(at(0), at(60)) == [], "nothing was filmed at 02:00"
    assert [rounded(each) for each in stretches(footage.find(at(3630), at(3700)))] == [(FIRST, 50, 120)]
    assert missing([*wrong.segments, *right.segments], 3630, 3700) == []


def test_a_clock_that_was_never_synchronised_is_believed_for_want_of_a_better_one() -> None:
    (era,) = Chronology(filmed(FIRST, UNSYNCED, 20, 0)).eras
    assert era.correction_s == 0
    assert after_t0(era.start) == 0


def test_a_clock_in_holdover_was_right_once_and_is_not_corrected() -> None:
    footage = [*filmed(FIRST, SYNCED, 20, 0), *filmed(FIRST, HOLDOVER, 80, 60), *filmed(FIRST, SYNCED, 140, 122)]
    assert [era.correction_s for era in Chronology(footage).eras] == [0, 0, 0]


def test_a_boot_with_a_wrong_clock_takes_its_true_place_among_the_others() -> None:
    """After a power cut at 02:01 the unit came up in 2020, and heard the time ten minutes later."""
    long_ago = -200_000_000
    footage = [
        *filmed(FIRST, SYNCED, 9000, 0),
        *filmed(SECOND, UNSYNCED, 20, long_ago, 60),
        *filmed(SECOND, SYNCED, 620, 690),
    ]
    assert [era.boot for era in Chronology(footage).eras] == [FIRST, SECOND, SECOND]
    assert missing(footage, 0, 700) == [(60, 90, True)]


def test_a_clock_set_back_shows_some_times_twice_and_both_are_found() -> None:
    """At 02:01 it was set back to 02:00:30."""
    footage = [*filmed(FIRST, SYNCED, 100, 0), *filmed(FIRST, SYNCED, 160, 30)]
    twice = [
        (FIRST, 135, 145),
        (FIRST, 165, 175),
    ]
    assert found(footage, 35, 45) == twice
    assert found(footage, 10, 80) == [(FIRST, 110, 210)]


def test_a_clock_set_forward_loses_no_footage() -> None:
    footage = [*filmed(FIRST, SYNCED, 100, 0), *filmed(FIRST, SYNCED, 160, 3660)]
    assert found(footage, 50, 3670) == [(FIRST, 150, 170)]
    assert missing(footage, 50, 3670) == []


def test_one_late_reading_of_the_clock_moves_nothing() -> None:
    footage = filmed(FIRST, SYNCED, 100, 0)
    footage[0] = footage[0]._replace(wall_s=footage[0].wall_s + 0.3)
    (era,) = Chronology(footage).eras
    assert after_t0(era.start) == pytest.approx(0)


def test_the_newest_stretch_goes_on_to_the_wished_end_for_it_may_still_be_growing() -> None:
    assert found(filmed(FIRST, SYNCED, 100, 0), 55, 61.5) == [(FIRST, 155, 161.5)]


def test_unbroken_footage_is_one_run_until_its_clock_its_class_or_its_boot_changes() -> None:
    footage = [
        *filmed(FIRST, SYNCED, 100, 0),
        *filmed(FIRST, SYNCED, 160, 65),
        *filmed(FIRST, SYNCED, 230, 135),
        *filmed(SECOND, SYNCED, 20, 300),
    ]
    parts = Chronology(footage).find(at(-1), at(1000))
    kept = {footage[1].name: "held", footage[2].name: "held"}
    listed = list(runs(parts, kept))
    assert [(run.start_s, round(run.end_s, 2), run.kept, run.size_bytes) for run in listed] == [
        (100, 110, "rolling", 1000),
        (110, 130, "held", 2000),
        (130, 160, "rolling", 3000),
        (160, 220, "rolling", 6000),
        (230, 290, "rolling", 6000),
        (20, 80, "rolling", 6000),
    ]
    told = [between(one, two) for one, two in pairwise(listed)]
    assert [hole is not None for hole, _ in told] == [False, False, False, True, True]
    assert [step and round(step.by_s, 2) for _, step in told] == [None, None, 5, None, None]
    assert [hole.power_cut for hole, _ in told if hole] == [False, True]


def test_the_segments_that_a_stretch_touches_are_found_whatever_the_clock_did() -> None:
    footage = [*filmed(FIRST, SYNCED, 100, 0), *filmed(FIRST, SYNCED, 160, 30)]
    touched = Chronology(footage).touched(Stretch(FIRST, 155, 165))
    assert [segment.start_s for segment in touched] == [150, 160]
    assert not list(Chronology(footage).touched(Stretch(SECOND, 155, 165)))


def splice(footage: list[Filmed], start: float, end: float) -> tuple[list[Part], Splice]:
    parts = Chronology(footage).find(at(start), at(end))
    return parts, Splice(parts, at(end))


def test_a_power_cut_lasts_on_the_line_as_long_as_it_did() -> None:
    footage = [*filmed(FIRST, SYNCED, 9000, 0), *filmed(SECOND, SYNCED, 20, 90)]
    _, line = splice(footage, 30, 120)
    first, second = line.pieces
    assert 9030 + first.shift_s == pytest.approx(at(30).timestamp())
    assert 20 + second.shift_s == pytest.approx(at(90).timestamp())
    assert line.end_s == pytest.approx(at(120).timestamp())
    hole = line.hole(at(60).timestamp(), at(90).timestamp())
    assert (round(after_t0(hole.start), 2), round(after_t0(hole.end), 2), hole.power_cut) == (60, 90, True)


def test_a_setting_of_the_clock_moves_nothing_on_the_line_and_is_told_in_its_moments() -> None:
    footage = [*filmed(FIRST, SYNCED, 100, 0), *filmed(FIRST, SYNCED, 160, 3660)]
    _, line = splice(footage, 50, 3670)
    (piece,) = line.pieces
    assert line.end_s - (150 + piece.shift_s) == pytest.approx(20), "20 s were filmed"
    assert after_t0(line.moment(159 + piece.shift_s)) == pytest.approx(59)
    assert after_t0(line.moment(161 + piece.shift_s)) == pytest.approx(3661)


def test_a_boot_that_claims_to_be_earlier_than_the_one_before_follows_at_once() -> None:
    """Neither was ever synchronised, and the second came up with a clock half a minute behind."""
    footage = [*filmed(FIRST, UNSYNCED, 9000, 0), *filmed(SECOND, UNSYNCED, 20, 30)]
    parts, line = splice(footage, 0, 90)
    first, second = line.pieces
    assert 20 + second.shift_s == pytest.approx(9060 + first.shift_s)
    (hole,) = holes(parts, at(0), at(90))
    assert isinstance(hole, Hole)
    assert hole.length_s <= 0, "nobody knows how long"
