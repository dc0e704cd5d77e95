"""A data plan steps down before it is used up, and never stands in the way of a call."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.config.sending import DataPlanSettings
from agent.uplink.media.plan import Allowance, Cargo, Month, Used, allowance, allows, forecast_bytes

KB = 1_000
PLAN = DataPlanSettings(kb_per_month=1_000)
NOVEMBER = Month(2026, 11)


def on(day: int, hour: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, tzinfo=UTC)


@pytest.mark.parametrize(
    ("used_kb", "forecast_kb", "allowed"),
    [
        (0, 0, Allowance.ALL),
        (799, None, Allowance.ALL),
        (800, None, Allowance.STILLS),
        (999, None, Allowance.STILLS),
        (1_000, None, Allowance.NOTHING),
        (499, 5_000, Allowance.ALL),
        (500, 1_000, Allowance.ALL),
        (500, 1_001, Allowance.STILLS),
    ],
)
def test_films_stay_first_then_stills(used_kb: int, forecast_kb: int | None, allowed: Allowance) -> None:
    forecast = None if forecast_kb is None else forecast_kb * KB
    assert allowance(PLAN, Used(total=used_kb * KB), forecast) is allowed


def test_alerts_and_heartbeats_count_against_the_plan() -> None:
    assert allowance(PLAN, Used(total=900 * KB), None) is Allowance.STILLS


def test_what_belongs_to_help_calls_is_counted_and_free() -> None:
    used = Used(total=5_100 * KB, media=5_000 * KB, help_media=5_000 * KB)
    assert allowance(PLAN, used, 5_900 * KB) is Allowance.ALL


def test_what_a_help_call_handed_over_and_has_yet_to_leave_is_nobodys_credit() -> None:
    assert Used(total=10 * KB, media=60 * KB, help_media=60 * KB).charged == 0


def test_without_a_plan_nothing_is_held_back() -> None:
    assert allowance(DataPlanSettings(), Used(total=10**12), 10**13) is Allowance.ALL


@given(st.sampled_from(Allowance), st.sampled_from(Cargo))
def test_a_help_call_is_never_held_back(allowed: Allowance, cargo: Cargo) -> None:
    assert allows(allowed, cargo, for_help=True)


def test_each_step_allows_what_it_says() -> None:
    may = {(step, cargo): allows(step, cargo, for_help=False) for step in Allowance for cargo in Cargo}
    assert [key for key, allowed in may.items() if allowed] == [
        (Allowance.ALL, Cargo.STILL),
        (Allowance.ALL, Cargo.FILM),
        (Allowance.STILLS, Cargo.STILL),
    ]


def test_half_of_a_month_forecasts_twice_as_much() -> None:
    assert forecast_bytes(Used(total=300 * KB), NOVEMBER, on(16)) == 600 * KB


def test_the_first_day_forecasts_nothing() -> None:
    assert forecast_bytes(Used(total=300 * KB), NOVEMBER, on(1, 23)) is None


def test_a_month_is_one_of_utc() -> None:
    summer_midnight = datetime.fromisoformat("2026-07-01T00:30:00+01:00")
    assert str(Month.of(summer_midnight)) == "2026-06"
