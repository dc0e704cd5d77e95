"""What a unit says of how long footage will be kept, from its first segments on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.footage.keep.forecast import forecast, is_short
from agent.footage.keep.retention import DAY_S, Retention, Stands

GB = 10**9
BOUNDS = Retention(700 * GB, 50 * GB, GB, 31 * DAY_S, 31 * DAY_S)
TWO_MBIT = 250_000.0


def test_two_mbit_for_a_month_take_670_gb() -> None:
    found = forecast(TWO_MBIT, Stands(0, 0, 0, 1000 * GB), BOUNDS)
    assert found is not None
    assert found.bytes_per_day * 31 == pytest.approx(670e9, rel=0.001)
    assert (found.days_kept, found.kept_by, found.days_to_full) == (31, "age", None)


def test_the_smaller_of_budget_and_disk_says_how_long() -> None:
    by_disk = forecast(TWO_MBIT, Stands(2 * GB, 0, 0, 215 * GB), BOUNDS)
    assert by_disk is not None
    assert by_disk.kept_by == "disk"
    assert by_disk.days_kept == pytest.approx(10)
    assert by_disk.days_to_full == pytest.approx(214 / 21.6)
    by_budget = forecast(TWO_MBIT, Stands(216 * GB, 0, 0, 900 * GB), Retention(216 * GB, GB, GB, 31 * DAY_S, DAY_S))
    assert by_budget is not None
    assert (by_budget.kept_by, by_budget.days_to_full) == ("budget", 0)
    assert by_budget.days_kept == pytest.approx(10)


def test_what_is_held_and_what_incidents_show_is_room_that_rolling_footage_does_not_have() -> None:
    alone = forecast(TWO_MBIT, Stands(0, 0, 0, 400 * GB), BOUNDS)
    beside = forecast(TWO_MBIT, Stands(0, 30 * GB, 70 * GB, 300 * GB), BOUNDS)
    assert alone is not None
    assert beside is not None
    assert alone.days_kept - beside.days_kept == pytest.approx(100 / 21.6)


def test_nothing_is_foretold_before_anything_was_recorded() -> None:
    assert forecast(0.0, Stands(0, 0, 0, GB), BOUNDS) is None


def test_only_a_disk_that_is_too_small_is_a_fault_and_it_does_not_flicker() -> None:
    def short(free: float, *, was_short: bool, budget: int = 700 * GB) -> bool:
        bounds = Retention(budget, GB, GB, 31 * DAY_S, DAY_S)
        found = forecast(TWO_MBIT, Stands(0, 0, 0, int(free)), bounds)
        assert found is not None
        return is_short(found, bounds, was_short=was_short)

    needed = 31 * DAY_S * TWO_MBIT + GB
    assert short(needed * 0.99, was_short=False)
    assert not short(needed * 1.01, was_short=False)
    assert short(needed * 1.01, was_short=True, budget=900 * GB)
    assert not short(needed * 1.06, was_short=True, budget=900 * GB)
    assert not short(needed * 0.99, was_short=False, budget=20 * GB), "who set the budget decided so"


@given(st.builds(Stands, *[st.integers(0, 1000 * GB)] * 4), st.floats(1e3, 1e7))
def test_rolling_footage_never_outgrows_its_forecast(stands: Stands, rate: float) -> None:
    found = forecast(rate, stands, BOUNDS)
    assert found is not None
    assert 0 <= found.days_kept <= 31
    room = found.days_kept * found.bytes_per_day
    assert room <= BOUNDS.rolling_max_bytes + 1
    assert room <= max(0, stands.rolling + stands.free - BOUNDS.reserve_bytes) + 1
