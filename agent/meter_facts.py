"""What the heartbeat says of how loud it is at the unit. Pure.

The names follow standards.md 3.4 (`laeq60DbA`, `floorDbA`); a level that nobody calibrated is no sound pressure, so its
name says that it is relative to full scale.
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import date

    from agent.clock import Moment
    from agent.helpers.messages import SoundMeasured

TOLD_FOR_S = 60.0
"""A minute that is over for longer says nothing of now."""
CALIBRATION_LASTS = timedelta(days=365)
"""standards.md 5: a unit is flagged after 12 months."""


class Calibration(StrEnum):
    """How far levels may be read as sound pressure."""

    NONE = "none"
    """Never calibrated: levels are relative to full scale."""
    IN_DATE = "in-date"
    OVERDUE = "overdue"


def meter_facts(calibrated_on: date | None, measured: SoundMeasured | None, now: Moment) -> dict[str, Any]:
    """What the meter adds to a microphone's entry in the heartbeat's `mics`.

    Args:
        calibrated_on: The day of the calibration that the unit works with.
        measured: What the listener said last.
        now: The present moment.
    """
    facts: dict[str, Any] = {"indicative": True, "calibration": _calibration(calibrated_on, now.wall.date()).value}
    if calibrated_on is not None:
        facts["calibratedOn"] = calibrated_on.isoformat()
    if measured is None or now.monotonic_s - measured.until_s > TOLD_FOR_S:
        return facts
    unit, unweighted = ("DbfsA", "Dbfs") if measured.calibrated_on is None else ("DbA", "Db")
    return facts | {
        f"laeq60{unit}": measured.laeq_db,
        f"lafMax60{unit}": measured.lafmax_db,
        f"floor{unit}": measured.la90_db,
        f"octaves60{unweighted}": dict(measured.octaves_db),
        "measuredS": measured.measured_s,
        "overloadedS": measured.overloaded_s,
        "floorMeasuredS": measured.floor_measured_s,
        "levelsAgeS": round(now.monotonic_s - measured.until_s, 1),
    }


def _calibration(calibrated_on: date | None, today: date) -> Calibration:
    if calibrated_on is None:
        return Calibration.NONE
    return Calibration.OVERDUE if today - calibrated_on > CALIBRATION_LASTS else Calibration.IN_DATE
