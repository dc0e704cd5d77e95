"""When it is sent again, as a table over simulated days."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from agent.signals import Category
from agent.uplink.entry import Entry
from agent.uplink.resends import Resends
from tests.uplink.lab import LabClock, tell

WAITS_S = (2.0, 5.0, 15.0, 60.0)
DAY_S = 86_400.0
CLOCK = LabClock()


class Room:
    """Whoever does or does not acknowledge what is sent, and when each was sent."""

    def __init__(self, *entries: Entry, heard: bool = True) -> None:
        self.waiting = list(entries)
        self.sent: list[tuple[float, Entry]] = []
        self.heard = heard
        self.resends = Resends(WAITS_S, random.Random(5), lambda entry: entry in self.waiting)
        for entry in entries:
            self.send(entry, 0.0)

    def send(self, entry: Entry, now_s: float) -> None:
        """Send it; the broker takes it."""
        entry.attempts += 1
        self.sent.append((now_s, entry))
        first_of_help = entry.tell.category is Category.HELP and self._lowest(entry) is entry
        self.resends.after(entry, now_s, first_of_help=first_of_help, heard=self.heard)

    def run_until(self, end_s: float) -> None:
        """Send what is due until then."""
        while (next_s := self.resends.next_s) is not None and next_s <= end_s:
            for entry in self.resends.due(next_s):
                self.send(entry, next_s)

    def _lowest(self, entry: Entry) -> Entry:
        alike = (each for each in self.waiting if each.tell.alert_id == entry.tell.alert_id)
        return min(alike, key=lambda each: each.tell.revision)

    def times_of(self, entry: Entry) -> list[float]:
        """When it was sent."""
        return [at_s for at_s, each in self.sent if each is entry]


def an_entry(number: int, category: Category, revision: int = 1, alert_id: str | None = None) -> Entry:
    return Entry(tell(alert_id or f"inc-{number}", revision, CLOCK.now(), category), number, CLOCK.now())


@pytest.mark.parametrize("category", [Category.HELP, Category.INTRUDER, Category.NOISE])
def test_the_first_repetitions_come_after_2_5_15_and_60_s_give_or_take_a_fifth(category: Category) -> None:
    room = Room(entry := an_entry(1, category))
    room.run_until(200.0)
    waits = [later - earlier for earlier, later in pairwise(room.times_of(entry))][:4]
    assert all(0.8 * wait_s <= waited_s <= 1.2 * wait_s for waited_s, wait_s in zip(waits, WAITS_S, strict=True))
    assert waits != list(WAITS_S)


def test_a_help_call_is_repeated_each_minute_for_ever() -> None:
    room = Room(entry := an_entry(1, Category.HELP))
    room.run_until(DAY_S)
    times = room.times_of(entry)
    assert max(later - earlier for earlier, later in pairwise(times)) <= 72.0
    assert times[-1] >= DAY_S - 72.0


def test_of_a_help_call_with_many_revisions_only_the_lowest_is_repeated_each_minute() -> None:
    revisions = [an_entry(number, Category.HELP, number, "inc-1") for number in range(1, 9)]
    room = Room(*revisions)
    room.run_until(DAY_S)
    assert len(room.times_of(revisions[0])) > 1000
    assert all(len(room.times_of(each)) < 50 for each in revisions[1:])


def test_a_day_without_anybody_does_not_cost_a_month_of_data() -> None:
    room = Room(*(an_entry(number, Category.FAULT) for number in range(1000)))
    room.run_until(DAY_S)
    repeated = len(room.sent) - 5 * 1000  # after the first five attempts of each
    assert repeated <= 24 * 4 + 10


def test_where_nobody_subscribes_the_unit_asks_each_minute_since_nothing_piles_up() -> None:
    room = Room(an_entry(1, Category.FAULT), heard=False)
    room.run_until(3600.0)
    assert len(room.sent) >= 45


def test_the_probes_take_turns_so_that_one_bad_alert_does_not_hide_the_others() -> None:
    entries = [an_entry(number, Category.FAULT) for number in range(3)]
    room = Room(*entries)
    room.run_until(7200.0)
    later = [entry for at_s, entry in room.sent if at_s > 400.0][:6]
    assert later == [*later[:3], *later[:3]]
    assert {id(entry) for entry in later} == {id(entry) for entry in entries}


def test_the_first_answer_wakes_all_that_rests() -> None:
    entries = [an_entry(number, Category.FAULT) for number in range(100)]
    room = Room(*entries)
    room.run_until(5000.0)
    before = len(room.sent)
    room.waiting.remove(entries[0])
    room.resends.answered(5000.0)
    room.run_until(5000.0 + WAITS_S[-1])
    assert {id(entry) for _, entry in room.sent[before:]} == {id(entry) for entry in entries[1:]}


def test_one_that_is_never_acknowledged_is_not_sent_with_each_answer_to_others() -> None:
    room = Room(entry := an_entry(1, Category.FAULT))
    room.run_until(200.0)
    before = len(room.sent)
    for tenth in range(600):  # a busy minute
        room.resends.answered(200.0 + tenth / 10)
        room.run_until(200.0 + tenth / 10)
    assert len(room.sent) - before <= 2
    assert room.times_of(entry)


def test_a_new_connection_asks_at_once_whether_somebody_is_there() -> None:
    room = Room(*(an_entry(number, Category.FAULT) for number in range(3)))
    room.run_until(10_000.0)
    room.resends.begin_anew(10_000.5)
    assert len(room.resends.due(10_000.5)) == 1


def test_what_was_delivered_is_not_sent_again() -> None:
    room = Room(entry := an_entry(1, Category.HELP))
    room.waiting.remove(entry)
    room.run_until(DAY_S)
    assert len(room.sent) == 1


def test_copies_in_a_queue_of_somebody_who_is_away_expire_but_the_first_one() -> None:
    room = Room(an_entry(1, Category.HELP))
    assert room.resends.copy_lives_s(1) is None
    assert [room.resends.copy_lives_s(attempt) for attempt in (2, 3, 4, 5, 50)] == [60, 60, 120, 120, 120]
