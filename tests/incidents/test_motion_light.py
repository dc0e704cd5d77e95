"""White light on movement."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from agent.clock import ClockQuality
from agent.config.settings import LampSettings
from agent.signals import LightPattern, SensorKind
from tests.incidents.driven_unit import Unit, config, elsewhen, lights

EVENING = datetime(2026, 7, 1, 20, 30, tzinfo=UTC)  # 21:30 in London
AFTERNOON = datetime(2026, 7, 1, 15, 30, tzinfo=UTC)  # 16:30 in London
EARLY = datetime(2026, 7, 1, 5, 59, tzinfo=UTC)  # 06:59 in London


def lit_unit(on_motion: str, wall: datetime = EVENING, quality: ClockQuality = ClockQuality.SYNCED) -> Unit:
    lamp = LampSettings.model_validate({"pin": 17, "on_motion": on_motion, "on_motion_s": 60.0})
    return Unit(config(lamp=lamp), start=elsewhen(wall, quality=quality))


def test_movement_lights_the_lamp_for_a_minute_after_it_ended() -> None:
    unit = lit_unit("always")
    unit.walk(0)
    assert unit.light() is LightPattern.STEADY
    unit.restore(10, "pir-1", SensorKind.PIR)
    unit.wait(69.9)
    assert unit.light() is LightPattern.STEADY
    unit.wait(70)
    assert unit.light() is LightPattern.OFF


def test_the_light_stays_while_somebody_moves() -> None:
    unit = lit_unit("always")
    unit.walk(0)
    unit.wait(200)
    assert unit.light() is LightPattern.STEADY
    unit.restore(200, "pir-1", SensorKind.PIR)
    unit.wait(260)
    assert unit.light() is LightPattern.OFF


def test_a_stuck_detector_does_not_burn_the_light_for_ever() -> None:
    unit = lit_unit("always")
    unit.walk(0)
    unit.wait(661)
    assert unit.light() is LightPattern.OFF
    assert unit.incidents.due() is None


RULES = [
    ("never", EVENING, False, LightPattern.OFF),
    ("unset", EVENING, False, LightPattern.STEADY),
    ("dark", EVENING, False, LightPattern.STEADY),
    ("dark", EARLY, False, LightPattern.STEADY),
    ("dark", AFTERNOON, False, LightPattern.OFF),
    ("always", AFTERNOON, False, LightPattern.STEADY),
]


@pytest.mark.parametrize(("on_motion", "wall", "armed", "light"), RULES)
def test_when_movement_lights_the_lamp(on_motion: str, wall: datetime, armed: bool, light: LightPattern) -> None:  # noqa: FBT001 - a table
    unit = lit_unit(on_motion, wall)
    unit.set(0, armed=armed)
    unit.walk(1)
    assert unit.light() is light


def test_a_unit_that_was_set_keeps_dark_when_the_light_is_for_unset_only() -> None:
    unit = lit_unit("unset")
    unit.set(0)
    unit.walk(1)
    unit.wait(31.5)  # the intruder incident has ended
    assert unit.light() is LightPattern.OFF


def test_a_clock_that_was_never_set_takes_it_for_dark() -> None:
    unit = lit_unit("dark", AFTERNOON, ClockQuality.UNSYNCED)
    unit.walk(1)
    assert unit.light() is LightPattern.STEADY


def test_a_help_call_outshines_the_light_which_comes_back_after_it() -> None:
    unit = lit_unit("always")
    unit.walk(0)
    unit.press(1)
    unit.close(2)
    assert lights(unit.done) == [LightPattern.OFF, LightPattern.STEADY, LightPattern.HEARD, LightPattern.STEADY]
