"""What the kernel carries and what the unit counts, side by side, in a network of this process alone.

Run by `test_wire.py` under `unshare --net`: nothing but the unit and its servers is on the loopback there, so that the
interface's own counters are the bill. Its packets are those of a mobile network (1,500 bytes, none joined).
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agent.signals import Category
from agent.uplink.lanes import Lane
from agent.uplink.link import Link
from agent.uplink.media.request import UploadState
from agent.uplink.publication import Publication, Subscription
from agent.uplink.topics import UnitTopics
from fakes.authority import Authority
from fakes.broker import CONTROL_ROOM, Broker
from tests.uplink.conftest import Street
from tests.uplink.lab import SOON_S, Ear, linked, passing, running, until
from tests.uplink.media.desk import Desk, ask
from tests.uplink.media.upload_server import upload_server

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

TOPICS: Final = UnitTopics("street", "unit-a")
COUNTERS: Final = Path("/proc/self/net/dev")
"""Not /sys/class/net, which shows the network that /sys was mounted in."""
ETHERNET_BYTES: Final = 14
"""The loopback counts a header of this size, which no mobile network bills."""
AT_REST_S: Final = 0.3
"""Nothing was carried for so long: what comes is here, acknowledgements too (40 ms at most)."""


def bill_bytes() -> int:
    """What was carried so far, as IP packets. Each passes the loopback once."""
    lo = next(line for line in COUNTERS.read_text().splitlines() if line.strip().startswith("lo:"))
    sent_bytes, packets = (int(lo.split()[column]) for column in (9, 10))
    return sent_bytes - ETHERNET_BYTES * packets


async def at_rest() -> int:
    """Wait until nothing moves, and return the bill."""
    before = -1
    while before != (now := bill_bytes()):
        before = now
        await asyncio.sleep(AT_REST_S)
    return now


async def alerts(street: Street) -> int:
    """A link that publishes, hears, pings, breaks and comes back."""
    ear = Ear()
    link = Link(
        street.endpoint("unit-a"), passing("unit-a", (Subscription(TOPICS.ack),), keepalive_s=1.0), on_message=ear
    )
    async with running(link):
        async with asyncio.timeout(SOON_S):
            await link.up()
            for number in range(30):
                await link.publish(Publication(TOPICS.alert(Category.HELP), bytes(200 + number)), Lane.HELP)
        said = link.carried_bytes
        await until(lambda: link.carried_bytes > said + 400, "it pings, and nobody asked for it")
        for _ in range(3):
            session, heard = link.session, len(ear.heard)
            assert link._connection is not None
            link._connection.abandon("the test ended it")
            async with asyncio.timeout(SOON_S):
                await link.session_after(session)
            await until(lambda: len(ear.heard) > heard, "it hears again what is kept for it")  # noqa: B023
    return link.carried_bytes


async def vain(street: Street, folder: Path) -> int:
    """Handshakes with a broker whose authority is a stranger."""
    stranger = Street(Authority(folder / "stranger"), street.broker)
    link = Link(stranger.endpoint("unit-a"), passing("unit-a"), on_message=Ear())
    async with running(link):
        for tries in range(1, 4):
            link.hurry()
            await until(lambda: link._failed >= tries, "it tries again")  # noqa: B023
    return link.carried_bytes


async def upload(authority: Authority, folder: Path) -> int:
    """A clip to a server that takes it in two goes."""
    with upload_server(authority.issue_server()) as site:
        site.cuts.append(100_000)
        desk = Desk(folder, ca_file=authority.ca_file, hosts=(site.place,))
        desk.category = Category.HELP
        done = await desk.sent(ask(site.url))
        assert done.state is UploadState.DONE
        return desk.uploads.wire.carried_bytes


async def upload_in_vain(authority: Authority, folder: Path) -> int:
    """An upload to a server whose certificate is nobody's."""
    with upload_server(Authority(folder / "stranger").issue_server()) as site:
        desk = Desk(folder, ca_file=authority.ca_file, hosts=(site.place,))
        async with desk.at_work() as uploads:
            await uploads.begin(ask(site.url))
            await until(
                lambda: desk.told and desk.told[-1].state is UploadState.WAITING, "it waits for its next attempt"
            )
        return desk.uploads.wire.carried_bytes


async def main(folder: Path) -> None:
    """Live through each story, and print what was counted and what was carried."""
    authority = Authority(folder / "authority")
    street = Street(authority, Broker(folder / "broker", authority))
    await street.broker.start()
    console = street.endpoint(CONTROL_ROOM)
    async with linked(console, passing("console-1")) as link:
        await link.publish(Publication(TOPICS.ack, bytes(4_000), retain=True))
    stories: dict[str, Callable[[], Awaitable[int]]] = {
        "alerts": lambda: alerts(street),
        "vain": lambda: vain(street, folder),
        "upload": lambda: upload(authority, folder / "upload"),
        "upload in vain": lambda: upload_in_vain(authority, folder / "upload-in-vain"),
    }
    told = {}
    for name, story in stories.items():
        before = await at_rest()
        counted = await story()
        told[name] = {"counted": counted, "carried": await at_rest() - before}
    await street.broker.stop()
    print(json.dumps(told))  # noqa: T201 - for the story that started this


if __name__ == "__main__":
    subprocess.run(["ip", "link", "set", "lo", "up", "mtu", "1500", "gso_max_segs", "1"], check=True)
    asyncio.run(main(Path(sys.argv[1])))
