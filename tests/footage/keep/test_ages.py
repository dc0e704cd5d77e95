"""Footage is as old as is certain: whatever a clock does, nothing goes before its time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.clock import ClockQuality, Moment
from agent.footage.keep.ages import Ages, BootSpan

HOUR_S, DAY_S = 3600.0, 86_400.0
TODAY = datetime(2026, 11, 24, tzinfo=UTC)
TODAY_S = TODAY.timestamp()


def span(boot: str, began_days_ago: float, days: float, wrong_by_days: float = 0.0, *, synced: bool = True) -> BootSpan:
    """A boot that recorded from its first second on, with a clock that may have been wrong."""
    offset_s = TODAY_S - began_days_ago * DAY_S + wrong_by_days * DAY_S
    return BootSpan(boot, 0.0, days * DAY_S, 0.0 if synced else None, offset_s, offset_s)


def now(boot: str, up_days: float, wrong_by_days: float = 0.0, quality: ClockQuality = ClockQuality.SYNCED) -> Moment:
    return Moment(up_days * DAY_S, TODAY + timedelta(days=wrong_by_days), boot, quality)


def days(ages: Ages, boot: str, at_days: float) -> float:
    return round(ages.of(boot, at_days * DAY_S) / DAY_S, 3)


def test_footage_of_known_times_has_its_exact_age() -> None:
    ages = Ages([span("aaaaaaaa", 20, 9), span("bbbbbbbb", 10, 10)], now("bbbbbbbb", 10))
    assert days(ages, "aaaaaaaa", 0) == 20
    assert days(ages, "aaaaaaaa", 9) == 11
    assert days(ages, "bbbbbbbb", 4) == 6
    assert ages.jump_s == 0


def test_without_any_wall_clock_footage_is_as_old_as_the_unit_ran_since() -> None:
    spans = [span("aaaaaaaa", 60, 9), span("bbbbbbbb", 40, 40, synced=False)]
    ages = Ages(spans, now("bbbbbbbb", 40, wrong_by_days=-9000, quality=ClockQuality.UNSYNCED))
    assert days(ages, "bbbbbbbb", 5) == 35, "the monotonic clock of the present boot needs nobody"
    assert days(ages, "aaaaaaaa", 3) == 40, "it was recorded before this boot, nobody knows how long before"


def test_the_time_of_a_boot_that_was_synchronised_late_is_known_from_its_beginning() -> None:
    late = BootSpan("aaaaaaaa", 100.0, 9 * DAY_S, 5 * DAY_S, TODAY_S - 20 * DAY_S, TODAY_S - 20 * DAY_S)
    assert days(Ages([late, span("bbbbbbbb", 10, 10)], now("bbbbbbbb", 10)), "aaaaaaaa", 1) == 19


def test_a_boot_that_was_never_synchronised_is_as_old_as_the_next_one_that_was() -> None:
    spans = [span("aaaaaaaa", 40, 2), span("bbbbbbbb", 38, 5, synced=False), span("cccccccc", 30, 30)]
    ages = Ages(spans, now("cccccccc", 30))
    assert days(ages, "bbbbbbbb", 1) == 30
    assert days(ages, "aaaaaaaa", 1) == 39


def test_footage_of_the_future_is_as_old_as_what_was_recorded_after_it() -> None:
    spans = [span("aaaaaaaa", 20, 5), span("bbbbbbbb", 14, 2, wrong_by_days=1800), span("cccccccc", 12, 12)]
    ages = Ages(spans, now("cccccccc", 12))
    assert [days(ages, boot, 1) for boot in ("aaaaaaaa", "bbbbbbbb", "cccccccc")] == [19, 12, 11]


def test_footage_of_a_clock_that_was_behind_is_no_older_than_what_was_recorded_before_it() -> None:
    spans = [span("aaaaaaaa", 20, 5), span("bbbbbbbb", 14, 2, wrong_by_days=-2000), span("cccccccc", 12, 12)]
    ages = Ages(spans, now("cccccccc", 12))
    assert [days(ages, boot, 1) for boot in ("aaaaaaaa", "bbbbbbbb", "cccccccc")] == [19, 15, 11]


def test_a_jump_to_2031_counts_for_nothing_until_a_day_was_recorded_with_it() -> None:
    spans = [span("aaaaaaaa", 20, 20), span("bbbbbbbb", 0, 0.9, wrong_by_days=1800)]
    ages = Ages(spans, now("bbbbbbbb", 0.9, wrong_by_days=1800.9))
    assert days(ages, "aaaaaaaa", 15) == 5.9
    assert ages.jump_s == pytest.approx(1800 * DAY_S)
    spans[1] = span("bbbbbbbb", 0, 1.1, wrong_by_days=1800)
    ages = Ages(spans, now("bbbbbbbb", 1.1, wrong_by_days=1801.1))
    assert days(ages, "aaaaaaaa", 15) == 1806.1
    assert ages.jump_s == 0


def test_a_power_cut_does_not_make_a_jump_believed() -> None:
    spans = [span("aaaaaaaa", 20, 20), span("bbbbbbbb", 0, 0.1, wrong_by_days=1800)]
    ages = Ages(spans, now("cccccccc", 0, wrong_by_days=1800.2))
    assert days(ages, "aaaaaaaa", 15) == pytest.approx(5.2, abs=0.001)


def test_a_jump_within_a_boot_changes_nothing_that_the_monotonic_clock_knows_better() -> None:
    spans = [span("aaaaaaaa", 20, 9), span("bbbbbbbb", 10, 10)]
    assert days(Ages(spans, now("bbbbbbbb", 10, wrong_by_days=1800)), "aaaaaaaa", 0) == 20


def test_a_unit_that_is_on_for_half_a_day_each_fortnight_gets_its_jumps_believed_one_by_one() -> None:
    spans = [span(f"{n:08}", 14 * (10 - n), 0.5) for n in range(10)]
    ages = Ages(spans, now("ffffffff", 0))
    assert days(ages, "00000000", 0) == pytest.approx(140 - 13.5 - 13.5, abs=0.01), "all but the last two"


def test_weekends_are_believed_at_once() -> None:
    assert days(Ages([span("aaaaaaaa", 6, 1)], now("bbbbbbbb", 0)), "aaaaaaaa", 0.5) == 5.5


def test_what_is_left_of_a_boot_without_segments_is_older_than_all_segments() -> None:
    ages = Ages([span("aaaaaaaa", 20, 20)], now("aaaaaaaa", 20))
    assert days(ages, "99999999", 3) == 20
    assert ages.place("99999999", 9e9) < ages.place("aaaaaaaa", 0.0)


@dataclass
class Life:
    """One boot as it really was."""

    off_s: float
    on_s: float
    wrong_s: float
    """A clock that was ahead; one that was behind is only found out by footage from before it."""
    synced: bool
    began_s: float = 0.0


LIVES = st.lists(
    st.builds(
        Life,
        st.floats(0, 5 * DAY_S),
        st.floats(1, 40 * DAY_S),
        st.sampled_from([0.0, 0.0, 0.0, 3 * DAY_S, 1800 * DAY_S]),
        st.booleans(),
    ),
    min_size=1,
    max_size=8,
)


@given(LIVES, st.booleans())
def test_while_the_present_clock_is_right_or_unknown_nothing_counts_as_older_than_it_is(
    lives: list[Life],
    synced_now: bool,  # noqa: FBT001 - drawn
) -> None:
    time_s = TODAY_S - 500 * DAY_S
    spans = []
    for n, life in enumerate(lives):
        life.began_s = time_s = time_s + life.off_s
        offset_s = time_s + life.wrong_s
        spans.append(BootSpan(f"{n:08}", 0.0, life.on_s, 0.0 if life.synced else None, offset_s, offset_s))
        time_s += life.on_s
    quality = ClockQuality.SYNCED if synced_now else ClockQuality.UNSYNCED
    present = Moment(0.0, datetime.fromtimestamp(time_s, UTC), "ffffffff", quality)
    ages = Ages(spans, present)
    for n, life in enumerate(lives):
        assert ages.of(f"{n:08}", 0.0) <= time_s - life.began_s + 60
    if all(life.synced and not life.wrong_s for life in lives) and synced_now:
        assert ages.of("00000000", 0.0) == pytest.approx(time_s - lives[0].began_s, abs=0.01)
