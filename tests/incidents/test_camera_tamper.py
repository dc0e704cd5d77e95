"""A camera that was disabled: one alert that says how, its end, and what may never hold it back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.signals import Category, Restored, SensorKind, Tell, Triggered
from tests.incidents.driven_unit import Unit, of, revisions, told

if TYPE_CHECKING:
    from agent.signals import Action

CAMERA = "cam-1"


def disable(unit: Unit, at_s: float, how: str = "covered") -> list[Action]:
    """It is seen `at_s`, and told later, when it has lasted."""
    unit.wait(at_s + 19)
    return unit.hear(Triggered(CAMERA, SensorKind.CAMERA, unit.at(at_s), label=how, scores={"seen_share": 0.1}))


def bring_back(unit: Unit, at_s: float) -> list[Action]:
    unit.wait(at_s + 4)
    return unit.hear(Restored(CAMERA, SensorKind.CAMERA, unit.at(at_s)))


def run_away(unit: Unit) -> float:
    """Five intruder alerts, one each 40 s; returns when the inhibit stands."""
    for at_s in range(0, 200, 40):
        unit.wait(at_s)
        unit.walk(at_s)
        unit.restore(at_s + 1, "pir-1", SensorKind.PIR)
    assert unit.incidents.summary()["inhibited"] is True
    return 200.0


def test_a_covered_camera_is_one_alert_that_says_how_it_is_disabled() -> None:
    unit = Unit()
    data = told(disable(unit, 100))
    assert data["category"] == "tamper"
    assert data["headline"] == "HK-001: Tamper: camera cam-1 covered"
    (detection,) = data["detections"]
    assert (detection["detectorId"], detection["kind"], detection["label"]) == (CAMERA, "camera", "covered")
    assert detection["scores"] == {"seen_share": 0.1}
    assert unit.incidents.open_count == 1


def test_its_clip_begins_before_the_hand_came_and_not_when_it_was_sure() -> None:
    unit = Unit()
    data = told(disable(unit, 100))
    assert data["opened"] == "2026-11-22T20:01:40.000Z"
    assert data["evidence"]["clip"]["start"] == "2026-11-22T20:01:30.000Z"


def test_a_camera_that_sees_again_is_restored_and_closed_once_somebody_looked() -> None:
    unit = Unit()
    disable(unit, 100)
    data = told(bring_back(unit, 300))
    assert (data["alertId"], data["state"], data["restored"]) == ("tamper-1", "ended", True)
    data = told(unit.see(410))
    assert (data["alertId"], data["state"], data["outcome"]["code"]) == ("tamper-1", "closed", "restored")


def test_a_camera_disabled_in_another_way_after_it_was_back_is_another_alert() -> None:
    unit = Unit()
    disable(unit, 100, "moved")
    bring_back(unit, 130)
    data = told(disable(unit, 135, "covered"))
    assert data["headline"] == "HK-001: Tamper: camera cam-1 covered"
    assert unit.incidents.open_count == 2


def test_a_camera_still_disabled_after_a_restart_of_its_recorder_is_the_same_alert() -> None:
    unit = Unit()
    disable(unit, 100, "covered")
    disable(unit, 200, "covered")
    assert unit.incidents.open_count == 1


def test_an_end_that_nothing_began_is_nothing() -> None:
    """A new recorder has learned its view: that is told, in case an earlier one had told a tamper."""
    unit = Unit()
    assert of(Tell, unit.hear(Restored(CAMERA, SensorKind.CAMERA, unit.at(20)))) == []


def test_a_help_call_does_not_notice_a_covered_camera() -> None:
    unit = Unit()
    disable(unit, 100)
    actions = unit.press(120)
    assert [(tell.category, tell.urgent) for tell in of(Tell, actions)] == [(Category.HELP, True)]


def test_a_pir_that_runs_away_does_not_hide_a_covered_camera() -> None:
    unit = Unit(armed=True)
    at_s = run_away(unit)
    assert ("tamper-7", 1, "active") in revisions(disable(unit, at_s))
    assert unit.incidents.summary()["inhibited"] is True


def test_a_camera_that_is_told_during_an_inhibit_is_told_once_and_then_counted() -> None:
    unit = Unit(armed=True)
    at_s = run_away(unit)
    disable(unit, at_s)
    bring_back(unit, at_s + 30)
    unit.wait(at_s + 100)
    again = disable(unit, at_s + 101)
    assert not [tell for tell in of(Tell, again) if tell.category is Category.TAMPER]
    unit.wait(at_s + 140)
    fault = [tell for tell in of(Tell, unit.done) if tell.category is Category.FAULT][-1]
    assert fault.data["suppressed"] == 1


def test_a_camera_that_runs_away_itself_is_inhibited_and_help_calls_are_not() -> None:
    unit = Unit()
    for at_s in range(0, 500, 100):
        disable(unit, at_s)
        bring_back(unit, at_s + 25)
        unit.wait(at_s + 99)
    assert unit.incidents.summary()["inhibited"] is True
    assert not [tell for tell in of(Tell, disable(unit, 500)) if tell.category is Category.TAMPER]
    assert [tell.category for tell in of(Tell, unit.press(530))] == [Category.HELP]


def test_a_disabled_camera_confirms_an_intruder_only_beside_another_kind_of_sensor() -> None:
    unit = Unit(armed=True)
    unit.walk(90)
    data = [tell.data for tell in of(Tell, disable(unit, 100)) if tell.category is Category.INTRUDER]
    assert [each["confirmation"]["level"] for each in data] == ["sequential"]
