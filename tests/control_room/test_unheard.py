"""When an operator's word is said again, and what ends that."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from agent.clock import SystemClock
from agent.control_room.alerts import AckGiven, Alert, Arrival
from agent.control_room.happenings import UnitKey
from agent.control_room.unheard import AGAIN_S, KEPT_S, MOST_AT_ONCE, OFTEN, SELDOM_S, Unheard, Word
from agent.signals import AckLevel, Outcome
from agent.uplink.backoff import JITTER
from agent.uplink.messages import acknowledgement
from agent.uplink.topics import ACK_EXPIRY_S, UnitTopics

if TYPE_CHECKING:
    from collections.abc import Callable

COLUMN, SHOP = UnitKey("street", "hk-001"), UnitKey("street", "shop-7")
NOW = SystemClock().now()


def word(level: AckLevel = AckLevel.CLOSED, alert_id: str = "A1", unit: UnitKey = COLUMN, said_s: float = 0.0) -> Word:
    outcome = Outcome.GENUINE if level is AckLevel.CLOSED else None
    topics = UnitTopics(unit.org, unit.unit)
    ack = acknowledgement(
        topics, "desk", NOW.wall, alert_id=alert_id, revision=1, level=level, operator_ref="op-1", outcome=outcome
    )
    return Word(unit, ack.document, said_s)


def told(*levels: AckLevel, state: str = "active", acked_at: str | None = None, unit: UnitKey = COLUMN) -> Alert:
    """An alert of which operators said this, as its unit tells it."""
    data: dict[str, Any] = {"state": state, "operator": {"ackedAt": acked_at}}
    acks = [
        AckGiven(level, 1, NOW.wall, "op-1", Outcome.GENUINE if level is AckLevel.CLOSED else None) for level in levels
    ]
    return Alert("A1", unit, [Arrival(2, "A1-r2", NOW.wall, NOW, data)], acks)


def there(_: UnitKey) -> bool:
    return False


def away(_: UnitKey) -> bool:
    return True


def keeping(*words: Word) -> Unheard:
    unheard = Unheard(random.Random(3))
    for each in words:
        unheard.give(each, None)
    return unheard


def times_said(unheard: Unheard, until_s: int, is_away: Callable[[UnitKey], bool]) -> list[int]:
    """The seconds at which a word is said again."""
    said = []
    for second in range(until_s):
        for each in unheard.due(second, is_away):
            unheard.said(each, second)
            said.append(second)
    return said


def test_a_unit_that_is_there_is_told_every_15_s_and_then_seldom() -> None:
    said = times_said(keeping(word()), 3600, there)
    often = [later - sooner for sooner, later in zip([0, *said], said[:OFTEN], strict=False)]
    assert all(AGAIN_S * (1 - JITTER) <= each <= AGAIN_S * (1 + JITTER) + 1 for each in often)
    assert len({*often}) > 1, "not all consoles at once"
    assert said[OFTEN] - said[OFTEN - 1] >= SELDOM_S * (1 - JITTER)


def test_for_a_unit_that_is_away_one_waits_at_the_broker() -> None:
    said = times_said(keeping(word()), 3600, away)
    assert SELDOM_S == ACK_EXPIRY_S
    assert 3600 / SELDOM_S * 0.8 <= len(said) <= 3600 / SELDOM_S * 1.25


def test_a_unit_that_is_born_is_told_at_once() -> None:
    unheard = keeping(word(said_s=10.0), word(alert_id="B2", unit=SHOP, said_s=10.0))
    assert unheard.due(11.0, away) == []
    unheard.begin(COLUMN)
    assert [each.alert_id for each in unheard.due(11.0, away)] == ["A1"]


def test_when_all_units_are_born_at_once_the_console_takes_its_time() -> None:
    unheard = keeping(*(word(alert_id=f"A{number}", said_s=float(number)) for number in range(3 * MOST_AT_ONCE)))
    unheard.begin(COLUMN)
    said: list[str] = []
    for second in range(3):
        due = unheard.due(100.0 + second, there)
        assert len(due) == MOST_AT_ONCE
        said += [each.alert_id for each in due]
        for each in due:
            unheard.said(each, 100.0 + second)
    assert said == [f"A{number}" for number in range(3 * MOST_AT_ONCE)]


SEEN, CLOSED = AckLevel.OPERATOR, AckLevel.CLOSED


@pytest.mark.parametrize(
    ("level", "alert", "ends"),
    [
        (SEEN, told(SEEN), False),
        (SEEN, told(SEEN, acked_at="2026-11-22T20:00:05Z"), True),
        (SEEN, told(SEEN, state="closed"), True),
        (CLOSED, told(CLOSED), False),
        (CLOSED, told(SEEN, CLOSED, acked_at="2026-11-22T20:00:05Z"), False),
        (CLOSED, told(CLOSED, state="closed", acked_at="2026-11-22T20:00:05Z"), True),
        (CLOSED, told(CLOSED, state="closed", unit=SHOP), False),
        # The desk does not count the closing: news came after it. To the unit somebody has looked, no more.
        (CLOSED, told(SEEN), False),
        (CLOSED, told(SEEN, acked_at="2026-11-22T20:00:05Z"), True),
    ],
)
def test_a_word_is_kept_until_the_unit_shows_it(level: AckLevel, alert: Alert, *, ends: bool) -> None:
    unheard = keeping(word(level))
    assert (unheard.hear(alert) is not None) is ends
    assert len(unheard) == (0 if ends else 1)


def test_a_closing_that_counts_is_not_forgotten_for_another_look() -> None:
    unheard = keeping(word(CLOSED))
    unheard.give(word(SEEN), told(SEEN, CLOSED))
    assert [each.level for each in unheard.words] == [CLOSED]
    unheard = keeping(word(SEEN))
    unheard.give(word(CLOSED), told(SEEN, CLOSED))
    assert [each.level for each in unheard.words] == [CLOSED]


def test_after_a_week_no_unit_remembers_what_it_is_about() -> None:
    unheard = keeping(word())
    assert unheard.give_up(NOW.wall + timedelta(seconds=KEPT_S - 60)) == []
    assert [each.alert_id for each in unheard.give_up(NOW.wall + timedelta(seconds=KEPT_S + 60))] == ["A1"]
    assert len(unheard) == 0


def test_what_is_said_again_is_the_same_message() -> None:
    one = word()
    assert one.publication() == one.publication()
    assert one.publication().expiry_s == ACK_EXPIRY_S
