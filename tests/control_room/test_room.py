"""A control room on a real broker, with units driven by hand."""

from __future__ import annotations

import hashlib
import json
import time
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from agent.clock import SystemClock
from agent.config.settings import UnitSettings
from agent.control_room import commands, lives
from agent.control_room.acks import AlertUnknown
from agent.control_room.album import FILE_BYTES, MOST_EARLY, WAITING_BYTES
from agent.control_room.command_line import Typed
from agent.control_room.commands import CommandRefused, NoAnswer
from agent.control_room.drawing import Scene, draw
from agent.control_room.happenings import Happening, UnitKey, What
from agent.control_room.room import ControlRoom
from agent.control_room.telling import have_done
from agent.control_room.units import UnitState
from agent.life import Life
from agent.signals import AckLevel, Category, CommandName, Outcome
from agent.uplink import still
from agent.uplink.client_mark import ClientMark
from agent.uplink.messages import Answer
from agent.uplink.publication import LinkDown, Publication, Received
from agent.uplink.validation import MessageInvalid
from fakes.broker import CONTROL_ROOM
from tests.control_room.hand_unit import ORG, SOON_S, HandUnit, Town

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

COLUMN = UnitKey(ORG, "hk-001")


def open_room(town: Town, journal: Path | None = None) -> ControlRoom:
    return ControlRoom(town.endpoint(CONTROL_ROOM), CONTROL_ROOM, SystemClock(), operator_ref="op-1", journal=journal)


@asynccontextmanager
async def at_work(town: Town, journal: Path | None = None) -> AsyncIterator[tuple[ControlRoom, HandUnit]]:
    """A console and a unit that it sees."""
    async with open_room(town, journal) as room, HandUnit(town, "hk-001").connected() as unit:
        await room.wait_for(lambda room: room.desk.units, SOON_S)
        yield room, unit


async def test_an_alert_is_shown_and_its_receipt_told(town: Town) -> None:
    async with at_work(town) as (room, unit):
        told: list[Happening] = []
        room.listen(told.append)
        await unit.say(unit.alert())
        alert = await room.wait_for(lambda room: room.alerts.get("A1"), SOON_S)
        assert (alert.unit, alert.waiting) == (COLUMN, True)
        assert "by the clock" in alert.headline
        await unit.heard("receiver", 1)
        await room.wait_for(lambda _: alert.acked(AckLevel.RECEIVER), SOON_S)
        assert alert.waiting
        assert What.ALERT_RAISED in {happening.what for happening in told}


async def test_every_revision_is_receipted_even_one_that_comes_again(town: Town) -> None:
    async with at_work(town) as (room, unit):
        first, second = unit.alert(1), unit.alert(2)
        await unit.say(first, second, first)
        await unit.until(lambda: [ack["revision"] for ack in unit.acks] == [1, 2, 1])
        assert room.desk.duplicates == 1


def strange_picture(number: int) -> Received:
    """One of an alert that there is not, as the broker hands it over from unit-b."""
    jpeg = still.JPEG_BEGINS + b"%d" % number
    sha256 = hashlib.sha256(jpeg).hexdigest()
    unit = UnitSettings(id="unit-b", org=ORG, name="Unit B", location="by the clock")
    sent = still.publication(unit, still.Still(f"X{number}", "strip", SystemClock().now().wall, sha256, jpeg))
    return Received(sent.topic, sent.payload, content_type=sent.content_type, user_properties=sent.user_properties)


def kept_of(folder: Path) -> tuple[list[Path], list[str]]:
    """The pictures, and the topics of the journal."""
    lines = (folder / "journal").read_text(encoding="utf-8").splitlines()
    return [*(folder / "pictures").rglob("*.jpg")], [json.loads(line)["topic"] for line in lines]


async def test_ten_thousand_strange_pictures_of_one_unit_do_not_keep_another_from_its_receipt(
    town: Town, tmp_path: Path
) -> None:
    endpoint, folder = town.endpoint(CONTROL_ROOM), tmp_path / "pictures"
    room = ControlRoom(endpoint, "console-1", SystemClock(), journal=tmp_path / "journal", pictures=folder)
    async with room, HandUnit(town, "unit-a").connected() as honest:
        await room.wait_for(lambda room: room.desk.units, SOON_S)
        for number in range(10_000):
            room._take(strange_picture(number))
        waiting = room.album._to_keep.qsize()
        await honest.say(honest.alert())
        await honest.heard("receiver", 1)
    pictures, topics = kept_of(tmp_path)
    assert len(pictures) <= waiting <= WAITING_BYTES // FILE_BYTES
    assert len(room.album._early) <= MOST_EARLY
    assert honest.topics.alert(Category.HELP) in topics
    assert len(topics) < 10_000
    assert room.unkept > 0


