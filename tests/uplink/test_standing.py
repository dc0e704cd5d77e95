"""How each alert stands, whatever happens to the connections, and to which of the brokers."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from agent.clock import SystemClock
from agent.uplink import messages
from agent.uplink import standing as standing_module
from agent.uplink.clears import Clear
from agent.uplink.courier import Courier
from agent.uplink.disk import Disk
from agent.uplink.endpoint import Endpoint
from agent.uplink.outbox import Outbox
from agent.uplink.paths import ALTERNATE, PRIMARY, Paths
from agent.uplink.publication import LinkDown, Publication, Receipt, Subscription
from agent.uplink.standing import UNSAVED_S, Standing
from agent.uplink.topics import UnitTopics
from fakes.authority import Authority
from fakes.broker import CONTROL_ROOM, Broker
from tests.uplink.lab import (
    SOON_S,
    Complaints,
    Ear,
    LabClock,
    files_of,
    linked,
    make_config,
    passing,
    running,
    tell,
    until,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from agent.uplink.lanes import Lane
    from agent.uplink.messages import Message

CONFIG = make_config()
TOPICS = UnitTopics(CONFIG.unit.org, CONFIG.unit.id)


class OnePath:
    """A path whose broker answers when the story says so."""

    names = (PRIMARY,)

    def __init__(self) -> None:
        self.is_up = True
        self.sent: list[tuple[Publication, asyncio.Future[Receipt]]] = []
        self.session = 1
        self.when_lost_s: float | None = None

    def free_on(self, _name: str, _lane: Lane) -> bool:
        return self.is_up

    def session_of(self, _name: str) -> int:
        return self.session

    def lost_s(self, _name: str) -> float | None:
        return self.when_lost_s

    def send(self, publication: Publication, _lane: Lane, _name: str) -> asyncio.Future[Receipt]:
        receipt: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
        self.sent.append((publication, receipt))
        return receipt

    def break_off(self) -> None:
        self.is_up = False
        self.when_lost_s = asyncio.get_running_loop().time()
        for _, receipt in self.sent:
            if not receipt.done():
                receipt.set_exception(LinkDown("it broke"))

    def come_back(self) -> None:
        self.is_up = True
        self.session += 1

    def revisions(self) -> list[int | None]:
        """What it was told, in order; None: that nothing stands any more."""
        said = (publication.payload for publication, _ in self.sent)
        return [json.loads(payload)["data"]["revision"] if payload else None for payload in said]

    async def answer_all(self) -> None:
        """The broker acknowledges what it was told."""
        for _, receipt in self.sent:
            if not receipt.done():
                receipt.set_result(Receipt(0.0, nobody_listening=False))
        await asyncio.sleep(0)  # the receipts are heard of


class Kept:
    """What outlives a restart, for one story."""

    def __init__(self, **clears: Clear) -> None:
        self.clears = clears

    def owe(self, alert_id: str, clear: Clear | None) -> None:
        self.clears.pop(alert_id, None)
        if clear is not None:
            self.clears[alert_id] = clear


def revision(number: int, *, closed: bool = False) -> Message:
    """A revision of the one alert."""
    now = LabClock().now()
    told = tell("inc-1", number, now, state=messages.CLOSED if closed else "active")
    return messages.alert(
        CONFIG,
        told,
        sequence=number,
        recorded=now,
        attempt=1,
        late=False,
        path="primary",
        copy_lives_s=None,
    )


async def test_what_a_broken_connection_took_along_stands_with_the_next_one() -> None:
    path = OnePath()
    standing = Standing(CONFIG.unit, path, Kept())  # type: ignore[arg-type]
    standing.take(revision(2))
    path.break_off()
    await until(lambda: standing.waits, "it waits again")
    path.come_back()
    standing.publish()
    assert path.revisions() == [2, 2]


async def test_an_older_revision_that_was_lost_does_not_take_the_place_of_a_newer_one() -> None:
    path = OnePath()
    standing = Standing(CONFIG.unit, path, Kept())  # type: ignore[arg-type]
    standing.take(revision(1))
    standing.take(revision(2))
    path.sent[1][1].set_result(Receipt(0.0, nobody_listening=False))
    path.break_off()
    path.is_up = True
    await asyncio.sleep(0)  # the receipts are heard of
    standing.publish()
    assert path.revisions() == [1, 2]


@pytest.mark.parametrize("unsaved_s", [UNSAVED_S, 0.0])
async def test_a_broker_is_told_again_what_it_took_so_late_that_it_may_have_lost_it(
    monkeypatch: pytest.MonkeyPatch, unsaved_s: float
) -> None:
    monkeypatch.setattr(standing_module, "UNSAVED_S", unsaved_s)
    path = OnePath()
    standing = Standing(CONFIG.unit, path, Kept())  # type: ignore[arg-type]
    for number in (1, 2):
        standing.take(revision(number, closed=number == 2))
        await path.answer_all()
    assert path.revisions() == [1, None]
    took_s = asyncio.get_running_loop().time()
    await until(lambda: asyncio.get_running_loop().time() > took_s, "the clock goes on")
    path.break_off()
    path.come_back()
    standing.publish()
    assert path.revisions() == ([1, None, None] if unsaved_s else [1, None])
    assert not standing.waits


async def test_what_an_earlier_life_left_standing_is_cleared_by_a_life_that_only_saw_the_end() -> None:
    path = OnePath()
    standing = Standing(CONFIG.unit, path, Kept())  # type: ignore[arg-type]
    standing.take(revision(3, closed=True))
    assert path.revisions() == [None]


async def test_of_what_began_and_ended_while_a_broker_was_away_it_is_told_nothing() -> None:
    path = OnePath()
    standing = Standing(CONFIG.unit, path, Kept())  # type: ignore[arg-type]
    path.break_off()
    standing.take(revision(1))
    assert standing.waits
    standing.take(revision(2, closed=True))
    path.come_back()
    standing.publish()
    assert path.revisions() == []
    assert not standing.waits


async def test_that_an_alert_is_over_is_kept_until_the_broker_says_that_it_knows() -> None:
    path, kept = OnePath(), Kept()
    standing = Standing(CONFIG.unit, path, kept)  # type: ignore[arg-type]
    standing.take(revision(1))
    await path.answer_all()
    assert kept.clears == {}, "what is open will be told of again by itself"
    path.break_off()
    standing.take(revision(2, closed=True))
    assert kept.clears == {"inc-1": Clear(2, frozenset({PRIMARY}))}
    path.come_back()
    standing.publish()
    assert kept.clears, "it is only under way"
    await path.answer_all()
    assert kept.clears == {}


async def test_what_an_earlier_life_owed_is_told_and_an_older_revision_does_not_stand_anew() -> None:
    path, kept = OnePath(), Kept(**{"inc-1": Clear(3, frozenset({PRIMARY, "a path of before"}))})
    standing = Standing(CONFIG.unit, path, kept)  # type: ignore[arg-type]
    standing.recall()
    standing.take(revision(2))
    assert path.revisions() == [None]
    await path.answer_all()
    assert kept.clears == {}


# --- two brokers that know nothing of each other ---------------------------------------------------------------------


async def _kept_by(broker: Broker, authority: Authority) -> list[str]:
    """What a console that comes now is told of open alerts, as alert and revision."""
    ear, ends = Ear(), Publication(f"{TOPICS.prefix}/ack", b"all was said")
    endpoint = Endpoint.build(broker.url, **files_of(authority, CONTROL_ROOM))
    wanted = (Subscription(TOPICS.incident("+")), Subscription(ends.topic))
    async with linked(endpoint, passing("late", wanted), on_message=ear) as console:
        await console.publish(ends)  # comes after what is kept
        await until(lambda: ends.payload in ear.payloads(), "all was said")
    kept: dict[str, str] = {}
    for said in ear.heard:
        if said.topic == ends.topic:
            continue
        if said.payload:
            kept[said.topic] = json.loads(said.payload)["id"]
        else:  # it was taken down while this console listened
            kept.pop(said.topic, None)
    return [*kept.values()]


async def test_an_alert_that_ends_while_a_broker_is_away_does_not_stand_there_when_it_is_back(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "authority")
    first, second = (Broker(tmp_path / name, authority) for name in ("first", "second"))
    files = files_of(authority, "unit-a")
    async with first, second:
        ways = {PRIMARY: Endpoint.build(first.url, **files), ALTERNATE: Endpoint.build(second.url, **files)}
        paths = Paths(ways, passing("unit-a"), on_message=Ear())
        disk, wrong, clock = Disk(tmp_path / "outbox"), Complaints(), SystemClock()
        outbox = Outbox(disk, 100, clock, on_trouble=wrong.trouble, on_over=wrong.end)
        courier = Courier(CONFIG, outbox, paths, clock, on_trouble=wrong.trouble, on_over=wrong.end)
        await outbox.begin()

        def happens(alert_id: str, number: int, state: str) -> None:
            courier.submit([tell(alert_id, number, clock.now(), state=state)])

        async def say_the_same(expected: list[str], *brokers: Broker) -> None:
            await until(lambda: not (courier.under_way or courier._standing.waits), "both are told")
            for broker in brokers:
                await _until_kept(broker, expected)

        async def _until_kept(broker: Broker, expected: list[str]) -> None:
            async with asyncio.timeout(SOON_S):
                while sorted(await _kept_by(broker, authority)) != expected:
                    pass

        carrying = asyncio.create_task(courier.run())
        try:
            async with running(paths):
                await until(lambda: all(paths.session_of(name) for name in ways), "both paths are up")
                happens("over", 1, "active")
                happens("open", 1, "active")
                await say_the_same(["open-r1", "over-r1"], first, second)
                await first.stop()
                await until(lambda: paths.facts()[0]["up"] is False, "the first is away")
                happens("over", 2, messages.CLOSED)
                happens("open", 2, "active")
                happens("short", 1, "active")
                await _until_kept(second, ["open-r2", "short-r1"])
                happens("short", 2, messages.CLOSED)
                await _until_kept(second, ["open-r2"])
                await first.start()
                await until(lambda: paths.session_of(PRIMARY) == 2, "the first is back")
                await say_the_same(["open-r2"], first, second)
        finally:
            carrying.cancel()
            await asyncio.gather(carrying, return_exceptions=True)
            await outbox.close()


@asynccontextmanager
async def _life(folder: Path, ways: Mapping[str, Endpoint]) -> AsyncIterator[tuple[Courier, Paths]]:
    """A unit's uplink from its start to its end."""
    paths = Paths(ways, passing("unit-a"), on_message=Ear())
    wrong, clock = Complaints(), SystemClock()
    outbox = await Outbox.open(folder, 100, clock, on_trouble=wrong.trouble, on_over=wrong.end)
    courier = Courier(CONFIG, outbox, paths, clock, on_trouble=wrong.trouble, on_over=wrong.end)
    carrying = asyncio.create_task(courier.run())
    try:
        async with running(paths):
            yield courier, paths
    finally:
        carrying.cancel()
        await asyncio.gather(carrying, return_exceptions=True)
        await outbox.close()


