"""What lasts until it is restored."""

from __future__ import annotations

from agent.signals import NoteOutcome, Outcome, SensorKind, Tell
from tests.incidents.driven_unit import Unit, of, revisions, told


def test_a_fault_stays_active_until_it_is_cleared_and_is_then_closed_as_restored() -> None:
    unit = Unit()
    assert revisions(unit.fail(0)) == [("fault-1", 1, "active")]
    assert unit.last_alert == "fault-1"
    unit.wait(3600)
    actions = unit.work_again(3601)
    assert revisions(actions) == [("fault-1", 3, "closed")]
    assert told(actions)["outcome"] == {"code": "restored", "cause": None, "by": "unit"}
    assert told(actions)["urgency"] == "Past"


def test_a_fault_is_told_in_its_own_words() -> None:
    data = told(Unit().fail(0, "outbox", "disk-full"))
    assert data["headline"] == "HK-001: Fault: the outbox is disk-full"
    assert (data["detections"][0]["detectorId"], data["detections"][0]["label"]) == ("outbox", "disk-full")
    assert data["evidence"]["clip"]["status"] == "none"


def test_a_fault_that_a_hand_has_made_is_tamper_and_its_end_is_told_and_closes_nothing_unseen() -> None:
    unit = Unit()
    told_now = unit.fail(0, "software", "changed", tampered=True)
    data = told(told_now)
    assert (data["category"], data["requestedAction"]) == ("tamper", "VIEW_AND_ASSESS")
    assert data["headline"] == "HK-001: Tamper: the software is changed"
    assert data["evidence"]["snapshot"]["status"] == "pending", "who did it may still be there"
    assert revisions(unit.fail(1, "software", "changed", tampered=True)) == [], "it is one incident"
    unit.wait(3600)
    unit.work_again(3601, "software", "changed")
    unit.wait(3800)
    last = of(Tell, unit.done)[-1]
    assert (last.data["state"], last.data["restored"]) == ("ended", True)
    assert unit.incidents.open_count == 1, "an operator has not seen it"


def test_each_part_and_code_is_an_incident_of_its_own() -> None:
    unit = Unit()
    unit.fail(0, "recorder", "dead")
    unit.fail(1, "recorder", "disk-full")
    unit.fail(2, "listener", "dead")
    assert unit.incidents.open_count == 3
    unit.work_again(3, "recorder", "dead")
    assert unit.incidents.open_count == 2


def test_a_clearing_of_what_never_failed_is_nothing() -> None:
    assert Unit().work_again(0) == []


def test_mains_is_a_fault_that_its_return_closes() -> None:
    unit = Unit()
    actions = unit.trigger(0, "mains-1", SensorKind.MAINS)
    assert told(actions)["headline"] == "HK-001: Fault: mains supply lost (mains-1)"
    assert revisions(unit.restore(60, "mains-1", SensorKind.MAINS)) == [("fault-1", 2, "closed")]


def test_faults_are_not_escalated() -> None:
    unit = Unit()
    unit.fail(0)
    unit.wait(3600)
    assert not any(tell.data["operator"]["escalated"] for tell in of(Tell, unit.done))


def test_a_test_alert_is_marked_and_filmed_and_not_escalated() -> None:
    unit = Unit()
    data = told(unit.test(0))
    assert (data["category"], data["test"]) == ("test", True)
    assert data["headline"] == f"TEST {data['testCode']} - HK-001: Test alert: asked for by op-1"
    assert data["evidence"]["snapshot"]["status"] == "pending"
    unit.wait(3600)
    assert not any(tell.data["operator"]["escalated"] for tell in of(Tell, unit.done))


def test_each_door_is_an_incident_of_its_own() -> None:
    unit = Unit()
    unit.open_door(0, "door-1")
    unit.open_door(1, "door-2")
    assert unit.incidents.open_count == 2


def test_an_open_door_stays_active() -> None:
    unit = Unit()
    unit.open_door(0)
    assert all(state == "active" for _, _, state in revisions(unit.wait(3600)))


def test_a_shut_door_that_nobody_looked_at_is_told_as_restored_and_not_closed() -> None:
    unit = Unit()
    unit.open_door(0)
    unit.shut_door(5)
    actions = unit.wait(31)
    assert revisions(actions) == [("tamper-1", 2, "active"), ("tamper-1", 3, "ended")]
    assert all(tell.data["restored"] for tell in of(Tell, actions))
    assert revisions(unit.see(40)) == [("tamper-1", 4, "closed")]
    assert of(Tell, unit.done)[-1].data["outcome"]["code"] == Outcome.RESTORED
    assert [(ended.outcome, ended.by) for ended in of(NoteOutcome, unit.done)] == [(Outcome.RESTORED, "unit")]


def test_a_shut_door_that_somebody_looked_at_is_closed_when_its_event_is_over() -> None:
    unit = Unit()
    unit.open_door(0)
    unit.see(10)
    unit.wait(99)
    actions = unit.shut_door(100)
    assert revisions(actions) == [("tamper-1", 3, "closed")]
    assert of(Tell, actions)[0].at == unit.at(100)


def test_a_door_opened_again_at_once_is_the_same_event() -> None:
    unit = Unit()
    unit.open_door(0)
    unit.shut_door(5)
    unit.open_door(8)
    actions = unit.wait(100)
    assert not any(tell.data["restored"] for tell in of(Tell, actions))
    assert unit.incidents.open_count == 1
    assert told(unit.close(101))["state"] == "closed"


def test_a_door_that_bangs_does_not_write_a_revision_each_time() -> None:
    unit = Unit()
    for at_s in range(0, 60, 2):
        unit.wait(at_s)
        unit.open_door(at_s)
        unit.shut_door(at_s + 1)
    assert len(revisions(unit.done)) <= 1 + 60 // 10


def test_a_shut_door_seen_before_its_event_is_over_is_closed_with_it() -> None:
    unit = Unit()
    unit.open_door(0)
    unit.shut_door(5)
    unit.see(10)
    assert revisions(unit.wait(29)) == []
    assert [state for _, _, state in revisions(unit.wait(30))] == ["closed"]
