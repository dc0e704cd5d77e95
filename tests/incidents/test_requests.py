"""What an operator asks of the scene: light and voice that end by themselves, and causes that are quiet for a while."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from agent import signals
from agent.config.settings import InputKind, InputSettings, LampSettings, SpeakerSettings
from agent.incidents.marks import Marks
from agent.incidents.quiet import Quiet
from agent.incidents.turn import Turn
from agent.signals import (
    HELP_CALL_KINDS,
    AnnouncementRequested,
    Answer,
    AnswerCommand,
    Category,
    LightPattern,
    LightRequested,
    Line,
    PlayMessage,
    QuietRequested,
    SayLine,
    SensorKind,
    SetRequested,
    ShowLight,
    Tell,
    Triggered,
    Why,
)
from tests.incidents.driven_unit import Unit, config, of, revisions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.signals import Action

REF = "/safepoint/ashfield/control-room/desk#1"


def a_unit(**sections: object) -> Unit:
    return Unit(config(speaker=SpeakerSettings(enabled=True), **sections), armed=True)


def answers(done: Sequence[Action]) -> list[tuple[Answer, Why | None]]:
    return [(each.answer, each.why) for each in of(AnswerCommand, done)]


def light(unit: Unit, at_s: float, for_s: float, ref: str = REF) -> list[Action]:
    return unit.hear(LightRequested(for_s, "op-1", unit.at(at_s), ref))


def announce(unit: Unit, at_s: float, lasts_s: float = 8.0, ref: str = REF) -> list[Action]:
    return unit.hear(AnnouncementRequested("help-is-coming", lasts_s, "op-1", unit.at(at_s), ref))


def test_a_message_is_under_way_from_its_wish_to_its_end() -> None:
    unit = a_unit()
    assert not unit.incidents.announcing
    announce(unit, 1, lasts_s=8.0)
    assert unit.incidents.announcing
    unit.wait(8.9)
    assert unit.incidents.announcing
    unit.wait(9.1)
    assert not unit.incidents.announcing


def quieten(unit: Unit, at_s: float, cause: str, for_s: float = 600.0) -> list[Action]:
    return unit.hear(QuietRequested(cause, for_s, "op-1", unit.at(at_s), REF))


def categories(done: Sequence[Action]) -> list[Category]:
    return [each.category for each in of(Tell, done)]


# --- light -----------------------------------------------------------------------------------------------------------


def test_light_that_was_asked_for_goes_out_by_itself_and_says_so() -> None:
    unit = a_unit()
    done = light(unit, 1, for_s=60)
    assert of(ShowLight, done) == [ShowLight(LightPattern.STEADY)]
    assert answers(done) == [(Answer.RUNNING, None)]
    assert answers(unit.wait(60.9)) == []
    done = unit.wait(61.1)
    assert of(ShowLight, done) == [ShowLight(LightPattern.OFF)]
    assert answers(done) == [(Answer.DONE, None)]


def test_a_call_shows_its_own_pattern_while_light_was_asked_for() -> None:
    unit = a_unit()
    light(unit, 1, for_s=60)
    assert of(ShowLight, unit.press(2)) == [ShowLight(LightPattern.HEARD)]
    unit.wait(70)
    assert of(ShowLight, unit.done)[-1] == ShowLight(LightPattern.HEARD), "its end does not put out the call's light"


def test_a_later_light_takes_the_place_of_the_first_which_is_over_then() -> None:
    unit = a_unit()
    light(unit, 1, for_s=600)
    done = light(unit, 2, for_s=0, ref="other")
    assert [(each.command, each.answer) for each in of(AnswerCommand, done)] == [
        (REF, Answer.DONE),
        ("other", Answer.DONE),
    ]
    assert of(ShowLight, done) == [ShowLight(LightPattern.OFF)]


def test_a_unit_without_a_lamp_says_that_it_has_none() -> None:
    assert answers(light(a_unit(lamp=None), 1, for_s=60)) == [(Answer.REFUSED, Why.UNAVAILABLE)]


def test_nothing_at_the_scene_answers_a_silent_call() -> None:
    unit = a_unit()
    unit.say_phrase(1, "staff-duress", silent=True)
    done = light(unit, 2, for_s=60) + announce(unit, 3)
    assert answers(done) == [(Answer.REFUSED, Why.SILENT_CALL)] * 2
    assert not of(ShowLight, done)
    assert not of(PlayMessage, done)


# --- announcements ---------------------------------------------------------------------------------------------------


def test_a_message_is_spoken_once_and_ends_by_itself() -> None:
    unit = a_unit()
    done = announce(unit, 1, lasts_s=8)
    assert of(PlayMessage, done) == [PlayMessage("help-is-coming")]
    assert answers(done) == [(Answer.RUNNING, None)]
    done = unit.wait(9.1)
    assert answers(done) == [(Answer.DONE, None)]
    assert not of(PlayMessage, unit.wait(100))


def test_a_message_waits_until_the_caller_was_told_that_the_call_was_heard() -> None:
    unit = a_unit()
    assert of(SayLine, unit.press(1)) == [SayLine(Line.HEARD)]
    assert answers(announce(unit, 2)) == []
    done = unit.wait(6.1)
    assert of(PlayMessage, done) == [PlayMessage("help-is-coming")]


def test_a_call_breaks_off_a_message() -> None:
    unit = a_unit()
    announce(unit, 1)
    done = unit.press(2)
    assert of(SayLine, done) == [SayLine(Line.HEARD)]
    assert answers(done) == [(Answer.FAILED, Why.INTERRUPTED)]


def test_one_message_at_a_time() -> None:
    unit = a_unit()
    announce(unit, 1)
    assert answers(announce(unit, 2, ref="other")) == [(Answer.REFUSED, Why.BUSY)]


def test_a_message_that_the_speaker_cannot_play_has_failed() -> None:
    unit = a_unit()
    announce(unit, 1)
    assert (Answer.FAILED, Why.UNAVAILABLE) in answers(unit.fail(2, "speaker", "lost"))


# --- quiet causes ----------------------------------------------------------------------------------------------------


def test_a_quiet_detector_raises_nothing_until_it_lapses() -> None:
    unit = a_unit()
    assert answers(quieten(unit, 1, "pir-1", for_s=600)) == [(Answer.DONE, None)]
    assert categories(unit.walk(10)) == []
    assert unit.incidents.summary()["quiet"][0]["heldBack"] == 1
    assert categories(unit.walk(20, "pir-2")) == [Category.INTRUDER], "the other one is not quiet"
    unit.wait(602)
    assert categories(unit.walk(610)) == [Category.INTRUDER]


def test_a_door_that_still_stands_open_when_the_quiet_lapses_is_told_then() -> None:
    unit = a_unit()
    quieten(unit, 1, "door-1", for_s=600)
    assert categories(unit.open_door(10)) == []
    assert categories(unit.wait(602)) == [Category.TAMPER]


def test_a_door_that_was_shut_meanwhile_is_not_told() -> None:
    unit = a_unit()
    quieten(unit, 1, "door-1", for_s=600)
    unit.open_door(10)
    unit.shut_door(20)
    assert categories(unit.wait(602)) == []


def test_a_fault_that_lasts_is_told_when_its_quiet_is_ended_by_hand() -> None:
    unit = a_unit()
    quieten(unit, 1, "recorder:disk-full")
    assert categories(unit.fail(2, "recorder", "disk-full")) == []
    assert categories(quieten(unit, 3, "recorder:disk-full", for_s=0)) == [Category.FAULT]


def test_a_told_fault_that_lasts_over_its_quiet_grows_in_the_turn_in_which_that_lapses() -> None:
    unit = a_unit()
    unit.fail(0, "recorder", "dead")
    quieten(unit, 0, "recorder:dead", for_s=60)
    unit.fail(1, "recorder", "dead")
    assert [revision for _, revision, _ in revisions(unit.oversleep(61))] == [2]
    due_s = unit.incidents.due()
    assert due_s is None or due_s > unit.now.monotonic_s, "nothing was left for a later turn"


@pytest.mark.parametrize("cause", ["panic-1", "counter-1", "rules:failed", "detectors:runaway"])
def test_no_call_for_help_is_ever_quiet(cause: str) -> None:
    unit = a_unit()
    assert answers(quieten(unit, 1, cause)) == [(Answer.REFUSED, Why.NEVER_HELP)]
    assert categories(unit.press(2)) == [Category.HELP]


def test_a_call_for_help_is_told_whatever_quiet_name_it_comes_by() -> None:
    unit = a_unit()
    quieten(unit, 1, "pir-1")
    assert categories(unit.trigger(2, "pir-1", SensorKind.BUTTON)) == [Category.HELP]
    assert categories(unit.walk(3)) == [], "its movement is quiet all the same"


@pytest.mark.parametrize("kind", sorted(HELP_CALL_KINDS))
def test_quiet_never_keeps_back_what_calls_for_help_whoever_asks_it(kind: SensorKind) -> None:
    unit = a_unit()
    quiet = Quiet(unit.settings)
    quiet.ask(QuietRequested("pir-1", 600.0, "op-1", unit.at(1)), Turn(unit.settings, unit.at(1), Marks()))
    assert not quiet.holds_back(Triggered("pir-1", kind, unit.at(2)))
    assert quiet.holds_back(Triggered("pir-1", SensorKind.PIR, unit.at(2)))


def test_a_quiet_detector_that_people_call_for_help_with_after_a_restart_is_quiet_no_more() -> None:
    unit = a_unit()
    quieten(unit, 1, "pir-1")
    quieten(unit, 1, "door-1")
    inputs = [each for each in unit.settings.inputs if each.name not in {"pir-1", "door-1"}]
    inputs.append(InputSettings(name="pir-1", kind=InputKind.BUTTON, pin=7))  # and door-1 is gone
    sections = {"speaker": SpeakerSettings(enabled=True), "inputs": tuple(inputs)}
    unit.restart(100, settings=config(**sections))
    assert unit.incidents.summary()["quiet"] == []
    assert "quiet" not in {key for key, state in unit.kept.items() if state is not None}
    assert categories(unit.press(101, "pir-1")) == [Category.HELP]
    unit.restart(200, settings=a_unit().settings)
    assert unit.incidents.summary()["quiet"] == [], "what was dropped does not come back with the old configuration"


def test_a_cause_that_there_is_not_is_refused_with_those_that_there_are() -> None:
    done = quieten(a_unit(), 1, "pir-9")
    assert answers(done) == [(Answer.REFUSED, Why.NOT_FOUND)]
    text = of(AnswerCommand, done)[0].text
    assert text is not None
    assert "door-1" in text


def test_quiet_outlives_a_restart_and_lapses_all_the_same() -> None:
    unit = a_unit()
    quieten(unit, 1, "pir-1", for_s=600)
    unit.restart(100)
    assert categories(unit.walk(200)) == []
    unit.wait(602)
    assert categories(unit.walk(610)) == [Category.INTRUDER]
    unit.restart(700)
    assert Category.INTRUDER in categories(unit.walk(800)), "what lapsed does not come back"


# --- set, unset, test ------------------------------------------------------------------------------------------------


def test_set_and_unset_are_answered_with_how_it_stands() -> None:
    unit = a_unit()
    done = unit.hear(SetRequested(False, "op-1", unit.at(1), REF))  # noqa: FBT003 - as the signal has it
    assert of(AnswerCommand, done)[0].result["arm"] == "unset"


def test_a_test_alert_is_answered_with_its_id() -> None:
    unit = a_unit()
    done = unit.hear(signals.TestRequested("op-1", unit.at(1), REF))
    assert of(AnswerCommand, done)[0].result == {"alertId": of(Tell, done)[0].alert_id}


def test_what_nobody_wants_answered_is_not_answered() -> None:
    unit = a_unit(lamp=LampSettings(pin=17, on_motion="never"))
    unit.hear(LightRequested(1.0, "key-1", unit.at(1)))
    unit.wait(3)
    assert not of(AnswerCommand, unit.done)
