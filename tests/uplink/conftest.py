"""What the stories of the uplink share: one street's authority and broker for each file of tests."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from agent.control_room import room
from agent.uplink.endpoint import Endpoint
from fakes.authority import Authority
from fakes.broker import Broker
from tests.uplink.chaos import small_unit
from tests.uplink.lab import files_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


SESSION_S = 60
"""Longer than any story leaves a broker that lives on."""


@pytest.fixture(autouse=True)
def sessions_end_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a file's stories leave waiting at their common broker is over soon.

    Every console and unit has a session of its own there. Kept for an hour, each gets what all later ones say, and the
    broker stores it all anew with every message: 9 MB and seconds of computing after twenty stories.
    """
    monkeypatch.setattr(room, "KEPT_FOR_A_RUN_S", SESSION_S)
    monkeypatch.setattr(small_unit, "SESSION_S", SESSION_S)


@dataclass
class Street:
    """A broker and the authority that everybody on it trusts."""

    authority: Authority
    broker: Broker

    def endpoint(self, common_name: str) -> Endpoint:
        """The way to the broker for somebody with a certificate of this name."""
        return Endpoint.build(self.broker.url, **files_of(self.authority, common_name))


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    """A broker that no test may stop."""
    authority = Authority(tmp_path_factory.mktemp("authority"))
    broker = Broker(tmp_path_factory.mktemp("broker"), authority, plain=True)
    asyncio.run(broker.start())
    yield Street(authority, broker)
    asyncio.run(broker.stop())


@pytest.fixture
def own_street(tmp_path: Path) -> Iterator[Street]:
    """A broker of this test alone, not yet started."""
    authority = Authority(tmp_path / "authority")
    broker = Broker(tmp_path / "broker", authority)
    yield Street(authority, broker)
    asyncio.run(broker.stop())
