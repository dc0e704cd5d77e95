from __future__ import annotations

import pytest

from agent.meter.meter import Second
from agent.meter.minute import FLOOR_OVER_S, LEVELS_OVER_S, Minutes, energy_mean_db


def second(level_db: float, *, overloaded: bool = False) -> Second:
    """A second of steady sound."""
    return Second(level_db, level_db, (level_db,) * 10, {"63": level_db - 10}, level_db, overloaded)


def street(*levels_db: float) -> Minutes:
    """The last of these seconds ended at `len(levels_db)`."""
    minutes = Minutes()
    for ended_s, level_db in enumerate(levels_db, 1):
        minutes.add(second(level_db), float(ended_s))
    return minutes


def test_the_background_is_what_is_exceeded_for_nine_tenths_of_the_time() -> None:
    levels = street(*[50.0] * 70, *[90.0] * 530).levels(600)
    assert levels is not None
    assert levels.la90_db == 50.0

    levels = street(*[50.0] * 50, *[90.0] * 550).levels(600)
    assert levels is not None
    assert levels.la90_db == 90.0


def test_a_few_loud_cars_make_the_mean_and_not_the_background() -> None:
    levels = street(*([40.0] * 9 + [90.0]) * 6).levels(60)

    assert levels is not None
    assert levels.laeq_db == pytest.approx(80.0, abs=0.01)
    assert (levels.lafmax_db, levels.la90_db) == (90.0, 40.0)
    assert levels.octaves_db == {"63": pytest.approx(70.0, abs=0.01)}


def test_mean_and_maximum_are_of_the_last_minute_and_the_background_of_the_last_ten() -> None:
    levels = street(*[90.0] * 600, *[70.0] * 540, *[50.0] * 60).levels(1200)

    assert levels is not None
    assert (levels.laeq_db, levels.lafmax_db) == pytest.approx((50.0, 50.0))
    assert (levels.measured_s, levels.floor_measured_s) == (LEVELS_OVER_S, FLOOR_OVER_S)
    assert levels.la90_db == pytest.approx(68.0, abs=2.1), "50 for just the tenth"


def test_a_second_that_was_not_measured_is_missing_and_not_quiet() -> None:
    minutes = street(*[60.0] * 30)
    minutes.add(second(60.0), 50.0)
    levels = minutes.levels(60.0)

    assert levels is not None
    assert levels.laeq_db == pytest.approx(60.0)
    assert levels.measured_s == 31


def test_without_a_second_in_the_last_minute_there_are_no_levels() -> None:
    assert Minutes().levels(1.0) is None
    assert street(50.0, 50.0).levels(2.0 + LEVELS_OVER_S) is None


def test_overloaded_seconds_are_counted() -> None:
    minutes = street(*[60.0] * 3)
    minutes.add(second(90.0, overloaded=True), 4.0)
    levels = minutes.levels(4.0)

    assert levels is not None
    assert (levels.overloaded_s, levels.measured_s) == (1, 4)


def test_the_mean_energy_of_equal_levels_is_their_level() -> None:
    assert energy_mean_db([71.0] * 5) == pytest.approx(71.0)
    assert energy_mean_db([60.0, 70.0]) == pytest.approx(67.4, abs=0.01)
