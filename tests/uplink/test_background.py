"""What media travel on says of itself that it can wait, on the live socket."""

from __future__ import annotations

import os
import socket
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from agent.uplink.background import BULK, LOWER_EFFORT, SEND_BUFFER_BYTES
from fakes.authority import Authority
from tests.uplink.lab import linked, passing, until
from tests.uplink.media.desk import HOSTS, Desk, ask
from tests.uplink.media.upload_server import upload_server

if TYPE_CHECKING:
    from tests.uplink.conftest import Street

BACKGROUND = (LOWER_EFFORT, BULK, 2 * SEND_BUFFER_BYTES)
"""Linux keeps twice the buffer that it is asked for, and says so (socket(7))."""


def options_to(port: int) -> list[tuple[int, int, int]]:
    """Traffic class, priority and send buffer of each socket of this process that is connected to this port."""
    found = []
    for entry in Path("/proc/self/fd").iterdir():
        # Of what is no socket, is not connected or was closed meanwhile there is nothing to read.
        with suppress(OSError), socket.socket(fileno=os.dup(int(entry.name))) as sock:
            if sock.family in {socket.AF_INET, socket.AF_INET6} and sock.getpeername()[1] == port:
                tos = sock.getsockopt(socket.IPPROTO_IP, socket.IP_TOS)
                priority = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PRIORITY)
                found.append((tos, priority, sock.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)))
    return found


async def test_the_connection_of_media_says_that_it_can_wait_and_that_of_alerts_does_not(street: Street) -> None:
    endpoint = street.endpoint("unit-a")
    async with linked(endpoint, passing("unit-a-media", background=True)):
        assert options_to(endpoint.port) == [BACKGROUND]
    async with linked(endpoint, passing("unit-a")):
        ((tos, priority, _),) = options_to(endpoint.port)
        assert (tos, priority) == (0, 0)


async def test_the_connection_of_an_upload_says_that_it_can_wait(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "authority")
    with upload_server(authority.issue_server()) as site:
        site.hangs = threading.Event()
        desk = Desk(tmp_path, ca_file=authority.ca_file, hosts=(*HOSTS, site.place))
        async with desk.at_work() as uploads:
            await uploads.begin(ask(site.url))
            await until(lambda: "PATCH" in site.methods(), "the upload is under way")
            assert options_to(int(site.place.rpartition(":")[2])) == [BACKGROUND]
            site.hangs.set()
            await desk.over()
