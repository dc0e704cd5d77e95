"""What the heartbeat says of how loud it is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from agent.clock import ClockQuality, Moment
from agent.helpers.messages import SoundMeasured
from agent.meter_facts import TOLD_FOR_S, meter_facts

NOW = Moment(5000.0, datetime(2026, 11, 24, 2, 0, tzinfo=UTC), "boot", ClockQuality.SYNCED)
CALIBRATED_ON = date(2026, 11, 2)
MEASURED = SoundMeasured(
    until_s=4995.0,
    laeq_db=54.2,
    lafmax_db=71.0,
    octaves_db={"63": 60.1, "8000": 31.0},
    measured_s=60,
    overloaded_s=1,
    la90_db=38.9,
    floor_measured_s=600,
    calibrated_on=CALIBRATED_ON,
)


def test_calibrated_levels_have_the_names_of_the_standards_brief() -> None:
    facts = meter_facts(CALIBRATED_ON, MEASURED, NOW)

    assert facts == {
        "indicative": True,
        "calibration": "in-date",
        "calibratedOn": "2026-11-02",
        "laeq60DbA": 54.2,
        "lafMax60DbA": 71.0,
        "floorDbA": 38.9,
        "octaves60Db": {"63": 60.1, "8000": 31.0},
        "measuredS": 60,
        "overloadedS": 1,
        "floorMeasuredS": 600,
        "levelsAgeS": 5.0,
    }


def test_uncalibrated_levels_are_never_called_dba() -> None:
    facts = meter_facts(None, replace(MEASURED, calibrated_on=None, laeq_db=-61.3), NOW)

    assert facts["calibration"] == "none"
    assert facts["laeq60DbfsA"] == -61.3
    assert {"lafMax60DbfsA", "floorDbfsA", "octaves60Dbfs"} <= set(facts)
    assert not any(name.endswith(("DbA", "Db")) for name in facts)


@pytest.mark.parametrize(("days", "calibration"), [(365, "in-date"), (366, "overdue")])
def test_a_calibration_lasts_twelve_months(days: int, calibration: str) -> None:
    calibrated_on = NOW.wall.date() - timedelta(days=days)

    assert meter_facts(calibrated_on, None, NOW)["calibration"] == calibration


def test_a_minute_long_over_is_not_told_as_now() -> None:
    assert meter_facts(None, replace(MEASURED, until_s=NOW.monotonic_s - TOLD_FOR_S - 1), NOW) == {
        "indicative": True,
        "calibration": "none",
    }
    assert "laeq60DbA" not in meter_facts(CALIBRATED_ON, None, NOW)
