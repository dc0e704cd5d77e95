"""A console and a unit that does not hear: what an operator said is said again until the unit shows that it knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from agent.clock import SystemClock
from agent.control_room import unheard
from agent.control_room.drawing import Scene, draw
from agent.control_room.happenings import Happening, What
from agent.control_room.room import ControlRoom
from agent.signals import Outcome
from fakes.broker import CONTROL_ROOM
from tests.control_room.hand_unit import SOON_S, HandUnit, Town

if TYPE_CHECKING:
    from pathlib import Path

    from agent.uplink.publication import Publication

SEEN_AT = "2026-11-22T20:00:05.000Z"


def open_room(town: Town, journal: Path | None = None) -> ControlRoom:
    return ControlRoom(town.endpoint(CONTROL_ROOM), CONTROL_ROOM, SystemClock(), operator_ref="op-1", journal=journal)


def closings(unit: HandUnit) -> int:
    return sum(ack["level"] == "closed" for ack in unit.acks)


def revision(unit: HandUnit, number: int, *, state: str = "active", seen_at: str | None = None) -> Publication:
    outcome = {"code": "genuine", "cause": None, "by": "op-1"} if state == "closed" else None
    operator = {"late": False, "escalated": False, "ackedAt": seen_at, "ref": None if seen_at is None else "op-1"}
    return unit.alert(number, state=state, outcome=outcome, operator=operator)


def screen(room: ControlRoom) -> str:
    return "\n".join(
        str(line) for line in draw(Scene(room.desk, SystemClock().now(), selected="A1"), 120, 24).renderables
    )


async def has_alert(room: ControlRoom, number: int = 1) -> None:
    await room.wait_for(lambda room: "A1" in room.alerts and room.alerts["A1"].latest.revision >= number, SOON_S)


async def raise_alert(room: ControlRoom, unit: HandUnit) -> None:
    await room.wait_for(lambda room: room.connected and room.desk.units, SOON_S)
    await unit.say(revision(unit, 1))
    await has_alert(room)


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every half second."""
    monkeypatch.setattr(unheard, "AGAIN_S", 0.5)


@pytest.mark.usefixtures("soon")
async def test_a_closing_is_said_again_until_the_unit_tells_that_it_is_closed(town: Town) -> None:
    told: list[Happening] = []
    async with open_room(town) as room, HandUnit(town, "hk-001").connected() as unit:
        room.listen(told.append)
        await raise_alert(room, unit)
        await room.close_alert("A1", Outcome.GENUINE)
        assert "GENUINE, unit not told" in screen(room)
        assert "closed, unit not told yet" in screen(room)
        await unit.until(lambda: closings(unit) >= 3)
        assert len({tuple(ack.items()) for ack in unit.acks if ack["level"] == "closed"}) == 1
        await unit.say(revision(unit, 2, state="closed", seen_at=SEEN_AT))
        await room.wait_for(lambda _: What.UNIT_TOLD in {each.what for each in told}, SOON_S)
        assert "not told" not in screen(room)
        assert len(room._repeating._unheard) == 0
        assert [each.what for each in told].count(What.UNIT_NOT_TOLD) == 1


@pytest.mark.usefixtures("soon")
async def test_that_somebody_looks_is_said_again_until_the_unit_tells_it(town: Town) -> None:
    async with open_room(town) as room, HandUnit(town, "hk-001").connected() as unit:
        await raise_alert(room, unit)
        await room.acknowledge("A1")
        assert "seen, unit not told yet" in screen(room)
        await unit.until(lambda: sum(ack["level"] == "operator" for ack in unit.acks) >= 2)
        await unit.say(revision(unit, 2))
        await has_alert(room, 2)
        assert len(room._repeating._unheard) == 1, "a revision that says nothing of it ends nothing"
        await unit.say(revision(unit, 3, seen_at=SEEN_AT))
        await has_alert(room, 3)
        assert len(room._repeating._unheard) == 0


async def test_a_unit_that_comes_back_is_told_at_once(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unheard, "AGAIN_S", 3600.0)  # nothing but its birth makes it due
    monkeypatch.setattr(unheard, "SELDOM_S", 3600.0)
    async with open_room(town) as room:
        async with HandUnit(town, "hk-001").connected_until_it_dies() as unit:
            await raise_alert(room, unit)
        await room.close_alert("A1", Outcome.FALSE, "a child")
        async with HandUnit(town, "hk-001").connected() as reborn:  # the broker keeps nothing for this one
            assert (await reborn.heard("closed", 1))["note"] == "a child"
            await reborn.say(revision(reborn, 2, state="closed", seen_at=SEEN_AT))
            await room.wait_for(lambda room: not room.alerts["A1"].untold, SOON_S)


async def test_what_a_unit_was_not_told_outlives_the_console_that_keeps_a_journal(town: Town, tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    async with open_room(town, journal) as room:
        async with HandUnit(town, "hk-001").connected_until_it_dies() as unit:
            await raise_alert(room, unit)
        await room.close_alert("A1", Outcome.FALSE, "a child")
    async with HandUnit(town, "hk-001").connected() as reborn, open_room(town, journal) as room:
        assert (await reborn.heard("closed", 1))["note"] == "a child"
        await reborn.say(revision(reborn, 2))
        await has_alert(room, 2)
        assert (room.alerts["A1"].closed, room.alerts["A1"].untold) == (True, True), "as before the restart"
        await reborn.say(revision(reborn, 3, state="closed", seen_at=SEEN_AT))
        await has_alert(room, 3)
    assert (tmp_path / "journal.words").read_bytes() == b""


async def test_a_file_of_words_that_cannot_be_read_is_told_and_put_aside(town: Town, tmp_path: Path) -> None:
    told: list[Happening] = []
    (tmp_path / "journal.words").write_text('{"org": "street"}\n', encoding="utf-8")
    room = open_room(town, tmp_path / "journal")
    room.listen(told.append)
    async with room, HandUnit(town, "hk-001").connected() as unit:
        await raise_alert(room, unit)
        assert [each.what for each in told].count(What.JOURNAL_LOST) == 1
        await room.close_alert("A1", Outcome.GENUINE)
    assert (tmp_path / "journal.words.unread").read_text(encoding="utf-8") == '{"org": "street"}\n'
    assert (tmp_path / "journal.words").read_bytes().count(b"\n") == 1


async def test_words_that_the_disk_does_not_take_are_still_said_and_that_is_told_once(
    town: Town, tmp_path: Path
) -> None:
    told: list[Happening] = []
    journal = tmp_path / "journal"
    async with open_room(town, journal) as room, HandUnit(town, "hk-001").connected() as unit:
        room.listen(told.append)
        (tmp_path / "journal.words").mkdir()  # nothing can take its place
        await raise_alert(room, unit)
        await room.close_alert("A1", Outcome.GENUINE)
        # The room may look for what its last run left only now, and cannot read that either.
        lost = [each for each in told if each.what is What.JOURNAL_LOST and "cannot be read" not in each.text]
        assert len(lost) == 1
        assert "NOT kept for a restart" in lost[0].text
        await unit.heard("closed", 1)
        (tmp_path / "journal.words").rmdir()
        await room.wait_for(lambda _: What.JOURNAL_BACK in {each.what for each in told}, SOON_S)
        assert (tmp_path / "journal.words").read_bytes().count(b"\n") == 1
