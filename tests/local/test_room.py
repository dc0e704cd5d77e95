"""Who stands beside the unit sees what happens, asks for little, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import json
import stat
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from agent import signals
from agent.local import place
from agent.local import room as local_room
from agent.local.client import LocalUnit, NotDone, UnitAway
from agent.local.messages import (
    AlertAnswered,
    AlertTold,
    Light,
    Listen,
    RaiseTest,
    ReadCommissioning,
    Say,
    Walk,
    WentOff,
)
from agent.local.room import GUESTS, LocalRoom
from agent.signals import (
    AckLevel,
    Acknowledged,
    Category,
    LightRequested,
    Line,
    Outcome,
    SensorKind,
    Tell,
    Triggered,
    WalkTest,
)
from tests.alongside import alongside
from tests.incidents.driven_unit import START, config
from tests.uplink.lab import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from agent.config.settings import Config
    from agent.signals import Signal

LIMIT_S = 60.0


class StillClock:
    """A clock that stands."""

    def now(self) -> Any:  # noqa: ANN401 - a moment
        return START

    def at(self, monotonic_s: float) -> Any:  # noqa: ANN401
        return START.later(monotonic_s - START.monotonic_s)


class Door:
    """A local room, and what it had done."""

    def __init__(self, settings: Config, *, speaks: bool = True) -> None:
        self.config = settings
        self.reported: list[Signal] = []
        self.spoken: list[Line] = []
        self.read = 0
        self.room = LocalRoom(
            settings,
            StillClock(),
            facts=lambda: {"state": "ok", "paths": [{"id": "primary", "up": True}]},
            report=self.reported.append,
            say=self.spoken.append if speaks else None,
            want_self_test=None,
            read_commissioning=self._read,
            cut_off=lambda: True,
        )
        self.room.ready_s = 12.5

    def _read(self) -> None:
        self.read += 1


@pytest.fixture
def settings(tmp_path: Path) -> Config:
    """A unit whose state lies in a folder with a name that no socket's address could hold."""
    folder = tmp_path / ("long-" * 25)
    folder.mkdir()
    return config(state_folder=folder)


@asynccontextmanager
async def opened(settings: Config, **how: bool) -> AsyncIterator[Door]:
    """A door that is open."""
    door, works = Door(settings, **how), asyncio.Event()
    async with alongside(door.room.run(works.set)):
        async with asyncio.timeout(LIMIT_S):
            await works.wait()
        yield door


async def test_a_guest_is_told_who_answers_and_how_it_is(settings: Config) -> None:
    async with opened(settings), LocalUnit(settings) as unit:
        assert (unit.hello.org, unit.hello.unit, unit.hello.ready_s) == ("ashfield", "hk-001", 12.5)
        assert unit.hello.cut_off
        assert (await unit.facts())["paths"] == [{"id": "primary", "up": True}]


async def test_only_the_service_and_its_group_may_open_the_door(settings: Config) -> None:
    async with opened(settings):
        assert stat.S_IMODE((settings.state_folder / place.SOCKET_NAME).stat().st_mode) == 0o660


async def test_a_guest_sees_a_sensor_its_alert_and_what_the_control_room_says_but_not_the_code(
    settings: Config,
) -> None:
    async with opened(settings) as door, LocalUnit(settings) as unit:
        await unit.facts()
        door.room.take(Triggered("pir-1", SensorKind.PIR, START))
        data = {"state": "active", "test": True, "headline": "TEST 1234 - ...", "detections": [{"detectorId": "pir-1"}]}
        door.room.act([Tell("a-1", 1, Category.INTRUDER, START, data)])
        closed = Acknowledged("a-1", 1, AckLevel.CLOSED, START, "op-7", Outcome.TEST, "walk test")
        door.room.take(closed)
        assert await unit.wait_for(lambda unit: len(unit.news) == 3 or None, LIMIT_S)
        assert unit.news == [
            WentOff("pir-1", "pir", None, START.monotonic_s),
            AlertTold("a-1", 1, "intruder", "active", True, ("pir-1",), START.monotonic_s),  # noqa: FBT003
            AlertAnswered("a-1", 1, "closed", "op-7", "test", "walk test", START.monotonic_s),
        ]
        assert "1234" not in repr(unit.news)


async def test_what_a_guest_asks_for_goes_the_way_of_everything_else(settings: Config) -> None:
    async with opened(settings) as door, LocalUnit(settings) as unit:
        await unit.do(Light(5.0))
        await unit.do(RaiseTest("commissioning"))
        await unit.do(Say(Line.SOUND_CHECK))
        await unit.do(ReadCommissioning())
        assert door.reported == [
            LightRequested(5.0, "engineer", START),
            signals.TestRequested("engineer", START, about="commissioning"),
        ]
        assert (door.spoken, door.read) == ([Line.SOUND_CHECK], 1)


