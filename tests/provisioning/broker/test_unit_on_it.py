"""All connections of one unit on the broker that we tell people to run, as we tell them: none throws another out."""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from agent.clock import SystemClock
from agent.signals import Category, Media, MediaReady
from agent.uplink import credentials as credentials_module
from agent.uplink import still
from agent.uplink.client_mark import FILE_NAME, ClientMark
from agent.uplink.courier import Courier
from agent.uplink.credentials import Credentials, Keeper
from agent.uplink.disk import Disk
from agent.uplink.endpoint import Endpoint
from agent.uplink.manners import Manners
from agent.uplink.media.room import MediaRoom
from agent.uplink.outbox import Outbox
from agent.uplink.paths import ALTERNATE, PRIMARY, Paths, alarm_manners
from agent.uplink.publication import Subscription
from agent.uplink.slots import GIVEN
from agent.uplink.topics import UnitTopics
from fakes.authority import Authority
from tests.provisioning.broker.rendered import CONSOLE, ORG, RenderedBroker
from tests.uplink.lab import Complaints, Ear, files_of, linked, make_config, running, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import pytest

    from agent.signals import Signal

TOPICS = UnitTopics(ORG, "unit-a")


class OneUnit:
    """What of a unit is on the broker: its alerts, over two networks, its pictures, and who renews its certificate."""

    def __init__(self, broker: RenderedBroker, authority: Authority, folder: Path) -> None:
        config = make_config(broker=broker.url, insecure_lab=False, **files_of(authority, "unit-a"))
        camera = config.camera.model_copy(update={"enabled": True})
        self.config = config.model_copy(update={"state_folder": folder / "state", "camera": camera})
        self.folder = folder
        self.clock = SystemClock()
        found = Credentials.of(self.config, self.clock)
        assert found is not None
        self.credentials = found
        endpoint = Endpoint.from_settings(self.config.uplink, found.tls)
        self.mark = ClientMark()
        self.told: list[Signal] = []
        self.paths = Paths(
            {PRIMARY: endpoint, ALTERNATE: endpoint}, alarm_manners(self.config, self.mark), on_message=Ear()
        )
        self.keeper = Keeper(
            found,
            endpoint,
            self.config,
            self.clock,
            self.told.append,
            connected=lambda: self.paths.connected,
            hurry=self.paths.hurry,
        )
        wrong = Complaints()
        self.outbox = outbox = Outbox(
            Disk(self.config.state_folder), 10, self.clock, on_trouble=wrong.trouble, on_over=wrong.end
        )
        courier = Courier(self.config, outbox, self.paths, self.clock, on_trouble=wrong.trouble, on_over=wrong.end)
        self.media = MediaRoom(
            self.config,
            endpoint,
            self.clock,
            courier,
            lambda: self.paths.carried_bytes,
            interface_for=self.paths.interface_for,
            category_of=lambda _: Category.HELP,
            on_upload=lambda _: None,
            report=self.told.append,
        )

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        await self.mark.recall(self.config.state_folder / FILE_NAME)
        rooms = [asyncio.ensure_future(run(lambda: None)) for _, run in self.media.rooms()]
        rooms.append(asyncio.create_task(self.keeper.run(lambda: None)))
        try:
            async with running(self.paths):
                yield
                await self.media.close()
                await self.outbox.close()
        finally:
            for room in rooms:
                room.cancel()
            await asyncio.gather(*rooms, return_exceptions=True)

    @property
    def sessions(self) -> list[int]:
        """How often each of its lasting connections began."""
        media = self.media._paths
        assert media is not None
        return [*(link.session for link in self.paths._links.values()), media.session]

    def picture(self) -> MediaReady:
        """One on the disk."""
        file = self.folder / "still.jpg"
        file.write_bytes(still.JPEG_BEGINS + b"street")
        now, sha256 = self.clock.now(), hashlib.sha256(file.read_bytes()).hexdigest()
        return MediaReady("inc-1", Media.STILL, now, str(file), sha256, file.stat().st_size, start=now)


class Guess(ClientMark):
    """Somebody who asks for the client id of another: all of it that he can know."""

    def on(self, name: str) -> str:
        return name


async def test_no_connection_of_a_unit_throws_another_out_and_nobody_elses_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(credentials_module, "LOOK_EVERY_S", 0.02)
    authority = Authority(tmp_path / "authority")
    ear = Ear()
    async with RenderedBroker(tmp_path / "broker", authority) as broker:
        unit = OneUnit(broker, authority, tmp_path)
        console = Endpoint.build(broker.url, **files_of(authority, CONSOLE))
        stolen = Endpoint.build(broker.url, **files_of(authority, "unit-b"))
        wanted = (Subscription(TOPICS.still("+", "+")),)
        async with linked(console, Manners("console-1", wanted, max_payload=65_536), on_message=ear), unit.at_work():
            await until(lambda: unit.sessions == [1, 1, 1], "all three connections are there")
            renewed = authority.issue_client("unit-a")
            unit.credentials.slots.put(renewed.cert_file.read_bytes(), renewed.key_file.read_bytes())
            for name in ("unit-a", "unit-a-alternate", "unit-a-media"):
                async with linked(stolen, Manners(name, mark=Guess())):
                    pass
            unit.media.take(unit.picture(), Category.HELP)
            await until(lambda: ear.heard, "the picture comes")
            await until(lambda: unit.keeper.facts()["certificate"]["active"] != GIVEN, "the certificate is promoted")
            assert unit.sessions == [1, 1, 1]
            assert unit.told == []
        assert "already connected" not in broker.log
