"""What one unit may cost the receiver: never the acknowledgement of another unit's call."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from agent.control_room.happenings import Happening, What
from agent.control_room.reading import Reading, read
from agent.control_room.receiver import DAY_BYTES, WAITING_BYTES, Receiver, unit_of
from agent.uplink.publication import Received
from agent.uplink.topics import ROOT
from tests.control_room.wires import COLUMN, SHOP, after, alert

if TYPE_CHECKING:
    from pathlib import Path


async def test_what_is_too_much_of_one_unit_is_neither_kept_nor_acknowledged_and_others_are(tmp_path: Path) -> None:
    kept: list[Reading] = []
    told: list[Happening] = []
    receiver = Receiver(tmp_path / "journal", kept.append, told.append)
    flood = Received(f"{ROOT}/{SHOP.org}/{SHOP.unit}/heartbeat", b"x" * 60_000)
    call = Received(f"{ROOT}/{COLUMN.org}/{COLUMN.unit}/alert/help", json.dumps(alert()).encode())
    for _ in range(10_000):
        receiver.take(flood, after(0), None)
    assert receiver._queue.qsize() <= WAITING_BYTES // 60_000
    receiver.take(call, after(0), read(call))
    task = asyncio.create_task(receiver.run())
    await receiver.finished()
    for _ in range(DAY_BYTES // WAITING_BYTES):  # the disk takes it all, and it sends on
        for _ in range(WAITING_BYTES // 60_000):
            receiver.take(flood, after(1), None)
        await receiver.finished()
    receiver.take(call, after(2), read(call))
    await receiver.finished()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    receiver.close()
    assert [reading.unit for reading in kept] == [COLUMN, COLUMN]
    assert [happening.what for happening in told] == [What.REFUSED]
    assert receiver.unkept >= 10_000 - WAITING_BYTES // 60_000
    assert (tmp_path / "journal").stat().st_size < DAY_BYTES + WAITING_BYTES
    assert (tmp_path / "journal").stat().st_mode & 0o077 == 0


def test_a_message_is_of_the_unit_whose_topic_it_came_on() -> None:
    assert unit_of(f"{ROOT}/{SHOP.org}/{SHOP.unit}/still/A1/strip") == SHOP
