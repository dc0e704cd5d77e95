"""Pictures on their own connection: whole, once, the most important first, and never in the way of a call."""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from agent.config.sending import DataPlanSettings
from agent.signals import Category, Media, MediaReady
from agent.uplink import still
from agent.uplink.endpoint import Endpoint
from agent.uplink.media import stills as stills_module
from agent.uplink.media.purse import Purse
from agent.uplink.media.road import Road
from agent.uplink.media.stills import MOST, OLD_S, Stills
from agent.uplink.paths import ALTERNATE, PRIMARY, Paths
from agent.uplink.publication import Received, Subscription
from agent.uplink.topics import UnitTopics
from agent.uplink.validation import MessageInvalid
from fakes.broker import CONTROL_ROOM, Broker
from tests.uplink.chaos.rough_network import End, RoughNetwork
from tests.uplink.lab import Ear, LabClock, files_of, linked, make_config, passing, running, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from tests.uplink.conftest import Street

UNIT = make_config().unit
TOPICS = UnitTopics("street", "unit-a")


@dataclass
class Desk:
    """The unit's end: pictures to send, and what the rules say of them."""

    folder: Path
    clock: LabClock
    purse: Purse
    road: Road
    stills: Stills
    paths: Paths
    under_way: bool = False
    silent: frozenset[str] = frozenset()

    def made(self, alert_id: str, media: Media = Media.STILL, text: bytes = b"street") -> MediaReady:
        """A picture on the disk."""
        path = self.folder / f"{alert_id}-{media}.jpg"
        path.write_bytes(still.JPEG_BEGINS + text)
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        now = self.clock.now()
        return MediaReady(alert_id, media, now, str(path), sha256, path.stat().st_size, start=now)


def desk_at(
    street: Street,
    folder: Path,
    plan: DataPlanSettings | None = None,
    *,
    ways: Mapping[str, Endpoint] | None = None,
    puback_within_s: float = 60.0,
) -> Desk:
    clock = LabClock()
    purse = Purse(
        plan or DataPlanSettings(), folder / "data-plan.json", clock, carried_bytes=lambda: desk.paths.carried_bytes
    )
    paths = Paths(
        ways or {PRIMARY: street.endpoint("unit-a")},
        passing("unit-a-media", background=True, puback_within_s=puback_within_s),
        on_message=Ear(),
        on_change=lambda _up: desk.stills.look(),
    )
    road = Road(lambda: desk.under_way)
    desk = Desk(folder, clock, purse, road, Stills(UNIT, paths, clock, purse, road, silent=lambda: desk.silent), paths)
    return desk


@asynccontextmanager
async def at_work(desk: Desk) -> AsyncIterator[None]:
    """The lane and its link, until the end of the story."""
    lanes = [asyncio.create_task(run(lambda: None)) for run in (desk.stills.run, desk.road.run)]
    try:
        async with running(desk.paths):
            yield
    finally:
        for lane in lanes:
            lane.cancel()
        await asyncio.gather(*lanes, return_exceptions=True)


@asynccontextmanager
async def watched(street: Street) -> AsyncIterator[Ear]:
    """A console that sees every picture of the unit."""
    ear = Ear()
    wanted = Subscription(TOPICS.still("+", "+"))
    async with linked(
        street.endpoint(CONTROL_ROOM), passing("console-1", (wanted,), max_payload=65_536), on_message=ear
    ):
        yield ear


async def test_a_picture_comes_whole_with_its_checksum_and_says_whose_it_is(street: Street, tmp_path: Path) -> None:
    desk = desk_at(street, tmp_path)
    async with watched(street) as ear, at_work(desk):
        made = desk.made("inc-1", text=bytes(range(256)) * 200)
        desk.stills.take(made, Category.HELP)
        await until(lambda: ear.heard, "the picture comes")
        await until(lambda: desk.stills.sent, "the broker says so, which may be later")
    picture, source = still.read(ear.heard[0])
    assert ear.heard[0].topic == TOPICS.still("inc-1", "snapshot")
    assert ear.heard[0].content_type == "image/jpeg"
    assert (picture.alert_id, picture.name, picture.sha256) == ("inc-1", "snapshot", made.sha256)
    assert source == "/safepoint/street/units/unit-a"
    assert ear.heard[0].expiry_s is not None
    assert desk.stills.facts() == {"waiting": 0, "sent": 1, "dropped": 0}


