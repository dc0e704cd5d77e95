"""Which lower revision of an alert goes before a higher one."""

from __future__ import annotations

import pytest

from agent.signals import Category
from agent.uplink.entry import Entry
from agent.uplink.in_order import InOrder
from tests.uplink.lab import LabClock, tell

CLOCK = LabClock()
SENT_S = 100.0


def an_entry(revision: int, attempts: int = 0) -> Entry:
    return Entry(tell("inc-1", revision, CLOCK.now(), Category.INTRUDER), revision, CLOCK.now(), attempts)


@pytest.fixture
def in_order() -> InOrder:
    """The first revision was just sent."""
    order = InOrder()
    order.sent(an_entry(1), SENT_S)
    return order


def first_goes_first(order: InOrder, after_s: float, attempts: int = 0) -> bool:
    """Whether the first revision has to go before the second one, so long after it was sent."""
    return order.goes_first(an_entry(1), an_entry(2, attempts), SENT_S + after_s)


def test_what_was_never_sent_goes_first() -> None:
    assert first_goes_first(InOrder(), 0.0)


def test_what_a_control_room_would_have_acknowledged_by_now_goes_once_more(in_order: InOrder) -> None:
    assert not first_goes_first(in_order, 0.0)
    assert not first_goes_first(in_order, 0.9)
    assert first_goes_first(in_order, 1.0)
    in_order.sent(an_entry(1), SENT_S + 1.0)
    assert not first_goes_first(in_order, 1.0), "once"


def test_what_nobody_listened_to_goes_first_but_not_before_each_repetition(in_order: InOrder) -> None:
    in_order.unheard(an_entry(1))
    assert first_goes_first(in_order, 0.0)
    assert not first_goes_first(in_order, 0.0, attempts=1)
    in_order.sent(an_entry(1), SENT_S)
    assert not first_goes_first(in_order, 0.0), "it is under way again"


@pytest.mark.parametrize("answered_after_s", [0.1, 1.5])
def test_where_nobody_listens_a_revision_waits_for_one_repetition_of_a_lower_one_and_goes(
    in_order: InOrder, answered_after_s: float
) -> None:
    in_order.unheard(an_entry(1))
    in_order.sent(an_entry(1), SENT_S)
    in_order.went_before(an_entry(1), an_entry(2))
    in_order.unheard(an_entry(1))
    assert not first_goes_first(in_order, answered_after_s)
    in_order.sent(an_entry(2), SENT_S + answered_after_s)
    assert first_goes_first(in_order, answered_after_s + 1.0, attempts=1), "before the next repetition it does again"


def test_what_an_earlier_connection_was_given_goes_first(in_order: InOrder) -> None:
    in_order.begin_anew()
    assert first_goes_first(in_order, 0.0)


def test_what_never_left_after_all_goes_first(in_order: InOrder) -> None:
    in_order.forget(an_entry(1))
    assert first_goes_first(in_order, 0.0)
