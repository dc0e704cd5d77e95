"""What the control room does, or does not do, about an incident."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from agent.incidents.course import UNANSWERED_KEPT_S
from agent.signals import Category, LightPattern, Line, Log, NoteOutcome, Outcome, Remember, SayLine, Tell
from tests.incidents.driven_unit import Unit, logged, of, revisions, told

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.signals import Action


def test_an_operator_who_is_late_with_a_help_call_is_told_and_it_is_escalated() -> None:
    unit = Unit()
    unit.press()
    unit.receive(1)
    late = [tell.data for tell in of(Tell, unit.wait(30))]
    assert [each["operator"]["late"] for each in late] == [True]
    escalated = of(Tell, unit.wait(60))[-1].data
    assert (escalated["operator"]["escalated"], escalated["urgency"]) == (True, "Immediate")


def test_every_step_of_the_answer_to_a_call_is_in_the_journal() -> None:
    unit = Unit()
    unit.press()
    unit.receive(1)
    unit.wait(60)
    unit.see(70)
    unit.close(80, Outcome.FALSE)
    steps = [log.event for log in of(Log, unit.done) if log.event.startswith(("incident_", "operator_"))]
    wanted = ["opened", "received", "operator_late", "ended", "escalated", "seen", "closed"]
    assert sorted(steps) == sorted(f"incident_{step}" if "_" not in step else step for step in wanted)
    seen, closed = (log.facts for log in of(Log, unit.done) if log.event in {"incident_seen", "incident_closed"})
    assert seen == {"by": "op-7"}
    assert closed == {"outcome": Outcome.FALSE, "cause": "a test", "by": "op-7"}


def test_other_alerts_have_more_time() -> None:
    unit = Unit(armed=True)
    unit.walk()
    assert revisions(unit.wait(89)) == [("intruder-1", 2, "ended")]
    assert told(unit.wait(90))["operator"]["late"] is True
    actions = unit.wait(180)
    assert (told(actions)["operator"]["escalated"], told(actions)["urgency"]) == (True, "Immediate")


def test_an_operator_in_time_is_neither_late_nor_passed_over() -> None:
    unit = Unit()
    unit.press()
    unit.see(29)
    actions = unit.wait(400)
    assert revisions(actions) == [("help-1", 3, "ended")]
    assert told(actions)["operator"] == {
        "late": False,
        "escalated": False,
        "ackedAt": "2026-11-22T20:00:29.000Z",
        "ref": "op-7",
    }


def test_the_control_room_is_told_at_once_and_once_that_its_word_was_heard() -> None:
    unit = Unit()
    unit.press()
    actions = unit.see(5)
    assert revisions(actions) == [("help-1", 2, "active")]
    assert told(actions)["operator"]["ackedAt"] == "2026-11-22T20:00:05.000Z"
    assert revisions(unit.see(20)) == []
    assert revisions(unit.close(30)) == [("help-1", 3, "closed")]
    assert revisions(unit.close(45)) == []


def test_a_closing_is_told_in_one_revision_as_seen_and_closed() -> None:
    unit = Unit()
    unit.press()
    actions = unit.close(5)
    assert revisions(actions) == [("help-1", 2, "closed")]
    assert told(actions)["operator"]["ackedAt"] == "2026-11-22T20:00:05.000Z"


@pytest.mark.parametrize("outcome", [Outcome.GENUINE, Outcome.FALSE, Outcome.TEST])
def test_closing_gives_the_outcome_and_nothing_more_is_told(outcome: Outcome) -> None:
    unit = Unit()
    unit.press()
    data = told(unit.close(5, outcome))
    assert data["state"] == "closed"
    assert data["outcome"] == {"code": outcome.value, "cause": "a test", "by": "op-7"}
    assert data["operator"]["ackedAt"] is not None
    assert revisions(unit.wait(3000)) == []


def test_each_outcome_is_written_down_for_good_with_who_gave_it_and_why() -> None:
    unit = Unit()
    unit.press()
    unit.close(5, Outcome.FALSE)
    assert of(NoteOutcome, unit.done) == [NoteOutcome("help-1", Category.HELP, Outcome.FALSE, "a test", "op-7")]


def test_that_nobody_ever_closed_an_incident_is_written_down_too() -> None:
    unit = Unit()
    unit.press()
    unit.wait(60 + UNANSWERED_KEPT_S + 60)
    assert of(NoteOutcome, unit.done) == [NoteOutcome("help-1", Category.HELP, None, None, None)]


def test_closing_after_the_end_works_as_well() -> None:
    unit = Unit()
    unit.press()
    unit.wait(100)
    assert told(unit.close(101))["state"] == "closed"


def test_a_closing_without_an_outcome_only_says_that_it_was_seen() -> None:
    unit = Unit()
    unit.press()
    actions = unit.close(5, None)
    assert "closing_without_outcome" in logged(actions)
    assert unit.incidents.open_count == 1
    assert told(unit.wait(30))["operator"]["ref"] == "op-7"


def test_an_acknowledgement_of_an_unknown_alert_is_only_logged() -> None:
    unit = Unit()
    assert logged(unit.receive(1, "help-99")) == ["unknown_alert_acknowledged"]
    assert len(unit.see(1, "help-99")) == 1
    assert len(unit.close(1, alert_id="help-99")) == 1


def test_acknowledgements_after_the_closing_are_harmless() -> None:
    unit = Unit()
    unit.press()
    unit.close(5)
    assert unit.receive(6) == []
    assert logged(unit.see(7)) == ["acknowledged_after_closing"]
    assert revisions(unit.close(8, Outcome.FALSE)) == []


def test_revisions_count_up_by_one() -> None:
    unit = Unit()
    unit.press()
    unit.say_phrase(3)
    unit.wait(70)
    unit.close(71)
    assert revisions(unit.done) == [
        ("help-1", 1 + n, state) for n, state in enumerate(3 * ["active"] + 2 * ["ended"] + ["closed"])
    ]


def test_a_closed_incident_is_forgotten_when_its_last_acknowledgements_had_their_time() -> None:
    unit = Unit()
    unit.fail(0)
    unit.work_again(10)
    actions = unit.wait(10 + 3600)
    assert [(each.alert_id, each.state) for each in of(Remember, actions)][-1] == ("fault-1", None)
    assert unit.kept == {}


def test_an_incident_nobody_closes_is_forgotten_after_a_week_and_that_is_logged() -> None:
    unit = Unit()
    unit.press()
    unit.receive(1)
    assert "incident_never_closed" not in logged(unit.wait(30 + 7 * 86_400 - 1))
    assert unit.incidents.open_count == 1
    assert "incident_never_closed" in logged(unit.wait(30 + 7 * 86_400))
    assert unit.incidents.open_count == 0
    assert unit.incidents.due() is None


def test_whoever_closes_an_earlier_revision_does_not_close_the_call_of_somebody_who_came_later() -> None:
    unit = Unit()
    unit.press()
    unit.say_phrase(20)
    stale = unit.close(20.3, Outcome.FALSE, revision=1)
    assert (told(stale)["state"], told(stale)["operator"]["ref"], told(stale)["grownIn"]) == ("active", "op-7", 2)
    assert "closing_of_less" in logged(stale)
    assert of(Tell, unit.wait(60))[-1].data["operator"]["escalated"] is True, "nobody has seen the second caller yet"
    assert told(unit.close(61, Outcome.GENUINE))["state"] == "closed"


CALLS_AGAIN: dict[str, Callable[[Unit, float], list[Action]]] = {
    "button": lambda unit, at_s: unit.press(at_s),
    "words": lambda unit, at_s: unit.say_phrase(at_s),
}


@pytest.mark.parametrize("by", CALLS_AGAIN)
def test_who_calls_by_the_same_button_or_words_is_not_closed_by_somebody_who_does_not_know_it(by: str) -> None:
    unit = Unit()
    CALLS_AGAIN[by](unit, 0)
    unit.see(5)
    CALLS_AGAIN[by](unit, 20)
    unit.close(20.1, Outcome.FALSE, revision=2)
    assert of(Tell, unit.wait(90))[-1].data["state"] == "ended"
    assert told(unit.close(91, Outcome.GENUINE))["state"] == "closed"


@pytest.mark.parametrize("by", CALLS_AGAIN)
def test_who_calls_by_the_same_button_or_words_after_ten_seconds_may_be_somebody_else(by: str) -> None:
    """Told at once, answered, with an operator's time of his own; whoever repeats it sooner is the same caller."""
    unit = Unit()
    CALLS_AGAIN[by](unit, 0)
    unit.see(5)
    assert not of(SayLine, CALLS_AGAIN[by](unit, 9))
    assert unit.light() is LightPattern.SEEN
    later = CALLS_AGAIN[by](unit, 20)
    assert of(SayLine, later)
    assert told(later)["grownIn"] == told(later)["revision"]
    assert unit.light() is LightPattern.HEARD
    assert not any(tell.data["operator"]["late"] for tell in of(Tell, unit.wait(49)))
    assert of(Tell, unit.wait(50))[-1].data["operator"]["late"] is True