async def test_help_goes_first_when_pictures_have_waited(street: Street, tmp_path: Path) -> None:
    desk = desk_at(street, tmp_path)
    desk.stills.take(desk.made("door"), Category.TAMPER)
    desk.stills.take(desk.made("thief"), Category.INTRUDER)
    desk.stills.take(desk.made("call"), Category.HELP)
    desk.stills.take(desk.made("call", Media.STRIP), Category.HELP)
    async with watched(street) as ear, at_work(desk):
        await until(lambda: len(ear.heard) == 4, "all come")
    assert [heard.topic.split("/")[-2:] for heard in ear.heard] == [
        ["call", "snapshot"],
        ["call", "strip"],
        ["thief", "snapshot"],
        ["door", "snapshot"],
    ]


async def test_a_picture_waits_while_an_alert_is_under_way(street: Street, tmp_path: Path) -> None:
    desk = desk_at(street, tmp_path)
    async with watched(street) as ear, at_work(desk):
        await desk.paths.up()
        desk.under_way = True
        desk.road.give_way()
        desk.stills.take(desk.made("inc-1"), Category.HELP)
        for _ in range(20):
            await asyncio.sleep(0)
        assert not desk.road.is_clear
        assert desk.purse.facts()["mediaKb"] == 0
        desk.under_way = False
        await until(lambda: ear.heard, "the picture comes after it")


async def test_a_picture_goes_by_the_second_way_when_the_first_is_down(street: Street, tmp_path: Path) -> None:
    direct = street.endpoint("unit-a")
    nobody = replace(direct, port=1)
    desk = desk_at(street, tmp_path, ways={PRIMARY: nobody, ALTERNATE: direct})
    desk.stills.take(desk.made("inc-1"), Category.HELP)
    async with watched(street) as ear, at_work(desk):
        await until(lambda: ear.heard, "the picture comes by the second way")
        await until(lambda: desk.stills.sent == 1, "it is known to be there")


async def test_beside_a_way_that_is_silent_pictures_go_by_the_other_and_the_next_does_not_wait_for_it(
    street: Street, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stills_module, "HELP_PATIENCE_S", 0.2)
    direct = street.endpoint("unit-a")
    async with RoughNetwork(street.broker.port, reads_mqtt=False) as network, watched(street) as ear:
        desk = desk_at(street, tmp_path, ways={PRIMARY: replace(direct, port=network.port), ALTERNATE: direct})
        async with at_work(desk):
            await until(lambda: all(path["up"] for path in desk.paths.facts()), "both ways are up")
            network.strike(End.HALF_OPEN)
            desk.stills.take(desk.made("inc-1"), Category.HELP)
            await until(lambda: desk.stills.sent == 1, "it comes by the other way")
            assert [path["up"] for path in desk.paths.facts()] == [True, True]  # nobody knows better yet
            monkeypatch.setattr(stills_module, "HELP_PATIENCE_S", 3600.0)
            desk.stills.take(desk.made("inc-2"), Category.HELP)
            await until(lambda: desk.stills.sent == 2, "the next comes at once")
            await until(lambda: len(ear.heard) == 2, "the console has it, too")
    assert [heard.topic.split("/")[-2] for heard in ear.heard] == ["inc-1", "inc-2"]


