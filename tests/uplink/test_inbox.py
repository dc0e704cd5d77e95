"""What a unit believes of what it is told."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.clock import ClockQuality, Moment
from agent.signals import AckLevel, Acknowledged, Outcome, Why
from agent.uplink import messages
from agent.uplink.inbox import Commanded, Inbox, Refusal, ReplyTo
from agent.uplink.jsonable import timestamp
from agent.uplink.messages import CommandName, Message
from agent.uplink.publication import Received
from agent.uplink.topics import UnitTopics
from tests.uplink.lab import LabClock, came, closing, make_config

UNIT = make_config().unit
TOPICS = UnitTopics(UNIT.org, UNIT.id)
NOW = LabClock().now()


def _command(name: CommandName = CommandName.SET, at: Moment = NOW) -> Message:
    return messages.command(TOPICS, "desk", at.wall, name, operator_ref="op-4417")


def _refused(inbox: Inbox, received: Received, now: Moment = NOW) -> Refusal:
    understood = inbox.read(received, now)
    assert isinstance(understood, Refusal)
    assert understood.text
    return understood


def test_an_acknowledgement_is_understood() -> None:
    ack = closing(TOPICS, NOW.wall, "op-4417", Outcome.FALSE, "a child")
    assert Inbox(UNIT).read(came(ack), NOW) == Acknowledged(
        "inc-1", 3, AckLevel.CLOSED, NOW, "op-4417", Outcome.FALSE, "a child"
    )


@pytest.mark.parametrize(
    "words",
    [
        {"outcome": "false", "note": None},
        {"outcome": "false", "note": ""},
        {"outcome": "test", "note": "  "},
        {"outcome": "restored"},
        {"outcome": None},
        {"operatorRef": None},
        {"operatorRef": ""},
        {"operatorRef": " "},
    ],
    ids=str,
)
@pytest.mark.parametrize("absent", [False, True])
def test_nobody_closes_an_alert_without_a_name_an_outcome_of_theirs_or_its_cause(
    words: dict[str, Any], *, absent: bool
) -> None:
    ack = closing(TOPICS, NOW.wall, "op-4417", Outcome.FALSE, "a child")
    assert isinstance(Inbox(UNIT).read(came(ack), NOW), Acknowledged)
    ack.document["data"].update(words)
    if absent and None in words.values():
        for key in [key for key, value in words.items() if value is None]:
            del ack.document["data"][key]
    refused = _refused(Inbox(UNIT), came(ack))
    assert refused.why is Why.INVALID


def test_a_genuine_alert_needs_no_cause() -> None:
    ack = closing(TOPICS, NOW.wall, "op-1", Outcome.GENUINE)
    assert isinstance(Inbox(UNIT).read(came(ack), NOW), Acknowledged)


def _understood(received: Received, now: Moment = NOW) -> Commanded:
    understood = Inbox(UNIT).read(received, now)
    assert isinstance(understood, Commanded)
    return understood


def _why_late(received: Received, now: Moment = NOW) -> Why | None:
    late = _understood(received, now).late
    return None if late is None else late.why


@pytest.mark.parametrize("name", [CommandName.SET, CommandName.UNSET, CommandName.TEST_ALERT])
def test_a_command_is_understood_with_who_wants_it_and_where_the_answer_goes(name: CommandName) -> None:
    message = _command(name)
    understood = _understood(came(message))
    command = understood.command
    assert (command.name, command.by, command.at) == (name, "op-4417", NOW)
    assert command.ref == f"/safepoint/street/control-room/desk#{message.document['id']}"
    assert understood.reply == ReplyTo("safepoint/v1/street/unit-a/rsp/desk", message.correlation_data)
    assert understood.late is None


def test_the_same_words_have_the_same_digest_and_others_another() -> None:
    one, other = came(_command()), came(_command())
    assert _understood(one).command.digest == _understood(one).command.digest
    assert _understood(one).command.digest != _understood(other).command.digest


def _retained() -> Received:
    return came(_command(), retain=True)


def _oversized() -> Received:
    return came(_command(), payload=b" " * (16 * 1024 + 1))


def _broken() -> Received:
    return came(_command(), payload=b"{")


def _nested(depth: int) -> bytes:
    document = _command().document
    document["data"]["args"] = {"deep": "@"}
    return json.dumps(document).encode().replace(b'"@"', b"[" * depth + b"]" * depth)


@pytest.mark.parametrize("depth", [30, 500, *range(900, 1000, 3), 4000])
def test_what_is_nested_as_deep_as_python_reads_is_refused_like_all_else(depth: int) -> None:
    refused = Inbox(UNIT).read(came(_command(), payload=_nested(depth)), NOW)
    assert isinstance(refused, Refusal)
    assert refused.why is Why.INVALID


def _old() -> Received:
    return came(_command(at=NOW.later(-31)))


def _from_the_future() -> Received:
    return came(_command(at=NOW.later(31)))


def _with(**members: Any) -> Received:  # noqa: ANN401 - members of the event
    return came(_command(), payload=json.dumps(_command().document | members).encode())


def _unknown() -> Received:
    message = _command()
    document = message.document | {"data": message.document["data"] | {"command": "open-the-door"}}
    topic = TOPICS.command("desk", "open-the-door")
    return came(message, topic=topic, payload=json.dumps(document).encode())


def _on_the_wrong_topic() -> Received:
    return came(_command(), topic=TOPICS.command("desk", "unset"))


def _with_an_impossible_time() -> Received:
    document = _command().document | {"time": "2026-13-45T99:99:99Z"}
    return came(_command(), payload=json.dumps(document).encode())


@pytest.mark.parametrize(
    ("received", "why"),
    [
        (_retained(), Why.RETAINED),
        (_oversized(), Why.OVERSIZED),
        (_broken(), Why.INVALID),
        (_unknown(), Why.UNKNOWN),
        (_on_the_wrong_topic(), Why.INVALID),
        (_with_an_impossible_time(), Why.INVALID),
        (_with(type="org.safepoint.cmd.unset.v1"), Why.INVALID),
        (_with(source="/safepoint/street/units/unit-b"), Why.FORBIDDEN),
        (_with(source="/safepoint/elsewhere/control-room/desk"), Why.FORBIDDEN),
        (_with(source="/safepoint/street/control-room/supervisor"), Why.ANOTHER_NAME),
        (_with(source="/safepoint/street/control-room/desk/supervisor"), Why.INVALID),
        (_with(source="/safepoint/street/control-room/"), Why.INVALID),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_command_is_refused_and_told_why(received: Received, why: Why) -> None:
    refusal = _refused(Inbox(UNIT), received)
    assert refusal.why is why
    assert refusal.reply is not None
    assert refusal.digest


def test_a_command_that_comes_too_late_is_known_to_be_late() -> None:
    assert _why_late(_old()) is Why.EXPIRED
    assert _why_late(_from_the_future()) is Why.CLOCK


def test_a_command_that_says_it_lives_for_a_day_still_counts_for_30_s_only() -> None:
    message = _command()
    document = message.document | {"expirytime": timestamp(NOW.wall + timedelta(days=1))}
    received = came(message, payload=json.dumps(document).encode())
    assert _why_late(received, NOW.later(30.5)) is Why.EXPIRED
    assert _why_late(received, NOW.later(29.5)) is None


def test_a_command_may_expire_sooner_than_30_s() -> None:
    message = _command()
    document = message.document | {"expirytime": timestamp(NOW.wall + timedelta(seconds=5))}
    received = came(message, payload=json.dumps(document).encode())
    assert _why_late(received, NOW.later(6)) is Why.EXPIRED


def test_while_the_clock_is_not_set_only_the_brokers_own_expiry_counts() -> None:
    lost = Moment(10.0, NOW.wall - timedelta(days=400), "boot-1", ClockQuality.UNSYNCED)
    assert _why_late(came(_command(), expiry_s=12), lost) is None
    assert _why_late(came(_command(), expiry_s=None), lost) is Why.CLOCK
    assert _why_late(came(_command(), expiry_s=86_400), lost) is Why.CLOCK


def test_a_clock_that_is_not_set_still_knows_that_what_ended_before_it_has_ended() -> None:
    """It is at least so late as it says, and as it was when anybody last knew the time."""
    behind = Moment(10.0, NOW.wall - timedelta(seconds=20), "boot-1", ClockQuality.UNSYNCED)
    message = came(_command(at=behind.later(-31)), expiry_s=30)
    assert _why_late(message, behind) is Why.EXPIRED

    long_ago = Moment(10.0, NOW.wall - timedelta(days=400), "boot-1", ClockQuality.UNSYNCED)
    inbox = Inbox(UNIT)
    inbox.passed = NOW.wall
    for age_s, late in ((31, Why.EXPIRED), (29, None)):
        understood = inbox.read(came(_command(at=NOW.later(-age_s)), expiry_s=30), long_ago)
        assert isinstance(understood, Commanded)
        assert (None if understood.late is None else understood.late.why) is late


@pytest.mark.parametrize("quality", ClockQuality)
def test_what_lay_here_unread_for_longer_than_it_had_to_live_is_over_whatever_the_clock(quality: ClockQuality) -> None:
    now = replace(NOW, quality=quality)
    assert _why_late(came(_command(), expiry_s=2, unread_s=5.0), now) is Why.EXPIRED
    assert _why_late(came(_command(), expiry_s=12, unread_s=5.0), now) is None


def test_how_long_a_command_still_counts_is_the_least_of_what_is_known() -> None:
    unset = replace(NOW, quality=ClockQuality.UNSYNCED)

    def left_s(now: Moment, **differently: Any) -> float:  # noqa: ANN401 - any field of Received
        return round(_understood(came(_command(at=NOW.later(-10)), **differently), now).lapses_s - now.monotonic_s, 3)

    assert left_s(NOW) == 20
    assert left_s(NOW, expiry_s=5) == 5
    assert left_s(NOW, expiry_s=25, unread_s=20.0) == 5
    assert left_s(unset, expiry_s=25) == 25
    assert left_s(unset, expiry_s=25, unread_s=2.0) == 23


@pytest.mark.parametrize(
    "topic",
    [
        None,
        "safepoint/v1/street/unit-b/rsp/desk",
        "safepoint/v1/street/unit-a/status",
        "safepoint/v1/street/unit-a/rsp/supervisor",
        "safepoint/v1/street/unit-a/rsp/#",
        "$SYS/x",
    ],
)
def test_no_command_makes_a_unit_write_anywhere_but_where_its_own_console_reads(topic: str | None) -> None:
    assert _understood(came(_command(), response_topic=topic)).reply is None


def test_no_command_makes_an_answer_as_long_as_it_likes() -> None:
    reply = _understood(came(_command(), correlation_data=b"x" * 10_000)).reply
    assert reply is not None
    assert reply.correlation == b"x" * 256


def test_what_comes_on_none_of_the_units_topics_is_refused() -> None:
    assert _refused(Inbox(UNIT), came(_command(), topic="safepoint/v1/street/unit-b/ack")).why is Why.UNKNOWN


def test_a_retained_acknowledgement_is_refused() -> None:
    ack = messages.acknowledgement(TOPICS, "desk", NOW.wall, alert_id="a", revision=1, level=AckLevel.RECEIVER)
    assert _refused(Inbox(UNIT), came(ack, retain=True)).why is Why.RETAINED


@given(
    payload=st.binary(max_size=200)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: st.dictionaries(
            st.sampled_from(["specversion", "id", "source", "type", "time", "data", "command", "args", "level"]), inner
        ),
    ).map(lambda document: json.dumps(document).encode()),
    topic=st.sampled_from([TOPICS.ack, TOPICS.command("desk", "set"), "elsewhere"]) | st.text(max_size=20),
    retain=st.booleans(),
    response_topic=st.none() | st.text(max_size=20) | st.just(TOPICS.response("desk")),
)
def test_nothing_that_comes_makes_it_raise(
    payload: bytes, topic: str, *, retain: bool, response_topic: str | None
) -> None:
    received = Received(topic, payload, retain=retain, response_topic=response_topic)
    assert isinstance(Inbox(UNIT).read(received, NOW), Refusal)