async def test_an_operators_word_reaches_the_unit(town: Town) -> None:
    async with at_work(town) as (room, unit):
        await unit.say(unit.alert(1), unit.alert(2))
        alert = await room.wait_for(lambda room: room.alerts.get("A1"), SOON_S)
        await room.wait_for(lambda _: alert.latest.revision == 2, SOON_S)
        await room.acknowledge("A1")
        assert not alert.waiting
        assert (await unit.heard("operator", 2))["operatorRef"] == "op-1"
        await room.close_alert("A1", Outcome.FALSE, "a dog", operator_ref="op-2")
        closed = await unit.heard("closed", 2)
        assert (closed["outcome"], closed["note"], closed["operatorRef"]) == ("false", "a dog", "op-2")
        assert (alert.closed, alert.outcome) == (True, Outcome.FALSE)
        assert alert.operators() == ("op-1", "op-2")


async def test_an_alert_that_is_not_there_cannot_be_acknowledged(town: Town) -> None:
    async with open_room(town) as room:
        with pytest.raises(AlertUnknown, match="B7"):
            await room.acknowledge("B7")


@pytest.mark.parametrize("cause", [None, "", "  "])
@pytest.mark.parametrize(
    ("outcome", "asks"), [(Outcome.FALSE, "say why it was false"), (Outcome.TEST, "what the test")]
)
async def test_nobody_closes_an_alert_as_false_or_as_a_test_without_saying_why(
    town: Town, outcome: Outcome, asks: str, cause: str | None
) -> None:
    async with at_work(town) as (room, unit):
        await unit.say(unit.alert())
        await room.wait_for(lambda room: room.alerts.get("A1"), SOON_S)
        with pytest.raises(MessageInvalid, match=asks):
            await room.close_alert("A1", outcome, cause)
        assert not room.alerts["A1"].closed


async def test_an_essay_is_refused_before_it_is_sent(town: Town) -> None:
    async with at_work(town) as (room, unit):
        await unit.say(unit.alert())
        await room.wait_for(lambda room: room.alerts.get("A1"), SOON_S)
        with pytest.raises(MessageInvalid):
            await room.close_alert("A1", Outcome.FALSE, "a dog " * 1_000)
        assert not room.alerts["A1"].closed


async def test_without_auto_receive_nothing_is_receipted(town: Town) -> None:
    async with at_work(town) as (room, unit):
        room.auto_receive = False
        await unit.say(unit.alert())
        await room.wait_for(lambda room: room.alerts.get("A1"), SOON_S)
        await room.acknowledge("A1")
        await unit.heard("operator", 1)
        assert [ack["level"] for ack in unit.acks] == ["operator"]


async def test_commands_are_answered(town: Town) -> None:
    async with at_work(town) as (room, unit):
        assert await room.set_unit(*_of(COLUMN)) == "as you wish"
        await room.unset_unit(*_of(COLUMN))
        await room.test_alert(*_of(COLUMN))
        assert unit.commands == ["set", "unset", "test-alert"]


async def test_a_refused_command_says_why(town: Town) -> None:
    async with at_work(town) as (room, unit):
        unit.answer = Answer.REFUSED
        with pytest.raises(CommandRefused, match="street/hk-001 refuses set: too late"):
            await room.set_unit(*_of(COLUMN))


async def test_a_command_that_nobody_answers_ends(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "ANSWER_WITHIN_S", 0.05)
    async with open_room(town) as room:
        await room.wait_for(lambda room: room.connected, SOON_S)
        with pytest.raises(NoAnswer, match="street/hk-001 did not answer set"):
            await room.set_unit(*_of(COLUMN))


async def test_lost_stopped_and_restarted_units_are_told_apart(town: Town) -> None:
    async with open_room(town) as room:

        async def until(state: UnitState) -> None:
            await room.wait_for(
                lambda room: COLUMN in room.desk.units and room.desk.units[COLUMN].state is state, SOON_S
            )

        unit = HandUnit(town, "hk-001")
        async with unit.connected_until_it_dies():
            await until(UnitState.ONLINE)
        await until(UnitState.LOST)
        reborn = HandUnit(town, "hk-001")
        reborn.boot_id = "boot-2"
        async with reborn.connected():
            await until(UnitState.RESTARTED)
            await reborn.say(reborn.heartbeat())
            await until(UnitState.ONLINE)
        await until(UnitState.STOPPED)


