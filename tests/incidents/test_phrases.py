"""Phrases: suspected before they are decided, borne out by movement, and repeated while their call is open."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.config.filming import CameraSettings, FootageSettings
from agent.config.hearing import LanguageSettings, PhraseSettings, VoiceSettings
from agent.config.settings import LampSettings
from agent.incidents.motion_light import LONGEST_MOVEMENT_S
from agent.incidents.suspicion import BELONGS_S, LIGHT_S
from agent.signals import CutClip, LightPattern, Line, SensorKind, Tell
from agent.voice.decision import Decider, Phrase, Word
from tests.incidents.driven_unit import Unit, config, lights, lines, logged, of, revisions, told

WITHIN_S = 20.0


def unit_with(*, light_on_suspicion: bool = True) -> Unit:
    """A unit that takes "help me" at its word, and "leave me" and "is he in" (a silent one) beside movement only."""
    phrases = (
        PhraseSettings(say="help me", label="help-me"),
        PhraseSettings(say="leave me", label="leave-me", movement_within_s=WITHIN_S),
        PhraseSettings(say="is he in", label="red-umbrella", silent=True, movement_within_s=WITHIN_S),
    )
    voice = VoiceSettings(enabled=True, phrases=phrases, light_on_suspicion=light_on_suspicion)
    return Unit(config(voice=voice))


# --- suspicion


def test_a_suspicion_lights_the_lamp_for_a_moment_and_raises_nothing() -> None:
    unit = unit_with()
    actions = unit.begin_a_phrase(1)
    assert lights(actions) == [LightPattern.STEADY]
    assert len(actions) == 1
    assert lights(unit.wait(1 + LIGHT_S - 0.1)) == []
    assert lights(unit.wait(1 + LIGHT_S)) == [LightPattern.OFF]
    assert of(Tell, unit.done) == []
    assert unit.incidents.due() is None


def test_a_decided_phrase_goes_on_from_the_light_of_its_suspicion() -> None:
    unit = unit_with()
    unit.begin_a_phrase(1)
    unit.say_phrase(1.5)
    unit.wait(20)
    assert lights(unit.done) == [LightPattern.OFF, LightPattern.STEADY, LightPattern.HEARD]


def test_a_silent_phrase_shows_and_says_nothing_when_it_is_suspected_nor_when_it_is_decided() -> None:
    unit = Unit()
    assert unit.begin_a_phrase(1, "red-umbrella", silent=True) == []
    assert told(unit.say_phrase(1.5, "red-umbrella", silent=True))["silent"] is True
    unit.wait(60)
    assert lights(unit.done) == [LightPattern.OFF]
    assert lines(unit.done) == []


@pytest.mark.parametrize("at_s", [2, 40, 300])
def test_a_mere_suspicion_does_not_light_up_a_silent_call(at_s: float) -> None:
    unit = Unit()
    unit.say_phrase(1, "red-umbrella", silent=True)
    unit.wait(at_s)
    assert unit.begin_a_phrase(at_s) == []


def test_a_button_that_may_become_a_silent_call_is_not_lit_up_either() -> None:
    unit = Unit()
    unit.press(1, "counter-1")
    assert unit.begin_a_phrase(1.5) == []


def test_after_a_silent_call_is_closed_suspicions_light_again() -> None:
    unit = Unit()
    unit.say_phrase(1, "red-umbrella", silent=True)
    unit.close(2)
    assert lights(unit.begin_a_phrase(3)) == [LightPattern.STEADY]


def test_a_unit_that_shall_not_light_on_suspicion_does_not() -> None:
    assert unit_with(light_on_suspicion=False).begin_a_phrase() == []


# --- footage


def clip_start_s(unit: Unit) -> float:
    (cut,) = of(CutClip, unit.done)
    return cut.start.monotonic_s - unit.start.monotonic_s


@pytest.mark.parametrize(
    ("suspected_s", "since_s", "begins_s"),
    [(None, None, 40), (45, None, 35), (45, 48, 35), (45, 43, 33), (50 - BELONGS_S - 1, 48, 38)],
)
def test_the_clip_reaches_back_before_the_suspicion_and_the_first_word(
    suspected_s: float | None, since_s: float | None, begins_s: float
) -> None:
    unit = unit_with()
    if suspected_s is not None:
        unit.begin_a_phrase(suspected_s)
    unit.say_phrase(50, since_s=since_s)
    unit.wait(80)
    assert clip_start_s(unit) == begins_s


def test_a_suspicion_of_another_phrase_or_of_an_earlier_call_marks_nothing() -> None:
    unit = unit_with()
    unit.begin_a_phrase(41, "leave-me")
    unit.begin_a_phrase(42)
    unit.say_phrase(43)
    unit.close(44)
    unit.say_phrase(50)
    unit.wait(80)
    starts_s = [cut.start.monotonic_s - unit.start.monotonic_s for cut in of(CutClip, unit.done)]
    assert starts_s == [32, 40]


def test_reaching_back_never_takes_a_clip_over_the_longest() -> None:
    footage = FootageSettings(pre_event_s=10, post_event_s=30, clip_cap_s=45)
    unit = Unit(config(footage=footage, camera=CameraSettings(enabled=True)))
    unit.say_phrase(50, since_s=30)
    unit.wait(80)
    assert clip_start_s(unit) == 80 - 45


def test_an_alert_tells_when_its_phrase_was_first_and_last_said() -> None:
    detection = told(unit_with().say_phrase(8, since_s=2))["detections"][0]
    assert (detection["first"], detection["last"]) == ("2026-11-22T20:00:02.000Z", "2026-11-22T20:00:08.000Z")


# --- second evidence


def test_a_phrase_that_needs_movement_counts_after_movement() -> None:
    unit = unit_with()
    unit.walk(0)
    unit.restore(5, "pir-1", SensorKind.PIR)
    actions = unit.say_phrase(5 + WITHIN_S, "leave-me")
    assert revisions(actions) == [("help-1", 1, "active")]


def test_a_phrase_that_needs_movement_counts_while_it_goes_on_but_not_on_the_word_of_a_stuck_detector() -> None:
    unit = unit_with()
    unit.walk(0)
    assert revisions(unit.say_phrase(LONGEST_MOVEMENT_S, "leave-me")) == []
    assert revisions(unit.say_phrase(LONGEST_MOVEMENT_S + 1, "help-me")) != []
    other = unit_with()
    other.walk(0)
    assert revisions(other.say_phrase(LONGEST_MOVEMENT_S - 1, "leave-me")) != []


def test_without_movement_it_raises_nothing_and_the_journal_says_why() -> None:
    unit = unit_with()
    unit.walk(0)
    unit.restore(1, "pir-1", SensorKind.PIR)
    assert logged(unit.say_phrase(1.1 + WITHIN_S, "leave-me")) == ["phrase_waits_for_movement"]
    unit.wait(100)
    assert of(Tell, unit.done) == []
    assert unit.incidents.due() is None


def test_movement_that_follows_in_time_makes_it_count_from_then_on() -> None:
    unit = unit_with()
    unit.say_phrase(50, "leave-me", since_s=49)
    actions = unit.walk(50 + WITHIN_S)
    assert lights(actions) == [LightPattern.HEARD]
    assert lines(actions) == [Line.HEARD]
    assert told(actions)["opened"] == "2026-11-22T20:01:10.000Z"
    unit.wait(110)
    assert clip_start_s(unit) == 39, "the footage reaches back to the words"
    assert lines(unit.wait(50 + WITHIN_S + 9.9)) == [], "nobody can have received it before"


def test_movement_too_late_bears_nothing_out_and_neither_does_a_second_one() -> None:
    unit = unit_with()
    unit.say_phrase(50, "leave-me")
    assert revisions(unit.walk(50.1 + WITHIN_S)) == []
    assert revisions(unit.walk(51 + WITHIN_S)) == []


def test_one_movement_bears_a_phrase_out_once() -> None:
    unit = unit_with()
    unit.say_phrase(50, "leave-me")
    unit.walk(51)
    assert revisions(unit.walk(52)) == []
    assert unit.incidents.open_count == 1


def test_a_silent_phrase_waits_for_movement_in_silence() -> None:
    unit = Unit(unit_with().settings)
    unit.begin_a_phrase(49, "red-umbrella", silent=True)
    unit.say_phrase(50, "red-umbrella", silent=True)
    assert told(unit.walk(55))["silent"] is True
    assert lights(unit.done) == [LightPattern.OFF]
    assert lines(unit.done) == []


def test_a_phrase_of_a_further_language_can_need_movement_too() -> None:
    polish = LanguageSettings(
        name="pl",
        model=Path("pl"),
        phrases=(PhraseSettings(say="zostaw mnie", label="zostaw", movement_within_s=WITHIN_S),),
    )
    unit = Unit(config(voice=VoiceSettings(phrases=unit_with().settings.voice.phrases, languages=(polish,))))
    assert of(Tell, unit.say_phrase(0, "zostaw")) == []
    assert [each["label"] for each in told(unit.walk(5))["detections"]] == ["zostaw"]


def test_an_open_call_that_is_answered_needs_no_second_evidence_for_more_of_it() -> None:
    unit = unit_with()
    unit.say_phrase(0, "help-me")
    assert revisions(unit.say_phrase(5, "leave-me")) == [("help-1", 2, "active")]


def test_a_silent_call_does_not_become_loud_by_a_phrase_without_its_evidence() -> None:
    unit = Unit(config(lamp=LampSettings(pin=17, on_motion="never"), voice=unit_with().settings.voice))
    unit.press(0, "counter-1")
    unit.wait(4)
    unit.say_phrase(5, "leave-me")
    assert lights(unit.done) == [LightPattern.OFF]
    assert lights(unit.walk(6)) == [LightPattern.HEARD]


# --- repetition


def test_a_phrase_said_again_and_again_is_one_alert_until_its_event_is_over() -> None:
    """From the words to the alerts: the decider's refractory time thins them out, the incident takes the rest."""
    unit = unit_with()
    phrase = Phrase(("help", "me"), "help-me", 0.6)
    decider = Decider([phrase], 5.0)
    counted = 0
    for at_s in range(0, 120, 2):
        unit.wait(at_s)
        words = [Word("help", at_s + 0.0, at_s + 0.4, 0.9), Word("me", at_s + 0.4, at_s + 0.7, 0.9)]
        for said in decider.decide(words, at_s + 1.0):
            counted += 1
            unit.say_phrase(said.end_s, said.phrase.label, since_s=said.start_s)
    assert counted == 20
    assert {tell.alert_id for tell in of(Tell, unit.done)} == {"help-1"}
    unit.wait(140)
    last = of(Tell, unit.done)[-1]
    assert [each["count"] for each in last.data["detections"]] == [20]
    assert lines(unit.done).count(Line.HEARD) == 1, "it is answered once"


def test_the_same_phrase_after_its_event_or_its_closing_is_a_call_of_its_own() -> None:
    unit = unit_with()
    unit.say_phrase(0)
    unit.say_phrase(31)  # the post-event time is over: who calls now may be somebody else
    unit.close(32, alert_id="help-2")
    assert revisions(unit.say_phrase(33)) == [("help-3", 1, "active")]
