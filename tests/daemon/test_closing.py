"""A unit that ends closes all that it opened, whatever one of its parts has to say about it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from agent.commands.office import Office
from agent.uplink.outbox import Outbox
from tests.daemon.bare import bare_unit

if TYPE_CHECKING:
    from pathlib import Path


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
    stop = asyncio.Event()
    stop.set()
    unit = bare_unit(tmp_path)
    with pytest.raises(RuntimeError, match="a fault of ours"):
        await unit.run(stop)
    assert closed == ["office", "outbox"]