async def test_two_machines_with_one_storage_push_each_other_out_and_are_told_once(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lives, "STRAGGLES_S", 0.0)
    mark = ClientMark()  # in the state folder, as the installation is
    one, other = HandUnit(town, "hk-001", mark), HandUnit(town, "hk-001", mark)
    one.life = Life("boot-1", 12.0, "inst-a", 7, "board-a")
    other.boot_id, other.life = "boot-9", Life("boot-9", 9.0, "inst-a", 7, "board-b")
    told: list[Happening] = []
    async with open_room(town) as room:
        room.listen(told.append)
        async with one.connected_until_it_dies():
            await room.wait_for(lambda room: room.desk.units.get(COLUMN), SOON_S)
            async with other.connected_until_it_dies():
                await room.wait_for(lambda _: [each for each in told if "TWO machines" in each.text], SOON_S)
                assert room.desk.units[COLUMN].state is UnitState.REPLACED
    replaced = [each.text for each in told if each.what is What.UNIT_REPLACED]
    assert replaced[0].endswith("another board (board-b) answers for it with the storage of the one before")
    assert len([text for text in replaced if "TWO machines" in text]) == 1


async def test_two_machines_with_one_certificate_are_told_though_neither_pushes_the_other_out(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lives, "STRAGGLES_S", 0.0)
    one, other = HandUnit(town, "hk-001"), HandUnit(town, "hk-001")
    one.life = Life("boot-1", 12.0, "inst-a", 7, "board-a")
    other.boot_id, other.life = "boot-9", Life("boot-9", 9.0, "inst-b", 1, "board-b")
    told: list[Happening] = []
    async with open_room(town) as room, one.connected_until_it_dies():
        room.listen(told.append)
        await room.wait_for(lambda room: room.desk.units.get(COLUMN), SOON_S)
        async with other.connected_until_it_dies():
            # They speak on connections of their own: which of them is heard first is else the broker's choice.
            await room.wait_for(lambda _: [each for each in told if each.what is What.UNIT_REPLACED], SOON_S)
            await one.say(one.heartbeat())
            await room.wait_for(lambda _: [each for each in told if "TWO machines" in each.text], SOON_S)
            assert (one.sessions, other.sessions) == (1, 1)


async def test_what_came_while_the_console_was_away_waits_for_one_that_keeps_a_journal(
    town: Town, tmp_path: Path
) -> None:
    journal = tmp_path / "journal"
    async with HandUnit(town, "hk-001").connected() as unit:
        async with open_room(town, journal) as room:
            await room.wait_for(lambda room: room.desk.units, SOON_S)
        await unit.say(unit.alert())
        async with open_room(town, journal) as room:
            await room.wait_for(lambda room: room.alerts.get("A1"), SOON_S)
            await unit.heard("receiver", 1)


async def test_the_broker_may_go_and_come_back(town: Town) -> None:
    told: list[What] = []
    async with open_room(town) as room:
        room.listen(lambda happening: told.append(happening.what))
        await room.wait_for(lambda room: room.connected, SOON_S)
        await town.broker.stop()
        await room.wait_for(lambda room: What.BROKER_LOST in told and room.trouble, SOON_S)
        assert not room.connected
        await town.broker.start()
        await room.wait_for(lambda room: room.connected, SOON_S)
        assert told[-1] is What.BROKER_BACK


async def test_an_operator_hears_that_the_broker_is_away(town: Town) -> None:
    async with at_work(town) as (room, unit):
        await unit.say(unit.alert())
        await room.wait_for(lambda room: room.alerts.get("A1"), SOON_S)
        await town.broker.stop()
        await room.wait_for(lambda room: not room.connected, SOON_S)
        with pytest.raises(LinkDown):
            await room.acknowledge("A1")
        assert room.alerts["A1"].waiting
        await town.broker.start()


async def test_the_journal_has_every_message_before_its_receipt_is_told(town: Town, tmp_path: Path) -> None:
    journal = tmp_path / "messages.jsonl"
    async with at_work(town, journal) as (room, unit):
        await unit.say(unit.heartbeat(), unit.alert(1), unit.alert(2))
        await unit.heard("receiver", 2)
        lines = [json.loads(line) for line in journal.read_text(encoding="utf-8").splitlines()]
        assert {*lines[0]} == {"topic", "received_at", "payload"}
        revisions = [line["payload"]["data"]["revision"] for line in lines if "/alert/help" in line["topic"]]
        assert revisions == [1, 2]
        assert room.unkept == 0


async def test_an_alert_that_cannot_be_kept_is_shown_but_not_receipted(town: Town) -> None:
    told: list[What] = []
    async with at_work(town, Path("/dev/full")) as (room, unit):
        room.listen(lambda happening: told.append(happening.what))
        await unit.say(unit.alert())
        await room.wait_for(lambda room: room.unkept, SOON_S)
        await room.wait_for(lambda room: room.alerts.get("A1"), SOON_S)
        await room.wait_for(lambda _: What.JOURNAL_LOST in told, SOON_S)
        assert unit.acks == []


