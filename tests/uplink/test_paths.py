"""Two ways to the control room: what goes over which, and how each is proved."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from agent.signals import Category
from agent.uplink import path_watch
from agent.uplink import paths as paths_module
from agent.uplink.endpoint import Endpoint
from agent.uplink.path_watch import PathEvent
from agent.uplink.paths import ALTERNATE, PRIMARY
from agent.uplink.publication import LinkDown, Publication, PublishRefused, Subscription
from agent.uplink.topics import UnitTopics
from fakes.broker import Broker
from tests.alongside import alongside
from tests.uplink.chaos.small_unit import small_unit
from tests.uplink.lab import Ear, linked, make_config, passing, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from agent.uplink.paths import Paths
    from agent.uplink.publication import Received
    from tests.uplink.conftest import Street

UNIT = make_config().unit
TOPICS = UnitTopics(UNIT.org, UNIT.id)
ALL = Subscription(f"{TOPICS.prefix}/#")
BEAT_S = 0.2


def at(broker: Broker) -> Endpoint:
    return Endpoint.build(f"mqtt://127.0.0.1:{broker.plain_port}", insecure_lab=True)


@pytest.fixture
async def other(street: Street, tmp_path: Path) -> AsyncIterator[Broker]:
    """A second broker, which is joined to nothing."""
    async with Broker(tmp_path / "other", street.authority, plain=True) as broker:
        yield broker


@asynccontextmanager
async def beating(paths: Paths) -> AsyncIterator[None]:
    """Heartbeats, many times as often as a unit's."""

    async def beat() -> None:
        number = 0
        while True:
            number += 1
            with suppress(LinkDown, PublishRefused):  # with the next connection
                await paths.beat(Publication(TOPICS.heartbeat, str(number).encode(), retain=True))
            await asyncio.sleep(BEAT_S)

    async with alongside(beat()):
        yield


@asynccontextmanager
async def listening(broker: Broker, name: str, heard: Callable[[Received], None]) -> AsyncIterator[None]:
    """Somebody who hears all that the unit says, and answers nothing."""
    async with linked(at(broker), passing(name, (ALL,)), on_message=heard):
        yield


def fact(paths: Paths, name: str, member: str) -> object:
    return next(path[member] for path in paths.facts() if path["id"] == name)


async def up(paths: Paths) -> None:
    await until(lambda: all(path["up"] for path in paths.facts()), "both paths are up")


async def test_what_nobody_acknowledges_goes_alternately_over_both(street: Street, tmp_path: Path) -> None:
    ear, both = Ear(), {PRIMARY: at(street.broker), ALTERNATE: at(street.broker)}
    async with (
        listening(street.broker, "mute", ear),
        small_unit(tmp_path, both, uplink={"resend_s": (0.5, 0.5, 0.5, 60.0)}) as unit,
    ):
        await up(unit.paths)
        unit.raise_alert("inc-1", 1, Category.HELP)

        def ways() -> list[dict[str, object]]:
            return [json.loads(each.payload)["data"]["path"] for each in ear.heard if "/alert/" in each.topic]

        await until(lambda: len(ways()) >= 4, "three repetitions are heard")
        assert [(way["attempt"], way["used"]) for way in ways()] == [
            (1, PRIMARY),
            (2, ALTERNATE),
            (3, PRIMARY),
            (4, ALTERNATE),
        ]


async def test_an_upload_goes_through_the_interface_of_the_first_path_that_is_up_and_then_of_the_next(
    street: Street, tmp_path: Path
) -> None:
    gone, there = replace(at(street.broker), interface="no-such-if0"), replace(at(street.broker), interface="lo")
    async with small_unit(tmp_path, {PRIMARY: gone, ALTERNATE: there}) as unit:
        assert [unit.paths.interface_for(failures) for failures in range(3)] == ["no-such-if0", "lo", "no-such-if0"]
        await until(lambda: unit.paths.connected, "the second path is up")
        assert [unit.paths.interface_for(failures) for failures in range(3)] == ["lo", "no-such-if0", "lo"]


async def test_a_path_with_nothing_to_carry_is_proved_by_heartbeats_and_without_them_it_is_lost(
    street: Street, other: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(path_watch, "PROVE_EVERY_S", 3.0)
    monkeypatch.setattr(path_watch, "UNPROVED_AFTER_S", 6.0)
    monkeypatch.setattr(path_watch, "LOST_AFTER_S", 1.0)
    monkeypatch.setattr(paths_module, "LOOK_EVERY_S", 0.1)
    first, second = Ear(), Ear()
    async with (
        listening(street.broker, "near", first),
        listening(other, "far", second),
        small_unit(tmp_path, {PRIMARY: at(street.broker), ALTERNATE: at(other)}) as unit,
    ):
        await up(unit.paths)
        async with beating(unit.paths):
            await until(lambda: len(second.heard) >= 3, "the second path was proved, and twice again")
            assert len(first.heard) > len(second.heard), "only when it is due"
            assert unit.path_events == []
        await until(lambda: len(unit.path_events) == 2, "connections that carry nothing are not believed")
        assert {*unit.path_events} == {(PRIMARY, PathEvent.LOST), (ALTERNATE, PathEvent.LOST)}
        assert all(path["up"] for path in unit.paths.facts()), "though both brokers answer"


async def test_a_broker_that_takes_what_nobody_hears_proves_nothing_and_is_told(
    street: Street, other: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(path_watch, "UNHEARD_AFTER_S", 1.0)
    monkeypatch.setattr(paths_module, "LOOK_EVERY_S", 0.1)
    async with (
        listening(street.broker, "near", Ear()),
        small_unit(tmp_path, {PRIMARY: at(street.broker), ALTERNATE: at(other)}) as unit,
        beating(unit.paths),
    ):
        await until(lambda: unit.path_events, "the deaf one is told")
        assert unit.path_events == [(ALTERNATE, PathEvent.UNHEARD)]
        assert fact(unit.paths, ALTERNATE, "up")
        assert fact(unit.paths, ALTERNATE, "heard") is False
        assert fact(unit.paths, ALTERNATE, "provedAgeS") is None
        assert fact(unit.paths, PRIMARY, "heard") is True
        async with listening(other, "far", Ear()):
            await until(lambda: len(unit.path_events) == 2, "somebody listens there")
            assert unit.path_events[1] == (ALTERNATE, PathEvent.HEARD)
            assert fact(unit.paths, ALTERNATE, "heard") is True
            assert fact(unit.paths, ALTERNATE, "provedAgeS") is not None


async def test_while_nobody_listens_on_the_first_path_calls_and_heartbeats_go_over_the_second(
    street: Street, other: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(path_watch, "UNHEARD_AFTER_S", 1.0)
    monkeypatch.setattr(paths_module, "LOOK_EVERY_S", 0.1)
    ear = Ear()
    async with (
        listening(street.broker, "near", ear),
        small_unit(tmp_path, {PRIMARY: at(other), ALTERNATE: at(street.broker)}) as unit,
        beating(unit.paths),
    ):
        await until(lambda: unit.path_events == [(PRIMARY, PathEvent.UNHEARD)], "the deaf one is told")
        before = len(ear.heard)
        unit.raise_alert("inc-1", 1, Category.HELP)
        await until(lambda: any("/alert/" in each.topic for each in ear.heard), "the call is heard")
        call = next(json.loads(each.payload) for each in ear.heard if "/alert/" in each.topic)
        assert call["data"]["path"] == {"used": ALTERNATE, "attempt": 1, "late": False}
        await until(lambda: len(ear.heard) > before + 4, "heartbeats go on")