async def test_a_help_calls_picture_does_not_wait_for_a_silent_way_as_long_as_others_do(
    street: Street, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stills_module, "PATIENCE_S", 3600.0)
    direct = street.endpoint("unit-a")
    async with RoughNetwork(street.broker.port, reads_mqtt=False) as network, watched(street) as ear:
        ways = {PRIMARY: replace(direct, port=network.port), ALTERNATE: direct}
        desk = desk_at(street, tmp_path, ways=ways, puback_within_s=3600.0)
        async with at_work(desk):
            await until(lambda: all(path["up"] for path in desk.paths.facts()), "both ways are up")
            network.strike(End.HALF_OPEN)
            desk.stills.take(desk.made("call"), Category.HELP)
            await until(lambda: ear.heard, "it comes by the other way")
            assert [path["up"] for path in desk.paths.facts()] == [True, True], "nobody knows better yet"


async def test_a_way_by_which_a_call_got_no_answer_is_not_tried_for_its_picture_unless_it_is_the_only_one(
    street: Street, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stills_module, "HELP_PATIENCE_S", 3600.0)
    direct = street.endpoint("unit-a")
    async with RoughNetwork(street.broker.port, reads_mqtt=False) as network, watched(street) as ear:
        desk = desk_at(street, tmp_path, ways={PRIMARY: replace(direct, port=network.port), ALTERNATE: direct})
        async with at_work(desk):
            await until(lambda: all(path["up"] for path in desk.paths.facts()), "both ways are up")
            network.strike(End.HALF_OPEN)
            desk.silent = frozenset({PRIMARY})
            desk.stills.take(desk.made("inc-1"), Category.HELP)
            await until(lambda: desk.stills.sent == 1, "it comes by the other way at once")
            desk.silent = frozenset({PRIMARY, ALTERNATE})
            network.strike(End.RESET)
            desk.stills.take(desk.made("inc-2"), Category.HELP)
            await until(lambda: desk.stills.sent == 2, "a way of which nothing good is known is better than none")
            await until(lambda: len(ear.heard) == 2, "the console has it, too")
    assert [heard.topic.split("/")[-2] for heard in ear.heard] == ["inc-1", "inc-2"]


async def test_where_nobody_listens_at_the_first_broker_the_picture_goes_to_the_second_as_well(
    street: Street, tmp_path: Path
) -> None:
    async with Broker(tmp_path / "deaf", street.authority) as deaf, watched(street) as ear:
        to_deaf = Endpoint.build(deaf.url, **files_of(street.authority, "unit-a"))
        desk = desk_at(street, tmp_path, ways={PRIMARY: to_deaf, ALTERNATE: street.endpoint("unit-a")})
        async with at_work(desk):
            await until(lambda: all(path["up"] for path in desk.paths.facts()), "both ways are up")
            desk.stills.take(desk.made("inc-1"), Category.HELP)
            await until(lambda: desk.stills.sent == 1, "it is sent")
            await until(lambda: ear.heard, "the console has it, too")
            assert [heard.topic.split("/")[-2] for heard in ear.heard] == ["inc-1"]


async def test_a_picture_for_which_nobody_listens_anywhere_is_sent_once_and_holds_nothing_up(
    street: Street, tmp_path: Path
) -> None:
    desk = desk_at(street, tmp_path, ways={each: street.endpoint("unit-a") for each in (PRIMARY, ALTERNATE)})
    async with at_work(desk):
        await until(lambda: all(path["up"] for path in desk.paths.facts()), "both ways are up")
        for alert_id in ("inc-1", "inc-2"):
            desk.stills.take(desk.made(alert_id), Category.TAMPER)
        await until(lambda: desk.stills.facts() == {"waiting": 0, "sent": 2, "dropped": 0}, "both are done with")


