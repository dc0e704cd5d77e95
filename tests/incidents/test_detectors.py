"""Detectors: set and unset, confirmation by two kinds, runaway inhibit."""

from __future__ import annotations

import pytest

from agent.signals import Category, LightPattern, SensorKind, Tell
from tests.incidents.driven_unit import Unit, config, logged, of, revisions, told, with_numbers


def test_movement_is_an_intruder_only_while_set() -> None:
    unit = Unit()
    assert revisions(unit.walk(0)) == []
    unit.set(1)
    assert revisions(unit.walk(2)) == [("intruder-1", 1, "active")]
    assert unit.light() is LightPattern.STEADY
    unit.wait(32)
    assert unit.light() is LightPattern.OFF


def test_noise_is_told_only_while_set() -> None:
    unit = Unit()
    assert revisions(unit.make_noise(0)) == []
    unit.set(1)
    assert revisions(unit.make_noise(2)) == [("noise-1", 1, "active")]


def test_tamper_is_told_set_or_not() -> None:
    unit = Unit()
    assert revisions(unit.open_door(0)) == [("tamper-1", 1, "active")]
    assert revisions(unit.trigger(1, "cam-1", SensorKind.CAMERA)) == [("tamper-2", 1, "active")]


def test_detectors_of_one_kind_are_one_incident_and_confirm_nothing() -> None:
    unit = Unit(armed=True)
    unit.walk(0)
    actions = unit.walk(5, "pir-2")
    assert revisions(actions) == [("intruder-1", 2, "active")]
    assert told(actions)["confirmation"]["level"] == "none"
    assert (told(actions)["urgency"], told(actions)["certainty"]) == ("Expected", "Possible")


SECOND_KINDS = {
    "housing contact": SensorKind.TAMPER,
    "loudness": SensorKind.LOUDNESS,
    "picture": SensorKind.CAMERA,
}


@pytest.mark.parametrize("second", SECOND_KINDS)
@pytest.mark.parametrize("other_first", [False, True])
def test_two_kinds_within_the_window_confirm(second: str, other_first: bool) -> None:  # noqa: FBT001 - by name
    unit = Unit(armed=True)
    triggers = [("pir-1", SensorKind.PIR), ("other-1", SECOND_KINDS[second])]
    if other_first:
        triggers.reverse()
    unit.trigger(0, *triggers[0])
    actions = unit.trigger(59, *triggers[1])
    intruder = next(tell.data for tell in of(Tell, actions) if tell.category is Category.INTRUDER)
    assert intruder["confirmation"] == {
        "level": "sequential",
        "windowS": 60.0,
        "detectors": [f"{sensor}:{kind}" for sensor, kind in triggers],
        "independent": True,
    }
    assert (intruder["severity"], intruder["urgency"], intruder["certainty"]) == ("Severe", "Immediate", "Likely")
    assert intruder["headline"].startswith("HK-001: Confirmed intruder: ")


def test_two_kinds_too_far_apart_confirm_nothing() -> None:
    unit = Unit(armed=True)
    unit.walk(0)
    actions = unit.open_door(60.1)
    assert {tell.data["confirmation"]["level"] for tell in of(Tell, actions)} == {"none"}


def test_what_triggered_while_unset_confirms_nothing() -> None:
    unit = Unit()
    unit.open_door(0)
    unit.set(1)
    assert told(unit.walk(2))["confirmation"]["level"] == "none"


def test_unsetting_forgets_what_could_have_confirmed() -> None:
    unit = Unit(armed=True)
    unit.walk(0)
    unit.set(1, armed=False)
    unit.set(2)
    actions = unit.open_door(3)
    assert revisions(actions) == [("tamper-2", 1, "active")]


def test_noise_is_never_confirmed_itself() -> None:
    unit = Unit(armed=True)
    unit.make_noise(0)
    unit.walk(1)
    levels = {tell.category: tell.data["confirmation"]["level"] for tell in of(Tell, unit.done)}
    assert levels == {Category.NOISE: "none", Category.INTRUDER: "sequential"}


def run_away(unit: Unit) -> float:
    """Five intruder alerts, one each 40 s; returns the time of the last."""
    for at_s in range(0, 200, 40):
        unit.wait(at_s)
        unit.walk(at_s)
        unit.restore(at_s + 1, "pir-1", SensorKind.PIR)
    return 160.0


def test_five_detector_alerts_in_ten_minutes_inhibit_and_that_is_reported() -> None:
    unit = Unit(armed=True)
    last_s = run_away(unit)
    fault = of(Tell, unit.done)[-1]
    assert fault.category is Category.FAULT
    assert fault.data["headline"] == (
        "HK-001: Fault: 5 detector alerts within 600 s: detectors are inhibited, help calls work"
    )
    assert unit.incidents.summary()["inhibited"] is True
    unit.wait(last_s + 35)
    assert revisions(unit.walk(last_s + 40)) != revisions(unit.press(last_s + 41))
    assert [tell.category for tell in of(Tell, unit.done)].count(Category.HELP) == 1


def test_suppressed_triggers_are_counted_and_told_at_most_each_ten_seconds() -> None:
    unit = Unit(armed=True)
    start_s = run_away(unit) + 50
    unit.wait(start_s)
    assert [revisions(unit.walk(start_s + more)) for more in (0, 1, 2)] == [[("fault-6", 2, "active")], [], []]
    actions = unit.wait(start_s + 10)
    assert [(tell.alert_id, tell.data["suppressed"]) for tell in of(Tell, actions)][-1] == ("fault-6", 3)


def test_the_inhibit_ends_when_the_detectors_were_quiet_for_ten_minutes() -> None:
    unit = Unit(armed=True)
    last_s = run_away(unit)
    unit.walk(last_s + 100)
    unit.wait(last_s + 699)
    assert unit.incidents.summary()["inhibited"] is True
    actions = unit.wait(last_s + 700)
    assert ("fault-6", 3, "closed") in revisions(actions)
    assert revisions(unit.walk(last_s + 701)) == [("intruder-7", 1, "active")]


def test_detectors_that_never_fall_quiet_get_another_chance_after_an_hour() -> None:
    unit = Unit(armed=True)
    last_s = int(run_away(unit))
    for at_s in range(last_s + 300, last_s + 3600, 300):
        unit.wait(at_s)
        unit.walk(at_s)
    assert unit.incidents.summary()["inhibited"] is True
    assert "detectors_released" in logged(unit.wait(last_s + 3600))
    assert unit.incidents.summary()["inhibited"] is False


def test_an_operator_who_closes_the_report_lets_the_detectors_in_again() -> None:
    unit = Unit(armed=True)
    last_s = run_away(unit)
    unit.wait(last_s + 50)
    unit.close(last_s + 50, alert_id="fault-6")
    assert revisions(unit.walk(last_s + 55)) == [("intruder-7", 1, "active")]


def test_slow_detectors_are_not_inhibited() -> None:
    unit = Unit(with_numbers(config(), runaway_within_s=100.0), armed=True)
    run_away(unit)
    assert unit.incidents.summary()["inhibited"] is False


def test_an_inhibited_detector_still_lights_the_lamp() -> None:
    settings = config()
    assert settings.lamp is not None
    unit = Unit(
        settings.model_copy(update={"lamp": settings.lamp.model_copy(update={"on_motion": "always"})}), armed=True
    )
    last_s = run_away(unit)
    unit.wait(last_s + 200)
    assert unit.light() is LightPattern.OFF
    unit.walk(last_s + 201)
    assert unit.light() is LightPattern.STEADY
