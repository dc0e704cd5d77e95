"""What is a test and what is real are never one incident, and nobody's forgetting turns a call into a test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from agent.incidents.marks import code_of
from agent.signals import Category, Proved, SensorKind, Tell, WalkTest
from tests.incidents.driven_unit import Unit, of, told

if TYPE_CHECKING:
    from agent.signals import Action


def walk_test(unit: Unit, *sensors: str, at_s: float = 0.0, for_s: float = 60.0) -> None:
    unit.hear(WalkTest(frozenset(sensors), for_s, unit.at(at_s)))


def prove(unit: Unit, *besides: str, nothing: bool = False, at_s: float = 0.0) -> None:
    unit.hear(Proved(nothing, frozenset(besides), unit.at(at_s)))


def alerts(actions: list[Action]) -> dict[str, bool]:
    """Which alerts are told, and whether each is a test."""
    return {tell.alert_id: tell.data["test"] for tell in of(Tell, actions)}


def test_only_the_sensors_that_are_walk_tested_raise_tests() -> None:
    unit = Unit()
    walk_test(unit, "panic-1")
    assert told(unit.press(1))["test"] is True
    assert told(unit.open_door(2))["test"] is False


def test_a_call_during_a_walk_test_is_a_call_of_its_own() -> None:
    unit = Unit()
    walk_test(unit, "panic-1")
    (test,) = alerts(unit.press(1))
    real = alerts(unit.say_phrase(2))
    assert real == {next(iter(real)): False}
    assert test not in real


def test_a_walk_test_is_over_by_itself() -> None:
    unit = Unit()
    walk_test(unit, "panic-1", for_s=60)
    (test,) = alerts(unit.press(59))
    again = alerts(unit.press(61))
    assert list(again.values()) == [False]
    assert test not in again, "nobody may take it for more of the test"


def test_a_walk_test_is_over_when_it_is_said_to_be() -> None:
    unit = Unit()
    walk_test(unit, "panic-1")
    walk_test(unit, at_s=5)
    assert told(unit.press(6))["test"] is False


def test_what_went_off_before_the_walk_test_began_is_real() -> None:
    unit = Unit()
    walk_test(unit, "panic-1", at_s=10)
    assert told(unit.press(9.5))["test"] is False


def test_each_sensor_that_is_walk_tested_has_an_alert_and_a_code_of_its_own() -> None:
    unit = Unit()
    walk_test(unit, "panic-1", "counter-1", "door-1")
    codes = [told(actions)["testCode"] for actions in (unit.press(1), unit.press(2, "counter-1"), unit.open_door(3))]
    assert len(set(codes)) == 3


def test_a_detector_is_walk_tested_while_it_is_unset_and_never_runs_away() -> None:
    unit = Unit()
    walk_test(unit, "pir-1", for_s=3000)
    assert told(unit.walk(1))["test"] is True
    for count in range(2, 12):
        unit.walk(count * 100)
    assert not unit.incidents.summary()["inhibited"]


def test_what_is_triggered_on_purpose_bears_nothing_out() -> None:
    unit = Unit(armed=True)
    walk_test(unit, "pir-1")
    unit.walk(1)
    assert told(unit.make_noise(2))["confirmation"]["level"] == "none"


def test_the_mains_that_come_back_end_the_test_of_their_loss() -> None:
    unit = Unit()
    walk_test(unit, "mains-1")
    assert told(unit.trigger(1, "mains-1", SensorKind.MAINS))["test"] is True
    assert told(unit.restore(5, "mains-1", SensorKind.MAINS))["state"] == "closed"


def test_until_something_is_proved_everything_is_a_test() -> None:
    unit = Unit()
    prove(unit, nothing=True)
    assert told(unit.press(1))["test"] is True
    assert told(unit.fail(2))["test"] is True


def test_what_is_not_proved_does_not_drag_the_rest_along() -> None:
    unit = Unit()
    prove(unit, "door-1")
    assert told(unit.press(1))["test"] is False
    assert told(unit.open_door(2))["test"] is True


def test_after_the_unit_was_proved_a_press_is_real_though_a_test_still_grows() -> None:
    unit = Unit()
    prove(unit, nothing=True)
    (test,) = alerts(unit.press(1))
    prove(unit, at_s=2)
    real = alerts(unit.press(3))
    assert list(real.values()) == [False]
    assert test not in real


def test_a_test_stays_one_over_a_restart() -> None:
    unit = Unit()
    walk_test(unit, "panic-1")
    (test,) = alerts(unit.press(1))
    unit.restart(5)
    assert told(unit.close(8, alert_id=test))["test"] is True


@pytest.mark.parametrize("category", Category)
def test_a_code_is_four_digits_and_always_the_same(category: Category) -> None:
    code = code_of("01JD9Z6Q3M", category)
    assert len(code) == 4
    assert code.isdigit()
    assert code == code_of("01JD9Z6Q3M", category)
