"""What of a backlog the control room has before it: no more than it works through, and never in the way of a call."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from agent.clock import SystemClock
from agent.signals import AckLevel, Category
from agent.uplink import messages
from agent.uplink.endpoint import Endpoint
from agent.uplink.entry import Entry
from agent.uplink.messages import Kind
from agent.uplink.paths import PRIMARY
from agent.uplink.publication import Subscription
from agent.uplink.topics import UnitTopics
from agent.uplink.validation import parse
from agent.uplink.window import AT_LEAST, AT_MOST, FIRST, HELD_S, OLD_CALLS, SLOW_S, Window
from tests.uplink.chaos.small_unit import small_unit
from tests.uplink.lab import LabClock, linked, passing, tell, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Container
    from pathlib import Path

    from agent.uplink.link import Link
    from agent.uplink.publication import Received
    from tests.uplink.conftest import Street

EACH_S = 0.02
"""What the slow console takes for an alert: looking it up, writing it, showing it."""
BACKLOG = 300
"""It has these done after 6 s: three times the wait before the first repetition."""
CLOCK = LabClock()


def entry(alert_id: str, category: Category = Category.INTRUDER) -> Entry:
    return Entry(tell(alert_id, 1, CLOCK.now(), category), 1, CLOCK.now())


def filled(window: Window, category: Category, now_s: float = 0.0) -> list[Entry]:
    """Send until the window says no."""
    sent: list[Entry] = []
    while window.lets_pass(each := entry(f"{category}-{len(sent)}", category), now_s):
        window.sent(each, now_s)
        sent.append(each)
    return sent


class SlowDesk:
    """Takes its time for each alert, in the order in which they come, then says that it has it."""

    def __init__(self, never_answers: Container[str] = ()) -> None:
        self.never_answers = never_answers
        self.waiting: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.took: list[str] = []
        """The ids of what it took, in order, repetitions included."""

    def hear(self, received: Received) -> None:
        """The broker delivers."""
        self.waiting.put_nowait(parse(Kind.ALERT, received.payload))

    async def work(self, link: Link) -> None:
        """Take one after the other."""
        clock = SystemClock()
        while True:
            document = await self.waiting.get()
            await asyncio.sleep(EACH_S)  # the work
            self.took.append(document["id"])
            data = document["data"]
            if data["alertId"] in self.never_answers:
                continue
            ack = messages.acknowledgement(
                UnitTopics("street", data["site"]["unitId"]),
                "desk",
                clock.now().wall,
                alert_id=data["alertId"],
                revision=data["revision"],
                level=AckLevel.RECEIVER,
            )
            link.send(ack.publication())


@asynccontextmanager
async def at_work(desk: SlowDesk, endpoint: Endpoint) -> AsyncIterator[None]:
    alerts = passing("desk", (Subscription("safepoint/v1/street/+/alert/+"),), max_payload=256 * 1024)
    async with linked(endpoint, alerts, on_message=desk.hear) as link:
        working = asyncio.create_task(desk.work(link))
        try:
            yield
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)


def here(street: Street) -> Endpoint:
    return Endpoint.build(f"mqtt://127.0.0.1:{street.broker.plain_port}", insecure_lab=True)


def first_after(place: int, wanted: str, took: list[str]) -> Callable[[], bool]:
    return lambda: wanted in took[place:]


async def test_a_slow_console_gets_a_backlog_once_and_a_new_call_at_once(street: Street, tmp_path: Path) -> None:
    desk = SlowDesk()
    async with at_work(desk, here(street)), small_unit(tmp_path, {PRIMARY: here(street)}) as unit:
        for number in range(BACKLOG):  # before the link has had a moment to come up
            unit.raise_alert(f"inc-{number:03d}", 1, Category.INTRUDER)
        await until(lambda: len(desk.took) >= BACKLOG // 2, "half of it is received")
        before = len(desk.took)
        unit.raise_alert("help", 1, Category.HELP)
        await until(first_after(before, "help-r1", desk.took), "the call is received")
        assert desk.took.index("help-r1") - before <= AT_MOST + 1, "behind what the console had, and nothing else"
        await until(lambda: unit.courier.pending == 0, "all of it is received")
        assert unit.courier.delivered == BACKLOG + 1
        # What was before the console when the machine stood still for two seconds may have been repeated, and no more.
        assert unit.courier.sent <= unit.courier.delivered + AT_MOST
    backlog = [each for each in dict.fromkeys(desk.took) if each != "help-r1"]
    assert backlog == [f"inc-{number:03d}-r1" for number in range(BACKLOG)]


async def test_one_that_is_never_answered_goes_on_being_sent_and_holds_nothing_up(
    street: Street, tmp_path: Path
) -> None:
    desk = SlowDesk(never_answers={"inc-1"})
    waits = {"resend_s": (1.0, 1.0, 1.0, 1.0, 60.0)}
    async with at_work(desk, here(street)), small_unit(tmp_path, {PRIMARY: here(street)}, uplink=waits) as unit:
        for revision in (1, 2):
            for number in range(20):
                unit.raise_alert(f"inc-{number}", revision, Category.FAULT)
        await until(lambda: unit.courier.pending == 2, "all but its two revisions are received")
        await until(lambda: desk.took.count("inc-1-r2") >= 3, "it is repeated")
        assert {pending.tell.alert_id for pending in unit.outbox.pending()} == {"inc-1"}
    for number in range(20):
        assert desk.took.index(f"inc-{number}-r1") < desk.took.index(f"inc-{number}-r2")


async def test_old_calls_that_nobody_answers_keep_neither_a_break_in_nor_each_other_waiting(
    street: Street, tmp_path: Path
) -> None:
    """More of them than their repetitions leave room for: two places each 4 s are 30 a minute."""
    calls = {f"old-{number}" for number in range(12)}
    desk = SlowDesk(never_answers=calls)
    waits = {"resend_s": (1.0, 1.0, 1.0, 1.0, 1.0)}
    async with at_work(desk, here(street)), small_unit(tmp_path, {PRIMARY: here(street)}, uplink=waits) as unit:
        for alert_id in calls:
            unit.raise_alert(alert_id, 1, Category.HELP, state="ended")
        for number in range(20):
            unit.raise_alert(f"inc-{number}", 1, Category.INTRUDER)
        await until(lambda: unit.courier.pending == len(calls), "the break-ins are received")
        assert len(calls.intersection(told.removesuffix("-r1") for told in desk.took)) < len(calls), "not after them"
        await until(lambda: all(f"{call}-r1" in desk.took for call in calls), "each of them was sent")


async def test_old_calls_that_are_answered_all_come_before_anything_less_important(
    street: Street, tmp_path: Path
) -> None:
    calls = [f"old-{number}-r1" for number in range(30)]
    desk = SlowDesk()
    async with at_work(desk, here(street)), small_unit(tmp_path, {PRIMARY: here(street)}) as unit:
        for call in calls:
            unit.raise_alert(call.removesuffix("-r1"), 1, Category.HELP, state="ended")
        for number in range(20):
            unit.raise_alert(f"break-in-{number}", 1, Category.INTRUDER)
        await until(lambda: unit.courier.pending == 0, "all of it is received")
    came = list(dict.fromkeys(desk.took))
    assert set(came[: len(calls)]) == set(calls)


def test_old_calls_have_places_of_their_own_and_few() -> None:
    window = Window()
    filled(window, Category.INTRUDER)
    old = [replace(entry(f"old-{number}", Category.HELP), stands="ended") for number in range(FIRST)]
    for number, each in enumerate(old):
        assert window.lets_pass(each, 0.0) is (number < OLD_CALLS * FIRST)
        if number < OLD_CALLS * FIRST:
            window.sent(each, 0.0)
    assert not window.lets_pass(entry("break-in"), 0.0), "nor is theirs anybody else's"
    window.answered(old[0], 0.1)
    assert window.lets_pass(old[3], 0.1)


def test_no_more_than_the_window_is_before_a_console_that_has_answered_nothing() -> None:
    window = Window()
    assert len(filled(window, Category.INTRUDER)) == FIRST == len(window)


def test_a_help_call_passes_a_full_window_and_takes_no_place_of_it() -> None:
    window = Window()
    filled(window, Category.INTRUDER)
    call = entry("call", Category.HELP)
    assert window.lets_pass(call, 0.0)
    window.sent(call, 0.0)
    assert len(window) == FIRST


def test_the_less_important_leave_places_to_the_more_important() -> None:
    window = Window()
    assert len(filled(window, Category.NOISE)) == FIRST // 2
    assert window.lets_pass(entry("fault", Category.FAULT), 0.0)
    filled(window, Category.FAULT)
    assert window.lets_pass(entry("intruder"), 0.0)


def test_what_has_its_place_is_repeated_though_the_window_is_full() -> None:
    window = Window()
    sent = filled(window, Category.INTRUDER)
    assert all(window.lets_pass(each, 2.0) for each in sent)
    assert not window.lets_pass(entry("another"), 2.0)


def test_quick_answers_widen_it_as_far_as_a_connection_can_use() -> None:
    window = Window()
    for _ in range(20):
        for each in filled(window, Category.INTRUDER):
            window.answered(each, SLOW_S / 10)
    assert window.size == AT_MOST


def test_slow_answers_halve_it_once_for_what_left_together_and_never_close_it() -> None:
    window, now_s = Window(), 0.0
    for size in (FIRST, FIRST // 2, AT_LEAST, AT_LEAST):
        assert window.size == size
        sent = filled(window, Category.INTRUDER, now_s)
        now_s += 2 * SLOW_S
        for each in sent:
            window.answered(each, now_s)


def test_a_repetition_does_not_make_an_answer_quick() -> None:
    window = Window()
    slow = entry("slow")
    window.sent(slow, 0.0)
    window.sent(slow, 2.0)
    window.answered(slow, 2.1)
    assert window.size == FIRST // 2


def test_an_unanswered_place_is_given_up_after_a_while_and_the_size_stays() -> None:
    window = Window()
    filled(window, Category.INTRUDER)
    assert window.next_s(0.0) == HELD_S
    assert not window.lets_pass(entry("next"), HELD_S - 0.1)
    assert window.lets_pass(entry("next"), HELD_S)
    assert window.next_s(HELD_S) is None
    assert window.size == FIRST


def test_another_connection_begins_with_an_empty_window() -> None:
    window = Window()
    filled(window, Category.INTRUDER)
    window.begin_anew()
    assert len(filled(window, Category.INTRUDER)) == FIRST
