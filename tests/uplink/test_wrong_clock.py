"""A unit that does not know the time reaches its broker, and is not fooled by a certificate that has ended.

The broker is real, and so is the machine's clock: certificates of 2031 make it a clock that is years behind, and the
unit's own clock is set by hand at our boundary.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from agent.clock import ClockQuality
from agent.clock_floor import FILE_NAME, ClockFloor
from agent.uplink.endpoint import Endpoint
from agent.uplink.link import Link
from agent.uplink.slots import GIVEN, Identity
from agent.uplink.tls import Tls
from fakes.authority import Authority
from fakes.broker import Broker
from tests.daemon.test_clock_floor import EPOCH, HandClock
from tests.uplink.lab import SOON_S, Ear, passing, running, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from fakes.authority import Validity

LONG = datetime(2020, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)
OF_2031 = datetime(2031, 1, 1, tzinfo=UTC), datetime(2031, 12, 31, tzinfo=UTC)
OF_2032 = datetime(2032, 2, 1, tzinfo=UTC), datetime(2032, 12, 31, tzinfo=UTC)
OF_2025 = datetime(2025, 1, 1, tzinfo=UTC), datetime(2025, 12, 31, tzinfo=UTC)


class Place:
    """A broker with a certificate of some year, and units that believe in some clock."""

    def __init__(self, folder: Path, authority: Authority, broker: Broker) -> None:
        self.folder = folder
        self.authority = authority
        self.broker = broker

    def unit(self, clock: HandClock | None, valid: Validity | None = None) -> Link:
        """A unit with this clock and a certificate of its own that is valid then.

        Args:
            clock: None: it leaves time to OpenSSL and the machine.
            valid: None: a certificate of today.
        """
        issued = self.authority.issue_client("unit-a", valid)
        identity = Identity(GIVEN, issued.ca_file, issued.cert_file, issued.key_file)
        floor = None if clock is None else ClockFloor(self.folder, clock)
        endpoint = Endpoint("localhost", self.broker.port, Tls(lambda: [identity], floor=floor))
        return Link(endpoint, passing("unit-a"), on_message=Ear())


@asynccontextmanager
async def place(folder: Path, servers_valid: tuple[datetime, datetime]) -> AsyncIterator[Place]:
    authority = Authority(folder / "authority", valid=LONG)
    authority.servers_valid = servers_valid
    async with Broker(folder / "broker", authority) as broker:
        yield Place(folder, authority, broker)


async def comes_up(link: Link) -> None:
    async with running(link), asyncio.timeout(SOON_S):
        await link.up()


async def is_refused(link: Link, words: str) -> None:
    async with running(link):
        await until(lambda: words in (link.trouble or ""), f"the unit says: {words}")
    assert link.session == 0


@pytest.mark.parametrize("wall", [EPOCH, datetime(2030, 12, 31, tzinfo=UTC)])
async def test_a_unit_whose_clock_is_behind_the_brokers_certificate_connects(tmp_path: Path, wall: datetime) -> None:
    async with place(tmp_path, OF_2031) as here:
        await comes_up(here.unit(HandClock(wall)))
        await is_refused(here.unit(None), "not yet valid")


async def test_a_clock_that_a_time_source_set_is_taken_at_its_word(tmp_path: Path) -> None:
    async with place(tmp_path, OF_2031) as here:
        await is_refused(here.unit(HandClock(datetime.now(UTC), ClockQuality.SYNCED)), "not yet valid")


async def test_a_certificate_that_ended_before_the_software_was_built_is_refused_in_1970(tmp_path: Path) -> None:
    async with place(tmp_path, OF_2025) as here:
        await is_refused(here.unit(HandClock(EPOCH)), "has expired on Dec 31")


async def test_a_certificate_that_ended_before_the_last_known_time_is_refused_in_1970(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text("2032-02-01T00:00:00+00:00")
    async with place(tmp_path, OF_2031) as here:
        await is_refused(here.unit(HandClock(EPOCH)), "it is 2032-02-01 at least")


async def test_a_certificate_that_ended_before_the_units_own_was_issued_is_refused_in_1970(tmp_path: Path) -> None:
    async with place(tmp_path, OF_2031) as here:
        await is_refused(here.unit(HandClock(EPOCH), OF_2032), "it is 2032-02-01 at least")


async def test_without_the_time_everything_else_is_still_verified(tmp_path: Path) -> None:
    async with place(tmp_path, LONG) as here:
        here.authority = Authority(tmp_path / "foreign")
        await is_refused(here.unit(HandClock(EPOCH)), "certificate was not accepted: self-signed")