async def test_what_ended_while_a_broker_was_away_is_cleared_there_by_the_units_next_life(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "authority")
    first, second = (Broker(tmp_path / name, authority) for name in ("first", "second"))
    files = files_of(authority, "unit-a")
    async with first, second:
        ways = {PRIMARY: Endpoint.build(first.url, **files), ALTERNATE: Endpoint.build(second.url, **files)}
        async with _life(tmp_path / "outbox", ways) as (courier, paths):

            def happens(number: int, state: str) -> None:
                courier.submit([tell("over", number, SystemClock().now(), state=state)])

            await until(lambda: all(paths.session_of(name) for name in ways), "both paths are up")
            happens(1, "active")
            await until(lambda: not (courier.under_way or courier._standing.waits), "both are told")
            assert await _kept_by(second, authority) == ["over-r1"]
            await second.stop()
            await until(lambda: paths.facts()[1]["up"] is False, "the second is away")
            happens(2, messages.CLOSED)
            await until(lambda: not courier.under_way, "it ended")
            for number in (1, 2):  # the receiver has all of it: no revision will ever be sent again
                assert courier.acknowledged("over", number)
        await second.start()
        assert await _kept_by(second, authority) == ["over-r1"], "its broker kept it, as is its duty"
        async with _life(tmp_path / "outbox", ways) as (courier, paths):
            assert courier.pending == 0
            async with asyncio.timeout(SOON_S):
                while await _kept_by(second, authority):
                    pass
            await until(lambda: not courier._outbox.clears, "nothing is owed any more")