def test_somebody_who_calls_after_the_call_was_seen_has_an_operators_time_of_his_own() -> None:
    unit = Unit()
    unit.press()
    unit.see(5)
    unit.say_phrase(20)
    assert not any(tell.data["operator"]["late"] for tell in of(Tell, unit.wait(49)))
    assert of(Tell, unit.wait(50))[-1].data["operator"]["late"] is True
    assert of(Tell, unit.wait(80))[-1].data["operator"]["escalated"] is True


def test_seeing_an_earlier_revision_does_not_end_the_wait_of_the_later_caller() -> None:
    unit = Unit()
    unit.press()
    unit.say_phrase(20)
    unit.see(21, revision=1)
    assert of(Tell, unit.wait(50))[-1].data["operator"]["late"] is True
    unit.see(51)
    assert not any(tell.data["operator"]["escalated"] for tell in of(Tell, unit.wait(400)))


def test_a_button_that_somebody_hammers_on_is_closed_like_one_press() -> None:
    unit = Unit()
    unit.press()
    unit.press(0.6)
    unit.press(3)
    assert told(unit.close(4, Outcome.FALSE, revision=1))["state"] == "closed"


def test_nobody_at_the_scene_is_told_that_he_was_seen_when_only_an_earlier_caller_was() -> None:
    unit = Unit()
    unit.press()
    unit.see(5)
    assert unit.light() is LightPattern.SEEN
    later = unit.say_phrase(20)
    assert of(SayLine, later)[-1].line is Line.RECEIVED
    assert unit.light() is LightPattern.HEARD
    seen = unit.see(25)
    assert (of(SayLine, seen)[-1].line, unit.light()) == (Line.SEEN, LightPattern.SEEN)
    assert not of(SayLine, unit.see(26)), "once"
