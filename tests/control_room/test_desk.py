"""What an operator sees, whatever order the messages come in."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from agent.control_room import desk as desk_module
from agent.control_room.desk import CLOSED_KEPT_S, MOST_ACKS, MOST_REVISIONS, Desk
from agent.control_room.happenings import What
from agent.control_room.sequence import Span
from agent.control_room.units import GAP_SETTLES_S, QUIET_AFTER_S, SETTLES_S, UnitState
from agent.life import Life
from agent.signals import AckLevel, Category, Outcome
from tests.control_room.wires import COLUMN, SHOP, ack, after, alert, heartbeat, status

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agent.control_room.happenings import Happening


def whats(happened: Iterable[Happening]) -> list[What]:
    return [each.what for each in happened]


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_new_alert_says_where_and_what(desk: Desk) -> None:
    (raised,) = desk.alert(COLUMN, alert(at_s=0), after(0.2))
    assert (raised.what, raised.alert_id, raised.revision) == (What.ALERT_RAISED, "A1", 1)
    assert "HELP" in raised.text
    assert "Central Walk" in raised.text
    seen = desk.alerts["A1"]
    assert (seen.category, seen.place, seen.waiting, seen.late, seen.test) == (
        Category.HELP,
        "by the clock",
        True,
        False,
        False,
    )


@pytest.mark.parametrize("order", [*itertools.permutations((1, 2, 3))])
def test_the_newest_revision_speaks_in_whatever_order_they_come(desk: Desk, order: tuple[int, ...]) -> None:
    for revision in order:
        desk.alert(COLUMN, alert(revision), after(revision))
    seen = desk.alerts["A1"]
    assert seen.headline == "Help call on Central Walk (r3)"
    assert [arrival.revision for arrival in seen.arrivals] == [*order]


def test_what_has_no_time_leaves_nothing_on_the_desk(desk: Desk) -> None:
    with pytest.raises(ValueError, match="day is out of range"):
        desk.alert(COLUMN, alert() | {"time": "2026-02-30T00:00:00Z"}, after(0))
    assert not desk.alerts
    assert whats(desk.alert(COLUMN, alert(), after(1))) == [What.ALERT_RAISED]


def test_an_older_revision_is_told_as_such(desk: Desk) -> None:
    desk.alert(COLUMN, alert(2), after(0))
    assert whats(desk.alert(COLUMN, alert(1), after(1))) == [What.OLDER_REVISION]


def test_the_same_message_a_hundred_times_is_one_alert(desk: Desk) -> None:
    happened = [each for _ in range(100) for each in desk.alert(COLUMN, alert(), after(0))]
    assert whats(happened) == [What.ALERT_RAISED] + [What.DUPLICATE] * 99
    assert len(desk.alerts["A1"].arrivals) == 1
    assert (desk.duplicates, desk.alerts["A1"].duplicates) == (99, 99)


def test_a_known_revision_under_another_id_is_a_duplicate_too(desk: Desk) -> None:
    desk.alert(COLUMN, alert(), after(0))
    again = alert(headline="something else") | {"id": "another"}
    assert whats(desk.alert(COLUMN, again, after(1))) == [What.DUPLICATE]
    assert desk.alerts["A1"].headline == "Help call on Central Walk (r1)"


def test_no_unit_can_speak_in_the_alert_of_another(desk: Desk) -> None:
    desk.alert(COLUMN, alert(), after(0))
    (refused,) = desk.alert(SHOP, alert(2, unit=SHOP, headline="all is well", state="closed"), after(1))
    assert refused.what is What.REFUSED
    assert desk.refused == 1
    assert desk.alerts["A1"].waiting


def test_a_late_alert_is_marked_with_its_true_age(desk: Desk) -> None:
    (raised,) = desk.alert(COLUMN, alert(at_s=0, late=True), after(60))
    assert "LATE" in raised.text
    assert desk.alerts["A1"].age(after(75)) == timedelta(seconds=75)


def test_a_held_up_clip_does_not_make_the_alert_late(desk: Desk) -> None:
    desk.alert(COLUMN, alert(1), after(0))
    desk.alert(COLUMN, alert(2, late=True), after(60))
    assert not desk.alerts["A1"].late


def test_a_unit_whose_clock_runs_ahead_does_not_make_an_alert_younger_than_new(desk: Desk) -> None:
    desk.alert(COLUMN, alert(at_s=500), after(0))
    assert desk.alerts["A1"].age(after(3)) == timedelta(seconds=3)


def test_a_silent_call_and_a_test_are_told_as_such(desk: Desk) -> None:
    (silent,) = desk.alert(COLUMN, alert(silent=True), after(0))
    (test,) = desk.alert(COLUMN, alert(alert_id="A2", test=True), after(0))
    assert "SILENT" in silent.text
    assert "TEST" in test.text


def test_an_operator_stops_the_waiting_and_a_receiver_does_not(desk: Desk) -> None:
    desk.alert(COLUMN, alert(), after(0))
    desk.acknowledgement(COLUMN, ack(AckLevel.RECEIVER), after(1))
    assert desk.alerts["A1"].waiting
    (seen,) = desk.acknowledgement(COLUMN, ack(AckLevel.OPERATOR), after(2))
    assert "op-9" in seen.text
    assert not desk.alerts["A1"].waiting
    assert desk.alerts["A1"].operators() == ("op-9",)


def test_closing_gives_the_outcome_of_the_operator(desk: Desk) -> None:
    desk.alert(COLUMN, alert(), after(0))
    desk.acknowledgement(COLUMN, ack(AckLevel.CLOSED, outcome=Outcome.FALSE), after(2))
    assert (desk.alerts["A1"].closed, desk.alerts["A1"].outcome) == (True, Outcome.FALSE)


def test_a_closing_does_not_count_for_whoever_called_after_what_the_operator_looked_at(desk: Desk) -> None:
    desk.alert(COLUMN, alert(), after(0))
    desk.acknowledgement(COLUMN, ack(AckLevel.CLOSED, outcome=Outcome.FALSE), after(2))
    desk.alert(COLUMN, alert(2, grownIn=2), after(3))
    call = desk.alerts["A1"]
    assert (call.closed, call.waiting, call.outgrown, call.outcome) == (False, True, True, None)
    desk.tick(after(3 + CLOSED_KEPT_S))
    assert set(desk.alerts) == {"A1"}, "what is open stays"
    desk.acknowledgement(COLUMN, ack(AckLevel.CLOSED, 2, outcome=Outcome.GENUINE), after(4))
    assert (call.closed, call.outcome) == (True, Outcome.GENUINE)


@pytest.mark.parametrize("in_order", [True, False])
def test_a_call_that_a_unit_tells_as_open_again_after_it_told_it_as_closed_waits_for_an_operator(
    desk: Desk, *, in_order: bool
) -> None:
    """It died before its disk had taken the closing, and the same caller pressed again: seen by nobody yet."""
    desk.alert(COLUMN, alert(), after(0))
    desk.acknowledgement(COLUMN, ack(AckLevel.CLOSED, outcome=Outcome.FALSE), after(2))
    told = [alert(7, state="closed", grownIn=1), alert(12, grownIn=1)]
    for number, revision in enumerate(told if in_order else reversed(told)):
        desk.alert(COLUMN, revision, after(3 + number))
    call = desk.alerts["A1"]
    assert (call.closed, call.waiting, call.outgrown, call.untold, call.grown_in) == (False, True, True, False, 12)
    desk.acknowledgement(COLUMN, ack(AckLevel.CLOSED, 12, outcome=Outcome.GENUINE), after(9))
    assert (call.closed, call.untold, call.outcome) == (True, True, Outcome.GENUINE)


def test_a_unit_can_close_its_own_fault(desk: Desk) -> None:
    desk.alert(COLUMN, alert(category="fault"), after(0))
    desk.alert(COLUMN, alert(2, category="fault", state="closed", outcome={"code": "restored"}), after(9))
    assert (desk.alerts["A1"].closed, desk.alerts["A1"].outcome) == (True, Outcome.RESTORED)


def test_an_acknowledgement_of_an_unknown_alert_changes_nothing(desk: Desk) -> None:
    assert desk.acknowledgement(COLUMN, ack(AckLevel.OPERATOR, alert_id="B7"), after(0)) == []


def test_closed_alerts_leave_after_a_day_and_open_ones_stay(desk: Desk) -> None:
    desk.alert(COLUMN, alert(), after(0))
    desk.alert(COLUMN, alert(alert_id="A2"), after(0))
    desk.acknowledgement(COLUMN, ack(AckLevel.CLOSED, outcome=Outcome.GENUINE), after(10))
    desk.alert(COLUMN, alert(2, state="closed"), after(11))
    desk.tick(after(9 + CLOSED_KEPT_S))
    assert set(desk.alerts) == {"A1", "A2"}
    desk.tick(after(10 + CLOSED_KEPT_S))
    assert set(desk.alerts) == {"A2"}


@pytest.mark.parametrize(
    ("story", "ends", "told"),
    [
        ("online", UnitState.ONLINE, [What.UNIT_ONLINE]),
        ("online online", UnitState.ONLINE, [What.UNIT_ONLINE]),
        ("beat", UnitState.ONLINE, [What.UNIT_ONLINE]),
        ("online lost", UnitState.LOST, [What.UNIT_ONLINE, What.UNIT_LOST]),
        ("online lost online", UnitState.ONLINE, [What.UNIT_ONLINE, What.UNIT_LOST, What.UNIT_ONLINE]),
        ("online lost beat", UnitState.ONLINE, [What.UNIT_ONLINE, What.UNIT_LOST, What.UNIT_ONLINE]),
        ("online lost retained-beat", UnitState.LOST, [What.UNIT_ONLINE, What.UNIT_LOST]),
        ("lost retained-beat", UnitState.LOST, [What.UNIT_LOST]),
        ("retained-beat lost", UnitState.LOST, [What.UNIT_ONLINE, What.UNIT_LOST]),
        ("online stopped", UnitState.STOPPED, [What.UNIT_ONLINE, What.UNIT_STOPPED]),
        ("online stopped online", UnitState.RESTARTED, [What.UNIT_ONLINE, What.UNIT_STOPPED, What.UNIT_RESTARTED]),
        ("online lost reborn", UnitState.RESTARTED, [What.UNIT_ONLINE, What.UNIT_LOST, What.UNIT_RESTARTED]),
        ("online reborn", UnitState.RESTARTED, [What.UNIT_ONLINE, What.UNIT_RESTARTED]),
        ("online reborn beat", UnitState.ONLINE, [What.UNIT_ONLINE, What.UNIT_RESTARTED, What.UNIT_ONLINE]),
        ("online quiet", UnitState.QUIET, [What.UNIT_ONLINE, What.UNIT_QUIET]),
        ("online quiet quiet beat", UnitState.ONLINE, [What.UNIT_ONLINE, What.UNIT_QUIET, What.UNIT_ONLINE]),
        ("online lost quiet", UnitState.LOST, [What.UNIT_ONLINE, What.UNIT_LOST]),
        ("online stopped quiet", UnitState.STOPPED, [What.UNIT_ONLINE, What.UNIT_STOPPED]),
    ],
)
def test_the_lives_of_a_unit(desk: Desk, story: str, ends: UnitState, told: list[What]) -> None:
    at_s, happened, boot_id = 0.0, [], "boot-1"
    for scene in story.split():
        at_s += 10
        match scene:
            case "beat" | "retained-beat":
                happened += desk.heartbeat(COLUMN, heartbeat(boot_id), after(at_s), retained=scene != "beat")
            case "quiet":
                at_s += QUIET_AFTER_S
                happened += desk.tick(after(at_s))
            case "reborn":
                boot_id = "boot-2"
                happened += desk.status(COLUMN, status("online", boot_id), after(at_s))
            case _:
                happened += desk.status(COLUMN, status(scene, boot_id), after(at_s))
    assert desk.units[COLUMN].state is ends
    assert whats(happened) == told


@pytest.mark.parametrize(
    ("story", "ends", "told"),
    [
        ("online-primary online-alternate lost-primary", UnitState.ONLINE, [What.UNIT_ONLINE]),
        ("online-primary online-alternate lost-alternate", UnitState.ONLINE, [What.UNIT_ONLINE]),
        ("online-primary lost-primary online-primary lost-alternate", UnitState.ONLINE, [What.UNIT_ONLINE]),
        ("online-primary lost-alternate lost-primary", UnitState.LOST, [What.UNIT_ONLINE, What.UNIT_LOST]),
        (
            "online-primary lost-primary lost-alternate online-alternate",
            UnitState.ONLINE,
            [What.UNIT_ONLINE, What.UNIT_LOST, What.UNIT_ONLINE],
        ),
    ],
)
def test_a_unit_with_two_paths_is_lost_with_the_second_of_them(
    desk: Desk, story: str, ends: UnitState, told: list[What]
) -> None:
    happened = []
    for at_s, scene in enumerate(story.split()):
        state, path = scene.split("-")
        document = status(state)
        document["data"] |= {"path": path, "paths": ["primary", "alternate"]}
        happened += desk.status(COLUMN, document, after(at_s))
    assert desk.units[COLUMN].state is ends
    assert whats(happened) == told


FIRST = Life("boot-1", 12.0, "inst-a", 7, "board-a")
LATER = Life("boot-1", 99.0, "inst-a", 8, "board-a")
STRANGER = Life("boot-9", 9.0, "inst-b", 1, "board-b")


def test_a_daemon_that_is_killed_and_restarted_in_one_boot_is_lost_and_then_restarted(desk: Desk) -> None:
    happened = desk.status(COLUMN, status("online", life=FIRST), after(0))
    happened += desk.status(COLUMN, status("lost", life=FIRST), after(60))
    happened += desk.status(COLUMN, status("online", life=LATER), after(61))
    happened += desk.heartbeat(COLUMN, heartbeat(life=LATER), after(61))
    assert whats(happened) == [What.UNIT_ONLINE, What.UNIT_LOST, What.UNIT_RESTARTED, What.UNIT_ONLINE]
    assert "its program began anew (start 8), its connection had died" in happened[2].text
    assert desk.units[COLUMN].remark(5_000 + 61 + 30) == ("its program began anew (start 8)", 30)


def test_a_connection_that_comes_back_is_no_restart(desk: Desk) -> None:
    desk.status(COLUMN, status("online", life=FIRST), after(0))
    desk.status(COLUMN, status("lost", life=FIRST), after(60))
    (back,) = desk.status(COLUMN, status("online", life=FIRST), after(90))
    assert back.what is What.UNIT_ONLINE
    assert "the same life as before" in back.text
    assert desk.units[COLUMN].remark(5_000 + 90) is None


def test_a_birth_that_was_missed_shows_by_the_next_heartbeat(desk: Desk) -> None:
    desk.status(COLUMN, status("online", life=FIRST), after(0))
    assert whats(desk.heartbeat(COLUMN, heartbeat(life=LATER), after(60))) == [What.UNIT_RESTARTED]
    assert whats(desk.heartbeat(COLUMN, heartbeat(life=LATER), after(85))) == [What.UNIT_ONLINE]


def test_the_will_of_a_life_that_was_followed_by_another_says_nothing_any_more(desk: Desk) -> None:
    desk.status(COLUMN, status("online", life=FIRST), after(0))
    desk.status(COLUMN, status("online", life=LATER), after(60))
    assert desk.status(COLUMN, status("lost", life=FIRST), after(97)) == []
    assert whats(desk.status(COLUMN, status("lost", life=LATER), after(98))) == [What.UNIT_LOST]


def test_another_machine_under_the_name_is_replaced_until_it_was_alone_for_ten_minutes(desk: Desk) -> None:
    desk.status(COLUMN, status("online", life=FIRST), after(0))
    (replaced,) = desk.status(COLUMN, status("online", life=STRANGER), after(60))
    assert replaced.what is What.UNIT_REPLACED
    assert "another board (board-b)" in replaced.text
    assert desk.heartbeat(COLUMN, heartbeat(life=STRANGER), after(61)) == []
    assert desk.units[COLUMN].state is UnitState.REPLACED
    desk.status(COLUMN, status("lost", life=STRANGER), after(100))
    (still,) = desk.status(COLUMN, status("online", life=STRANGER), after(110))
    assert "still REPLACED" in still.text
    settled = desk.heartbeat(COLUMN, heartbeat(life=STRANGER), after(60 + SETTLES_S))
    assert whats(settled) == [What.UNIT_ONLINE]
    assert desk.units[COLUMN].remark(5_000 + 60 + 3600) == (desk.units[COLUMN].turn_words, 3600)


def test_a_stranger_that_restarts_is_still_a_stranger(desk: Desk) -> None:
    desk.status(COLUMN, status("online", life=FIRST), after(0))
    desk.status(COLUMN, status("online", life=STRANGER), after(60))
    again = Life("boot-9", 70.0, "inst-b", 2, "board-b")
    assert whats(desk.status(COLUMN, status("online", life=again), after(90))) == [What.UNIT_RESTARTED]
    desk.heartbeat(COLUMN, heartbeat(life=again), after(91))
    assert desk.units[COLUMN].state is UnitState.REPLACED


def test_two_machines_that_push_each_other_out_are_told_once_and_stay_in_sight(desk: Desk) -> None:
    told = []
    for turn in range(10):
        who, other = (FIRST, STRANGER) if turn % 2 == 0 else (STRANGER, FIRST)
        if turn:
            told += desk.status(COLUMN, status("lost", life=other), after(20 * turn))
        told += desk.status(COLUMN, status("online", life=who), after(20 * turn + 0.1))
        told += desk.heartbeat(COLUMN, heartbeat(life=who), after(20 * turn + 0.2))
    unseen_until_both_were_there = [What.UNIT_ONLINE, What.UNIT_LOST, What.UNIT_REPLACED, What.UNIT_LOST]
    assert whats(told) == [*unseen_until_both_were_there, What.UNIT_REPLACED]
    assert "TWO machines take turns" in told[-1].text
    assert desk.units[COLUMN].state is UnitState.REPLACED
    assert whats(desk.tick(after(180.2 + QUIET_AFTER_S))) == [What.UNIT_QUIET]


def test_the_loss_of_the_newest_alert_shows_by_the_birth(desk: Desk) -> None:
    desk.alert(COLUMN, alert(1, sequence=7), after(0))
    desk.status(COLUMN, status("online", last=9, life=FIRST), after(1))
    assert desk.units[COLUMN].sequence.missing == (Span(8, 9),)


def test_a_unit_is_not_quiet_a_moment_before_its_time(desk: Desk) -> None:
    desk.heartbeat(COLUMN, heartbeat(), after(0))
    assert desk.tick(after(QUIET_AFTER_S - 0.1)) == []
    assert whats(desk.tick(after(QUIET_AFTER_S))) == [What.UNIT_QUIET]


def test_how_a_new_version_fares_is_told_when_it_changes(desk: Desk) -> None:
    taken = {
        "result": "taken",
        "bundle": "new.update",
        "version": "1.2.0",
        "text": "in slot b",
        "at": "2026-11-29T02:00Z",
    }
    waits = {"version": "1.3.0", "since": "2026-11-29T03:00Z", "why": "a call is open"}
    assert What.UPDATE_TOLD not in whats(desk.heartbeat(COLUMN, heartbeat(update={"last": taken}), after(0)))
    assert desk.heartbeat(COLUMN, heartbeat(update={"last": taken}), after(25)) == []
    (held,) = desk.heartbeat(COLUMN, heartbeat(update={"last": taken, "waits": waits}), after(50))
    (tried,) = desk.heartbeat(COLUMN, heartbeat(update={"last": taken, "trial": "1.3.0"}), after(75))
    back = {**taken, "result": "taken-back", "version": "1.3.0", "text": "it hung"}
    (gone,) = desk.heartbeat(COLUMN, heartbeat(update={"last": back}), after(100))
    assert [each.what for each in (held, tried, gone)] == [What.UPDATE_TOLD] * 3
    assert "update: version 1.3.0 waits: a call is open" in held.text
    assert "tries version 1.3.0" in tried.text
    assert gone.text.endswith("update: 1.3.0 taken back: it hung")
    assert desk.heartbeat(COLUMN, heartbeat(), after(125)) == [], "an older version, which says nothing of it"


def test_faults_are_told_when_they_change(desk: Desk) -> None:
    desk.heartbeat(COLUMN, heartbeat(), after(0))
    (came,) = desk.heartbeat(COLUMN, heartbeat(faults=("recorder",)), after(25))
    assert desk.heartbeat(COLUMN, heartbeat(faults=("recorder",)), after(50)) == []
    (went,) = desk.heartbeat(COLUMN, heartbeat(), after(75))
    assert "recorder dead" in came.text
    assert "no fault" in went.text


def test_a_number_that_stays_missing_is_told_once_and_again_when_it_came(desk: Desk) -> None:
    desk.alert(COLUMN, alert(1, sequence=7), after(0))
    desk.alert(COLUMN, alert(4, sequence=10), after(1))
    assert desk.tick(after(GAP_SETTLES_S)) == []
    (missing,) = desk.tick(after(1 + GAP_SETTLES_S))
    assert missing.what is What.NUMBERS_MISSING
    assert "8 to 9" in missing.text
    assert desk.tick(after(200)) == []
    desk.alert(COLUMN, alert(2, sequence=8), after(201))
    desk.alert(COLUMN, alert(3, sequence=9), after(202))
    assert whats(desk.tick(after(203))) == [What.NUMBERS_COMPLETE]


def test_numbers_that_the_unit_skipped_are_not_missing(desk: Desk) -> None:
    desk.alert(COLUMN, alert(1, sequence=7), after(0))
    desk.status(COLUMN, status("online", "boot-2", skipped=((8, 9),)), after(1))
    desk.alert(COLUMN, alert(2, sequence=10), after(2))
    assert desk.units[COLUMN].sequence.missing == ()
    assert What.NUMBERS_MISSING not in whats(desk.tick(after(80)))


def test_what_the_unit_still_holds_is_not_missing_yet(desk: Desk) -> None:
    desk.alert(COLUMN, alert(1, sequence=7), after(0))
    desk.alert(COLUMN, alert(4, sequence=10), after(1))
    desk.heartbeat(COLUMN, heartbeat(pending=2), after(20))
    assert desk.tick(after(80)) == []
    desk.heartbeat(COLUMN, heartbeat(pending=0), after(81))
    assert whats(desk.tick(after(82))) == [What.NUMBERS_MISSING]


def test_the_loss_of_the_newest_alert_shows_by_the_heartbeat(desk: Desk) -> None:
    desk.alert(COLUMN, alert(1, sequence=7), after(0))
    desk.heartbeat(COLUMN, heartbeat(last=8), after(1))
    assert desk.units[COLUMN].sequence.missing == (Span(8, 8),)


def test_an_alert_that_is_revised_without_end_keeps_its_first_and_newest_words_on_the_desk() -> None:
    desk = Desk()
    for number in range(1, 2_001):
        desk.alert(COLUMN, alert(number), after(number))
    assert len(desk.alerts["A1"].arrivals) == MOST_REVISIONS
    assert (desk.alerts["A1"].first.revision, desk.alerts["A1"].latest.revision) == (1, 2_000)
    assert len(desk._seen) == desk.units[COLUMN].revisions == MOST_REVISIONS


def test_a_revision_that_comes_under_ever_new_names_costs_no_memory() -> None:
    desk = Desk()
    for number in range(100):
        desk.alert(COLUMN, alert() | {"id": f"again-{number}"}, after(number))
    assert (len(desk._seen), desk.duplicates) == (1, 99)


def test_one_unit_cannot_push_the_alerts_of_another_off_the_desk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk_module, "MOST_ALERTS", 20)
    desk = Desk()
    desk.alert(COLUMN, alert(), after(0))
    desk.alert(SHOP, alert(alert_id="shut", unit=SHOP, state="closed"), after(0))
    desk.alert(SHOP, alert(alert_id="help", unit=SHOP), after(0))
    told = [
        happening
        for number in range(40)
        for happening in desk.alert(
            SHOP, alert(alert_id=f"B{number}", unit=SHOP, category="tamper", sequence=number + 5), after(number)
        )
        if happening.what is What.REFUSED
    ]
    assert len(desk.alerts) == 21
    assert "shut" not in desk.alerts
    assert {"A1", "help", "B39"} <= desk.alerts.keys()
    assert len(told) == 21
    assert len(desk._seen) == 21


def test_receivers_that_answer_without_end_do_not_push_an_operators_word_away() -> None:
    desk = Desk()
    desk.alert(COLUMN, alert(), after(0))
    desk.acknowledgement(COLUMN, ack(AckLevel.OPERATOR), after(1))
    for number in range(1_000):
        desk.acknowledgement(COLUMN, ack(AckLevel.RECEIVER, at_s=number), after(2))
    assert len(desk.alerts["A1"].acks) == MOST_ACKS
    assert desk.alerts["A1"].acked(AckLevel.OPERATOR)