async def test_pictures_wait_for_a_way_that_is_silent_to_be_found_out_when_there_is_no_other(
    street: Street, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stills_module, "HELP_PATIENCE_S", 0.05)
    direct, both = street.endpoint("unit-a"), {TOPICS.still(each, "snapshot") for each in ("inc-1", "inc-2")}
    async with RoughNetwork(street.broker.port, reads_mqtt=False) as network, watched(street) as ear:
        desk = desk_at(street, tmp_path, ways={PRIMARY: replace(direct, port=network.port)}, puback_within_s=1.0)
        async with at_work(desk):
            await desk.paths.up()
            network.strike(End.HALF_OPEN)
            desk.stills.take(desk.made("inc-1"), Category.HELP)
            desk.stills.take(desk.made("inc-2"), Category.TAMPER)
            await until(lambda: desk.stills.sent == 2, "both come with the next connection")
            await until(lambda: {heard.topic for heard in ear.heard} >= both, "the console has it, too")
    came = [heard.topic.split("/")[-2] for heard in ear.heard]
    assert list(dict.fromkeys(came)) == ["inc-1", "inc-2"], "one whose receipt is late on a busy machine comes again"


async def test_pictures_are_few_and_fresh_and_every_other_one_is_counted(street: Street, tmp_path: Path) -> None:
    desk = desk_at(street, tmp_path)
    desk.stills.take(desk.made("old"), Category.HELP)
    desk.clock.pass_s(OLD_S + 1)
    for number in range(MOST):
        desk.stills.take(desk.made(f"fault-{number}"), Category.FAULT)
    desk.stills.take(desk.made("call"), Category.HELP)
    assert desk.stills.facts()["dropped"] == 2  # there was no room for the last two of the least important
    gone = desk.made("gone")
    (tmp_path / "gone-still.jpg").unlink()
    changed = replace(desk.made("changed"), sha256="0" * 64)
    async with watched(street) as ear, at_work(desk):
        await until(lambda: len(ear.heard) == MOST - 1, "all that can come do")
        desk.stills.take(gone, Category.HELP)
        desk.stills.take(changed, Category.HELP)
        await until(lambda: not desk.stills.facts()["waiting"], "nothing is left")
    assert ear.heard[0].topic == TOPICS.still("call", "snapshot")
    assert desk.stills.facts() == {"waiting": 0, "sent": MOST - 1, "dropped": 5}


async def test_a_plan_that_is_used_up_holds_back_all_but_help(street: Street, tmp_path: Path) -> None:
    desk = desk_at(street, tmp_path, DataPlanSettings(kb_per_month=1))
    desk.purse.spend(2_000, for_help=False)
    async with watched(street) as ear, at_work(desk):
        desk.stills.take(desk.made("thief"), Category.INTRUDER)
        desk.stills.take(desk.made("call"), Category.HELP)
        await until(lambda: ear.heard and not desk.stills.facts()["waiting"], "the call's picture comes")
    assert [heard.topic for heard in ear.heard] == [TOPICS.still("call", "snapshot")]
    assert desk.purse.facts()["heldBack"] == 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"payload": still.JPEG_BEGINS + b"another"}, "checksum"),
        ({"payload": b"no picture"}, "no JPEG"),
        ({"payload": still.JPEG_BEGINS + bytes(still.MAX_BYTES)}, "bytes"),
        ({"content_type": "text/html"}, "no JPEG"),
        ({"topic": TOPICS.still("inc-2", "snapshot")}, "topic"),
        ({"topic": TOPICS.still("inc-1", "..")}, "topic"),
        ({"user_properties": (("sha256", "0" * 64),)}, "lacks specversion"),
    ],
)
def test_a_picture_that_is_not_what_it_says_is_refused(changes: dict[str, object], words: str) -> None:
    jpeg = still.JPEG_BEGINS + b"street"
    sha256 = hashlib.sha256(jpeg).hexdigest()
    sent = still.publication(UNIT, still.Still("inc-1", "snapshot", LabClock().now().wall, sha256, jpeg))

    came = Received(sent.topic, sent.payload, content_type=sent.content_type, user_properties=sent.user_properties)
    assert still.read(came)[0].sha256 == sha256
    with pytest.raises(MessageInvalid, match=words):
        still.read(replace(came, **changes))  # type: ignore[arg-type]