@pytest.mark.parametrize(
    "spoil",
    [
        lambda _: b"\xff\xfe no JSON at all",
        lambda _: b"[" * 20_000,
        lambda payload: payload.replace(b'"revision":1', b'"revision":-1'),
        lambda payload: payload.replace(b"/units/hk-001", b"/units/shop-7"),
        lambda payload: payload.replace(b'"category":"help"', b'"category":"test"'),
    ],
    ids=["no-json", "deep", "schema", "another-unit", "another-category"],
)
async def test_what_cannot_be_believed_is_counted_and_not_receipted(
    town: Town, tmp_path: Path, spoil: Callable[[bytes], bytes]
) -> None:
    async with at_work(town, tmp_path / "j.jsonl") as (room, unit):
        good = unit.alert()
        await unit.say(Publication(good.topic, spoil(good.payload)), unit.alert(1, "A2"))
        await unit.heard("receiver", 1, "A2")
        assert set(room.alerts) == {"A2"}
        assert room.refused == 1
        assert len(unit.acks) == 1
        assert len((tmp_path / "j.jsonl").read_text(encoding="utf-8").splitlines()) >= 2


@pytest.fixture
def in_london(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Where the first and the last times of Python's calendar cannot be shown."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Europe/London")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("in_london")
@pytest.mark.parametrize(
    "wrong",
    [
        {"time": "2026-02-30T00:00:00Z"},
        {"data": {"opened": "2026-02-30T00:00:00Z"}},
        {"time": "0001-01-01T00:00:00Z"},
        {"recordedtime": "9999-12-31T23:59:59Z"},
        {"data": {"opened": "0001-01-01T00:00:00Z"}},
        {"id": "\ud800"},
        {"data": {"headline": "half a \udc80 character"}},
    ],
    ids=lambda wrong: next(iter(wrong.get("data", wrong))),
)
@pytest.mark.parametrize("standing", [False, True], ids=["live", "standing"])
async def test_no_message_keeps_the_next_call_from_being_drawn(
    town: Town, wrong: dict[str, Any], *, standing: bool
) -> None:
    async with at_work(town) as (room, unit):
        told: list[Happening] = []
        room.listen(told.append)
        good = unit.alert()
        document = json.loads(good.payload)
        data = document["data"] | wrong.get("data", {})
        payload = json.dumps(document | wrong | {"data": data}).encode()
        topic = good.topic.replace("/alert/help", "/incident/A1") if standing else good.topic
        await unit.say(Publication(topic, payload, retain=standing), unit.alert(1, "A2"))
        await unit.heard("receiver", 1, "A2")
        assert [each.what for each in told if each.alert_id is None] == [What.REFUSED]
        assert set(room.alerts) == {"A2"}
        assert room.refused == 1
        lines = draw(Scene(room.desk, SystemClock().now(), selected="A2"), 80, 24).renderables
        assert any("Help call, by the clock" in str(line) for line in lines)
        await unit.say(Publication(topic, b"", retain=True))


def _of(key: UnitKey) -> tuple[str, str]:
    return key.org, key.unit


async def test_a_command_is_followed_to_its_end(town: Town) -> None:
    async with at_work(town) as (room, unit):
        unit.later_answers = [Answer.RUNNING, Answer.DONE]
        command = Typed(COLUMN, CommandName.LIGHT, {"forS": 60}, "a fall")
        assert [data["status"] async for data in room.command(command)] == ["accepted", "running", "done"]
        assert unit.commands == ["light"]


async def test_a_command_that_fails_after_all_says_why(town: Town) -> None:
    async with at_work(town) as (room, unit):
        unit.later_answers = [Answer.FAILED]
        with pytest.raises(CommandRefused, match="street/hk-001 did not finish still: too late"):
            _ = [data async for data in room.command(Typed(COLUMN, CommandName.STILL))]


async def test_what_no_unit_could_take_is_not_sent(town: Town) -> None:
    async with at_work(town) as (room, unit):
        said: list[str] = []
        unit.later_answers = [Answer.DONE]
        await have_done(room, "street/hk-001 light forS=1000000", said.append)
        await have_done(room, "street/hk-001 lite", said.append)
        await have_done(room, "street/hk-001 set", said.append)
        assert ["NOT SENT" in each for each in said[:2]] == [True, True]
        assert said[2:] == ["street/hk-001 set accepted: as you wish", "street/hk-001 set done: as you wish"]
        assert unit.commands == ["set"]