async def test_a_walk_test_ends_with_whoever_began_it(settings: Config) -> None:
    async with opened(settings) as door:
        async with LocalUnit(settings) as unit:
            await unit.do(Walk(("pir-1",), 60.0))
            assert door.reported == [WalkTest(frozenset({"pir-1"}), 60.0, START)]
        await until(lambda: len(door.reported) == 2, "the walk test is over")
        assert door.reported[1] == WalkTest(frozenset(), 0.0, START)
        assert door.room.facts() == {"guests": 0, "walkTest": False}


async def test_nobody_takes_over_the_walk_test_of_another(settings: Config) -> None:
    async with opened(settings), LocalUnit(settings) as first, LocalUnit(settings) as second:
        await first.do(Walk(("pir-1",), 60.0))
        with pytest.raises(NotDone, match="somebody else"):
            await second.do(Walk(("panic-1",), 60.0))
        await first.do(Walk((), 0.0))
        await second.do(Walk(("panic-1",), 60.0))


async def test_what_the_unit_does_not_have_is_refused_in_words(settings: Config) -> None:
    async with opened(settings, speaks=False), LocalUnit(settings) as unit:
        with pytest.raises(NotDone, match="no sensor pir-9"):
            await unit.do(Walk(("pir-9",), 60.0))
        with pytest.raises(NotDone, match="no speaker"):
            await unit.do(Say(Line.SOUND_CHECK))
        with pytest.raises(NotDone, match="no acoustic self-test"):
            await unit.do(Listen())


@pytest.mark.parametrize(
    "line",
    [
        b"nonsense\n",
        b'{"number": 1, "request": {"type": "open-the-door"}}\n',
        b'{"number": 1, "request": {"type": "light", "for_s": 1e9}}\n',
        b'{"number": 1, "request": {"type": "walk", "sensors": ["pir-1"], "for_s": 86400}}\n',
        b'{"number": 1, "request": {"type": "ask-facts"}, "more": 1}\n',
        b'{"number": 1, "request": {"type": "raise-test", "about": "\\u202e"}}\n',
        b"[" * 3000 + b"\n",
    ],
)
async def test_what_is_no_request_is_refused_and_the_next_one_is_heard(settings: Config, line: bytes) -> None:
    async with opened(settings) as door:
        reader, writer = await asyncio.open_unix_connection(sock=place.connect(settings.state_folder))
        await reader.readline()
        writer.write(line + b'{"number": 2, "request": {"type": "ask-facts"}}\n')
        refused, done = json.loads(await reader.readline()), json.loads(await reader.readline())
        assert (refused["type"], refused["number"]) == ("refused", None)
        assert (done["type"], done["number"]) == ("done", 2)
        assert door.reported == []
        writer.close()


async def test_a_line_without_end_is_refused_and_its_guest_sent_away(settings: Config) -> None:
    async with opened(settings):
        reader, writer = await asyncio.open_unix_connection(sock=place.connect(settings.state_folder))
        await reader.readline()
        writer.write(b"x" * 20_000)
        assert json.loads(await reader.readline())["text"] == "a request has at most 4096 bytes"
        assert await reader.read() == b""
        writer.close()


async def test_a_guest_who_does_not_read_is_sent_away(settings: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_room, "UNREAD_BYTES", 1000)
    async with opened(settings) as door:
        reader, writer = await asyncio.open_unix_connection(sock=place.connect(settings.state_folder))
        await reader.readline()
        for _ in range(20_000):
            door.room.take(Triggered("pir-1", SensorKind.PIR, START))
        await until(lambda: door.room.facts()["guests"] == 0, "the guest is sent away")
        writer.close()


async def test_there_are_only_so_many_guests(settings: Config) -> None:
    async with opened(settings):
        guests = [LocalUnit(settings) for _ in range(GUESTS)]
        for guest in guests:
            await guest.__aenter__()
        with pytest.raises(UnitAway, match="too many"):
            await LocalUnit(settings).__aenter__()
        for guest in guests:
            await guest.__aexit__(None, None, None)


async def test_without_a_daemon_somebody_is_told_what_to_do(settings: Config) -> None:
    with pytest.raises(UnitAway, match="systemctl start safepoint-agent"):
        await LocalUnit(settings).__aenter__()


async def test_the_socket_of_a_life_before_is_no_obstacle(settings: Config) -> None:
    async with opened(settings):
        pass
    async with opened(settings), LocalUnit(settings) as unit:
        assert await unit.facts()


async def test_another_unit_is_not_spoken_with(settings: Config) -> None:
    other = settings.model_copy(update={"unit": settings.unit.model_copy(update={"id": "hk-002"})})
    async with opened(settings):
        with pytest.raises(UnitAway, match="another unit"):
            await LocalUnit(other).__aenter__()


async def test_when_the_daemon_ends_the_guest_is_told(settings: Config) -> None:
    async with opened(settings):
        unit = LocalUnit(settings)
        await unit.__aenter__()
    with pytest.raises(UnitAway):
        await unit.wait_for(lambda _: None, LIMIT_S)
    with pytest.raises(UnitAway):
        await unit.facts()
    await unit.__aexit__(None, None, None)
