"""Incidents outlive the program and the power."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from agent.signals import CutClip, LightPattern, Line, Log, Media, SensorKind, TakeStill, Tell
from tests.incidents.driven_unit import START, Unit, elsewhen, lights, lines, logged, of, revisions, told


def after_a_power_cut(off_s: float, at_s: float) -> datetime:
    """Wall time of the new boot."""
    return START.wall + timedelta(seconds=at_s + off_s)


def test_the_lamp_is_shown_once_at_the_start() -> None:
    assert lights(Unit().done) == [LightPattern.OFF]


def test_a_call_goes_on_with_its_number_and_its_light() -> None:
    unit = Unit()
    unit.press(0)
    unit.see(2)
    actions = unit.restart(5)
    assert lights(actions) == [LightPattern.SEEN]
    assert revisions(actions) == []
    assert revisions(unit.say_phrase(6)) == [("help-1", 3, "active")]


def test_after_a_crash_a_call_never_uses_a_number_that_may_have_been_told_already() -> None:
    unit = Unit()
    unit.press(0)
    unit.restart(0.01, crashed=True)  # killed while revision 2 was on its way and not yet on the disk
    ((_, revision, _),) = revisions(unit.say_phrase(6))
    assert revision > 2


def test_an_incident_whose_memory_is_found_late_goes_on_by_its_id_and_number() -> None:
    unit = Unit()
    unit.press(0)
    unit.see(2)
    actions = unit.restart_without_memory(5)
    assert lights(actions) == [LightPattern.OFF]
    assert lights(unit.find_memory(8)) == [LightPattern.SEEN]
    assert revisions(unit.say_phrase(9)) == [("help-1", 3, "active")]


def test_a_fault_that_is_found_late_and_told_again_meanwhile_is_one_fault_that_ends() -> None:
    unit = Unit()
    unit.fail(0)
    unit.restart_without_memory(5)
    unit.fail(7)
    assert revisions(unit.find_memory(9)) == [("fault-1", 2, "closed")]
    assert revisions(unit.work_again(20)) == [("fault-2", 2, "closed")]
    assert not of(Tell, unit.wait(7200)), "nothing of it is left for an operator"


def test_a_call_of_this_run_grows_on_and_the_one_that_is_found_late_is_ended() -> None:
    unit = Unit()
    unit.press(0)
    unit.restart_without_memory(5)
    unit.press(6)
    assert revisions(unit.find_memory(8)) == [("help-1", 2, "ended")]
    assert revisions(unit.say_phrase(9)) == [("help-2", 2, "active")]


def test_what_was_set_by_hand_is_set_again_when_the_memory_of_it_is_found_late() -> None:
    unit = Unit(armed=True)
    unit.restart_without_memory(5)
    assert not unit.incidents.armed
    unit.find_memory(8)
    assert unit.incidents.armed


def test_deadlines_of_the_same_boot_stand() -> None:
    unit = Unit()
    unit.press(0)
    unit.restart(5)
    assert lines(unit.wait(9.9)) == []
    assert lines(unit.wait(10)) == [Line.NO_CONNECTION]


def test_deadlines_of_another_boot_go_on_by_wall_time() -> None:
    unit = Unit()
    unit.press(0)
    unit.restart(2, boot=elsewhen(after_a_power_cut(4, 2), "boot-2"))
    assert lines(unit.wait(2 + 3.9)) == []
    assert lines(unit.wait(2 + 4)) == [Line.NO_CONNECTION]


def test_deadlines_that_passed_in_a_power_cut_happen_once() -> None:
    unit = Unit()
    unit.press(0)
    actions = unit.restart(2, boot=elsewhen(after_a_power_cut(120, 2), "boot-2"))
    assert revisions(actions) == [("help-1", 2, "ended")]
    assert told(actions)["operator"] == {"late": True, "escalated": True, "ackedAt": None, "ref": None}
    assert lines(actions) == [Line.NO_CONNECTION]
    assert len(of(CutClip, actions)) == 1


def test_a_clock_that_woke_up_in_the_past_makes_no_deadline_longer() -> None:
    unit = Unit()
    unit.press(0)
    unit.restart(2, boot=elsewhen(datetime(1970, 1, 1, tzinfo=UTC), "boot-2"))
    assert lines(unit.wait(2 + 10)) == [Line.NO_CONNECTION]


def test_a_count_that_was_not_told_yet_is_told_after_a_restart() -> None:
    unit = Unit()
    unit.press(0)
    unit.press(1)
    unit.restart(2)
    assert told(unit.wait(10))["detections"][0]["count"] == 2


def test_a_count_whose_incident_is_forgotten_in_the_same_late_wake_is_still_told() -> None:
    unit = Unit()
    unit.press(0)
    unit.press(1)
    actions = unit.oversleep(30 * 86_400)
    assert told(actions)["detections"][0]["count"] == 2
    assert unit.kept == {}


def test_footage_that_was_asked_for_is_asked_for_again() -> None:
    unit = Unit()
    unit.press(0)
    unit.film(1, Media.STILL)
    unit.wait(30)
    before = of(CutClip, unit.done)
    actions = unit.restart(31)
    assert of(TakeStill, actions) == []
    assert of(CutClip, actions) == before


def test_a_button_that_was_held_at_the_restart_is_still_undecided() -> None:
    unit = Unit()
    unit.press(0, "counter-1")
    unit.restart(1)
    assert lights(unit.let_go(2)) == [LightPattern.HEARD]


def test_a_button_that_was_held_over_a_power_cut_stays_a_silent_call() -> None:
    unit = Unit()
    unit.press(0, "counter-1")
    actions = unit.restart(1, boot=elsewhen(after_a_power_cut(20, 1), "boot-2"))
    assert lights(actions) == [LightPattern.OFF]
    assert lines(unit.wait(100)) == []


def test_a_fault_reported_again_after_the_restart_goes_on() -> None:
    unit = Unit()
    unit.fail(0)
    unit.restart(10)
    unit.fail(20)
    assert all(state == "active" for _, _, state in revisions(unit.wait(600)))
    assert unit.incidents.open_count == 1


def test_a_fault_not_reported_again_after_the_restart_is_closed() -> None:
    unit = Unit()
    unit.fail(0)
    unit.restart(10)
    unit.wait(129)
    assert unit.incidents.open_count == 1
    actions = unit.wait(130)
    assert told(actions)["outcome"]["code"] == "restored"
    assert "not_reported_since_restart" in logged(actions)


def test_tamper_not_reported_again_after_the_restart_has_ended_but_nobody_calls_it_restored() -> None:
    unit = Unit()
    unit.open_door(0)
    unit.restart(10)
    unit.wait(131)
    last = of(Tell, unit.done)[-1].data
    assert (last["state"], last["restored"]) == ("ended", False)
    actions = unit.shut_door(140)
    assert told(actions)["restored"] is True


def test_the_inhibit_of_runaway_detectors_goes_on_after_a_restart() -> None:
    unit = Unit(armed=True)
    for at_s in range(0, 200, 40):
        unit.walk(at_s)
    unit.restart(170)
    assert unit.incidents.summary()["inhibited"] is True
    unit.wait(400)
    assert revisions(unit.walk(400)) == [("fault-6", 3, "active")]


BAD_STATES = [
    {},
    {"what": "incident"},
    {"what": "incident", "version": 2, "saved": {}, "incident": {}},
    {"what": "spell", "version": 1},
    {"what": "arming", "version": 1, "armed": "perhaps", "by": "x", "mode": "manual", "until": None},
]


@pytest.mark.parametrize("state", BAD_STATES)
def test_a_state_that_cannot_be_read_is_logged_and_harms_nobody(state: dict[str, object]) -> None:
    unit = Unit()
    unit.kept["x"] = state
    actions = unit.restart(1)
    assert "remembered_state_refused" in [each.event for each in of(Log, actions)]
    assert revisions(unit.press(2)) == [("help-1", 1, "active")]


def test_two_active_incidents_for_one_cause_left_by_a_crash_become_one() -> None:
    unit = Unit()
    unit.press(0)
    older = unit.kept["help-1"]
    unit.press(40)
    unit.kept["help-1"] = older  # the write that it had ended was lost
    actions = unit.restart(41)
    assert revisions(actions) == [("help-1", 2, "ended")]
    assert revisions(unit.trigger(42, "mic-1", SensorKind.PHRASE)) == [("help-2", 2, "active")]
