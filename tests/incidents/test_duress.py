"""Silent calls: nothing at the scene may show that they were made."""

from __future__ import annotations

from agent.signals import LightPattern, Line, SayLine, ShowLight
from tests.incidents.driven_unit import Unit, lights, lines, logged, of, revisions, told


def test_a_marked_phrase_is_told_and_never_shown_or_spoken() -> None:
    unit = Unit()
    actions = unit.say_phrase(0, "red-umbrella", silent=True)
    assert told(actions)["silent"] is True
    assert told(actions)["headline"] == "HK-001: Silent help call: phrase red-umbrella at mic-1"
    unit.receive(1)
    unit.see(2)
    unit.wait(400)
    unit.close(401)
    assert lights(unit.done) == [LightPattern.OFF]
    assert lines(unit.done) == []


def test_nobody_is_told_to_phone_after_a_silent_call() -> None:
    unit = Unit()
    unit.say_phrase(silent=True)
    assert lines(unit.wait(120)) == []


def test_a_button_that_may_become_a_silent_call_is_told_at_once_and_shows_nothing_yet() -> None:
    actions = Unit().press(0, "counter-1")
    assert told(actions)["silent"] is True
    assert of(ShowLight, actions) == []
    assert of(SayLine, actions) == []


def test_let_go_in_time_it_is_an_open_call() -> None:
    unit = Unit()
    unit.press(0, "counter-1")
    actions = unit.let_go(2.9)
    assert lights(actions) == [LightPattern.HEARD]
    assert lines(actions) == [Line.HEARD]
    assert told(actions)["silent"] is False
    assert told(actions)["detections"][0]["silent"] is False
    assert lines(unit.wait(10)) == [Line.NO_CONNECTION]


def test_let_go_after_the_receiver_had_it_the_caller_hears_that() -> None:
    unit = Unit()
    unit.press(0, "counter-1")
    assert lines(unit.receive(1)) == []
    assert lines(unit.let_go(2)) == [Line.RECEIVED]


def test_held_long_it_stays_silent_also_when_it_is_let_go_later() -> None:
    unit = Unit()
    unit.press(0, "counter-1")
    assert "call_stays_silent" in logged(unit.wait(3))
    unit.let_go(5)
    unit.see(6)
    unit.wait(200)
    assert lights(unit.done) == [LightPattern.OFF]
    assert lines(unit.done) == []


def test_held_long_and_reported_late_it_still_is_a_silent_call() -> None:
    unit = Unit()
    unit.press(0, "counter-1")
    actions = unit.let_go(4)  # nobody woke it at 3
    assert lights(actions) == []
    assert "call_stays_silent" in logged(actions)


def test_an_open_call_makes_a_silent_incident_loud() -> None:
    unit = Unit()
    unit.say_phrase(silent=True)
    actions = unit.press(5)
    assert revisions(actions) == [("help-1", 2, "active")]
    assert told(actions)["silent"] is False
    assert lights(actions) == [LightPattern.HEARD]
    assert [each["silent"] for each in told(actions)["detections"]] == [True, False]


def test_a_silent_call_in_an_open_incident_changes_nothing_visible_but_is_told() -> None:
    unit = Unit()
    unit.press()
    actions = unit.say_phrase(5, "red-umbrella", silent=True)
    assert lights(actions) == []
    assert lines(actions) == []
    assert told(actions)["silent"] is False
    assert [each["silent"] for each in told(actions)["detections"]] == [False, True]


def test_a_button_held_long_in_an_open_incident_is_told_as_a_silent_call() -> None:
    unit = Unit()
    unit.press(0, "counter-1")
    unit.let_go(1)
    assert revisions(unit.press(2, "counter-1")) == []
    actions = unit.wait(5)
    assert told(actions)["detections"][0]["silent"] is True
    assert lights(actions) == []
    assert lines(actions) == []


def test_two_buttons_each_decide_for_themselves() -> None:
    unit = Unit()
    unit.press(0, "counter-1")
    unit.press(1, "panic-1")
    assert unit.light() is LightPattern.HEARD
    actions = unit.wait(3)
    assert [each["silent"] for each in told(actions)["detections"]] == [True, False]


def test_a_silent_call_leaves_the_courtesy_light_as_it_is() -> None:
    unit = Unit(armed=True)
    unit.say_phrase(silent=True)
    unit.walk(1)
    assert unit.light() is LightPattern.STEADY
