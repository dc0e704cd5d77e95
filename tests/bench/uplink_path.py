"""How fast the outbox keeps what happens, beside the bare disk, and how soon the link is back after its broker."""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from agent.clock import SystemClock
from agent.signals import Category
from agent.uplink.disk import Change, Disk
from agent.uplink.endpoint import Endpoint
from agent.uplink.link import Link
from agent.uplink.manners import Manners
from agent.uplink.outbox import Outbox
from fakes.authority import Authority
from fakes.broker import Broker
from tests.bench.figures import Row, Spread, spread_row
from tests.uplink.lab import Complaints, running, tell

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Sequence
    from pathlib import Path

    from agent.uplink.entry import Entry

REFERENCE_S: Final = 3.0
EVENTS: Final = 5000
AT_A_TIME: Final = 500
"""Events that are kept and not yet on the disk: a burst, such as a returning broker or a bad night makes."""
PAGE: Final = b"\0" * 4096
RESTARTS: Final = 20


def fdatasyncs_per_s(folder: Path) -> float:
    """What the disk does by itself: write a page, wait for it, again."""
    path = folder / "reference"
    count, began_s = 0, time.perf_counter()
    with path.open("wb", buffering=0) as file:
        while (took_s := time.perf_counter() - began_s) < REFERENCE_S:
            file.write(PAGE)
            os.fdatasync(file.fileno())
            count += 1
    path.unlink()
    return count / took_s


class CountingDisk(Disk):
    """Counts its transactions."""

    commits = 0

    def apply(self, changes: Iterable[Change]) -> None:
        """Count, and do it."""
        self.commits += 1
        super().apply(changes)


async def keep_events(folder: Path) -> tuple[float, int]:
    """Keep a burst of events; seconds until all are on the disk, and transactions."""
    complaints, disk, clock = Complaints(), CountingDisk(folder), SystemClock()
    outbox = Outbox(disk, 2 * EVENTS, clock, on_trouble=complaints.trouble, on_over=complaints.end)
    await outbox.begin()
    under_way = asyncio.Semaphore(AT_A_TIME)

    def settled(entries: Sequence[Entry]) -> None:
        for _ in entries:
            under_way.release()

    outbox.on_settled = settled
    before, began_s = disk.commits, time.perf_counter()
    for number in range(EVENTS):
        await under_way.acquire()
        outbox.keep([tell(f"inc-{number}", 1, clock.now(), Category.INTRUDER)])
    await outbox.flushed()
    took_s, commits = time.perf_counter() - began_s, disk.commits - before
    await outbox.close()
    return took_s, commits


async def reconnections_s(folder: Path, *, hurried: bool) -> list[float]:
    """Kill the broker and start it again, many times: seconds from its listening to the link being up."""
    authority = Authority(folder / "authority")
    mine = authority.issue_client("unit-a")
    samples = []
    async with Broker(folder / "broker", authority) as broker:
        endpoint = Endpoint.build(broker.url, ca_file=mine.ca_file, cert_file=mine.cert_file, key_file=mine.key_file)
        for _ in range(RESTARTS):
            async with up(Link(endpoint, Manners("unit-a"), on_message=lambda _: None)) as link:
                await broker.kill()
                if hurried:
                    link.hurry()
                await broker.start()
                began_s = time.perf_counter()
                await link.session_after(1)
                samples.append(time.perf_counter() - began_s)
    return samples


@asynccontextmanager
async def up(link: Link) -> AsyncIterator[Link]:
    """A link that is up."""
    async with running(link):
        await link.up()
        yield link


async def uplink_rows(folder: Path) -> list[Row]:
    """Outbox and link."""
    for name in ("outbox", "calm", "hurried"):
        (folder / name).mkdir()
    before = await asyncio.to_thread(fdatasyncs_per_s, folder)
    took_s, commits = await keep_events(folder / "outbox")
    after = await asyncio.to_thread(fdatasyncs_per_s, folder)
    rate, disk = EVENTS / took_s, (before + after) / 2
    return [
        Row("write a page + fdatasync on this disk (reference)", f"{disk:.0f} a second"),
        Row(
            f"outbox: events kept, {AT_A_TIME} at a time", f"{rate:.0f} a second, {EVENTS / commits:.1f} a transaction"
        ),
        Row("... as a ratio to the disk's own fdatasync", f"{rate / disk:.1f} events per fdatasync", ">= 10"),
        spread_row(
            "broker killed and restarted -> link up, a call waiting",
            Spread.of(await reconnections_s(folder / "hurried", hurried=True)),
        ),
        spread_row(
            "broker killed and restarted -> link up, nothing waiting (spread, for a fleet)",
            Spread.of(await reconnections_s(folder / "calm", hurried=False)),
        ),
    ]
