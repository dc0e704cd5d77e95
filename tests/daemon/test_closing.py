"""A unit that ends closes all that it opened, whatever one of its parts has to say about it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from agent.clock import SystemClock
from agent.commands.office import Office
from agent.hw.kit import HardwareLost
from agent.notify import ServiceManager
from agent.unit import Unit
from agent.uplink.endpoint import Endpoint
from agent.uplink.outbox import Outbox
from tests.uplink.lab import make_config

if TYPE_CHECKING:
    from pathlib import Path


class BareKit:
    """A board without anything on it."""

    def pin_factory(self) -> object:
        msg = "there are no pins"
        raise HardwareLost(msg)


async def test_the_outbox_is_closed_though_the_office_cannot_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = []
    close_office, close_outbox = Office.close, Outbox.close

    async def close_badly(office: Office) -> None:
        await close_office(office)
        closed.append("office")
        msg = "a fault of ours"
        raise RuntimeError(msg)

    async def close_well(outbox: Outbox) -> None:
        await close_outbox(outbox)
        closed.append("outbox")

    monkeypatch.setattr(Office, "close", close_badly)
    monkeypatch.setattr(Outbox, "close", close_well)
    config = make_config().model_copy(update={"state_folder": tmp_path})
    off = {name: getattr(config, name).model_copy(update={"enabled": False}) for name in ("camera", "voice", "speaker")}
    stop = asyncio.Event()
    stop.set()
    unit = Unit(
        config.model_copy(update=off),
        BareKit(),  # type: ignore[arg-type]
        Endpoint("localhost", 1, None),
        SystemClock(),
        ServiceManager(None),
    )
    with pytest.raises(RuntimeError, match="a fault of ours"):
        await unit.run(stop)
    assert closed == ["office", "outbox"]
