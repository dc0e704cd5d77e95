"""Help calls and the feedback ladder: heard, received, seen - or phone instead."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from agent.signals import (
    Category,
    LightPattern,
    Line,
    Log,
    Outcome,
    Remember,
    SayLine,
    ShowLight,
    TakeStill,
    TakeStrip,
    Tell,
)
from tests.incidents.driven_unit import Unit, config, lights, lines, of, revisions, told, with_numbers

if TYPE_CHECKING:
    from collections.abc import Callable


def test_a_press_lights_and_speaks_first_then_tells_then_remembers_then_films() -> None:
    actions = Unit().press()
    assert [type(action) for action in actions] == [ShowLight, SayLine, Tell, Remember, TakeStill, TakeStrip, Log]
    assert lights(actions) == [LightPattern.HEARD]
    assert lines(actions) == [Line.HEARD]


def test_a_help_call_is_urgent_and_says_who_called_and_where() -> None:
    actions = Unit().press()
    (tell,) = of(Tell, actions)
    assert (tell.category, tell.urgent, tell.revision) == (Category.HELP, True, 1)
    assert tell.data["headline"] == "HK-001: Help call: panic button panic-1"
    assert tell.data["confirmation"]["level"] == "help-call"
    assert (tell.data["severity"], tell.data["urgency"], tell.data["certainty"]) == ("Extreme", "Immediate", "Observed")


@pytest.mark.parametrize("armed", [True, False])
def test_help_calls_work_set_or_not(armed: bool) -> None:  # noqa: FBT001 - pytest passes it by name
    unit = Unit(armed=armed)
    assert told(unit.press())["armState"] == ("set" if armed else "unset")
    assert told(unit.say_phrase(1))["state"] == "active"


def test_button_and_phrase_are_one_call_and_the_second_caller_is_answered_too() -> None:
    unit = Unit()
    unit.press()
    actions = unit.say_phrase(5)
    assert revisions(actions) == [("help-1", 2, "active")]
    assert [each["detectorId"] for each in told(actions)["detections"]] == ["panic-1", "mic-1"]
    assert lines(actions) == [Line.HEARD]


def test_pressing_again_raises_a_count_that_is_told_at_most_each_ten_seconds() -> None:
    unit = Unit()
    unit.press(0)
    assert [revisions(unit.press(at_s)) for at_s in (1, 2, 3)] == [[], [], []]
    actions = unit.wait(10)
    assert revisions(actions) == [("help-1", 2, "active")]
    assert told(actions)["detections"][0]["count"] == 4
    assert revisions(unit.press(12)) == []
    assert revisions(unit.wait(19.9)) == []
    assert revisions(unit.wait(20)) == [("help-1", 3, "active")]


def test_a_press_long_after_the_last_revision_is_told_at_once() -> None:
    unit = Unit()
    unit.press(0)
    assert revisions(unit.press(12)) == [("help-1", 2, "active")]


LADDERS: dict[str, tuple[Callable[[Unit], object], list[Line], list[LightPattern]]] = {
    "received, then seen": (
        lambda unit: (unit.press(), unit.receive(1), unit.see(8)),
        [Line.HEARD, Line.RECEIVED, Line.SEEN],
        [LightPattern.OFF, LightPattern.HEARD, LightPattern.SEEN],
    ),
    "seen before received": (
        lambda unit: (unit.press(), unit.see(2), unit.receive(3)),
        [Line.HEARD, Line.SEEN],
        [LightPattern.OFF, LightPattern.HEARD, LightPattern.SEEN],
    ),
    "acknowledged twice": (
        lambda unit: (unit.press(), unit.receive(1), unit.receive(1), unit.see(2), unit.see(3)),
        [Line.HEARD, Line.RECEIVED, Line.SEEN],
        [LightPattern.OFF, LightPattern.HEARD, LightPattern.SEEN],
    ),
    "closed by the first who looked": (
        lambda unit: (unit.press(), unit.close(5)),
        [Line.HEARD],
        [LightPattern.OFF, LightPattern.HEARD, LightPattern.OFF],
    ),
    "never received": (
        lambda unit: (unit.press(), unit.wait(71)),
        [Line.HEARD, Line.NO_CONNECTION, Line.NO_CONNECTION, Line.NO_CONNECTION],
        [LightPattern.OFF, LightPattern.HEARD],
    ),
    "received late": (
        lambda unit: (unit.press(), unit.wait(15), unit.receive(20), unit.wait(100)),
        [Line.HEARD, Line.NO_CONNECTION, Line.RECEIVED],
        [LightPattern.OFF, LightPattern.HEARD],
    ),
}


@pytest.mark.parametrize("story", LADDERS)
def test_the_ladder(story: str) -> None:
    happens, said, shown = LADDERS[story]
    unit = Unit()
    happens(unit)
    assert lines(unit.done) == said
    assert lights(unit.done) == shown


def test_the_fallback_line_comes_exactly_when_the_receiver_is_late() -> None:
    unit = Unit()
    unit.press()
    assert lines(unit.wait(9.99)) == []
    assert lines(unit.wait(10)) == [Line.NO_CONNECTION]


def test_the_lamp_keeps_the_call_for_a_while_after_the_event_and_the_speaker_rests_with_it() -> None:
    unit = Unit()
    unit.press()
    unit.wait(30 + 300 - 0.1)
    assert unit.light() is LightPattern.HEARD
    unit.wait(30 + 300)
    assert unit.light() is LightPattern.OFF
    assert lines(unit.wait(3600)) == []
    assert lines(unit.receive(3601)) == []


def test_a_call_after_the_event_is_a_new_incident_and_is_not_told_that_it_was_seen() -> None:
    unit = Unit()
    unit.press()
    unit.see(5)
    unit.wait(31)
    assert unit.light() is LightPattern.SEEN
    actions = unit.press(40)
    assert revisions(actions) == [("help-2", 1, "active")]
    assert lights(actions) == [LightPattern.HEARD]
    assert unit.incidents.open_count == 2


def test_a_late_wake_does_not_bury_a_new_call_in_the_old_event() -> None:
    unit = Unit()
    unit.press()
    actions = unit.press(45)  # nobody woke it at 30
    assert revisions(actions) == [("help-1", 2, "ended"), ("help-2", 1, "active")]


def test_a_call_after_the_closing_is_a_new_incident() -> None:
    unit = Unit()
    unit.press()
    unit.close(5, Outcome.FALSE)
    assert revisions(unit.press(6)) == [("help-2", 1, "active")]


def test_the_event_grows_with_each_trigger() -> None:
    unit = Unit()
    for at_s in (0, 25, 50):
        unit.press(at_s)
    assert revisions(unit.wait(79)) == [("help-1", 4, "active")]  # operator late at 30 and the counts before
    assert ("help-1", 5, "ended") in revisions(unit.wait(80))


def test_a_unit_that_is_not_commissioned_marks_everything_as_a_test() -> None:
    settings = config()
    unit = Unit(settings.model_copy(update={"unit": settings.unit.model_copy(update={"test": True})}))
    data = told(unit.press())
    assert data["test"] is True
    assert data["headline"].startswith(f"TEST {data['testCode']} - ")


def test_times_are_the_configured_ones() -> None:
    unit = Unit(with_numbers(config(), receiver_late_s=4.0, repeat_no_connection_s=5.0))
    unit.press()
    assert lines(unit.wait(8.9)) == [Line.NO_CONNECTION]
    assert lines(unit.wait(9)) == [Line.NO_CONNECTION]
